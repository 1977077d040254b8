//! Candidates, ours and the peer's (W3C webrtc-pc §4.4.1.6, §4.8).

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use super::PeerConnection;
use crate::config::IceTransportPolicy;
use crate::description::IceCandidateInit;
use crate::error::CandidateError;
use crate::event::{Event, IceGatheringState};
use crate::gather::{Base, CandidateError as CandidateFailure};
use crate::limits;
use crate::server::IceServer;

impl PeerConnection {
    /// Adds an address of this host; [`Event::IceCandidate`] tells it to the peer. From a UDP socket, every server is
    /// asked for more.
    ///
    /// Where only relays may be used, it is told to nobody, and is only where relays' servers are asked from.
    pub fn add_local_candidate(
        &mut self,
        now: Instant,
        candidate: ice::LocalCandidate,
    ) -> Result<(), ice::NotAdded> {
        self.now = now;
        let is_host = candidate.kind() == ice::Kind::Host && candidate.transport() == ice::Transport::Udp;
        let (address, (interface, cost)) = (candidate.address(), candidate.interface());
        if self.configuration.ice_transport_policy == IceTransportPolicy::All {
            self.tell_candidate(candidate)?;
        }
        if is_host && !self.is_closed {
            self.transport.gather.add_base(now, Base { address, interface, cost });
        }
        self.settle();
        Ok(())
    }

    /// Adds a STUN or TURN server: it is asked from every socket, those that come later too. Tell all of them anew after
    /// each [`Event::Gather`]. Beyond [`ICE_SERVERS`](limits::ICE_SERVERS) they are left out.
    pub fn add_ice_server(&mut self, now: Instant, server: IceServer) {
        self.now = now;
        if !self.is_closed {
            self.transport.gather.add_server(now, server);
            self.settle();
        }
    }

    /// Has ICE use a candidate of ours, and tells it to the peer.
    pub(super) fn tell_candidate(&mut self, candidate: ice::LocalCandidate) -> Result<(), ice::NotAdded> {
        let is_relayed = candidate.kind() == ice::Kind::Relayed;
        let candidate = self.transport.ice.add_local(self.now, candidate)?;
        if is_relayed {
            self.transport.permit_peers(self.now);
        }
        let (index, mid) = match self.negotiation.transport_section() {
            Some((index, mid)) => (Some(index), Some(mid.to_string())),
            None => (None, None),
        };
        let username_fragment = candidate.ufrag.as_ref().map(ToString::to_string);
        // As long as most are.
        let mut text = String::with_capacity(128);
        let _ = write!(text, "{candidate}");
        self.events.push_back(Event::IceCandidate(Some(IceCandidateInit {
            candidate: text,
            sdp_mid: mid,
            sdp_m_line_index: index,
            username_fragment,
        })));
        Ok(())
    }

    /// All sockets and servers were told. Gathering is complete once the servers have answered, or had their time.
    pub fn end_of_local_candidates(&mut self, now: Instant) {
        self.now = now;
        self.transport.gather.no_more();
        self.settle();
    }

    pub(super) fn gathered(&mut self) {
        if self.gathering == IceGatheringState::Gathering {
            self.gathering = IceGatheringState::Complete;
            self.transport.ice.set_gathered(self.now, true);
            self.events.push_back(Event::IceCandidate(None));
            self.events.push_back(Event::IceGatheringState(self.gathering));
        }
    }

    pub(super) fn tell_candidate_error(&mut self, error: CandidateFailure) {
        let CandidateFailure { base, url, code, text } = error;
        // An address that is told to nobody is not told here either.
        let mut told = self.transport.ice.local_candidates();
        let base = base.filter(|base| told.any(|report| report.candidate.address.ip() == Some(*base)));
        self.events.push_back(Event::IceCandidateError {
            address: base.map(|base| base.ip()),
            port: base.map(|base| base.port()),
            url: url.into(),
            error_code: code,
            error_text: text.into(),
        });
    }

    /// The socket at this address is gone, and with it what was gathered from it.
    pub fn remove_local_candidates(&mut self, now: Instant, base: SocketAddr) {
        self.now = now;
        self.transport.gather.remove_base(now, base);
        self.transport.ice.remove_local(now, base);
        self.settle();
    }

    /// Takes what a name stands for; no addresses if it could not be resolved.
    pub fn handle_resolved(&mut self, now: Instant, id: ice::ResolveId, addresses: &[IpAddr]) {
        self.now = now;
        self.transport.ice.handle_resolved(now, id, addresses);
        self.transport.permit_peers(now);
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
        let description = remote.description();
        let media = &description.media;
        let section = match (&given.sdp_mid, given.sdp_m_line_index) {
            (None, None) => return Err(CandidateError::NoSection),
            (Some(mid), _) => media.iter().find(|media| media.mid().is_some_and(|own| **own == **mid)),
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
        self.transport.permit_peers(now);
        self.settle();
        match added {
            Err(ice::Refused::OtherGeneration) => Err(CandidateError::UnknownGeneration),
            // One that is not used does no harm.
            _ => Ok(()),
        }
    }
}
