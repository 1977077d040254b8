//! SCTP's INIT in descriptions, in place of SCTP's handshake (SNAP, draft-hancke-tsvwg-snap §5).
//!
//! What counts is what both ends say in the exchange that comes before the association begins, which is when DTLS is up:
//! until then each answer replaces what an earlier one said, as a provisional one may be another peer's. From then on it
//! is settled; descriptions repeat what was agreed on, and an INIT that is new is an error (§5.6).

use sdp::attribute::SctpInit;

use super::PeerConnection;
use crate::error::DescriptionError;
use crate::negotiation::Theirs;

impl PeerConnection {
    /// What our descriptions say: nothing, once an association has begun without it.
    pub(super) fn own_init(&self) -> Option<SctpInit> {
        let association = self.transport.channels.association();
        let is_late = self.transport.is_associated() && self.transport.peer_init.is_none();
        if !self.configuration.snap || is_late {
            return None;
        }
        SctpInit::new(association.local_init()).ok()
    }

    /// Whether what the peer says can be used, before anything changes.
    pub(super) fn check_init(&self, theirs: &Theirs) -> Result<(), DescriptionError> {
        let Some(init) = self.init_of(theirs).filter(|_| self.configuration.snap) else { return Ok(()) };
        sctp::Association::check_init(init.chunk()).map_err(DescriptionError::SctpInit)?;
        let is_known = self.transport.peer_init.as_deref() == Some(init.chunk());
        if self.transport.is_associated() && !is_known {
            return Err(DescriptionError::SctpInit(sctp::BadInit::AlreadyBegun));
        }
        Ok(())
    }

    /// Both descriptions of an exchange are there.
    pub(super) fn agree_on_init(&mut self, theirs: &Theirs) {
        if !self.transport.is_associated() {
            let said = self.init_of(theirs).filter(|_| self.negotiation.says_sctp_init());
            self.transport.peer_init = said.map(|init| init.chunk().into());
        }
    }

    /// What the peer says. Our own is none: some copy into their answer what they do not know (libdatachannel does).
    fn init_of<'a>(&self, theirs: &'a Theirs) -> Option<&'a SctpInit> {
        let own = self.transport.channels.association().local_init();
        theirs.sctp_init.as_ref().filter(|init| init.chunk() != own)
    }
}
