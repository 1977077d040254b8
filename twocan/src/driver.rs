//! The task behind a peer connection: it owns the sockets and the state machine, and moves datagrams, time, calls and
//! events between them.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use peer::{
    CandidateError, ChannelError, ChannelId, ChannelMessage, ChannelOptions, DescriptionError, Event,
    IceCandidateInit, Kind, PeerConnectionState, SessionDescription, SignalingState,
};
use tokio::sync::{mpsc, oneshot, watch};
use wire::Received;

use crate::budget::Budget;
use crate::channel::Message;
use crate::configuration::{Configuration, DataChannelOptions, ExternalAddress};
use crate::error::SendError;
use crate::sockets::Sockets;
use crate::{CandidatePair, DataChannel, DataChannelState, Error, IceConnectionState, PeerEvent};

/// How many batches are read before everything else has its turn.
const READS: usize = 8;

/// How many calls are taken before everything else has its turn.
const CALLS: usize = 64;

/// Who waits for a message to be queued.
type SendReply = oneshot::Sender<Result<(), SendError>>;

/// What handles ask.
#[derive(Debug)]
pub(crate) enum Command {
    CreateOffer(oneshot::Sender<Result<SessionDescription, DescriptionError>>),
    CreateAnswer(oneshot::Sender<Result<SessionDescription, DescriptionError>>),
    SetLocal(Option<SessionDescription>, oneshot::Sender<Result<SessionDescription, DescriptionError>>),
    SetRemote(SessionDescription, oneshot::Sender<Result<(), DescriptionError>>),
    AddCandidate(Option<IceCandidateInit>, oneshot::Sender<Result<(), CandidateError>>),
    LocalDescription(oneshot::Sender<Option<SessionDescription>>),
    CreateChannel {
        label: String,
        options: DataChannelOptions,
        reply: oneshot::Sender<Result<DataChannel, ChannelError>>,
    },
    Send {
        channel: ChannelId,
        kind: Kind,
        message: Bytes,
        reply: SendReply,
    },
}

/// What handles say without waiting, even while they are dropped: at most one for each channel, and restarts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Notice {
    CloseChannel(ChannelId),
    RestartIce,
}

/// What getters see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) signaling: SignalingState,
    pub(crate) ice: IceConnectionState,
    pub(crate) connection: PeerConnectionState,
    pub(crate) selected: Option<CandidatePair>,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self {
            signaling: SignalingState::Stable,
            ice: IceConnectionState::New,
            connection: PeerConnectionState::New,
            selected: None,
        }
    }
}

/// The driver's end of a data channel.
#[derive(Debug)]
struct Line {
    messages: mpsc::UnboundedSender<Message>,
    state: watch::Sender<Option<DataChannelState>>,
    /// Pieces of a long message.
    gathered: Vec<u8>,
    /// What did not fit into the send buffer.
    unsent: VecDeque<(Kind, Bytes, SendReply)>,
}

#[derive(Debug)]
pub(crate) struct Driver {
    peer: peer::PeerConnection,
    sockets: Sockets,
    commands: mpsc::WeakSender<Command>,
    inbox: mpsc::Receiver<Command>,
    notice: mpsc::UnboundedSender<Notice>,
    notices: mpsc::UnboundedReceiver<Notice>,
    events: mpsc::UnboundedSender<PeerEvent>,
    snapshot: watch::Sender<Snapshot>,
    lines: BTreeMap<ChannelId, Line>,
    budget: Arc<Budget>,
    buffer: Vec<u8>,
    selected: Option<CandidatePair>,
    external: Vec<ExternalAddress>,
}

impl Driver {
    pub(crate) fn new(
        configuration: &Configuration,
        commands: mpsc::WeakSender<Command>,
        inbox: mpsc::Receiver<Command>,
        (notice, notices): (mpsc::UnboundedSender<Notice>, mpsc::UnboundedReceiver<Notice>),
        (events, budget): (mpsc::UnboundedSender<PeerEvent>, Arc<Budget>),
        snapshot: watch::Sender<Snapshot>,
    ) -> Result<Self, Error> {
        let certificate = match configuration.certificates.first() {
            Some(certificate) => Arc::clone(certificate),
            None => {
                let made = dtls::Certificate::generate(random()?, SystemTime::now());
                Arc::new(made.map_err(Error::Certificate)?)
            }
        };
        for server in &configuration.ice_servers {
            server.parse().map_err(Error::IceServer)?;
        }
        let mut inner = peer::Configuration::new(certificate, random()?);
        inner.max_message_size = configuration.max_message_size;
        Ok(Self {
            peer: peer::PeerConnection::new(Instant::now(), inner),
            sockets: Sockets::open(configuration).map_err(Error::Socket)?,
            commands,
            inbox,
            notice,
            notices,
            events,
            snapshot,
            lines: BTreeMap::new(),
            budget,
            buffer: Vec::new(),
            selected: None,
            external: configuration.external_addresses.clone(),
        })
    }

    /// Drives the connection until nobody holds it any more.
    pub(crate) async fn run(mut self) {
        let timer = tokio::time::sleep(Duration::ZERO);
        tokio::pin!(timer);
        loop {
            self.settle().await;
            let deadline = self.peer.poll_timeout().map(|(at, _)| at);
            if let Some(deadline) = deadline {
                timer.as_mut().reset(deadline.into());
            }
            let is_stalled = self.budget.is_spent();
            let (sockets, inbox, notices) = (&self.sockets, &mut self.inbox, &mut self.notices);
            tokio::select! {
                command = inbox.recv() => match command {
                    Some(command) => self.obey_all(command),
                    None => break,
                },
                Some(notice) = notices.recv() => self.heed(notice),
                index = std::future::poll_fn(|context| sockets.poll_readable(context)) => self.read(index),
                () = &mut timer, if deadline.is_some() => self.peer.handle_timeout(Instant::now()),
                () = self.budget.freed(), if is_stalled => {}
            }
        }
        self.peer.close(Instant::now());
        self.transmit().await;
    }

    fn read(&mut self, index: usize) {
        let now = Instant::now();
        let Self { sockets, peer, .. } = self;
        for _ in 0..READS {
            let more = sockets.receive(index, |source, destination, bytes| {
                // A fault is counted.
                let _ = peer.handle_datagram(now, Received { source, destination, bytes });
            });
            if !more {
                break;
            }
        }
    }

    /// Hands out what happened, then sends what is to be sent.
    async fn settle(&mut self) {
        loop {
            let mut any = false;
            while !self.budget.is_spent()
                && let Some(event) = self.peer.poll_event()
            {
                any = true;
                self.happen(event);
            }
            any |= self.transmit().await;
            if !any {
                break;
            }
        }
        let snapshot = Snapshot {
            signaling: self.peer.signaling_state(),
            ice: self.peer.ice_connection_state(),
            connection: self.peer.connection_state(),
            selected: self.selected,
        };
        self.snapshot.send_if_modified(|known| std::mem::replace(known, snapshot) != snapshot);
    }

    async fn transmit(&mut self) -> bool {
        let mut any = false;
        loop {
            self.buffer.clear();
            let Some(transmit) = self.peer.poll_transmit(Instant::now(), &mut self.buffer) else {
                return any;
            };
            any = true;
            self.sockets.send(&transmit, &self.buffer).await;
        }
    }

    fn happen(&mut self, event: Event) {
        let now = Instant::now();
        let told = match event {
            Event::NegotiationNeeded => PeerEvent::NegotiationNeeded,
            Event::SignalingState(state) => PeerEvent::SignalingState(state),
            Event::IceCandidate(candidate) => PeerEvent::IceCandidate(candidate),
            Event::IceGatheringState(state) => PeerEvent::IceGatheringState(state),
            Event::IceConnectionState(state) => PeerEvent::IceConnectionState(state),
            Event::ConnectionState(state) => PeerEvent::ConnectionState(state),
            Event::Gather => return self.gather(),
            // Names of the local network are not resolved here.
            Event::Resolve { id, .. } => return self.peer.handle_resolved(now, id, &[]),
            Event::DataChannel(id) => match self.adopt(id) {
                Some(channel) => PeerEvent::DataChannel(channel),
                None => return,
            },
            Event::ChannelOpen(id) => return self.set_state(id, Some(DataChannelState::Open)),
            Event::ChannelClosing(id) => return self.set_state(id, Some(DataChannelState::Closing)),
            Event::ChannelClosed(id) => {
                self.set_state(id, None);
                self.lines.remove(&id);
                return;
            }
            Event::Message(message) => return self.deliver(message),
            Event::MessageAborted { channel, .. } => {
                if let Some(line) = self.lines.get_mut(&channel) {
                    line.gathered.clear();
                }
                return;
            }
            Event::Writable => return self.send_unsent(),
            Event::SelectedPath(selected) => {
                let pair = CandidatePair::of(&selected, self.peer.ice());
                self.selected = Some(pair);
                PeerEvent::SelectedCandidatePair(pair)
            }
            Event::Failed(failure) => PeerEvent::Failed(failure),
            // No connections are opened here yet.
            Event::Connect { id, .. } => return self.peer.handle_disconnected(now, id),
            Event::Secured(_)
            | Event::BufferedAmountLow(_)
            | Event::Disconnect { .. }
            | Event::IceCandidateError { .. } => return,
        };
        self.budget.put(0);
        if self.events.send(told).is_err() {
            // Nobody is listening.
            self.budget.take(0);
        }
    }

    fn gather(&mut self) {
        let now = Instant::now();
        for address in self.sockets.addresses().collect::<Vec<_>>() {
            for candidate in candidates(address, &self.external) {
                // One that is not taken is not told.
                let _ = self.peer.add_local_candidate(now, candidate);
            }
        }
        self.peer.end_of_local_candidates(now);
    }

    /// Makes the two ends of a channel's line.
    fn adopt(&mut self, id: ChannelId) -> Option<DataChannel> {
        let channel = self.peer.channel(id)?;
        let (sender, messages) = mpsc::unbounded_channel();
        let (publish, state) = watch::channel(Some(channel.state()));
        let handle = DataChannel {
            id,
            label: channel.label().to_owned(),
            protocol: channel.protocol().to_owned(),
            commands: self.commands.clone(),
            notices: self.notice.clone(),
            messages,
            state,
            budget: Arc::clone(&self.budget),
        };
        let line = Line { messages: sender, state: publish, gathered: Vec::new(), unsent: VecDeque::new() };
        self.lines.insert(id, line);
        Some(handle)
    }

    fn set_state(&mut self, id: ChannelId, state: Option<DataChannelState>) {
        if let Some(line) = self.lines.get(&id) {
            line.state.send_replace(state);
        }
    }

    fn deliver(&mut self, message: ChannelMessage) {
        let ChannelMessage { channel, kind, last, first, data, .. } = message;
        let Some(line) = self.lines.get_mut(&channel) else { return self.peer.recycle(data) };
        let whole = if first && last {
            data
        } else {
            line.gathered.extend_from_slice(&data);
            self.peer.recycle(data);
            if !last {
                return;
            }
            std::mem::take(&mut line.gathered)
        };
        let message = Message::of(kind, whole);
        self.budget.put(message.len());
        if let Err(unheard) = line.messages.send(message) {
            self.budget.take(unheard.0.len());
        }
    }

    fn obey_all(&mut self, first: Command) {
        let mut next = Some(first);
        for _ in 0..CALLS {
            let Some(command) = next else { return };
            self.obey(command);
            next = self.inbox.try_recv().ok();
        }
        if let Some(command) = next {
            self.obey(command);
        }
    }

    fn obey(&mut self, command: Command) {
        let now = Instant::now();
        // Whoever does not wait for an answer gets none.
        match command {
            Command::CreateOffer(reply) => drop(reply.send(self.peer.create_offer())),
            Command::CreateAnswer(reply) => drop(reply.send(self.peer.create_answer())),
            Command::SetLocal(None, reply) => {
                drop(reply.send(self.peer.set_local_description_implicitly(now)));
            }
            Command::SetLocal(Some(description), reply) => {
                let set = self.peer.set_local_description(now, &description);
                drop(reply.send(set.map(|()| description)));
            }
            Command::SetRemote(description, reply) => {
                drop(reply.send(self.peer.set_remote_description(now, &description)));
            }
            Command::AddCandidate(candidate, reply) => {
                drop(reply.send(self.peer.add_ice_candidate(now, candidate.as_ref())));
            }
            Command::LocalDescription(reply) => drop(reply.send(self.peer.local_description())),
            Command::CreateChannel { label, options, reply } => {
                let DataChannelOptions { ordered, reliability, protocol, priority, negotiated } = options;
                let options = ChannelOptions { ordered, reliability, priority, negotiated };
                let made = self.peer.create_data_channel(now, &label, &protocol, options);
                let made = made.and_then(|id| self.adopt(id).ok_or(ChannelError::Gone));
                drop(reply.send(made));
            }
            Command::Send { channel, kind, message, reply } => self.send(now, channel, kind, message, reply),
        }
    }

    fn heed(&mut self, notice: Notice) {
        match notice {
            Notice::CloseChannel(channel) => self.peer.close_channel(Instant::now(), channel),
            Notice::RestartIce => self.peer.restart_ice(),
        }
    }

    fn send(&mut self, now: Instant, channel: ChannelId, kind: Kind, message: Bytes, reply: SendReply) {
        let Some(line) = self.lines.get_mut(&channel) else {
            let _ = reply.send(Err(SendError::Closed));
            return;
        };
        let is_first = line.unsent.is_empty();
        let outcome = if is_first {
            self.peer.send(now, channel, kind, message.clone())
        } else {
            Err(ChannelError::Full)
        };
        let outcome = match outcome {
            Ok(()) => Ok(()),
            Err(ChannelError::Full) => {
                line.unsent.push_back((kind, message, reply));
                return;
            }
            Err(ChannelError::TooLong) => Err(SendError::TooLong),
            Err(_) => Err(SendError::Closed),
        };
        let _ = reply.send(outcome);
    }

    /// There is room again.
    fn send_unsent(&mut self) {
        let now = Instant::now();
        for (id, line) in &mut self.lines {
            while let Some((kind, message, reply)) = line.unsent.pop_front() {
                match self.peer.send(now, *id, kind, message.clone()) {
                    Err(ChannelError::Full) => {
                        line.unsent.push_front((kind, message, reply));
                        break;
                    }
                    outcome => {
                        let _ = reply.send(outcome.map_err(|_| SendError::Closed));
                    }
                }
            }
        }
    }
}

/// What is told of a UDP socket at this address.
fn candidates(local: SocketAddr, external: &[ExternalAddress]) -> Vec<ice::LocalCandidate> {
    let host = ice::LocalCandidate::host(local);
    let Some(mapped) = external.iter().find(|external| external.maps(local.ip())) else { return vec![host] };
    if mapped.replaces {
        return vec![host.advertised(mapped.public)];
    }
    let public = SocketAddr::new(mapped.public, local.port());
    vec![host, ice::LocalCandidate::server_reflexive(public, local, mapped.public)]
}

fn random() -> Result<[u8; 32], Error> {
    let mut seed = [0; 32];
    aws_lc_rs::rand::fill(&mut seed).map_err(|_| Error::Randomness)?;
    Ok(seed)
}
