//! After the handshake: new keys in DTLS 1.3 (RFC 8446 §4.6.3, RFC 9147 §8), and nothing more in DTLS 1.2, as
//! renegotiation is refused.

use crate::core::Core;
use crate::crypto::schedule;
use crate::crypto::secret::Secret;
use crate::crypto::suite::CipherSuite;
use crate::failure::Failure;
use crate::message::key_update::{self, UPDATE_NOT_REQUESTED};
use crate::message::{Message, MessageType};
use crate::record::protection13::{Opener, Sealer};
use crate::writing::{APPLICATION_EPOCH, Sealers};

/// Epochs that a peer may make us go through: it may not have us compute for ever.
const MAX_EPOCH: u64 = APPLICATION_EPOCH + 60_000;

/// What is left of the handshake.
pub(crate) struct Complete {
    /// Only DTLS 1.3 takes new keys.
    traffic: Option<Box<Traffic>>,
}

struct Traffic {
    suite: CipherSuite,
    reading: Secret,
    writing: Secret,
    /// Our KeyUpdate is on its way: its keys may not be used before it is acknowledged.
    is_updating: bool,
    /// The peer has asked for it.
    is_asked: bool,
}

impl Complete {
    pub(super) fn new12() -> Self {
        Self { traffic: None }
    }

    pub(super) fn new13(suite: CipherSuite, reading: Secret, writing: Secret) -> Self {
        Self {
            traffic: Some(Box::new(Traffic { suite, reading, writing, is_updating: false, is_asked: false })),
        }
    }

    pub(super) fn handle(mut self, core: &mut Core, message: &Message<'_>) -> Result<Self, Failure> {
        // In DTLS 1.2 a second handshake would begin here.
        let traffic = self.traffic.as_mut().ok_or(Failure::UnexpectedMessage)?;
        if message.is(MessageType::KeyUpdate) {
            traffic.update_reading(core, key_update::parse(message.body)?)?;
        } else if !message.is(MessageType::NewSessionTicket) || !core.is_client {
            // Tickets are of no use: there is no resumption.
            return Err(Failure::UnexpectedMessage);
        }
        Ok(self)
    }

    /// As if the peer had asked for new keys.
    #[cfg(test)]
    pub(crate) fn ask(&mut self) {
        if let Some(traffic) = &mut self.traffic {
            traffic.is_asked = true;
        }
    }

    /// Begins to take new keys when the present ones have sealed enough, or the peer asked for it.
    pub(crate) fn prepare_update(&mut self, core: &mut Core) {
        let Some(traffic) = &mut self.traffic else { return };
        let Sealers::Dtls13 { application: Some(sealer), .. } = &core.writing.sealers else { return };
        let is_due = traffic.is_asked || sealer.count() >= traffic.suite.aead().rekey_after();
        if !is_due || traffic.is_updating || !core.flight.is_done() {
            return;
        }
        let epoch = sealer.epoch();
        core.flight.begin(&core.config);
        core.add(epoch, MessageType::KeyUpdate, &UPDATE_NOT_REQUESTED);
        core.flight.send();
        traffic.is_updating = true;
        traffic.is_asked = false;
    }

    /// Something that we sent was acknowledged.
    pub(crate) fn handle_acknowledged(&mut self, core: &mut Core) -> Result<(), Failure> {
        if !core.flight.is_done() {
            return Ok(());
        }
        core.give_up = None;
        let Sealers::Dtls13 { handshake, application } = &mut core.writing.sealers else { return Ok(()) };
        *handshake = None;
        if core.is_client {
            core.reading.handshake = None;
        }
        let Some(traffic) = self.traffic.as_mut().filter(|traffic| traffic.is_updating) else {
            return Ok(());
        };
        let Some(sealer) = application else { return Ok(()) };
        traffic.is_updating = false;
        let suite = traffic.suite;
        let secret = schedule::updated(suite.hash(), &traffic.writing)?;
        **sealer = Sealer::new(suite.aead(), suite.hash(), &secret, sealer.epoch() + 1)?;
        traffic.writing = secret;
        Ok(())
    }
}

impl Traffic {
    fn update_reading(&mut self, core: &mut Core, is_asked: bool) -> Result<(), Failure> {
        self.is_asked |= is_asked;
        let epoch = core.reading.application.as_ref().ok_or(Failure::Internal)?.epoch() + 1;
        if epoch > MAX_EPOCH {
            return Err(Failure::UnexpectedMessage);
        }
        let suite = self.suite;
        let secret = schedule::updated(suite.hash(), &self.reading)?;
        let opener = Box::new(Opener::new(suite.aead(), suite.hash(), &secret, epoch)?);
        core.reading.previous = core.reading.application.replace(opener);
        core.reassembly.expect_epoch(epoch);
        // They are kept until the peer uses the new ones: it cannot before it has our acknowledgement (RFC 9147 §8).
        core.linger = None;
        self.reading = secret;
        Ok(())
    }
}
