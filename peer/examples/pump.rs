//! How much two peer connections move in one thread, without sockets: `cargo run --release -p twocan-peer --example pump`.
//!
//! What arrives at one end is what the other has sent, at once; CPU time is that of both ends together.

#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use twocan_peer::{ChannelId, ChannelOptions, Configuration, Event, Kind, PeerConnection};
use wire::Received;

struct End {
    peer: PeerConnection,
    address: std::net::SocketAddr,
    channel: Option<ChannelId>,
    bytes: usize,
}

fn end(name: u8) -> End {
    let certificate = dtls::Certificate::generate([name; 32], SystemTime::now()).expect("a certificate");
    let configuration = Configuration::new(Arc::new(certificate), [name; 32]);
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], 5000 + u16::from(name)));
    End { peer: PeerConnection::new(Instant::now(), configuration), address, channel: None, bytes: 0 }
}

/// Carries everything from one end to the other; says whether there was anything.
fn carry(from: &mut End, to: &mut End, buffer: &mut Vec<u8>) -> bool {
    let mut any = false;
    let now = Instant::now();
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
        while let Some(event) = to.peer.poll_event() {
            match event {
                Event::Message(message) => {
                    to.bytes += message.data.len();
                    to.peer.recycle(message.data);
                }
                Event::ChannelOpen(id) | Event::DataChannel(id) => to.channel = Some(id),
                _ => {}
            }
        }
    }
    any
}

fn main() {
    let (mut ada, mut bob) = (end(1), end(2));
    let now = Instant::now();
    let begun = cpu();
    ada.peer.create_data_channel(now, "pump", "", ChannelOptions::default()).expect("a channel");
    let offer = ada.peer.set_local_description_implicitly(now).expect("an offer");
    bob.peer.set_remote_description(now, &offer).expect("taken");
    let answer = bob.peer.set_local_description_implicitly(now).expect("an answer");
    for end in [&mut ada, &mut bob] {
        let host = ice::LocalCandidate::host(end.address);
        end.peer.add_local_candidate(now, host).expect("a candidate");
        end.peer.end_of_local_candidates(now);
    }
    bob.peer.add_ice_candidate(now, None).expect("taken");
    ada.peer.set_remote_description(now, &answer).expect("taken");
    let bobs = bob.peer.local_description().expect("a description").sdp;
    for line in bobs.lines().filter_map(|line| line.strip_prefix("a=candidate")) {
        let candidate = format!("candidate{line}");
        let init = twocan_peer::IceCandidateInit {
            candidate,
            sdp_m_line_index: Some(0),
            ..twocan_peer::IceCandidateInit::default()
        };
        ada.peer.add_ice_candidate(now, Some(&init)).expect("taken");
    }
    let mut buffer = Vec::new();
    while ada.channel.is_none() || bob.channel.is_none() {
        carry(&mut ada, &mut bob, &mut buffer);
        carry(&mut bob, &mut ada, &mut buffer);
        wake(&mut ada);
        wake(&mut bob);
    }
    println!("connected: {:.0} us of CPU, both ends", (cpu() - begun).as_secs_f64() * 1e6);
    let channel = ada.channel.expect("open");
    for size in [64 << 10, 16 << 10, 1 << 10] {
        let message = bytes::Bytes::from(vec![7; size]);
        let (begun, start, before) = (cpu(), Instant::now(), bob.bytes);
        while start.elapsed() < Duration::from_secs(2) {
            while ada.peer.buffered_amount(channel) < 4 << 20
                && ada.peer.send(Instant::now(), channel, Kind::Binary, message.clone()).is_ok()
            {}
            carry(&mut ada, &mut bob, &mut buffer);
            carry(&mut bob, &mut ada, &mut buffer);
            wake(&mut ada);
            wake(&mut bob);
        }
        let moved = (bob.bytes - before) as f64 / 1e6;
        println!("{size:>6} B messages: {:.0} MB per CPU-second", moved / (cpu() - begun).as_secs_f64());
    }
}

fn wake(end: &mut End) {
    let now = Instant::now();
    if end.peer.poll_timeout().is_some_and(|(at, _)| at <= now) {
        end.peer.handle_timeout(now);
    }
    while let Some(event) = end.peer.poll_event() {
        if let Event::ChannelOpen(id) | Event::DataChannel(id) = event {
            end.channel = Some(id);
        }
    }
}

/// CPU time of this process.
fn cpu() -> Duration {
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_PROCESS_CPUTIME_ID);
    time.map_or(Duration::ZERO, Duration::from)
}
