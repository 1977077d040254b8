//! What one end sent, and what of it the other got.

use std::collections::BTreeMap;

use sctp::{Options, ReceivedMessage, Reliability};

struct Sent {
    stream: u16,
    number: u32,
    bytes: Vec<u8>,
    options: Options,
    arrived: bool,
}

/// The messages of one direction.
pub(super) struct Record {
    sent: Vec<Sent>,
    /// The number of the last ordered message that arrived, by stream.
    last: BTreeMap<u16, u32>,
    /// Messages that arrive in pieces: the bytes so far.
    pieces: BTreeMap<u64, Vec<u8>>,
    /// Nothing was reset or ended, so that all must arrive.
    pub(super) is_whole: bool,
}

impl Default for Record {
    fn default() -> Self {
        Self { sent: Vec::new(), last: BTreeMap::new(), pieces: BTreeMap::new(), is_whole: true }
    }
}

impl Record {
    /// A message that tells its number and can be told from every other.
    pub(super) fn message(number: u32, length: usize) -> Vec<u8> {
        let mut bytes = number.to_be_bytes().to_vec();
        bytes.extend((0..length).map(|byte| (byte as u32).wrapping_mul(number | 1).to_le_bytes()[1]));
        bytes
    }

    pub(super) fn sent(&mut self, stream: u16, number: u32, bytes: Vec<u8>, options: Options) {
        self.sent.push(Sent { stream, number, bytes, options, arrived: false });
    }

    /// Something arrived at the other end.
    pub(super) fn arrived(&mut self, message: &ReceivedMessage, honest: bool) {
        if message.first {
            let old = self.pieces.insert(message.id, Vec::new());
            assert!(old.is_none(), "a message begins once");
        }
        let whole = self.pieces.get_mut(&message.id).expect("a piece without a beginning");
        whole.extend_from_slice(&message.data);
        if !message.last {
            return;
        }
        let whole = self.pieces.remove(&message.id).expect("it is there");
        if honest {
            self.check(message, &whole);
        }
    }

    fn check(&mut self, message: &ReceivedMessage, whole: &[u8]) {
        let number =
            whole.first_chunk().map(|number| u32::from_be_bytes(*number)).expect("it tells its number");
        let sent = self.sent.iter_mut().find(|sent| sent.number == number).expect("it was sent");
        assert_eq!(sent.bytes, whole, "message {number} is another");
        assert_eq!((sent.stream, sent.options.unordered), (message.stream, message.unordered));
        assert!(!std::mem::replace(&mut sent.arrived, true), "message {number} comes twice");
        if !message.unordered {
            let before = self.last.insert(message.stream, number);
            assert!(before.is_none_or(|before| before < number), "{number} overtook {before:?}");
        }
    }

    /// The rest of a message will not come.
    pub(super) fn aborted(&mut self, id: u64) {
        assert!(self.pieces.remove(&id).is_some(), "only what has begun is given up");
    }

    /// Everything reliable arrived that was sent on streams below this, which the other end takes.
    pub(super) fn check_whole(&self, streams: u16) {
        let is_reliable =
            |sent: &&Sent| sent.stream < streams && sent.options.reliability == Reliability::Reliable;
        if self.is_whole {
            let missing = self.sent.iter().filter(is_reliable).find(|sent| !sent.arrived);
            assert!(missing.is_none(), "message {} never arrived", missing.map_or(0, |sent| sent.number));
        }
    }
}
