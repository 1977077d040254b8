//! Serial numbers (RFC 1982) unwrapped: on the wire 16 or 32 bits that wrap around, inside 64 that never do
//! (RFC 9260 §1.6).

/// The number nearest to `reference` whose low 32 bits are `wire`.
#[inline]
pub(crate) fn expand(reference: u64, wire: u32) -> u64 {
    let ahead = wire.wrapping_sub(low(reference)).cast_signed();
    reference.wrapping_add_signed(i64::from(ahead))
}

/// The number nearest to `reference` whose low 16 bits are `wire`.
#[inline]
pub(crate) fn expand_16(reference: u64, wire: u16) -> u64 {
    let ahead = wire.wrapping_sub(low_16(reference)).cast_signed();
    reference.wrapping_add_signed(i64::from(ahead))
}

/// The 32 bits that go on the wire.
#[inline]
pub(crate) fn low(number: u64) -> u32 {
    number as u32
}

/// The 16 bits that go on the wire.
#[inline]
pub(crate) fn low_16(number: u64) -> u16 {
    number as u16
}

/// Where counting starts, so that a number a little before the first is still positive.
pub(crate) const BEGINNING: u64 = 1 << 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_wrap_around_on_the_wire_only() {
        let reference = (5 << 32) + 10;
        assert_eq!(expand(reference, 12), reference + 2);
        assert_eq!(expand(reference, 8), reference - 2);
        assert_eq!(expand(reference, u32::MAX), reference - 11);
        assert_eq!(low(expand(reference, u32::MAX)), u32::MAX);
        assert_eq!(expand_16(0x1_0002, 0xFFFF), 0xFFFF);
        assert_eq!(expand_16(0xFFFF, 1), 0x1_0001);
        assert_eq!(low_16(0x1_0001), 1);
    }
}
