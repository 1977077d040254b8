//! VP9's uncompressed header (its bitstream specification §6.2).

use crate::bits::Bits;

/// A key frame's width and height; none where it is another frame.
pub(super) fn header(frame: &[u8]) -> Option<(u32, u32)> {
    let mut bits = Bits::new(frame.get(..frame.len().min(32))?);
    if bits.bits(2) != 2 {
        return None;
    }
    let (low, high) = (bits.bit(), bits.bit());
    let profile = high << 1 | low;
    if profile == 3 {
        bits.skip(1);
    }
    let shows_existing = bits.flag();
    let is_inter = bits.flag();
    if shows_existing || is_inter {
        return None;
    }
    // Whether it is shown, and whether it is resilient.
    bits.skip(2);
    if bits.bits(24) != 0x49_83_42 {
        return None;
    }
    if profile >= 2 {
        bits.skip(1);
    }
    let is_rgb = bits.bits(3) == 7;
    match (is_rgb, profile & 1) {
        (false, 1) => bits.skip(1 + 3),
        (false, _) => bits.skip(1),
        (true, 1) => bits.skip(1),
        (true, _) => {}
    }
    let (width, height) = (bits.bits(16) + 1, bits.bits(16) + 1);
    (!bits.is_over()).then_some((width, height))
}
