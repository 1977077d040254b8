//! Whatever the network does short of cutting the path: every reliable message once, in order.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use twocan_sctp::{Config, Event, Options, Reliability};

use crate::link::Conditions;
use crate::pair::{Pair, config};

#[derive(Clone, Debug)]
struct Plan {
    seed: u64,
    interleaving: bool,
    conditions: Conditions,
    messages: Vec<(u16, usize, bool, bool)>,
}

fn plan() -> impl Strategy<Value = Plan> {
    let conditions = (0u64..250_000, 0u64..100_000, 0u64..500_000, 1u64..60, 0u64..3, 20_000u64..400_000);
    let message =
        (0u16..5, prop_oneof![1usize..50, 1usize..5000, 1usize..70_000], any::<bool>(), any::<bool>());
    let messages = prop::collection::vec(message, 1..60);
    (any::<u32>(), any::<bool>(), conditions, messages).prop_map(
        |(seed, interleaving, conditions, messages)| {
            let (loss, duplication, reordering, delay, rate, buffer) = conditions;
            Plan {
                seed: u64::from(seed),
                interleaving,
                conditions: Conditions {
                    rate: [0, 100_000, 2_000_000][rate as usize],
                    delay: Duration::from_millis(delay),
                    buffer,
                    loss,
                    duplication,
                    reordering,
                    reordering_delay: Duration::from_millis(50),
                    ..Conditions::default()
                },
                messages,
            }
        },
    )
}

fn check(plan: &Plan) {
    let both = Config {
        interleaving: plan.interleaving,
        receive_window: 256 << 10,
        piece_size: 32 << 10,
        max_retransmissions: 1000,
        max_init_retransmissions: 100,
        ..config()
    };
    let mut pair = Pair::connected(both, plan.conditions, plan.seed);
    let mut reliable = 0;
    for (index, &(stream, length, unordered, partial)) in plan.messages.iter().enumerate() {
        let mut bytes = vec![index as u8; length];
        bytes[length / 2] ^= 0xFF;
        let reliability =
            if partial { Reliability::MaxRetransmits((index % 3) as u16) } else { Reliability::Reliable };
        reliable += usize::from(!partial);
        let options = Options { unordered, reliability };
        pair.a.association.send(pair.now, stream, index as u32, bytes.into(), options).unwrap();
    }
    let mut most = 0;
    let done = pair.run_until(Duration::from_secs(4000), |pair| {
        most = most.max((256 << 10) - pair.b.association.stats().receive_window);
        let is_sent = pair.a.association.stats().buffered == 0 && pair.a.association.stats().in_flight == 0;
        let whole = pair.b.messages.iter().filter(|piece| piece.last);
        is_sent && whole.filter(|piece| !plan.messages[piece.ppid as usize].3).count() >= reliable
    });
    assert!(done, "{plan:?}\n{:?}\n{:?}", pair.a.association, pair.b.association);
    assert!(most <= 256 << 10);

    let mut messages: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    let mut last_ordered: BTreeMap<u16, u32> = BTreeMap::new();
    let mut seen = vec![false; plan.messages.len()];
    for piece in &pair.b.messages {
        let bytes = messages.entry(piece.id).or_default();
        assert_eq!(bytes.is_empty(), piece.first);
        bytes.extend_from_slice(&piece.data);
        if !piece.last {
            continue;
        }
        let index = piece.ppid as usize;
        let (stream, length, unordered, _) = plan.messages[index];
        assert!(!seen[index], "message {index} came twice");
        seen[index] = true;
        assert_eq!((piece.stream, piece.unordered, bytes.len()), (stream, unordered, length));
        for (place, byte) in bytes.iter().enumerate() {
            let expected = if place == length / 2 { index as u8 ^ 0xFF } else { index as u8 };
            assert_eq!(*byte, expected, "message {index} at {place}");
        }
        if !unordered && let Some(before) = last_ordered.insert(stream, piece.ppid) {
            assert!(before < piece.ppid, "stream {stream}: {before} before {}", piece.ppid);
        }
    }
    assert!(!pair.a.events.iter().any(|event| matches!(event, Event::Closed(_))));
}

proptest! {
    #[test]
    fn every_reliable_message_arrives_once_and_in_order(plan in plan()) {
        check(&plan);
    }

    /// Mutated packets of a conversation do no harm beyond ending it.
    #[test]
    fn no_packet_makes_it_panic(
        seed in any::<u32>(),
        changes in prop::collection::vec((0usize..40, 0usize..200, any::<u8>()), 1..30),
    ) {
        let both = Config { receive_window: 128 << 10, ..config() };
        let mut pair = Pair::with((both.clone(), both), Default::default(), u64::from(seed));
        pair.a.association.connect(pair.now);
        let mut packets: Vec<Vec<u8>> = Vec::new();
        let (mut buffer, mut sent) = (Vec::new(), 0);
        for turn in 0..60 {
            let (from, to) = if turn % 2 == 0 {
                (&mut pair.a, &mut pair.b)
            } else {
                (&mut pair.b, &mut pair.a)
            };
            let options = Options { unordered: turn % 3 == 0, reliability: Reliability::MaxRetransmits(1) };
            let _ = from.association.send_copy(pair.now, turn, 51, &vec![1; 700 * usize::from(turn)], options);
            let _ = from.association.reset_streams(&[turn / 2]);
            buffer.clear();
            while from.association.poll_transmit(pair.now, &mut buffer).is_some() {
                let mut packet = std::mem::take(&mut buffer);
                let head: [u8; 8] = packet[..8].try_into().unwrap();
                for (_, place, value) in changes.iter().filter(|change| change.0 == sent % 40) {
                    // Ports, tag and checksum stay, so that the change is looked at.
                    let length = packet.len();
                    packet[(12 + place) % length] ^= value;
                    packet[..8].copy_from_slice(&head);
                    packet[8..12].fill(0);
                }
                sent += 1;
                let _ = to.association.handle_packet(pair.now, &packet);
                packets.push(packet);
                if packets.len() > 2000 {
                    break;
                }
            }
            while to.association.poll_event().is_some() {}
            if let Some((time, _)) = to.association.poll_timeout() {
                pair.now = pair.now.max(time);
                to.association.handle_timeout(pair.now);
            }
        }
        prop_assert!(pair.a.association.stats().receive_window <= 128 << 10);
    }
}
