//! What is under way: a ring of chunks by TSN, a ring of packets in the order they left (RFC 9260 §6.3).
//!
//! A chunk knows the packet that carried it last, a packet knows the range of its TSNs. Acknowledgements
//! find chunks by their TSN, loss detection walks packets by their age; neither searches.
//!
//! Limits: `MAX_CHUNKS` chunks under way, since gap blocks reach no further (RFC 9260 §3.3.4).

use std::collections::VecDeque;

use super::fragment::Fragment;
use super::outbox::Outbox;
use crate::bits::Bits;
use crate::congestion::PacketState;
use crate::serial::low;

/// Chunks under way at most.
pub(super) const MAX_CHUNKS: usize = 60_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Under way.
    Sent,
    /// Believed lost; waits to be sent again.
    Lost,
    /// In a gap block of the peer's.
    Acked,
    /// Given up; a FORWARD-TSN tells the peer.
    Abandoned,
}

/// A chunk that the peer has not acknowledged cumulatively.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChunkUnderWay {
    pub(super) fragment: Fragment,
    /// Low bits of the number of the packet that carried it last.
    packet: u32,
    pub(super) transmissions: u16,
    pub(super) state: State,
}

/// A packet with data, until each of its chunks has an end.
#[derive(Clone, Copy, Debug)]
pub(super) struct PacketUnderWay {
    pub(super) state: PacketState,
    /// Chunks of it whose end is not known.
    remaining: u16,
    /// How many TSNs its chunks span.
    span: u16,
    first_tsn: u64,
    /// It carried chunks for the second time or more: its acknowledgement may be another's.
    pub(super) is_retransmission: bool,
}

impl PacketUnderWay {
    pub(super) fn first_tsn(&self) -> u64 {
        self.first_tsn
    }
}

/// What one acknowledgement newly acknowledged.
#[derive(Debug, Default)]
pub(super) struct Acked {
    /// Bytes of packets.
    pub(super) bytes: u64,
    /// Chunks.
    pub(super) chunks: u32,
    /// The packet that was sent last, with its number.
    pub(super) newest: Option<(u64, PacketUnderWay)>,
    /// The packet that was sent first for the first time, with its number.
    pub(super) oldest: Option<(u64, PacketUnderWay)>,
    /// Chunks that were believed lost and arrived after all.
    pub(super) spurious: u32,
}

#[derive(Debug)]
pub(super) struct Flight {
    chunks: VecDeque<ChunkUnderWay>,
    /// TSN of the first chunk of the ring: one above the peer's cumulative ack.
    first: u64,
    acked: Bits,
    packets: VecDeque<PacketUnderWay>,
    first_packet: u64,
    /// TSNs to be sent again, in the order they were found missing.
    lost: VecDeque<u64>,
    /// Bytes of packets under way.
    pub(super) in_flight: u64,
    /// Payload bytes under way: what counts against the peer's window.
    pub(super) outstanding: u64,
    abandoned: usize,
}

impl Flight {
    pub(super) fn new(first: u64) -> Self {
        Self {
            chunks: VecDeque::new(),
            first,
            acked: Bits::default(),
            packets: VecDeque::new(),
            first_packet: 0,
            lost: VecDeque::new(),
            in_flight: 0,
            outstanding: 0,
            abandoned: 0,
        }
    }

    /// The first TSN that the peer has not acknowledged cumulatively.
    #[inline]
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// The TSN that the next new chunk gets.
    #[inline]
    pub(super) fn next_tsn(&self) -> u64 {
        self.first + self.chunks.len() as u64
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.chunks.len() >= MAX_CHUNKS
    }

    /// Whether something may wait to be sent again. It may have arrived meanwhile.
    #[inline]
    pub(super) fn has_lost(&self) -> bool {
        !self.lost.is_empty()
    }

    pub(super) fn has_abandoned(&self) -> bool {
        self.abandoned > 0
    }

    #[inline]
    fn chunk_mut(&mut self, tsn: u64) -> Option<&mut ChunkUnderWay> {
        let index = usize::try_from(tsn.checked_sub(self.first)?).ok()?;
        self.chunks.get_mut(index)
    }

    pub(super) fn chunk(&self, tsn: u64) -> Option<&ChunkUnderWay> {
        let index = usize::try_from(tsn.checked_sub(self.first)?).ok()?;
        self.chunks.get(index)
    }

    /// The oldest packet whose end is not known, and its number.
    #[inline]
    pub(super) fn oldest_packet(&mut self) -> Option<(u64, &PacketUnderWay)> {
        while self.packets.front().is_some_and(|packet| packet.remaining == 0) {
            self.packets.pop_front();
            self.first_packet += 1;
        }
        self.packets.front().map(|packet| (self.first_packet, packet))
    }

    /// A new chunk, in the packet that is being made.
    #[inline]
    pub(super) fn push(&mut self, fragment: Fragment) -> u64 {
        let tsn = self.next_tsn();
        self.outstanding += u64::from(fragment.length);
        self.chunks.push_back(ChunkUnderWay {
            fragment,
            packet: low(self.first_packet + self.packets.len() as u64),
            transmissions: 1,
            state: State::Sent,
        });
        tsn
    }

    /// The next TSN to be sent again, if any.
    #[inline]
    pub(super) fn next_lost(&mut self) -> Option<u64> {
        while let Some(&tsn) = self.lost.front() {
            if self.chunk(tsn).is_some_and(|chunk| chunk.state == State::Lost) {
                return Some(tsn);
            }
            self.lost.pop_front();
        }
        None
    }

    /// The chunk is sent again, in the packet that is being made.
    pub(super) fn resend(&mut self, tsn: u64) {
        self.lost.pop_front();
        let packet = low(self.first_packet + self.packets.len() as u64);
        let Some(chunk) = self.chunk_mut(tsn) else { return };
        chunk.packet = packet;
        chunk.state = State::Sent;
        chunk.transmissions = chunk.transmissions.saturating_add(1);
        let length = u64::from(chunk.fragment.length);
        self.outstanding += length;
    }

    /// The packet was made: it carries `count` chunks with TSNs from `first_tsn` to `last_tsn`.
    #[inline]
    pub(super) fn sent(
        &mut self,
        state: PacketState,
        (first_tsn, last_tsn): (u64, u64),
        count: u16,
        is_retransmission: bool,
    ) {
        self.in_flight += u64::from(state.size);
        let span = u16::try_from(last_tsn - first_tsn + 1).unwrap_or(u16::MAX);
        self.packets.push_back(PacketUnderWay {
            state,
            remaining: count,
            span,
            first_tsn,
            is_retransmission,
        });
    }

    /// The peer has everything up to `cumulative`.
    pub(super) fn acknowledge_up_to(&mut self, cumulative: u64, acked: &mut Acked, outbox: &mut Outbox) {
        while self.first <= cumulative {
            let Some(chunk) = self.chunks.pop_front() else { return };
            self.first += 1;
            outbox.release(chunk.fragment.message);
            self.end(chunk, acked);
        }
        if self.acked.count() > 0 {
            self.acked.advance(self.first);
        }
    }

    /// The peer has these, behind a gap. The bits are set for what is new only.
    pub(super) fn acknowledge_range(&mut self, start: u64, end: u64, acked: &mut Acked) {
        let mut bits = std::mem::take(&mut self.acked);
        bits.insert_range(start, end, |tsn| {
            let Some(chunk) = self.chunk_mut(tsn) else { return };
            // One that was given up keeps its place: what is skipped has to be in one row.
            if chunk.state == State::Abandoned {
                return;
            }
            let before = *chunk;
            chunk.state = State::Acked;
            self.end(before, acked);
        });
        self.acked = bits;
    }

    /// A chunk arrived.
    #[inline]
    fn end(&mut self, chunk: ChunkUnderWay, acked: &mut Acked) {
        match chunk.state {
            State::Sent => {
                acked.chunks += 1;
                self.outstanding -= u64::from(chunk.fragment.length);
                self.end_in_packet(chunk.packet, acked);
            }
            State::Lost => {
                acked.chunks += 1;
                acked.bytes += u64::from(chunk.fragment.length);
                acked.spurious += 1;
            }
            State::Abandoned => self.abandoned -= 1,
            State::Acked => {}
        }
    }

    #[inline]
    fn end_in_packet(&mut self, packet: u32, acked: &mut Acked) {
        let index = packet.wrapping_sub(low(self.first_packet)) as usize;
        let Some(packet) = self.packets.get_mut(index) else { return };
        packet.remaining = packet.remaining.saturating_sub(1);
        if packet.remaining == 0 {
            let number = self.first_packet + index as u64;
            let size = u64::from(packet.state.size);
            self.in_flight = self.in_flight.saturating_sub(size);
            acked.bytes += size;
            if acked.newest.as_ref().is_none_or(|newest| number > newest.0) {
                acked.newest = Some((number, *packet));
            }
            if !packet.is_retransmission && acked.oldest.is_none() {
                acked.oldest = Some((number, *packet));
            }
        }
    }

    /// The oldest packet is believed lost: its chunks wait to be sent again. Returns it.
    pub(super) fn lose_oldest(&mut self) -> Option<PacketUnderWay> {
        self.oldest_packet()?;
        let packet = self.packets.pop_front()?;
        self.lose_chunks(self.first_packet, &packet);
        self.first_packet += 1;
        Some(packet)
    }

    /// Everything under way is believed lost, and waits to be sent again from the lowest TSN on: a peer that
    /// has no room left has some for that one. Returns how many packets there were.
    pub(super) fn lose_all(&mut self) -> u32 {
        let count = self.packets.iter().filter(|packet| packet.remaining > 0).count();
        self.first_packet += self.packets.len() as u64;
        self.packets.clear();
        self.lost.clear();
        for (chunk, tsn) in self.chunks.iter_mut().zip(self.first..) {
            if matches!(chunk.state, State::Sent | State::Lost) {
                chunk.state = State::Lost;
                self.lost.push_back(tsn);
            }
        }
        (self.in_flight, self.outstanding) = (0, 0);
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// The packet that left last is sent again as a probe, whatever its end (RFC 8985 §7.3).
    pub(super) fn lose_newest(&mut self) -> bool {
        let Some(index) = self.packets.iter().rposition(|packet| packet.remaining > 0) else { return false };
        let packet = self.packets[index];
        self.lose_chunks(self.first_packet + index as u64, &packet);
        self.packets[index].remaining = 0;
        true
    }

    fn lose_chunks(&mut self, number: u64, packet: &PacketUnderWay) {
        self.in_flight = self.in_flight.saturating_sub(u64::from(packet.state.size));
        let number = low(number);
        for tsn in packet.first_tsn..packet.first_tsn + u64::from(packet.span) {
            let Some(chunk) = self.chunk_mut(tsn) else { continue };
            if chunk.packet == number && chunk.state == State::Sent {
                chunk.state = State::Lost;
                let length = u64::from(chunk.fragment.length);
                self.outstanding -= length;
                self.lost.push_back(tsn);
            }
        }
    }

    /// The peer forgot what it had in gap blocks, as it may (RFC 9260 §6.2.1): all of it is lost.
    pub(super) fn renege(&mut self) {
        self.acked.clear();
        for (chunk, tsn) in self.chunks.iter_mut().zip(self.first..) {
            if chunk.state == State::Acked {
                chunk.state = State::Lost;
                self.lost.push_back(tsn);
            }
        }
    }

    /// Whether the peer acknowledged, in a gap block, the very chunk that its cumulative ack says is missing.
    pub(super) fn is_reneged(&self) -> bool {
        self.chunks.front().is_some_and(|chunk| chunk.state == State::Acked)
    }

    /// Gives a message up: its chunks will not be sent again. Where a part of it has no TSN yet, one more
    /// TSN stands for that part, so that the peer can be told to skip it.
    pub(super) fn abandon(&mut self, index: u32, outbox: &mut Outbox) {
        let Some(message) = outbox.message(index) else { return };
        let (first, last) = (message.first_tsn, message.last_tsn);
        for tsn in first.max(self.first)..=last {
            let Some(chunk) = self.chunk_mut(tsn) else { break };
            if chunk.fragment.message != index || matches!(chunk.state, State::Acked | State::Abandoned) {
                continue;
            }
            let before = *chunk;
            chunk.state = State::Abandoned;
            self.abandoned += 1;
            if before.state == State::Sent {
                self.outstanding -= u64::from(before.fragment.length);
                self.end_in_packet(before.packet, &mut Acked::default());
            }
        }
        outbox.withdraw(index);
        let next = self.next_tsn();
        let Some(message) = outbox.message_mut(index) else { return };
        if message.sent < message.len() {
            message.last_tsn = next;
            message.under_way += 1;
            let fragment =
                Fragment { message: index, offset: message.sent, length: 0, fsn: message.fragments };
            let state = State::Abandoned;
            self.chunks.push_back(ChunkUnderWay { fragment, packet: 0, transmissions: 0, state });
            self.abandoned += 1;
        }
    }

    /// The last of the given-up chunks that stand at the front (RFC 3758 §3.5, C1 to C3).
    pub(super) fn skippable(&self) -> Option<u64> {
        if self.abandoned == 0 {
            return None;
        }
        let count = self.chunks.iter().take_while(|chunk| chunk.state == State::Abandoned).count();
        (count > 0).then(|| self.first + count as u64 - 1)
    }

    /// Gives back memory that a busy past needed.
    pub(super) fn shrink(&mut self) {
        self.chunks.shrink_to_fit();
        self.packets.shrink_to_fit();
        self.lost.shrink_to_fit();
        self.acked.shrink();
    }
}
