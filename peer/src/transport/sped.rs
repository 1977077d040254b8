//! DTLS in STUN (SPED, draft-hancke-webrtc-sped-00): while ICE still looks for a path, its checks and their answers carry
//! the handshake. It takes a round trip less, as the path is found and secured at once.
//!
//! - Whether the peer does it is told by its first message that is proven to be its own (§3.3.1), or by an answer without
//!   the ICE option `sped` (§5.3); an offer without it decides nothing. One that does not do it ignores the attributes, as
//!   their types say that nobody need know them (RFC 8489 §14), and what waited goes out plainly as soon as there is a
//!   path.
//! - Once there is a path datagrams go out plainly in any case, and messages carry acknowledgements only; once the
//!   handshake is done they carry nothing.
//! - A datagram that comes twice, in a check and in an answer, is handed to DTLS once.
//!
//! Limits: [`PENDING`] datagrams wait, [`ACKNOWLEDGED`] are acknowledged in each message.

use std::time::Instant;

use super::Transport;
use crate::fault::Fault;

/// META-DTLS-IN-STUN: one datagram of the handshake, or nothing.
pub(super) const DATA: u16 = 0xC070;
/// META-DTLS-IN-STUN-ACKNOWLEDGEMENT: the CRC-32 of each datagram that was received.
pub(super) const ACK: u16 = 0xC071;
/// Bytes that a check has beside the datagram: header, USERNAME (two fragments of 32 characters), role, priority,
/// nomination, both proofs, the headers of the two attributes, four acknowledgements, and a relay's XOR-PEER-ADDRESS.
pub(super) const OVERHEAD: usize = 20 + 72 + 12 + 8 + 8 + 24 + 8 + 4 + 4 + 16 + 24;
/// Datagrams that wait for a path at most: those of the longest flight there is.
const PENDING: usize = 16;
/// As the draft recommends.
const ACKNOWLEDGED: usize = 4;

/// What the handshake of DTLS did in checks and their answers (SPED).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DtlsInStun {
    /// Datagrams that came that way first.
    pub received: u64,
    /// Datagrams of ours that the peer says it has.
    pub acknowledged: u64,
}

/// What is embedded, and what was received that way.
#[derive(Debug, Default)]
pub(super) struct Sped {
    /// The peer does it, too.
    is_confirmed: bool,
    /// It does not, or the handshake is done: nothing is embedded any more.
    is_over: bool,
    /// Datagrams that wait to be acknowledged, or for a path.
    pending: Vec<Packet>,
    /// The CRC-32 of the datagrams that came last, the oldest first.
    received: Vec<u32>,
    /// Messages have yet to carry what is new here.
    has_changed: bool,
}

#[derive(Debug)]
struct Packet {
    /// Which flight of the handshake it belongs to, if to any.
    flight: Option<u32>,
    crc: u32,
    bytes: Box<[u8]>,
}

impl Sped {
    /// Takes the place of what was sent before of the same flight: these are its repetitions, or an answer's.
    fn queue(&mut self, packets: Vec<Packet>) {
        if packets.iter().any(|packet| packet.flight.is_some()) {
            self.pending.clear();
        }
        self.pending.extend(packets);
        self.pending.truncate(PENDING);
        self.has_changed = true;
    }

    /// The peer has these; how many of ours are among them.
    fn acknowledged(&mut self, acknowledgements: &[u8]) -> usize {
        let (numbers, _) = acknowledgements.as_chunks();
        let has = |packet: &Packet| numbers.iter().any(|number| u32::from_be_bytes(*number) == packet.crc);
        let before = self.pending.len();
        self.pending.retain(|packet| !has(packet));
        let count = before - self.pending.len();
        self.has_changed |= count > 0;
        count
    }

    /// Whether this datagram is new.
    fn note(&mut self, crc: u32) -> bool {
        if self.received.contains(&crc) {
            return false;
        }
        if self.received.len() == ACKNOWLEDGED {
            self.received.remove(0);
        }
        self.received.push(crc);
        self.has_changed = true;
        true
    }
}

impl Transport {
    /// Says in every check that we do it.
    pub(super) fn begin_embedding(&mut self, now: Instant) {
        self.sped = Some(Box::new(Sped { has_changed: true, ..Sped::default() }));
        self.dtls.hold();
        self.dtls.set_mtu(self.mtu.saturating_sub(OVERHEAD));
        self.embed(now);
    }

    /// Whether the handshake may begin without a path.
    pub(super) fn is_embedding(&self) -> bool {
        self.sped.as_ref().is_some_and(|sped| !sped.is_over)
    }

    /// A message that is proven to be the peer's carried this.
    pub(super) fn take_embedded(&mut self, now: Instant, carried: Vec<(u16, Box<[u8]>)>) {
        let Some(sped) = self.sped.as_mut().filter(|sped| !sped.is_over) else { return };
        if carried.is_empty() {
            self.embed_no_more();
            return;
        }
        sped.is_confirmed = true;
        for (kind, mut bytes) in carried {
            let Some(sped) = &mut self.sped else { return };
            match kind {
                ACK => self.embedded.acknowledged += sped.acknowledged(&bytes) as u64,
                // RFC 7983 §7: nothing but DTLS.
                DATA if matches!(bytes.first(), Some(20..=63)) && sped.note(crc32fast::hash(&bytes)) => {
                    self.embedded.received += 1;
                    // A fault is counted.
                    let _: Result<(), Fault> = self.open(now, &mut bytes);
                }
                _ => {}
            }
        }
    }

    /// The peer does not do it (§5.3), unless a message of its has shown that it does.
    pub(crate) fn embed_no_more(&mut self) {
        if let Some(sped) = self.sped.as_mut().filter(|sped| !sped.is_confirmed) {
            sped.is_over = true;
            self.ice.embed_no_more();
        }
    }

    /// Has messages carry what the handshake has to say, as long as there is no path for it.
    pub(super) fn embed(&mut self, now: Instant) {
        let has_path = self.ice.path().is_some();
        let Some(sped) = &mut self.sped else { return };
        if has_path {
            if !sped.is_over && (self.dtls.is_connected() || self.dtls.is_closed()) {
                sped.is_over = true;
                self.ice.embed_no_more();
            }
            if sped.is_over && sped.pending.is_empty() {
                self.sped = None;
                return;
            }
        } else if !sped.is_over {
            let mut packets = Vec::new();
            let mut bytes = Vec::new();
            while let Some(dtls::Transmit { flight, .. }) = self.dtls.poll_transmit(now, &mut bytes) {
                packets.push(Packet { flight, crc: crc32fast::hash(&bytes), bytes: bytes.as_slice().into() });
                bytes.clear();
            }
            if !packets.is_empty() {
                sped.queue(packets);
            }
        }
        if !sped.is_over && sped.has_changed {
            sped.has_changed = false;
            let data = if has_path { &[][..] } else { &sped.pending[..] };
            let mut values: Vec<Box<[u8]>> = data.iter().map(|packet| packet.bytes.clone()).collect();
            if values.is_empty() {
                // It is there in any case, to say that we do it.
                values.push(Box::default());
            }
            self.ice.embed(DATA, values);
            let numbers = sped.received.iter().flat_map(|crc| crc.to_be_bytes()).collect();
            self.ice.embed(ACK, vec![numbers]);
        }
    }

    /// There is a path: what was not acknowledged goes out plainly, and time counts.
    pub(super) fn stop_holding(&mut self, now: Instant) {
        if self.dtls.is_held() {
            self.dtls.resume(now);
            self.dtls.set_mtu(self.mtu);
            if let Some(sped) = &mut self.sped {
                sped.has_changed = true;
            }
        }
    }

    /// Appends a datagram that waited for a path, and returns its length.
    pub(super) fn poll_pending(&mut self, buffer: &mut Vec<u8>) -> Option<usize> {
        let sped = self.sped.as_mut()?;
        if !self.dtls.awaits_answer() {
            // The answer has come by the path before there was one to acknowledge it by.
            sped.pending.retain(|packet| packet.flight.is_none());
        }
        if sped.pending.is_empty() {
            return None;
        }
        let packet = sped.pending.remove(0);
        buffer.extend_from_slice(&packet.bytes);
        Some(packet.bytes.len())
    }
}
