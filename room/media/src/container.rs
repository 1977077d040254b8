//! Which container a file is, and one way to read and write all of them.

use std::io::{Read, Seek, SeekFrom, Write};

use rtp::codec::Codec;

use crate::{
    AnnexBReader, Frame, IvfReader, IvfWriter, Mp4Reader, Mp4Writer, OggReader, OggWriter, ReadError, Track,
    WebMReader, WebMWriter, WriteError, annexb, ivf, ogg, webm,
};

/// Bytes that tell what a file is.
const HEAD: usize = 12;

/// Frames out of a file.
pub trait FrameSource: Send {
    /// What is in it, at most one of pictures and one of sound.
    fn tracks(&self) -> &[Track];

    /// What else is in it and cannot be sent, in words.
    fn left_out(&self) -> &[String] {
        &[]
    }

    /// The next frame of any track, in the order of the file; none at its end. A file that is cut off ends where the last
    /// whole frame does.
    ///
    /// # Errors
    /// If the file is damaged, or not to be read.
    fn next_frame(&mut self) -> Result<Option<Frame>, ReadError>;
}

/// Frames into a file.
pub trait FrameSink: Send {
    /// Writes a frame. Those of a track come in the order of their times.
    ///
    /// # Errors
    /// If it cannot be written.
    fn write_frame(&mut self, frame: &Frame) -> Result<(), WriteError>;

    /// Gives what can be played to the system, so that it survives this program's end.
    ///
    /// # Errors
    /// If it cannot be written.
    fn flush(&mut self) -> Result<(), WriteError>;

    /// Writes what players seek by. Without it the file can be played all the same.
    ///
    /// # Errors
    /// If it cannot be written.
    fn finish(&mut self) -> Result<(), WriteError>;
}

impl<S: FrameSource + ?Sized> FrameSource for Box<S> {
    fn tracks(&self) -> &[Track] {
        (**self).tracks()
    }

    fn left_out(&self) -> &[String] {
        (**self).left_out()
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, ReadError> {
        (**self).next_frame()
    }
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// Pictures alone: VP8, VP9, AV1, H.264.
    Ivf,
    /// Sound alone: Opus.
    Ogg,
    /// VP8, VP9, AV1, and Opus.
    WebM,
    /// The same, and H.264 and H.265.
    Matroska,
    /// H.264, H.265, and Opus; AV1 and VP9 where it is read.
    Mp4,
    /// H.264 alone, as encoders write it; read only.
    AnnexB,
}

impl Container {
    /// By the ending of a file's name, without its dot.
    pub fn from_extension(extension: &str) -> Option<Self> {
        Some(match extension.to_ascii_lowercase().as_str() {
            "ivf" => Self::Ivf,
            "ogg" | "opus" | "oga" => Self::Ogg,
            "webm" => Self::WebM,
            "mkv" | "mka" => Self::Matroska,
            "mp4" | "m4v" | "m4a" | "mov" => Self::Mp4,
            "h264" | "264" | "avc" => Self::AnnexB,
            _ => return None,
        })
    }

    /// By its first bytes.
    fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(&ivf::SIGNATURE) {
            Some(Self::Ivf)
        } else if head.starts_with(&ogg::SIGNATURE) {
            Some(Self::Ogg)
        } else if head.starts_with(&webm::SIGNATURE) {
            Some(Self::WebM)
        } else if head.get(4..8).is_some_and(|kind| {
            matches!(kind, b"ftyp" | b"styp" | b"moov" | b"mdat" | b"free" | b"skip" | b"wide")
        }) {
            Some(Self::Mp4)
        } else {
            annexb::is_one(head).then_some(Self::AnnexB)
        }
    }

    /// Whether a codec has a place in it.
    pub fn takes(self, codec: Codec) -> bool {
        match self {
            Self::Ivf => matches!(codec, Codec::Vp8 | Codec::Vp9 | Codec::Av1 | Codec::H264),
            Self::Ogg => codec == Codec::Opus,
            Self::WebM => matches!(codec, Codec::Vp8 | Codec::Vp9 | Codec::Av1 | Codec::Opus),
            Self::Matroska => !codec.is_audio() || codec == Codec::Opus,
            Self::Mp4 => matches!(codec, Codec::H264 | Codec::H265 | Codec::Opus),
            Self::AnnexB => false,
        }
    }
}

fn unknown() -> ReadError {
    ReadError::Unsupported(
        "this is none of the files that can be sent: give IVF, WebM, Matroska, MP4, Ogg Opus or H.264"
            .to_owned(),
    )
}

/// Opens a file, whatever it is.
///
/// # Errors
/// If it is none of those that are known, or there is nothing in it to be sent.
pub fn open<'a, R: Read + Seek + Send + 'a>(mut inner: R) -> Result<Box<dyn FrameSource + 'a>, ReadError> {
    let head = head(&mut inner)?;
    inner.seek(SeekFrom::Start(0))?;
    match Container::of(&head) {
        Some(Container::Mp4) => Ok(Box::new(Mp4Reader::new(inner)?)),
        Some(container) => stream(container, inner),
        None => Err(unknown()),
    }
}

/// Opens what comes one byte after another: all but MP4, whose table of contents may be at its end.
///
/// # Errors
/// As for [`open`].
pub fn open_stream<'a, R: Read + Send + 'a>(mut inner: R) -> Result<Box<dyn FrameSource + 'a>, ReadError> {
    let head = head(&mut inner)?;
    match Container::of(&head) {
        Some(Container::Mp4) => Err(ReadError::Unsupported(
            "MP4 cannot be read from a pipe, as its table of contents may be at the end: name the file, or pipe Matroska"
                .to_owned(),
        )),
        Some(container) => stream(container, std::io::Cursor::new(head).chain(inner)),
        None => Err(unknown()),
    }
}

fn head(inner: &mut impl Read) -> Result<Vec<u8>, ReadError> {
    let mut head = Vec::with_capacity(HEAD);
    inner.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

fn stream<'a>(
    container: Container,
    inner: impl Read + Send + 'a,
) -> Result<Box<dyn FrameSource + 'a>, ReadError> {
    Ok(match container {
        Container::Ivf => Box::new(IvfReader::new(inner)?),
        Container::Ogg => Box::new(OggReader::new(inner)?),
        Container::WebM | Container::Matroska => Box::new(WebMReader::new(inner)?),
        Container::AnnexB | Container::Mp4 => Box::new(AnnexBReader::new(inner)?),
    })
}

/// Begins a file of these tracks, whose places are frames' [`Frame::track`]. Those of pictures are made of a key frame
/// ([`Track::of_frame`]).
///
/// # Errors
/// If it cannot be written, or has no place for a codec, or for so many tracks.
pub fn create<'a, W: Write + Seek + Send + 'a>(
    container: Container,
    out: W,
    tracks: &[Track],
) -> Result<Box<dyn FrameSink + 'a>, WriteError> {
    let only = || match tracks {
        [track] => Ok(track),
        _ => Err(WriteError::Unsupported(
            "this container has place for one track: write .webm, .mkv or .mp4 for sound and pictures"
                .to_owned(),
        )),
    };
    Ok(match container {
        Container::Ivf => Box::new(IvfWriter::new(out, only()?)?),
        Container::Ogg => Box::new(OggWriter::new(out, only()?)?),
        Container::WebM => Box::new(WebMWriter::new(out, tracks, true)?),
        Container::Matroska => Box::new(WebMWriter::new(out, tracks, false)?),
        Container::Mp4 => Box::new(Mp4Writer::new(out, tracks)?),
        Container::AnnexB => {
            return Err(WriteError::Unsupported(
                "a bare byte stream is not written: write .mp4 or .mkv".to_owned(),
            ));
        }
    })
}

/// No place for a codec.
pub(crate) fn no_place(name: &str, codec: Codec) -> WriteError {
    let instead = match codec {
        Codec::H264 | Codec::H265 => "write .mp4 or .mkv",
        Codec::Vp8 | Codec::Vp9 | Codec::Av1 | Codec::Opus => "write .webm",
        _ => "have Opus sent",
    };
    WriteError::Unsupported(format!("{name} has no place for {}: {instead}", codec.name()))
}
