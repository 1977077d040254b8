//! What holds whatever the network does, short of cutting it, over many seeds.
//!
//! `TWOCAN_SEEDS` says how many (or which, as `17..18`); a seed that fails is printed with the command that replays it.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use netsim::{Home, Link, Loss, Outage};
use twocan_peer::{Kind as Payload, PeerConnectionState, ServerTransport};

use crate::luck::Luck;
use crate::nats::{PLACES, Place};
use crate::pipes::Party;
use crate::world::{ADA, BOB, World};

const PATIENCE: Duration = Duration::from_secs(120);

/// Few enough for every day.
const SEEDS: u64 = 60;

/// Those that have found something: data that could not leave kept its driver awake; ICE failed while a relay was still
/// asked for; the only connection to a relay broke last of all.
const REMEMBERED: [u64; 3] = [165, 534, 663];

#[expect(clippy::disallowed_methods, reason = "how long to look is the caller's to say")]
fn seeds() -> Vec<u64> {
    let Ok(text) = std::env::var("TWOCAN_SEEDS") else { return (0..SEEDS).chain(REMEMBERED).collect() };
    let number = |text: &str| text.parse().expect("TWOCAN_SEEDS is a number, or two with .. between them");
    match text.split_once("..") {
        Some((from, to)) => (number(from)..number(to)).collect(),
        None => (0..number(&text)).collect(),
    }
}

/// Runs a property for every seed.
fn for_every_seed(name: &str, property: impl Fn(u64)) {
    for seed in seeds() {
        if let Err(failure) = catch_unwind(AssertUnwindSafe(|| property(seed))) {
            eprintln!(
                "seed {seed} fails: TWOCAN_SEEDS={seed}..{} cargo test -p twocan-peer --test connection {name}",
                seed + 1
            );
            resume_unwind(failure);
        }
    }
}

impl Luck {
    /// A link that loses, repeats, reorders, and sometimes stops for a while.
    fn link(&mut self) -> Link {
        let loss = match self.below(3) {
            0 => Loss::None,
            1 => Loss::Random(self.below(8) as f64 / 100.0),
            _ => Loss::Bursts { begin: 0.01, end: 0.3 },
        };
        let lasting = self.milliseconds(6000);
        let outages = vec![Outage { from: self.milliseconds(20_000), lasting }];
        let rate = self.one_in(3).then(|| (200_000 + self.below(5_000_000), 60_000));
        let link = Link {
            jitter: self.milliseconds(20),
            duplicated: self.below(5) as f64 / 100.0,
            reordered: self.below(5) as f64 / 100.0,
            reordered_by: self.milliseconds(50),
            outages: if self.one_in(4) { outages } else { Vec::new() },
            ..Link::of(self.milliseconds(80))
        };
        let link = link.loss(loss);
        match rate {
            Some((rate, buffer)) => link.rate(rate, buffer),
            None => link,
        }
    }

    fn home(&mut self, place: Place, end: usize) -> Home {
        place.home(end).links(self.link(), self.link())
    }

    /// Two ends anywhere, with servers and, sometimes, TCP candidates.
    fn world(&mut self, seed: u64) -> World {
        let places = [ADA, BOB].map(|_| PLACES[self.below(PLACES.len() as u64) as usize]);
        let homes = [self.home(places[0], 0), self.home(places[1], 1)];
        let (sped, snap) = (self.one_in(2), self.one_in(2));
        let mut world = World::configured(seed, homes, |_, configuration| {
            (configuration.sped, configuration.snap) = (sped, snap);
        });
        world.serve("203.0.113.1");
        world.signaling = self.milliseconds(300);
        world.trickles = self.one_in(2);
        for end in [ADA, BOB] {
            let server = &world.servers[0];
            let mut servers = vec![server.stun(), server.turn(ServerTransport::Udp)];
            // Otherwise nobody gets out where there is no UDP, or through what is lost.
            servers.push(server.turn(if self.one_in(2) {
                ServerTransport::Tcp
            } else {
                ServerTransport::Tls
            }));
            world.ends[end].ice_servers = servers;
            world.ends[end].tcp = match self.below(3) {
                0 => Some(ice::TcpType::Active),
                1 => Some(ice::TcpType::Passive),
                _ => None,
            };
        }
        world
    }
}

/// The tables that a peer can fill are bounded.
fn assert_bounded(world: &World) {
    for end in &world.ends {
        let agent = end.peer.ice();
        assert!(agent.pairs().count() <= ice::limits::PAIRS);
        assert!(agent.local_candidates().count() <= ice::limits::LOCAL_CANDIDATES);
        assert!(agent.remote_candidates().count() <= ice::limits::REMOTE_CANDIDATES);
    }
    // Each end asks over UDP and over a stream; after a restart the same ones are used.
    assert!(world.servers[0].allocations() <= 4, "{} relays", world.servers[0].allocations());
}

/// Says something at each end, over and over, while the network does what it likes. `disturb` says whether it broke a
/// connection to a server.
///
/// Such a connection that breaks may have been the only way, and the last word: then ICE fails, and the application
/// restarts it. Only then: whatever else happens, it has to recover by itself.
fn converse(world: &mut World, luck: &mut Luck, mut disturb: impl FnMut(&mut World, &mut Luck) -> bool) {
    let (ada, bob) = world.channel("chat");
    let channels = [ada, bob];
    let mut said = [Vec::new(), Vec::new()];
    let mut is_broken = false;
    for number in 0..30 {
        let speaker = luck.below(2) as usize;
        let length = if luck.one_in(6) { luck.below(60_000) } else { luck.below(2000) };
        let mut text = vec![number as u8; length as usize];
        text.extend_from_slice(&(number as u32).to_be_bytes());
        let now = world.now;
        world.ends[speaker].peer.send_copy(now, channels[speaker], Payload::Binary, &text).unwrap();
        said[1 - speaker].push((channels[1 - speaker], text));
        is_broken |= disturb(world, luck);
        let time = luck.milliseconds(600);
        world.pass(time);
        assert_bounded(world);
    }
    let has_all =
        |world: &World| world.ends.iter().zip(&said).all(|(end, said)| end.messages.len() >= said.len());
    let has_failed = |world: &World| {
        world.ends.iter().all(|end| end.peer.connection_state() == PeerConnectionState::Failed)
    };
    world.until(PATIENCE, |world| has_all(world) || is_broken && has_failed(world));
    if !has_all(world) {
        world.ends[ADA].peer.restart_ice();
        world.until(PATIENCE, has_all);
    }
    world.pass(Duration::from_secs(3));
    for (end, said) in world.ends.iter().zip(&said) {
        assert!(end.messages == *said, "once each, in order: {} of {}", end.messages.len(), said.len());
    }
    assert_bounded(world);
}

#[test]
fn messages_arrive_once_and_in_order_whatever_the_network_does() {
    for_every_seed("messages_arrive", |seed| {
        let mut luck = Luck(seed);
        let mut world = luck.world(seed);
        converse(&mut world, &mut luck, |_, _| false);
    });
}

#[test]
fn nothing_is_lost_when_paths_change() {
    for_every_seed("nothing_is_lost", |seed| {
        let mut luck = Luck(!seed);
        let mut world = luck.world(seed);
        // Descriptions that wait for candidates are overtaken by those of the next exchange.
        world.trickles = true;
        converse(&mut world, &mut luck, |world, luck| match luck.below(12) {
            0 => {
                world.ends[luck.below(2) as usize].peer.restart_ice();
                false
            }
            1 => {
                // A connection breaks.
                let end = luck.below(2) as usize;
                if let Some(id) = crate::streams::connects(world, end).pop() {
                    let now = world.now;
                    world.hang_up(Party::Peer(end, id));
                    world.ends[end].peer.handle_disconnected(now, id);
                }
                true
            }
            _ => false,
        });
        world.close();
    });
}

#[test]
fn a_server_that_says_anything_does_no_harm() {
    for_every_seed("a_server_that", |seed| {
        let mut luck = Luck(seed);
        let homes = [Place::Open.home(0), Place::Open.home(1)];
        let mut world = World::new(seed, homes);
        world.serve("203.0.113.1");
        world.servers[0].garble = Some(Luck(seed));
        let server = &world.servers[0];
        let servers =
            vec![server.stun(), server.turn(ServerTransport::Udp), server.turn(ServerTransport::Tcp)];
        world.ends[ADA].ice_servers = servers;
        let (ada, _) = world.channel("chat");
        for _ in 0..5 {
            world.pass(Duration::from_secs(60));
            let now = world.now;
            if luck.one_in(3) {
                world.ends[ADA].peer.restart_ice();
            }
            world.ends[ADA].peer.send_copy(now, ada, Payload::Binary, b"still there?").unwrap();
        }
        world.until(PATIENCE, |world| world.ends[BOB].messages.len() == 5 && world.is_connected());
        assert_bounded(&world);
        assert!(world.ends[ADA].events.len() < 1000, "{} events", world.ends[ADA].events.len());
    });
}
