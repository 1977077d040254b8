//! Encoded frames of each codec, encrypted so that they can still be cut into packets and forwarded. What packetizers,
//! jitter buffers and forwarding servers read stays in the clear:
//!
//! - VP8: whether it is a key frame, and of which size (RFC 6386 §9.1: 10 bytes of a key frame, 3 of another).
//! - Opus: the first byte, which says how long the sound is (RFC 6716 §3.1).
//! - H.264, in the byte stream's form: parameter sets, and of the first slice the header up to the parameter set it names. The
//!   rest of the frame is made to look like the rest of that slice, since packets are cut at start codes (RFC 6184).
//! - VP9, G.711, G.722: nothing. Packets of VP9 say all that is needed outside of the frame (RFC 9628 §4.2).
//!
//! What is in the clear is authenticated, but for H.264, where parameter sets and start codes may be written anew on the
//! way. AV1 and H.265 are not there. `web/js/sframe/frames.js` does the same, and both have the same vectors in their tests.

use crate::fault::Fault;
use crate::receiver::Receiver;
use crate::sender::{EncryptError, Sender};

/// Bytes of a slice that stay: its type, and first macroblock, slice type and picture parameter set (H.264 §7.3.3).
const SLICE_CLEAR: usize = 5;
/// Behind what is encrypted, as a NAL unit may not end with zeros (H.264 §7.4.1).
const STOP: u8 = 0x80;
/// The longest front that is authenticated.
const MAX_FRONT: usize = 10;

/// What kind of frames they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameFormat {
    /// RFC 6716.
    Opus,
    /// RFC 6386.
    Vp8,
    /// Byte stream, with start codes (H.264 Annex B).
    H264,
    /// With or without layers.
    Vp9,
    /// G.711 and G.722.
    Samples,
}

impl FrameFormat {
    /// By the codec's name, as SDP has it (RFC 8866 §6.6), or its whole media type; `None` for what cannot be encrypted so.
    pub fn of(name: &str) -> Option<Self> {
        let name = name.rsplit('/').next().unwrap_or_default();
        let formats = [
            ("opus", Self::Opus),
            ("VP8", Self::Vp8),
            ("H264", Self::H264),
            ("VP9", Self::Vp9),
            ("PCMU", Self::Samples),
            ("PCMA", Self::Samples),
            ("G722", Self::Samples),
        ];
        formats.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|(_, format)| format)
    }

    /// How many bytes stay in the clear; `None` if it is no frame of this kind.
    fn clear(self, frame: &[u8]) -> Option<usize> {
        let at_most = |length: usize| (frame.len() >= length).then_some(length);
        match self {
            Self::Opus => at_most(1),
            Self::Vp8 => at_most(if frame.first()? & 1 == 0 { MAX_FRONT } else { 3 }),
            Self::H264 => {
                let is_slice = |at: &[u8]| at.starts_with(&[0, 0, 1]) && matches!(at[3] & 31, 1 | 5);
                let start = frame.windows(4).position(is_slice)?;
                at_most(start + 3 + SLICE_CLEAR)
            }
            Self::Vp9 | Self::Samples => Some(0),
        }
    }

    /// Encrypts a frame in place: it grows by up to [`MAX_HEADER_LEN`](crate::MAX_HEADER_LEN) bytes and a tag, and H.264
    /// by up to half of it besides.
    ///
    /// # Errors
    /// If it is no frame of this kind, or the key is used up; then it is to be dropped, and must not be sent.
    pub fn seal(self, sender: &mut Sender, frame: &mut Vec<u8>) -> Result<(), EncryptError> {
        let clear = self.clear(frame).ok_or(EncryptError::NoFrame)?;
        if self == Self::H264 {
            let mut body = frame.split_off(clear);
            sender.encrypt(&mut body, 0, &[])?;
            escape(frame, &body);
            return Ok(());
        }
        let mut front = [0; MAX_FRONT];
        front[..clear].copy_from_slice(&frame[..clear]);
        sender.encrypt(frame, clear, &front[..clear])
    }

    /// Decrypts a frame in place.
    ///
    /// # Errors
    /// If it was not encrypted so, with a key that the receiver has; then its bytes are of no use.
    pub fn open(self, receiver: &mut Receiver, frame: &mut Vec<u8>) -> Result<(), Fault> {
        let clear = self.clear(frame).ok_or(Fault::Truncated)?;
        if self == Self::H264 {
            let mut body = unescaped(frame, clear).ok_or(Fault::Truncated)?;
            let opened = receiver.decrypt(&mut body, &[])?;
            frame.truncate(clear);
            frame.extend_from_slice(&body[opened.plaintext]);
            return Ok(());
        }
        let (front, body) = frame.split_at_mut(clear);
        let plaintext = receiver.decrypt(body, front)?.plaintext;
        let length = plaintext.len();
        body.copy_within(plaintext, 0);
        frame.truncate(clear + length);
        Ok(())
    }
}

/// Appends bytes, with a 3 wherever two zeros are followed by what would make a start code of them (H.264 §7.4.1.1).
fn escape(frame: &mut Vec<u8>, body: &[u8]) {
    frame.reserve(body.len() + body.len() / 64 + 1);
    let mut zeros = trailing_zeros(frame);
    for byte in body {
        if zeros >= 2 && *byte <= 3 {
            frame.push(3);
            zeros = 0;
        }
        frame.push(*byte);
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
    }
    frame.push(STOP);
}

/// What was appended behind `clear` bytes; zeros at the end, which may have been put there since, do not count.
fn unescaped(frame: &[u8], clear: usize) -> Option<Vec<u8>> {
    let (front, body) = frame.split_at_checked(clear)?;
    let end = body.iter().rposition(|byte| *byte != 0)?;
    if body[end] != STOP {
        return None;
    }
    let mut plain = Vec::with_capacity(end);
    let mut zeros = trailing_zeros(front);
    for byte in &body[..end] {
        if zeros >= 2 && *byte == 3 {
            zeros = 0;
            continue;
        }
        plain.push(*byte);
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
    }
    Some(plain)
}

fn trailing_zeros(bytes: &[u8]) -> usize {
    bytes.iter().rev().take_while(|byte| **byte == 0).count()
}

#[cfg(test)]
mod tests;
