//! How many round trips a connection takes, and that DTLS in STUN and SCTP's INIT in descriptions save some
//! (draft-hancke-webrtc-sped, draft-hancke-tsvwg-snap).

use std::sync::Arc;
use std::time::{Duration, Instant};

use dtls::Version;
use netsim::{Home, Link, Loss};
use twocan_peer::stats::{DtlsInStun, Stats, TransportStats};
use twocan_peer::{Configuration, Event, Kind, PeerConnection, SignalingState};

use crate::world::{ADA, BOB, World};

const ROUND_TRIP: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(30);

/// From the moment on which the offerer has the answer: when its channel is open, when the answerer has it, and when the
/// first answer to a message is there, in milliseconds.
#[derive(Debug, PartialEq)]
struct Rounds {
    open: u128,
    incoming: u128,
    echoed: u128,
}

fn homes(link: &Link) -> [Home; 2] {
    [Home::public("192.0.2.1").link(link.clone()), Home::public("192.0.2.2").link(link.clone())]
}

fn connect(configure: impl Fn(usize, &mut Configuration)) -> (World, Rounds) {
    let mut world = World::configured(1, homes(&Link::of(ROUND_TRIP / 2)), configure);
    world.signaling = ROUND_TRIP / 2;
    let now = world.now;
    let ada = world.ends[ADA].peer.create_data_channel(now, "chat", "", Default::default()).unwrap();
    let is = |state| move |world: &World| world.ends[ADA].peer.signaling_state() == state;
    world.until(PATIENCE, is(SignalingState::HaveLocalOffer));
    world.until(PATIENCE, is(SignalingState::Stable));
    let answered = world.now;
    let rounds = |world: &World| (world.now - answered).as_millis();
    world.until(PATIENCE, |world| world.ends[ADA].events.contains(&Event::ChannelOpen(ada)));
    let open = rounds(&world);
    let now = world.now;
    world.ends[ADA].peer.send_copy(now, ada, Kind::String, b"hello").unwrap();
    world.until(PATIENCE, |world| world.incoming("chat").is_some());
    let incoming = rounds(&world);
    world.until(PATIENCE, |world| !world.ends[BOB].messages.is_empty());
    let (now, bob) = (world.now, world.incoming("chat").unwrap());
    world.ends[BOB].peer.send_copy(now, bob, Kind::String, b"hello").unwrap();
    world.until(PATIENCE, |world| !world.ends[ADA].messages.is_empty());
    let echoed = rounds(&world);
    (world, Rounds { open, incoming, echoed })
}

/// Whether statistics say that checks carried the handshake, both ways, and that there was none of SCTP's.
fn extras(peer: &PeerConnection, now: Instant) -> (bool, bool) {
    let report = peer.stats(now);
    let Some(Stats::Transport(stats)) = report.get(TransportStats::ID) else { panic!("{report:?}") };
    let DtlsInStun { received, acknowledged } = stats.dtls_in_stun;
    (received + acknowledged > 0, stats.sctp_inits == 0)
}

#[test]
fn a_channel_is_open_one_round_trip_after_the_answer() {
    println!("ms from the answer on, at 100 ms a round trip   open  incoming  echoed");
    let mut all = Vec::new();
    for (name, sped, snap) in [
        ("neither", false, false),
        ("SNAP", false, true),
        ("SPED", true, false),
        ("SPED and SNAP", true, true),
    ] {
        let (world, rounds) =
            connect(|_, configuration| (configuration.sped, configuration.snap) = (sped, snap));
        for end in &world.ends {
            assert_eq!(extras(&end.peer, world.now), (sped, snap), "{name}");
        }
        let Rounds { open, incoming, echoed } = rounds;
        println!("{name:<46}  {open:>4}  {incoming:>8}  {echoed:>6}");
        all.push([open, incoming, echoed]);
    }
    assert_eq!(all, [[300, 350, 400], [200, 250, 300], [200, 250, 300], [100, 150, 200]]);
}

#[test]
fn dtls_1_2_takes_as_long() {
    let (_, rounds) = connect(|_, configuration| {
        let versions = vec![Version::Dtls12];
        configuration.dtls = Arc::new(dtls::Config { versions, ..dtls::Config::default() });
    });
    assert_eq!(rounds, Rounds { open: 100, incoming: 150, echoed: 200 });
}

#[test]
fn an_end_alone_with_either_costs_nothing_and_nothing_goes_wrong() {
    let (_, plain) = connect(|_, configuration| (configuration.sped, configuration.snap) = (false, false));
    for alone in [ADA, BOB] {
        let (world, rounds) = connect(|end, configuration| {
            (configuration.sped, configuration.snap) = (end == alone, end == alone);
        });
        assert_eq!(rounds, plain);
        for end in &world.ends {
            assert_eq!(end.peer.counters(), Default::default());
        }
    }
}

#[test]
fn nothing_is_dropped_on_the_way() {
    let (world, _) = connect(|_, _| {});
    for end in &world.ends {
        assert_eq!(end.peer.counters(), Default::default());
    }
}

#[test]
fn a_handshake_in_checks_survives_loss() {
    for seed in 1..=20 {
        let link = Link::of(ROUND_TRIP / 2).loss(Loss::Random(0.3));
        let mut world = World::new(seed, homes(&link));
        world.channel("chat");
    }
}
