//! `a=rtpmap` (RFC 8866 §6.6) and the payload types that it names (RFC 3551 §3, RFC 5761 §4).

use std::fmt;
use std::num::{NonZeroU8, NonZeroU32};
use std::str::FromStr;

use crate::error::Malformed;
use crate::text::{Token, number};

/// The seven bits of an RTP header that tell the codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PayloadType(u8);

impl PayloadType {
    /// From 0 to 127.
    pub const fn new(number: u8) -> Option<Self> {
        if number < 128 { Some(Self(number)) } else { None }
    }

    /// As a number.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Whether it would look like RTCP on a port that both share (RFC 5761 §4): 64 to 95 must not be used there.
    pub const fn collides_with_rtcp(self) -> bool {
        self.0 >= 64 && self.0 <= 95
    }
}

impl FromStr for PayloadType {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        number(text).and_then(Self::new).ok_or(Malformed("a payload type from 0 to 127"))
    }
}

impl fmt::Display for PayloadType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a payload type stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rtpmap {
    /// The payload type.
    pub payload_type: PayloadType,
    /// The codec's name; case does not matter (RFC 8866 §6.6).
    pub encoding: Token,
    /// Ticks of the RTP clock per second.
    pub clock_rate: NonZeroU32,
    /// Audio channels, where they are said; one if not.
    pub channels: Option<NonZeroU8>,
}

impl FromStr for Rtpmap {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let parse = || {
            let (payload_type, codec) = text.split_once(' ')?;
            let mut parts = codec.trim_ascii_start().splitn(3, '/');
            Some(Self {
                payload_type: payload_type.parse().ok()?,
                encoding: parts.next()?.parse().ok()?,
                clock_rate: number(parts.next()?)?,
                channels: match parts.next() {
                    Some(channels) => Some(number(channels)?),
                    None => None,
                },
            })
        };
        parse().ok_or(Malformed("a payload type, and name/clock rate or name/clock rate/channels"))
    }
}

impl fmt::Display for Rtpmap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.payload_type, self.encoding, self.clock_rate)?;
        self.channels.iter().try_for_each(|channels| write!(f, "/{channels}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codecs_are_read_and_written() {
        for text in ["111 opus/48000/2", "0 PCMU/8000", "9 G722/8000/1", "107 vnd.onvif.metadata/90000"] {
            assert_eq!(text.parse::<Rtpmap>().unwrap().to_string(), text);
        }
        let opus: Rtpmap = "111 opus/48000/2".parse().unwrap();
        assert_eq!((opus.payload_type.get(), opus.clock_rate.get()), (111, 48_000));
        assert_eq!(opus.channels, NonZeroU8::new(2));
    }

    #[test]
    fn absurd_numbers_are_refused() {
        let texts = [
            "128 a/1",
            "0 a/0",
            "0 a",
            "0 a/4294967296",
            "0 a/8000/0",
            "0 a/8000/256",
            "0",
            "",
            "x a/1",
            "0 a/1/2/3",
        ];
        for text in texts {
            assert!(text.parse::<Rtpmap>().is_err(), "{text}");
        }
    }

    #[test]
    fn payload_types_that_look_like_rtcp_are_told() {
        let collides = |number| PayloadType::new(number).unwrap().collides_with_rtcp();
        assert!(!collides(63) && collides(64) && collides(95) && !collides(96));
        assert_eq!(PayloadType::new(128), None);
    }
}
