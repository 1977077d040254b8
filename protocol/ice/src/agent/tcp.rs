//! Connections for TCP candidates (RFC 6544 §7): the caller opens and accepts them, and frames what goes over
//! them (RFC 4571).

use std::net::SocketAddr;
use std::time::Instant;

use super::check::STREAM_TIMEOUT;
use super::{Agent, ConnectionId, Event, Purpose};
use crate::pair::{PairId, PairState};
use crate::path::{Path, Protocol};

impl Agent {
    /// Asks for the connections that may be opened by now; whether there are events because of it. Who takes events before
    /// what is to be sent calls it once there are no more, lest a connection waits for the next one.
    pub fn open_connections(&mut self, now: Instant) -> bool {
        let opens = self.session.locals.iter().any(|(index, _)| self.session.locals.opens(index));
        if opens {
            self.schedule(now);
        }
        opens && !self.events.is_empty()
    }

    /// Has the caller open the connection that a pair's checks go over.
    pub(super) fn connect(&mut self, now: Instant, id: PairId) {
        self.pacer.sent(now);
        let generation = self.session.generation;
        let Some(pair) = self.session.pair_mut(id) else { return };
        pair.state = PairState::InProgress;
        if pair.connect_by.is_some() {
            return;
        }
        pair.connect_by = Some(now + STREAM_TIMEOUT);
        let Path { local, remote, .. } = pair.path;
        let id = ConnectionId { generation, pair: id };
        self.events.push_back(Event::Connect { id, local, remote });
    }

    /// The connection is open; `local` is its own address and port. Its frames go to
    /// [`handle_frame`](Self::handle_frame), those of [`poll_frame`](Self::poll_frame) to it.
    ///
    /// Connections that others open to a passive candidate need no announcement: their frames are enough.
    pub fn handle_connected(&mut self, now: Instant, id: ConnectionId, local: SocketAddr) {
        let Some(pair) = self.connecting(id) else { return };
        pair.connect_by = None;
        pair.connected = true;
        pair.path.local = local;
        pair.state = PairState::Waiting;
        if self.session.nominated.is_none() || self.session.reopened {
            self.trigger(id.pair, Purpose::Check);
        }
        self.settle(now);
    }

    /// The connection could not be opened.
    pub fn handle_connect_failed(&mut self, now: Instant, id: ConnectionId) {
        let Some(pair) = self.connecting(id) else { return };
        pair.connect_by = None;
        pair.state = PairState::Failed;
        self.settle(now);
    }

    fn connecting(&mut self, id: ConnectionId) -> Option<&mut crate::pair::Pair> {
        let session = Some(&mut self.session).filter(|session| session.generation == id.generation);
        session?.pair_mut(id.pair).filter(|pair| pair.connect_by.is_some())
    }

    /// A connection between these addresses was closed, by whomever. If data went over it, it is opened again
    /// where it was ours to open (RFC 7675 §5.1: a closed connection alone does not end consent).
    pub fn handle_disconnected(&mut self, now: Instant, local: SocketAddr, remote: SocketAddr) {
        let path = Path { protocol: Protocol::Tcp, local, remote };
        let was_selected = self.session.selected().is_some_and(|pair| pair.path.is(&path));
        let nominated = self.session.nominated;
        for session in std::iter::once(&mut self.session).chain(self.previous.as_deref_mut()) {
            for pair in session.pairs.iter_mut().filter(|pair| pair.path.is(&path)) {
                pair.connected = false;
                pair.check.take().and_then(|check| self.frames.cancel(check));
                let opens = session.locals.opens(pair.local);
                pair.state = if opens { PairState::Waiting } else { PairState::Failed };
                if opens {
                    pair.path.local.set_port(0);
                }
                if session.selected == Some(pair.id) {
                    session.selected = None;
                    session.disconnected = false;
                    self.events.push_back(Event::Lost);
                }
            }
        }
        if was_selected {
            self.session.nominated = None;
            if let Some(pair) = nominated {
                self.trigger(pair, Purpose::Check);
            }
            self.recheck(now);
        }
        self.settle(now);
    }

    /// Gives up connections that do not open.
    pub(super) fn expire_connects(&mut self, now: Instant) {
        let is_late = |by: Option<Instant>| by.is_some_and(|by| by <= now);
        for pair in self.session.pairs.iter_mut().filter(|pair| is_late(pair.connect_by)) {
            pair.connect_by = None;
            pair.state = PairState::Failed;
        }
    }

    pub(super) fn next_connect(&self) -> Option<Instant> {
        self.session.pairs.iter().filter_map(|pair| pair.connect_by).min()
    }
}
