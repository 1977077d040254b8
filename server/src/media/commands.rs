//! What other threads ask of a worker.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::connection::Refusal;
use super::describing::RoomState;
use super::parts::RoomDescription;
use super::placement::Place;
use super::tcp::Arrival;
use super::worker::Worker;
use super::{Answer, ConnectionId, Report, Role};
use crate::conference::{Request, RoomKey};

/// How many commands are taken before the sockets have their turn.
const COMMANDS: usize = 16;

/// What reaches a worker from other threads.
pub(super) enum Command {
    Offer {
        room: RoomKey,
        role: Role,
        /// Has shown that it may.
        is_trusted: bool,
        sdp: String,
        place: Option<Place>,
        /// What the room's home says of it, where this worker is not it.
        described: Option<Arc<RoomDescription>>,
        reply: oneshot::Sender<Result<Answer, Refusal>>,
    },
    /// What a viewer of a program's has to be answered with, for another worker.
    Consult {
        room: RoomKey,
        is_trusted: bool,
        reply: oneshot::Sender<Result<Arc<RoomDescription>, Refusal>>,
    },
    Patch {
        id: ConnectionId,
        tag: Option<String>,
        fragment: String,
        reply: oneshot::Sender<Result<Option<Answer>, Refusal>>,
    },
    Close {
        id: ConnectionId,
        reply: oneshot::Sender<bool>,
    },
    /// A connection over TCP: given back where it is for none of this worker's legs.
    Arrival(Box<Arrival>, oneshot::Sender<Option<Box<Arrival>>>),
    /// Of signaling's, answered by notices.
    Request(Request, Option<Place>),
    Report(oneshot::Sender<Report>),
    Describe(oneshot::Sender<Vec<RoomState>>),
    /// End every connection, and say so to its peer.
    Goodbye(oneshot::Sender<()>),
    /// Fail, to see what comes of it.
    #[cfg(debug_assertions)]
    Panic,
}

impl Command {
    /// Whether it takes milliseconds: one in each turn is enough for those whose media is forwarded meanwhile.
    fn is_long(&self) -> bool {
        matches!(self, Self::Offer { .. } | Self::Patch { .. } | Self::Request(Request::Offer(_), _))
    }
}

impl Worker {
    /// Carries out what other threads ask; false when there is nobody left to serve.
    pub(super) fn take_commands(&mut self, now: Instant) -> bool {
        for _ in 0..COMMANDS {
            if self.herald.is_full() {
                return true;
            }
            let command = self.inbox.try_recv();
            let is_long = command.as_ref().is_ok_and(Command::is_long);
            match command {
                // Whoever does not wait for an answer gets none.
                Ok(Command::Offer { room, role, is_trusted, sdp, place, described, reply }) => {
                    let answer = self.offer(now, &room, (role, is_trusted), sdp, (place, described));
                    drop(reply.send(answer));
                }
                Ok(Command::Consult { room, is_trusted, reply }) => {
                    drop(reply.send(self.consult(&room, is_trusted)));
                }
                Ok(Command::Patch { id, tag, fragment, reply }) => {
                    drop(reply.send(self.patch(now, id, tag.as_deref(), &fragment)));
                }
                Ok(Command::Close { id, reply }) => {
                    let number = self.legs.named(id);
                    number.into_iter().for_each(|number| self.remove(now, number, None));
                    let _ = reply.send(number.is_some());
                }
                Ok(Command::Arrival(arrival, reply)) => {
                    drop(reply.send(self.take_arrival(now, arrival)));
                }
                Ok(Command::Request(request, place)) => self.take_request(now, request, place),
                #[cfg(debug_assertions)]
                #[expect(clippy::panic, reason = "a test wants to see what comes of it")]
                Ok(Command::Panic) => panic!("a test has asked for it"),
                Ok(Command::Report(reply)) => {
                    let _ = reply.send(self.report());
                }
                Ok(Command::Describe(reply)) => {
                    let _ = reply.send(self.describe(now));
                }
                Ok(Command::Goodbye(reply)) => {
                    self.say_goodbye(now);
                    let _ = reply.send(());
                }
                Err(mpsc::error::TryRecvError::Empty) => return true,
                Err(mpsc::error::TryRecvError::Disconnected) => return false,
            }
            if is_long {
                break;
            }
        }
        // There may be more: come back at once.
        let _ = self.waker.wake();
        true
    }

    fn report(&self) -> Report {
        let cpu = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        // A part's home counts the room.
        let own = || self.rooms.values().filter(|room| room.away.is_none());
        Report {
            cpu: Duration::try_from(cpu).unwrap_or_default(),
            connections: self.legs.len(),
            rooms: own().count(),
            publications: own().map(|room| room.published.len()).sum(),
            parts: self.rooms.len() - own().count(),
            passed_on: self.post.passed_on,
            passed_on_lost: self.post.lost,
            subscriptions: self.rooms.values().map(|room| room.targets.len()).sum(),
            received_datagrams: self.received,
            sent_datagrams: self.outlet.datagrams,
            sends: self.outlet.sends,
            send_errors: self.outlet.errors,
            forwarded: self.feed.forwarded,
            overtaken: self.feed.overtaken,
            left_out: self.feed.left_out,
            tcp_connections: self.pipes.len(),
            tcp_received: self.pipes.received,
            tcp_sent: self.pipes.sent,
            tcp_blocked: self.pipes.blocked,
            strangers: self.strangers,
            restarts: self.restarts,
        }
    }
}
