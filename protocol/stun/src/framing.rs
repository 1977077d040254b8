//! Messages on a byte stream: TCP, TLS (RFC 8489 §6.2.2; ChannelData as RFC 8656 §12.5 pads it there).
//!
//! A stream delivers bytes as it likes: one at a time, or many messages at once.

use std::error::Error;
use std::fmt;

use crate::header::{HEADER_LEN, MAGIC_COOKIE};

/// The longest frame a peer may send, in bytes: a STUN message of 64 KiB with its header.
pub const MAX_FRAME_LEN: usize = HEADER_LEN + 65_535;

/// The bytes are no STUN message and no ChannelData: the stream cannot be read any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotStun;

impl fmt::Display for NotStun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stream carries neither STUN messages nor ChannelData: close it")
    }
}

impl Error for NotStun {}

/// One frame at the front of a stream's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Length of the message, in bytes.
    pub length: usize,
    /// Length with padding, in bytes: where the next frame starts.
    pub padded: usize,
}

/// Length of the frame that `bytes` start with, `None` when too few bytes are there to tell.
///
/// The frame itself may not have arrived whole yet: compare with `bytes.len()`.
pub fn frame(bytes: &[u8]) -> Result<Option<Frame>, NotStun> {
    let Some(first) = bytes.first() else { return Ok(None) };
    let length_field = || Some(usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?])));
    match first {
        0..=0x3F => {
            // Say so early when it is another protocol, rather than wait for bytes that never come.
            let cookie = bytes.get(4..).unwrap_or_default();
            let expected = MAGIC_COOKIE.to_be_bytes();
            if cookie.iter().zip(&expected).any(|(byte, expected)| byte != expected) {
                return Err(NotStun);
            }
            let Some(length) = length_field() else { return Ok(None) };
            if length % 4 != 0 {
                return Err(NotStun);
            }
            Ok(Some(Frame { length: HEADER_LEN + length, padded: HEADER_LEN + length }))
        }
        // Channel numbers end at 0x4FFF (RFC 8656 §12).
        0x40..=0x4F => {
            Ok(length_field()
                .map(|length| Frame { length: 4 + length, padded: 4 + length.next_multiple_of(4) }))
        }
        _ => Err(NotStun),
    }
}

/// Cuts a stream into frames, holding at most one that is incomplete.
#[derive(Default)]
pub struct Deframer {
    partial: Vec<u8>,
}

impl Deframer {
    /// Calls `each` for every whole frame (without padding), in order.
    ///
    /// Frames that lie whole in `bytes` are not copied. After an error the stream should be closed.
    pub fn push(&mut self, mut bytes: &[u8], mut each: impl FnMut(&[u8])) -> Result<(), NotStun> {
        while !self.partial.is_empty() && !bytes.is_empty() {
            let wanted = match frame(&self.partial)? {
                Some(frame) => frame.padded,
                // As many bytes as tell a frame's length.
                None => 4,
            };
            let taken = wanted.saturating_sub(self.partial.len()).min(bytes.len());
            self.partial.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
            if let Some(frame) = frame(&self.partial)?
                && self.partial.len() >= frame.padded
            {
                each(&self.partial[..frame.length]);
                self.partial.clear();
            }
        }
        while let Some(frame) = frame(bytes)?
            && bytes.len() >= frame.padded
        {
            each(&bytes[..frame.length]);
            bytes = &bytes[frame.padded..];
        }
        self.partial.extend_from_slice(bytes);
        Ok(())
    }

    /// How many bytes wait for the rest of their frame.
    pub fn pending(&self) -> usize {
        self.partial.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Class, Method, TransactionId, Writer};

    fn stream() -> (Vec<u8>, Vec<Vec<u8>>) {
        let mut stun = Vec::new();
        Writer::new(&mut stun, Class::Request, Method::BINDING, TransactionId([1; 12]))
            .add_raw(0x8022, b"abc");
        let channel = [&[0x40, 1, 0, 5][..], b"hello"].concat();
        let bytes = [&stun[..], &channel, &[0, 0, 0], &stun, &[0x4F, 0xFF, 0, 0]].concat();
        (bytes, vec![stun.clone(), channel, stun, vec![0x4F, 0xFF, 0, 0]])
    }

    #[test]
    fn frames_come_out_whole_however_the_bytes_arrive() {
        let (bytes, expected) = stream();
        for size in 1..=bytes.len() {
            let mut deframer = Deframer::default();
            let mut frames = Vec::new();
            for piece in bytes.chunks(size) {
                deframer.push(piece, |frame| frames.push(frame.to_vec())).unwrap();
            }
            assert_eq!(frames, expected, "in pieces of {size}");
            assert_eq!(deframer.pending(), 0);
        }
    }

    #[test]
    fn another_protocol_is_told_by_its_first_bytes() {
        let mut deframer = Deframer::default();
        assert_eq!(deframer.push(b"POST / HTTP/1.1\r\n", |_| panic!("no frame")), Err(NotStun));
        assert_eq!(frame(&[0x80]), Err(NotStun));
        assert_eq!(frame(&[0, 1, 0, 0, 0x21]), Ok(Some(Frame { length: 20, padded: 20 })));
        assert_eq!(frame(&[0, 1, 0, 0, 0x22]), Err(NotStun));
        assert_eq!(frame(&[0, 1, 0, 3]), Err(NotStun));
    }
}
