//! Going: on purpose, by a lost connection, or by being thrown out.

use crate::signaling::{
    error::{ErrorCode, Refusal},
    names::PeerId,
    outbound::{LeaveReason, Message},
    room::Route,
    session::{Link, Place},
    time::Now,
};

use super::{CloseCode, ConnectionId, Gone, Hub, timers::Timer};

impl Hub {
    /// `leave`: says goodbye and closes.
    pub(super) fn leave(&mut self, now: Now, id: ConnectionId) -> Result<(), Refusal> {
        let session = self.connections.get(&id).and_then(|connection| connection.session);
        let peer = session.ok_or(Refusal::new(ErrorCode::NotJoined, "There is nothing to leave."))?;
        self.end_session(now, peer, LeaveReason::Left);
        self.send_now(id, Message::Left.to_bytes());
        self.close(id, CloseCode::Normal);
        Ok(())
    }

    /// Throws a client out, and its session with it.
    pub(super) fn expel(&mut self, now: Now, id: ConnectionId, code: CloseCode) {
        let Some(connection) = self.close(id, code) else { return };
        match code {
            CloseCode::Policy => self.counters.dropped_abusive += 1,
            _ => self.counters.dropped_slow += 1,
        }
        if let Some(peer) = connection.session {
            self.end_session(now, peer, LeaveReason::Dropped);
        }
    }

    /// A connection is gone: its session waits for another one for the grace time.
    pub(super) fn detach(&mut self, now: Now, peer: Option<PeerId>) {
        let Some(peer) = peer else { return };
        let until = now.instant + self.settings.limits.grace();
        self.stop_waiting(peer);
        let Some(session) = self.sessions.get_mut(&peer) else { return };
        if !session.started {
            // It never had a token to come back with.
            self.sessions.remove(&peer);
            return;
        }
        session.link = Link::Away { until };
        self.timers.add(until, Timer::Grace(peer));
    }

    /// The grace time of a session that began to be away is over.
    pub(super) fn end_grace(&mut self, now: Now, peer: PeerId, at: std::time::Instant) {
        if self.draining.is_some() {
            // They cannot come back here, and what is forwarded to them goes on until the end.
            return;
        }
        if self.sessions.get(&peer).is_some_and(|session| session.link == (Link::Away { until: at })) {
            self.counters.lost += 1;
            self.end_session(now, peer, LeaveReason::Lost);
        }
    }

    pub(super) fn end_session(&mut self, now: Now, peer: PeerId, reason: LeaveReason) {
        self.stop_waiting(peer);
        self.leave_room(now, peer, reason);
        if let Some(session) = self.sessions.remove(&peer)
            && let Link::Away { until } = session.link
        {
            self.timers.remove(until, Timer::Grace(peer));
        }
    }

    /// Takes a peer out of its room, tells those who saw it, and removes the room if it was the last.
    pub(super) fn leave_room(&mut self, now: Now, peer: PeerId, reason: LeaveReason) {
        let seen_by = self.seen_by(peer);
        let Some(session) = self.sessions.get_mut(&peer) else { return };
        let Place::Room(key) = std::mem::replace(&mut session.place, Place::Waiting) else { return };
        self.leave_media(peer, &key);
        let Some(room) = self.rooms.get_mut(&key) else { return };
        room.members.retain(|member| member.peer != peer);
        if room.members.is_empty() {
            let Route { mesh_at, close_at, .. } = room.topology;
            self.rooms.remove(&key);
            for at in [mesh_at, close_at].into_iter().flatten() {
                self.timers.remove(at, Timer::Topology(key.clone()));
            }
            self.feed_the_starved(now);
            return;
        }
        let text = Message::PeerLeft { peer, reason }.to_bytes();
        for other in seen_by {
            self.send_counted(other, &text);
        }
        self.audience_changed(now, &key, None);
        self.count_people(now, &key, None);
    }
}

impl Gone {
    /// For logs.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::TooSlow => "too slow",
            Self::TooLarge => "too large a message",
        }
    }
}
