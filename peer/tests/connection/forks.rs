//! An offer that more than one peer hears (RFC 9429 §3.8).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use twocan_peer::{
    Configuration, Event, IceCandidateInit, PeerConnection, PeerConnectionState, SdpType, SessionDescription,
};
use wire::Received;

use crate::world::{ADA, World, certificate};

/// Ends on one network without delay, the first of which offers.
struct Party {
    now: Instant,
    ends: Vec<(PeerConnection, SocketAddr)>,
    candidates: Vec<Vec<Option<IceCandidateInit>>>,
    events: Vec<Vec<Event>>,
    offer: SessionDescription,
}

impl Party {
    fn new() -> Self {
        let now = World::lan(1).now;
        let mut ends = Vec::new();
        for name in 1..=3 {
            let peer = PeerConnection::new(now, Configuration::new(certificate(name), [name; 32]));
            ends.push((peer, SocketAddr::from(([192, 0, 2, name], 5000))));
        }
        let ada = &mut ends[ADA].0;
        ada.create_data_channel(now, "chat", "", Default::default()).unwrap();
        let offer = ada.set_local_description_implicitly(now).unwrap();
        let mut party =
            Self { now, ends, candidates: vec![Vec::new(); 3], events: vec![Vec::new(); 3], offer };
        party.exchange();
        for end in [1, 2] {
            let peer = &mut party.ends[end].0;
            peer.set_remote_description(now, &party.offer).unwrap();
            for candidate in &party.candidates[ADA] {
                peer.add_ice_candidate(now, candidate.as_ref()).unwrap();
            }
        }
        party
    }

    /// Its answer, which it has set.
    fn answer(&mut self, end: usize) -> SessionDescription {
        let answer = self.ends[end].0.set_local_description_implicitly(self.now).unwrap();
        self.exchange();
        answer
    }

    fn hear(&mut self, from: usize, kind: SdpType, answer: &SessionDescription) {
        let description = SessionDescription { kind, sdp: answer.sdp.clone() };
        let ada = &mut self.ends[ADA].0;
        ada.set_remote_description(self.now, &description).unwrap();
        for candidate in &self.candidates[from] {
            ada.add_ice_candidate(self.now, candidate.as_ref()).unwrap();
        }
    }

    fn exchange(&mut self) {
        for _ in 0..20 {
            for from in 0..3 {
                while let Some(event) = self.ends[from].0.poll_event() {
                    match event {
                        Event::Gather => {
                            let (peer, address) = &mut self.ends[from];
                            let host = ice::LocalCandidate::host(*address);
                            peer.add_local_candidate(self.now, host).unwrap();
                            peer.end_of_local_candidates(self.now);
                        }
                        Event::IceCandidate(candidate) => self.candidates[from].push(candidate),
                        event => self.events[from].push(event),
                    }
                }
                let mut bytes = Vec::new();
                while let Some(sent) = self.ends[from].0.poll_transmit(self.now, &mut bytes) {
                    let to = self.ends.iter_mut().find(|(_, address)| *address == sent.destination).unwrap();
                    let (source, destination) = (sent.source, sent.destination);
                    for bytes in bytes.chunks_mut(sent.segment_size.unwrap_or(usize::MAX)) {
                        // A fault is counted.
                        let _ = to.0.handle_datagram(self.now, Received { source, destination, bytes });
                    }
                    bytes.clear();
                }
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.exchange();
            self.now += Duration::from_millis(10);
            self.ends.iter_mut().for_each(|(peer, _)| peer.handle_timeout(self.now));
        }
    }

    fn state(&self, end: usize) -> PeerConnectionState {
        self.ends[end].0.connection_state()
    }
}

#[test]
fn who_was_first_with_a_check_but_is_not_the_one_keeps_nobody_out() {
    let mut party = Party::new();
    // Bob's checks, with the handshake in them, are there before Eve's.
    party.answer(1);
    let answer = party.answer(2);
    party.hear(2, SdpType::Answer, &answer);
    party.pass(Duration::from_secs(2));
    assert_eq!(party.state(ADA), PeerConnectionState::Connected);
    assert_eq!(party.state(2), PeerConnectionState::Connected);
    assert_ne!(party.state(1), PeerConnectionState::Connected);
}

#[test]
fn the_last_answer_counts_until_somebody_is_connected() {
    let mut party = Party::new();
    let (bob, eve) = (party.answer(1), party.answer(2));
    // Bob's candidates are on their way: nothing is secured yet.
    let ada = &mut party.ends[ADA].0;
    ada.set_remote_description(party.now, &SessionDescription { kind: SdpType::Pranswer, ..bob }).unwrap();
    party.hear(2, SdpType::Answer, &eve);
    party.pass(Duration::from_secs(2));
    assert_eq!(party.state(ADA), PeerConnectionState::Connected);
    assert_eq!(party.state(2), PeerConnectionState::Connected);
    assert!(party.events[ADA].iter().any(|event| matches!(event, Event::ChannelOpen(_))));
}

#[test]
fn once_connected_another_peer_is_an_error_and_changes_nothing() {
    let mut party = Party::new();
    let (bob, eve) = (party.answer(1), party.answer(2));
    party.hear(1, SdpType::Pranswer, &bob);
    party.pass(Duration::from_secs(2));
    assert_eq!(party.state(ADA), PeerConnectionState::Connected);
    let ada = &mut party.ends[ADA].0;
    let error = ada.set_remote_description(party.now, &eve).unwrap_err();
    assert_eq!(error.name(), "OperationError");
    ada.set_remote_description(party.now, &bob).unwrap();
    party.pass(Duration::from_secs(2));
    assert_eq!(party.state(ADA), PeerConnectionState::Connected);
    // A second final answer has no place at all.
    let error = party.ends[ADA].0.set_remote_description(party.now, &eve).unwrap_err();
    assert_eq!(error.name(), "InvalidStateError");
}
