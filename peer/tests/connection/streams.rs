//! Connections over TCP and TLS: to relays, and between peers.

use std::time::Duration;

use twocan_peer::{Event, Kind as Payload, ServerTransport};

use crate::pipes::Party;
use crate::relays::{relayed, say};
use crate::world::{ADA, BOB, World};

const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn connects(world: &World, end: usize) -> Vec<twocan_peer::StreamId> {
    let events = world.ends[end].events.iter();
    let ids = events.filter_map(|event| match event {
        Event::Connect { id, .. } => Some(*id),
        _ => None,
    });
    ids.collect()
}

#[test]
fn peers_connect_over_tcp_whoever_listens() {
    for (active, passive) in [(ADA, BOB), (BOB, ADA)] {
        let mut world = World::lan(11);
        world.ends.iter_mut().for_each(|end| end.udp = false);
        world.ends[active].tcp = Some(ice::TcpType::Active);
        world.ends[passive].tcp = Some(ice::TcpType::Passive);
        let (ada, _) = world.channel("chat");
        let path = world.ends[ADA].peer.ice().path().unwrap();
        assert_eq!(path.protocol, ice::Protocol::Tcp);
        say(&mut world, ada, &[3; 250_000]);
        assert_eq!(world.ends[BOB].messages[0].1, vec![3; 250_000]);
        assert_eq!((connects(&world, active).len(), connects(&world, passive).len()), (1, 0));
        // Consent is asked for over it, and nothing counts as idle.
        world.pass(Duration::from_secs(300));
        say(&mut world, ada, b"still there?");
        let now = world.now;
        world.ends[ADA].peer.close(now);
        world.until(PATIENCE, |world| {
            world.ends[BOB].peer.connection_state() == twocan_peer::PeerConnectionState::Failed
        });
    }
}

#[test]
fn a_lost_connection_between_peers_is_opened_again() {
    let mut world = World::lan(12);
    world.ends.iter_mut().for_each(|end| end.udp = false);
    world.ends[ADA].tcp = Some(ice::TcpType::Active);
    world.ends[BOB].tcp = Some(ice::TcpType::Passive);
    let (ada, _) = world.channel("chat");
    let id = connects(&world, ADA)[0];
    let now = world.now;
    world.hang_up(Party::Peer(ADA, id));
    world.ends[ADA].peer.handle_disconnected(now, id);
    say(&mut world, ada, b"again");
    assert_eq!(connects(&world, ADA).len(), 2);
}

#[test]
fn relays_are_reached_over_streams() {
    for transport in [ServerTransport::Tcp, ServerTransport::Tls] {
        let mut world = relayed(13, transport);
        world.ends.iter_mut().for_each(|end| end.udp = false);
        let (ada, _) = world.channel("chat");
        say(&mut world, ada, &[5; 250_001]);
        assert_eq!(world.ends[BOB].messages[0].1, vec![5; 250_001]);
        world.pass(Duration::from_secs(1200));
        say(&mut world, ada, b"still there?");
        assert_eq!(world.servers[0].allocations(), 2);
        world.close();
        world.pass(Duration::from_secs(1));
        assert_eq!(world.servers[0].allocations(), 0);
    }
}

#[test]
fn while_a_stream_takes_no_more_data_waits_in_its_channel() {
    let mut world = relayed(14, ServerTransport::Tcp);
    world.ends.iter_mut().for_each(|end| end.udp = false);
    let (ada, _) = world.channel("chat");
    let (now, id) = (world.now, connects(&world, ADA)[0]);
    let mut buffer = Vec::new();
    let peer = &mut world.ends[ADA].peer;
    peer.set_stream_ready(id, false);
    peer.send_copy(now, ada, Payload::Binary, &[1; 100_000]).unwrap();
    assert_eq!(peer.poll_transmit(now, &mut buffer), None);
    assert_eq!((peer.poll_stream(now, &mut buffer), buffer.len()), (None, 0));
    assert_eq!(peer.buffered_amount(ada), 100_000);
    peer.set_stream_ready(id, true);
    world.until(PATIENCE, |world| world.ends[BOB].messages.len() == 1);
}

#[test]
fn a_lost_connection_to_a_relay_leaves_the_others() {
    let mut world = relayed(15, ServerTransport::Tcp);
    let udp = world.servers[0].turn(ServerTransport::Udp);
    world.ends[ADA].ice_servers.push(udp);
    let (ada, _) = world.channel("chat");
    let id = connects(&world, ADA)[0];
    let now = world.now;
    world.hang_up(Party::Peer(ADA, id));
    world.ends[ADA].peer.handle_disconnected(now, id);
    say(&mut world, ada, b"otherwise");
}

#[test]
fn redirections_are_followed() {
    for transport in [ServerTransport::Udp, ServerTransport::Tcp] {
        let mut world = relayed(16, transport);
        world.serve("203.0.113.2");
        let address = world.servers[1].address;
        let now = world.now;
        let elsewhere = crate::server::TurnServer::new(&mut world.network, now, "203.0.113.9", |config| {
            let ipv4 = Some(address);
            config.alternate = Some(turn::server::Alternate { ipv4, ..Default::default() });
        });
        world.servers[0].machine = elsewhere.machine;
        let (ada, _) = world.channel("chat");
        say(&mut world, ada, b"elsewhere");
        assert_eq!((world.servers[0].allocations(), world.servers[1].allocations()), (0, 2));
    }
}

#[test]
fn strangers_may_not_hold_connections_for_long() {
    let mut world = World::lan(17);
    world.channel("chat");
    let local = world.ends[BOB].peer.ice().path().unwrap().local;
    let now = world.now;
    let peer = &mut world.ends[BOB].peer;
    let strangers = (1..).map(|port| std::net::SocketAddr::from(([203, 0, 113, 7], port)));
    let accepted = strangers.map_while(|stranger| peer.handle_accepted(now, local, stranger)).count();
    assert_eq!(accepted, twocan_peer::limits::STREAMS);
    world.pass(Duration::from_secs(11));
    let closed =
        world.ends[BOB].events.iter().filter(|event| matches!(event, Event::Disconnect { .. })).count();
    assert_eq!(closed, accepted);
    let now = world.now;
    let mut bytes = *b"GET / HTTP/1.1\r\n";
    let id = world.ends[BOB].peer.handle_accepted(now, local, "203.0.113.7:9".parse().unwrap()).unwrap();
    // Nothing that is taken for a frame's length makes a datagram of the peer's out of it.
    let _ = world.ends[BOB].peer.handle_stream(now, id, &mut bytes);
    world.pass(Duration::from_secs(11));
    assert!(world.is_connected());
}
