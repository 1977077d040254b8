//! Packets of media that leave at once, beside those that wait.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use netsim::{Home, Link, Loss};
use rtp::Timestamp;
use twocan_peer::{
    Burst, Direction, MediaCapabilities, MediaKind, OutgoingPacket, Prefix, TransceiverId, TransceiverInit,
};

use crate::world::{ADA, BOB, World};

const PATIENCE: Duration = Duration::from_secs(60);
const FRAME: Duration = Duration::from_millis(33);

fn world(seed: u64, links: impl Fn() -> Link) -> (World, TransceiverId) {
    let home = |address| Home::public(address).links(links(), Link::default());
    let mut world = World::configured(seed, [home("192.0.2.1"), home("192.0.2.2")], |_, configuration| {
        configuration.media = Some(Arc::new(MediaCapabilities::default()));
    });
    let init = TransceiverInit { direction: Direction::SendOnly, ..TransceiverInit::default() };
    let id = world.ends[ADA].peer.add_transceiver(MediaKind::Video, init).unwrap();
    world.until(PATIENCE, World::is_connected);
    (world, id)
}

/// A frame of so many packets, the later ones a byte longer, as encoders cut them; how many left together.
fn send(world: &mut World, id: TransceiverId, frame: u32, count: u32, burst: &mut Burst) -> Vec<usize> {
    let now = world.now;
    let peer = &mut world.ends[ADA].peer;
    let payload_type = peer.transceiver(id).unwrap().agreement().unwrap().preferred().unwrap().send;
    burst.set_level(1_001);
    for place in 0..count {
        let packet = OutgoingPacket {
            payload_type,
            marker: place + 1 == count,
            timestamp: Timestamp(frame.wrapping_mul(2970)),
            sequence_number: None,
            prefix: Prefix::new(&frame.to_be_bytes()).unwrap(),
            payload: [place.to_be_bytes().as_slice(), &vec![7; 992 + usize::from(place >= count / 2)]]
                .concat()
                .into(),
        };
        peer.send_packet_at_once(now, (id, 0), packet, |_, _| (), burst).unwrap();
    }
    let together = world.send_burst(ADA, burst);
    world.settle();
    together
}

fn pass(world: &mut World, time: Duration) -> Vec<(u32, u32, usize, bool)> {
    let until = world.now + time;
    while world.step(until) {}
    world.settle();
    let packets = std::iter::from_fn(|| world.ends[BOB].peer.poll_packet());
    let read = packets.map(|one| {
        let packet = one.read().unwrap();
        let (frame, rest) = packet.payload().split_first_chunk().unwrap();
        let place = u32::from_be_bytes(*rest.first_chunk().unwrap());
        (u32::from_be_bytes(*frame), place, packet.payload().len(), one.is_repair)
    });
    read.collect()
}

#[test]
fn a_frame_leaves_in_one_call_and_arrives_as_it_was() {
    let (mut world, id) = world(1, || Link::of(Duration::from_millis(10)));
    let mut burst = Burst::default();
    let (mut came, mut at_once) = (Vec::new(), 0);
    for frame in 0..60 {
        let together = send(&mut world, id, frame, 4, &mut burst);
        // While the path is measured, and all else is asked for, everything is queued.
        assert!(together == [4] || together.is_empty(), "{frame}: {together:?}");
        at_once += together.len();
        came.extend(pass(&mut world, FRAME));
    }
    let expected = (0..60).flat_map(|frame| (0..4).map(move |place| (frame, place)));
    let expected: Vec<_> =
        expected.map(|(frame, place)| (frame, place, 1_000 + usize::from(place >= 2), false)).collect();
    assert_eq!(came, expected);
    assert!(at_once > 30, "{at_once} of 60 frames");
}

#[test]
fn more_than_the_way_carries_waits_and_keeps_its_order() {
    let link = || Link { rate: Some(4_000_000), ..Link::of(Duration::from_millis(10)) };
    let (mut world, id) = world(2, link);
    let mut burst = Burst::default();
    let (mut came, mut queued) = (Vec::new(), 0);
    for frame in 0..90 {
        // Each tenth is a key frame of 40 packets.
        let count = if frame % 10 == 5 { 40 } else { 4 };
        let left: usize = send(&mut world, id, frame, count, &mut burst).iter().sum();
        queued += count as usize - left;
        came.extend(pass(&mut world, FRAME));
    }
    came.extend(pass(&mut world, Duration::from_secs(2)));
    let sent: usize = (0..90).map(|frame| if frame % 10 == 5 { 40 } else { 4 }).sum();
    let order: Vec<_> = came.iter().filter(|one| !one.3).map(|one| (one.0, one.1)).collect();
    assert!(order.is_sorted(), "what left at once overtook what waited");
    assert!(queued > 50, "{queued} waited");
    let all: BTreeSet<_> = came.iter().map(|one| (one.0, one.1)).collect();
    assert!(all.len() > sent * 9 / 10, "{} of {sent}", all.len());
}

#[test]
fn what_is_lost_of_it_is_sent_again() {
    let (mut world, id) = world(3, || Link::of(Duration::from_millis(20)).loss(Loss::Random(0.05)));
    let mut burst = Burst::default();
    let (mut came, mut repaired) = (BTreeSet::new(), 0);
    for frame in 0..200 {
        send(&mut world, id, frame, 4, &mut burst);
        for (frame, place, length, is_repair) in pass(&mut world, FRAME) {
            assert!(came.insert((frame, place)), "{frame} {place} came twice");
            assert_eq!(length, 1_000 + usize::from(place >= 2));
            repaired += usize::from(is_repair);
        }
    }
    came.extend(pass(&mut world, Duration::from_secs(2)).iter().map(|one| (one.0, one.1)));
    assert!(came.len() >= 798, "{} of 800", came.len());
    assert!(repaired >= 20, "{repaired} repaired");
}
