//! A line that narrows while pictures go over it, as a mobile phone's does.

use std::collections::BTreeSet;
use std::time::Duration;

use netsim::Link;
use twocan_peer::stats::Stats;
use twocan_peer::{MediaKind, TransceiverId};

use crate::flow::{connected, pass, said, send, taken, world};
use crate::world::{ADA, World};

const FRAME: Duration = Duration::from_millis(33);
/// Packets of a frame: 2 Mbit/s.
const PACKETS: u32 = 8;

fn line(kilobits: u64) -> Link {
    Link::of(Duration::from_millis(10)).rate(kilobits * 1_000, 20_000)
}

/// Ada has sent pictures for three seconds, to whose end the line carries less than a third of them.
fn narrowed(seed: u64) -> (World, TransceiverId) {
    let mut world = world(seed, || line(4_000));
    let id = connected(&mut world, MediaKind::Video, Vec::new());
    for frame in 0..90 {
        send(&mut world, (id, 0), frame, PACKETS);
        pass(&mut world, FRAME);
        taken(&mut world);
    }
    let host = world.ends[ADA].host;
    world.network.relink(host, line(600), Link::default());
    (world, id)
}

/// Packets that Ada has sent again.
fn sent_again(world: &World) -> u64 {
    let stats = world.ends[ADA].peer.stats(world.now).stats;
    let sent = stats.iter().find_map(|stats| match stats {
        Stats::OutboundRtp(sent) => Some(sent.retransmitted_packets_sent),
        _ => None,
    });
    sent.unwrap()
}

/// Whoever gets what is asked for as often as it is asked for gets little else: an answer takes twenty times as long as before.
#[test]
fn a_line_that_narrows_is_not_filled_with_the_same_packets() {
    for seed in 1..=3 {
        let (mut world, id) = narrowed(seed);
        let before = sent_again(&world);
        let mut repaired = 0;
        for frame in 90..120 {
            send(&mut world, (id, 0), frame, PACKETS);
            pass(&mut world, FRAME);
            repaired += taken(&mut world).iter().filter(|packet| packet.is_repair).count();
        }
        pass(&mut world, Duration::from_millis(500));
        repaired += taken(&mut world).iter().filter(|packet| packet.is_repair).count();
        let again = sent_again(&world) - before;
        assert!(repaired >= 8 && repaired as u64 * 4 >= again * 3, "seed {seed}: {repaired} of {again}");
    }
}

/// A smaller picture comes at once, and nobody waits for what the larger one has left behind.
#[test]
fn who_begins_anew_does_not_wait_for_what_came_before() {
    for seed in 1..=3 {
        let (mut world, id) = narrowed(seed);
        let mut last = 0;
        for frame in 90..105 {
            send(&mut world, (id, 0), frame, PACKETS);
            pass(&mut world, FRAME);
            last = taken(&mut world).iter().map(|packet| packet.sequence_number).max().unwrap_or(last);
        }
        let now = world.now;
        let dropped = world.ends[ADA].peer.begin_anew(now, id, 0, None);
        assert!(dropped > 40, "seed {seed}: {dropped}");
        assert_eq!(world.ends[ADA].peer.begin_anew(now, id, 0, None), 0, "nothing waits any more");
        let before = last;
        let (mut seen, mut came) = (BTreeSet::new(), None);
        let mut asked = 0;
        for frame in 200..230 {
            send(&mut world, (id, 0), frame, 1);
            pass(&mut world, FRAME);
            for packet in taken(&mut world) {
                last = last.max(packet.sequence_number);
                if said(&packet).0 >= 200 {
                    assert!(seen.insert(packet.sequence_number), "seed {seed}");
                    came.get_or_insert((world.now - now, packet.sequence_number));
                }
            }
            asked = if frame == 214 { sent_again(&world) } else { asked };
        }
        let (took, first) = came.unwrap();
        assert!(took < Duration::from_millis(450), "seed {seed}: {took:?}");
        // Without a gap, but for what is lost on the way.
        assert!(first - before < 30 && last - first < 30, "seed {seed}: {before}, {first} to {last}");
        assert!(seen.len() >= 20, "seed {seed}: {} of 30", seen.len());
        assert_eq!(sent_again(&world), asked, "seed {seed}: nothing is asked for any more");
    }
}
