//! Packing arrivals into feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).

use super::chunk::{Packer, Status};
use super::{ReferenceTime, TICKS_PER_UNIT, TransportFeedback};
use crate::number::Ssrc;
use crate::rtcp::raw::{TRANSPORT_FEEDBACK, begin, end, put_u16, put_u32};

/// Bytes of the packet before its chunks.
const HEADER_LEN: usize = 20;
/// How far ahead the first packet that came may be of the base: those between are said to be lost.
const MAX_COUNT: u64 = 0xFFFF;

/// What feedback says besides arrivals.
#[derive(Clone, Copy, Debug)]
pub struct FeedbackHead {
    /// Who sends it.
    pub sender: Ssrc,
    /// A stream of the transport it is about.
    pub media: Ssrc,
    /// The number of this feedback.
    pub feedback_count: u8,
}

/// A packet that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Its number, as [`crate::SequenceNumber::expand`] has it.
    pub number: u64,
    /// When, in ticks of 250 µs since any moment that stays the same for as long as the transport lives.
    pub ticks: i64,
}

impl TransportFeedback<'_> {
    /// Appends one packet of feedback about the packets from `base` on; how many of `arrivals` it holds. They are in
    /// ascending order of their numbers, without duplicates and none below `base`; those between that did not come are
    /// lost. The packet ends before it would exceed `max_len` bytes, before packets that came more than 8 s apart, and
    /// after 65,535 packets: call again with the rest, and the number behind the last one as the base.
    ///
    /// Nothing is appended where no arrival fits.
    pub fn write(
        out: &mut Vec<u8>,
        head: FeedbackHead,
        base: u64,
        arrivals: &[Arrival],
        max_len: usize,
    ) -> usize {
        let Some(first) = arrivals.first() else { return 0 };
        let reference = first.ticks.div_euclid(TICKS_PER_UNIT) * TICKS_PER_UNIT;
        let start = begin(out, Self::FORMAT, TRANSPORT_FEEDBACK);
        put_u32(out, head.sender.0);
        put_u32(out, head.media.0);
        put_u16(out, base as u16);
        put_u16(out, 0);
        put_u32(out, ReferenceTime::from_ticks(first.ticks).0 << 8 | u32::from(head.feedback_count));

        let mut packer = Packer::default();
        let (mut next, mut time, mut deltas_len, mut taken) = (base, reference, 0, 0);
        for arrival in arrivals {
            let Some(status) = status_of(arrival.ticks - time) else { break };
            // The chunks before this one's own hold the lost ones.
            let Some(lost) = arrival.number.checked_sub(next) else { break };
            let chunks = out.len() - start - HEADER_LEN + packer.pending_len() + run_len(lost) + 2;
            let len = HEADER_LEN + chunks + deltas_len + delta_len(status);
            if len.next_multiple_of(4) > max_len || arrival.number - base >= MAX_COUNT {
                break;
            }
            packer.push_lost(lost, out);
            packer.push(status, out);
            (next, time) = (arrival.number + 1, arrival.ticks);
            deltas_len += delta_len(status);
            taken += 1;
        }
        if taken == 0 {
            out.truncate(start);
            return 0;
        }
        packer.finish(out);
        out[start + 14..start + 16].copy_from_slice(&((next - base) as u16).to_be_bytes());
        let mut time = reference;
        for arrival in &arrivals[..taken] {
            let delta = arrival.ticks - time;
            match status_of(delta) {
                Some(Status::Small) => out.push(delta as u8),
                _ => put_u16(out, (delta as i16).cast_unsigned()),
            }
            time = arrival.ticks;
        }
        end(out, start);
        taken
    }
}

/// What a packet that came so many ticks after the one before is said with; none where that is too far.
fn status_of(delta: i64) -> Option<Status> {
    match delta {
        0..=0xFF => Some(Status::Small),
        _ => i16::try_from(delta).ok().map(|_| Status::Large),
    }
}

fn delta_len(status: Status) -> usize {
    if status == Status::Large { 2 } else { 1 }
}

/// Bytes of chunks that so many lost packets take at most.
fn run_len(lost: u64) -> usize {
    let chunks = lost.div_ceil(7).min(2 + lost / 0x1FFF);
    2 * chunks as usize
}
