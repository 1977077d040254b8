//! Deadlines of the hub.

use std::{collections::BTreeSet, time::Instant};

use crate::signaling::{
    names::{PeerId, RoomName},
    room::RoomKey,
    time::Now,
};

use super::{CloseCode, ConnectionId, Hub};

/// What is due. One that has become void meanwhile does nothing when it fires.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// Nothing was heard from a connection.
    Idle(ConnectionId),
    /// A dropped connection did not come back.
    Grace(PeerId),
    /// Viewers are to be told how many they are.
    Audience(RoomKey),
    /// How media travels in a room is to change, or has changed for good.
    Topology(RoomKey),
    /// Two who have just met may meet again.
    Rematch(RoomName),
    /// A draining server closes what is left.
    EndOfDrain,
}

#[derive(Default)]
pub(super) struct Timers(BTreeSet<(Instant, Timer)>);

impl Timers {
    pub(super) fn add(&mut self, at: Instant, timer: Timer) {
        self.0.insert((at, timer));
    }

    pub(super) fn remove(&mut self, at: Instant, timer: Timer) {
        self.0.remove(&(at, timer));
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.0.first().map(|(at, _)| *at)
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = &Timer> {
        self.0.iter().map(|(_, timer)| timer)
    }

    fn pop_due(&mut self, now: Instant) -> Option<(Instant, Timer)> {
        if self.next()? > now {
            return None;
        }
        self.0.pop_first()
    }
}

impl Hub {
    /// Does what is due at `now`. Call it when [`Hub::poll_timeout`] says so; earlier does no harm.
    pub(crate) fn handle_timeout(&mut self, now: Now) {
        while let Some((at, timer)) = self.timers.pop_due(now.instant) {
            match timer {
                Timer::Idle(connection) => self.check_idle(now, connection),
                Timer::Grace(peer) => self.end_grace(now, peer, at),
                Timer::Audience(room) => self.announce_audience(now, &room, None),
                Timer::Topology(room) => self.settle_topology(now, &room),
                Timer::Rematch(lobby) => self.make_matches(now, &lobby),
                Timer::EndOfDrain => self.end_drain(now),
            }
        }
    }

    fn check_idle(&mut self, now: Now, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let deadline = connection.last_heard + self.settings.idle;
        if now.instant < deadline {
            connection.idle_check = deadline;
            self.timers.add(deadline, Timer::Idle(id));
            return;
        }
        self.counters.dropped_idle += 1;
        if let Some(connection) = self.close(id, CloseCode::Idle) {
            self.detach(now, connection.session);
        }
    }

    fn end_drain(&mut self, now: Now) {
        let ids: Vec<_> = self.connections.keys().copied().collect();
        for id in ids {
            if let Some(connection) = self.close(id, CloseCode::Restart) {
                self.detach(now, connection.session);
            }
        }
    }
}
