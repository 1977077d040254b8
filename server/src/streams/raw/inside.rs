//! Encoded in this program, by libvpx and libopus: pictures at the rate that the path carries, with key frames for whoever asks.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek as _};
use std::path::Path;
use std::sync::Arc;

use media::codec::{EncodedPictures, EncodedSound};
use media::{FrameSource, ReadError, WavReader, Wishes, Y4mReader};

use super::{HEAD, Raw, bitrate};
use crate::streams::source::Opened;

/// Opens a file; none if it is encoded already.
pub(in crate::streams) fn open(path: &Path, wishes: &Arc<Wishes>) -> Result<Option<Opened>, ReadError> {
    let mut file = File::open(path)?;
    let head = head(&mut file)?;
    file.rewind()?;
    let Some(raw) = Raw::of(&head) else { return Ok(None) };
    encode(raw, BufReader::new(file), wishes).map(Some)
}

/// Opens what comes one byte after another, encoded or not.
pub(in crate::streams) fn open_stream(
    mut inner: impl Read + Send + 'static,
    wishes: &Arc<Wishes>,
) -> Result<Opened, ReadError> {
    let head = head(&mut inner)?;
    let raw = Raw::of(&head);
    let whole = Cursor::new(head).chain(inner);
    match raw {
        Some(raw) => encode(raw, BufReader::new(whole), wishes),
        None => media::open_stream(whole).map(Opened::as_it_is),
    }
}

fn head(inner: &mut impl Read) -> Result<Vec<u8>, ReadError> {
    let mut head = Vec::new();
    inner.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}

fn encode(raw: Raw, inner: impl Read + Send + 'static, wishes: &Arc<Wishes>) -> Result<Opened, ReadError> {
    match raw {
        Raw::Pictures => {
            let reader = Y4mReader::new(inner)?;
            let header = reader.header();
            let pixels = f64::from(header.width) * f64::from(header.height);
            let most = bitrate(pixels, 1.0 / header.interval().as_secs_f64());
            let frames: Box<dyn FrameSource> =
                Box::new(EncodedPictures::new(reader, most, Arc::clone(wishes))?);
            Ok(Opened { frames, is_made: true, most: Some(most) })
        }
        Raw::Sound => Ok(Opened::as_it_is(Box::new(EncodedSound::new(WavReader::new(inner)?)?))),
    }
}
