//! The one transport of a peer connection: ICE finds the path, DTLS secures it, SCTP carries channels over it
//! (RFC 8261, RFC 8831 §5).

use std::time::Instant;

use sctp::Association;
use sctp::channel::DataChannels;
use wire::{Received, Transmit};
use zeroize::Zeroizing;

use crate::config::Configuration;
use crate::fault::{Counters, Fault, MediaFault};
use crate::gather::{CandidateError, Gatherer, Heard};
use crate::session::{self, Session};
use crate::stats::DtlsTransportState;
use crate::stream::{self, Streams};

mod batch;
mod burst;
mod checks;
mod flows;
mod quiet;
mod relayed;
mod sped;
mod streamed;

use batch::Batch;
pub use burst::Burst;
pub(crate) use burst::Level;
use checks::Held;
use flows::Flows;
pub(crate) use quiet::Watched;
pub use sped::DtlsInStun;
use sped::Sped;

/// What the transport tells its connection.
#[derive(Debug)]
pub(crate) enum Event {
    Ice(ice::Event),
    Secured(Box<dtls::Connected>),
    /// DTLS was closed by either end.
    Closed,
    Failed(dtls::Failure),
    /// A candidate was gathered.
    Found(Box<ice::LocalCandidate>),
    /// A server was of no use.
    CandidateError(Box<CandidateError>),
    /// All were gathered.
    Gathered,
    /// What the driver is to do with a connection.
    Stream(stream::Event),
    Media(session::Event),
}

/// What the next deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// ICE's.
    Ice(ice::Reason),
    /// DTLS's.
    Dtls(dtls::Reason),
    /// SCTP's.
    Sctp(sctp::Reason),
    /// Of a question to a STUN server.
    Stun(stun::transaction::Reason),
    /// Of a relay.
    Turn(turn::client::Reason),
    /// Gathering goes on, or has taken long enough.
    Gathering,
    /// A connection has brought nothing for too long.
    Stream,
    /// Media: a packet's turn, a report, something that is missed.
    Media,
}

#[derive(Debug)]
pub(crate) struct Transport {
    pub(crate) ice: ice::Agent,
    pub(crate) dtls: dtls::Dtls,
    pub(crate) channels: DataChannels,
    /// Sound and pictures, where they may be.
    pub(crate) session: Option<Box<Session>>,
    /// Both descriptions have a section of data channels.
    has_data: bool,
    /// Whether we begin the handshake, once there is a path.
    client: Option<bool>,
    begun: bool,
    /// The handshake in checks, until it is done or the peer is seen not to do it.
    sped: Option<Box<Sped>>,
    pub(crate) embedded: DtlsInStun,
    /// Bytes of a datagram of the handshake.
    mtu: usize,
    /// Bytes of a datagram of data.
    datagram_size: usize,
    /// Bytes of an association's packet at most, by ways that may carry it.
    max_packet_size: usize,
    /// The way whose greatest datagram is looked for.
    sized: Option<ice::Path>,
    /// The peer's INIT, where both descriptions say one.
    pub(crate) peer_init: Option<Box<[u8]>>,
    batch: Batch,
    /// A datagram of ICE's whose turn is next.
    held: Option<Box<Held>>,
    pub(crate) gather: Gatherer,
    pub(crate) streams: Streams,
    /// For what is copied on its way out: checks through relays, frames.
    scratch: Vec<u8>,
    /// Relays over datagrams, and those over streams, are given back once the goodbye is said.
    gives_back: [bool; 2],
    pub(crate) counters: Counters,
    /// Bytes and datagrams over the selected path, for statistics.
    pub(crate) sent: Traffic,
    pub(crate) received: Traffic,
    pub(crate) flows: Flows,
    /// What DTLS agreed on.
    pub(crate) secured: Option<Box<dtls::Connected>>,
    has_failed: bool,
}

/// How much went one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Datagrams.
    pub packets: u64,
    /// Their payload, in bytes.
    pub bytes: u64,
}

impl Traffic {
    fn add(&mut self, packets: usize, bytes: usize) {
        self.packets += packets as u64;
        self.bytes += bytes as u64;
    }
}

impl Transport {
    pub(crate) fn new(now: Instant, configuration: &Configuration, seeds: [[u8; 32]; 4]) -> Self {
        let [ice_seed, dtls_seed, sctp_seed, gather_seed] = seeds;
        let Configuration { ice_transport_policy, ice_pacing, .. } = *configuration;
        let ice = ice::Config {
            pacing: configuration.ice_pacing,
            lite: configuration.ice_lite,
            ..ice::Config::new(ice::Role::Controlling, ice_seed)
        };
        let certificate = configuration.certificate.clone();
        let overhead = dtls::Overhead::DTLS12_AES_GCM.total().max(dtls::Overhead::DTLS13.total());
        let max_packet_size = configuration.max_datagram_size.saturating_sub(overhead);
        let sctp = sctp::Config {
            packet_size: configuration.datagram_size.saturating_sub(overhead),
            max_packet_size,
            max_receive_message_size: configuration.max_message_size,
            send_buffer: configuration.send_buffer,
            receive_window: configuration.receive_window,
            ..sctp::Config::default()
        };
        let mut seed = [0; 8];
        seed.copy_from_slice(&sctp_seed[..8]);
        let role = dtls::Role::Undecided;
        let mut transport = Self {
            ice: ice::Agent::new(ice),
            dtls: dtls::Dtls::new(configuration.dtls.clone(), role, certificate, dtls_seed, now),
            channels: DataChannels::new(Association::new(now, sctp, u64::from_be_bytes(seed))),
            session: None,
            has_data: false,
            client: None,
            begun: false,
            sped: None,
            embedded: DtlsInStun::default(),
            mtu: configuration.dtls.mtu,
            datagram_size: configuration.datagram_size,
            max_packet_size,
            sized: None,
            peer_init: None,
            batch: Batch::default(),
            held: None,
            gather: Gatherer::new(ice_transport_policy, ice_pacing, &gather_seed),
            streams: Streams::default(),
            scratch: Vec::new(),
            gives_back: [false; 2],
            counters: Counters::default(),
            sent: Traffic::default(),
            received: Traffic::default(),
            flows: Flows::default(),
            secured: None,
            has_failed: false,
        };
        if configuration.sped {
            transport.begin_embedding(now);
        }
        transport
    }

    /// Forgets the handshake with a peer that is not the one after all. `seed` is another one than before.
    pub(crate) fn begin_anew(&mut self, now: Instant, configuration: &Configuration, seed: [u8; 32]) {
        let certificate = configuration.certificate.clone();
        let role = dtls::Role::Undecided;
        self.dtls = dtls::Dtls::new(configuration.dtls.clone(), role, certificate, seed, now);
        (self.client, self.begun) = (None, false);
        if configuration.sped {
            self.begin_embedding(now);
        }
    }

    /// The descriptions say who begins the handshake.
    pub(crate) fn set_client(&mut self, now: Instant, client: bool) {
        if self.client.is_none() {
            self.client = Some(client);
            self.begin(now);
        }
    }

    /// Whether we are the DTLS client, once that is settled.
    pub(crate) fn is_client(&self) -> Option<bool> {
        self.client
    }

    /// Begins the handshake as soon as there is a path, or checks to carry it: its timers do not run before there is a
    /// path.
    fn begin(&mut self, now: Instant) {
        let has_path = self.ice.path().is_some();
        if has_path {
            self.stop_holding(now);
        }
        if !self.begun && self.client == Some(true) && (has_path || self.is_embedding()) {
            self.begun = true;
            self.dtls.set_role(now, dtls::Role::Client);
        }
    }

    pub(crate) fn handle_datagram(&mut self, now: Instant, datagram: Received<'_>) -> Result<(), Fault> {
        let Received { source, destination, bytes } = datagram;
        let received = Received { source, destination, bytes: &mut *bytes };
        let heard = self.gather.handle_datagram(now, received).map_err(|fault| self.count(fault))?;
        match heard {
            Heard::Done => Ok(()),
            Heard::NotOurs => {
                self.handle_packet(now, ice::Protocol::Udp, Received { source, destination, bytes })
            }
            Heard::Data { peer, relayed, payload } => self.handle_relayed(now, peer, relayed, bytes, payload),
        }
    }

    /// Takes what the peer sent, whichever way it came.
    fn handle_packet(
        &mut self,
        now: Instant,
        protocol: ice::Protocol,
        packet: Received<'_>,
    ) -> Result<(), Fault> {
        let Received { source, destination, bytes } = packet;
        let length = bytes.len();
        let received = Received { source, destination, bytes: &mut *bytes };
        let incoming = match protocol {
            ice::Protocol::Udp => self.ice.handle_datagram(now, received),
            ice::Protocol::Tcp => self.ice.handle_frame(now, received),
        };
        match incoming {
            Ok(ice::Incoming::Stun) => {
                self.begin(now);
                return Ok(());
            }
            Ok(ice::Incoming::NotStun) => {}
            Err(fault) => return Err(self.count(Fault::Ice(fault))),
        }
        // RFC 7983 §7.
        match bytes.first() {
            Some(20..=63) => {}
            Some(128..=191) if self.ice.is_valid_source(source) => {
                self.received.add(1, length);
                self.flows.received(now, length);
                return self.take_media(now, bytes);
            }
            _ => return Err(self.count(Fault::Unknown)),
        }
        if !self.ice.is_valid_source(source) {
            return Err(self.count(Fault::Stranger));
        }
        self.received.add(1, length);
        self.flows.received(now, length);
        self.open(now, bytes)
    }

    /// Takes media from the peer.
    fn take_media(&mut self, now: Instant, bytes: &mut [u8]) -> Result<(), Fault> {
        let taken = match &mut self.session {
            Some(session) => session.handle_datagram(now, bytes),
            None => Err(MediaFault::NotAgreed),
        };
        taken.map_err(|fault| self.count(Fault::Media(fault)))
    }

    /// Takes a datagram of DTLS's from the peer.
    fn open(&mut self, now: Instant, bytes: &mut [u8]) -> Result<(), Fault> {
        let plaintexts = match self.dtls.handle_datagram(now, bytes) {
            Ok(plaintexts) => plaintexts,
            Err(fault) => return Err(self.count(Fault::Dtls(fault))),
        };
        let mut result = Ok(());
        for range in plaintexts {
            if let Err(fault) = self.channels.handle_packet(now, &bytes[range]) {
                result = Err(self.count(Fault::Sctp(fault)));
            }
        }
        result
    }

    fn count(&mut self, fault: Fault) -> Fault {
        self.counters.count(fault);
        fault
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.gather.handle_timeout(now);
        self.close_idle_streams(now);
        self.ice.handle_timeout(now);
        self.begin(now);
        self.dtls.handle_timeout(now);
        self.channels.handle_timeout(now);
        if let Some(session) = &mut self.session {
            session.handle_timeout(now);
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        let media = self.media_timeout().filter(|_| self.has_outlet());
        [self.rest_timeout(), media].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// What all but media waits for.
    fn rest_timeout(&self) -> Option<(Instant, Reason)> {
        let ice = self.ice.poll_timeout().map(|(at, reason)| (at, Reason::Ice(reason)));
        let dtls = self.dtls.poll_timeout().map(|(at, reason)| (at, Reason::Dtls(reason)));
        // Where nothing can leave, SCTP has nothing to be woken for: its pacing would ask without end.
        let sctp = self.channels.poll_timeout().filter(|_| self.has_outlet());
        let sctp = sctp.map(|(at, reason)| (at, Reason::Sctp(reason)));
        let streams = self.streams.poll_timeout().map(|at| (at, Reason::Stream));
        let all = [ice, dtls, sctp, self.gather.poll_timeout(), streams];
        all.into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn media_timeout(&self) -> Option<(Instant, Reason)> {
        self.session.as_ref()?.poll_timeout().map(|at| (at, Reason::Media))
    }

    /// Appends what must be sent now: a check, a handshake's datagram, or as many datagrams of data as one system call
    /// takes.
    pub(crate) fn poll_transmit(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<Transmit> {
        if let Some(transmit) = self.gather.poll_transmit(now, buffer) {
            return Some(transmit);
        }
        if let Some(transmit) = self.poll_checks(now, buffer) {
            return Some(transmit);
        }
        if let Some(transmit) = self.poll_data(now, buffer) {
            return Some(transmit);
        }
        if std::mem::take(&mut self.gives_back[0]) {
            self.gather.close(now, false);
            return self.gather.poll_transmit(now, buffer);
        }
        None
    }

    /// What goes by the selected path.
    fn poll_data(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<Transmit> {
        let path = self.ice.path().filter(|path| path.protocol == ice::Protocol::Udp)?;
        if let Some(relay) = self.gather.relay_at(path.local) {
            let (is_on_stream, channel, ends) =
                (relay.is_on_stream(), relay.channel(path.remote), relay.ends());
            return match channel {
                // What goes over streams is asked for where they are.
                _ if is_on_stream => None,
                Some(channel) => self.poll_channel_data(now, channel, ends?, buffer),
                None => self.poll_indication(now, path, buffer),
            };
        }
        let start = buffer.len();
        let segment = self.poll_packets(now, 0, buffer)?;
        let segment_size = self.has_sent(now, buffer.len() - start, segment, 0);
        Some(Transmit { source: path.local, destination: path.remote, segment_size })
    }

    /// Appends a handshake's datagram, or as many of data as one system call takes, each behind `prefix` zero bytes; the
    /// size of the first, with that.
    fn poll_packets(&mut self, now: Instant, prefix: usize, buffer: &mut Vec<u8>) -> Option<usize> {
        let start = buffer.len();
        buffer.resize(start + prefix, 0);
        if let Some(length) = self.poll_handshake(now, buffer) {
            return Some(prefix + length);
        }
        buffer.truncate(start);
        let Self { batch, dtls, channels, session, .. } = self;
        batch.fill(buffer, prefix, |buffer| packet(now, session.as_deref_mut(), dtls, channels, buffer))
    }

    /// Appends a datagram of the handshake, one that has waited for a path first; its length.
    fn poll_handshake(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<usize> {
        let length = self.poll_pending(buffer);
        length.or_else(|| self.dtls.poll_transmit(now, buffer).map(|transmit| transmit.length))
    }

    /// Data goes this way from now on. What a relay or a stream puts into datagrams is cut elsewhere: nothing is found out there.
    fn look_for_size(&mut self, path: ice::Path) {
        if self.max_packet_size == 0 || self.sized.replace(path) == Some(path) {
            return;
        }
        let is_direct = path.protocol == ice::Protocol::Udp && self.gather.relay_at(path.local).is_none();
        self.channels.association_mut().leave_path(if is_direct { self.max_packet_size } else { 0 });
    }

    /// Counts what was appended; how a batch is to be cut.
    fn has_sent(&mut self, now: Instant, bytes: usize, segment: usize, prefix: usize) -> Option<usize> {
        let packets = bytes.div_ceil(segment.max(1));
        self.count_sent(now, packets, bytes - packets * prefix);
        (packets > 1).then_some(segment)
    }

    fn count_sent(&mut self, now: Instant, packets: usize, bytes: usize) {
        self.sent.add(packets, bytes);
        self.flows.sent(now, packets, bytes);
    }

    /// What happened while gathering, in ICE and DTLS.
    pub(crate) fn poll_event(&mut self, now: Instant) -> Option<Event> {
        while let Some(found) = self.gather.poll_event() {
            if let Some(event) = self.heed(now, found) {
                return Some(event);
            }
        }
        while let Some(event) = self.ice.poll_event() {
            match event {
                ice::Event::Embedded(carried) => {
                    self.take_embedded(now, carried);
                    continue;
                }
                ice::Event::Selected(ref selected) => {
                    self.select(now, selected.path);
                    self.look_for_size(selected.path);
                    self.flows.select(Some(selected.pair));
                    self.begin(now);
                }
                ice::Event::Connect { id, local, remote } => {
                    self.connect(now, id, local, remote);
                    continue;
                }
                ice::Event::Lost => self.flows.select(None),
                _ => {}
            }
            return Some(Event::Ice(event));
        }
        if let Some(event) = self.streams.poll_event() {
            return Some(Event::Stream(event));
        }
        if let Some(event) = self.session.as_mut().and_then(|session| session.poll_event()) {
            return Some(Event::Media(event));
        }
        loop {
            let Some(event) = self.dtls.poll_event() else {
                self.embed(now);
                return if self.ice.open_connections(now) { self.poll_event(now) } else { None };
            };
            match event {
                dtls::Event::Connected(connected) => {
                    self.client = Some(connected.is_client);
                    let role = if connected.is_client {
                        sctp::channel::Role::Client
                    } else {
                        sctp::channel::Role::Server
                    };
                    self.channels.set_role(now, role);
                    self.associate(now);
                    self.take_media_keys(&connected);
                    self.secured = Some(connected.clone());
                    return Some(Event::Secured(connected));
                }
                dtls::Event::Data(packet) => {
                    if let Err(fault) = self.channels.handle_packet(now, &packet) {
                        self.count(Fault::Sctp(fault));
                    }
                }
                dtls::Event::Closed => return Some(Event::Closed),
                dtls::Event::Failed(failure) => {
                    self.has_failed = true;
                    return Some(Event::Failed(failure));
                }
            }
        }
    }

    /// Whether the association has begun: DTLS is up, and there is something to carry.
    pub(crate) fn is_associated(&self) -> bool {
        self.dtls.is_connected() && self.has_data
    }

    /// Both descriptions have a section of data channels from now on.
    pub(crate) fn begin_data(&mut self, now: Instant) {
        if !std::mem::replace(&mut self.has_data, true) && self.dtls.is_connected() {
            self.associate(now);
        }
    }

    /// How far DTLS is.
    pub(crate) fn dtls_state(&self) -> DtlsTransportState {
        match () {
            () if self.has_failed => DtlsTransportState::Failed,
            () if self.dtls.is_closed() => DtlsTransportState::Closed,
            () if self.dtls.is_connected() => DtlsTransportState::Connected,
            () if self.dtls.has_begun() => DtlsTransportState::Connecting,
            () => DtlsTransportState::New,
        }
    }

    /// Media was agreed on.
    pub(crate) fn begin_media(&mut self, session: Session) {
        self.session = Some(Box::new(session));
        if let Some(connected) = self.secured.take() {
            self.take_media_keys(&connected);
            self.secured = Some(connected);
        }
    }

    /// The handshake is done: media has its keys, where both ends have a profile in common.
    fn take_media_keys(&mut self, connected: &dtls::Connected) {
        let Some(session) = &mut self.session else { return };
        let Some(profile) = connected.srtp_profile.and_then(|profile| srtp::Profile::of_id(profile as u16))
        else {
            return;
        };
        let mut material = Zeroizing::new([0; srtp::Profile::AeadAes256Gcm.keying_material_len()]);
        let Some(material) = material.get_mut(..profile.keying_material_len()) else { return };
        let exported = self.dtls.export_keying_material(srtp::Keys::EXPORT_LABEL, None, material);
        let keys = srtp::Keys::split(profile, material);
        if let (Ok(()), Ok(keys)) = (exported, keys)
            && let Ok((sender, receiver)) = keys.contexts(connected.is_client)
        {
            session.set_keys(sender, receiver);
        }
    }

    /// Begins the association, if there are to be data channels; where the descriptions say both INITs, without a handshake.
    fn associate(&mut self, now: Instant) {
        if !self.has_data {
            return;
        }
        let association = self.channels.association_mut();
        // A record of DTLS 1.3 is shorter than the longest, which was reckoned with.
        if let Some(overhead) = self.dtls.overhead() {
            association.set_packet_size(self.datagram_size.saturating_sub(overhead.total()));
        }
        let begun = self.peer_init.as_ref().is_some_and(|init| association.connect_with(now, init).is_ok());
        if !begun {
            association.connect(now);
        }
    }

    pub(crate) fn close(&mut self, now: Instant) {
        self.channels.association_mut().abort("");
        self.dtls.close(now);
        self.gives_back = [true; 2];
    }
}

/// Appends one sealed packet, if there is one to send: media goes first, as it is paced.
fn packet(
    now: Instant,
    session: Option<&mut Session>,
    dtls: &mut dtls::Dtls,
    channels: &mut DataChannels,
    buffer: &mut Vec<u8>,
) -> bool {
    if session.is_some_and(|session| session.poll_transmit(now, buffer)) {
        return true;
    }
    let Some(overhead) = dtls.overhead() else { return false };
    let start = buffer.len();
    buffer.resize(start + overhead.header, 0);
    if channels.poll_transmit(now, buffer).is_none() || dtls.seal(buffer, start).is_err() {
        buffer.truncate(start);
        return false;
    }
    true
}
