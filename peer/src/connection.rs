//! The peer connection: descriptions on one side, datagrams on the other (W3C webrtc-pc §4.4).

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;
use sctp::channel::{Channel, ChannelError, ChannelEvent, ChannelId, ChannelOptions, Kind};
use wire::{Received, Transmit};

use crate::config::{Configuration, IceTransportPolicy};

use crate::event::{Event, IceGatheringState, PeerConnectionState};
use crate::fault::{Counters, Fault};
use crate::negotiation::{Negotiation, Ours, SignalingState, Theirs};
use crate::seeds::Seeds;
use crate::transport::{self, Reason, Traffic, Transport, Watched};

mod candidates;
mod descriptions;
mod media;
mod snap;
mod streams;
mod transceivers;

/// One WebRTC session with one peer, without I/O.
///
/// Call order: exchange descriptions with the peer through any signaling, and candidates as they come; give what
/// arrives to [`handle_datagram`](Self::handle_datagram) and call [`handle_timeout`](Self::handle_timeout) when
/// [`poll_timeout`](Self::poll_timeout) says. **After each call** that takes `now`, take everything that
/// [`poll_event`](Self::poll_event) gives, then everything that [`poll_transmit`](Self::poll_transmit) gives, then, where
/// there are connections, everything that [`poll_stream`](Self::poll_stream) gives.
///
/// Datagrams from STUN and TURN servers come in as any others; what a relay forwards is found in them, and what is to
/// go through one comes out wrapped, from the socket and to the server.
#[derive(Debug)]
pub struct PeerConnection {
    pub(crate) configuration: Configuration,
    negotiation: Negotiation,
    pub(crate) transport: Watched,
    events: VecDeque<Event>,
    /// The time of the last call: events of channels may answer the peer.
    now: Instant,
    /// The time of the first.
    created: Instant,
    /// Our credentials in the description that is made next, where it restarts ICE.
    fresh: Option<ice::Credentials>,
    /// Whether the pending offer of ours has restarted ICE.
    has_restarted: bool,
    /// `restart_ice` was called, or the configuration asks for it.
    wants_restart: bool,
    /// The peer's offer says this; it counts once we answer.
    offered: Option<Box<Theirs>>,
    /// Candidates for that.
    waiting: Vec<ice::Candidate>,
    /// What the last description in force says of the peer.
    theirs: Option<Theirs>,
    gathering: IceGatheringState,
    connection: PeerConnectionState,
    is_secured: bool,
    has_failed: bool,
    /// How often another peer answered in place of the one before.
    forks: u32,
    needs_negotiation: bool,
    is_closed: bool,
}

impl PeerConnection {
    /// A connection to nobody yet.
    pub fn new(now: Instant, configuration: Configuration) -> Self {
        let [ice, dtls, sctp, gather, own] = Seeds::new(&configuration.seed).several();
        let transport = Transport::new(now, &configuration, [ice, dtls, sctp, gather]);
        let mut session = [0; 8];
        session.copy_from_slice(&own[..8]);
        let mut negotiation = Negotiation::new(u64::from_be_bytes(session));
        negotiation.bundle_policy = configuration.bundle_policy;
        negotiation.capabilities.clone_from(&configuration.media);
        Self {
            negotiation,
            transport: Watched::new(transport),
            events: VecDeque::new(),
            now,
            created: now,
            fresh: None,
            has_restarted: false,
            wants_restart: false,
            offered: None,
            waiting: Vec::new(),
            theirs: None,
            gathering: IceGatheringState::New,
            connection: PeerConnectionState::New,
            is_secured: false,
            has_failed: false,
            forks: 0,
            needs_negotiation: false,
            is_closed: false,
            configuration,
        }
    }

    /// Where the exchange of descriptions stands.
    pub fn signaling_state(&self) -> SignalingState {
        self.negotiation.state()
    }

    /// How far ICE is.
    pub fn ice_connection_state(&self) -> ice::State {
        self.transport.ice.state()
    }

    /// How far gathering is.
    pub fn ice_gathering_state(&self) -> IceGatheringState {
        self.gathering
    }

    /// How the connection is, all together.
    pub fn connection_state(&self) -> PeerConnectionState {
        self.connection
    }

    /// Whether the peer's description says that candidates may come one by one; nothing before there is one.
    pub fn can_trickle_ice_candidates(&self) -> Option<bool> {
        let remote = self.negotiation.remote.latest()?;
        Some(
            remote
                .description()
                .sections()
                .any(|section| section.has_ice_option(sdp::attribute::IceOptions::TRICKLE)),
        )
    }

    /// What ICE knows: candidates, pairs, figures.
    pub fn ice(&self) -> &ice::Agent {
        &self.transport.ice
    }

    /// Figures of the association.
    pub fn sctp_stats(&self) -> sctp::Stats {
        self.transport.channels.association().stats()
    }

    /// What went to the peer, and what came from it, handshakes included.
    pub fn traffic(&self) -> (Traffic, Traffic) {
        (self.transport.sent, self.transport.received)
    }

    /// What was dropped, by protocol.
    pub fn counters(&self) -> Counters {
        self.transport.counters
    }

    /// Asks for new credentials and paths: the next offer restarts ICE.
    pub fn restart_ice(&mut self) {
        self.wants_restart = true;
        self.update_negotiation_needed();
    }

    /// Makes a data channel. The peer hears of it once connected; the first one needs an exchange of descriptions.
    pub fn create_data_channel(
        &mut self,
        now: Instant,
        label: &str,
        protocol: &str,
        options: ChannelOptions,
    ) -> Result<ChannelId, ChannelError> {
        self.now = now;
        if self.is_closed {
            return Err(ChannelError::Ended);
        }
        let id = self.transport.channels.open(now, label, protocol, options)?;
        self.negotiation.wants_data = true;
        self.update_negotiation_needed();
        Ok(id)
    }

    /// A data channel.
    pub fn channel(&self, id: ChannelId) -> Option<&Channel> {
        self.transport.channels.get(id)
    }

    /// Queues a message.
    pub fn send(
        &mut self,
        now: Instant,
        id: ChannelId,
        kind: Kind,
        message: Bytes,
    ) -> Result<(), ChannelError> {
        self.now = now;
        self.transport.channels.send(now, id, kind, message)
    }

    /// Queues a copy of a message, in a buffer that is used again.
    pub fn send_copy(
        &mut self,
        now: Instant,
        id: ChannelId,
        kind: Kind,
        message: &[u8],
    ) -> Result<(), ChannelError> {
        self.now = now;
        self.transport.channels.send_copy(now, id, kind, message)
    }

    /// Takes back the buffer of a message that is not needed any more.
    pub fn recycle(&mut self, buffer: Vec<u8>) {
        self.transport.channels.recycle(buffer);
    }

    /// Bytes of a channel that wait to be sent for the first time.
    pub fn buffered_amount(&self, id: ChannelId) -> usize {
        self.transport.channels.buffered_amount(id)
    }

    /// The longest message that the peer takes, in bytes (RFC 8841 §6); the largest number where it knows no limit.
    pub fn max_message_size(&self) -> u64 {
        self.transport.channels.max_message_size()
    }

    /// When [`buffered_amount`](Self::buffered_amount) falls to this, [`Event::BufferedAmountLow`] says so.
    pub fn set_buffered_amount_low_threshold(&mut self, id: ChannelId, threshold: usize) {
        self.transport.channels.set_buffered_amount_low_threshold(id, threshold);
    }

    /// Closes a channel, once what it has queued is delivered.
    pub fn close_channel(&mut self, now: Instant, id: ChannelId) {
        self.now = now;
        self.transport.channels.close(id);
    }

    /// Takes a datagram that arrived at a local candidate's base.
    pub fn handle_datagram(&mut self, now: Instant, mut datagram: Received<'_>) -> Result<(), Fault> {
        self.now = now;
        if self.is_closed {
            return Err(Fault::Closed);
        }
        if let Some(result) = self.transport.handle_media(now, &mut datagram) {
            self.hear_media();
            return result;
        }
        let result = self.transport.handle_datagram(now, datagram);
        self.settle();
        result
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        if self.is_closed {
            return;
        }
        if self.transport.handle_media_timeout(now) {
            self.hear_media();
        } else {
            self.transport.handle_timeout(now);
            self.settle();
        }
    }

    /// Appends what must be sent now: one datagram, or several of equal size for one system call.
    pub fn poll_transmit(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<Transmit> {
        self.now = now;
        let transmit = self.transport.poll_transmit(now, buffer);
        if transmit.is_none() && self.is_closed && !self.transport.is_on_stream() {
            // The goodbye is said.
            self.transport.ice.close();
        }
        transmit
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), and what for.
    pub fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        if self.is_closed { None } else { self.transport.poll_timeout() }
    }

    /// What happened next.
    pub fn poll_event(&mut self) -> Option<Event> {
        if self.is_closed {
            // Whatever is still asked of it: nobody is told.
            self.events.clear();
            return None;
        }
        if let Some(event) = self.events.pop_front() {
            let has_settled =
                !matches!(self.connection, PeerConnectionState::New | PeerConnectionState::Connecting);
            if self.events.is_empty() && has_settled {
                // None comes while data flows.
                self.events = VecDeque::new();
            }
            return Some(event);
        }
        if self.transport.is_told() {
            return None;
        }
        loop {
            let Some(event) = self.transport.channels.poll_event(self.now) else {
                self.transport.told();
                return None;
            };
            return Some(match event {
                ChannelEvent::Established | ChannelEvent::Ended(_) => continue,
                ChannelEvent::Incoming(id) => Event::DataChannel(id),
                ChannelEvent::Opened(id) => Event::ChannelOpen(id),
                ChannelEvent::Message(message) => Event::Message(message),
                ChannelEvent::MessageAborted { channel, id } => Event::MessageAborted { channel, id },
                ChannelEvent::BufferedAmountLow(id) => Event::BufferedAmountLow(id),
                ChannelEvent::Writable => Event::Writable,
                ChannelEvent::Closing(id) => Event::ChannelClosing(id),
                ChannelEvent::Closed(id) => Event::ChannelClosed(id),
            });
        }
    }

    /// Ends the connection, and tells the peer with what [`poll_transmit`](Self::poll_transmit) still gives. Closing
    /// twice is closing once. No event follows.
    pub fn close(&mut self, now: Instant) {
        if self.is_closed {
            return;
        }
        self.now = now;
        self.is_closed = true;
        self.transport.close(now);
        self.negotiation.close();
        self.connection = PeerConnectionState::Closed;
        self.events.clear();
    }

    /// Tells what media has to tell.
    fn hear_media(&mut self) {
        while let Some(event) = self.transport.poll_media_event() {
            self.tell_media(event.into());
        }
    }

    /// Tells what has come of the last call.
    fn settle(&mut self) {
        while let Some(event) = self.transport.poll_event(self.now) {
            match event {
                transport::Event::Ice(event) => self.heard_of_ice(event),
                transport::Event::Secured(connected) => {
                    self.is_secured = true;
                    self.events.push_back(Event::Secured(connected));
                }
                transport::Event::Closed => {
                    // The peer has closed the connection, as its `close` does.
                    self.end();
                }
                transport::Event::Failed(failure) => {
                    self.end();
                    self.events.push_back(Event::Failed(failure));
                }
                transport::Event::Found(candidate) => {
                    // One that says nothing new is not told.
                    let _ = self.tell_candidate(*candidate);
                }
                transport::Event::CandidateError(error) => self.tell_candidate_error(*error),
                transport::Event::Gathered => self.gathered(),
                transport::Event::Stream(event) => self.events.push_back(event.into()),
                transport::Event::Media(event) => self.tell_media(event.into()),
            }
        }
        self.update_connection_state();
    }

    /// Nothing comes over this connection any more: its channels are closed.
    fn end(&mut self) {
        self.has_failed = true;
        self.transport.channels.association_mut().abort("");
    }

    fn heard_of_ice(&mut self, event: ice::Event) {
        match event {
            ice::Event::State(state) => self.events.push_back(Event::IceConnectionState(state)),
            ice::Event::Selected(selected) => self.events.push_back(Event::SelectedPath(selected)),
            // A relay reaches no local network, and nothing else may be sent.
            ice::Event::Resolve { id, .. }
                if self.configuration.ice_transport_policy == IceTransportPolicy::Relay =>
            {
                self.transport.ice.handle_resolved(self.now, id, &[]);
            }
            ice::Event::Resolve { id, name } => self.events.push_back(Event::Resolve { id, name }),
            // Its connections are opened where they are.
            ice::Event::Connect { .. } => {}
            ice::Event::Lost | ice::Event::Role(_) | ice::Event::Embedded(_) => {}
        }
    }

    /// W3C webrtc-pc §4.3.3.
    fn update_connection_state(&mut self) {
        let state = match self.transport.ice.state() {
            _ if self.is_closed => PeerConnectionState::Closed,
            _ if self.has_failed => PeerConnectionState::Failed,
            ice::State::Failed => PeerConnectionState::Failed,
            ice::State::Disconnected => PeerConnectionState::Disconnected,
            ice::State::New if !self.is_secured => PeerConnectionState::New,
            ice::State::Connected | ice::State::Completed if self.is_secured => {
                PeerConnectionState::Connected
            }
            ice::State::Closed => PeerConnectionState::Closed,
            _ => PeerConnectionState::Connecting,
        };
        if state != self.connection {
            self.connection = state;
            if state == PeerConnectionState::Connected && self.negotiation.state() == SignalingState::Stable {
                self.negotiation.fold();
            }
            self.events.push_back(Event::ConnectionState(state));
        }
    }

    /// W3C webrtc-pc §4.7.3: told once, and again when a stable state comes without it.
    fn update_negotiation_needed(&mut self) {
        if self.is_closed || self.negotiation.state() != SignalingState::Stable {
            return;
        }
        let needed = self.wants_restart || self.negotiation.is_needed();
        if needed && !self.needs_negotiation {
            self.events.push_back(Event::NegotiationNeeded);
        }
        self.needs_negotiation = needed;
    }

    /// Whether there is any description yet.
    pub(crate) fn has_description(&self) -> bool {
        self.negotiation.local.latest().is_some() || self.negotiation.remote.latest().is_some()
    }

    /// The peer's user name fragment, of the description in force.
    pub(crate) fn remote_fragment(&self) -> Option<&str> {
        self.theirs.as_ref().map(|theirs| theirs.parameters.credentials.ufrag.as_str())
    }

    fn ours(&self) -> Ours {
        let own =
            [dtls::FingerprintHash::Sha256].map(|hash| self.configuration.certificate.fingerprint(hash));
        let fingerprints = own.iter().filter_map(|own| {
            let hash = own.hash().name().parse().ok()?;
            sdp::attribute::Fingerprint::new(hash, own.bytes()).ok()
        });
        let setup = self.transport.is_client().map(|client| match client {
            true => sdp::attribute::Setup::Active,
            false => sdp::attribute::Setup::Passive,
        });
        Ours {
            credentials: self.fresh.clone().unwrap_or_else(|| self.transport.ice.credentials().clone()),
            fingerprints: fingerprints.collect(),
            setup,
            max_message_size: self.configuration.max_message_size,
            sctp_init: self.own_init(),
            renomination: !self.configuration.ice_lite,
            sped: self.configuration.sped,
            lite: self.configuration.ice_lite,
            cname: self.negotiation.cname(),
        }
    }
}
