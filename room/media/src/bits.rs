//! Bits, the highest of each byte first, and numbers in Exp-Golomb code (H.264 §9.1).

/// Bits of a parameter set or a header. Beyond the end there are zeros, and `is_over` says so.
#[derive(Clone, Debug)]
pub(crate) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Whether more was read than there is.
    pub(crate) fn is_over(&self) -> bool {
        self.at > self.bytes.len() * 8
    }

    pub(crate) fn bit(&mut self) -> u32 {
        let byte = self.bytes.get(self.at / 8).copied().unwrap_or(0);
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        u32::from(bit)
    }

    /// At most 32.
    pub(crate) fn bits(&mut self, count: u32) -> u32 {
        (0..count).fold(0, |value, _| value << 1 | self.bit())
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.bit() == 1
    }

    pub(crate) fn skip(&mut self, count: usize) {
        self.at = self.at.saturating_add(count);
    }

    /// `ue(v)`; 0 where there is none.
    pub(crate) fn golomb(&mut self) -> u32 {
        let mut zeros = 0;
        while self.bit() == 0 {
            zeros += 1;
            if zeros > 31 || self.is_over() {
                return 0;
            }
        }
        ((1_u64 << zeros) - 1 + u64::from(self.bits(zeros))) as u32
    }

    /// `se(v)`.
    pub(crate) fn signed_golomb(&mut self) -> i32 {
        let code = i64::from(self.golomb());
        (if code % 2 == 1 { (code + 1) / 2 } else { -(code / 2) }) as i32
    }
}

/// A NAL unit without the bytes that keep start codes out of it (H.264 §7.4.1); so much of it as headers need.
pub(crate) fn unescaped(unit: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(unit.len().min(256));
    let mut zeros = 0;
    for byte in unit.iter().take(1024) {
        if zeros >= 2 && *byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if *byte == 0 { zeros + 1 } else { 0 };
        bytes.push(*byte);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_are_written() {
        // 1, 010, 011, 00100, 00101.
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        assert_eq!(
            [bits.golomb(), bits.golomb(), bits.golomb(), bits.golomb(), bits.golomb()],
            [0, 1, 2, 3, 4]
        );
        let mut bits = Bits::new(&[0b0100_1100, 0b1000_0101]);
        assert_eq!(
            [bits.signed_golomb(), bits.signed_golomb(), bits.signed_golomb(), bits.signed_golomb()],
            [1, -1, 2, -2]
        );
        assert!(!bits.is_over());
        assert_eq!((bits.golomb(), bits.is_over()), (0, true));
        assert_eq!(unescaped(&[1, 0, 0, 3, 1, 0, 0, 3]), [1, 0, 0, 1, 0, 0]);
    }
}
