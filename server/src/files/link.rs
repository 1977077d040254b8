//! The connection to one other person who knows the code: found in the room, agreed upon by sealed signals, made again
//! when it is lost, and used by [`super::send`] and [`super::receive`].
//!
//! The rules of signaling (`docs/signaling.md`, "Sealed"): each end names each of its connections by a word that is drawn
//! for it. A signal counts only if it names the receiver's present one; a `hello` alone need not, and does nothing to a
//! connection that stands. So whatever is repeated out of another session has no effect.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use twocan::{
    CandidatePair, Configuration, DataChannel, DataChannelOptions, IceTransportPolicy, Message,
    PeerConnection, PeerConnectionState, PeerEvent, SdpType, SessionDescription,
};

use super::message::{Candidate, Control, Description, FileMessage, Hello, Role, Signal};
use super::seal::{NONCE_LEN, Sealer};
use super::session::{self, IceServer, Session};

/// The control channel's label and number, the same in the web app.
const CONTROL_LABEL: &str = "twocan";
const CONTROL_STREAM: u16 = 0;

/// What pages show of this end.
const OWN_NAME: &str = "Terminal";

/// People in a room that are remembered; a room for files has far fewer.
const MOST_KNOWN: usize = 64;

/// A connection that has not come about by then is made again.
const CONNECT_PATIENCE: Duration = Duration::from_secs(15);
/// How long a connection may be interrupted before a fresh one is made, by who makes the offers, and by the other.
const INTERRUPTED: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(8));
/// The same after it has failed.
const FAILED: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));
/// Somebody who is there, but says nothing, is greeted again.
const GREET_AGAIN: Duration = Duration::from_secs(10);

/// What happens.
#[derive(Debug)]
pub(crate) enum Event {
    /// We are in the room, and wait.
    InRoom,
    /// The server is not there; nothing is lost.
    ServerAway(String),
    /// Somebody with the code is there; a connection is being made.
    Found,
    /// The control channel is open.
    Open,
    /// Which way everything goes.
    Path(CandidatePair),
    /// The connection is gone; another is being made.
    Lost,
    /// They said that they leave.
    Bye,
    File(FileMessage),
    Channel(DataChannel),
}

/// Why there is no more to be hoped for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// What came through the server was not sealed with our code.
    Tampered,
    /// The server will not have us.
    Refused { code: String, message: String },
    /// This machine cannot make connections.
    Machine(String),
}

/// One person in the room.
#[derive(Debug)]
struct Known {
    /// Names our connection with them.
    word: String,
    /// Theirs with us.
    remote: Option<String>,
    role: Option<Role>,
    is_there: bool,
}

/// The connection with one of them.
struct Attempt {
    peer: String,
    connection: PeerConnection,
    control: DataChannel,
    is_open: bool,
    /// When it is given up.
    deadline: Option<Instant>,
}

/// What is known about the network before anybody is met.
#[derive(Clone, Debug, Default)]
pub(crate) struct Network {
    /// Only the relay may be used.
    pub(crate) relay_only: bool,
    /// The server is on this computer, and so may the other end be.
    pub(crate) is_local: bool,
    /// How TLS to the relay is done, where not by the system's roots.
    pub(crate) tls: Option<Arc<rustls::ClientConfig>>,
}

/// The connection to whoever knows the code.
pub(crate) struct Link {
    session: Session,
    sealer: Sealer,
    role: Role,
    network: Network,
    own: Option<String>,
    ice_servers: Vec<IceServer>,
    known: BTreeMap<String, Known>,
    attempt: Option<Attempt>,
    greet_at: Option<Instant>,
    events: VecDeque<Event>,
    /// Sealed signals that did not open while the connection stood; they change nothing.
    pub(crate) ignored: u64,
}

/// What there is to handle.
pub(crate) enum Wake {
    Session(Option<session::Event>),
    Peer(Option<PeerEvent>),
    Control(Option<Message>),
    Opened,
    Deadline,
    Greet,
}

impl Link {
    pub(crate) fn new(session: Session, sealer: Sealer, role: Role, network: Network) -> Self {
        Self {
            session,
            sealer,
            role,
            network,
            own: None,
            ice_servers: Vec::new(),
            known: BTreeMap::new(),
            attempt: None,
            greet_at: None,
            events: VecDeque::new(),
            ignored: 0,
        }
    }

    /// Waits until there is something to handle. May be dropped and called again.
    pub(crate) async fn wait(&mut self) -> Wake {
        let deadline = self.attempt.as_ref().and_then(|attempt| attempt.deadline);
        let greet_at = self.greet_at;
        let session = &mut self.session;
        let peer = async {
            match &mut self.attempt {
                Some(attempt) => tokio::select! {
                    // In order: what was said before the end is heard.
                    biased;
                    wake = listen(&mut attempt.control, attempt.is_open) => wake,
                    event = attempt.connection.next_event() => Wake::Peer(event),
                },
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            event = session.next() => Wake::Session(event),
            wake = peer => wake,
            () = until(deadline) => Wake::Deadline,
            () = until(greet_at) => Wake::Greet,
        }
    }

    /// Does what is to be done about it, to the end: whoever drops this in the middle loses what was said.
    pub(crate) async fn handle(&mut self, wake: Wake) -> Result<(), Failure> {
        match wake {
            Wake::Session(event) => self.hear(event).await?,
            Wake::Peer(event) => self.happen(event).await,
            Wake::Control(message) => self.control(message).await?,
            Wake::Opened => {
                if let Some(attempt) = &mut self.attempt {
                    attempt.is_open = true;
                    let state = Control::State { name: Some(OWN_NAME.to_owned()) };
                    // A channel that is closed again already is noticed where it is read.
                    let _ = attempt.control.send(state.to_json()).await;
                }
                self.events.push_back(Event::Open);
            }
            Wake::Deadline => self.give_up(true),
            Wake::Greet => {
                self.greet_at = None;
                self.greet_all();
            }
        }
        Ok(())
    }

    /// What has happened.
    pub(crate) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Says something on the control channel; lost where that is not open.
    pub(crate) async fn tell(&self, message: FileMessage) {
        if let Some(attempt) = self.attempt.as_ref().filter(|attempt| attempt.is_open) {
            // A closed channel is noticed where it is read.
            let _ = attempt.control.send(Control::File(message).to_json()).await;
        }
    }

    /// A further data channel.
    pub(crate) async fn open_channel(&self, label: &str) -> Option<DataChannel> {
        let attempt = self.attempt.as_ref()?;
        attempt.connection.create_data_channel(label, DataChannelOptions::default()).await.ok()
    }

    /// Whether the control channel is open.
    pub(crate) fn is_open(&self) -> bool {
        self.attempt.as_ref().is_some_and(|attempt| attempt.is_open)
    }

    /// Tells the other that we leave, and waits a little for them to close: so all that was said has arrived.
    pub(crate) async fn leave(mut self, patience: Duration) {
        self.session.leave();
        let Some(mut attempt) = self.attempt.take().filter(|attempt| attempt.is_open) else {
            // The server should hear of it.
            tokio::time::sleep(Duration::from_millis(50)).await;
            return;
        };
        let _ = attempt.control.send(Control::Bye.to_json()).await;
        let closed = async {
            loop {
                tokio::select! {
                    message = attempt.control.recv() => if message.is_none() { return },
                    event = attempt.connection.next_event() => if event.is_none() { return },
                }
            }
        };
        // Whoever does not close in time is left.
        let _ = tokio::time::timeout(patience, closed).await;
    }

    async fn hear(&mut self, event: Option<session::Event>) -> Result<(), Failure> {
        match event {
            Some(session::Event::Joined(joined)) => {
                if self.own.as_ref().is_some_and(|own| *own != joined.peer) {
                    // To everyone else we are somebody new.
                    self.known.clear();
                }
                self.own = Some(joined.peer);
                self.ice_servers = joined.ice_servers;
                for (id, known) in &mut self.known {
                    known.is_there = joined.peers.iter().any(|peer| peer.id == *id);
                }
                for peer in joined.peers {
                    self.meet(peer.id);
                }
                self.events.push_back(Event::InRoom);
                if !joined.resumed {
                    self.greet_all();
                }
            }
            Some(session::Event::PeerJoined(peer)) => {
                self.meet(peer.clone());
                self.greet(&peer, false);
            }
            Some(session::Event::PeerLeft(peer)) => {
                let is_partner = self.attempt.as_ref().is_some_and(|attempt| attempt.peer == peer);
                let stands = self.attempt.as_ref().is_some_and(|attempt| attempt.is_open);
                if let Some(known) = self.known.get_mut(&peer) {
                    known.is_there = false;
                }
                // A connection that stands is not the server's business.
                if is_partner && !stands {
                    self.give_up(false);
                }
                if !(is_partner && stands) {
                    self.known.remove(&peer);
                }
            }
            Some(session::Event::Signal { from, data }) => self.signaled(&from, &data).await?,
            Some(session::Event::Away(why)) => self.events.push_back(Event::ServerAway(why)),
            Some(session::Event::Refused { code, message }) => {
                return Err(Failure::Refused { code, message });
            }
            // Only after a refusal, or when another took this session over.
            None if self.is_open() => {}
            None => {
                let message = "the session was taken over".to_owned();
                return Err(Failure::Refused { code: "taken_over".to_owned(), message });
            }
        }
        Ok(())
    }

    fn meet(&mut self, peer: String) {
        if self.known.len() < MOST_KNOWN && self.own.as_ref() != Some(&peer) {
            let known = || Known { word: random_word(), remote: None, role: None, is_there: true };
            self.known.entry(peer).or_insert_with(known).is_there = true;
        }
    }

    fn greet_all(&mut self) {
        let stands = self.attempt.as_ref().map(|attempt| attempt.peer.clone());
        let others: Vec<String> =
            self.known.keys().filter(|peer| stands.as_ref() != Some(peer)).cloned().collect();
        for peer in &others {
            self.greet(peer, false);
        }
    }

    /// Says which connection of ours is meant, and answers with theirs.
    fn greet(&mut self, peer: &str, is_answer: bool) {
        let Some(known) = self.known.get(peer) else { return };
        let to = if is_answer { known.remote.clone() } else { None };
        let hello = Some(Hello { role: self.role });
        let signal = Signal { connection: known.word.clone(), to, hello, ..Signal::default() };
        self.send_sealed(peer, &signal);
        if self.attempt.is_none() {
            self.greet_at = Some(Instant::now() + GREET_AGAIN);
        }
    }

    fn send_sealed(&self, peer: &str, signal: &Signal) {
        let Some(own) = &self.own else { return };
        let Some(nonce) = random::<NONCE_LEN>() else { return };
        let sealed = self.sealer.seal(nonce, own, peer, &signal.to_json());
        self.session.signal(peer, &json!({ "sealed": sealed }));
    }

    async fn signaled(&mut self, from: &str, data: &Value) -> Result<(), Failure> {
        if !self.known.contains_key(from) {
            return Ok(());
        }
        let own = self.own.clone().unwrap_or_default();
        let opened = data["sealed"].as_str().and_then(|sealed| self.sealer.open(from, &own, sealed).ok());
        let signal = opened.and_then(|plain| Signal::parse(&plain));
        let is_ours =
            |signal: &Signal| self.known.get(from).is_some_and(|known| known.word == signal.connection);
        match signal.filter(|signal| !is_ours(signal)) {
            Some(signal) => self.signal(from, signal).await,
            None if self.is_open() => {
                self.ignored += 1;
                Ok(())
            }
            None => Err(Failure::Tampered),
        }
    }

    /// A signal of somebody who knows the code.
    async fn signal(&mut self, from: &str, signal: Signal) -> Result<(), Failure> {
        let has_attempt = self.attempt.as_ref().is_some_and(|attempt| attempt.peer == from);
        let stands = has_attempt && self.is_open();
        let Some(known) = self.known.get_mut(from) else { return Ok(()) };
        if signal.to.as_ref().is_some_and(|to| *to != known.word) {
            return Ok(());
        }
        let names_us = signal.to.is_some();
        if !names_us && (signal.hello.is_none() || stands) {
            return Ok(());
        }
        if let Some(hello) = &signal.hello {
            known.role = Some(hello.role);
        }
        let is_new = known.remote.as_ref() != Some(&signal.connection);
        let had_remote = known.remote.is_some();
        known.remote = Some(signal.connection);
        if has_attempt && (signal.restart || (is_new && had_remote)) {
            self.drop_attempt();
        }
        if (!names_us || signal.restart) && self.fits(from) {
            self.greet(from, true);
        }
        if self.fits(from) && self.is_free(from) && self.attempt.is_none() && self.offers_to(from) {
            self.begin(from).await?;
            self.offer().await;
        }
        if let Some(description) = signal.description {
            self.describe(from, description).await?;
        }
        if let (Some(candidate), Some(attempt)) = (signal.candidate, &self.attempt)
            && attempt.peer == from
        {
            // One that belongs to nothing here is none.
            let _ = attempt.connection.add_ice_candidate(candidate.map(Into::into)).await;
        }
        Ok(())
    }

    /// Whether they do what we need.
    fn fits(&self, peer: &str) -> bool {
        let role = self.known.get(peer).and_then(|known| known.role);
        role.is_some_and(|role| role == Role::Drop || role != self.role)
    }

    /// Whether we may turn to them: nobody else is being dealt with.
    fn is_free(&self, peer: &str) -> bool {
        self.attempt.as_ref().is_none_or(|attempt| attempt.peer == peer)
    }

    /// Whose name sorts higher makes the offers (`docs/signaling.md`).
    fn offers_to(&self, peer: &str) -> bool {
        self.own.as_deref().is_some_and(|own| own > peer)
    }

    async fn begin(&mut self, peer: &str) -> Result<(), Failure> {
        let machine = |error: twocan::Error| Failure::Machine(error.to_string());
        let connection = PeerConnection::new(self.configuration()).await.map_err(machine)?;
        let options =
            DataChannelOptions { negotiated: Some(CONTROL_STREAM), ..DataChannelOptions::default() };
        let control = connection.create_data_channel(CONTROL_LABEL, options).await.map_err(machine)?;
        self.attempt = Some(Attempt {
            peer: peer.to_owned(),
            connection,
            control,
            is_open: false,
            deadline: Some(Instant::now() + CONNECT_PATIENCE),
        });
        self.greet_at = None;
        self.events.push_back(Event::Found);
        Ok(())
    }

    fn configuration(&self) -> Configuration {
        let ice_servers = self.ice_servers.iter().map(|server| twocan::IceServer {
            urls: server.urls.clone(),
            username: server.username.clone().unwrap_or_default(),
            credential: server.credential.clone().unwrap_or_default(),
        });
        Configuration {
            // One that is not understood is of no use, and no reason to give up.
            ice_servers: ice_servers.filter(|server| server.parse().is_ok()).collect(),
            ice_transport_policy: if self.network.relay_only {
                IceTransportPolicy::Relay
            } else {
                IceTransportPolicy::All
            },
            include_loopback: self.network.is_local,
            tls: self.network.tls.clone(),
            ..Configuration::default()
        }
    }

    async fn offer(&mut self) {
        let Some(attempt) = &self.attempt else { return };
        // If none can be made, the attempt runs into its deadline.
        if let Ok(description) = attempt.connection.set_local_description(None).await {
            self.send_description(description).await;
        }
    }

    async fn describe(&mut self, from: &str, description: Description) -> Result<(), Failure> {
        let Ok(kind) = description.kind.parse::<SdpType>() else { return Ok(()) };
        if kind == SdpType::Offer && self.attempt.is_none() && self.fits(from) {
            self.begin(from).await?;
        }
        let Some(attempt) = self.attempt.as_ref().filter(|attempt| attempt.peer == from) else {
            return Ok(());
        };
        let remote = SessionDescription { kind, sdp: description.sdp };
        let taken = attempt.connection.set_remote_description(remote).await;
        if kind == SdpType::Offer
            && taken.is_ok()
            && let Ok(answer) = attempt.connection.set_local_description(None).await
        {
            self.send_description(answer).await;
        }
        Ok(())
    }

    async fn send_description(&self, description: SessionDescription) {
        let description = Description { kind: description.kind.to_string(), sdp: description.sdp };
        self.send(Signal { description: Some(description), ..Signal::default() }).await;
    }

    /// To the partner: through the server, or past it where it is gone.
    async fn send(&self, signal: Signal) {
        let Some(attempt) = &self.attempt else { return };
        let Some(known) = self.known.get(&attempt.peer) else { return };
        let signal = Signal { connection: known.word.clone(), to: known.remote.clone(), ..signal };
        if !self.session.is_connected() && attempt.is_open {
            let _ = attempt.control.send(Control::Signal(signal).to_json()).await;
        } else {
            self.send_sealed(&attempt.peer, &signal);
        }
    }

    async fn happen(&mut self, event: Option<PeerEvent>) {
        let Some(event) = event else { return self.give_up(true) };
        match event {
            PeerEvent::IceCandidate(candidate) => {
                let candidate = Some(candidate.map(Into::into));
                self.send(Signal { candidate, ..Signal::default() }).await;
            }
            PeerEvent::ConnectionState(state) => self.set_state(state),
            PeerEvent::SelectedCandidatePair(pair) => self.events.push_back(Event::Path(pair)),
            PeerEvent::DataChannel(channel) => self.events.push_back(Event::Channel(channel)),
            _ => {}
        }
    }

    fn set_state(&mut self, state: PeerConnectionState) {
        let Some(peer) = self.attempt.as_ref().map(|attempt| attempt.peer.clone()) else { return };
        let (offers, has_another) = (self.offers_to(&peer), self.has_another(&peer));
        let Some(attempt) = &mut self.attempt else { return };
        let by_role = |(offering, other): (Duration, Duration)| match (has_another, offers) {
            (true, _) => Duration::ZERO,
            (false, true) => offering,
            (false, false) => other,
        };
        match state {
            PeerConnectionState::Connected => attempt.deadline = None,
            PeerConnectionState::Disconnected => {
                attempt.deadline = Some(Instant::now() + by_role(INTERRUPTED));
            }
            PeerConnectionState::Failed => attempt.deadline = Some(Instant::now() + by_role(FAILED)),
            _ => {}
        }
    }

    async fn control(&mut self, message: Option<Message>) -> Result<(), Failure> {
        let Some(message) = message else {
            // Closed without a word: they have lost their connection.
            self.give_up(true);
            return Ok(());
        };
        let Message::Text(text) = message else { return Ok(()) };
        match Control::parse(&text) {
            Some(Control::File(message)) => self.events.push_back(Event::File(message)),
            Some(Control::Bye) => {
                if let Some(attempt) = self.attempt.take() {
                    self.known.remove(&attempt.peer);
                }
                self.greet_all();
                self.events.push_back(Event::Bye);
            }
            Some(Control::Signal(signal)) => {
                if let Some(peer) = self.attempt.as_ref().map(|attempt| attempt.peer.clone()) {
                    self.signal(&peer, signal).await?;
                }
            }
            Some(Control::State { .. }) | None => {}
        }
        Ok(())
    }

    /// The attempt is over. Whoever is there and does what we need is asked for a fresh connection.
    fn give_up(&mut self, ask: bool) {
        let Some(peer) = self.attempt.as_ref().map(|attempt| attempt.peer.clone()) else { return };
        self.drop_attempt();
        let is_there = self.known.get(&peer).is_some_and(|known| known.is_there);
        if !is_there {
            self.known.remove(&peer);
        }
        // Somebody new first: with two ends in the room under one code, the old one is most likely dead.
        let others: Vec<String> = self.known.keys().filter(|other| **other != peer).cloned().collect();
        for other in others {
            self.ask_anew(&other);
        }
        if ask && is_there {
            self.ask_anew(&peer);
        }
        self.greet_at = Some(Instant::now() + GREET_AGAIN);
    }

    /// Asks for a fresh connection, or, where theirs is not known, says that we are there.
    fn ask_anew(&mut self, peer: &str) {
        let is_met = self.fits(peer);
        let Some(known) = self.known.get_mut(peer) else { return };
        let Some(to) = known.remote.take().filter(|_| is_met) else { return self.greet(peer, false) };
        known.word = random_word();
        let hello = Some(Hello { role: self.role });
        let connection = known.word.clone();
        let signal = Signal { connection, to: Some(to), hello, restart: true, ..Signal::default() };
        self.send_sealed(peer, &signal);
    }

    /// Whether somebody else is there who does what we need.
    fn has_another(&self, peer: &str) -> bool {
        self.known.iter().any(|(other, known)| other != peer && known.is_there && self.fits(other))
    }

    fn drop_attempt(&mut self) {
        let Some(attempt) = self.attempt.take() else { return };
        if let Some(known) = self.known.get_mut(&attempt.peer) {
            known.word = random_word();
        }
        if attempt.is_open {
            self.events.push_back(Event::Lost);
        }
    }
}

impl From<Candidate> for twocan::IceCandidateInit {
    fn from(candidate: Candidate) -> Self {
        let Candidate { candidate, sdp_mid, sdp_m_line_index, username_fragment } = candidate;
        Self { candidate, sdp_mid, sdp_m_line_index, username_fragment }
    }
}

impl From<twocan::IceCandidateInit> for Candidate {
    fn from(candidate: twocan::IceCandidateInit) -> Self {
        let twocan::IceCandidateInit { candidate, sdp_mid, sdp_m_line_index, username_fragment } = candidate;
        Self { candidate, sdp_mid, sdp_m_line_index, username_fragment }
    }
}

/// What is said on the control channel; before that, that it is open.
async fn listen(control: &mut DataChannel, is_open: bool) -> Wake {
    if is_open {
        return Wake::Control(control.recv().await);
    }
    match control.ready().await {
        Ok(()) => Wake::Opened,
        // The connection's own end is told beside.
        Err(_) => std::future::pending().await,
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// 128 bits.
fn random_word() -> String {
    super::digest::to_hex(&random::<16>().unwrap_or_default())
}

/// Nothing where the system has none to give.
pub(crate) fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).ok()?;
    Some(bytes)
}
