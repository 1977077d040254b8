//! Opus (RFC 7587): a payload is one packet of Opus, whose first byte says how long it lasts (RFC 6716 §3.1).
//!
//! ```text
//!  0 1 2 3 4 5 6 7
//! +-+-+-+-+-+-+-+-+
//! | config  |s| c |
//! +-+-+-+-+-+-+-+-+
//! ```

/// No packet lasts longer: 120 ms (RFC 6716 §3.2.5).
const MAX_TICKS: u32 = 5760;

/// How many ticks of 48 kHz a payload lasts: 120 to 5760. None where it is no packet of Opus.
pub fn ticks(payload: &[u8]) -> Option<u32> {
    let first = *payload.first()?;
    let config = first >> 3;
    let frame = match config {
        // SILK: 10, 20, 40 and 60 ms.
        0..12 => [480, 960, 1920, 2880][usize::from(config & 3)],
        // Hybrid: 10 and 20 ms.
        12..16 => [480, 960][usize::from(config & 1)],
        // CELT: 2.5, 5, 10 and 20 ms.
        _ => [120, 240, 480, 960][usize::from(config & 3)],
    };
    let count = match first & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(payload.get(1)? & 0x3F),
    };
    Some(frame * count).filter(|ticks| (1..=MAX_TICKS).contains(ticks))
}

/// Whether a payload is of two channels.
pub fn is_stereo(payload: &[u8]) -> bool {
    payload.first().is_some_and(|first| first & 4 != 0)
}

/// Whether a payload holds no sound, but says that the sender goes on transmitting nothing (DTX): one byte, or two.
pub fn is_discontinuous(payload: &[u8]) -> bool {
    (1..=2).contains(&payload.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_says_how_long_it_lasts() {
        // CELT 20 ms; SILK 60 ms; hybrid 10 ms, two frames; CELT 2.5 ms, 48 of them, and 49.
        let cases: [(&[u8], Option<u32>); 8] = [
            (&[0xF8], Some(960)),
            (&[0x58], Some(2880)),
            (&[0x61], Some(960)),
            (&[0x83, 48], Some(5760)),
            (&[0x83, 49], None),
            (&[0x83, 0], None),
            (&[0x83], None),
            (&[], None),
        ];
        for (payload, expected) in cases {
            assert_eq!(ticks(payload), expected, "{payload:?}");
        }
        assert!(is_stereo(&[0xFC]) && !is_stereo(&[0xF8]));
        assert!(is_discontinuous(&[0xF8]) && !is_discontinuous(&[0xF8, 1, 2]) && !is_discontinuous(&[]));
    }
}
