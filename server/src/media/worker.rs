//! One media worker: a thread with its sockets, its peer connections and its rooms.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token, Waker};
use peer::{Event, PeerConnectionState};
use quinn_udp::{BATCH_SIZE, RecvMeta};
use stun::attribute::Username;
use tokio::sync::{mpsc, oneshot};
use wire::Received;

use super::connection::{self, Common, Refusal};
use super::feed::Feed;
use super::legs::{LegId, Legs};
use super::outlet::Outlet;
use super::rooms::{Room, is_over};
use super::timers::Timers;
use super::{Answer, ConnectionId, Report, Role, Settings};
use crate::sockets::{BUFFER_LEN, Listener, receive};

/// What reaches a worker from other threads.
pub(super) enum Command {
    Offer {
        room: Box<str>,
        role: Role,
        sdp: String,
        reply: oneshot::Sender<Result<Answer, Refusal>>,
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
    Report(oneshot::Sender<Report>),
}

/// How often one socket is read before everything else has its turn.
const ROUNDS: usize = 8;

/// How many commands are taken before the sockets have their turn.
const COMMANDS: usize = 16;

/// A connection that does not come about in this time is given up.
const PATIENCE: Duration = Duration::from_secs(30);

const WAKE: Token = Token(usize::MAX - 1);

pub(super) struct Worker {
    poll: Poll,
    waker: Arc<Waker>,
    inbox: mpsc::Receiver<Command>,
    common: Common,
    most: usize,
    outlet: Outlet,
    arena: Vec<u8>,
    legs: Legs,
    timers: Timers,
    rooms: HashMap<Box<str>, Room>,
    feed: Feed,
    /// Those that are not connected yet, and since when.
    pending: Vec<(Instant, LegId)>,
    /// Sockets that had more to read than their turn allowed.
    unfinished: Vec<usize>,
    received: u64,
    strangers: u64,
}

impl Worker {
    pub(super) fn new(
        settings: &Settings,
        mut listeners: Vec<Listener>,
        inbox: mpsc::Receiver<Command>,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        for (index, listener) in listeners.iter_mut().enumerate() {
            poll.registry().register(listener.socket.source(), Token(index), Interest::READABLE)?;
        }
        let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
        let listening: Vec<SocketAddr> = listeners.iter().map(|listener| listener.local).collect();
        let common = Common {
            certificate: Arc::clone(&settings.certificate),
            media: Arc::new(connection::capabilities()),
            candidates: connection::candidates(&listening, &settings.locals, &settings.public),
        };
        Ok(Self {
            poll,
            waker,
            inbox,
            common,
            most: settings.connections,
            outlet: Outlet::new(listeners),
            arena: vec![0; BATCH_SIZE * BUFFER_LEN],
            legs: Legs::default(),
            timers: Timers::default(),
            rooms: HashMap::new(),
            feed: Feed::default(),
            pending: Vec::new(),
            unfinished: Vec::new(),
            received: 0,
            strangers: 0,
        })
    }

    pub(super) fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    /// Runs until the handle is dropped.
    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(64);
        loop {
            let patience = self.patience(Instant::now());
            if let Err(error) = self.poll.poll(&mut events, patience)
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(%error, "a media worker cannot wait for its sockets and stops");
                return;
            }
            let now = Instant::now();
            let mut ready = std::mem::take(&mut self.unfinished);
            ready.extend(
                events
                    .iter()
                    .map(mio::event::Event::token)
                    .filter(|token| *token != WAKE)
                    .map(|token| token.0),
            );
            ready.sort_unstable();
            ready.dedup();
            for index in ready {
                self.read(now, index);
            }
            if !self.take_commands(now) {
                self.say_goodbye(now);
                return;
            }
            self.wake_up(now);
            self.settle(now);
        }
    }

    fn patience(&self, now: Instant) -> Option<Duration> {
        if !self.unfinished.is_empty() {
            return Some(Duration::ZERO);
        }
        let rooms = self.rooms.values().filter_map(|room| room.sfu.poll_timeout().map(|(at, _)| at)).min();
        let pending = self.pending.first().map(|(since, _)| *since + PATIENCE);
        let next = [self.timers.next(), rooms, pending].into_iter().flatten().min();
        next.map(|at| at.saturating_duration_since(now))
    }

    fn read(&mut self, now: Instant, index: usize) {
        let mut arena = std::mem::take(&mut self.arena);
        for round in 0..ROUNDS {
            let mut meta = [RecvMeta::default(); BATCH_SIZE];
            let Some(listener) = self.outlet.listeners.get(index) else { break };
            let received = receive(&listener.socket, &mut arena, &mut meta);
            for (buffer, meta) in arena.chunks_mut(BUFFER_LEN).zip(&meta[..received]) {
                let Some(listener) = self.outlet.listeners.get(index) else { break };
                let local = listener.local_of(meta);
                let Some(bytes) = buffer.get_mut(..meta.len) else { continue };
                for datagram in bytes.chunks_mut(meta.stride.max(1)) {
                    self.received += 1;
                    self.take_datagram(now, meta.addr, local, datagram);
                }
            }
            // All of a batch is forwarded before anything is sent, so that what goes the same way goes together.
            self.settle(now);
            if received < meta.len() {
                break;
            }
            if round + 1 == ROUNDS {
                self.unfinished.push(index);
            }
        }
        self.arena = arena;
    }

    fn take_datagram(&mut self, now: Instant, source: SocketAddr, destination: SocketAddr, bytes: &mut [u8]) {
        let known = self.legs.at(source);
        let Some(number) = known.or_else(|| self.owner_of(bytes)) else {
            self.strangers += 1;
            return;
        };
        let Some(leg) = self.legs.get_mut(number) else { return };
        let taken = leg.peer.handle_datagram(now, Received { source, destination, bytes });
        // A fault is counted by the connection.
        if known.is_none() && taken.is_ok() {
            self.legs.learn_address(number, source);
        }
        self.feed.touch(number);
        self.forward(now, number);
    }

    /// Whose a check is (RFC 8445 §7.3): its user name begins with our fragment.
    fn owner_of(&self, bytes: &[u8]) -> Option<LegId> {
        let message = stun::Message::parse(bytes).ok()?;
        let Username(name) = message.get::<Username<'_>>().ok()??;
        let (ours, _) = name.split_once(':')?;
        self.legs.of_fragment(ours)
    }

    /// Takes what came over a leg to those who watch.
    fn forward(&mut self, now: Instant, number: LegId) {
        let Some(leg) = self.legs.get_mut(number) else { return };
        if leg.publications.is_empty() {
            return;
        }
        let Some(room) = self.rooms.get_mut(&leg.room) else { return };
        self.feed.take(now, number, &mut self.legs, room);
    }

    /// What is due: connections', rooms', and those that do not come about.
    fn wake_up(&mut self, now: Instant) {
        while let Some(number) = self.timers.due(now) {
            if let Some(leg) = self.legs.get_mut(number) {
                leg.deadline = None;
                leg.peer.handle_timeout(now);
                self.feed.touched.push(number);
            }
        }
        for room in self.rooms.values_mut() {
            if room.sfu.poll_timeout().is_some_and(|(at, _)| at <= now) {
                room.sfu.handle_timeout(now);
            }
        }
        while let Some((_, number)) =
            self.pending.first().copied().filter(|(since, _)| *since + PATIENCE <= now)
        {
            self.pending.remove(0);
            let is_late = self
                .legs
                .get_mut(number)
                .is_some_and(|leg| leg.peer.connection_state() != PeerConnectionState::Connected);
            if is_late {
                self.remove(now, number);
            }
        }
    }

    /// Hears what connections and rooms have to say, then sends what is to be sent.
    fn settle(&mut self, now: Instant) {
        self.hear_rooms(now);
        let mut touched = std::mem::take(&mut self.feed.touched);
        touched.sort_unstable();
        touched.dedup();
        let mut over = Vec::new();
        for number in &touched {
            self.hear(now, *number);
            let Some(leg) = self.legs.get_mut(*number) else { continue };
            self.outlet.send_all(now, &mut leg.peer);
            self.timers.update(*number, leg);
            if is_over(&leg.peer) {
                over.push(*number);
            }
        }
        touched.clear();
        // What hearing has touched comes with the next turn, which is now.
        touched.append(&mut self.feed.touched);
        self.feed.touched = touched;
        for number in over {
            self.remove(now, number);
        }
        self.hear_rooms(now);
        if !self.feed.touched.is_empty() {
            self.send_touched(now);
        }
    }

    fn send_touched(&mut self, now: Instant) {
        let mut touched = std::mem::take(&mut self.feed.touched);
        for number in touched.drain(..) {
            let Some(leg) = self.legs.get_mut(number) else { continue };
            self.outlet.send_all(now, &mut leg.peer);
            self.timers.update(number, leg);
        }
        self.feed.touched = touched;
    }

    fn hear(&mut self, now: Instant, number: LegId) {
        while let Some(leg) = self.legs.get_mut(number) {
            let Some(event) = leg.peer.poll_event() else { return };
            let (role, participant) = (leg.role, leg.participant);
            let Some(room) = self.rooms.get_mut(&leg.room) else { return };
            match event {
                Event::ConnectionState(PeerConnectionState::Connected) if role == Role::Viewer => {
                    room.subscribe(now, number, leg);
                }
                Event::KeyFrameRequested { transceiver, .. } => {
                    if let Some(subscription) = room.subscription(number, transceiver) {
                        room.sfu.request_key_frame(now, subscription);
                    }
                }
                Event::TargetBitrate(bitrate) => room.sfu.set_bitrate(now, participant, Some(bitrate)),
                _ => {}
            }
        }
    }

    fn hear_rooms(&mut self, now: Instant) {
        for room in self.rooms.values_mut() {
            while let Some(event) = room.sfu.poll_event() {
                match event {
                    sfu::Event::RequestKeyFrame { publication, encoding } => {
                        let transceiver = room.published(publication).map(|one| one.transceiver);
                        if let Some((number, transceiver)) = room.publisher.zip(transceiver)
                            && let Some(leg) = self.legs.get_mut(number)
                        {
                            leg.peer.request_key_frame(now, transceiver, encoding);
                            self.feed.touch(number);
                        }
                    }
                    sfu::Event::WantsBitrate { participant, bits_per_second } => {
                        for number in &room.viewers {
                            if let Some(leg) =
                                self.legs.get_mut(*number).filter(|leg| leg.participant == participant)
                            {
                                leg.peer.set_wanted_bitrate(now, bits_per_second);
                                self.feed.touch(*number);
                            }
                        }
                    }
                    // Nobody is told yet.
                    _ => {}
                }
            }
        }
    }

    /// Carries out what other threads ask; false when there is nobody left to serve.
    fn take_commands(&mut self, now: Instant) -> bool {
        for _ in 0..COMMANDS {
            match self.inbox.try_recv() {
                // Whoever does not wait for an answer gets none.
                Ok(Command::Offer { room, role, sdp, reply }) => {
                    let answer = self.offer(now, room, role, sdp);
                    drop(reply.send(answer));
                }
                Ok(Command::Patch { id, tag, fragment, reply }) => {
                    drop(reply.send(self.patch(now, id, tag.as_deref(), &fragment)));
                }
                Ok(Command::Close { id, reply }) => {
                    let number = self.legs.named(id);
                    number.into_iter().for_each(|number| self.remove(now, number));
                    let _ = reply.send(number.is_some());
                }
                Ok(Command::Report(reply)) => {
                    let _ = reply.send(self.report());
                }
                Err(mpsc::error::TryRecvError::Empty) => return true,
                Err(mpsc::error::TryRecvError::Disconnected) => return false,
            }
        }
        // There may be more: come back at once.
        let _ = self.waker.wake();
        true
    }

    fn offer(&mut self, now: Instant, name: Box<str>, role: Role, sdp: String) -> Result<Answer, Refusal> {
        if self.legs.len() >= self.most {
            return Err(Refusal::Full);
        }
        if role == Role::Publisher {
            self.make_way(now, &name);
        }
        let known = self.rooms.get(&name);
        let codecs = known.map(Room::codecs).unwrap_or_default();
        match role {
            Role::Publisher if known.is_some_and(|room| room.publisher.is_some()) => {
                return Err(Refusal::Taken);
            }
            Role::Viewer if codecs.is_empty() => return Err(Refusal::Nobody),
            _ => {}
        }
        let mut peer = self.common.hear(now, sdp)?;
        match role {
            Role::Publisher => connection::receive_all(&mut peer)?,
            Role::Viewer => connection::send_what_is(&mut peer, &codecs)?,
        }
        let sdp = self.common.answer(now, &mut peer)?;
        let mut random = [0; 16];
        aws_lc_rs::rand::fill(&mut random).map_err(|_| Refusal::Full)?;
        let id = ConnectionId(u128::from_be_bytes(random));
        let tag = peer.ice().credentials().ufrag.as_str().to_owned();
        let room = self.rooms.entry(name.clone()).or_insert_with(|| Room::new(now));
        let participant = room.sfu.join(now).map_err(|_| Refusal::Full)?;
        let number = self.legs.insert(peer, id, (name, role, participant));
        self.pending.push((now, number));
        if let Some(leg) = self.legs.get_mut(number) {
            match role {
                Role::Publisher => room.publish(now, number, leg),
                Role::Viewer => room.viewers.push(number),
            }
        }
        if role == Role::Publisher {
            for viewer in room.viewers.clone() {
                if let Some(leg) = self.legs.get_mut(viewer)
                    && leg.peer.connection_state() == PeerConnectionState::Connected
                {
                    room.subscribe(now, viewer, leg);
                }
            }
        }
        self.feed.touched.push(number);
        Ok(Answer { id, sdp, tag })
    }

    /// A publisher of whom nothing is heard any more does not keep the next one waiting.
    fn make_way(&mut self, now: Instant, name: &str) {
        let Some(number) = self.rooms.get(name).and_then(|room| room.publisher) else { return };
        let is_silent = self
            .legs
            .get_mut(number)
            .is_some_and(|leg| leg.peer.connection_state() == PeerConnectionState::Disconnected);
        if is_silent {
            self.remove(now, number);
        }
    }

    fn patch(
        &mut self,
        now: Instant,
        id: ConnectionId,
        tag: Option<&str>,
        fragment: &str,
    ) -> Result<Option<Answer>, Refusal> {
        let number = self.legs.named(id).ok_or(Refusal::Unknown)?;
        let leg = self.legs.get_mut(number).ok_or(Refusal::Unknown)?;
        let changed = connection::patch(now, &mut leg.peer, tag, fragment, &self.common)?;
        self.legs.learn_fragment(number);
        self.feed.touched.push(number);
        Ok(changed.map(|(sdp, tag)| Answer { id, sdp, tag }))
    }

    fn remove(&mut self, now: Instant, number: LegId) {
        let Some(mut leg) = self.legs.remove(number) else { return };
        self.timers.forget(number, &mut leg);
        self.pending.retain(|(_, pending)| *pending != number);
        leg.peer.close(now);
        self.outlet.send_all(now, &mut leg.peer);
        if let Some(room) = self.rooms.get_mut(&leg.room) {
            room.leave(now, number, &leg);
            if room.is_empty() {
                self.rooms.remove(&leg.room);
            }
        }
    }

    /// Tells everybody that it is over.
    fn say_goodbye(&mut self, now: Instant) {
        for number in self.legs.numbers() {
            self.remove(now, number);
        }
    }

    fn report(&self) -> Report {
        Report {
            connections: self.legs.len(),
            rooms: self.rooms.len(),
            received_datagrams: self.received,
            sent_datagrams: self.outlet.datagrams,
            sends: self.outlet.sends,
            send_errors: self.outlet.errors,
            forwarded: self.feed.forwarded,
            strangers: self.strangers,
        }
    }
}
