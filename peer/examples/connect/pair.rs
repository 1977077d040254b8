//! Two peer connections over nothing: what one end sends reaches the other at once, and time is virtual. The test of what
//! they take from the heap has the same ones (`peer/tests/heap.rs`).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use twocan_peer::{
    ChannelId, ChannelOptions, Configuration, Event, IceCandidateInit, PeerConnection, SessionDescription,
};
use wire::Received;

pub(crate) struct Pair {
    pub(crate) now: Instant,
    pub(crate) ends: [End; 2],
    buffer: Vec<u8>,
}

pub(crate) struct End {
    pub(crate) peer: PeerConnection,
    address: SocketAddr,
    /// Once it is open.
    pub(crate) channel: Option<ChannelId>,
    /// Bytes of messages.
    pub(crate) received: usize,
}

/// Made once per process, as applications make theirs.
pub(crate) fn certificates(seed: u64) -> [Arc<dtls::Certificate>; 2] {
    [0, 1].map(|end| {
        let certificate = dtls::Certificate::generate(seed_of(seed, end), SystemTime::now());
        Arc::new(certificate.expect("a certificate"))
    })
}

fn seed_of(number: u64, end: u8) -> [u8; 32] {
    let mut seed = [end; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    seed
}

impl Pair {
    pub(crate) fn new(
        number: u64,
        certificates: &[Arc<dtls::Certificate>; 2],
        configure: impl Fn(&mut Configuration),
    ) -> Self {
        let now = Instant::now();
        let end = |name: u8| {
            let certificate = Arc::clone(&certificates[usize::from(name)]);
            let mut configuration = Configuration::new(certificate, seed_of(number, name));
            configure(&mut configuration);
            let address = SocketAddr::from(([127, 0, 0, 1], 5000 + u16::from(name)));
            End { peer: PeerConnection::new(now, configuration), address, channel: None, received: 0 }
        };
        Self { now, ends: [end(0), end(1)], buffer: Vec::with_capacity(65_536) }
    }

    /// Offer, answer, and a candidate each, as signaling carries them.
    pub(crate) fn describe(&mut self) {
        let now = self.now;
        let [ada, bob] = &mut self.ends;
        ada.peer.create_data_channel(now, "chat", "", ChannelOptions::default()).expect("a channel");
        let offer = ada.peer.set_local_description_implicitly(now).expect("an offer");
        let of_ada = candidates(now, ada);
        bob.peer.set_remote_description(now, &SessionDescription::offer(offer.sdp)).expect("taken");
        let answer = bob.peer.set_local_description_implicitly(now).expect("an answer");
        for candidate in &of_ada {
            bob.peer.add_ice_candidate(now, candidate.as_ref()).expect("taken");
        }
        let of_bob = candidates(now, bob);
        ada.peer.set_remote_description(now, &SessionDescription::answer(answer.sdp)).expect("taken");
        for candidate in &of_bob {
            ada.peer.add_ice_candidate(now, candidate.as_ref()).expect("taken");
        }
    }

    /// Until the channel is open at both ends.
    pub(crate) fn connect(&mut self) {
        let deadline = self.now + Duration::from_secs(5);
        self.exchange();
        while !self.ends.iter().all(|end| end.channel.is_some()) {
            assert!(self.now < deadline, "not connected");
            self.wait(deadline);
            self.exchange();
        }
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        let deadline = self.now + time;
        while self.now < deadline {
            self.wait(deadline);
            self.exchange();
        }
    }

    /// Everything that is to be said now.
    pub(crate) fn exchange(&mut self) {
        let Self { now, ends: [ada, bob], buffer } = self;
        while carry(*now, ada, bob, buffer) | carry(*now, bob, ada, buffer) {}
    }

    /// The next thing that is due.
    pub(crate) fn wait(&mut self, deadline: Instant) {
        let Self { now, ends: [ada, bob], .. } = self;
        let due = [&*ada, &*bob].into_iter().filter_map(|end| end.peer.poll_timeout()).map(|(at, _)| at);
        *now = due.min().map_or(deadline, |due| due.clamp(*now, deadline));
        for end in [ada, bob] {
            if end.peer.poll_timeout().is_some_and(|(at, _)| at <= *now) {
                end.peer.handle_timeout(*now);
            }
            hear(end, |_| {});
        }
    }
}

/// Gathers, and says what was found.
fn candidates(now: Instant, end: &mut End) -> Vec<Option<IceCandidateInit>> {
    end.peer.add_local_candidate(now, ice::LocalCandidate::host(end.address)).expect("a candidate");
    end.peer.end_of_local_candidates(now);
    let mut found = Vec::new();
    hear(end, |candidate| found.push(candidate));
    found
}

/// Carries everything from one end to the other; says whether there was anything.
fn carry(now: Instant, from: &mut End, to: &mut End, buffer: &mut Vec<u8>) -> bool {
    let mut any = false;
    buffer.clear();
    while let Some(sent) = from.peer.poll_transmit(now, buffer) {
        any = true;
        let size = sent.segment_size.unwrap_or(buffer.len().max(1));
        for bytes in buffer.chunks_mut(size) {
            let received = Received { source: sent.source, destination: sent.destination, bytes };
            // A fault is counted.
            let _ = to.peer.handle_datagram(now, received);
        }
        buffer.clear();
        hear(to, |_| {});
    }
    any
}

fn hear(end: &mut End, mut told: impl FnMut(Option<IceCandidateInit>)) {
    while let Some(event) = end.peer.poll_event() {
        match event {
            Event::ChannelOpen(id) | Event::DataChannel(id) => end.channel = Some(id),
            Event::Message(message) => {
                end.received += message.data.len();
                end.peer.recycle(message.data);
            }
            Event::IceCandidate(candidate) => told(candidate),
            _ => {}
        }
    }
}
