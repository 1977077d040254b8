//! The numbers of an RTP header, each with its own arithmetic (RFC 3550 §5.1).

use std::fmt;

/// Who a stream of packets comes from: a synchronisation source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ssrc(pub u32);

/// A packet's place among those of its source, in 16 bits that wrap around.
///
/// It has no order: see [`SequenceNumber::ahead_of`] (RFC 1982), and [`SequenceNumber::expand`] for numbers that have one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SequenceNumber(pub u16);

/// When a packet's first sample was taken, in ticks of the codec's clock, in 32 bits that wrap around.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Timestamp(pub u32);

/// What a packet holds, as offer and answer agreed: 0 to 127.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PayloadType(u8);

impl SequenceNumber {
    /// How many packets this one comes after `other`; negative where it comes before.
    #[inline]
    pub const fn ahead_of(self, other: Self) -> i16 {
        self.0.wrapping_sub(other.0).cast_signed()
    }

    /// The number that comes `count` later.
    #[inline]
    #[must_use]
    pub const fn plus(self, count: u16) -> Self {
        Self(self.0.wrapping_add(count))
    }

    /// The number nearest to `reference` whose low 16 bits are these: what does not wrap around
    /// (RFC 3711 §3.3.1 calls it the packet index). `reference` is at least 2^15.
    #[inline]
    pub const fn expand(self, reference: u64) -> u64 {
        let ahead = self.ahead_of(Self(reference as u16));
        reference.wrapping_add_signed(ahead as i64)
    }
}

impl Timestamp {
    /// How many ticks this one is later than `other`; negative where it is earlier.
    #[inline]
    pub const fn ahead_of(self, other: Self) -> i32 {
        self.0.wrapping_sub(other.0).cast_signed()
    }

    /// The moment `ticks` later.
    #[inline]
    #[must_use]
    pub const fn plus(self, ticks: u32) -> Self {
        Self(self.0.wrapping_add(ticks))
    }
}

impl PayloadType {
    /// None beyond 127.
    #[inline]
    pub const fn new(number: u8) -> Option<Self> {
        if number < 128 { Some(Self(number)) } else { None }
    }

    /// The low seven bits of a header's second byte.
    #[inline]
    pub(crate) const fn of_byte(byte: u8) -> Self {
        Self(byte & 0x7F)
    }

    /// 0 to 127.
    #[inline]
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Ssrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for PayloadType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_wrap_around() {
        let (last, first) = (SequenceNumber(0xFFFF), SequenceNumber(0));
        assert_eq!(first.ahead_of(last), 1);
        assert_eq!(last.ahead_of(first), -1);
        assert_eq!(last.plus(2), SequenceNumber(1));
        assert_eq!(Timestamp(5).ahead_of(Timestamp(u32::MAX)), 6);
    }

    #[test]
    fn expanded_numbers_do_not() {
        let reference = 0x1_FFF0;
        assert_eq!(SequenceNumber(2).expand(reference), 0x2_0002);
        assert_eq!(SequenceNumber(0xFFEE).expand(reference), 0x1_FFEE);
    }

    #[test]
    fn a_payload_type_has_seven_bits() {
        assert_eq!(PayloadType::new(127).map(PayloadType::number), Some(127));
        assert_eq!(PayloadType::new(128), None);
    }
}
