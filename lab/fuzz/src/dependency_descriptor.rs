//! Reading the dependency descriptors of a stream, and writing them again (AV1's RTP payload format, A.8): they say the same.

use rtp::SequenceNumber;
use rtp::dependency::{Descriptor, MAX_DECODE_TARGETS, MAX_SPATIAL, MAX_TEMPORAL, Reader};

/// Descriptors, each with its length before it.
pub(super) fn run(bytes: &[u8]) {
    let mut reader = Reader::new();
    let (mut rest, mut number) = (bytes, SequenceNumber(0xFFF0));
    while let Some((len, behind)) = rest.split_first() {
        let (descriptor, behind) = behind.split_at(usize::from(*len).min(behind.len()));
        rest = behind;
        number = number.plus(u16::from(*len % 3));
        rewrite(descriptor, &reader);
        let Ok(frame) = reader.read(number, descriptor) else { continue };
        assert!(frame.spatial <= MAX_SPATIAL && frame.temporal <= MAX_TEMPORAL);
        assert_eq!(frame.is_key(), frame.dependencies().next().is_none());
        let structure = reader.structure().expect("without one nothing is read");
        let targets = structure.decode_targets();
        assert!(reader.active_decode_targets() & !structure.all_targets() == 0);
        assert!((1..=MAX_DECODE_TARGETS).contains(&targets) && structure.chains() <= targets);
        for target in 0..targets {
            let (spatial, temporal) = structure.layer(target).expect("each target has a layer");
            assert!(spatial <= structure.max_spatial() && temporal <= MAX_TEMPORAL);
            if let Some(chain) = structure.chain(target) {
                assert!(chain < structure.chains());
                let _ = (reader.is_in_active_chain(&frame, chain), frame.last_in_chain(chain));
            }
        }
    }
}

fn rewrite(bytes: &[u8], reader: &Reader) {
    let Ok(descriptor) = Descriptor::parse(bytes, reader.structure()) else { return };
    let Some(structure) = descriptor.structure.as_deref().or(reader.structure()) else { return };
    let mut written = Vec::new();
    descriptor.write(structure, &mut written);
    assert_eq!(Descriptor::parse(&written, reader.structure()), Ok(descriptor));
}
