//! A line that narrows while pictures go over it, as a mobile phone's does.

use std::time::Duration;

use netsim::Link;
use twocan_peer::stats::Stats;
use twocan_peer::{MediaKind, TransceiverId};

use crate::flow::{connected, pass, send, taken, world};
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
        assert!(repaired > 20 && repaired as u64 * 4 >= again * 3, "seed {seed}: {repaired} of {again}");
    }
}
