//! The connection (RFC 9147, 6347): what callers see, and which part does what.

mod deadline;
mod messages;
mod plaintexts;
mod receive;
mod seal;
mod transmit;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

pub use self::deadline::Reason;
pub use self::plaintexts::Plaintexts;
pub use self::seal::{Overhead, SealError};
pub use self::transmit::Transmit;
use crate::certificate::Certificate;
use crate::config::{Config, Role};
use crate::core::{Core, Gate};
use crate::event::Event;
use crate::export::ExportError;
use crate::failure::Failure;
use crate::fault::Counters;
use crate::fingerprint::{Expected, Fingerprint, FingerprintError};
use crate::handshake::{State, client};
use crate::message::alert::AlertDescription;

/// One end of a DTLS connection. Owns no socket and reads no clock.
///
/// After every call, and when the time comes that [`Dtls::poll_timeout`] tells:
/// [`Dtls::poll_transmit`] until it gives nothing more, then [`Dtls::poll_event`] likewise.
///
/// Who the peer should be is said with [`Dtls::set_peer_fingerprints`], at any time. Until then the handshake goes on,
/// but no data is sealed or handed out.
pub struct Dtls {
    core: Core,
    state: State,
}

impl Dtls {
    /// An end that takes this role. A client begins at once.
    ///
    /// All of the handshake's secrets follow from `seed`, which has to come from a cryptographic generator and to be
    /// used once. (Not those of AWS-LC's own making: nonces of ECDSA, keys of ML-KEM.)
    pub fn new(
        config: Arc<Config>,
        role: Role,
        certificate: Arc<Certificate>,
        seed: [u8; 32],
        now: Instant,
    ) -> Self {
        let mut dtls = Self { core: Core::new(config, certificate, seed, now), state: State::waiting() };
        dtls.set_role(now, role);
        dtls
    }

    /// Decides the role of an end that had not decided. An end that has begun keeps its role.
    pub fn set_role(&mut self, now: Instant, role: Role) {
        self.core.now = now;
        if role != Role::Client || !matches!(self.state, State::Waiting(_)) || self.is_closed() {
            return;
        }
        match client::start(&mut self.core) {
            Ok(state) => self.state = state,
            Err(failure) => self.fail(failure),
        }
    }

    /// Says who the peer should be: it must have a certificate with one of these fingerprints, of which only those of
    /// the strongest hash count (RFC 8122 §5). A peer that is already known to be another fails.
    pub fn set_peer_fingerprints(
        &mut self,
        now: Instant,
        fingerprints: &[Fingerprint],
    ) -> Result<(), FingerprintError> {
        let expected = Expected::new(fingerprints)?;
        self.core.now = now;
        if self.is_closed() || matches!(self.core.gate, Gate::Open) {
            return Ok(());
        }
        if let Err(failure) = self.core.expect(expected) {
            self.fail(failure);
        }
        Ok(())
    }

    /// What happened, the oldest first.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.core.events.pop_front()?;
        if self.core.events.is_empty() {
            self.core.events.shrink_to_fit();
        }
        Some(event)
    }

    /// Ends the connection, and tells the peer. The event [`Event::Closed`] comes at once.
    pub fn close(&mut self, now: Instant) {
        self.core.now = now;
        if !self.is_closed() {
            let has_begun = !matches!(self.state, State::Waiting(_));
            self.core.alert = has_begun.then_some(AlertDescription::CloseNotify);
            self.core.close(Event::Closed);
            self.state = State::Over;
        }
    }

    /// Whether data is sealed and opened.
    pub fn is_connected(&self) -> bool {
        matches!(self.core.gate, Gate::Open)
    }

    /// Whether the handshake has begun: something was said, or a ClientHello came.
    pub fn has_begun(&self) -> bool {
        !matches!(self.state, State::Waiting(_))
    }

    /// Whether the peer may lack something of the flight of the handshake that was sent last: it has not answered, nor
    /// acknowledged all of it.
    pub fn awaits_answer(&self) -> bool {
        !self.core.flight.is_done()
    }

    /// Whether the connection is over.
    pub fn is_closed(&self) -> bool {
        matches!(self.core.gate, Gate::Closed)
    }

    /// Fills `out` with keys for another protocol: RFC 8446 §7.5 in DTLS 1.3, RFC 5705 in DTLS 1.2. For SRTP the label
    /// is [`SrtpProfile::EXPORT_LABEL`](crate::SrtpProfile::EXPORT_LABEL) and there is no context.
    pub fn export_keying_material(
        &self,
        label: &[u8],
        context: Option<&[u8]>,
        out: &mut [u8],
    ) -> Result<(), ExportError> {
        let exporter = self.core.exporter.as_ref().filter(|_| self.is_connected());
        exporter.ok_or(ExportError::NotConnected)?.export(label, context, out)
    }

    /// Sets the longest datagram of the handshake from now on, in bytes; at least 256. Where datagrams travel in STUN
    /// messages, those need room.
    pub fn set_mtu(&mut self, mtu: usize) {
        self.core.mtu = mtu.max(256);
    }

    /// Says that there is no path for datagrams yet, other than one that repeats them itself: until
    /// [`Dtls::resume`] none is repeated, and no time counts towards the handshake's.
    pub fn hold(&mut self) {
        self.core.is_held = true;
    }

    /// Whether there is no path yet.
    pub fn is_held(&self) -> bool {
        self.core.is_held
    }

    /// There is a path now: from here on time counts, and what is not answered is repeated.
    pub fn resume(&mut self, now: Instant) {
        let core = &mut self.core;
        core.now = now;
        if std::mem::take(&mut core.is_held) {
            core.flight.restart_timer(now);
            core.give_up = core.give_up.map(|_| now + core.config.handshake_timeout);
        }
    }

    /// How often each fault came.
    pub fn counters(&self) -> &Counters {
        &self.core.counters
    }

    fn fail(&mut self, failure: Failure) {
        self.core.fail(failure);
        self.state = State::Over;
    }
}

impl fmt::Debug for Dtls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dtls")
            .field("version", &self.core.version)
            .field("is_client", &self.core.is_client)
            .field("is_connected", &self.is_connected())
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
