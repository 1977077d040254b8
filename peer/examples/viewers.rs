//! What it costs to send one stream to many peers, without sockets: `cargo run --release -p twocan-peer --example viewers`
//! (how many, and for how many frames, as arguments).
//!
//! Each viewer is a pair of peer connections. Only what a server does is counted: packets are queued, sealed and batched,
//! feedback is taken, timers are kept. Time is virtual, CPU time is real.

#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use rtp::Timestamp;
use twocan_peer::{
    Burst, Configuration, Direction, Event, IceCandidateInit, MediaCapabilities, MediaKind, OutgoingPacket,
    PeerConnection, PeerConnectionState, Prefix, SessionDescription, Transceiver, TransceiverId,
    TransceiverInit,
};
use wire::Received;

const FRAME: Duration = Duration::from_millis(33);
/// Of a frame: 2.4 Mbit/s.
const PACKETS: u32 = 9;
const PAYLOAD: usize = 1100;

struct Viewer {
    /// The server's end.
    server: PeerConnection,
    transceivers: Vec<(TransceiverId, MediaKind, rtp::PayloadType)>,
    deadline: Option<Instant>,
    /// The other end, which is not counted.
    client: PeerConnection,
}

/// What the server has done.
#[derive(Default)]
struct Work {
    cpu: Duration,
    packets: u64,
    datagrams: u64,
    batches: u64,
    feedback: u64,
    wakes: u64,
    /// How often the clock was read.
    readings: u32,
    sent: Sent,
}

/// What has left: batches, one behind another, with their lengths and the sizes of their datagrams.
#[derive(Default)]
struct Sent {
    burst: Burst,
    bytes: Vec<u8>,
    batches: Vec<(usize, usize)>,
}

impl Work {
    fn spent(&mut self, before: Duration) {
        self.cpu += cpu() - before;
        self.readings += 1;
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|argument| argument.parse::<u32>().ok());
    let (count, frames) = (arguments.next().unwrap_or(300), arguments.next().unwrap_or(300));
    let certificates = [1, 2].map(|seed| {
        let certificate = dtls::Certificate::generate([seed; 32], SystemTime::now());
        Arc::new(certificate.expect("a certificate"))
    });
    let mut now = Instant::now();
    let mut viewers: Vec<Viewer> = (0..count).map(|number| connect(now, number, &certificates)).collect();
    now += Duration::from_secs(1);
    let (mut warm, mut work) = (Work::default(), Work::default());
    for frame in 0..150 + frames {
        let work = if frame < 150 { &mut warm } else { &mut work };
        stream(&mut now, frame, &mut viewers, work);
    }
    // Reading the clock takes longer than what it measures.
    let before = cpu();
    (0..10_000).for_each(|_| _ = std::hint::black_box(cpu()));
    let reading = (cpu() - before) / 10_000;
    work.cpu -= reading * work.readings;
    let Work { cpu, packets, datagrams, batches, feedback, wakes, .. } = work;
    println!(
        "{count} viewers: {:.0} ns a packet, {packets} packets, {:.1} datagrams a batch; of a viewer's frame {:.2} times feedback, {:.2} wake-ups",
        cpu.as_nanos() as f64 / packets as f64,
        datagrams as f64 / batches as f64,
        feedback as f64 / f64::from(count * frames),
        wakes as f64 / f64::from(count * frames),
    );
}

/// One frame, and the time until the next.
fn stream(now: &mut Instant, frame: u32, viewers: &mut [Viewer], work: &mut Work) {
    let packets: Vec<Bytes> = (0..PACKETS).map(|_| Bytes::from(vec![7; PAYLOAD])).collect();
    let sound = Bytes::from(vec![7; 100]);
    let mut sent = std::mem::take(&mut work.sent);
    for viewer in &mut *viewers {
        let before = cpu();
        give(*now, frame, viewer, &packets, &sound, work, &mut sent);
        work.spent(before);
        leave(work, &mut sent);
        let before = cpu();
        send(*now, viewer, work, &mut sent);
        work.spent(before);
        arrive(*now + Duration::from_millis(1), viewer, &mut sent);
    }
    let next = *now + FRAME;
    *now += Duration::from_millis(1);
    while *now < next {
        for viewer in &mut *viewers {
            client(*now, viewer, work, &mut sent);
            if viewer.deadline.is_some_and(|at| at <= *now) {
                let before = cpu();
                work.wakes += 1;
                viewer.server.handle_timeout(*now);
                send(*now, viewer, work, &mut sent);
                work.spent(before);
                arrive(*now, viewer, &mut sent);
            }
        }
        *now += Duration::from_millis(2);
    }
    *now = next;
    work.sent = sent;
}

#[inline(never)]
fn give(
    now: Instant,
    frame: u32,
    viewer: &mut Viewer,
    packets: &[Bytes],
    sound: &Bytes,
    work: &mut Work,
    sent: &mut Sent,
) {
    for (id, kind, payload_type) in &viewer.transceivers {
        let packets = match kind {
            MediaKind::Video => packets,
            MediaKind::Audio => std::slice::from_ref(sound),
        };
        for (place, payload) in packets.iter().enumerate() {
            let packet = OutgoingPacket {
                payload_type: *payload_type,
                marker: place + 1 == packets.len(),
                timestamp: Timestamp(frame.wrapping_mul(2970)),
                sequence_number: None,
                prefix: Prefix::new(&[0x90, 0x80, 1, 2]).unwrap_or_default(),
                payload: payload.clone(),
            };
            let taken = viewer.server.send_packet_at_once(now, (*id, 0), packet, |_, _| (), &mut sent.burst);
            work.packets += u64::from(taken.is_ok());
        }
    }
}

/// What leaves at once, which a system call would take.
fn leave(work: &mut Work, sent: &mut Sent) {
    while let Some((transmit, bytes)) = sent.burst.poll() {
        let size = transmit.segment_size.unwrap_or(bytes.len());
        work.batches += 1;
        work.datagrams += bytes.len().div_ceil(size) as u64;
        sent.batches.push((bytes.len(), size));
        sent.bytes.extend_from_slice(bytes);
    }
}

/// Everything that the server has to send to a viewer.
#[inline(never)]
fn send(now: Instant, viewer: &mut Viewer, work: &mut Work, sent: &mut Sent) {
    while viewer.server.poll_event().is_some() {}
    loop {
        let start = sent.bytes.len();
        let Some(transmit) = viewer.server.poll_transmit(now, &mut sent.bytes) else { break };
        let length = sent.bytes.len() - start;
        let size = transmit.segment_size.unwrap_or(length.max(1));
        work.batches += 1;
        work.datagrams += length.div_ceil(size) as u64;
        sent.batches.push((length, size));
    }
    viewer.deadline = viewer.server.poll_timeout().map(|(at, _)| at);
}

/// What a client does by itself, and what the server makes of what it says.
fn client(now: Instant, viewer: &mut Viewer, work: &mut Work, sent: &mut Sent) {
    if viewer.client.poll_timeout().is_some_and(|(at, _)| at <= now) {
        viewer.client.handle_timeout(now);
    }
    let mut buffer = Vec::new();
    while let Some(transmit) = viewer.client.poll_transmit(now, &mut buffer) {
        let before = cpu();
        feedback(now, viewer, work, &transmit, &mut buffer, sent);
        work.spent(before);
        arrive(now, viewer, sent);
        buffer.clear();
    }
    while viewer.client.poll_event().is_some() {}
}

#[inline(never)]
fn feedback(
    now: Instant,
    viewer: &mut Viewer,
    work: &mut Work,
    transmit: &wire::Transmit,
    buffer: &mut [u8],
    sent: &mut Sent,
) {
    let size = transmit.segment_size.unwrap_or(buffer.len().max(1));
    for bytes in buffer.chunks_mut(size) {
        work.feedback += 1;
        let (source, destination) = (transmit.source, transmit.destination);
        let _ = viewer.server.handle_datagram(now, Received { source, destination, bytes });
    }
    send(now, viewer, work, sent);
}

fn arrive(now: Instant, viewer: &mut Viewer, sent: &mut Sent) {
    let (source, destination) = ([5001_u16, 5000]).map(address).into();
    let mut rest = sent.bytes.as_mut_slice();
    for (length, size) in sent.batches.drain(..) {
        let (batch, behind) = rest.split_at_mut(length);
        for bytes in batch.chunks_mut(size) {
            let _ = viewer.client.handle_datagram(now, Received { source, destination, bytes });
        }
        rest = behind;
    }
    sent.bytes.clear();
    while viewer.client.poll_packet().is_some() {}
}

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// A viewer that is connected: it offers, as WHEP has it, and the server answers.
fn connect(now: Instant, number: u32, certificates: &[Arc<dtls::Certificate>; 2]) -> Viewer {
    let end = |place: usize| {
        let mut seed = [place as u8; 32];
        seed[..4].copy_from_slice(&number.to_be_bytes());
        let mut configuration = Configuration::new(Arc::clone(&certificates[place]), seed);
        configuration.media = Some(Arc::new(MediaCapabilities::default()));
        configuration.ice_lite = place == 1;
        configuration.start_bitrate = 4_000_000;
        PeerConnection::new(now, configuration)
    };
    let (mut client, mut server) = (end(0), end(1));
    for kind in [MediaKind::Audio, MediaKind::Video] {
        let init = TransceiverInit { direction: Direction::RecvOnly, ..TransceiverInit::default() };
        client.add_transceiver(kind, init).expect("a transceiver");
    }
    let offer = client.set_local_description_implicitly(now).expect("an offer");
    client.add_local_candidate(now, ice::LocalCandidate::host(address(5000))).expect("a candidate");
    client.end_of_local_candidates(now);
    server.set_remote_description(now, &SessionDescription::offer(offer.sdp)).expect("taken");
    let all: Vec<TransceiverId> = server.transceivers().map(Transceiver::id).collect();
    for id in all {
        server.set_direction(id, Direction::SendOnly).expect("a direction");
    }
    let answer = server.set_local_description_implicitly(now).expect("an answer");
    server.add_local_candidate(now, ice::LocalCandidate::host(address(5001))).expect("a candidate");
    server.end_of_local_candidates(now);
    client.set_remote_description(now, &SessionDescription::answer(answer.sdp)).expect("taken");
    let text = server.local_description().expect("a description").sdp;
    for line in text.lines().filter_map(|line| line.strip_prefix("a=candidate")) {
        let candidate = format!("candidate{line}");
        let init = IceCandidateInit { candidate, sdp_m_line_index: Some(0), ..IceCandidateInit::default() };
        client.add_ice_candidate(now, Some(&init)).expect("taken");
    }
    let mut time = now;
    while client.connection_state() != PeerConnectionState::Connected
        || server.connection_state() != PeerConnectionState::Connected
    {
        assert!(time < now + Duration::from_secs(5), "not connected");
        carry(time, &mut client, &mut server);
        carry(time, &mut server, &mut client);
        time += Duration::from_millis(1);
        client.handle_timeout(time);
        server.handle_timeout(time);
    }
    let transceivers = server
        .transceivers()
        .filter_map(|one| Some((one.id(), one.kind(), one.agreement()?.preferred()?.send)));
    let transceivers = transceivers.collect();
    Viewer { server, transceivers, deadline: None, client }
}

fn carry(now: Instant, from: &mut PeerConnection, to: &mut PeerConnection) {
    let mut buffer = Vec::new();
    while let Some(transmit) = from.poll_transmit(now, &mut buffer) {
        let size = transmit.segment_size.unwrap_or(buffer.len().max(1));
        for bytes in buffer.chunks_mut(size) {
            let (source, destination) = (transmit.source, transmit.destination);
            let _ = to.handle_datagram(now, Received { source, destination, bytes });
        }
        buffer.clear();
        while let Some(event) = to.poll_event() {
            assert!(!matches!(event, Event::Failed(_)), "{event:?}");
        }
    }
    while from.poll_event().is_some() {}
}

/// CPU time of this process.
fn cpu() -> Duration {
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_PROCESS_CPUTIME_ID);
    time.map_or(Duration::ZERO, Duration::from)
}
