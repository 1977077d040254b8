//! The connection to one other person who knows the code: found in the room, agreed upon by sealed signals, made again
//! when it is lost, and used by [`super::send`] and [`super::receive`].
//!
//! The rules of signaling (`docs/signaling.md`, "Sealed"): each end names each of its connections by a word that is drawn
//! for it. A signal counts only if it names the receiver's present one; a `hello` alone need not, and does nothing to a
//! connection that stands. So whatever is repeated out of another session has no effect.
//!
//! [`people`] keeps who is there and what is sealed, [`attempt`] the connection with one of them. Here is decided whom to
//! turn to, and when a connection is over.

mod attempt;
mod people;

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use twocan::{CandidatePair, DataChannel, Message, PeerEvent, SdpType};

use super::message::{Control, Description, FileMessage, Role, Signal};
use super::seal::Sealer;
use super::session::{self, IceServer, Session};
use super::transfer::until;
use attempt::Attempt;
pub(crate) use attempt::Network;
use people::{Opened, People};

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
    /// No connection to them came about; another is being made.
    NoWay,
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
    /// Only a relay may be used, and the server has none.
    NoRelay,
    /// This machine cannot make connections.
    Machine(String),
}

/// The connection to whoever knows the code.
pub(crate) struct Link {
    session: Session,
    network: Network,
    ice_servers: Vec<IceServer>,
    people: People,
    attempt: Option<Attempt>,
    /// The last one whose other end has left.
    closing: Option<JoinHandle<()>>,
    greet_at: Option<Instant>,
    events: VecDeque<Event>,
    ignored: u64,
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
            network,
            ice_servers: Vec::new(),
            people: People::new(sealer, role),
            attempt: None,
            closing: None,
            greet_at: None,
            events: VecDeque::new(),
            ignored: 0,
        }
    }

    /// Waits until there is something to handle. May be dropped and called again.
    pub(crate) async fn wait(&mut self) -> Wake {
        let deadline = self.attempt.as_ref().and_then(|attempt| attempt.deadline);
        let peer = async {
            match &mut self.attempt {
                Some(attempt) => attempt.wait().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            event = self.session.next() => Wake::Session(event),
            wake = peer => wake,
            () = until(deadline) => Wake::Deadline,
            () = until(self.greet_at) => Wake::Greet,
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
                    attempt.opened().await;
                }
                self.events.push_back(Event::Open);
            }
            Wake::Deadline => {
                if !self.is_open() {
                    self.events.push_back(Event::NoWay);
                }
                self.give_up(true);
            }
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

    /// How much came through the server that was not sealed with our code, while the connection stood.
    pub(crate) fn ignored(&self) -> u64 {
        self.ignored
    }

    /// Says something on the control channel; lost where that is not open.
    pub(crate) async fn tell(&self, message: FileMessage) {
        if let Some(attempt) = self.attempt.as_ref().filter(|attempt| attempt.is_open) {
            attempt.say(&Control::File(message)).await;
        }
    }

    /// A further data channel.
    pub(crate) async fn open_channel(&self, label: &str) -> Option<DataChannel> {
        self.attempt.as_ref()?.open_channel(label).await
    }

    /// Tells the server and the other that we leave, and waits a little for the other to close: so all that was said has
    /// arrived.
    pub(crate) async fn leave(self, patience: Duration) {
        let partner = async {
            if let Some(attempt) = self.attempt.filter(|attempt| attempt.is_open) {
                attempt.leave().await;
            }
            if let Some(closing) = self.closing {
                // It has ended, one way or another.
                let _ = closing.await;
            }
        };
        // Whoever does not close in time is left.
        let _ = tokio::time::timeout(patience, async { tokio::join!(self.session.leave(), partner) }).await;
    }

    /// From the server.
    async fn hear(&mut self, event: Option<session::Event>) -> Result<(), Failure> {
        match event {
            Some(session::Event::Joined(joined)) => {
                self.people.joined(joined.peer, joined.peers.into_iter().map(|peer| peer.id));
                self.ice_servers = joined.ice_servers;
                let has_relay = self.ice_servers.iter().any(IceServer::is_relay);
                // A connection that stands needs no other.
                if self.network.relay_only && !has_relay && !self.is_open() {
                    return Err(Failure::NoRelay);
                }
                self.events.push_back(Event::InRoom);
                if !joined.resumed {
                    self.greet_all();
                }
            }
            Some(session::Event::PeerJoined(peer)) => {
                self.people.meet(peer.clone());
                self.greet(&peer, false);
            }
            Some(session::Event::PeerLeft(peer)) => self.left(&peer),
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

    fn left(&mut self, peer: &str) {
        self.people.left(peer);
        let is_partner = self.partner() == Some(peer);
        // A connection that stands is not the server's business.
        if is_partner && self.is_open() {
            return;
        }
        if is_partner {
            self.give_up(false);
        }
        self.people.forget(peer);
    }

    fn greet_all(&mut self) {
        for peer in self.people.others(self.partner()) {
            self.greet(&peer, false);
        }
    }

    fn greet(&mut self, peer: &str, is_answer: bool) {
        let Some(hello) = self.people.hello(peer, is_answer) else { return };
        self.send_sealed(peer, &hello);
        if self.attempt.is_none() {
            self.greet_at = Some(Instant::now() + GREET_AGAIN);
        }
    }

    fn send_sealed(&self, peer: &str, signal: &Signal) {
        if let Some(sealed) = self.people.seal(peer, signal) {
            self.session.signal(peer, &sealed);
        }
    }

    async fn signaled(&mut self, from: &str, data: &Value) -> Result<(), Failure> {
        match self.people.open(from, data) {
            Opened::Signal(signal) => self.signal(from, signal).await,
            Opened::Stranger => Ok(()),
            // It changes nothing about a connection that stands.
            Opened::Tampered if self.is_open() => {
                self.ignored += 1;
                Ok(())
            }
            Opened::Tampered => Err(Failure::Tampered),
        }
    }

    /// A signal of somebody who knows the code.
    async fn signal(&mut self, from: &str, signal: Signal) -> Result<(), Failure> {
        let is_partner = self.partner() == Some(from);
        let stands = is_partner && self.is_open();
        let Some(heard) = self.people.hear(from, &signal, stands) else { return Ok(()) };
        if is_partner && heard.is_anew {
            self.drop_attempt();
        }
        if heard.wants_answer && self.people.fits(from) {
            self.greet(from, true);
        }
        if self.attempt.is_none() && self.people.fits(from) && self.people.offers_to(from) {
            let offer = self.begin(from).await?.offer().await;
            self.describe(offer).await;
        }
        if let Some(description) = signal.description {
            self.described(from, description).await?;
        }
        if let (Some(candidate), Some(attempt)) = (signal.candidate, self.attempt_with(from)) {
            attempt.add_candidate(candidate).await;
        }
        Ok(())
    }

    async fn begin(&mut self, peer: &str) -> Result<&Attempt, Failure> {
        let attempt = Attempt::begin(peer, &self.network, &self.ice_servers).await?;
        self.greet_at = None;
        self.events.push_back(Event::Found);
        Ok(self.attempt.insert(attempt))
    }

    async fn described(&mut self, from: &str, description: Description) -> Result<(), Failure> {
        let Ok(kind) = description.kind.parse::<SdpType>() else { return Ok(()) };
        if kind == SdpType::Offer && self.attempt.is_none() && self.people.fits(from) {
            self.begin(from).await?;
        }
        if let Some(attempt) = self.attempt_with(from) {
            let answer = attempt.take(kind, description.sdp).await;
            self.describe(answer).await;
        }
        Ok(())
    }

    async fn describe(&self, description: Option<Description>) {
        if description.is_some() {
            self.send(Signal { description, ..Signal::default() }).await;
        }
    }

    /// To the partner: through the server, or past it where it is gone.
    async fn send(&self, signal: Signal) {
        let Some(attempt) = &self.attempt else { return };
        let Some(signal) = self.people.addressed(&attempt.peer, signal) else { return };
        if !self.session.is_connected() && attempt.is_open {
            attempt.say(&Control::Signal(signal)).await;
        } else {
            self.send_sealed(&attempt.peer, &signal);
        }
    }

    /// From the connection.
    async fn happen(&mut self, event: Option<PeerEvent>) {
        let Some(event) = event else { return self.give_up(true) };
        match event {
            PeerEvent::IceCandidate(candidate) => {
                let candidate = Some(candidate.map(Into::into));
                self.send(Signal { candidate, ..Signal::default() }).await;
            }
            PeerEvent::ConnectionState(state) => {
                if let Some(attempt) = &mut self.attempt {
                    let peer = &attempt.peer;
                    let (offers, has_another) = (self.people.offers_to(peer), self.people.has_another(peer));
                    attempt.set_state(state, offers, has_another);
                }
            }
            PeerEvent::SelectedCandidatePair(pair) => self.events.push_back(Event::Path(pair)),
            PeerEvent::DataChannel(channel) => self.events.push_back(Event::Channel(channel)),
            _ => {}
        }
    }

    /// From the control channel.
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
                    self.people.forget(&attempt.peer);
                    self.closing = Some(tokio::spawn(attempt.close()));
                }
                self.greet_all();
                self.events.push_back(Event::Bye);
            }
            Some(Control::Signal(signal)) => {
                if let Some(peer) = self.partner().map(str::to_owned) {
                    self.signal(&peer, signal).await?;
                }
            }
            Some(Control::State { .. }) | None => {}
        }
        Ok(())
    }

    /// The attempt is over. Whoever is there and does what we need is asked for a fresh connection.
    fn give_up(&mut self, ask: bool) {
        let Some(peer) = self.partner().map(str::to_owned) else { return };
        self.drop_attempt();
        let is_there = self.people.is_there(&peer);
        if !is_there {
            self.people.forget(&peer);
        }
        // Somebody new first: with two ends in the room under one code, the old one is most likely dead.
        for other in self.people.others(Some(&peer)) {
            self.ask_anew(&other);
        }
        if ask && is_there {
            self.ask_anew(&peer);
        }
        self.greet_at = Some(Instant::now() + GREET_AGAIN);
    }

    fn ask_anew(&mut self, peer: &str) {
        if let Some(signal) = self.people.ask_anew(peer) {
            self.send_sealed(peer, &signal);
        }
    }

    fn drop_attempt(&mut self) {
        let Some(attempt) = self.attempt.take() else { return };
        self.people.renew(&attempt.peer);
        if attempt.is_open {
            self.events.push_back(Event::Lost);
        }
    }

    /// Who is being dealt with.
    fn partner(&self) -> Option<&str> {
        self.attempt.as_ref().map(|attempt| attempt.peer.as_str())
    }

    fn attempt_with(&self, peer: &str) -> Option<&Attempt> {
        self.attempt.as_ref().filter(|attempt| attempt.peer == peer)
    }

    /// Whether the control channel is open.
    fn is_open(&self) -> bool {
        self.attempt.as_ref().is_some_and(|attempt| attempt.is_open)
    }
}
