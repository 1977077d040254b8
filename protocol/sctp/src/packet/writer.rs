//! Writing packets (RFC 9260 §3, §6.10).

use super::{COMMON_HEADER_LEN, checksum};

/// Appends one packet to a buffer, behind whatever is there already.
#[derive(Debug)]
pub struct PacketWriter<'a> {
    buffer: &'a mut Vec<u8>,
    start: usize,
    limit: usize,
}

impl<'a> PacketWriter<'a> {
    /// Begins a packet of at most `size` bytes with its common header.
    pub fn new(buffer: &'a mut Vec<u8>, size: usize, ports: (u16, u16), verification_tag: u32) -> Self {
        let start = buffer.len();
        buffer.reserve(size);
        let mut header = [0; COMMON_HEADER_LEN];
        header[..2].copy_from_slice(&ports.0.to_be_bytes());
        header[2..4].copy_from_slice(&ports.1.to_be_bytes());
        header[4..8].copy_from_slice(&verification_tag.to_be_bytes());
        buffer.extend_from_slice(&header);
        Self { buffer, start, limit: start + size }
    }

    /// Where chunks append themselves.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        self.buffer
    }

    /// Bytes of the packet so far.
    pub fn len(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// Whether the packet has no chunk yet.
    pub fn is_empty(&self) -> bool {
        self.len() == COMMON_HEADER_LEN
    }

    /// Bytes that are left for further chunks.
    pub fn room(&self) -> usize {
        self.limit.saturating_sub(self.buffer.len())
    }

    /// Lets the packet grow to `size` bytes: for a path probe.
    pub fn grow(&mut self, size: usize) {
        self.limit = self.limit.max(self.start + size);
    }

    /// Ends the packet: fills in the CRC32c, or leaves zero where the peer accepts it (RFC 9653 §5.2).
    pub fn finish(self, zero_checksum: bool) {
        if zero_checksum {
            return;
        }
        let crc = checksum::crc32c(&self.buffer[self.start..]);
        self.buffer[self.start + 8..self.start + 12].copy_from_slice(&crc.to_le_bytes());
    }

    /// Takes the packet back: the buffer is as it was before.
    pub fn cancel(self) {
        self.buffer.truncate(self.start);
    }
}

/// Appends a chunk's header with a length yet to be known; [`end_chunk`] fills it in.
pub(super) fn begin_chunk(out: &mut Vec<u8>, kind: u8, flags: u8) -> usize {
    out.extend_from_slice(&[kind, flags, 0, 0]);
    out.len() - 4
}

/// Fills in the length of the chunk that began at `start`, and pads it to four bytes.
pub(super) fn end_chunk(out: &mut Vec<u8>, start: usize) {
    set_length(out, start);
    pad(out, start);
}

/// Fills in the length, at the third and fourth byte, of what began at `start`.
pub(super) fn set_length(out: &mut [u8], start: usize) {
    let length = u16::try_from(out.len() - start).unwrap_or(u16::MAX);
    out[start + 2..start + 4].copy_from_slice(&length.to_be_bytes());
}

/// Pads with zeros to a multiple of four bytes, counted from `start`.
pub(super) fn pad(out: &mut Vec<u8>, start: usize) {
    let missing = (out.len() - start).wrapping_neg() & 3;
    out.extend_from_slice(&[0; 3][..missing]);
}
