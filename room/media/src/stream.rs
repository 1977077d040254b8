//! What a frame says of itself, before anybody decodes it: whether it is a key frame, and how large its picture is (RFC 6386
//! §9.1 for VP8; VP9's bitstream specification §6.2; H.264 §7.3.2.1; H.265 §7.3.2.2; AV1's §5.5).

mod av1;
mod h26x;
mod vp9;

use rtp::codec::{Codec, NalUnits};

pub(crate) use av1::{configuration as av1_configuration, without_delimiters};
pub(crate) use h26x::{
    START_CODE, avc_configuration, frame_with_start_codes, hevc_configuration, with_lengths, with_start_codes,
};

/// Whether a frame depends on no other.
pub(crate) fn is_key(codec: Codec, frame: &[u8]) -> bool {
    match codec {
        Codec::Vp8 => frame.first().is_some_and(|first| first & 1 == 0),
        Codec::Vp9 => vp9::header(frame).is_some(),
        Codec::Av1 => av1::sequence_header(frame).is_some(),
        Codec::H264 | Codec::H265 => NalUnits::new(frame).any(|unit| h26x::is_key(codec, unit)),
        _ => true,
    }
}

/// Width and height, where a key frame says them.
pub(crate) fn size(codec: Codec, frame: &[u8]) -> Option<(u32, u32)> {
    match codec {
        Codec::Vp8 => {
            let (_, header) = frame.split_first_chunk::<3>()?;
            let &[0x9D, 0x01, 0x2A, w0, w1, h0, h1] = header.first_chunk::<7>()? else { return None };
            let pixels = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3FFF);
            Some((pixels(w0, w1), pixels(h0, h1)))
        }
        Codec::Vp9 => vp9::header(frame),
        Codec::Av1 => av1::size(frame),
        Codec::H264 | Codec::H265 => h26x::size(codec, frame),
        _ => None,
    }
}

/// What a decoder needs before the first frame, as a key frame has it in it.
pub(crate) fn parameters(codec: Codec, frame: &[u8]) -> Vec<u8> {
    match codec {
        Codec::Av1 => av1::sequence_header(frame).map(<[u8]>::to_vec).unwrap_or_default(),
        Codec::H264 | Codec::H265 => {
            let mut sets = Vec::new();
            for unit in NalUnits::new(frame).filter(|unit| h26x::is_parameter_set(codec, unit)) {
                sets.extend_from_slice(&START_CODE);
                sets.extend_from_slice(unit);
            }
            sets
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_frames_say_so_and_their_size() {
        let vp8 = [0x50, 0x42, 0, 0x9D, 0x01, 0x2A, 0x80, 0x02, 0x68, 0x41];
        assert!(is_key(Codec::Vp8, &vp8) && !is_key(Codec::Vp8, &[0x51]));
        assert_eq!(size(Codec::Vp8, &vp8), Some((640, 360)));
        // Profile 0, key, sync code, 320x180, as an encoder wrote it.
        let vp9 = [0x82, 0x49, 0x83, 0x42, 0x00, 0x13, 0xF0, 0x0B, 0x36];
        assert_eq!(size(Codec::Vp9, &vp9), Some((320, 180)));
        assert!(!is_key(Codec::Vp9, &[0x86, 0, 0x40, 0x92]) && !is_key(Codec::Vp9, &[]));
        assert!(is_key(Codec::Opus, &[0xF8]));
    }

    #[test]
    fn whatever_bytes_are_described() {
        for codec in Codec::ALL {
            for length in 0..40 {
                for fill in [0, 1, 0x0A, 0x67, 0x82, 0xFF] {
                    let mut frame = vec![fill; length];
                    let _ = (is_key(*codec, &frame), size(*codec, &frame), parameters(*codec, &frame));
                    frame.splice(..0, [0, 0, 1, 0x67]);
                    let _ = (is_key(*codec, &frame), size(*codec, &frame), parameters(*codec, &frame));
                }
            }
        }
    }
}
