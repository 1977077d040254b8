//! One media worker: a thread with its sockets, its peer connections and its rooms.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token, Waker};
use peer::{Event, MediaKind, PeerConnection, PeerConnectionState};
use quinn_udp::{BATCH_SIZE, RecvMeta};
use sfu::ParticipantId;
use tokio::sync::mpsc;
use wire::Received;

use super::commands::Command;
use super::connection::{self, Common};
use super::doorway::fragment_of;
use super::feed::Feed;
use super::herald::Herald;
use super::legs::{Leg, LegId, Legs, Owner};
use super::outlet::Outlet;
use super::parts::{Away, Neighbour, Post, Tidings};
use super::rooms::{Room, is_over};
use super::stirred::Rooms;
use super::tcp::Pipes;
use super::timers::Timers;
use super::{Role, Settings, placement, streams};
use crate::conference::{Ending, Notice, RoomKey, Source};
use crate::sockets::{BUFFER_LEN, Listener, receive};

/// How often one socket is read before everything else has its turn.
const ROUNDS: usize = 8;

/// A connection that does not come about in this time is given up.
const PATIENCE: Duration = Duration::from_secs(30);

const WAKE: Token = Token(usize::MAX - 1);

pub(super) struct Worker {
    poll: Poll,
    pub(super) waker: Arc<Waker>,
    pub(super) inbox: mpsc::Receiver<Command>,
    pub(super) common: Common,
    pub(super) most: usize,
    /// Voices in a call that are forwarded at a time at most.
    voices: Option<NonZeroUsize>,
    /// Which of the workers this one is.
    pub(super) index: usize,
    pub(super) neighbours: Vec<Neighbour>,
    pub(super) tidings: mpsc::Receiver<Tidings>,
    pub(super) post: Post,
    pub(super) outlet: Outlet,
    pub(super) pipes: Pipes,
    pub(super) arena: Vec<u8>,
    pub(super) legs: Legs,
    timers: Timers,
    pub(super) rooms: Rooms,
    pub(super) feed: Feed,
    pub(super) herald: Herald,
    /// What the next publication is called, before it is written down; 0: not begun.
    next_name: u64,
    /// When what is forwarded is dated next; none: nothing is.
    pub(super) dating: Option<Instant>,
    /// Those that are not connected yet, and since when.
    pending: Vec<(Instant, LegId)>,
    /// Sockets, and connections over TCP, that had more to read than their turn allowed.
    pub(super) unfinished: Vec<usize>,
    pub(super) received: u64,
    pub(super) strangers: u64,
    pub(super) restarts: u64,
}

impl Worker {
    pub(super) fn new(
        settings: &Settings,
        index: usize,
        mut listeners: Vec<Listener>,
        (inbox, tidings): (mpsc::Receiver<Command>, mpsc::Receiver<Tidings>),
        notices: mpsc::Sender<Notice>,
    ) -> io::Result<Self> {
        let poll = Poll::new()?;
        for (index, listener) in listeners.iter_mut().enumerate() {
            poll.registry().register(listener.socket.source(), Token(index), Interest::READABLE)?;
        }
        let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
        let pipes = Pipes::new(poll.registry().try_clone()?, settings.connections);
        let listening: Vec<SocketAddr> = listeners.iter().map(|listener| listener.local).collect();
        let common = Common {
            certificate: Arc::clone(&settings.certificate),
            media: Arc::new(connection::capabilities()),
            candidates: connection::candidates(
                (&listening, &settings.tcp),
                &settings.locals,
                &settings.public,
            ),
        };
        Ok(Self {
            poll,
            waker,
            inbox,
            common,
            most: settings.connections,
            voices: settings.voices,
            index,
            neighbours: Vec::new(),
            tidings,
            post: Post::default(),
            outlet: Outlet::new(listeners),
            pipes,
            arena: vec![0; BATCH_SIZE * BUFFER_LEN],
            legs: Legs::new(settings.connections),
            timers: Timers::default(),
            rooms: Rooms::default(),
            feed: Feed::default(),
            herald: Herald::new(notices),
            next_name: 0,
            dating: None,
            pending: Vec::new(),
            unfinished: Vec::new(),
            received: 0,
            strangers: 0,
            restarts: 0,
        })
    }

    pub(super) fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    /// Runs until the handle is dropped. What a panic leaves behind is thrown away: the sockets stay, and with them the
    /// ports; members are told, and make connections anew.
    pub(super) fn run(mut self) {
        while panic::catch_unwind(AssertUnwindSafe(|| self.serve())).is_err() {
            tracing::error!("a media worker has failed and begins anew: report this as a fault of twocan");
            self.begin_anew();
        }
    }

    fn begin_anew(&mut self) {
        let lost = std::mem::replace(&mut self.legs, Legs::new(self.most));
        for number in lost.numbers() {
            if let Some(joined) = lost.get(number).and_then(Leg::member) {
                let leg = joined.name.clone();
                self.herald.say(Notice::Closed { leg, reason: Ending::Restart });
            }
        }
        self.herald.forget_all();
        let now = Instant::now();
        for (key, room) in self.rooms.iter() {
            // Of a part the home knows what is published.
            if room.away.is_none() {
                self.herald.publications_of(now, key, None);
            }
        }
        (self.timers, self.feed, self.pending) = (Timers::default(), Feed::default(), Vec::new());
        self.rooms.clear();
        self.pipes.clear();
        self.post.begin_anew(self.neighbours.len(), self.index);
        // What has come meanwhile is not announced again.
        self.unfinished = (0..self.outlet.listeners.len()).collect();
        self.arena.resize(BATCH_SIZE * BUFFER_LEN, 0);
        self.restarts += 1;
    }

    fn serve(&mut self) {
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
                match Pipes::place(index) {
                    Some(place) => self.attend(now, place),
                    None => self.read(now, index),
                }
            }
            if !self.take_commands(now) {
                self.say_goodbye(now);
                return;
            }
            self.take_tidings(now);
            self.wake_up(now);
            self.date(now);
            self.settle(now);
            self.tell(now);
            self.correspond(now);
        }
    }

    fn patience(&self, now: Instant) -> Option<Duration> {
        if !self.unfinished.is_empty() {
            return Some(Duration::ZERO);
        }
        let rooms = self.rooms.poll_timeout();
        let pending = self.pending.first().map(|(since, _)| *since + PATIENCE);
        let news = self.herald.poll_timeout(now);
        let next = [self.timers.next(), rooms, pending, news, self.dating, self.post.again]
            .into_iter()
            .flatten()
            .min();
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
                if self.feed.is_full() {
                    self.settle(now);
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
        self.legs.of_fragment(fragment_of(bytes)?)
    }

    /// Takes what came over a leg to those who watch.
    pub(super) fn forward(&mut self, now: Instant, number: LegId) {
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
            let Some(leg) = self.legs.get_mut(number) else { continue };
            if self.timers.is_due(now, number, leg) {
                leg.peer.handle_timeout(now);
                self.feed.touch(number);
            }
        }
        self.rooms.handle_timeout(now);
        while let Some((_, number)) =
            self.pending.first().copied().filter(|(since, _)| *since + PATIENCE <= now)
        {
            self.pending.remove(0);
            let is_late = self
                .legs
                .get_mut(number)
                .is_some_and(|leg| leg.peer.connection_state() != PeerConnectionState::Connected);
            if is_late {
                self.remove(now, number, Some(Ending::Failed));
            }
        }
    }

    /// Hears what connections and rooms have to say, then sends what is to be sent.
    pub(super) fn settle(&mut self, now: Instant) {
        // Other workers get to their viewers while this one is at its own.
        self.pass_on();
        self.hear_rooms(now);
        let touched = self.feed.take_touched();
        let mut over = Vec::new();
        for number in &touched {
            self.hear(now, *number);
            let Some(leg) = self.legs.get_mut(*number) else { continue };
            self.feed.untouch(*number);
            self.feed.deliver(now, *number, leg, &mut self.outlet.burst);
            self.outlet.send_all(now, &mut leg.peer);
            self.pipes.send_all(now, leg);
            self.timers.update(*number, leg);
            if is_over(&leg.peer) {
                over.push(*number);
            }
        }
        self.feed.done(touched);
        for number in over {
            self.remove(now, number, Some(Ending::Failed));
        }
        // What hearing has touched comes with the next turn, which is now.
        self.hear_rooms(now);
        self.send_touched(now);
    }

    fn send_touched(&mut self, now: Instant) {
        let touched = self.feed.take_touched();
        for number in &touched {
            let Some(leg) = self.legs.get_mut(*number) else { continue };
            self.feed.untouch(*number);
            self.outlet.send_all(now, &mut leg.peer);
            self.pipes.send_all(now, leg);
            self.timers.update(*number, leg);
        }
        self.feed.done(touched);
    }

    fn hear(&mut self, now: Instant, number: LegId) {
        while let Some(leg) = self.legs.get_mut(number) {
            let Some(event) = leg.peer.poll_event() else { return };
            let Some(room) = self.rooms.get_mut(&leg.room) else { return };
            match event {
                Event::ConnectionState(PeerConnectionState::Connected) => {
                    let _span = leg.span().entered();
                    tracing::debug!("connected");
                    if leg.is(Role::Viewer) {
                        room.watch_all(now, number, leg);
                    }
                    self.grant_wishes(now, number);
                }
                Event::KeyFrameRequested { transceiver, .. } => {
                    if let Some(subscription) = leg.slot(transceiver).and_then(|slot| slot.subscription) {
                        room.sfu.request_key_frame(now, subscription);
                    }
                }
                // What only sends here has no way to measure.
                Event::Disconnect { id } => self.pipes.close_one(leg, id),
                Event::TargetBitrate(bitrate) if !leg.slots.is_empty() => {
                    room.sfu.set_bitrate(now, leg.participant, Some(bitrate));
                }
                _ => {}
            }
        }
    }

    fn hear_rooms(&mut self, now: Instant) {
        while let Some((key, room)) = self.rooms.next_stirred() {
            while let Some(event) = room.sfu.poll_event() {
                match event {
                    sfu::Event::RequestKeyFrame { publication, encoding } => {
                        if let Some(away) = &mut room.away {
                            away.want_key_frame(publication, encoding);
                        } else if let Some(published) = room.published(publication)
                            && let Some(leg) = self.legs.get_mut(published.leg)
                        {
                            leg.peer.request_key_frame(now, published.transceiver, encoding);
                            self.feed.touch(published.leg);
                        }
                    }
                    sfu::Event::WantsBitrate { participant, bits_per_second } => {
                        for number in room.person_mut(participant).into_iter().flat_map(|one| &one.legs) {
                            if let Some(leg) = self.legs.get_mut(*number).filter(|leg| !leg.slots.is_empty())
                            {
                                leg.peer.set_wanted_bitrate(now, bits_per_second);
                                self.feed.touch(*number);
                            }
                        }
                    }
                    sfu::Event::Wanted { publication, encodings } => {
                        if let Some(published) = room.published_mut(publication) {
                            published.wanted = encodings;
                            if self.legs.get(published.leg).is_some_and(|leg| leg.member().is_some()) {
                                self.herald.wanted.insert(published.leg);
                            }
                        }
                        if let Some(away) = &mut room.away {
                            away.is_behind = true;
                        }
                    }
                    sfu::Event::Layer { subscription, layer, why } => {
                        let Some(target) = room.targets.get(&subscription) else { continue };
                        let Some(leg) = self.legs.get_mut(target.leg) else { continue };
                        let Owner::Member(joined) = &leg.owner else { continue };
                        let told = joined.told;
                        let mut slots = leg.slots.iter_mut();
                        if let Some(slot) = slots.find(|slot| slot.subscription == Some(subscription)) {
                            slot.news = Some((layer, why));
                            self.herald.layers_of(now, target.leg, told);
                        }
                    }
                    // The home tells it.
                    sfu::Event::Speaker { .. } if room.away.is_some() => {}
                    sfu::Event::Speaker { participant } => {
                        let person = participant.and_then(|participant| room.person_mut(participant));
                        room.speaker = person.and_then(|person| person.member);
                        self.herald.speakers.insert(key.clone(), room.speaker);
                    }
                }
            }
            self.rooms.is_heard(key);
        }
    }

    /// A room, which is there from now on.
    pub(super) fn room(&mut self, now: Instant, key: &RoomKey) -> &mut Room {
        let home = placement::home(key, self.neighbours.len());
        let is_away = home != self.index;
        let room = self.rooms.enter(now, key);
        if let RoomKey::Call(_) = key {
            room.sfu.set_voices(self.voices);
        }
        if is_away && room.away.is_none() {
            room.away = Some(Box::new(Away::new(home)));
            self.post.parts.insert(key.clone());
        }
        room
    }

    /// A new leg of somebody's who is in the room.
    pub(super) fn insert(
        &mut self,
        now: Instant,
        peer: PeerConnection,
        owner: Owner,
        (room, participant): (RoomKey, ParticipantId),
    ) -> LegId {
        if self.next_name == 0 {
            // Where there is no randomness, names are those of other workers.
            self.next_name = streams::random().map_or(1, u64::from_be_bytes) >> 16;
        }
        let number = self.legs.insert(peer, owner, (room.clone(), participant));
        if let Some(person) = self.rooms.get_mut(&room).and_then(|room| room.person_mut(participant)) {
            person.legs.push(number);
        }
        self.pending.push((now, number));
        self.feed.touch(number);
        number
    }

    /// What a leg sends is as agreed on.
    pub(super) fn publish(
        &mut self,
        now: Instant,
        number: LegId,
        source_of: impl Fn(&str, MediaKind) -> Option<Source>,
    ) {
        let Some(key) = self.legs.get(number).map(|leg| leg.room.clone()) else { return };
        let Some(room) = self.rooms.get_mut(&key) else { return };
        let next = &mut self.next_name;
        let name = || {
            *next += 1;
            *next
        };
        if let Some(affected) = room.publish(now, (number, &mut self.legs), source_of, name) {
            self.herald.publications_of(now, &key, room.told);
            self.announce_layers(now, &affected);
            self.serve_viewers(now, &key);
        }
    }

    /// Slots of these get something else.
    pub(super) fn announce_layers(&mut self, now: Instant, legs: &[LegId]) {
        for number in legs {
            if let Some(joined) = self.legs.get(*number).and_then(Leg::member) {
                self.herald.layers_of(now, *number, joined.told);
            }
        }
    }

    /// The sections by which a leg may get something are as agreed on.
    pub(super) fn arrange(&mut self, now: Instant, number: LegId) {
        let Some(leg) = self.legs.get_mut(number) else { return };
        if let Some(room) = self.rooms.get_mut(&leg.room) {
            room.arrange(now, leg);
        }
    }

    /// Ends a leg; its member is told why, where it was not they who ended it.
    pub(super) fn remove(&mut self, now: Instant, number: LegId, why: Option<Ending>) {
        let Some(mut leg) = self.legs.remove(number) else { return };
        self.timers.forget(number, &mut leg);
        self.pending.retain(|(_, pending)| *pending != number);
        self.herald.forget(number);
        leg.span().in_scope(|| tracing::debug!(?why, state = ?leg.peer.connection_state(), "over"));
        leg.peer.close(now);
        self.outlet.send_all(now, &mut leg.peer);
        self.pipes.send_all(now, &mut leg);
        self.pipes.close_all(&mut leg);
        let key = leg.room.clone();
        let Some(room) = self.rooms.get_mut(&key) else { return };
        if let Some(person) = room.person_mut(leg.participant) {
            person.legs.retain(|one| *one != number);
        }
        for slot in &leg.slots {
            room.close_slot(now, slot);
        }
        let mut affected = Vec::new();
        for (_, publication) in &leg.publications {
            // Another leg of theirs may have taken it over.
            if room.published(*publication).is_some_and(|one| one.leg == number) {
                affected.extend(room.unpublish(now, *publication, &mut self.legs));
                self.herald.publications_of(now, &key, room.told);
            }
        }
        self.announce_layers(now, &affected);
        match leg.owner {
            Owner::Program { .. } => self.leave(now, &key, leg.participant),
            Owner::Member(joined) => {
                if let Some(reason) = why {
                    self.herald.say(Notice::Closed { leg: joined.name, reason });
                }
            }
        }
    }

    /// Tells everybody that it is over.
    pub(super) fn say_goodbye(&mut self, now: Instant) {
        for number in self.legs.numbers() {
            self.remove(now, number, None);
        }
    }
}
