//! Making and applying descriptions, and what follows for the transport (RFC 9429 §5; W3C webrtc-pc §4.4.1).

use std::time::Instant;

use sdp::Description;
use sdp::attribute::{Attribute, Setup};

use super::PeerConnection;
use crate::description::{SdpType, SessionDescription};
use crate::error::DescriptionError;
use crate::event::{Event, IceGatheringState, PeerConnectionState};
use crate::negotiation::{SignalingState, Theirs, TrackChange};
use crate::seeds::Seeds;

impl PeerConnection {
    /// Makes an offer. Nothing changes until it is set.
    pub fn create_offer(&mut self) -> Result<SessionDescription, DescriptionError> {
        if self.wants_restart && self.theirs.is_some() && self.fresh.is_none() {
            self.fresh = Some(self.transport.ice.fresh_credentials());
        }
        let ours = self.ours();
        self.negotiation.create_offer(&ours).map(SessionDescription::offer)
    }

    /// Makes an answer to the peer's offer. Nothing changes until it is set.
    pub fn create_answer(&mut self) -> Result<SessionDescription, DescriptionError> {
        let ours = self.ours();
        self.negotiation.create_answer(&ours).map(SessionDescription::answer)
    }

    /// Makes the description that the state calls for, and sets it (W3C's `setLocalDescription()` without arguments).
    pub fn set_local_description_implicitly(
        &mut self,
        now: Instant,
    ) -> Result<SessionDescription, DescriptionError> {
        let description = match self.signaling_state() {
            SignalingState::HaveRemoteOffer | SignalingState::HaveLocalPranswer => self.create_answer()?,
            _ => self.create_offer()?,
        };
        self.set_local_description(now, &description)?;
        Ok(description)
    }

    /// Sets a description of ours: from here on it counts, and addresses are gathered for it.
    pub fn set_local_description(
        &mut self,
        now: Instant,
        description: &SessionDescription,
    ) -> Result<(), DescriptionError> {
        self.now = now;
        let before = self.signaling_state();
        self.negotiation.set_local(description)?;
        match description.kind {
            SdpType::Rollback => self.take_back_offer(),
            SdpType::Offer => {
                if self.theirs.is_none() {
                    self.transport.ice.set_role(ice::Role::Controlling);
                }
                self.has_restarted |= self.restart_if_fresh();
                self.wants_restart = false;
                self.gather();
            }
            SdpType::Pranswer | SdpType::Answer => {
                self.restart_if_fresh();
                self.gather();
                if let Some(theirs) = self.offered.take() {
                    let own = self.own_setup();
                    self.apply(*theirs, own != Some(Setup::Passive));
                }
            }
        }
        self.exchanged(before);
        Ok(())
    }

    /// Sets a description of the peer's. An offer that meets ours takes ours back, as perfect negotiation wants it.
    pub fn set_remote_description(
        &mut self,
        now: Instant,
        description: &SessionDescription,
    ) -> Result<(), DescriptionError> {
        self.now = now;
        let before = self.signaling_state();
        if description.kind == SdpType::Offer && before == SignalingState::HaveLocalOffer {
            // A description that cannot be read leaves everything as it is.
            description.sdp.parse::<Description>()?;
            self.negotiation.set_local(&SessionDescription::rollback())?;
            self.take_back_offer();
        }
        let (read, theirs) = self.negotiation.read_remote(description)?;
        if let Some(theirs) = &theirs {
            self.check_init(theirs)?;
            self.check_peer(theirs)?;
        }
        self.negotiation.set_remote(description, read)?;
        match description.kind {
            SdpType::Rollback => {
                self.offered = None;
                self.waiting.clear();
                self.fresh = None;
            }
            SdpType::Offer => self.take_offer(theirs),
            SdpType::Pranswer | SdpType::Answer => {
                if let Some(theirs) = theirs {
                    let (client, sped) = (theirs.setup == Setup::Passive, theirs.sped);
                    self.apply(theirs, client);
                    if !sped {
                        self.transport.embed_no_more();
                    }
                }
            }
        }
        self.exchanged(before);
        Ok(())
    }

    /// Our latest description, with the candidates that were gathered since.
    pub fn local_description(&self) -> Option<SessionDescription> {
        let applied = self.negotiation.local.latest()?;
        let mut description = Description::clone(&applied.description());
        let transport = self.negotiation.transport_section().map(|(index, _)| usize::from(index));
        if let Some(media) = transport.and_then(|index| description.media.get_mut(index)) {
            let ours = media.ice_credentials().map(|credentials| credentials.ufrag.to_string());
            if ours.as_deref() == Some(self.transport.ice.credentials().ufrag.as_str()) {
                for report in self.transport.ice.local_candidates() {
                    let line = report.candidate.to_string();
                    if let Ok(attribute) = line.parse::<Attribute>() {
                        media.attributes.push(attribute);
                    }
                }
                if self.gathering == IceGatheringState::Complete {
                    media.attributes.push(Attribute::EndOfCandidates);
                }
            }
        }
        Some(SessionDescription { kind: applied.kind, sdp: description.to_string() })
    }

    /// The peer's latest description.
    pub fn remote_description(&self) -> Option<SessionDescription> {
        let applied = self.negotiation.remote.latest()?;
        Some(SessionDescription { kind: applied.kind, sdp: applied.text() })
    }

    /// One that has proven who it is stays until the end.
    fn check_peer(&self, theirs: &Theirs) -> Result<(), DescriptionError> {
        let Some(secured) = &self.transport.secured else { return Ok(()) };
        match dtls::is_announced(&fingerprints(theirs), &secured.peer_certificate) {
            true => Ok(()),
            false => Err(DescriptionError::Unsupported("another peer, or a new certificate, once connected")),
        }
    }

    fn take_offer(&mut self, theirs: Option<Theirs>) {
        self.waiting.clear();
        let Some(theirs) = theirs else {
            self.offered = None;
            return;
        };
        match &self.theirs {
            None => self.transport.ice.set_role(ice::Role::Controlled),
            Some(known) if known.parameters.credentials != theirs.parameters.credentials => {
                // RFC 8839 §4.4.1.1: the answer has fresh credentials, too.
                self.fresh = Some(self.transport.ice.fresh_credentials());
            }
            Some(_) => {}
        }
        self.offered = Some(Box::new(theirs));
    }

    /// The peer's end is as a description in force says; `client` if we begin the DTLS handshake.
    fn apply(&mut self, theirs: Theirs, client: bool) {
        let now = self.now;
        if self.transport.ice.set_remote(now, &theirs.parameters).is_err() {
            // Neither end has restarted, as `take_offer` and `create_offer` see to that: another peer than the one of the
            // provisional answer before answers (RFC 9429 §3.8.1).
            self.transport.ice.forget_remote(now);
            if self.transport.secured.is_none() {
                self.forks += 1;
                let seed = Seeds::fork(&self.configuration.seed, self.forks);
                self.transport.begin_anew(now, &self.configuration, seed);
            }
            // There is none now.
            let _ = self.transport.ice.set_remote(now, &theirs.parameters);
        }
        for candidate in theirs.candidates.iter().cloned().chain(std::mem::take(&mut self.waiting)) {
            // One that is not used does no harm.
            let _ = self.transport.ice.add_remote(now, candidate);
        }
        if theirs.end_of_candidates {
            self.transport.ice.end_of_remote_candidates(now);
        }
        self.agree_on_init(&theirs);
        if self.negotiation.has_data() {
            self.transport.begin_data(now);
        }
        self.transport.permit_peers(now);
        self.transport.channels.set_max_message_size(theirs.max_message_size.unwrap_or(0));
        // None that we know: no certificate matches, and the connection fails before it begins.
        if self.transport.dtls.set_peer_fingerprints(now, &fingerprints(&theirs)).is_err() {
            self.end();
        }
        // Firefox answers another role than the settled one when ICE restarts; the association stays as it is.
        self.transport.set_client(now, client);
        self.theirs = Some(theirs);
        self.settle();
    }

    fn restart_if_fresh(&mut self) -> bool {
        let Some(credentials) = self.fresh.take() else { return false };
        self.transport.ice.restart(self.now, credentials);
        self.gathering = IceGatheringState::New;
        true
    }

    fn take_back_offer(&mut self) {
        self.fresh = None;
        if std::mem::take(&mut self.has_restarted) {
            self.transport.ice.abandon_restart(self.now);
            self.wants_restart = true;
        }
    }

    /// Asks for addresses, once for each generation that has a section to use them.
    fn gather(&mut self) {
        if self.gathering == IceGatheringState::New && self.negotiation.transport_section().is_some() {
            self.gathering = IceGatheringState::Gathering;
            self.transport.gather.begin();
            self.events.push_back(Event::IceGatheringState(self.gathering));
            self.events.push_back(Event::Gather);
        }
    }

    /// Our role in our latest description.
    fn own_setup(&self) -> Option<Setup> {
        let (index, _) = self.negotiation.transport_section()?;
        self.negotiation.local.latest()?.description().media.get(usize::from(index))?.setup()
    }

    fn exchanged(&mut self, before: SignalingState) {
        self.update_media();
        for change in self.negotiation.take_changes() {
            self.events.push_back(match change {
                TrackChange::Added(id) => Event::Track(id),
                TrackChange::Removed(id) => Event::TrackRemoved(id),
            });
        }
        let state = self.signaling_state();
        if state != before {
            self.events.push_back(Event::SignalingState(state));
        }
        if state == SignalingState::Stable {
            self.has_restarted = false;
            self.needs_negotiation = false;
            self.update_negotiation_needed();
            if self.connection == PeerConnectionState::Connected {
                self.negotiation.fold();
            }
        }
        self.settle();
    }
}

/// What DTLS understands of them.
fn fingerprints(theirs: &Theirs) -> Vec<dtls::Fingerprint> {
    let known = theirs.fingerprints.iter();
    known
        .filter_map(|known| dtls::Fingerprint::from_bytes(known.hash().as_str(), known.bytes()).ok())
        .collect()
}
