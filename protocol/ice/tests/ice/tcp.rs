//! TCP candidates (RFC 6544): one connects, the other listens.

use twocan_ice::{Kind, LocalCandidate, Protocol, Refused, State, TcpType, Transport};

use crate::nat::Flavour;
use crate::network::Conditions;
use crate::pair::{Pair, Step, ms, seconds};

const LISTENER: &str = "192.0.2.2:443";

/// A client behind a NAT that lets no UDP out, and a server that listens.
fn pair(seed: u64) -> Pair {
    let mut pair = Pair::plain(seed, Conditions::delay(20));
    pair.network.put_behind(0, Flavour::PortRestricted);
    pair.network.places[0].udp_blocked = true;
    pair.host(0, "10.0.0.1:1000");
    pair.host(1, "192.0.2.2:443");
    pair.sides[1].listens.push(LISTENER.parse().unwrap());
    let active = LocalCandidate::tcp("10.0.0.1:0".parse().unwrap(), TcpType::Active);
    let passive = LocalCandidate::tcp(LISTENER.parse().unwrap(), TcpType::Passive);
    pair.later(0, ms(0), Step::Local(active));
    pair.later(1, ms(0), Step::Local(passive));
    pair.gathered(0);
    pair.gathered(1);
    pair
}

#[test]
fn where_udp_does_not_pass_a_connection_does() {
    for seed in 0..10 {
        let mut pair = pair(seed);
        pair.introduce();
        let took = pair.until(seconds(1), "a path", |pair| pair.sides[0].agent.path().is_some());
        assert_eq!(took, ms(40 + 40), "a round trip to connect and one to check");
        let took = pair.until(seconds(1), "paths", Pair::have_paths);
        assert_eq!(took, ms(20), "the listener checks when it is checked");
        pair.until_states(seconds(5), State::Completed);
        let path = pair.sides[0].agent.path().unwrap();
        assert_eq!((path.protocol, path.remote), (Protocol::Tcp, LISTENER.parse().unwrap()));
        assert_eq!(pair.sides[0].kinds(), Some((Kind::PeerReflexive, Kind::Host)));
        assert_eq!(pair.sides[1].kinds(), Some((Kind::Host, Kind::PeerReflexive)));
        pair.run(seconds(100));
        assert!(pair.paths_meet());
        assert!(pair.sides.iter().all(|side| side.agent.state() == State::Completed));
    }
}

#[test]
fn where_udp_passes_it_is_preferred() {
    let mut pair = pair(1);
    pair.network.places[0].udp_blocked = false;
    pair.introduce();
    pair.until_states(seconds(5), State::Completed);
    assert_eq!(pair.sides[0].agent.path().unwrap().protocol, Protocol::Udp);
}

#[test]
fn a_closed_connection_is_opened_again() {
    let mut pair = pair(1);
    pair.introduce();
    pair.until_states(seconds(5), State::Completed);
    pair.run(seconds(20));
    let (now, path) = (pair.now, pair.sides[0].agent.path().unwrap());
    pair.sides[0].agent.handle_disconnected(now, path.local, path.remote);
    let theirs = pair.sides[1].agent.path().unwrap();
    pair.sides[1].agent.handle_disconnected(now, theirs.local, theirs.remote);
    assert_eq!(pair.sides[0].agent.path(), None);
    let took = pair.until(seconds(5), "paths", Pair::have_paths);
    assert!(took <= ms(200), "{took:?}");
    assert_ne!(pair.sides[0].agent.path().unwrap().local, path.local, "by a new connection");
    pair.until_states(seconds(5), State::Completed);
    pair.run(seconds(60));
    assert!(pair.paths_meet());
}

#[test]
fn a_listener_that_is_not_there_fails_its_pair_only() {
    let mut pair = pair(1);
    pair.network.places[0].udp_blocked = false;
    pair.sides[1].listens.clear();
    pair.introduce();
    pair.until_states(seconds(5), State::Completed);
}

#[test]
fn only_what_can_connect_is_paired() {
    let mut pair = pair(1);
    pair.introduce();
    pair.run(ms(100));
    let now = pair.now;
    let agent = &mut pair.sides[1].agent;
    // The server pairs its listener with nothing; the client comes to it.
    let tcp = agent.pairs().filter(|pair| pair.path.protocol == Protocol::Tcp).count();
    assert_eq!(tcp, 1, "the one that the client opened");
    assert_eq!(
        agent.add_local(now, LocalCandidate::tcp("192.0.2.2:1".parse().unwrap(), TcpType::SimultaneousOpen)),
        Err(twocan_ice::NotAdded::SimultaneousOpen)
    );
    let so = "1 1 tcp 1518149375 10.0.0.1 5 typ host tcptype so".parse().unwrap();
    let mut fresh = twocan_ice::Agent::new(twocan_ice::Config::new(twocan_ice::Role::Controlled, [3; 32]));
    assert_eq!(fresh.add_remote(now, so), Err(Refused::SimultaneousOpen));
    let active = pair.sides[0]
        .agent
        .local_candidates()
        .find(|local| local.candidate.transport == Transport::Tcp(TcpType::Active));
    assert_eq!(active.unwrap().address.port(), 9);
}
