//! Fields of any number of bits, the high ones first (the descriptor that RFC 8285 carries; AV1's RTP payload format
//! A.8.2 has the notation: f(n) and ns(n)).

use super::DependencyFault;

/// Reads bits from the front of a slice.
#[derive(Clone, Copy, Debug)]
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    /// In bits.
    at: usize,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// f(n): the next `count` bits, at most 32.
    pub(super) fn f(&mut self, count: u32) -> Result<u32, DependencyFault> {
        debug_assert!(count <= 32);
        let end = self.at + count as usize;
        if end > self.bytes.len() * 8 {
            return Err(DependencyFault::Truncated);
        }
        let mut value = 0;
        while self.at < end {
            let free = 8 - self.at % 8;
            let take = free.min(end - self.at);
            let bits = self.bytes[self.at / 8] >> (free - take) & (0xFF >> (8 - take));
            value = value << take | u64::from(bits);
            self.at += take;
        }
        Ok(value as u32)
    }

    /// One bit.
    pub(super) fn flag(&mut self) -> Result<bool, DependencyFault> {
        Ok(self.f(1)? == 1)
    }

    /// ns(n): a number below `limit`, which is at least 1.
    pub(super) fn ns(&mut self, limit: u32) -> Result<u32, DependencyFault> {
        let width = u32::BITS - limit.leading_zeros();
        let short = (1 << width) - limit;
        let value = self.f(width - 1)?;
        if value < short { Ok(value) } else { Ok((value << 1) - short + self.f(1)?) }
    }
}

/// Appends bits to a buffer, and zeros at the end to fill a byte.
#[derive(Debug)]
pub(super) struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    /// Bits of the last byte that are not written yet.
    free: u32,
}

impl<'a> BitWriter<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, free: 0 }
    }

    /// f(n): the low `count` bits of a value.
    pub(super) fn f(&mut self, count: u32, value: u32) {
        for bit in (0..count).rev() {
            if self.free == 0 {
                self.out.push(0);
                self.free = 8;
            }
            self.free -= 1;
            if let Some(last) = self.out.last_mut() {
                *last |= ((value >> bit & 1) as u8) << self.free;
            }
        }
    }

    pub(super) fn flag(&mut self, value: bool) {
        self.f(1, u32::from(value));
    }

    /// ns(n): a number below `limit`, which is at least 1.
    pub(super) fn ns(&mut self, limit: u32, value: u32) {
        let width = u32::BITS - limit.leading_zeros();
        let short = (1 << width) - limit;
        if value < short { self.f(width - 1, value) } else { self.f(width, value + short) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of A.8.2 for n = 5.
    #[test]
    fn non_symmetric_numbers_are_those_of_the_table() {
        for (value, bits, byte) in [(0, 2, 0), (1, 2, 0x40), (2, 2, 0x80), (3, 3, 0xC0), (4, 3, 0xE0)] {
            let mut out = Vec::new();
            BitWriter::new(&mut out).ns(5, value);
            assert_eq!(out, [byte]);
            let mut reader = BitReader::new(&out);
            assert_eq!((reader.ns(5), reader.at), (Ok(value), bits));
        }
        for limit in 1..=33 {
            for value in 0..limit {
                let mut out = Vec::new();
                BitWriter::new(&mut out).ns(limit, value);
                assert_eq!(BitReader::new(&out).ns(limit), Ok(value));
            }
        }
    }

    #[test]
    fn bits_end_with_the_bytes() {
        let mut reader = BitReader::new(&[0b1010_0101, 0xFF]);
        assert_eq!((reader.f(3), reader.f(7), reader.f(6)), (Ok(0b101), Ok(0b001_0111), Ok(0b11_1111)));
        assert_eq!(reader.f(1), Err(DependencyFault::Truncated));
        assert_eq!(reader.f(0), Ok(0));
        assert_eq!(BitReader::new(&[0xFF; 4]).f(32), Ok(u32::MAX));
    }
}
