use std::net::{IpAddr, SocketAddr};

use super::*;
use crate::candidate::Kind;
use crate::limits;
use crate::local::{LocalCandidate, RelayProtocol};
use crate::pair::PairState::{self, Frozen, Waiting};
use crate::random::Random;
use crate::remote::Added;

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

struct Builder {
    session: Session,
    next: u32,
}

impl Builder {
    fn new() -> Self {
        let credentials = Credentials::generate(&mut Random::new(&[1; 32]));
        Self { session: Session::new(0, credentials), next: 0 }
    }

    fn local(&mut self, candidate: LocalCandidate) -> usize {
        let index = self.session.locals.add(0, candidate).unwrap();
        self.session.pair_local(Role::Controlling, index, &mut self.next);
        index
    }

    fn remote(&mut self, foundation: &str, priority: u32, at: &str) {
        let at = address(at);
        let line = format!("{foundation} 1 udp {priority} {} {} typ host", at.ip(), at.port());
        let added = self.session.remotes.add(0, line.parse().unwrap(), at).unwrap();
        let Added::New(index) = added else { panic!("{added:?}") };
        self.session.pair_remote(Role::Controlling, index, &mut self.next);
    }

    fn pairs(&self) -> Vec<(String, String, PairState)> {
        let text = |pair: &Pair| (pair.path.local.to_string(), pair.path.remote.to_string(), pair.state);
        self.session.pairs.iter().map(text).collect()
    }

    fn ends(&self) -> Vec<(String, String)> {
        self.pairs().into_iter().map(|(local, remote, _)| (local, remote)).collect()
    }
}

fn ends(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(local, remote)| ((*local).to_owned(), (*remote).to_owned())).collect()
}

/// RFC 8445 §6.1.2.4.
#[test]
fn a_reflexive_candidate_is_its_base_in_whatever_order_they_come() {
    let server: IpAddr = "198.51.100.1".parse().unwrap();
    let host = || LocalCandidate::host(address("10.0.0.1:1000"));
    let reflexive =
        || LocalCandidate::server_reflexive(address("203.0.113.1:1000"), address("10.0.0.1:1000"), server);
    for host_first in [true, false] {
        let mut it = Builder::new();
        it.remote("1", 5, "192.0.2.1:1");
        let order = if host_first { [host(), reflexive()] } else { [reflexive(), host()] };
        for candidate in order {
            it.local(candidate);
        }
        assert_eq!(it.ends(), ends(&[("10.0.0.1:1000", "192.0.2.1:1")]));
        let local = it.session.pairs[0].local;
        assert_eq!(it.session.locals.get(local).given.kind, Kind::Host, "the better one stays");
    }
}

/// RFC 8445 §6.1.2.2.
#[test]
fn families_and_link_local_addresses_keep_to_themselves() {
    let mut it = Builder::new();
    it.local(LocalCandidate::host(address("10.0.0.1:1")));
    it.local(LocalCandidate::host(address("[2001:db8::1]:1")));
    it.local(LocalCandidate::host(address("[fe80::1%7]:1")));
    it.remote("1", 5, "192.0.2.1:1");
    it.remote("2", 5, "[2001:db8::2]:1");
    it.remote("3", 5, "[fe80::2]:1");
    assert_eq!(
        it.ends(),
        ends(&[
            ("10.0.0.1:1", "192.0.2.1:1"),
            ("[2001:db8::1]:1", "[2001:db8::2]:1"),
            // The scope is ours to say.
            ("[fe80::1%7]:1", "[fe80::2%7]:1"),
        ])
    );
}

/// RFC 8445 §6.1.2.6, §7.2.5.3.3, §6.1.4.2 step 2.
#[test]
fn one_of_each_foundation_is_tried_first() {
    let mut it = Builder::new();
    it.local(LocalCandidate::host(address("10.0.0.1:1")));
    it.remote("1", 9, "192.0.2.1:1");
    it.remote("1", 8, "192.0.2.1:2");
    it.remote("2", 7, "192.0.2.2:1");
    let states = |it: &Builder| it.pairs().into_iter().map(|(.., state)| state).collect::<Vec<_>>();
    assert_eq!(states(&it), [Waiting, Frozen, Waiting]);
    let first = it.session.next_ordinary().unwrap();
    assert_eq!(first, it.session.pairs[0].id, "the one of highest priority");
    it.session.pairs[0].state = PairState::InProgress;
    let second = it.session.next_ordinary().unwrap();
    assert_eq!(second, it.session.pairs[2].id);
    it.session.pairs[2].state = PairState::InProgress;
    assert!(!it.session.has_ordinary());
    assert_eq!(it.session.next_ordinary(), None, "its sibling is still being tried");
    it.session.pairs[0].state = PairState::Failed;
    assert!(it.session.has_ordinary());
    assert_eq!(it.session.next_ordinary(), Some(it.session.pairs[1].id));

    it.session.pairs[1].state = Frozen;
    it.session.thaw(first);
    assert_eq!(it.session.pairs[1].state, Waiting, "and where it works, so may the sibling");
}

/// RFC 8838 §12: one that comes when its foundation works need not wait.
#[test]
fn a_late_sibling_of_one_that_works_waits_for_nobody() {
    let mut it = Builder::new();
    it.local(LocalCandidate::host(address("10.0.0.1:1")));
    it.remote("1", 9, "192.0.2.1:1");
    it.session.pairs[0].state = PairState::Succeeded;
    it.remote("1", 8, "192.0.2.1:2");
    assert_eq!(it.session.pairs[1].state, Waiting);
}

/// RFC 8445 §5.1.1.3.
#[test]
fn foundations_tell_kind_base_server_and_transport_apart() {
    let mut it = Builder::new();
    let (one, two): (IpAddr, IpAddr) = ("198.51.100.1".parse().unwrap(), "198.51.100.2".parse().unwrap());
    let base = address("10.0.0.1:1");
    let locals = [
        LocalCandidate::host(base),
        LocalCandidate::host(address("10.0.0.1:2")),
        LocalCandidate::host(address("10.0.0.2:1")),
        LocalCandidate::server_reflexive(address("203.0.113.1:1"), base, one),
        LocalCandidate::server_reflexive(address("203.0.113.1:2"), base, two),
        LocalCandidate::relayed(address("198.51.100.1:9"), base, one, RelayProtocol::Tls),
        LocalCandidate::relayed(address("198.51.100.1:8"), base, one, RelayProtocol::Tls),
        LocalCandidate::relayed(address("198.51.100.1:7"), base, one, RelayProtocol::Udp),
    ];
    let foundations: Vec<_> = locals
        .into_iter()
        .map(|candidate| {
            let index = it.local(candidate);
            it.session.locals.describe(index).foundation.as_str().to_owned()
        })
        .collect();
    assert_eq!(foundations, ["1", "1", "2", "3", "4", "5", "5", "6"]);
    let priorities: Vec<_> = it.session.locals.all().iter().map(|local| local.priority).collect();
    let mut distinct = priorities.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), priorities.len(), "no two are worth the same");
}

/// RFC 8445 §5.1.2.1, where the ranks run out.
#[test]
fn no_two_of_many_addresses_are_worth_the_same() {
    let mut it = Builder::new();
    for number in 0..limits::LOCAL_CANDIDATES {
        it.local(LocalCandidate::host(address(&format!("10.0.0.1:{}", number + 1))).on_interface(7, 3));
    }
    let mut priorities: Vec<_> = it.session.locals.all().iter().map(|local| local.priority).collect();
    assert!(priorities.is_sorted_by(|earlier, later| earlier > later), "{priorities:?}");
    priorities.dedup();
    assert_eq!(priorities.len(), limits::LOCAL_CANDIDATES);
    let more = LocalCandidate::host(address("10.0.0.2:1"));
    assert_eq!(it.session.locals.add(0, more), Err(crate::NotAdded::TooMany));
}
