//! VP8's boolean encoder (RFC 6386 §7.3): each bool costs as little as it is likely.

/// Encodes bools into bytes.
#[derive(Clone, Debug)]
pub(super) struct Bools {
    out: Vec<u8>,
    bottom: u32,
    range: u32,
    /// Shifts before a byte is complete.
    left: u32,
}

impl Bools {
    pub(super) fn new() -> Self {
        Self { out: Vec::new(), bottom: 0, range: 255, left: 24 }
    }

    /// A bool that is false with `probability` of 256.
    pub(super) fn put(&mut self, value: bool, probability: u8) {
        let split = 1 + (((self.range - 1) * u32::from(probability)) >> 8);
        if value {
            let (bottom, carries) = self.bottom.overflowing_add(split);
            self.bottom = bottom;
            self.range -= split;
            if carries {
                self.carry();
            }
        } else {
            self.range = split;
        }
        while self.range < 128 {
            self.range <<= 1;
            if self.bottom & 1 << 31 != 0 {
                self.carry();
            }
            self.bottom <<= 1;
            self.left -= 1;
            if self.left == 0 {
                self.out.push((self.bottom >> 24) as u8);
                self.bottom &= (1 << 24) - 1;
                self.left = 8;
            }
        }
    }

    /// A number's lowest bits, the highest first, each as likely as not.
    pub(super) fn literal(&mut self, value: u32, bits: u32) {
        for bit in (0..bits).rev() {
            self.put(value >> bit & 1 == 1, 128);
        }
    }

    fn carry(&mut self) {
        for byte in self.out.iter_mut().rev() {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                return;
            }
        }
    }

    /// The bytes.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let mut left = self.left;
        let mut bottom = self.bottom;
        if left < 32 && bottom & 1 << (32 - left) != 0 {
            self.carry();
        }
        bottom <<= left & 7;
        left >>= 3;
        for _ in 0..left {
            bottom <<= 8;
        }
        for _ in 0..4 {
            self.out.push((bottom >> 24) as u8);
            bottom <<= 8;
        }
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6386 §7.3's decoder.
    struct Decoder<'a> {
        bytes: std::slice::Iter<'a, u8>,
        value: u32,
        range: u32,
        bits: u32,
    }

    impl<'a> Decoder<'a> {
        fn new(bytes: &'a [u8]) -> Self {
            let mut bytes = bytes.iter();
            let mut next = || u32::from(bytes.next().copied().unwrap_or(0));
            let value = next() << 8 | next();
            Self { bytes, value, range: 255, bits: 0 }
        }

        fn get(&mut self, probability: u8) -> bool {
            let split = 1 + (((self.range - 1) * u32::from(probability)) >> 8);
            let value = self.value >= split << 8;
            if value {
                self.range -= split;
                self.value -= split << 8;
            } else {
                self.range = split;
            }
            while self.range < 128 {
                self.value <<= 1;
                self.range <<= 1;
                self.bits += 1;
                if self.bits == 8 {
                    self.bits = 0;
                    self.value |= u32::from(self.bytes.next().copied().unwrap_or(0));
                }
            }
            value
        }
    }

    #[test]
    fn bools_come_back() {
        let mut state = 7_u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 16
        };
        for _ in 0..50 {
            let all: Vec<(bool, u8)> = (0..random() % 3000)
                .map(|_| {
                    let probability = (random() % 255 + 1) as u8;
                    (random() % 256 >= u32::from(probability), probability)
                })
                .collect();
            let mut bools = Bools::new();
            all.iter().for_each(|(value, probability)| bools.put(*value, *probability));
            let bytes = bools.finish();
            let mut decoder = Decoder::new(&bytes);
            for (at, (value, probability)) in all.iter().enumerate() {
                assert_eq!(decoder.get(*probability), *value, "{at}");
            }
        }
    }
}
