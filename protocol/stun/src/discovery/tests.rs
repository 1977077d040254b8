use nat::{Depends, Nat, Server};

use super::*;

mod nat;

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[expect(clippy::disallowed_methods, reason = "a test needs some instant to count from")]
fn start() -> Instant {
    Instant::now()
}

fn config(lifetimes: &[u64]) -> Config {
    Config {
        server: address("198.51.100.1:3478"),
        alternate: None,
        local: address("10.0.0.2:5000"),
        second: address("10.0.0.2:5001"),
        lifetimes: (6000..)
            .zip(lifetimes)
            .map(|(port, time)| (seconds(*time), SocketAddr::new([10, 0, 0, 2].into(), port)))
            .collect(),
        guess: None,
        seed: [1; 32],
    }
}

/// A server with everything that RFC 5780 asks for.
fn server() -> Server {
    Server {
        first: address("198.51.100.1:3478"),
        other: Some(address("198.51.100.2:3479")),
        change: true,
        unnamed: false,
        response_port: true,
        lax: false,
        other_is_down: false,
    }
}

/// One round through a NAT; every answer takes 20 ms. Of each request the first `lose` sendings are lost.
struct World {
    nat: Option<Nat>,
    servers: Vec<Server>,
    lose: usize,
}

impl World {
    fn new(nat: Option<Nat>, server: Server) -> Self {
        Self { nat, servers: vec![server], lose: 0 }
    }

    fn run(&mut self, config: Config) -> (Report, Duration) {
        let start = start();
        let (mut now, mut sendings) = (start, BTreeMap::<Vec<u8>, usize>::new());
        let mut discovery = Discovery::new(now, config);
        let mut arriving: VecDeque<(Instant, Vec<u8>, SocketAddr, SocketAddr)> = VecDeque::new();
        loop {
            let mut bytes = Vec::new();
            while let Some(transmit) = discovery.poll_transmit(now, &mut bytes) {
                let sendings = sendings.entry(bytes.clone()).or_default();
                *sendings += 1;
                let path = (transmit.source, transmit.destination);
                let lost = *sendings <= self.lose;
                if let (Some((bytes, source, inside)), false) =
                    (nat::carry(now, self.nat.as_mut(), &self.servers, path, &bytes), lost)
                {
                    arriving.push_back((now + Duration::from_millis(20), bytes, source, inside));
                }
                bytes.clear();
            }
            if let Some(Event::Finished(report)) = discovery.poll_event() {
                assert_eq!(discovery.poll_timeout(), None);
                assert_eq!(report, discovery.report());
                return (report, now - start);
            }
            let timeout = discovery.poll_timeout().map(|(at, _)| at);
            if let Some((at, ..)) = arriving.front()
                && timeout.is_none_or(|timeout| *at <= timeout)
            {
                let (at, mut bytes, source, destination) = arriving.pop_front().unwrap();
                now = at;
                let _ = discovery.handle_datagram(now, Received { source, destination, bytes: &mut bytes });
            } else {
                let timeout = timeout.expect("a round that is not over waits for something");
                assert!(timeout > now || arriving.is_empty(), "time stands still");
                now = timeout.max(now);
                discovery.handle_timeout(now);
            }
            assert!(now - start < seconds(1000), "a round ends");
        }
    }
}

fn report(nat: Option<Nat>, server: Server) -> Report {
    World::new(nat, server).run(config(&[])).0
}

#[test]
fn every_flavour_of_nat_is_told() {
    let kinds = [Depends::Nothing, Depends::Address, Depends::AddressAndPort];
    let mappings =
        [Mapping::EndpointIndependent, Mapping::AddressDependent, Mapping::AddressAndPortDependent];
    let filterings =
        [Filtering::EndpointIndependent, Filtering::AddressDependent, Filtering::AddressAndPortDependent];
    for (mapping, expected_mapping) in kinds.into_iter().zip(mappings) {
        for (filtering, expected_filtering) in kinds.into_iter().zip(filterings) {
            for hairpin in [false, true] {
                let nat = Nat { hairpin, ..Nat::new(mapping, filtering) };
                let report = report(Some(nat), server());
                assert_eq!(report.mapping, Finding::Known(expected_mapping), "{mapping:?} {filtering:?}");
                assert_eq!(report.filtering, Finding::Known(expected_filtering), "{mapping:?} {filtering:?}");
                assert_eq!(report.is_nat(), Some(true));
                assert_eq!(report.rewriting, Finding::Known(false));
                assert_eq!(report.lifetime, Finding::Unknown(Why::NotAsked));
                // Through filters the two ports meet only if their mappings do not change on the way.
                let meets = filtering == Depends::Nothing || mapping == Depends::Nothing;
                assert_eq!(report.hairpinning, Finding::Known(hairpin && meets), "{mapping:?} {filtering:?}");
            }
        }
    }
}

#[test]
fn without_a_nat_there_is_nothing_in_the_way() {
    let (report, took) = World::new(None, server()).run(config(&[30]));
    assert_eq!(report.is_nat(), Some(false));
    assert_eq!(report.mapping, Finding::Known(Mapping::EndpointIndependent));
    assert_eq!(report.filtering, Finding::Known(Filtering::EndpointIndependent));
    assert_eq!(report.hairpinning, Finding::Unknown(Why::NoNat));
    assert_eq!(report.lifetime, Finding::Unknown(Why::NoNat));
    assert!(took < seconds(5), "nothing to wait for: {took:?}");
}

#[test]
fn a_firewall_filters_without_changing_addresses() {
    let firewall = Nat { public: None, ..Nat::new(Depends::Nothing, Depends::AddressAndPort) };
    let (report, _) = World::new(Some(firewall), server()).run(config(&[30, 60]));
    assert_eq!(report.is_nat(), Some(false));
    assert_eq!(report.mapping, Finding::Known(Mapping::EndpointIndependent));
    assert_eq!(report.filtering, Finding::Known(Filtering::AddressAndPortDependent));
    assert_eq!(report.lifetime, Finding::Known(Lifetime::Between(seconds(30), seconds(60))));
}

#[test]
fn the_lifetime_lies_between_the_times_that_were_tried_and_takes_no_longer() {
    for mapping in [Depends::Nothing, Depends::AddressAndPort] {
        for (lifetimes, expected) in [
            (&[10, 30, 60, 120][..], Lifetime::Between(seconds(30), seconds(60))),
            (&[20, 40], Lifetime::AtLeast(seconds(40))),
            (&[55], Lifetime::LessThan(seconds(55))),
        ] {
            let nat = Nat::new(mapping, Depends::AddressAndPort);
            let (report, took) = World::new(Some(nat), server()).run(config(lifetimes));
            assert_eq!(report.lifetime, Finding::Known(expected));
            let longest = seconds(*lifetimes.last().unwrap());
            assert!(took < longest + seconds(5), "{took:?}");
        }
    }
}

#[test]
fn a_server_without_response_port_cannot_tell_lifetimes_and_is_not_waited_for() {
    for lax in [false, true] {
        let nat = Nat::new(Depends::Nothing, Depends::AddressAndPort);
        let server = Server { response_port: false, lax, ..server() };
        let (report, took) = World::new(Some(nat), server).run(config(&[30, 60]));
        assert_eq!(report.lifetime, Finding::Unknown(Why::NoResponsePort));
        assert_eq!(report.mapping, Finding::Known(Mapping::EndpointIndependent));
        assert!(took < seconds(10), "{took:?}");
    }
}

#[test]
fn a_server_with_two_ports_of_one_address_tells_a_part() {
    let server = || Server { other: Some(address("198.51.100.1:3479")), ..server() };
    let open = report(Some(Nat::new(Depends::Nothing, Depends::Nothing)), server());
    assert_eq!(open.mapping, Finding::Known(Mapping::PortIndependent));
    assert_eq!(open.filtering, Finding::Known(Filtering::PortIndependent));
    let strict = report(Some(Nat::new(Depends::AddressAndPort, Depends::AddressAndPort)), server());
    assert_eq!(strict.mapping, Finding::Known(Mapping::AddressAndPortDependent));
    assert_eq!(strict.filtering, Finding::Known(Filtering::AddressAndPortDependent));
}

#[test]
fn a_server_that_does_not_name_its_second_port_is_asked_to_answer_from_it() {
    let second = address("198.51.100.1:3479");
    let server = || Server { other: Some(second), unnamed: true, ..server() };
    let open = report(Some(Nat::new(Depends::Nothing, Depends::Address)), server());
    assert_eq!(open.other, Some(second));
    assert_eq!(open.mapping, Finding::Known(Mapping::PortIndependent));
    assert_eq!(open.filtering, Finding::Known(Filtering::PortIndependent));

    // Silence is only a filter's if the port is known to be there: from whoever asks.
    let strict = || Some(Nat::new(Depends::AddressAndPort, Depends::AddressAndPort));
    let alone = report(strict(), server());
    assert_eq!(alone.filtering, Finding::Unknown(Why::NoOtherAddress));
    let (told, _) = World::new(strict(), server()).run(Config { alternate: Some(second), ..config(&[]) });
    assert_eq!(told.mapping, Finding::Known(Mapping::AddressAndPortDependent));
    assert_eq!(told.filtering, Finding::Known(Filtering::AddressAndPortDependent));

    // Or by a guess that the port proves right.
    let guessing = |port| Config { guess: Some(port), ..config(&[]) };
    let (right, _) = World::new(strict(), server()).run(guessing(3479));
    assert_eq!((right.mapping, right.filtering), (told.mapping, told.filtering));
    let (wrong, _) = World::new(strict(), server()).run(guessing(3480));
    assert_eq!((wrong.mapping, wrong.filtering), (alone.mapping, alone.filtering));
}

#[test]
fn a_plain_server_tells_only_the_address_unless_a_second_one_helps() {
    let plain = || Server { other: None, change: false, response_port: false, ..server() };
    for lax in [false, true] {
        let nat = Nat { hairpin: true, ..Nat::new(Depends::Nothing, Depends::AddressAndPort) };
        let report = report(Some(nat), Server { lax, ..plain() });
        assert_eq!(report.is_nat(), Some(true));
        assert_eq!(report.mapping, Finding::Unknown(Why::NoOtherAddress));
        assert_eq!(report.filtering, Finding::Unknown(Why::NoOtherAddress));
        assert_eq!(report.hairpinning, Finding::Known(true));
    }
    for (mapping, expected) in
        [(Depends::Nothing, Mapping::EndpointIndependent), (Depends::AddressAndPort, Mapping::Dependent)]
    {
        let alternate = address("192.0.2.9:3478");
        let mut world = World::new(Some(Nat::new(mapping, Depends::AddressAndPort)), plain());
        world.servers.push(Server { first: alternate, ..plain() });
        let (report, _) = world.run(Config { alternate: Some(alternate), ..config(&[]) });
        assert_eq!(report.mapping, Finding::Known(expected));
        assert_eq!(report.filtering, Finding::Unknown(Why::NoOtherAddress));
    }
}

#[test]
fn a_second_address_that_is_down_is_not_taken_for_a_filter() {
    let nat = Nat::new(Depends::Nothing, Depends::Nothing);
    let report = report(Some(nat), Server { other_is_down: true, ..server() });
    assert_eq!(report.mapping, Finding::Unknown(Why::OtherAddressSilent));
    assert_eq!(report.filtering, Finding::Unknown(Why::OtherAddressSilent));
}

#[test]
fn a_server_that_names_a_second_address_but_does_not_use_it_leaves_filtering_open() {
    let nat = Nat::new(Depends::Address, Depends::Nothing);
    let report = report(Some(nat), Server { change: false, ..server() });
    assert_eq!(report.mapping, Finding::Known(Mapping::AddressDependent));
    assert_eq!(report.filtering, Finding::Unknown(Why::NoChangeRequest));
}

#[test]
fn without_any_answer_nothing_is_known_and_the_round_is_short() {
    let mut world = World { nat: None, servers: Vec::new(), lose: 0 };
    let (report, took) = world.run(config(&[30]));
    assert_eq!(report.mapped, None);
    assert_eq!(report.mapping, Finding::Unknown(Why::NoConnectivity));
    assert!(took < seconds(3), "{took:?}");
}

#[test]
fn lost_datagrams_do_not_change_what_is_found() {
    for lose in 1..3 {
        let nat = Nat { hairpin: true, ..Nat::new(Depends::Nothing, Depends::AddressAndPort) };
        let mut world = World { lose, ..World::new(Some(nat), server()) };
        let (report, _) = world.run(config(&[30, 60]));
        assert_eq!(report.mapping, Finding::Known(Mapping::EndpointIndependent), "{lose}");
        assert_eq!(report.filtering, Finding::Known(Filtering::AddressAndPortDependent), "{lose}");
        assert_eq!(report.hairpinning, Finding::Known(true), "{lose}");
        assert_eq!(report.lifetime, Finding::Known(Lifetime::Between(seconds(30), seconds(60))), "{lose}");
    }
}

#[test]
fn the_same_seed_sends_the_same_bytes() {
    let first = |seed| {
        let mut discovery = Discovery::new(start(), Config { seed: [seed; 32], ..config(&[]) });
        let mut bytes = Vec::new();
        discovery.handle_timeout(start());
        discovery.poll_transmit(start(), &mut bytes).unwrap();
        bytes
    };
    assert_eq!(first(1), first(1));
    assert_ne!(first(1), first(2));
}
