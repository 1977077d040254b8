//! What nothing has encoded yet: pictures (YUV4MPEG2, `.y4m`), which become VP8, and sound (WAV), which becomes Opus.
//!
//! With the cargo feature `media` this program encodes them, as they are wanted ([`inside`]); without it a program that this
//! computer has encodes pictures, and nobody sound ([`programs`]).

#[cfg(feature = "media")]
mod inside;
#[cfg(not(feature = "media"))]
mod programs;

#[cfg(feature = "media")]
pub(super) use inside::{open, open_stream};
#[cfg(not(feature = "media"))]
pub(super) use programs::{open, open_stream};

/// Bytes that tell whether it is such a file.
const HEAD: u64 = 12;
/// Bits for a pixel: a good picture of a talking head takes less, a film in a hurry more.
const BITS_PER_PIXEL: f64 = 0.07;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Raw {
    Pictures,
    Sound,
}

impl Raw {
    /// By its first bytes.
    fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(media::y4m::SIGNATURE) {
            Some(Self::Pictures)
        } else if head.starts_with(&media::wav::SIGNATURE) && head.get(8..12) == Some(b"WAVE") {
            Some(Self::Sound)
        } else {
            None
        }
    }
}

/// Bits in a second that pictures are worth, of so many pixels, so many in a second.
fn bitrate(pixels: f64, rate: f64) -> u64 {
    ((pixels * rate * BITS_PER_PIXEL) as u64).clamp(100_000, 8_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn larger_pictures_get_more() {
        assert_eq!(bitrate(1280.0 * 720.0, 30.0), 1_935_360);
        assert_eq!(bitrate(64.0 * 48.0, 10.0), 100_000);
        assert_eq!(bitrate(1e9, 1e9), 8_000_000);
    }

    #[test]
    fn they_are_told_by_their_contents() {
        assert_eq!(Raw::of(b"YUV4MPEG2 W64 H48"), Some(Raw::Pictures));
        assert_eq!(Raw::of(b"RIFF\0\0\0\0WAVE"), Some(Raw::Sound));
        assert_eq!(Raw::of(b"RIFF\0\0\0\0AVI "), None);
        assert_eq!(Raw::of(b""), None);
    }
}
