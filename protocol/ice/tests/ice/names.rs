//! Addresses hidden behind multicast DNS names (draft-ietf-mmusic-mdns-ice-candidates).

use twocan_ice::{
    Address, Agent, Candidate, Config, Event, Kind, LocalCandidate, Refused, Role, State, limits,
};

use crate::network::Conditions;
use crate::pair::{Pair, Step, ms, seconds};

const NAME: &str = "5a1c7a7e-0000-4000-8000-000000000001.local";

#[test]
fn a_name_is_told_resolved_and_connected_to() {
    let mut pair = Pair::plain(1, Conditions::delay(5));
    pair.network.places[1].lan = 0;
    pair.host(0, "10.0.0.1:1000");
    let address = "10.0.0.2:1000".parse().unwrap();
    pair.network.places[1].addresses.push("10.0.0.2".parse().unwrap());
    pair.sides[1].names.insert(NAME.into(), vec!["10.0.0.2".parse().unwrap()]);
    pair.later(1, ms(0), Step::Local(LocalCandidate::host(address).named(NAME)));
    let mapped = "203.0.113.2:1000".parse().unwrap();
    let server = "198.51.100.1".parse().unwrap();
    pair.later(1, ms(0), Step::Local(LocalCandidate::server_reflexive(mapped, address, server)));
    // The one with the name does not check first.
    let parameters =
        [0, 1].map(|side| twocan_ice::RemoteParameters::new(pair.sides[side].agent.credentials().clone()));
    pair.later(0, ms(0), Step::Remote(parameters[1].clone()));
    pair.run(ms(30));
    let [local, reflexive] = pair.sides[1].agent.local_candidates().collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(local.candidate.address, Address::Name { name: NAME.into(), port: 1000 });
    assert_eq!(reflexive.candidate.related, Some(Address::Ip("0.0.0.0:9".parse().unwrap())), "hidden, too");
    pair.later(1, ms(0), Step::Remote(parameters[0].clone()));
    pair.gathered(0);
    pair.gathered(1);
    pair.until_states(seconds(5), State::Completed);
    assert_eq!(pair.sides[0].kinds(), Some((Kind::Host, Kind::Host)));
    let remote = &pair.sides[0].agent.selected().unwrap().remote;
    assert_eq!(remote.address, Address::Name { name: NAME.into(), port: 1000 }, "reports hide it as well");
}

fn agent() -> (std::time::Instant, Agent) {
    let pair = Pair::plain(1, Conditions::delay(0));
    let mut agent = Agent::new(Config::new(Role::Controlled, [1; 32]));
    let now = pair.now;
    agent.add_local(now, LocalCandidate::host("10.0.0.1:1".parse().unwrap())).unwrap();
    agent.add_local(now, LocalCandidate::host("[fd00::1]:1".parse().unwrap())).unwrap();
    let remote = twocan_ice::Credentials::new("abcd", "0123456789012345678901").unwrap();
    agent.set_remote(now, &twocan_ice::RemoteParameters::new(remote)).unwrap();
    (now, agent)
}

fn candidate(name: &str) -> Candidate {
    format!("1 1 udp 2122260223 {name} 1000 typ host").parse().unwrap()
}

#[test]
fn of_several_addresses_one_is_used_and_ipv6_first() {
    let (now, mut agent) = agent();
    agent.add_remote(now, candidate(NAME)).unwrap();
    let Some(Event::Resolve { id, name }) = agent.poll_event() else { panic!("no name to resolve") };
    assert_eq!(&*name, NAME);
    let addresses = ["10.0.0.2", "fd00::2", "fd00::3"].map(|address| address.parse().unwrap());
    agent.handle_resolved(now, id, &addresses);
    let remotes: Vec<_> = agent.remote_candidates().map(|remote| remote.address.ip()).collect();
    assert_eq!(remotes, [addresses[1]]);
    agent.handle_resolved(now, id, &addresses);
    assert_eq!(agent.remote_candidates().count(), 1, "answered twice is answered once");
}

#[test]
fn names_that_cannot_be_resolved_or_may_not_be() {
    let (now, mut agent) = agent();
    assert_eq!(agent.add_remote(now, candidate("example.com")), Err(Refused::NotLocalName));
    for number in 0..limits::RESOLVES {
        assert_eq!(agent.add_remote(now, candidate(&format!("{number}.local"))), Ok(()));
    }
    assert_eq!(agent.add_remote(now, candidate("more.LOCAL")), Err(Refused::TooMany));
    while let Some(event) = agent.poll_event() {
        let Event::Resolve { id, .. } = event else { continue };
        agent.handle_resolved(now, id, &[]);
    }
    assert_eq!(agent.remote_candidates().count(), 0);
    assert_eq!(agent.add_remote(now, candidate("more.local")), Ok(()));
}
