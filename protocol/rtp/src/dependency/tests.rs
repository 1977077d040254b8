use proptest::prelude::*;

use super::*;
use crate::number::SequenceNumber;

fn indications(text: &str) -> Indications {
    Indications::new(text.chars().map(|symbol| match symbol {
        '-' => Indication::NotPresent,
        'D' => Indication::Discardable,
        'S' => Indication::Switch,
        _ => Indication::Required,
    }))
}

fn template(spatial: u8, temporal: u8, targets: &str, differences: &[u16], chains: &[u8]) -> Template {
    let mut chain_differences = [0; MAX_DECODE_TARGETS];
    chain_differences[..chains.len()].copy_from_slice(chains);
    let differences = Differences::new(differences).unwrap();
    Template { spatial, temporal, indications: indications(targets), differences, chain_differences }
}

/// L1T3, as in A.10.2.1.
fn l1t3() -> Structure {
    let templates = vec![
        template(0, 0, "SSS", &[], &[0]),
        template(0, 0, "SSS", &[4], &[4]),
        template(0, 1, "SD-", &[2], &[2]),
        template(0, 2, "D--", &[1], &[1]),
        template(0, 2, "D--", &[1], &[3]),
    ];
    Structure::new(62, &[0, 0, 0], 1, templates, vec![Resolution { width: 640, height: 360 }]).unwrap()
}

fn plain(template_id: u8, frame_number: u16) -> Descriptor {
    Descriptor {
        start: true,
        end: false,
        template_id,
        frame_number,
        structure: None,
        active_decode_targets: None,
        indications: None,
        differences: None,
        chain_differences: None,
    }
}

fn bytes(descriptor: &Descriptor, structure: &Structure) -> Vec<u8> {
    let mut out = Vec::new();
    descriptor.write(structure, &mut out);
    out
}

#[test]
fn a_stream_is_read_by_its_structure() {
    let structure = l1t3();
    let mut reader = Reader::new();
    let delta = bytes(&plain(63, 104), &structure);
    assert_eq!(delta, [0xBF, 0, 104], "three bytes");
    assert_eq!(reader.read(SequenceNumber(9), &delta), Err(DependencyFault::NoStructure));

    let key = Descriptor { structure: Some(Box::new(structure.clone())), ..plain(62, 100) };
    let frame = reader.read(SequenceNumber(10), &bytes(&key, &structure)).unwrap();
    assert!(frame.new_structure && frame.is_key() && frame.start && !frame.end);
    assert_eq!(frame.resolution, Some(Resolution { width: 640, height: 360 }));
    assert_eq!(reader.structure(), Some(&structure));
    assert_eq!(reader.active_decode_targets(), 0b111);
    let layers: Vec<_> = (0..4).map(|target| structure.layer(target)).collect();
    assert_eq!(layers, [Some((0, 2)), Some((0, 1)), Some((0, 0)), None]);

    // Ids wrap around after 63.
    let frame = reader.read(SequenceNumber(11), &bytes(&plain(0, 102), &structure)).unwrap();
    assert_eq!((frame.spatial, frame.temporal), (0, 1));
    assert_eq!(frame.dependencies().collect::<Vec<_>>(), [100]);
    assert_eq!(frame.last_in_chain(0), Some(100));
    assert_eq!(frame.indications, indications("SD-"));
    assert!(!reader.is_in_active_chain(&frame, 0));
    let frame = reader.read(SequenceNumber(12), &delta).unwrap();
    assert!(reader.is_in_active_chain(&frame, 0));
    let unknown = bytes(&plain(3, 105), &structure);
    assert_eq!(reader.read(SequenceNumber(13), &unknown), Err(DependencyFault::UnknownTemplate));
}

#[test]
fn a_frame_may_differ_from_its_template() {
    let structure = l1t3();
    let own = template(0, 1, "RD-", &[1, 17, 4096], &[200]);
    let descriptor = Descriptor::new(&structure, 0, 7, &own).unwrap();
    let mut reader = Reader::new();
    let key = Descriptor { structure: Some(Box::new(structure.clone())), ..plain(62, 5) };
    reader.read(SequenceNumber(0), &bytes(&key, &structure)).unwrap();
    let frame = reader.read(SequenceNumber(1), &bytes(&descriptor, &structure)).unwrap();
    assert_eq!(frame.indications, own.indications);
    assert_eq!(frame.differences, own.differences);
    assert_eq!(frame.dependencies().collect::<Vec<_>>(), [6, 65_526, 61_447]);
    assert_eq!(frame.last_in_chain(0), Some(65_343));
    let same = Descriptor::new(&structure, 0, 7, structure.template(0).unwrap()).unwrap();
    assert_eq!(bytes(&same, &structure).len(), 3);
}

/// A forwarder drops the highest layer, and says so.
#[test]
fn active_targets_are_the_newest_that_were_said() {
    let structure = l1t3();
    let mut reader = Reader::new();
    let mut key = Descriptor { structure: Some(Box::new(structure.clone())), ..plain(62, 5) };
    let key_bytes = bytes(&key, &structure);
    key.active_decode_targets = Some(0b110);
    reader.read(SequenceNumber(0xFFFF), &bytes(&key, &structure)).unwrap();
    assert_eq!(reader.active_decode_targets(), 0b110);

    let mut delta = Descriptor::parse(&bytes(&plain(63, 9), &structure), Some(&structure)).unwrap();
    delta.active_decode_targets = Some(0b100);
    reader.read(SequenceNumber(1), &bytes(&delta, &structure)).unwrap();
    assert_eq!(reader.active_decode_targets(), 0b100);
    // These come late.
    delta.active_decode_targets = Some(0b111);
    reader.read(SequenceNumber(0), &bytes(&delta, &structure)).unwrap();
    reader.read(SequenceNumber(0xFFFE), &key_bytes).unwrap();
    assert_eq!(reader.active_decode_targets(), 0b100);
}

#[test]
fn structures_that_make_no_sense_are_refused() {
    let one = || template(0, 0, "S", &[], &[0]);
    let new =
        |protected: &[u8], chains, templates| Structure::new(0, protected, chains, templates, vec![]).err();
    assert_eq!(new(&[], 0, vec![one()]), Some(DependencyFault::Chains));
    assert_eq!(new(&[1], 1, vec![one()]), Some(DependencyFault::Chains));
    assert_eq!(new(&[0], 0, vec![]), Some(DependencyFault::Templates));
    assert_eq!(new(&[0], 0, vec![one(); 65]), Some(DependencyFault::Templates));
    assert_eq!(new(&[0], 0, vec![one(), template(2, 0, "S", &[], &[])]), Some(DependencyFault::Layers));
    assert_eq!(new(&[0], 0, vec![template(0, 1, "S", &[], &[])]), Some(DependencyFault::Layers));
    assert_eq!(new(&[0], 0, vec![template(0, 0, "S", &[17], &[])]), Some(DependencyFault::Dependencies));
    let resolutions = vec![Resolution { width: 1, height: 1 }; 2];
    assert_eq!(Structure::new(0, &[0], 0, vec![one()], resolutions).err(), Some(DependencyFault::Layers));
}

/// Any structure that is valid.
fn any_structure() -> impl Strategy<Value = Structure> {
    let template = (
        0_u32..3,
        any::<u64>(),
        proptest::collection::vec(1_u16..=16, 0..=MAX_DEPENDENCIES),
        proptest::array::uniform32(0_u8..16),
    );
    let targets = proptest::collection::vec(any::<u8>(), 1..=MAX_DECODE_TARGETS);
    (any::<u8>(), targets, any::<u8>(), proptest::collection::vec(template, 1..20), any::<bool>()).prop_map(
        |(offset, mut protected, chains, parts, sized)| {
            let count = protected.len();
            let chains = chains % (count as u8 + 1);
            protected.iter_mut().for_each(|chain| *chain = if chains > 0 { *chain % chains } else { 0 });
            let (mut spatial, mut temporal) = (0, 0);
            let mut templates = Vec::new();
            for (index, (next, bits, differences, mut chain_differences)) in parts.into_iter().enumerate() {
                match next {
                    1 if index > 0 && temporal < MAX_TEMPORAL => temporal += 1,
                    2 if index > 0 && spatial < MAX_SPATIAL => (spatial, temporal) = (spatial + 1, 0),
                    _ => {}
                }
                chain_differences[usize::from(chains)..].fill(0);
                templates.push(Template {
                    spatial,
                    temporal,
                    indications: Indications(bits & (u64::MAX >> (64 - 2 * count))),
                    differences: Differences::new(&differences).unwrap(),
                    chain_differences,
                });
            }
            let sizes = if sized { usize::from(spatial) + 1 } else { 0 };
            let resolutions = vec![Resolution { width: 65_536, height: 1 }; sizes];
            Structure::new(offset, &protected, chains, templates, resolutions).unwrap()
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        structure in any_structure(),
        (start, end, template_id, frame_number) in any::<(bool, bool, u8, u16)>(),
        active in proptest::option::of(any::<u32>()),
        custom in proptest::option::of(any::<u64>()),
        differences in proptest::option::of(proptest::collection::vec(1_u16..=4096, 0..=MAX_DEPENDENCIES)),
        chains in proptest::option::of(proptest::array::uniform32(any::<u8>())),
        fresh in any::<bool>(),
    ) {
        let mask = u64::MAX >> (64 - 2 * structure.decode_targets());
        let descriptor = Descriptor {
            start,
            end,
            template_id: template_id & 0x3F,
            frame_number,
            structure: fresh.then(|| Box::new(structure.clone())),
            active_decode_targets: active.map(|active| active & structure.all_targets()),
            indications: custom.map(|bits| Indications(bits & mask)),
            differences: differences.map(|values| Differences::new(&values).unwrap()),
            chain_differences: chains.map(|mut chains| {
                chains[structure.chains()..].fill(0);
                chains
            }),
        };
        let written = bytes(&descriptor, &structure);
        prop_assert_eq!(Descriptor::parse(&written, Some(&structure)), Ok(descriptor));
    }

    #[test]
    fn any_bytes_are_read_without_harm(packets in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..64), 1..8)) {
        let mut reader = Reader::new();
        for (number, bytes) in (0..).zip(packets) {
            if let Ok(frame) = reader.read(SequenceNumber(number), &bytes) {
                prop_assert!(frame.spatial <= MAX_SPATIAL && frame.temporal <= MAX_TEMPORAL);
            }
        }
    }
}
