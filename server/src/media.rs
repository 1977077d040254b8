//! Media on real sockets: worker threads that own peer connections and forward between them
//! (`room/sfu` decides what goes to whom).
//!
//! A worker is a thread with a UDP socket for every listening address and the peer connections of its rooms; nothing on
//! the packet path is shared. HTTP asks for connections and hands their descriptions back ([`Handle::offer`]); signaling
//! asks for those of its members and is told by notices what becomes of them ([`Handle::request`], [`crate::conference`]).

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::conference::{Notice, Request, RoomKey};
use crate::sockets::Listener;

mod calls;
mod commands;
mod connection;
mod dating;
mod describing;
mod doorway;
mod feed;
mod herald;
mod legs;
mod outlet;
mod parts;
mod placement;
mod rooms;
mod sections;
mod stirred;
mod streams;
mod tcp;
mod telling;
mod timers;
mod worker;

use commands::Command;
pub(crate) use connection::Refusal;
pub(crate) use describing::{RoomState, TrackState};
use parts::Neighbour;
use placement::Placement;
use worker::Worker;

/// What [`start`] needs.
pub(crate) struct Settings {
    /// UDP addresses to listen on; port 0 picks one.
    pub(crate) listen: Vec<SocketAddr>,
    /// Where connections over TCP are accepted for all workers, if they are.
    pub(crate) tcp: Vec<SocketAddr>,
    /// Addresses by which the world reaches this host, beside its own.
    pub(crate) public: Vec<IpAddr>,
    /// This host's own.
    pub(crate) locals: Vec<IpAddr>,
    /// How many threads, at least one.
    pub(crate) workers: usize,
    /// Connections on each of them.
    pub(crate) connections: usize,
    /// People of a room on one of them before viewers go to further ones.
    pub(crate) spread: usize,
    /// Voices in a call that are forwarded at a time at most; none: all.
    pub(crate) voices: Option<NonZeroUsize>,
    /// Who the workers are: peers know them by its fingerprint.
    pub(crate) certificate: Arc<twocan::Certificate>,
}

/// Notices that wait for signaling, of all workers together.
const NOTICES: usize = 4096;

/// Whether somebody brings media into a room or takes it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Sends into the room (WHIP).
    Publisher,
    /// Gets what is sent there (WHEP).
    Viewer,
}

/// A connection, by a name that nobody can guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ConnectionId(pub(crate) u128);

impl ConnectionId {
    /// One on a worker, of random bits.
    fn on(worker: usize, random: u128) -> Self {
        Self(random >> 16 << 16 | u128::from(worker as u16))
    }

    /// The worker that it is on.
    fn worker(self) -> usize {
        usize::from(self.0 as u16)
    }
}

/// An offer's answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) id: ConnectionId,
    pub(crate) sdp: String,
    /// Names the ICE session, for `ETag`: our username fragment.
    pub(crate) tag: String,
}

/// The running workers. Dropping it stops them.
pub(crate) struct Handle {
    workers: Vec<WorkerHandle>,
    listening: Vec<SocketAddr>,
    ports: Vec<u16>,
    placement: Placement,
    /// The server is about to stop: programs get no new connections.
    is_draining: AtomicBool,
}

struct WorkerHandle {
    commands: mpsc::Sender<Command>,
    waker: Arc<mio::Waker>,
}

/// What one worker has done so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Report {
    /// Processor time of its thread.
    pub(crate) cpu: Duration,
    pub(crate) connections: usize,
    pub(crate) rooms: usize,
    /// Rooms of other workers' that it has a part of, the packets that it has passed on to others' parts of its own, and
    /// those of them that were lost.
    pub(crate) parts: usize,
    pub(crate) passed_on: u64,
    pub(crate) passed_on_lost: u64,
    /// What is sent into them.
    pub(crate) publications: usize,
    /// Who gets what of it.
    pub(crate) subscriptions: usize,
    pub(crate) received_datagrams: u64,
    pub(crate) sent_datagrams: u64,
    /// System calls that sent.
    pub(crate) sends: u64,
    /// Datagrams that could not be sent.
    pub(crate) send_errors: u64,
    /// Packets that were forwarded, once for each who got them.
    pub(crate) forwarded: u64,
    /// Of those, packets that still waited for their turn when a key frame made them useless: they were dropped.
    pub(crate) overtaken: u64,
    /// Packets of voices that were not, as others in the room were louder; each once.
    pub(crate) left_out: u64,
    /// Connections over TCP, the bytes over them, and how often one took no more for the moment.
    pub(crate) tcp_connections: usize,
    pub(crate) tcp_received: u64,
    pub(crate) tcp_sent: u64,
    pub(crate) tcp_blocked: u64,
    /// Datagrams of nobody.
    pub(crate) strangers: u64,
    /// How often it has failed and begun anew.
    pub(crate) restarts: u64,
}

/// Why the workers could not start.
#[derive(Debug)]
pub(crate) struct StartError {
    address: SocketAddr,
    cause: io::Error,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, cause } = self;
        write!(f, "UDP {address} cannot be listened on: {cause}: choose another with --media, or --media off")
    }
}

impl std::error::Error for StartError {}

/// Binds every address on every worker and starts the threads; with them, what they tell signaling.
pub(crate) fn start(settings: &Settings) -> Result<(Handle, mpsc::Receiver<Notice>), StartError> {
    let (notices, told) = mpsc::channel(NOTICES);
    let mut listening: Vec<SocketAddr> = Vec::new();
    let mut ports = Vec::new();
    let mut workers = Vec::new();
    let (mut handles, mut neighbours) = (Vec::new(), Vec::new());
    for index in 0..settings.workers.max(1) {
        let mut listeners = Vec::new();
        for address in &settings.listen {
            // Each worker has ports of its own, so that whoever it has told them to comes back to it.
            let wanted = if index == 0 { *address } else { SocketAddr::new(address.ip(), 0) };
            let failed = |cause| StartError { address: wanted, cause };
            listeners.push(Listener::bind(wanted).map_err(failed)?);
        }
        if index == 0 {
            listening.extend(listeners.iter().map(|listener| listener.local));
        }
        let (commands, inbox) = mpsc::channel(1024);
        let address = settings.listen.first().copied().unwrap_or_else(|| SocketAddr::from(([0; 4], 0)));
        let failed = |cause| StartError { address, cause };
        ports.extend(listeners.iter().map(|listener| listener.local.port()));
        let (post, tidings) = mpsc::channel(parts::TIDINGS);
        let inboxes = (inbox, tidings);
        let worker = Worker::new(settings, index, listeners, inboxes, notices.clone()).map_err(failed)?;
        let waker = worker.waker();
        neighbours.push(Neighbour { post, waker: Arc::clone(&waker) });
        handles.push(WorkerHandle { commands, waker });
        workers.push(worker);
    }
    for (index, mut worker) in workers.into_iter().enumerate() {
        worker.neighbours.clone_from(&neighbours);
        let thread = std::thread::Builder::new().name(format!("media-{index}"));
        let address = settings.listen.first().copied().unwrap_or_else(|| SocketAddr::from(([0; 4], 0)));
        thread.spawn(move || worker.run()).map_err(|cause| StartError { address, cause })?;
    }
    let placement = Placement::new(handles.len(), settings.spread);
    let is_draining = AtomicBool::new(false);
    Ok((Handle { workers: handles, listening, ports, placement, is_draining }, told))
}

impl Handle {
    /// The addresses that are listened on, with their real ports.
    pub(crate) fn listening(&self) -> &[SocketAddr] {
        &self.listening
    }

    /// The ports of all workers.
    pub(crate) fn ports(&self) -> Vec<u16> {
        self.ports.clone()
    }

    /// Answers an offer of a program with a connection into a live room; `is_trusted` if it has shown that it may come into
    /// any.
    pub(crate) async fn offer(
        &self,
        room: &str,
        role: Role,
        is_trusted: bool,
        sdp: String,
    ) -> Result<Answer, Refusal> {
        if self.is_draining.load(Ordering::Relaxed) {
            return Err(Refusal::Stopping);
        }
        let room = RoomKey::Live(room.into());
        let home = self.placement.home(&room);
        let (at, place) = match role {
            Role::Publisher => (home, self.placement.take(&room, home)),
            Role::Viewer => self.placement.choose(&room),
        };
        let mut described = None;
        if at != home {
            let room = room.clone();
            let consult = |reply| Command::Consult { room, is_trusted, reply };
            described = Some(self.workers[home].ask(consult).await.unwrap_or(Err(Refusal::Stopping))?);
        }
        let ask =
            |reply| Command::Offer { room, role, is_trusted, sdp, place: Some(place), described, reply };
        self.workers[at].ask(ask).await.unwrap_or(Err(Refusal::Stopping))
    }

    /// Takes candidates of the peer's, or new credentials, which are answered with ours
    /// (`application/trickle-ice-sdpfrag`, RFC 8840 §9).
    pub(crate) async fn patch(
        &self,
        id: ConnectionId,
        tag: Option<String>,
        fragment: String,
    ) -> Result<Option<Answer>, Refusal> {
        let ask = |reply| Command::Patch { id, tag, fragment, reply };
        let worker = self.workers.get(id.worker()).ok_or(Refusal::Unknown)?;
        worker.ask(ask).await.unwrap_or(Err(Refusal::Stopping))
    }

    /// Ends a connection; false if there was none.
    pub(crate) async fn close(&self, id: ConnectionId) -> bool {
        let Some(worker) = self.workers.get(id.worker()) else { return false };
        worker.ask(|reply| Command::Close { id, reply }).await.unwrap_or(false)
    }

    /// Hands over what signaling asks, without waiting: given back where the worker has too much to do.
    pub(crate) fn request(&self, request: Request) -> Result<(), Box<Request>> {
        let (at, place) = self.placement.of_request(&request);
        let worker = &self.workers[at];
        let command = Command::Request(request, place);
        let given = match worker.commands.try_send(command) {
            Ok(()) => None,
            Err(mpsc::error::TrySendError::Full(command)) => Some(command),
            // It has stopped, and so does the server.
            Err(mpsc::error::TrySendError::Closed(_)) => None,
        };
        worker.wake();
        match given {
            Some(Command::Request(request, _)) => Err(Box::new(request)),
            _ => Ok(()),
        }
    }

    /// The server is about to stop: programs are refused from now on. What there is goes on.
    pub(crate) fn drain(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }

    /// How many connections there are.
    pub(crate) async fn connections(&self) -> usize {
        self.reports().await.iter().map(|report| report.connections).sum()
    }

    /// Ends every connection, so that each peer knows of it at once; returns when all has been said.
    pub(crate) async fn say_goodbye(&self) {
        for worker in &self.workers {
            // One that has stopped has said it.
            worker.ask(Command::Goodbye).await;
        }
    }

    /// Has every worker fail, or one of them, for a test of what comes of it.
    #[cfg(debug_assertions)]
    pub(crate) async fn panic(&self, one: Option<usize>) {
        let all = self.workers.iter().enumerate();
        for (_, worker) in all.filter(|(index, _)| one.is_none_or(|one| one == *index)) {
            // One that has stopped fails no more.
            let _ = worker.commands.send(Command::Panic).await;
            worker.wake();
        }
    }

    /// What each worker has done so far.
    pub(crate) async fn reports(&self) -> Vec<Report> {
        let mut reports = Vec::new();
        for worker in &self.workers {
            reports.extend(worker.ask(Command::Report).await);
        }
        reports
    }

    /// What goes on in the rooms.
    pub(crate) async fn describe(&self) -> Vec<RoomState> {
        let mut rooms = Vec::new();
        for worker in &self.workers {
            for room in worker.ask(Command::Describe).await.unwrap_or_default() {
                // One that several have a part of is one.
                match rooms.iter_mut().find(|known: &&mut RoomState| known.is(&room)) {
                    Some(known) => known.add(room),
                    None => rooms.push(room),
                }
            }
        }
        rooms
    }
}

impl WorkerHandle {
    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.ok()?;
        self.wake();
        answer.await.ok()
    }

    fn wake(&self) {
        // A worker that is gone has nothing to be woken for.
        let _ = self.waker.wake();
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        for worker in &mut self.workers {
            // Closing the channel is the sign to stop.
            let (closed, _) = mpsc::channel(1);
            worker.commands = closed;
            worker.wake();
        }
    }
}
