//! Why something is not encoded, or not decoded.

use std::fmt;

/// Why a codec gives nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodecError {
    /// A picture has no pixels, more than are allowed, or others than the encoder was made for.
    Size {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
    },
    /// Sound is of no length that a packet can have, or has no place where it is to be written.
    Length(usize),
    /// A setting that the codec does not have.
    Setting(&'static str),
    /// What came is none of the codec's frames, or needs one that is missing: pictures go on with the next key frame.
    Malformed,
    /// No memory.
    Memory,
    /// The library says something else, by a number of its own.
    Library(i32),
}

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size { width, height } => {
                write!(f, "pictures of {width}x{height} are not taken: scale them to what was agreed on")
            }
            Self::Length(samples) => {
                write!(f, "{samples} samples at once are not taken: give 2.5, 5, 10, 20, 40 or 60 ms")
            }
            Self::Setting(what) => write!(f, "there is no encoder with such {what}: choose another"),
            Self::Malformed => {
                f.write_str("the frame is damaged, or needs one that is missing: ask for a key frame")
            }
            Self::Memory => f.write_str("there is no memory for the codec: choose smaller pictures"),
            Self::Library(number) => write!(f, "the codec's library fails with {number}: begin anew"),
        }
    }
}

impl std::error::Error for CodecError {}
