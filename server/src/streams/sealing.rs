//! Frames encrypted from end to end by the code of a room (`docs/security.md`), as browsers do it in sealed calls.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use sframe::{CipherSuite, FrameFormat, Receiver, Sender};
use twocan::FrameCodec;

use crate::files::Code;

const SUITE: CipherSuite = CipherSuite::Aes256GcmSha512_128;

/// What to do about a code that cannot be used.
const NO_KEY: &str = "no key can be made of the code: this computer gives no random numbers; try again";

/// Encrypts what is published. One for all tracks, and for all sessions: no number comes twice.
pub(super) struct Sealer(Sender);

impl Sealer {
    pub(super) fn new(code: &Code) -> Result<Self, String> {
        let [mut number @ .., _] = crate::serve::random::<9>().map_err(|_| NO_KEY)?;
        // 56 random bits, so that no other sender has the same number.
        number[0] = 0;
        let sender = Sender::new(SUITE, u64::from_be_bytes(number), &code.keys().media);
        sender.map(Self).map_err(|_| NO_KEY.to_owned())
    }

    /// Whether frames of this codec can be encrypted so that a server can forward them.
    pub(super) fn takes(codec: FrameCodec) -> bool {
        FrameFormat::of(codec.name()).is_some()
    }

    /// `None` for what is no frame of its codec, and must not be sent.
    pub(super) fn seal(&mut self, codec: FrameCodec, frame: Bytes) -> Option<Bytes> {
        let mut frame = Vec::from(frame);
        FrameFormat::of(codec.name())?.seal(&mut self.0, &mut frame).ok()?;
        Some(frame.into())
    }
}

/// Decrypts what is recorded, for the tasks that receive it.
#[derive(Clone)]
pub(super) struct Opener(Arc<Mutex<Opening>>);

struct Opening {
    receiver: Receiver,
    opened: u64,
    refused: u64,
}

impl Opener {
    pub(super) fn new(code: &Code) -> Self {
        let mut receiver = Receiver::new(SUITE);
        receiver.set_shared_key(Some(&code.keys().media));
        Self(Arc::new(Mutex::new(Opening { receiver, opened: 0, refused: 0 })))
    }

    /// `None` for what was not sealed with this code.
    pub(super) fn open(&self, codec: FrameCodec, frame: Bytes) -> Option<Bytes> {
        let mut frame = Vec::from(frame);
        let mut opening = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let format = FrameFormat::of(codec.name());
        let is_open = format.is_some_and(|format| format.open(&mut opening.receiver, &mut frame).is_ok());
        opening.opened += u64::from(is_open);
        opening.refused += u64::from(!is_open);
        is_open.then(|| frame.into())
    }

    /// How many frames were opened, and how many were not.
    pub(super) fn counts(&self) -> (u64, u64) {
        let opening = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (opening.opened, opening.refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_code_opens() {
        let code: Code = "k3m9x-7qv2t-h4n80-2wx1z".parse().unwrap();
        let other: Code = "k3m9x-7qv2t-h4n80-2wx10".parse().unwrap();
        let frame = Bytes::from_static(&[0x78, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        let mut sealer = Sealer::new(&code).unwrap();
        let sealed = sealer.seal(FrameCodec::Opus, frame.clone()).unwrap();
        assert!(!sealed.windows(9).any(|part| part == &frame[1..]));
        assert_eq!(Opener::new(&other).open(FrameCodec::Opus, sealed.clone()), None);
        let opener = Opener::new(&code);
        assert_eq!(opener.open(FrameCodec::Opus, sealed), Some(frame.clone()));
        assert_eq!(opener.open(FrameCodec::Opus, frame), None);
        assert_eq!(opener.counts(), (1, 1));
        assert!(Sealer::takes(FrameCodec::Vp8) && !Sealer::takes(FrameCodec::Av1));
    }
}
