//! What an association has once both ends know each other: RFC 9260's transmission control block (§14).

use super::heartbeat::Heartbeats;
use super::path_mtu::PathMtu;
use super::reset::Resets;
use crate::config::Config;
use crate::packet::Init;
use crate::receive::{Acknowledger, TsnMap};
use crate::recovery::RoundTrip;
use crate::send::Sender;
use crate::serial::BEGINNING;
use crate::time::{Time, nanos};

/// How far a shutdown is (RFC 9260 §9.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Established,
    /// We want to, and have yet to deliver.
    ShutdownPending,
    /// Everything of ours was delivered; SHUTDOWN was sent.
    ShutdownSent,
    /// The peer wants to; we have yet to deliver.
    ShutdownReceived,
    /// Both have delivered; SHUTDOWN ACK was sent.
    ShutdownAckSent,
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) peer_tag: u32,
    pub(super) phase: Phase,
    pub(super) interleaving: bool,
    pub(super) partial_reliability: bool,
    /// The peer understands RE-CONFIG.
    pub(super) reconfig: bool,
    /// The peer accepts packets without a checksum.
    pub(super) zero_checksum: bool,
    pub(super) outbound_streams: u16,
    pub(super) inbound_streams: u16,
    pub(super) packet_size: usize,
    pub(super) sender: Sender,
    pub(super) map: TsnMap,
    pub(super) acknowledger: Acknowledger,
    pub(super) resets: Resets,
    pub(super) heartbeats: Heartbeats,
    /// Whether the peer may be probed for the path's MTU.
    takes_probes: bool,
    pub(super) path_mtu: PathMtu,
    /// A COOKIE ACK is due.
    pub(super) cookie_ack_due: bool,
    /// SHUTDOWN or SHUTDOWN ACK is due, by the phase; and when again.
    pub(super) shutdown_due: bool,
    pub(super) shutdown_timer: Option<Time>,
    /// The beginning of an unknown chunk that the peer wants to hear of; empty: none.
    pub(super) unknown_chunk: Vec<u8>,
    /// Data was refused for which there can never be room.
    pub(super) is_exhausted: bool,
}

impl Session {
    pub(super) fn new(
        now: Time,
        config: &Config,
        (local, peer): (&Init, &Init),
        round_trip: RoundTrip,
        seed: u64,
    ) -> Box<Self> {
        let interleaving = local.interleaving && peer.interleaving;
        let first_tsn = BEGINNING + u64::from(local.initial_tsn);
        let heartbeat_interval = nanos(config.heartbeat_interval);
        let mut session = Box::new(Self {
            peer_tag: peer.initiate_tag,
            phase: Phase::Established,
            interleaving,
            partial_reliability: peer.partial_reliability,
            reconfig: peer.reconfig,
            zero_checksum: config.zero_checksum && peer.zero_checksum,
            outbound_streams: local.outbound_streams.min(peer.inbound_streams),
            inbound_streams: local.inbound_streams,
            packet_size: config.packet_size,
            heartbeats: Heartbeats::new(now, heartbeat_interval, round_trip.timeout(), seed),
            sender: Sender::new(now, config, (first_tsn, interleaving), peer.a_rwnd, (round_trip, seed)),
            map: TsnMap::new(BEGINNING + u64::from(peer.initial_tsn)),
            acknowledger: Acknowledger::new(nanos(config.sack_delay), config.receive_window),
            resets: Resets::new(local.initial_tsn, peer.initial_tsn),
            takes_probes: peer.padding,
            path_mtu: PathMtu::new(config.packet_size, 0, seed),
            cookie_ack_due: false,
            shutdown_due: false,
            shutdown_timer: None,
            unknown_chunk: Vec::new(),
            is_exhausted: false,
        });
        session.leave_path(config.max_packet_size);
        session
    }

    /// Data goes another way from now on, of which only the least is known; discovery ends at `limit`.
    pub(super) fn leave_path(&mut self, limit: usize) {
        let limit = if self.takes_probes { limit } else { 0 };
        self.packet_size = self.path_mtu.leave_path(limit);
    }
}
