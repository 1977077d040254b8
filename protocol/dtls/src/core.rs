//! What the handshake's states have in common (RFC 9147 §5): the record layer, the flight, the clock, who the peer
//! should be.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Version;
use crate::acks::Acks;
use crate::certificate::{Certificate, x509};
use crate::config::Config;
use crate::crypto::signature::KeyKind;
use crate::early::Early;
use crate::event::{Connected, Event};
use crate::export::Exporter;
use crate::failure::Failure;
use crate::fault::Counters;
use crate::fingerprint::Expected;
use crate::flight::Flight;
use crate::message::MessageType;
use crate::message::alert::AlertDescription;
use crate::random::Random;
use crate::reading::Reading;
use crate::reassembly::Reassembly;
use crate::writing::Writing;

/// How long the handshake's keys are kept to answer a peer that repeats its last flight: twice the longest life of a
/// segment (RFC 9147 §5.8.1).
pub(crate) const LINGER: Duration = Duration::from_secs(240);

/// Whether data flows.
pub(crate) enum Gate {
    /// The handshake goes on.
    Handshaking,
    /// The handshake is complete, but nobody has said yet who the peer should be.
    Held(Box<Connected>),
    /// Data is sealed and opened.
    Open,
    /// The connection is over.
    Closed,
}

/// The key of the peer's certificate.
pub(crate) struct PeerKey {
    pub(crate) kind: KeyKind,
    pub(crate) bytes: Vec<u8>,
}

/// See the module.
pub(crate) struct Core {
    pub(crate) config: Arc<Config>,
    pub(crate) certificate: Arc<Certificate>,
    pub(crate) random: Random,
    /// When the present call was made.
    pub(crate) now: Instant,
    pub(crate) is_client: bool,
    /// Once it is agreed on.
    pub(crate) version: Option<Version>,
    pub(crate) reading: Reading,
    pub(crate) writing: Writing,
    pub(crate) reassembly: Reassembly,
    pub(crate) flight: Flight,
    pub(crate) acks: Acks,
    pub(crate) early: Early,
    /// There are keys that were not there when records were kept.
    pub(crate) has_new_keys: bool,
    expected: Option<Expected>,
    peer_certificate: Option<Box<[u8]>>,
    pub(crate) exporter: Option<Exporter>,
    pub(crate) gate: Gate,
    pub(crate) alert: Option<AlertDescription>,
    pub(crate) give_up: Option<Instant>,
    pub(crate) linger: Option<Instant>,
    /// There is no path yet: nothing is repeated, and no time counts.
    pub(crate) is_held: bool,
    /// Application data came: the peer has all of the handshake.
    pub(crate) has_heard_data: bool,
    pub(crate) mtu: usize,
    pub(crate) events: VecDeque<Event>,
    pub(crate) counters: Counters,
}

impl Core {
    pub(crate) fn new(
        config: Arc<Config>,
        certificate: Arc<Certificate>,
        seed: [u8; 32],
        now: Instant,
    ) -> Self {
        Self {
            random: Random::new(seed),
            now,
            is_client: false,
            version: None,
            reading: Reading::default(),
            writing: Writing::default(),
            reassembly: Reassembly::default(),
            flight: Flight::new(&config),
            acks: Acks::default(),
            early: Early::default(),
            has_new_keys: false,
            expected: None,
            peer_certificate: None,
            exporter: None,
            gate: Gate::Handshaking,
            alert: None,
            give_up: None,
            linger: None,
            is_held: false,
            has_heard_data: false,
            mtu: config.mtu.max(256),
            events: VecDeque::new(),
            counters: Counters::default(),
            config,
            certificate,
        }
    }

    /// Begins to answer: what we said before has arrived, what the peer said is acknowledged by this.
    pub(crate) fn begin_flight(&mut self) {
        self.flight.begin(&self.config);
        self.acks.clear();
        if self.give_up.is_none() {
            self.give_up = Some(self.now + self.config.handshake_timeout);
        }
    }

    /// Adds a message to the flight; returns its number.
    pub(crate) fn add(&mut self, epoch: u64, kind: MessageType, body: &[u8]) -> u16 {
        self.flight.add(epoch, kind, body)
    }

    /// Says who the peer should be. Fails if it is somebody else.
    pub(crate) fn expect(&mut self, expected: Expected) -> Result<(), Failure> {
        let is_other = self
            .peer_certificate
            .as_ref()
            .is_some_and(|certificate| !expected.matches(certificate))
            || matches!(&self.gate, Gate::Held(connected) if !expected.matches(&connected.peer_certificate));
        if is_other {
            return Err(Failure::FingerprintMismatch);
        }
        self.expected = Some(expected);
        self.open();
        Ok(())
    }

    /// Looks at the peer's certificate; if it is known who the peer should be, that is checked right now.
    pub(crate) fn accept_certificate(&mut self, certificate: Option<&[u8]>) -> Result<PeerKey, Failure> {
        let certificate = certificate.ok_or(Failure::NoCertificate)?;
        if self.expected.as_ref().is_some_and(|expected| !expected.matches(certificate)) {
            return Err(Failure::FingerprintMismatch);
        }
        let parsed = x509::Certificate::parse(certificate).map_err(|_| Failure::BadCertificate)?;
        self.peer_certificate = Some(certificate.into());
        Ok(PeerKey { kind: parsed.key.kind, bytes: parsed.key.bytes.to_vec() })
    }

    /// The handshake is complete: `connected` says what was agreed on, but for the certificate.
    pub(crate) fn complete(&mut self, mut connected: Connected, exporter: Exporter) -> Result<(), Failure> {
        connected.peer_certificate = self.peer_certificate.take().ok_or(Failure::NoCertificate)?;
        self.exporter = Some(exporter);
        self.gate = Gate::Held(Box::new(connected));
        self.give_up = if self.flight.is_done() { None } else { self.give_up };
        self.linger = Some(self.now + LINGER);
        self.has_new_keys = true;
        self.open();
        Ok(())
    }

    /// Lets data flow if the handshake is complete and the peer is the right one.
    fn open(&mut self) {
        let Some(expected) = &self.expected else { return };
        match std::mem::replace(&mut self.gate, Gate::Open) {
            Gate::Held(connected) if expected.matches(&connected.peer_certificate) => {
                self.expected = None;
                self.events.push_back(Event::Connected(connected));
                self.events.extend(self.early.take_opened().into_iter().map(Event::Data));
            }
            gate => self.gate = gate,
        }
    }

    /// Ends it, and tells the peer.
    pub(crate) fn fail(&mut self, failure: Failure) {
        if matches!(self.gate, Gate::Closed) {
            return;
        }
        self.alert = failure.alert();
        self.close(Event::Failed(failure));
    }

    /// Ends it; `event` is the last.
    pub(crate) fn close(&mut self, event: Event) {
        self.gate = Gate::Closed;
        self.flight.clear();
        self.acks.clear();
        self.reassembly.clear();
        self.early = Early::default();
        self.reading = Reading::default();
        self.exporter = None;
        self.give_up = None;
        self.linger = None;
        self.events.push_back(event);
    }
}
