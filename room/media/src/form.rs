//! The form that a container keeps a codec's frames in, and the one that packets are made of.

use rtp::codec::Codec;

use crate::{ReadError, stream};

/// How frames are to be changed.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    /// Not at all.
    Plain,
    /// NAL units have their lengths before them, of so many bytes; the parameter sets stand elsewhere.
    Lengths { size: usize, sets: Vec<u8> },
    /// The sequence header stands elsewhere, and may be left out of key frames.
    Obus { header: Vec<u8> },
}

impl Form {
    /// As `avcC` and `hvcC` say it; key frames' parameter sets with start codes.
    pub(crate) fn of_nal_units(codec: Codec, configuration: &[u8]) -> Result<Self, ReadError> {
        let (sets, size) = stream::with_start_codes(codec, configuration)?;
        Ok(Self::Lengths { size, sets })
    }

    /// As `av1C` says it: four bytes, and OBUs.
    pub(crate) fn of_obus(configuration: &[u8]) -> Self {
        Self::Obus { header: configuration.get(4..).unwrap_or_default().to_vec() }
    }

    /// What a decoder needs before the first frame.
    pub(crate) fn parameters(&self) -> &[u8] {
        match self {
            Self::Plain => &[],
            Self::Lengths { sets, .. } => sets,
            Self::Obus { header } => header,
        }
    }

    /// A frame as packets are made of it, and whether it is a key frame. `is_key` is what the container says.
    pub(crate) fn open(
        &self,
        codec: Codec,
        frame: Vec<u8>,
        is_key: bool,
    ) -> Result<(Vec<u8>, bool), ReadError> {
        match self {
            Self::Plain if codec.is_audio() => Ok((frame, true)),
            Self::Plain => {
                let is_key = stream::is_key(codec, &frame);
                Ok((frame, is_key))
            }
            Self::Lengths { size, sets } => stream::frame_with_start_codes(codec, &frame, *size, sets),
            Self::Obus { header } => {
                let has_header = stream::is_key(codec, &frame);
                if is_key && !has_header {
                    return Ok(([&header[..], &frame].concat(), true));
                }
                Ok((frame, has_header))
            }
        }
    }
}
