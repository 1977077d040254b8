//! One agent and a peer made by hand, with two addresses: what is chosen, by whom, and when it counts
//! (RFC 8445 §8.1.1, §7.3.1.5).

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use stun::attribute::{Username, XorMappedAddress};
use stun::{Class, Key, Message, Method, TransactionId, Writer};
use twocan_ice::attribute::{IceControlled, IceControlling, Priority, UseCandidate};
use twocan_ice::{Agent, Config, Credentials, LocalCandidate, RemoteParameters, Role};
use wire::Received;

use crate::network::Conditions;
use crate::pair::{Pair, ms, seconds};

const LOCAL: &str = "192.0.2.1:1000";
const BETTER: &str = "192.0.2.2:1000";
const WORSE: &str = "192.0.2.3:1000";
const PASSWORD: &str = "0123456789012345678901";

struct ByHand {
    now: Instant,
    agent: Agent,
    role: Role,
    /// What answers.
    alive: BTreeSet<SocketAddr>,
    /// Where the agent sent USE-CANDIDATE to.
    choices: Vec<SocketAddr>,
    asked: Vec<SocketAddr>,
    number: u32,
}

fn by_hand(role: Role, ice2: bool) -> ByHand {
    let now = Pair::plain(1, Conditions::delay(0)).now;
    let mut agent = Agent::new(Config { renomination: false, ..Config::new(role, [1; 32]) });
    agent.add_local(now, LocalCandidate::host(LOCAL.parse().unwrap())).unwrap();
    let credentials = Credentials::new("remote", PASSWORD).unwrap();
    agent.set_remote(now, &RemoteParameters { ice2, ..RemoteParameters::new(credentials) }).unwrap();
    for (number, address) in [BETTER, WORSE].into_iter().enumerate() {
        let address: SocketAddr = address.parse().unwrap();
        let priority = 2_113_937_151 - number * 256;
        let line = format!("{number} 1 udp {priority} {} {} typ host", address.ip(), address.port());
        agent.add_remote(now, line.parse().unwrap()).unwrap();
    }
    agent.set_gathered(now, true);
    agent.end_of_remote_candidates(now);
    let alive = [BETTER, WORSE].map(|address| address.parse().unwrap()).into();
    ByHand { now, agent, role, alive, choices: Vec::new(), asked: Vec::new(), number: 0 }
}

impl ByHand {
    /// Sends what the agent has to send, and answers it where somebody is.
    fn flush(&mut self) {
        let mut bytes = Vec::new();
        while let Some(sent) = self.agent.poll_transmit(self.now, &mut bytes) {
            let message = Message::parse(&bytes).unwrap();
            if message.class() == Class::Request {
                self.asked.push(sent.destination);
                if message.has::<UseCandidate>() {
                    self.choices.push(sent.destination);
                }
                let mut answer = Vec::new();
                Writer::new(&mut answer, Class::Success, Method::BINDING, message.transaction())
                    .add(&XorMappedAddress(sent.source))
                    .integrity_sha1(&Key::short_term(PASSWORD))
                    .fingerprint();
                if self.alive.contains(&sent.destination) {
                    self.give(sent.destination, answer);
                }
            }
            bytes.clear();
        }
    }

    fn give(&mut self, source: SocketAddr, mut bytes: Vec<u8>) {
        let destination = LOCAL.parse().unwrap();
        let received = Received { source, destination, bytes: &mut bytes };
        self.agent.handle_datagram(self.now, received).unwrap();
    }

    fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.flush();
        while let Some((at, _)) = self.agent.poll_timeout().filter(|(at, _)| *at <= end) {
            self.now = at;
            self.agent.handle_timeout(at);
            self.flush();
        }
        self.now = end;
    }

    /// The peer, which controls, chooses an address of its own.
    fn choose(&mut self, address: &str) {
        self.number += 1;
        let mut id = [0; 12];
        id[..4].copy_from_slice(&self.number.to_be_bytes());
        let ours = self.agent.credentials().clone();
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, Class::Request, Method::BINDING, TransactionId(id));
        writer.add(&Username(&format!("{}:remote", ours.ufrag))).add(&Priority(1)).add(&UseCandidate);
        match self.role {
            Role::Controlled => writer.add(&IceControlling(1)),
            Role::Controlling => writer.add(&IceControlled(1)),
        };
        writer.integrity_sha1(&Key::short_term(ours.password.as_str())).fingerprint();
        self.give(address.parse().unwrap(), bytes);
        self.flush();
    }

    fn goes_to(&self) -> String {
        self.agent.path().unwrap().remote.to_string()
    }
}

#[test]
fn of_choices_made_at_once_the_best_counts_unless_the_peer_says_that_it_means_each() {
    for ice2 in [false, true] {
        let mut it = by_hand(Role::Controlled, ice2);
        it.run(ms(100));
        it.choose(BETTER);
        it.choose(WORSE);
        assert_eq!(it.goes_to(), if ice2 { WORSE } else { BETTER });
        it.run(seconds(3));
        it.choose(WORSE);
        assert_eq!(it.goes_to(), WORSE, "later it is a change of mind");
        it.choose(BETTER);
        assert_eq!(it.goes_to(), BETTER);
        assert!(it.choices.is_empty());
    }
}

/// A relay is often found and chosen first; what shows the peer a better way may be our own checks.
#[test]
fn better_pairs_are_still_checked_after_the_choice_of_a_peer_that_may_choose_again() {
    for ice2 in [false, true] {
        let mut it = by_hand(Role::Controlled, ice2);
        it.alive.remove(&BETTER.parse().unwrap());
        it.run(ms(100));
        it.choose(WORSE);
        it.asked.clear();
        it.run(seconds(1));
        let better = it.asked.iter().any(|asked| *asked == BETTER.parse().unwrap());
        assert_eq!(better, !ice2, "{:?}", it.asked);
        it.alive.insert(BETTER.parse().unwrap());
        it.run(seconds(4));
        assert_eq!(it.goes_to(), WORSE, "as long as the peer does not choose");
        if !ice2 {
            it.choose(BETTER);
            assert_eq!(it.goes_to(), BETTER);
        }
    }
}

/// RFC 5245's aggressive nomination, for a peer that may not know better.
#[test]
fn a_better_pair_is_chosen_later_where_the_peer_does_not_rule_it_out() {
    for ice2 in [false, true] {
        let mut it = by_hand(Role::Controlling, ice2);
        it.alive.remove(&BETTER.parse().unwrap());
        it.run(seconds(1));
        assert_eq!((it.goes_to(), it.choices.last()), (WORSE.into(), Some(&WORSE.parse().unwrap())));
        it.alive.insert(BETTER.parse().unwrap());
        it.run(seconds(10));
        let now = if ice2 { WORSE } else { BETTER };
        assert_eq!((it.goes_to(), it.choices.last()), (now.into(), Some(&now.parse().unwrap())));
    }
}

#[test]
fn what_worked_long_ago_is_checked_before_it_is_used() {
    let mut it = by_hand(Role::Controlled, true);
    it.run(ms(100));
    it.choose(BETTER);
    it.run(seconds(60));
    assert_eq!(it.goes_to(), BETTER);
    it.alive.remove(&WORSE.parse().unwrap());
    it.asked.clear();
    it.choose(WORSE);
    assert_eq!(it.asked, [WORSE.parse().unwrap()]);
    assert_eq!(it.goes_to(), BETTER, "it does not answer");
    it.alive.insert(WORSE.parse().unwrap());
    it.run(seconds(1));
    assert_eq!(it.goes_to(), WORSE);
}

#[test]
fn a_choice_that_was_not_answered_is_withdrawn() {
    let mut it = by_hand(Role::Controlling, true);
    // Both answer their first check; the better one's nomination gets no answer any more.
    let mut bytes = Vec::new();
    for _ in 0..2 {
        it.agent.poll_transmit(it.now, &mut bytes).unwrap();
        let id = Message::parse(&bytes).unwrap().transaction();
        bytes.clear();
        let mut answer = Vec::new();
        Writer::new(&mut answer, Class::Success, Method::BINDING, id)
            .add(&XorMappedAddress(LOCAL.parse().unwrap()))
            .integrity_sha1(&Key::short_term(PASSWORD))
            .fingerprint();
        it.give(if it.number == 0 { BETTER } else { WORSE }.parse().unwrap(), answer);
        it.number += 1;
    }
    it.alive.remove(&BETTER.parse().unwrap());
    assert!(it.agent.is_valid_source(WORSE.parse().unwrap()), "it answered, though data goes elsewhere");
    assert_eq!(it.goes_to(), BETTER);
    it.run(seconds(20));
    assert_eq!(it.goes_to(), WORSE);
    let (better, worse): (SocketAddr, SocketAddr) = (BETTER.parse().unwrap(), WORSE.parse().unwrap());
    let first = it.choices.iter().position(|choice| *choice == worse).unwrap();
    assert!(it.choices[..first].iter().all(|choice| *choice == better) && first >= 2, "{:?}", it.choices);
    assert!(it.choices[first..].iter().all(|choice| *choice == worse), "{:?}", it.choices);
}

#[test]
fn candidates_and_their_end_may_come_before_the_description() {
    let now = Pair::plain(1, Conditions::delay(0)).now;
    let mut agent = Agent::new(Config::new(Role::Controlled, [1; 32]));
    agent.add_remote(now, "1 1 udp 5 192.0.2.2 1 typ host ufrag remote".parse().unwrap()).unwrap();
    agent.add_remote(now, "1 1 udp 5 192.0.2.3 1 typ host ufrag other".parse().unwrap()).unwrap();
    agent.end_of_remote_candidates(now);
    let remote = Credentials::new("remote", PASSWORD).unwrap();
    agent.set_remote(now, &RemoteParameters::new(remote)).unwrap();
    let known: Vec<_> = agent.remote_candidates().map(|remote| remote.address.to_string()).collect();
    assert_eq!(known, ["192.0.2.2:1"]);
}
