//! Packet status chunks, read and packed (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1.3, §3.1.4).

use wire::Reader;

use super::super::RtcpFault;
use super::super::raw::put_u16;

/// Whether a packet came, and how long its delta is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Lost,
    /// One byte, without a sign.
    Small,
    /// Two bytes, with one.
    Large,
}

/// The longest run that one chunk says.
const MAX_RUN: u16 = 0x1FFF;
/// Statuses in a vector of one bit each, and of two.
const ONE_BIT: usize = 14;
const TWO_BIT: usize = 7;

/// Reads the statuses of `count` packets from chunks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Statuses<'a> {
    reader: Reader<'a>,
    /// Packets that are left.
    count: u16,
    chunk: Chunk,
}

/// What is left of a chunk.
#[derive(Clone, Copy, Debug)]
enum Chunk {
    Run {
        status: u8,
        left: u16,
    },
    /// The next status is in the high bits.
    Vector {
        bits: u16,
        width: u32,
        left: u16,
    },
}

/// The bytes of deltas that the statuses of `count` packets ask for, and what is behind their chunks.
pub(super) fn measure(chunks: &[u8], count: u16) -> Result<(usize, &[u8]), RtcpFault> {
    let (mut reader, mut left, mut deltas) = (Reader::new(chunks), usize::from(count), 0);
    while left > 0 {
        let bits = reader.u16()?;
        let taken = match bits >> 14 {
            2 => {
                let taken = left.min(ONE_BIT);
                deltas += (bits & 0x3FFF >> (ONE_BIT - taken) << (ONE_BIT - taken)).count_ones() as usize;
                taken
            }
            3 => {
                let taken = left.min(TWO_BIT);
                for place in 0..taken {
                    deltas += match bits >> (2 * (TWO_BIT - 1 - place)) & 3 {
                        3 => return Err(RtcpFault::Status),
                        bytes => usize::from(bytes),
                    };
                }
                taken
            }
            _ => {
                let (status, taken) = (usize::from(bits >> 13), left.min(usize::from(bits & MAX_RUN)));
                if status == 3 && taken > 0 {
                    return Err(RtcpFault::Status);
                }
                deltas += status * taken;
                taken
            }
        };
        left -= taken;
    }
    Ok((deltas, reader.rest()))
}

impl<'a> Statuses<'a> {
    pub(super) fn new(chunks: &'a [u8], count: u16) -> Self {
        Self { reader: Reader::new(chunks), count, chunk: Chunk::Run { status: 0, left: 0 } }
    }

    fn take(&mut self) -> Result<Status, RtcpFault> {
        loop {
            let status = match &mut self.chunk {
                Chunk::Run { left: 0, .. } | Chunk::Vector { left: 0, .. } => {
                    self.chunk = Chunk::of_bits(self.reader.u16()?);
                    continue;
                }
                Chunk::Run { status, left } => {
                    *left -= 1;
                    *status
                }
                Chunk::Vector { bits, width, left } => {
                    *left -= 1;
                    let status = *bits >> (16 - *width);
                    *bits <<= *width;
                    status as u8
                }
            };
            return match status {
                0 => Ok(Status::Lost),
                1 => Ok(Status::Small),
                2 => Ok(Status::Large),
                _ => Err(RtcpFault::Status),
            };
        }
    }
}

impl Chunk {
    fn of_bits(bits: u16) -> Self {
        match bits >> 14 {
            2 => Self::Vector { bits: bits << 2, width: 1, left: ONE_BIT as u16 },
            3 => Self::Vector { bits: bits << 2, width: 2, left: TWO_BIT as u16 },
            _ => Self::Run { status: (bits >> 13) as u8, left: bits & MAX_RUN },
        }
    }
}

impl Iterator for Statuses<'_> {
    type Item = Result<Status, RtcpFault>;

    /// The next status; an endless row of empty runs ends with the bytes.
    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.count = self.count.checked_sub(1)?;
        Some(self.take())
    }
}

/// Packs statuses into few chunks: as a run for as long as all are the same, and else as the vector that holds most.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Packer {
    /// The first of them; of a run longer than this all are the same.
    statuses: [u8; ONE_BIT],
    len: u16,
    /// Whether they are not all the same.
    mixed: bool,
    /// Whether one has a large delta.
    large: bool,
}

impl Packer {
    /// Bytes that what is not written yet takes at most.
    pub(super) fn pending_len(&self) -> usize {
        match usize::from(self.len) {
            0 => 0,
            // One of those to come may be large, and have these take two vectors.
            len if len > TWO_BIT && self.mixed => 4,
            _ => 2,
        }
    }

    pub(super) fn push(&mut self, status: Status, out: &mut Vec<u8>) {
        while !self.takes(status) {
            self.flush_one(false, out);
        }
        let status = status as u8;
        if let Some(slot) = self.statuses.get_mut(usize::from(self.len)) {
            *slot = status;
        }
        self.mixed |= status != self.statuses[0];
        self.large |= status == Status::Large as u8;
        self.len += 1;
    }

    /// So many packets that did not come.
    pub(super) fn push_lost(&mut self, mut count: u64, out: &mut Vec<u8>) {
        while count > 0 {
            self.push(Status::Lost, out);
            count -= 1;
            // Once they are a run, it is their number alone that grows.
            if !self.mixed && usize::from(self.len) >= ONE_BIT {
                let more = count.min(u64::from(MAX_RUN - self.len));
                self.len += more as u16;
                count -= more;
            }
        }
    }

    pub(super) fn finish(mut self, out: &mut Vec<u8>) {
        while self.len > 0 {
            self.flush_one(true, out);
        }
    }

    /// Whether one more can be said with those that wait.
    fn takes(&self, status: Status) -> bool {
        if self.len == 0 {
            return true;
        }
        if !self.mixed && status as u8 == self.statuses[0] {
            return self.len < MAX_RUN;
        }
        let capacity = if self.large || status == Status::Large { TWO_BIT } else { ONE_BIT };
        usize::from(self.len) < capacity
    }

    /// Writes one chunk of those that wait. Where others follow, a vector must be full.
    fn flush_one(&mut self, last: bool, out: &mut Vec<u8>) {
        if !self.mixed {
            put_u16(out, u16::from(self.statuses[0]) << 13 | self.len);
            *self = Self::default();
            return;
        }
        let two_bit = self.large || (!last && usize::from(self.len) < ONE_BIT);
        let (form, width, capacity) = if two_bit { (3, 2, TWO_BIT) } else { (2, 1, ONE_BIT) };
        let taken = usize::from(self.len).min(capacity);
        let packed = (0..capacity).fold(form, |bits: u16, index| {
            // Beyond the last status there is room that nobody reads.
            let status = if index < taken { self.statuses[index] } else { 0 };
            bits << width | u16::from(status)
        });
        put_u16(out, packed);
        let (before, len) = (self.statuses, usize::from(self.len));
        *self = Self::default();
        for status in &before[taken..len] {
            self.statuses[usize::from(self.len)] = *status;
            self.mixed |= *status != self.statuses[0];
            self.large |= *status == Status::Large as u8;
            self.len += 1;
        }
    }
}
