//! A lobby's queue: strangers who wait for a partner.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::names::PeerId;

/// Two who have just met wait so long for somebody else to come before they meet again.
pub(super) const REMATCH_AFTER: Duration = Duration::from_secs(2);

/// One lobby. Exists while someone waits in it.
#[derive(Debug, Default)]
pub(super) struct Lobby {
    waiting: VecDeque<Waiter>,
}

#[derive(Clone, Copy, Debug)]
struct Waiter {
    peer: PeerId,
    last_partner: Option<PeerId>,
    since: Instant,
}

impl Lobby {
    pub(super) fn push(&mut self, now: Instant, peer: PeerId, last_partner: Option<PeerId>) {
        self.waiting.push_back(Waiter { peer, last_partner, since: now });
    }

    pub(super) fn remove(&mut self, peer: PeerId) {
        self.waiting.retain(|waiter| waiter.peer != peer);
    }

    pub(super) fn contains(&self, peer: PeerId) -> bool {
        self.waiting.iter().any(|waiter| waiter.peer == peer)
    }

    pub(super) fn people(&self) -> usize {
        self.waiting.len()
    }

    /// Takes out the two that have waited longest and may meet now.
    pub(super) fn next_match(&mut self, now: Instant) -> Option<(PeerId, PeerId)> {
        let (first, second) = self
            .pairs()
            .find(|(first, second)| !first.has_just_met(second))
            .or_else(|| self.pairs().find(|(first, second)| now >= rematch_at(first, second)))?;
        let (first, second) = (first.peer, second.peer);
        self.remove(first);
        self.remove(second);
        Some((first, second))
    }

    /// When two who have just met may meet again, if nobody else comes.
    pub(super) fn next_rematch(&self) -> Option<Instant> {
        self.pairs().map(|(first, second)| rematch_at(first, second)).min()
    }

    /// Oldest first. Of any three who wait, two may meet: each names one last partner, and nobody can have
    /// come after the other all the way round. So a queue grows beyond two only while there is no room to be
    /// had, and the search ends soon.
    fn pairs(&self) -> impl Iterator<Item = (&Waiter, &Waiter)> {
        let others = |first: usize| self.waiting.iter().skip(first + 1);
        self.waiting
            .iter()
            .enumerate()
            .flat_map(move |(at, first)| others(at).map(move |other| (first, other)))
    }
}

impl Waiter {
    fn has_just_met(&self, other: &Self) -> bool {
        self.last_partner == Some(other.peer) || other.last_partner == Some(self.peer)
    }
}

fn rematch_at(first: &Waiter, second: &Waiter) -> Instant {
    first.since.max(second.since) + REMATCH_AFTER
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: PeerId = PeerId(1);
    const BOB: PeerId = PeerId(2);
    const EVE: PeerId = PeerId(3);

    #[test]
    fn the_longest_waiting_meet_first() {
        let now = Instant::now();
        let mut lobby = Lobby::default();
        for peer in [BOB, ADA, EVE] {
            lobby.push(now, peer, None);
        }
        assert_eq!(lobby.next_match(now), Some((BOB, ADA)));
        assert_eq!(lobby.next_match(now), None);
        assert!(lobby.contains(EVE));
    }

    #[test]
    fn who_has_just_met_waits_for_somebody_else_but_not_forever() {
        let now = Instant::now();
        let mut lobby = Lobby::default();
        lobby.push(now, ADA, Some(BOB));
        lobby.push(now, BOB, Some(ADA));
        assert_eq!(lobby.next_match(now), None);
        assert_eq!(lobby.next_rematch(), Some(now + REMATCH_AFTER));

        lobby.push(now, EVE, Some(ADA));
        assert_eq!(lobby.next_match(now), Some((BOB, EVE)), "the only two who have not just met");

        lobby.push(now, BOB, Some(ADA));
        assert_eq!(lobby.next_match(now), None);
        assert_eq!(lobby.next_match(now + REMATCH_AFTER), Some((ADA, BOB)));
    }
}
