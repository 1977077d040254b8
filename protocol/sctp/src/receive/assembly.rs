//! A message that is being put together, in its own buffer (RFC 9260 §6.9).

use super::inbox::Shared;
use crate::event::{Event, ReceivedMessage};

/// A message, so far.
#[derive(Debug)]
pub(super) struct Assembly {
    /// Its number, unwrapped: SSN or MID; without either, its first TSN.
    pub(super) message: u64,
    /// The fragment that continues it.
    pub(super) next_fragment: u64,
    ppid: u32,
    buffer: Vec<u8>,
    /// Bytes in all.
    total: u64,
    /// What the application knows it by, and whether it was given a piece.
    id: u64,
    has_pieces: bool,
}

/// The part of a chunk that goes into a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    pub(super) stream: u16,
    pub(super) unordered: bool,
    pub(super) begin: bool,
    pub(super) end: bool,
    pub(super) ppid: u32,
    pub(super) payload: &'a [u8],
}

/// The message is longer than we take.
#[derive(Debug)]
pub(super) struct TooLong;

impl Assembly {
    /// Starts a message with its first fragment, which is not its last.
    pub(super) fn start((message, fragment): (u64, u64), part: &Part<'_>, shared: &mut Shared<'_>) -> Self {
        *shared.next_id += 1;
        let mut buffer = shared.buffers.take(4096.max(part.payload.len() * 2));
        buffer.extend_from_slice(part.payload);
        *shared.used += part.payload.len();
        Self {
            message,
            next_fragment: fragment + 1,
            ppid: part.ppid,
            buffer,
            total: part.payload.len() as u64,
            id: *shared.next_id,
            has_pieces: false,
        }
    }

    /// Appends the fragment that continues it. Whether that was the last: then it was handed out.
    #[inline]
    pub(super) fn append(&mut self, part: &Part<'_>, shared: &mut Shared<'_>) -> Result<bool, TooLong> {
        self.next_fragment += 1;
        self.total += part.payload.len() as u64;
        if self.total > shared.max_message_size {
            return Err(TooLong);
        }
        self.buffer.extend_from_slice(part.payload);
        *shared.used += part.payload.len();
        if part.end || self.buffer.len() >= shared.piece_size {
            let data = std::mem::take(&mut self.buffer);
            *shared.used -= data.len();
            shared.deliver(ReceivedMessage {
                stream: part.stream,
                ppid: self.ppid,
                unordered: part.unordered,
                id: self.id,
                first: !self.has_pieces,
                last: part.end,
                data,
            });
            if !part.end {
                self.has_pieces = true;
                self.buffer = shared.buffers.take(shared.piece_size);
            }
        }
        Ok(part.end)
    }

    /// It will never be whole.
    pub(super) fn drop_it(self, stream: u16, shared: &mut Shared<'_>) {
        *shared.used -= self.buffer.len();
        shared.buffers.give_back(self.buffer);
        if self.has_pieces {
            shared.events.push_back(Event::MessageAborted { stream, id: self.id });
        }
    }
}

/// Hands out a message that came in one fragment.
#[inline]
pub(super) fn deliver_whole(part: &Part<'_>, shared: &mut Shared<'_>) -> Result<(), TooLong> {
    if part.payload.len() as u64 > shared.max_message_size {
        return Err(TooLong);
    }
    *shared.next_id += 1;
    let mut data = shared.buffers.take(part.payload.len());
    data.extend_from_slice(part.payload);
    shared.deliver(ReceivedMessage {
        stream: part.stream,
        ppid: part.ppid,
        unordered: part.unordered,
        id: *shared.next_id,
        first: true,
        last: true,
        data,
    });
    Ok(())
}
