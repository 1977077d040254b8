//! What every kind of NAT lets in, and how it translates.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use twocan_netsim::{Arrival, Home, HostId, Link, Loss, Nat, Network};

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

const ADA: &str = "192.168.1.2:5000";

struct World {
    network: Network,
    now: Instant,
    ada: HostId,
    one: HostId,
    other: HostId,
}

impl World {
    fn new(nat: Nat) -> Self {
        let now = Instant::now();
        let mut network = Network::new(5, now);
        let ada = network.host(Home::behind(nat, "198.51.100.1", "192.168.1.2"));
        let one = network.host(Home::public("203.0.113.1"));
        let other = network.host(Home::public("203.0.113.2"));
        Self { network, now, ada, one, other }
    }

    /// Sends, and says what arrives at once.
    fn send(&mut self, host: HostId, source: &str, destination: SocketAddr) -> Option<Arrival> {
        self.network.send(self.now, host, address(source), destination, b"?");
        self.network.receive(self.now)
    }
}

#[test]
fn filters_let_in_whom_they_should() {
    for (nat, same_address, stranger) in [
        (Nat::FULL_CONE, true, true),
        (Nat::ADDRESS_RESTRICTED, true, false),
        (Nat::PORT_RESTRICTED, false, false),
        (Nat::SYMMETRIC, false, false),
    ] {
        let mut world = World::new(nat);
        let (ada, one, other) = (world.ada, world.one, world.other);
        let seen = world.send(ada, ADA, address("203.0.113.1:3478")).expect("the way out is open").source;
        let back = world.send(one, "203.0.113.1:3478", seen).expect("whom one wrote to may answer");
        assert_eq!((back.host, back.destination), (ada, address(ADA)));
        assert_eq!(world.send(one, "203.0.113.1:9", seen).is_some(), same_address, "{nat:?}");
        assert_eq!(world.send(other, "203.0.113.2:9", seen).is_some(), stranger, "{nat:?}");
    }
}

#[test]
fn only_the_symmetric_one_maps_anew_for_every_remote_end() {
    for (nat, same) in [(Nat::PORT_RESTRICTED, true), (Nat::SYMMETRIC, false)] {
        let mut world = World::new(nat);
        let ada = world.ada;
        let first = world.send(ada, ADA, address("203.0.113.1:3478")).expect("out").source;
        let second = world.send(ada, ADA, address("203.0.113.1:3479")).expect("out").source;
        let third = world.send(ada, ADA, address("203.0.113.2:3478")).expect("out").source;
        assert_eq!((first == second, first == third), (same, same), "{nat:?}");
    }
}

#[test]
fn an_idle_mapping_ends() {
    let mut world = World::new(Nat { lifetime: Duration::from_secs(30), ..Nat::FULL_CONE });
    let (ada, one) = (world.ada, world.one);
    let seen = world.send(ada, ADA, address("203.0.113.1:3478")).expect("out").source;
    world.now += Duration::from_secs(31);
    assert_eq!(world.send(one, "203.0.113.1:3478", seen), None);
}

#[test]
fn hosts_behind_one_router_meet_inside_and_by_hairpin_only_if_it_can() {
    for hairpin in [false, true] {
        let mut world = World::new(Nat { hairpin, ..Nat::FULL_CONE });
        let ada = world.ada;
        let nat = Nat { hairpin, ..Nat::FULL_CONE };
        let bob = world.network.host(Home::behind(nat, "198.51.100.1", "192.168.1.3"));
        let inside = world.send(bob, "192.168.1.3:6000", address(ADA)).expect("on the same LAN");
        assert_eq!((inside.host, inside.source), (ada, address("192.168.1.3:6000")));
        let seen = world.send(ada, ADA, address("203.0.113.1:3478")).expect("out").source;
        let turned =
            world.send(bob, "192.168.1.3:6000", seen).map(|turned| (turned.host, turned.source.ip()));
        assert_eq!(turned, hairpin.then_some((ada, seen.ip())));
    }
}

#[test]
fn a_carrier_translates_once_more() {
    let now = Instant::now();
    let mut network = Network::new(5, now);
    let carrier = network.carrier(Nat::PORT_RESTRICTED, "203.0.113.99".parse().expect("an address"));
    let home = |public, private| Home::behind(Nat::PORT_RESTRICTED, public, private).in_carrier(carrier);
    let ada = network.host(home("100.64.0.1", "192.168.1.2"));
    let bob = network.host(home("100.64.0.2", "192.168.1.2"));
    let server = network.host(Home::public("203.0.113.1"));
    let mut seen = Vec::new();
    for host in [ada, bob] {
        network.send(now, host, address(ADA), address("203.0.113.1:3478"), b"?");
        let arrival = network.receive(now).expect("out");
        assert_eq!((arrival.host, arrival.source.ip().to_string().as_str()), (server, "203.0.113.99"));
        seen.push(arrival.source);
    }
    network.send(now, server, address("203.0.113.1:3478"), seen[1], b"!");
    assert_eq!(network.receive(now).expect("in").host, bob);
    // Without hairpinning they do not reach each other at their public addresses.
    network.send(now, ada, address(ADA), seen[1], b"?");
    assert_eq!(network.receive(now), None);
}

#[test]
fn the_same_seed_has_the_same_luck() {
    let run = |seed| {
        let start = Instant::now();
        let mut network = Network::new(seed, start);
        let link = Link {
            duplicated: 0.1,
            reordered: 0.1,
            ..Link::of(Duration::from_millis(5)).loss(Loss::Random(0.2))
        };
        let ada = network.host(Home::public("203.0.113.1").links(link.clone(), link));
        let bob = network.host(Home::public("203.0.113.2"));
        for number in 0..200_u8 {
            let at = start + Duration::from_millis(number.into());
            network.send(at, ada, address("203.0.113.1:1"), address("203.0.113.2:1"), &[number]);
        }
        let mut arrived = Vec::new();
        while let Some(at) = network.next_arrival() {
            let arrival = network.receive(at).expect("its time has come");
            assert_eq!(arrival.host, bob);
            arrived.push((at - start, arrival.bytes));
        }
        (arrived, network.counters())
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}
