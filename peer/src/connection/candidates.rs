//! Candidates, ours and the peer's (W3C webrtc-pc §4.4.1.6, §4.8).

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use super::PeerConnection;
use crate::description::IceCandidateInit;
use crate::error::CandidateError;
use crate::event::{Event, IceGatheringState};
use crate::limits;

impl PeerConnection {
    /// Adds an address of ours that was gathered; [`Event::IceCandidate`] tells it to the peer.
    pub fn add_local_candidate(
        &mut self,
        now: Instant,
        candidate: ice::LocalCandidate,
    ) -> Result<(), ice::NotAdded> {
        self.now = now;
        let candidate = self.transport.ice.add_local(now, candidate)?;
        let (index, mid) = match self.negotiation.data_section() {
            Some((index, mid)) => (Some(index), Some(mid.to_string())),
            None => (None, None),
        };
        let username_fragment = candidate.ufrag.as_ref().map(ToString::to_string);
        self.events.push_back(Event::IceCandidate(Some(IceCandidateInit {
            candidate: candidate.to_string(),
            sdp_mid: mid,
            sdp_m_line_index: index,
            username_fragment,
        })));
        self.settle();
        Ok(())
    }

    /// All our addresses were told.
    pub fn end_of_local_candidates(&mut self, now: Instant) {
        self.now = now;
        if self.gathering == IceGatheringState::Gathering {
            self.gathering = IceGatheringState::Complete;
            self.transport.ice.set_gathered(now, true);
            self.events.push_back(Event::IceCandidate(None));
            self.events.push_back(Event::IceGatheringState(self.gathering));
            self.settle();
        }
    }

    /// The socket at this address is gone.
    pub fn remove_local_candidates(&mut self, now: Instant, base: SocketAddr) {
        self.now = now;
        self.transport.ice.remove_local(now, base);
        self.settle();
    }

    /// Takes what a name stands for; no addresses if it could not be resolved.
    pub fn handle_resolved(&mut self, now: Instant, id: ice::ResolveId, addresses: &[IpAddr]) {
        self.now = now;
        self.transport.ice.handle_resolved(now, id, addresses);
        self.settle();
    }

    /// Takes a candidate of the peer's; none, or an empty one: no more come.
    pub fn add_ice_candidate(
        &mut self,
        now: Instant,
        given: Option<&IceCandidateInit>,
    ) -> Result<(), CandidateError> {
        self.now = now;
        if self.is_closed {
            return Err(CandidateError::Closed);
        }
        let remote = self.negotiation.remote.latest().ok_or(CandidateError::NoRemoteDescription)?;
        let Some(given) = given.filter(|given| !given.candidate.is_empty()) else {
            self.transport.ice.end_of_remote_candidates(now);
            self.settle();
            return Ok(());
        };
        let media = &remote.description.media;
        let section = match (&given.sdp_mid, given.sdp_m_line_index) {
            (None, None) => return Err(CandidateError::NoSection),
            (Some(mid), _) => {
                media.iter().find(|media| media.mid().is_some_and(|own| own.to_string() == *mid))
            }
            (None, Some(index)) => media.get(usize::from(index)),
        };
        let section = section.ok_or(CandidateError::UnknownSection)?;
        if section.is_rejected() {
            return Ok(());
        }
        let text = given.candidate.strip_prefix("a=").unwrap_or(&given.candidate);
        let mut candidate: ice::Candidate = text.parse().map_err(CandidateError::Syntax)?;
        if let (None, Some(fragment)) = (&candidate.ufrag, &given.username_fragment) {
            candidate.ufrag = fragment.parse().ok();
        }
        if self.offered.is_some() {
            if self.waiting.len() >= limits::WAITING_CANDIDATES {
                return Err(CandidateError::TooMany);
            }
            self.waiting.push(candidate);
            return Ok(());
        }
        let added = self.transport.ice.add_remote(now, candidate);
        self.settle();
        match added {
            Err(ice::Refused::OtherGeneration) => Err(CandidateError::UnknownGeneration),
            // One that is not used does no harm.
            _ => Ok(()),
        }
    }
}
