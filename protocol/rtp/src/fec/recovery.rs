//! Getting lost packets back (RFC 5109 §9; draft-ietf-payload-flexible-fec-scheme-03 §6.3).

use std::collections::VecDeque;

use super::{FecFault, Format, Repair};
use crate::extension::{ExtensionMap, Kind};
use crate::header::{FIXED_LEN, Header, HeaderMut};
use crate::number::{SequenceNumber, Ssrc};

/// Packets of the stream that are kept: as many as the longest mask spans, and some more.
pub const WINDOW: usize = 128;
/// Repair packets that are kept for as long as they lack more than one packet.
pub const MAX_REPAIRS: usize = 32;
/// Bytes of the longest packet that is kept.
const MAX_PACKET: usize = 2048;
/// How far behind the newest packet a repair packet's first may be, in packets: the numbers of an older one have come round
/// before it is thrown away, and it would make a packet of others.
const MAX_AGE: i16 = 2 * WINDOW as i16;
/// Where in the timing extension that lies what is set on the way.
const TIMING_ON_THE_WAY: usize = 7;

/// Recovers the packets of one stream.
///
/// Keeps [`WINDOW`] packets and [`MAX_REPAIRS`] repair packets of at most 2 KiB each, in buffers that are used again.
#[derive(Clone, Debug)]
pub struct Recovery {
    format: Format,
    ssrc: Ssrc,
    /// By sequence number, modulo the window.
    media: Vec<Slot>,
    /// The oldest first.
    repairs: VecDeque<Kept>,
    /// What was recovered and not fetched yet, by sequence number.
    recovered: VecDeque<SequenceNumber>,
    /// Repair packets' buffers, and the one that is worked in.
    spare: Vec<Vec<u8>>,
}

#[derive(Clone, Debug, Default)]
struct Slot {
    number: Option<SequenceNumber>,
    bytes: Vec<u8>,
}

/// A repair packet.
#[derive(Clone, Debug)]
struct Kept {
    head: [u8; 2],
    timestamp: [u8; 4],
    len: u16,
    base: SequenceNumber,
    mask: u128,
    /// Those of the mask that have not come.
    missing: u128,
    bytes: Vec<u8>,
}

impl Recovery {
    /// For the stream of this source.
    pub fn new(format: Format, ssrc: Ssrc) -> Self {
        let media = vec![Slot::default(); WINDOW];
        Self { format, ssrc, media, repairs: VecDeque::new(), recovered: VecDeque::new(), spare: Vec::new() }
    }

    /// Takes a packet of the stream as it came, in the clear. Extensions that a sender sets after it made repair packets,
    /// such as the time of sending, count as zeros: `extensions` says which they are. Then see
    /// [`Recovery::poll_recovered`].
    pub fn receive_media(&mut self, packet: &[u8], extensions: &ExtensionMap) {
        let Ok(header) = Header::parse(packet) else { return };
        if header.ssrc() != self.ssrc || packet.len() > MAX_PACKET {
            return;
        }
        let number = header.sequence_number();
        let slot = &mut self.media[usize::from(number.0) % WINDOW];
        // One that comes so late that its place is taken repairs nothing any more. From farther back, the numbers began anew.
        if slot.number.is_some_and(|held| (0..=MAX_AGE).contains(&held.ahead_of(number))) {
            return;
        }
        slot.number = Some(number);
        slot.bytes.clear();
        slot.bytes.extend_from_slice(packet);
        clear_mutable(&mut slot.bytes, extensions);
        self.forget_before(number);
        self.arrived(number);
        self.recover();
    }

    /// Takes a repair packet's payload. Then see [`Recovery::poll_recovered`].
    pub fn receive_repair(&mut self, payload: &[u8]) -> Result<(), FecFault> {
        let repair = Repair::parse(self.format, payload)?;
        if repair.ssrc.is_some_and(|ssrc| ssrc != self.ssrc) {
            return Err(FecFault::OtherStream);
        }
        if repair.bytes.len() > MAX_PACKET {
            return Err(FecFault::Unsupported);
        }
        let missing = bits(repair.mask)
            .filter(|bit| self.held(repair.base.plus(*bit)).is_none())
            .fold(0, |missing, bit| missing | 1 << bit);
        if missing == 0 {
            return Ok(());
        }
        if self.repairs.len() == MAX_REPAIRS
            && let Some(oldest) = self.repairs.pop_front()
        {
            self.spare.push(oldest.bytes);
        }
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.clear();
        bytes.extend_from_slice(repair.bytes);
        let Repair { head, timestamp, len, base, mask, .. } = repair;
        self.repairs.push_back(Kept { head, timestamp, len, base, mask, missing, bytes });
        self.recover();
        Ok(())
    }

    /// A packet that was lost, whole, and in the clear; extensions that count as zeros are zeros. Call until there is none.
    pub fn poll_recovered(&mut self) -> Option<&[u8]> {
        let number = loop {
            let number = self.recovered.pop_front()?;
            if self.held(number).is_some() {
                break number;
            }
        };
        self.held(number)
    }

    /// The packet of this number, if it is kept.
    pub(super) fn held(&self, number: SequenceNumber) -> Option<&[u8]> {
        let slot = &self.media[usize::from(number.0) % WINDOW];
        (slot.number == Some(number)).then_some(&slot.bytes)
    }

    /// Throws away repair packets that are too far from a packet that came.
    fn forget_before(&mut self, number: SequenceNumber) {
        let is_old = |repair: &Kept| number.ahead_of(repair.base) > MAX_AGE;
        while let Some(at) = self.repairs.iter().position(is_old) {
            self.spare.extend(self.repairs.remove(at).map(|repair| repair.bytes));
        }
    }

    /// Strikes a packet off what repair packets miss.
    fn arrived(&mut self, number: SequenceNumber) {
        for repair in &mut self.repairs {
            let ahead = u32::from(number.0.wrapping_sub(repair.base.0));
            repair.missing &= !1_u128.checked_shl(ahead).unwrap_or(0);
        }
    }

    /// Recovers what can be, each of which may let another one be.
    fn recover(&mut self) {
        while let Some(at) = self.repairs.iter().position(|repair| repair.missing.count_ones() <= 1) {
            let Some(mut repair) = self.repairs.remove(at) else { return };
            if let Some(bit) = bits(repair.missing).next() {
                let number = repair.base.plus(bit);
                if self.rebuild(&mut repair, bit, number).is_ok() {
                    let slot = &mut self.media[usize::from(number.0) % WINDOW];
                    slot.number = Some(number);
                    std::mem::swap(&mut slot.bytes, &mut repair.bytes);
                    self.recovered.push_back(number);
                    if self.recovered.len() > MAX_REPAIRS {
                        self.recovered.pop_front();
                    }
                    self.arrived(number);
                }
            }
            self.spare.push(repair.bytes);
        }
    }

    /// Makes a repair packet's bytes the packet that it misses.
    fn rebuild(&self, repair: &mut Kept, missing: u16, number: SequenceNumber) -> Result<(), FecFault> {
        let [mut first, mut second] = repair.head;
        let (mut timestamp, mut len) = (repair.timestamp, repair.len);
        for bit in bits(repair.mask & !(1 << missing)) {
            // It may have left the window since.
            let packet = self.held(repair.base.plus(bit)).ok_or(FecFault::Mismatch)?;
            let (fixed, rest) = packet.split_first_chunk::<FIXED_LEN>().ok_or(FecFault::Mismatch)?;
            first ^= fixed[0];
            second ^= fixed[1];
            timestamp.iter_mut().zip(&fixed[4..8]).for_each(|(byte, other)| *byte ^= other);
            len ^= rest.len() as u16;
            // What is beyond the repair packet was beyond all that it protects, or the length shows it.
            repair.bytes.iter_mut().zip(rest).for_each(|(byte, other)| *byte ^= other);
        }
        if usize::from(len) > repair.bytes.len() {
            return Err(FecFault::Mismatch);
        }
        repair.bytes.truncate(usize::from(len));
        let mut header = [0; FIXED_LEN];
        (header[0], header[1]) = (first & 0x3F | 0x80, second);
        header[2..4].copy_from_slice(&number.0.to_be_bytes());
        header[4..8].copy_from_slice(&timestamp);
        header[8..].copy_from_slice(&self.ssrc.0.to_be_bytes());
        repair.bytes.splice(..0, header);
        Header::parse(&repair.bytes).map(|_| ()).map_err(|_| FecFault::Mismatch)
    }
}

/// The places of a mask's set bits, the lowest first.
fn bits(mask: u128) -> impl Iterator<Item = u16> {
    let mut rest = mask;
    std::iter::from_fn(move || {
        let bit = rest.trailing_zeros();
        rest &= rest.checked_sub(1)?;
        Some(bit as u16)
    })
}

/// Sets what is written into a packet after its repair packets were made to zero, as libwebrtc has it.
fn clear_mutable(packet: &mut [u8], extensions: &ExtensionMap) {
    let Ok(mut header) = HeaderMut::parse(packet) else { return };
    for kind in [
        Kind::AbsSendTime,
        Kind::TransmissionOffset,
        Kind::TransportSequenceNumber,
        Kind::TransportSequenceNumber2,
    ] {
        if let Some(value) = header.extension_mut(extensions, kind) {
            value.fill(0);
        }
    }
    if let Some(value) = header.extension_mut(extensions, Kind::VideoTiming) {
        value.iter_mut().skip(TIMING_ON_THE_WAY).for_each(|byte| *byte = 0);
    }
}
