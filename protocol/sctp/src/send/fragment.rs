//! Fragments of messages as DATA or I-DATA chunks (RFC 9260 §6.9, RFC 8260 §2.2.2).

use crate::packet::{Data, IData};
use crate::send::message::Message;
use crate::serial::low;

/// A part of a message that gets a TSN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fragment {
    /// Which message of the outbox.
    pub(crate) message: u32,
    /// Its first byte within the message.
    pub(crate) offset: u32,
    pub(crate) length: u16,
    /// Its number within the message.
    pub(crate) fsn: u32,
}

impl Fragment {
    /// Appends the chunk.
    #[inline]
    pub(crate) fn write(
        &self,
        out: &mut Vec<u8>,
        message: &Message,
        tsn: u64,
        (interleaving, immediate): (bool, bool),
    ) {
        let start = self.offset as usize;
        let end = start + usize::from(self.length);
        let bytes = message.payload.as_slice();
        let payload = bytes.get(start..end).unwrap_or_default();
        let (begin, end) = (start == 0, end == bytes.len());
        let Message { stream, unordered, ppid, number, .. } = *message;
        if interleaving {
            let ppid_or_fsn = if begin { ppid } else { self.fsn };
            IData {
                tsn: low(tsn),
                stream,
                mid: number,
                ppid_or_fsn,
                immediate,
                unordered,
                begin,
                end,
                payload,
            }
            .write(out);
        } else {
            let ssn = number as u16;
            Data { tsn: low(tsn), stream, ssn, ppid, immediate, unordered, begin, end, payload }.write(out);
        }
    }
}
