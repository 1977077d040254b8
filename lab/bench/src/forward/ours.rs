//! Ours.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use peer::{
    Burst, Configuration, Direction, IceCandidateInit, MediaCapabilities, MediaKind, OutgoingPacket,
    PeerConnection, PeerConnectionState, Prefix, SessionDescription, Transceiver, TransceiverId,
    TransceiverInit,
};
use rtp::Timestamp;
use wire::Received;

use super::{Frame, Work};

pub(super) struct Viewer {
    server: PeerConnection,
    transceivers: Vec<(TransceiverId, MediaKind, rtp::PayloadType)>,
    deadline: Option<Instant>,
    client: PeerConnection,
    way: Rc<RefCell<Way>>,
}

/// What is under way, of one after the other: a server has one place for it, too.
#[derive(Default)]
struct Way {
    burst: Burst,
    /// What was sent to the client.
    sent: Datagrams,
    /// What the client has said.
    said: Datagrams,
}

/// One behind another: with lengths, and the sizes of datagrams.
type Datagrams = (Vec<u8>, Vec<(usize, usize)>);

const ADDRESSES: [u16; 2] = [5000, 5001];

pub(super) fn viewers(count: usize) -> io::Result<Vec<(Instant, Viewer)>> {
    let certificate = |seed| dtls::Certificate::generate([seed; 32], SystemTime::now());
    let certificates = [1, 2].map(|seed| certificate(seed).map(Arc::new));
    let [Ok(client), Ok(server)] = certificates else { return Err(io::Error::other("no certificate")) };
    let certificates = [client, server];
    let way = Rc::new(RefCell::new(Way::default()));
    (0..count).map(|number| connect(number as u32, &certificates, &way).map_err(io::Error::other)).collect()
}

impl super::Viewer for Viewer {
    fn give(&mut self, now: Instant, frame: &Frame, work: &mut Work) -> io::Result<()> {
        let Way { burst, sent, .. } = &mut *self.way.borrow_mut();
        for (id, kind, payload_type) in &self.transceivers {
            let packets = match kind {
                MediaKind::Video => frame.packets.as_slice(),
                MediaKind::Audio => std::slice::from_ref(&frame.sound),
            };
            for (place, payload) in packets.iter().enumerate() {
                let packet = OutgoingPacket {
                    payload_type: *payload_type,
                    marker: place + 1 == packets.len(),
                    timestamp: Timestamp(frame.number.wrapping_mul(2970)),
                    sequence_number: None,
                    prefix: Prefix::new(&[0x90, 0x80, 1, 2]).unwrap_or_default(),
                    payload: payload.clone(),
                };
                let taken = self.server.send_packet_at_once(now, (*id, 0), packet, |_, _| (), burst);
                work.packets += u64::from(taken.is_ok());
            }
        }
        while let Some((transmit, bytes)) = burst.poll() {
            let size = transmit.segment_size.unwrap_or(bytes.len());
            work.datagrams += bytes.len().div_ceil(size) as u64;
            sent.1.push((bytes.len(), size));
            sent.0.extend_from_slice(bytes);
        }
        self.deadline = send(now, &mut self.server, sent, work);
        Ok(())
    }

    fn arrive(&mut self, now: Instant) -> io::Result<()> {
        take(now, &mut self.client, &mut self.way.borrow_mut().sent, [1, 0]);
        while self.client.poll_packet().is_some() {}
        Ok(())
    }

    fn answer(&mut self, now: Instant) -> io::Result<bool> {
        if self.client.poll_timeout().is_some_and(|(at, _)| at <= now) {
            self.client.handle_timeout(now);
        }
        let said = &mut self.way.borrow_mut().said;
        poll(now, &mut self.client, said);
        while self.client.poll_event().is_some() {}
        Ok(!said.1.is_empty())
    }

    fn hear(&mut self, now: Instant, work: &mut Work) -> io::Result<()> {
        let Way { sent, said, .. } = &mut *self.way.borrow_mut();
        take(now, &mut self.server, said, [0, 1]);
        self.deadline = send(now, &mut self.server, sent, work);
        Ok(())
    }

    fn is_due(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|at| at <= now)
    }

    fn wake_up(&mut self, now: Instant, work: &mut Work) -> io::Result<()> {
        self.server.handle_timeout(now);
        self.deadline = send(now, &mut self.server, &mut self.way.borrow_mut().sent, work);
        Ok(())
    }
}

/// Has a server say everything else that it has to say; when it wants to be woken.
fn send(now: Instant, server: &mut PeerConnection, sent: &mut Datagrams, work: &mut Work) -> Option<Instant> {
    while server.poll_event().is_some() {}
    work.datagrams += poll(now, server, sent);
    server.poll_timeout().map(|(at, _)| at)
}

/// What one has to send, and how many datagrams that are.
fn poll(now: Instant, peer: &mut PeerConnection, (bytes, batches): &mut Datagrams) -> u64 {
    let mut datagrams = 0;
    loop {
        let start = bytes.len();
        let Some(transmit) = peer.poll_transmit(now, bytes) else { return datagrams };
        let length = bytes.len() - start;
        let size = transmit.segment_size.unwrap_or(length.max(1));
        datagrams += length.div_ceil(size) as u64;
        batches.push((length, size));
    }
}

fn take(now: Instant, peer: &mut PeerConnection, (bytes, batches): &mut Datagrams, from_to: [usize; 2]) {
    let [source, destination] = from_to.map(address);
    let mut rest = bytes.as_mut_slice();
    for (length, size) in batches.drain(..) {
        let (batch, behind) = rest.split_at_mut(length);
        for bytes in batch.chunks_mut(size) {
            // A fault is counted.
            let _ = peer.handle_datagram(now, Received { source, destination, bytes });
        }
        rest = behind;
    }
    bytes.clear();
}

fn address(end: usize) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], ADDRESSES[end]))
}

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// A viewer that is connected, and when: it offers, as WHEP has it, and the server answers.
fn connect(
    number: u32,
    certificates: &[Arc<dtls::Certificate>; 2],
    way: &Rc<RefCell<Way>>,
) -> Outcome<(Instant, Viewer)> {
    let now = Instant::now();
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
        client.add_transceiver(kind, init)?;
    }
    let offer = client.set_local_description_implicitly(now)?;
    client.add_local_candidate(now, ice::LocalCandidate::host(address(0)))?;
    client.end_of_local_candidates(now);
    server.set_remote_description(now, &SessionDescription::offer(offer.sdp))?;
    let all: Vec<TransceiverId> = server.transceivers().map(Transceiver::id).collect();
    for id in all {
        server.set_direction(id, Direction::SendOnly)?;
    }
    let answer = server.set_local_description_implicitly(now)?;
    server.add_local_candidate(now, ice::LocalCandidate::host(address(1)))?;
    server.end_of_local_candidates(now);
    client.set_remote_description(now, &SessionDescription::answer(answer.sdp))?;
    let text = server.local_description().ok_or("no description")?.sdp;
    for line in text.lines().filter_map(|line| line.strip_prefix("a=candidate")) {
        let candidate = format!("candidate{line}");
        let init = IceCandidateInit { candidate, sdp_m_line_index: Some(0), ..IceCandidateInit::default() };
        client.add_ice_candidate(now, Some(&init))?;
    }
    let mut time = now;
    let mut sent = (Vec::new(), Vec::new());
    let is_connected = |one: &PeerConnection| one.connection_state() == PeerConnectionState::Connected;
    while !is_connected(&client) || !is_connected(&server) {
        if time > now + Duration::from_secs(5) {
            return Err("it does not connect".into());
        }
        poll(time, &mut client, &mut sent);
        take(time, &mut server, &mut sent, [0, 1]);
        poll(time, &mut server, &mut sent);
        take(time, &mut client, &mut sent, [1, 0]);
        time += Duration::from_millis(1);
        client.handle_timeout(time);
        server.handle_timeout(time);
    }
    let transceivers = server
        .transceivers()
        .filter_map(|one| Some((one.id(), one.kind(), one.agreement()?.preferred()?.send)));
    let transceivers = transceivers.collect();
    Ok((time, Viewer { server, transceivers, deadline: None, client, way: Rc::clone(way) }))
}
