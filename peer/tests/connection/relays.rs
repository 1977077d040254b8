//! Relays: gathered, used, kept, lost, given back.

use std::time::Duration;

use ice::Kind;
use twocan_peer::{Event, IceGatheringState, IceTransportPolicy, Kind as Payload, ServerTransport};

use crate::nats::{Place, kinds, world};
use crate::world::{ADA, BOB, World};

const PATIENCE: Duration = Duration::from_secs(60);

/// Both behind NATs that only a relay joins.
fn apart(seed: u64) -> World {
    let symmetric = Place::Behind(netsim::Nat::SYMMETRIC);
    world(seed, [symmetric, symmetric])
}

/// Both reached through relays only.
pub(crate) fn relayed(seed: u64, transport: ServerTransport) -> World {
    let homes = [Place::Open.home(0), Place::Open.home(1)];
    let mut world = World::configured(seed, homes, |_, configuration| {
        configuration.ice_transport_policy = IceTransportPolicy::Relay;
    });
    world.serve("203.0.113.1");
    for end in [ADA, BOB] {
        let server = &world.servers[0];
        world.ends[end].ice_servers = vec![server.stun(), server.turn(transport)];
    }
    world
}

pub(crate) fn say(world: &mut World, channel: twocan_peer::ChannelId, text: &[u8]) {
    let (now, heard) = (world.now, world.ends[BOB].messages.len());
    world.ends[ADA].peer.send_copy(now, channel, Payload::Binary, text).unwrap();
    world.until(PATIENCE, |world| world.ends[BOB].messages.len() == heard + 1);
}

#[test]
fn candidates_of_every_kind_are_told_then_their_end() {
    let mut world = world(1, [Place::Behind(netsim::Nat::PORT_RESTRICTED), Place::Open]);
    world.channel("chat");
    let told: Vec<String> = world.ends[ADA]
        .events
        .iter()
        .filter_map(|event| match event {
            Event::IceCandidate(Some(candidate)) => Some(candidate.candidate.clone()),
            _ => None,
        })
        .collect();
    let count = |kind: &str| told.iter().filter(|text| text.contains(kind)).count();
    // One STUN server that sees what the TURN server sees; relays over UDP and TCP.
    assert_eq!((count("typ host"), count("typ srflx"), count("typ relay")), (1, 1, 2), "{told:#?}");
    let events = &world.ends[ADA].events;
    let last = events.iter().position(|event| *event == Event::IceCandidate(None)).unwrap();
    assert_eq!(events[last + 1], Event::IceGatheringState(IceGatheringState::Complete));
    assert!(!events[last..].iter().any(|event| matches!(event, Event::IceCandidate(Some(_)))));
    let protocols: Vec<_> =
        world.ends[ADA].peer.ice().local_candidates().filter_map(|report| report.relay_protocol).collect();
    assert!(protocols.contains(&ice::RelayProtocol::Udp) && protocols.contains(&ice::RelayProtocol::Tcp));
}

#[test]
fn data_goes_through_channels_and_batches_stay_batches() {
    let mut world = relayed(2, ServerTransport::Udp);
    let (ada, _) = world.channel("chat");
    say(&mut world, ada, &[1; 1000]);
    let server = &mut world.servers[0];
    (server.relayed, server.indications) = (0, 0);
    say(&mut world, ada, &[7; 200_000]);
    let server = &world.servers[0];
    assert!(server.relayed > 160 && server.indications == 0, "{} {}", server.relayed, server.indications);
    assert_eq!(world.ends[BOB].messages[1].1, vec![7; 200_000]);
    let now = world.now;
    world.ends[ADA].peer.send_copy(now, ada, Payload::Binary, &[8; 50_000]).unwrap();
    let mut buffer = Vec::new();
    let sent = world.ends[ADA].peer.poll_transmit(now, &mut buffer).unwrap();
    assert_eq!(sent.destination, world.servers[0].address);
    assert!(sent.segment_size.is_some_and(|size| buffer.len() > size * 4), "{sent:?} {}", buffer.len());
}

#[test]
fn closing_gives_every_relay_back() {
    let mut world = apart(3);
    world.channel("chat");
    assert_eq!(world.servers[0].allocations(), 4);
    world.close();
    world.pass(Duration::from_secs(1));
    assert_eq!(world.servers[0].allocations(), 0);
}

#[test]
fn relays_live_for_half_an_hour_and_more() {
    let mut world = apart(4);
    let (ada, _) = world.channel("chat");
    for _ in 0..6 {
        world.pass(Duration::from_secs(300));
        say(&mut world, ada, b"still there?");
    }
    assert!(world.is_connected());
    assert_eq!(world.servers[0].allocations(), 4);
}

#[test]
fn a_restart_takes_up_the_relays_there_are() {
    let mut world = apart(5);
    let (ada, _) = world.channel("chat");
    world.ends[ADA].peer.restart_ice();
    world.pass(Duration::from_secs(5));
    world.until(PATIENCE, World::is_connected);
    say(&mut world, ada, b"again");
    assert_eq!(world.servers[0].allocations(), 4);
}

#[test]
fn only_relays_are_told_and_used_where_that_is_asked() {
    let mut world = relayed(6, ServerTransport::Udp);
    let (ada, _) = world.channel("chat");
    say(&mut world, ada, b"unseen");
    assert!(kinds(&world).iter().all(|(local, _)| *local == Kind::Relayed), "{:?}", kinds(&world));
    for event in &world.ends[ADA].events {
        if let Event::IceCandidate(Some(candidate)) = event {
            let text = &candidate.candidate;
            assert!(text.contains("typ relay") && text.contains("raddr 0.0.0.0 rport 9"), "{text}");
        }
    }
}

#[test]
fn a_server_that_dies_is_left_for_another() {
    let mut world = apart(7);
    world.serve("203.0.113.2");
    let (ada, _) = world.channel("chat");
    world.servers[0].is_alive = false;
    let is = |state| move |world: &World| world.ends[ADA].peer.ice_connection_state() == state;
    world.until(PATIENCE, is(ice::State::Disconnected));
    for end in [ADA, BOB] {
        let other = world.servers[1].turn(ServerTransport::Udp);
        world.ends[end].ice_servers.push(other);
    }
    world.ends[ADA].peer.restart_ice();
    world.until(PATIENCE, World::is_connected);
    say(&mut world, ada, b"elsewhere");
    assert!(world.servers[1].relayed > 0);
}

#[test]
fn a_server_that_has_forgotten_everything_is_asked_again() {
    let mut world = apart(8);
    let (ada, _) = world.channel("chat");
    let now = world.now;
    let fresh = crate::server::TurnServer::new(&mut world.network, now, "203.0.113.9", |_| {});
    world.servers[0].machine = fresh.machine;
    world.pass(Duration::from_secs(40));
    world.ends[ADA].peer.restart_ice();
    world.pass(Duration::from_secs(2));
    world.until(PATIENCE, World::is_connected);
    say(&mut world, ada, b"again");
}

#[test]
fn a_wrong_password_and_silence_are_told() {
    let mut world = world(9, [Place::Open, Place::Open]);
    world.serve("203.0.113.2");
    world.servers[1].is_alive = false;
    let mut wrong = world.servers[0].turn(ServerTransport::Udp);
    wrong.kind = twocan_peer::IceServerKind::Turn { username: "ada".into(), credential: "guess".into() };
    world.ends[ADA].ice_servers = vec![wrong, world.servers[1].stun()];
    world.channel("chat");
    world.until(PATIENCE, |world| world.ends[ADA].peer.ice_gathering_state() == IceGatheringState::Complete);
    let errors: Vec<(u16, &str)> = world.ends[ADA]
        .events
        .iter()
        .filter_map(|event| match event {
            Event::IceCandidateError { error_code, url, .. } => Some((*error_code, &**url)),
            _ => None,
        })
        .collect();
    let expected = [(401, "turn:203.0.113.1:3478?transport=udp"), (701, "stun:203.0.113.2:3478")];
    assert_eq!(errors, expected);
}

#[test]
fn relays_of_both_families_are_lent_at_once() {
    let homes = [Place::Open.home(0), Place::Open.home(1).and("2001:db8:2::1")];
    let mut world = World::configured(10, homes, |end, configuration| {
        if end == ADA {
            configuration.ice_transport_policy = IceTransportPolicy::Relay;
        }
    });
    let now = world.now;
    let server = crate::server::TurnServer::new(&mut world.network, now, "203.0.113.1", |config| {
        config.fallback = [None, "2001:db8:1::1".parse().ok()];
    });
    world.network.readdress(server.host, vec![server.address.ip(), "2001:db8:1::1".parse().unwrap()]);
    world.ends[ADA].ice_servers = vec![server.turn(ServerTransport::Udp)];
    world.servers.push(server);
    let (ada, _) = world.channel("chat");
    say(&mut world, ada, b"either way");
    let relayed: Vec<bool> =
        world.ends[ADA].peer.ice().local_candidates().map(|report| report.address.is_ipv4()).collect();
    assert_eq!(relayed, [true, false]);
    // IPv6 comes first where both work (RFC 8421).
    assert!(world.ends[ADA].peer.ice().path().unwrap().local.is_ipv6());
}

#[test]
fn another_network_brings_other_relays() {
    let mut world = apart(11);
    let (ada, _) = world.channel("chat");
    let host = world.ends[ADA].host;
    let old = world.network.addresses(host)[0];
    world.network.readdress(host, vec!["10.0.1.77".parse().unwrap()]);
    let now = world.now;
    world.ends[ADA].peer.remove_local_candidates(now, std::net::SocketAddr::new(old, 5000));
    for id in crate::streams::connects(&world, ADA) {
        world.hang_up(crate::pipes::Party::Peer(ADA, id));
        world.ends[ADA].peer.handle_disconnected(now, id);
    }
    let told = world.ends[ADA].events.len();
    world.ends[ADA].peer.restart_ice();
    world.until(PATIENCE, |world| {
        world.is_connected() && world.ends[ADA].events[told..].contains(&Event::IceCandidate(None))
    });
    say(&mut world, ada, b"from elsewhere");
    let is_gone = |event: &Event| matches!(event, Event::IceCandidate(Some(candidate)) if candidate.candidate.contains("10.0.1.2 "));
    assert!(!world.ends[ADA].events[told..].iter().any(is_gone));
}
