//! Numbers out of a seed: tags and first TSNs (RFC 9260 §5.3.1), and when BBR probes. Over DTLS nobody can
//! make use of guessing them.

/// The next number of the sequence that `seed` belongs to (SplitMix64).
pub(crate) fn mix(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
