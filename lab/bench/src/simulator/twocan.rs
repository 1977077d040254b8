//! Our peer connection: ICE, DTLS, SCTP, data channels.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use peer::{ChannelId, ChannelOptions, Configuration, Event, IceCandidateInit, Kind, PeerConnection};
use wire::Received;

use super::stack::{Addresses, End, Heard, Lane, Output, Pair};
use super::twocan_sctp::WINDOW;

struct Whole {
    peer: PeerConnection,
    own: std::net::SocketAddr,
    other: std::net::SocketAddr,
    channels: [ChannelId; 2],
    open: usize,
    buffer: Vec<u8>,
}

pub(crate) fn pair(now: Instant, addresses: Addresses, seed: u64) -> Pair {
    let mut ends = [0, 1].map(|index| end(now, addresses, index, seed));
    let [a, b] = &mut ends;
    let offer = a.peer.set_local_description_implicitly(now).expect("an offer");
    b.peer.set_remote_description(now, &offer).expect("an offer that is taken");
    let answer = b.peer.set_local_description_implicitly(now).expect("an answer");
    a.peer.set_remote_description(now, &answer).expect("an answer that is taken");
    for end in [&mut *a, &mut *b] {
        end.peer.add_local_candidate(now, ice::LocalCandidate::host(end.own)).expect("a candidate");
        end.peer.end_of_local_candidates(now);
    }
    for (from, to) in [(0, 1), (1, 0)] {
        let sdp = ends[from].peer.local_description().expect("a description").sdp;
        let candidates = sdp.lines().filter_map(|line| line.strip_prefix("a=candidate"));
        for candidate in candidates.map(|rest| format!("candidate{rest}")) {
            let init =
                IceCandidateInit { candidate, sdp_m_line_index: Some(0), ..IceCandidateInit::default() };
            ends[to].peer.add_ice_candidate(now, Some(&init)).expect("a candidate that is taken");
        }
        ends[to].peer.add_ice_candidate(now, None).expect("taken");
    }
    ends.map(|end| Box::new(end) as Box<dyn End>)
}

fn end(now: Instant, addresses: Addresses, index: usize, seed: u64) -> Whole {
    let mut seeds = [index as u8 + 1; 32];
    seeds[..8].copy_from_slice(&seed.to_be_bytes());
    let day = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let certificate = dtls::Certificate::generate(seeds, day).expect("a certificate");
    let mut configuration = Configuration::new(Arc::new(certificate), seeds);
    configuration.receive_window = WINDOW;
    let mut peer = PeerConnection::new(now, configuration);
    let channels = [Lane::Bulk, Lane::Urgent].map(|lane| {
        let options = ChannelOptions {
            ordered: lane == Lane::Bulk,
            negotiated: Some(lane as u16),
            ..ChannelOptions::default()
        };
        peer.create_data_channel(now, "", "", options).expect("a channel")
    });
    let (own, other) = (addresses[index], addresses[1 - index]);
    Whole { peer, own, other, channels, open: 0, buffer: Vec::new() }
}

impl End for Whole {
    fn take(&mut self, now: Instant, datagram: &mut [u8]) {
        let received = Received { source: self.other, destination: self.own, bytes: datagram };
        // A fault is counted.
        let _ = self.peer.handle_datagram(now, received);
    }

    fn advance(&mut self, now: Instant, output: &mut Output) {
        if self.deadline().is_some_and(|time| time <= now) {
            self.peer.handle_timeout(now);
        }
        loop {
            while let Some(event) = self.peer.poll_event() {
                match event {
                    Event::ChannelOpen(_) => self.open += 1,
                    Event::Message(message) => {
                        let is_bulk = message.channel == self.channels[Lane::Bulk as usize];
                        let lane = if is_bulk { Lane::Bulk } else { Lane::Urgent };
                        output.heard.push(Heard::new(lane, &message.data, message.first));
                        self.peer.recycle(message.data);
                    }
                    _ => {}
                }
            }
            self.buffer.clear();
            let Some(sent) = self.peer.poll_transmit(now, &mut self.buffer) else { return };
            let size = sent.segment_size.unwrap_or(self.buffer.len().max(1));
            self.buffer.chunks(size).for_each(|datagram| output.send(datagram));
        }
    }

    fn deadline(&mut self) -> Option<Instant> {
        self.peer.poll_timeout().map(|(time, _)| time)
    }

    fn is_open(&self) -> bool {
        self.open == 2
    }

    fn send(&mut self, now: Instant, lane: Lane, message: &[u8]) -> bool {
        self.peer.send_copy(now, self.channels[lane as usize], Kind::Binary, message).is_ok()
    }

    fn buffered(&mut self) -> usize {
        self.peer.buffered_amount(self.channels[Lane::Bulk as usize])
    }
}
