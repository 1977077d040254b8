//! The checklist: which pairs there are, and which is checked next (RFC 8445 §6.1.2, §6.1.4; RFC 8838 §12
//! for those that come later; RFC 6544 §6.2 for TCP).

use std::net::SocketAddr;

use crate::agent::Role;
use crate::candidate::{Foundation, TcpType, Transport};
use crate::limits;
use crate::pair::{Pair, PairId, PairState};
use crate::path::{Path, Protocol, is_link_local, scoped};
use crate::session::Session;

impl Session {
    /// Pairs a local candidate with every remote one.
    pub(crate) fn pair_local(&mut self, role: Role, local: usize, next: &mut u32) {
        for remote in 0..self.remotes.all().len() {
            self.form(role, local, remote, next);
        }
    }

    /// Pairs a remote candidate with every local one.
    pub(crate) fn pair_remote(&mut self, role: Role, remote: usize, next: &mut u32) {
        for local in 0..self.locals.all().len() {
            self.form(role, local, remote, next);
        }
    }

    fn form(&mut self, role: Role, local: usize, remote: usize, next: &mut u32) {
        if self.locals.get(local).removed || !self.locals.is_paired(local) {
            return;
        }
        let (from, to) = (self.locals.get(local), self.remotes.get(remote));
        if let Some(path) = path(from.given.transport, from.given.base, to.transport, to.address) {
            self.insert(role, (local, remote), path, next);
        }
    }

    /// Adds a pair, unless one on this path is there, or there are too many better ones. Its identifier.
    pub(crate) fn insert(
        &mut self,
        role: Role,
        (local, remote): (usize, usize),
        path: Path,
        next: &mut u32,
    ) -> Option<PairId> {
        let (from, to) = (self.locals.get(local), self.remotes.get(remote));
        let priority = self.priority(role, from.priority, to.priority);
        // A connection not yet opened has no port of its own to tell it by.
        let is_twin = |pair: &&mut Pair| match path.protocol {
            Protocol::Udp => pair.path.is(&path),
            Protocol::Tcp => pair.path.is(&path) || (pair.local, pair.remote) == (local, remote),
        };
        if let Some(twin) = self.pairs.iter_mut().find(is_twin) {
            if twin.is_unsettled() && twin.priority < priority {
                (twin.local, twin.priority) = (local, priority);
            }
            return Some(twin.id);
        }
        self.make_room(priority)?;
        let id = PairId(*next);
        *next += 1;
        let mut pair = Pair::new(id, (local, remote), path, priority);
        if !self.has_unsettled_sibling(&pair) {
            pair.state = PairState::Waiting;
        }
        if self.pairs.len() < limits::FEW {
            self.pairs.reserve_exact(1);
        }
        self.pairs.push(pair);
        Some(id)
    }

    /// RFC 8445 §6.1.2.5: the least pair goes, unless that is the new one.
    fn make_room(&mut self, priority: u64) -> Option<()> {
        if self.pairs.len() < limits::PAIRS {
            return Some(());
        }
        let is_idle = |pair: &Pair| {
            let held = [self.selected, self.nominated, self.nominating];
            !held.contains(&Some(pair.id))
                && matches!(pair.state, PairState::Frozen | PairState::Waiting | PairState::Failed)
        };
        let idle = self.pairs.iter().enumerate().filter(|(_, pair)| is_idle(pair));
        let (index, least) = idle.min_by_key(|(_, pair)| (pair.state != PairState::Failed, pair.priority))?;
        if least.state != PairState::Failed && least.priority >= priority {
            return None;
        }
        let gone = self.pairs.swap_remove(index);
        self.triggered.retain(|(id, _)| *id != gone.id);
        Some(())
    }

    fn foundation(&self, pair: &Pair) -> (usize, &Foundation) {
        (self.locals.get(pair.local).foundation, &self.remotes.get(pair.remote).foundation)
    }

    /// RFC 8445 §6.1.2.6, RFC 8838 §12: one of each foundation is tried first.
    fn has_unsettled_sibling(&self, pair: &Pair) -> bool {
        let foundation = self.foundation(pair);
        let mut siblings = self.pairs.iter().filter(|other| self.foundation(other) == foundation).peekable();
        let mut works = siblings.clone();
        siblings.peek().is_some()
            && !works.any(|other| other.state == PairState::Succeeded)
            && siblings.any(Pair::is_unsettled)
    }

    /// Lets the siblings of one that works be checked (RFC 8445 §7.2.5.3.3).
    pub(crate) fn thaw(&mut self, id: PairId) {
        let Some(index) = self.pairs.iter().position(|pair| pair.id == id) else { return };
        for other in 0..self.pairs.len() {
            let is_sibling = self.foundation(&self.pairs[other]) == self.foundation(&self.pairs[index]);
            if is_sibling && self.pairs[other].state == PairState::Frozen {
                self.pairs[other].state = PairState::Waiting;
            }
        }
    }

    /// Whether a frozen pair's foundation is being tried already (RFC 8445 §6.1.4.2, step 2).
    fn is_held(&self, frozen: &Pair) -> bool {
        let foundation = self.foundation(frozen);
        self.pairs.iter().any(|other| {
            matches!(other.state, PairState::Waiting | PairState::InProgress)
                && self.foundation(other) == foundation
        })
    }

    /// The best pair that waits for its ordinary check.
    fn waiting(&self, floor: u64) -> Option<&Pair> {
        let opening = self.pairs.iter().filter(|pair| pair.connect_by.is_some()).count();
        let is_due = |pair: &&Pair| {
            let is_open = pair.path.protocol == Protocol::Udp || pair.connected;
            let may_open = is_open || opening < limits::CONNECTS;
            pair.state == PairState::Waiting && pair.priority > floor && may_open
        };
        self.pairs.iter().filter(is_due).max_by_key(|pair| pair.priority)
    }

    /// The next pair for an ordinary check (RFC 8445 §6.1.4.2).
    pub(crate) fn next_ordinary(&mut self) -> Option<PairId> {
        // Asked before each datagram that is sent: mostly all is settled, which one look shows.
        let floor = self.floor().filter(|floor| self.has_untried(*floor))?;
        if self.waiting(floor).is_none() {
            for index in 0..self.pairs.len() {
                let pair = &self.pairs[index];
                if pair.state == PairState::Frozen && pair.priority > floor && !self.is_held(pair) {
                    self.pairs[index].state = PairState::Waiting;
                }
            }
        }
        self.waiting(floor).map(|pair| pair.id)
    }

    /// Whether [`next_ordinary`](Self::next_ordinary) has one.
    pub(crate) fn has_ordinary(&self) -> bool {
        let Some(floor) = self.floor().filter(|floor| self.has_untried(*floor)) else { return false };
        let is_free =
            |pair: &Pair| pair.state == PairState::Frozen && pair.priority > floor && !self.is_held(pair);
        self.waiting(floor).is_some() || self.pairs.iter().any(is_free)
    }

    fn has_untried(&self, floor: u64) -> bool {
        let is_untried = |pair: &Pair| matches!(pair.state, PairState::Waiting | PairState::Frozen);
        self.pairs.iter().any(|pair| is_untried(pair) && pair.priority > floor)
    }

    /// Only pairs above this priority are still checked; none at all once ICE has concluded.
    pub(crate) fn floor(&self) -> Option<u64> {
        let Some(nominated) = self.nominated.and_then(|id| self.pair(id)) else { return Some(0) };
        if self.reopened {
            return Some(0);
        }
        self.is_choice_open().then_some(nominated.priority)
    }

    /// Whether a better pair may be nominated after one was: where both renominate, and where the peer does not say
    /// `ice2`. It then nominates, and takes for nominated, every better pair that is found (RFC 8445 §8.1.1 on RFC
    /// 5245's aggressive nomination; libwebrtc does). A relay is often found first; behind a NAT whose mapping depends on
    /// the remote end it takes our checks to find the direct way.
    pub(crate) fn is_choice_open(&self) -> bool {
        self.remote.as_ref().is_some_and(|remote| remote.renomination || !remote.ice2)
    }

    /// Whether a pair above `priority` may still turn out to work.
    pub(crate) fn is_better_unsettled(&self, priority: u64) -> bool {
        self.pairs.iter().any(|pair| pair.is_unsettled() && pair.priority > priority)
    }
}

/// The way between two candidates, if there can be one (RFC 8445 §6.1.2.2, RFC 6544 §6.2).
fn path(from: Transport, base: SocketAddr, to: Transport, address: SocketAddr) -> Option<Path> {
    let fits = match (from, to) {
        (Transport::Udp, Transport::Udp) => true,
        (Transport::Tcp(from), Transport::Tcp(to)) => from == TcpType::Active && to == TcpType::Passive,
        _ => false,
    };
    // Zero: the port comes with the connection.
    let local = match from {
        Transport::Udp => base,
        Transport::Tcp(_) => SocketAddr::new(base.ip(), 0),
    };
    let alike = base.is_ipv4() == address.is_ipv4()
        && (base.is_ipv4() || is_link_local(base) == is_link_local(address));
    (fits && alike).then(|| Path { protocol: from.protocol(), local, remote: scoped(base, address) })
}
