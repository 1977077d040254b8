//! Two peer connections, their signaling and their network, all of which do as they please, and a hostile third (RFC
//! 9429, W3C webrtc-pc): whatever comes in whatever order, what is heard is what the other said, each message once and
//! those of an ordered channel in order; queues stay bounded and time goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use arbitrary::Unstructured;
use peer::{
    ChannelId, ChannelOptions, Configuration, Event, IceCandidateInit, Kind, PeerConnection,
    PeerConnectionState, Reliability, SdpType, SessionDescription,
};
use wire::Received;

use crate::dtls_record::certificate;
use crate::machines::{self, Damage, Machines, Network, damage};

mod commands;

use commands::Command;

const UNDER_WAY: usize = 256;
/// What one moment may bring: a send buffer in the smallest datagrams.
const BURST: usize = 4096;
const EVENTS: usize = 4096;
const SEND_BUFFER: usize = 256 << 10;
const CHANNELS: usize = 64;
const SIGNALS: usize = 16;

struct Side {
    peer: PeerConnection,
    /// Descriptions and candidates of the other's, as signaling carries them.
    descriptions: Vec<SessionDescription>,
    candidates: Vec<Option<IceCandidateInit>>,
    channels: Vec<ChannelId>,
    /// Messages in pieces.
    pieces: BTreeMap<ChannelId, Vec<u8>>,
    last: BTreeMap<ChannelId, u32>,
    heard: BTreeSet<u32>,
    said: BTreeMap<u32, Vec<u8>>,
    port: u16,
    closed: bool,
}

struct World {
    now: Instant,
    sides: [Side; 2],
    network: Network<(SocketAddr, SocketAddr, Vec<u8>)>,
    said: u32,
}

pub(super) fn run(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let Ok(shapes) = input.arbitrary::<[u8; 2]>() else { return };
    let mut world = World::new(shapes);
    machines::run(&mut world, input);
}

fn address(who: usize, port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, who as u8 + 1], port))
}

fn configuration(who: usize, shape: u8) -> Configuration {
    let mut configuration = Configuration::new(certificate(who), [who as u8 + 1; 32]);
    configuration.send_buffer = SEND_BUFFER;
    configuration.receive_window = if shape & 1 != 0 { 64 << 10 } else { 1 << 20 };
    configuration.max_message_size = if shape & 2 != 0 { 4096 } else { 256 << 10 };
    if shape & 4 != 0 {
        let versions = vec![dtls::Version::Dtls12];
        configuration.dtls = std::sync::Arc::new(dtls::Config { versions, ..dtls::Config::default() });
    }
    configuration
}

impl Machines for World {
    type Command = Command;
    type Reason = peer::Reason;
    const END: Duration = Duration::from_secs(120);
    const WAKE_UPS: usize = 50_000;

    fn now(&mut self) -> &mut Instant {
        &mut self.now
    }

    fn poll_timeout(&self, who: usize) -> Option<(Instant, Self::Reason)> {
        self.sides[who].peer.poll_timeout()
    }

    fn handle_timeout(&mut self, who: usize) {
        self.sides[who].peer.handle_timeout(self.now);
    }

    fn finally(&mut self) {
        self.network.clear();
    }

    fn obey(&mut self, command: Command) {
        let now = self.now;
        match command {
            Command::Describe { who } => self.describe(who.into()),
            Command::Hear { to, which, damage } => self.hear(to.into(), which, damage),
            Command::Introduce { offerer } => self.introduce(offerer.into()),
            Command::Rollback { who, local } => {
                let peer = &mut self.sides[usize::from(who)].peer;
                let rollback = SessionDescription::rollback();
                let _ = if local {
                    peer.set_local_description(now, &rollback)
                } else {
                    peer.set_remote_description(now, &rollback)
                };
            }
            Command::Text { to, kind, text } => {
                let kinds = [SdpType::Offer, SdpType::Answer, SdpType::Pranswer, SdpType::Rollback];
                let description = SessionDescription { kind: kinds[usize::from(kind % 4)], sdp: text };
                let _ = self.sides[usize::from(to)].peer.set_remote_description(now, &description);
            }
            Command::Candidate { to, which } => {
                let side = &mut self.sides[usize::from(to)];
                if !side.candidates.is_empty() {
                    let candidate = side.candidates.remove(usize::from(which) % side.candidates.len());
                    let _ = side.peer.add_ice_candidate(now, candidate.as_ref());
                }
            }
            Command::Line { to, candidate, mid, index } => {
                let mid = mid.then(|| "0".to_owned());
                let init = IceCandidateInit {
                    candidate,
                    sdp_mid: mid,
                    sdp_m_line_index: index.map(u16::from),
                    username_fragment: None,
                };
                let _ = self.sides[usize::from(to)].peer.add_ice_candidate(now, Some(&init));
            }
            Command::Moved { who } => {
                let side = &mut self.sides[usize::from(who)];
                let (old, new) = (address(who.into(), side.port), address(who.into(), side.port + 1));
                side.port += 1;
                side.peer.remove_local_candidates(now, old);
                let _ = side.peer.add_local_candidate(now, ice::LocalCandidate::host(new));
            }
            Command::Restart { who } => self.sides[usize::from(who)].peer.restart_ice(),
            Command::Channel { who, how, negotiated, label } => {
                self.channel(who.into(), how, negotiated, &label);
            }
            Command::Say { who, channel, length, text } => self.say(who.into(), channel, length, text),
            Command::CloseChannel { who, channel } => {
                let side = &mut self.sides[usize::from(who)];
                if let Some(id) = side.channels.get(usize::from(channel) % side.channels.len().max(1)) {
                    side.peer.close_channel(now, *id);
                }
            }
            Command::Deliver { which, damage, keep } => self.deliver(which, damage, keep),
            Command::DeliverAll { rounds } => self.deliver_all(rounds % 16),
            Command::Lose { which } => drop(self.network.take(which, false)),
            Command::Noise { to, stranger, bytes } => {
                let to = usize::from(to);
                let from = if stranger { SocketAddr::from(([203, 0, 113, 9], 9)) } else { self.own(1 - to) };
                self.arrive(from, self.own(to), bytes);
            }
            Command::Wait { milliseconds } => self.wait(Duration::from_millis(milliseconds.into())),
            Command::Wake { who } => self.wake(who.into()),
            Command::Close { who } => {
                let side = &mut self.sides[usize::from(who)];
                side.peer.close(now);
                side.closed = true;
                assert_eq!(side.peer.connection_state(), PeerConnectionState::Closed);
            }
        }
    }

    fn drain(&mut self, who: usize) {
        let mut count = 0;
        while let Some(event) = self.sides[who].peer.poll_event() {
            count += 1;
            assert!(count <= EVENTS, "{count} events at one moment");
            assert!(!self.sides[who].closed, "nothing follows the end: {event:?}");
            self.happen(who, event);
        }
        let (mut bytes, mut count) = (Vec::new(), 0);
        while let Some(sent) = self.sides[who].peer.poll_transmit(self.now, &mut bytes) {
            assert!(!bytes.is_empty());
            let size = sent.segment_size.unwrap_or(bytes.len());
            for datagram in bytes.chunks(size) {
                self.network.put((sent.source, sent.destination, datagram.to_vec()));
                count += 1;
            }
            assert!(count <= BURST, "one moment brings {count} datagrams");
            bytes.clear();
        }
        assert!(self.sides[who].peer.sctp_stats().buffered <= SEND_BUFFER);
    }
}

impl World {
    fn new(shapes: [u8; 2]) -> Self {
        let now = Instant::now();
        let side = |who: usize| Side {
            peer: PeerConnection::new(now, configuration(who, shapes[who])),
            descriptions: Vec::new(),
            candidates: Vec::new(),
            channels: Vec::new(),
            pieces: BTreeMap::new(),
            last: BTreeMap::new(),
            heard: BTreeSet::new(),
            said: BTreeMap::new(),
            port: 5000,
            closed: false,
        };
        Self { now, sides: [side(0), side(1)], network: Network::new(UNDER_WAY), said: 0 }
    }

    fn own(&self, who: usize) -> SocketAddr {
        address(who, self.sides[who].port)
    }

    fn describe(&mut self, who: usize) {
        if let Ok(description) = self.sides[who].peer.set_local_description_implicitly(self.now) {
            description.sdp.parse::<sdp::Description>().expect("a description of ours can be read");
            self.settle(who);
            let told = self.sides[who].peer.local_description().unwrap_or(description);
            let others = &mut self.sides[1 - who].descriptions;
            others.push(told);
            others.drain(..others.len().saturating_sub(SIGNALS));
        }
    }

    fn hear(&mut self, to: usize, which: u8, place: Damage) {
        let side = &mut self.sides[to];
        if side.descriptions.is_empty() {
            return;
        }
        let mut description = side.descriptions.remove(usize::from(which) % side.descriptions.len());
        let mut bytes = std::mem::take(&mut description.sdp).into_bytes();
        damage(&mut bytes, place);
        description.sdp = String::from_utf8_lossy(&bytes).into_owned();
        let _ = side.peer.set_remote_description(self.now, &description);
    }

    /// Signaling as it should be.
    fn introduce(&mut self, offerer: usize) {
        self.sides.iter_mut().for_each(|side| side.descriptions.clear());
        for (from, to) in [(offerer, 1 - offerer), (1 - offerer, offerer)] {
            self.describe(from);
            self.hear(to, 0, None);
            self.settle(to);
        }
        for side in &mut self.sides {
            for candidate in std::mem::take(&mut side.candidates) {
                let _ = side.peer.add_ice_candidate(self.now, candidate.as_ref());
            }
        }
    }

    fn channel(&mut self, who: usize, how: u8, negotiated: Option<u8>, label: &str) {
        let side = &mut self.sides[who];
        if side.channels.len() >= CHANNELS {
            return;
        }
        let reliability = match how >> 1 & 7 {
            0 => Reliability::MaxRetransmits(u16::from(how >> 4)),
            1 => Reliability::MaxLifetime(Duration::from_millis(u64::from(how))),
            _ => Reliability::Reliable,
        };
        let options = ChannelOptions {
            ordered: how & 1 == 0,
            reliability,
            priority: u16::from(how) << 2,
            negotiated: negotiated.map(u16::from),
        };
        if let Ok(id) = side.peer.create_data_channel(self.now, label, "", options) {
            side.channels.push(id);
        }
    }

    fn say(&mut self, who: usize, channel: u8, length: u16, text: bool) {
        let side = &mut self.sides[who];
        let Some(id) = side.channels.get(usize::from(channel) % side.channels.len().max(1)) else { return };
        self.said += 1;
        // Digits, so that it is text, too.
        let mut message = format!("{:08}", self.said).into_bytes();
        message.resize(8 + usize::from(length % 20_000), b'0' + (self.said % 10) as u8);
        let kind = if text { Kind::String } else { Kind::Binary };
        if side.peer.send(self.now, *id, kind, message.clone().into()).is_ok() {
            side.said.insert(self.said, message);
        }
    }

    fn deliver(&mut self, which: u8, place: Damage, keep: bool) {
        if let Some((from, to, mut bytes)) = self.network.take(which, keep) {
            damage(&mut bytes, place);
            self.arrive(from, to, bytes);
        }
    }

    fn deliver_all(&mut self, rounds: u8) {
        for _ in 0..=rounds {
            for (from, to, bytes) in self.network.take_all() {
                self.arrive(from, to, bytes);
            }
        }
    }

    fn arrive(&mut self, source: SocketAddr, destination: SocketAddr, mut bytes: Vec<u8>) {
        let Some(to) = (0..2).find(|who| destination.ip() == address(*who, 0).ip()) else { return };
        let received = Received { source, destination, bytes: &mut bytes };
        let _ = self.sides[to].peer.handle_datagram(self.now, received);
        self.settle(to);
    }

    fn happen(&mut self, who: usize, event: Event) {
        let now = self.now;
        let own = self.own(who);
        match event {
            Event::Gather => {
                let peer = &mut self.sides[who].peer;
                let _ = peer.add_local_candidate(now, ice::LocalCandidate::host(own));
                peer.end_of_local_candidates(now);
            }
            Event::IceCandidate(candidate) => {
                let others = &mut self.sides[1 - who].candidates;
                others.push(candidate);
                others.drain(..others.len().saturating_sub(SIGNALS));
            }
            Event::Resolve { id, .. } => {
                let ips = [address(1 - who, 0).ip()];
                self.sides[who].peer.handle_resolved(now, id, &ips);
            }
            Event::Secured(connected) => {
                let theirs = certificate(1 - who);
                assert_eq!(*connected.peer_certificate, *theirs.der(), "somebody else is there");
            }
            Event::DataChannel(id) => {
                let side = &mut self.sides[who];
                if side.channels.len() < CHANNELS {
                    side.channels.push(id);
                }
            }
            Event::Message(message) => {
                let side = &mut self.sides[who];
                let pieces = side.pieces.entry(message.channel).or_default();
                if message.first {
                    pieces.clear();
                }
                pieces.extend_from_slice(&message.data);
                side.peer.recycle(message.data);
                if message.last {
                    let whole = side.pieces.remove(&message.channel).unwrap_or_default();
                    self.heard(who, message.channel, &whole);
                }
            }
            Event::MessageAborted { channel, .. } => {
                self.sides[who].pieces.remove(&channel);
            }
            _ => {}
        }
    }

    fn heard(&mut self, who: usize, channel: ChannelId, whole: &[u8]) {
        let number =
            whole.first_chunk::<8>().and_then(|number| std::str::from_utf8(number).ok()?.parse().ok());
        let number: u32 = number.expect("it tells its number");
        assert_eq!(self.sides[1 - who].said.get(&number).map(Vec::as_slice), Some(whole), "nobody said that");
        let side = &mut self.sides[who];
        assert!(side.heard.insert(number), "message {number} comes twice");
        let ordered = side.peer.channel(channel).is_some_and(|channel| channel.options().ordered);
        if let Some(before) = side.last.insert(channel, number)
            && ordered
        {
            // Two ends of a negotiated channel may see it differently.
            let negotiated = side.peer.channel(channel).is_some_and(|it| it.options().negotiated.is_some());
            assert!(negotiated || before < number, "{number} overtook {before}");
        }
    }
}
