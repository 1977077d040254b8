//! When the next data leaves, and what acknowledgements and timers do (RFC 9260 §6.1, §6.2.1, §6.3.3;
//! RFC 8985 §6 and §7 instead of RFC 9260's fast retransmit, see `CONGESTION.md`).

use super::flight::{Acked, Flight};
use super::outbox::{Next, Outbox};
use super::skip::Skip;
use crate::config::Config;
use crate::congestion::{Bbr, Pacer};
use crate::fault::Fault;
use crate::packet::{COMMON_HEADER_LEN, Data, IData, PacketWriter, Sack};
use crate::recovery::{Rack, RoundTrip};
use crate::serial::expand;
use crate::time::{Nanos, Time};

/// How far apart the TSNs of one packet may be: finding the chunks of a lost packet takes that long.
const MAX_SPAN: u64 = 64;

/// Gap blocks of a SACK that may have had no room for more.
const MANY_BLOCKS: usize = 200;

/// The sending half of an association.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(super) flight: Flight,
    round_trip: RoundTrip,
    rack: Rack,
    bbr: Bbr,
    pacer: Pacer,
    pub(super) skip: Skip,
    /// The peer's window as of its last SACK.
    a_rwnd: u64,
    max_in_flight: u64,
    packet_size: usize,
    pub(super) interleaving: bool,
    retransmission_timer: Option<Time>,
    reordering_timer: Option<Time>,
    /// When a probe for a lost tail is due.
    tail_timer: Option<Time>,
    /// The tail was probed; not again before something arrives.
    is_tail_probed: bool,
    /// One packet may leave whatever the windows say.
    is_probe_due: bool,
    last_immediate: Time,
    /// The loss episode lasts until this TSN is acknowledged.
    recovery_until: Option<u64>,
    /// SACKs lacked room for what arrived, from here; and until what is acknowledged they did.
    unreported: Option<u64>,
    unreported_until: u64,
    lost_in_episode: u32,
    spurious_in_episode: u32,
    /// Retransmission timeouts since the peer was last heard.
    pub(crate) timeouts: u32,
}

impl Sender {
    pub(crate) fn new(
        now: Time,
        config: &Config,
        (first_tsn, interleaving): (u64, bool),
        a_rwnd: u32,
        (round_trip, seed): (RoundTrip, u64),
    ) -> Self {
        let bbr = Bbr::new(now, config.packet_size, round_trip.smoothed(), seed);
        let mut pacer = Pacer::new();
        pacer.set_rate(bbr.pacing_rate(), config.packet_size);
        Self {
            flight: Flight::new(first_tsn),
            round_trip,
            rack: Rack::default(),
            bbr,
            pacer,
            skip: Skip::default(),
            a_rwnd: u64::from(a_rwnd),
            max_in_flight: config.max_in_flight as u64,
            packet_size: config.packet_size,
            interleaving,
            retransmission_timer: None,
            reordering_timer: None,
            tail_timer: None,
            is_tail_probed: false,
            is_probe_due: false,
            last_immediate: Time::default(),
            recovery_until: None,
            unreported: None,
            unreported_until: 0,
            lost_in_episode: 0,
            spurious_in_episode: 0,
            timeouts: 0,
        }
    }

    fn header_len(&self) -> usize {
        if self.interleaving { IData::HEADER_LEN } else { Data::HEADER_LEN }
    }

    /// Whether data may leave now, as far as congestion control and pacing go, and there is some.
    #[inline]
    pub(crate) fn is_ready(&mut self, now: Time, outbox: &Outbox) -> bool {
        if outbox.is_empty() && self.flight.next_lost().is_none() {
            self.bbr.mark_app_limited(self.flight.in_flight);
            return false;
        }
        if self.is_probe_due {
            return true;
        }
        if self.flight.in_flight >= self.bbr.cwnd().min(self.max_in_flight) {
            self.bbr.mark_cwnd_limited();
            return false;
        }
        self.pacer.is_ready(now)
    }

    /// Puts into the packet what may leave now: first what was lost, then what is new. To be called when
    /// [`Self::is_ready`].
    pub(crate) fn write(&mut self, now: Time, outbox: &mut Outbox, writer: &mut PacketWriter<'_>) {
        let has_lost = self.flight.next_lost().is_some();
        if !has_lost || !self.write_lost(now, outbox, writer) {
            self.write_new(now, outbox, writer);
        }
    }

    fn write_lost(&mut self, now: Time, outbox: &mut Outbox, writer: &mut PacketWriter<'_>) -> bool {
        let (mut first, mut last, mut count) = (u64::MAX, 0, 0u16);
        let header_len = self.header_len();
        while let Some(tsn) = self.flight.next_lost() {
            let Some(&chunk) = self.flight.chunk(tsn) else { break };
            let Some(message) = outbox.message(chunk.fragment.message) else { break };
            if outbox.partial_reliability
                && message.is_partially_reliable()
                && message.has_expired(now, chunk.transmissions)
            {
                if count > 0 {
                    // Others of its chunks may be in this very packet, whose account is not made yet.
                    break;
                }
                self.flight.abandon(chunk.fragment.message, outbox);
                continue;
            }
            let (lowest, highest) = (first.min(tsn), last.max(tsn));
            let size = (header_len + usize::from(chunk.fragment.length)).next_multiple_of(4);
            if count > 0 && (writer.room() < size || highest - lowest >= MAX_SPAN) {
                break;
            }
            if writer.room() < size {
                return false;
            }
            chunk.fragment.write(writer.buffer(), message, tsn, (self.interleaving, self.is_probe_due));
            self.flight.resend(tsn);
            (first, last, count) = (lowest, highest, count + 1);
        }
        if count > 0 {
            self.finish_packet(now, writer.len(), (first, last), count, true);
        }
        count > 0
    }

    #[inline]
    fn write_new(&mut self, now: Time, outbox: &mut Outbox, writer: &mut PacketWriter<'_>) {
        let header_len = self.header_len();
        let full = self.packet_size - COMMON_HEADER_LEN - header_len;
        let first = self.flight.next_tsn();
        let mut count = 0u16;
        while writer.room() > header_len && !self.flight.is_full() {
            // However much this path carries: another may carry less by the time that it is sent again, as it was cut.
            let room = ((writer.room() - header_len) & !3).min(full & !3);
            let window = self.a_rwnd.saturating_sub(self.flight.outstanding);
            // A closed window is probed with one chunk (RFC 9260 §6.1 A).
            let is_window_probe = self.flight.outstanding == 0 && count == 0;
            if window < room.min(outbox.total_buffered()) as u64 && !is_window_probe {
                // The peer is slow, not the path.
                self.bbr.mark_app_limited(self.flight.in_flight);
                break;
            }
            let fragment = match outbox.next(now, room, full) {
                None => break,
                Some(Next::Fragment(fragment)) => fragment,
                Some(Next::Expired(message)) => {
                    self.flight.abandon(message, outbox);
                    // Its place among the TSNs parts this packet's chunks from those that follow.
                    break;
                }
            };
            let is_tail = outbox.is_empty();
            let is_immediate = self.is_probe_due || (is_tail && self.wants_sack(now));
            let Some(message) = outbox.message_mut(fragment.message) else { break };
            let tsn = self.flight.push(fragment);
            if fragment.offset == 0 {
                message.first_tsn = tsn;
            }
            message.last_tsn = tsn;
            fragment.write(writer.buffer(), message, tsn, (self.interleaving, is_immediate));
            count += 1;
            if is_tail {
                break;
            }
        }
        if count > 0 {
            let last = first + u64::from(count) - 1;
            self.finish_packet(now, writer.len(), (first, last), count, false);
        }
    }

    /// Whether the last chunk for now shall ask for a SACK at once (RFC 7053 §4.1): so that its loss shows
    /// soon, but not more than a few times in a round trip.
    fn wants_sack(&mut self, now: Time) -> bool {
        let interval = self.round_trip.smoothed().unwrap_or(0) / 4;
        let wants = self.flight.in_flight == 0 || now.since(self.last_immediate) > interval;
        if wants {
            self.last_immediate = now;
        }
        wants
    }

    #[inline]
    fn finish_packet(
        &mut self,
        now: Time,
        size: usize,
        tsns: (u64, u64),
        count: u16,
        is_retransmission: bool,
    ) {
        if self.flight.in_flight == 0 {
            self.pacer.on_idle(now);
        }
        let bytes = u32::try_from(size).unwrap_or(u32::MAX);
        let state = self.bbr.on_sent(now, bytes, self.flight.in_flight);
        self.flight.sent(state, tsns, count, is_retransmission);
        self.pacer.on_sent(now, size);
        self.is_probe_due = false;
        if self.retransmission_timer.is_none() {
            self.retransmission_timer = Some(now.plus(self.round_trip.timeout()));
        }
        if !self.is_tail_probed {
            self.set_tail_timer(now);
        }
    }

    fn set_tail_timer(&mut self, now: Time) {
        let expects_delayed_sack =
            self.last_immediate < now && self.flight.in_flight <= self.packet_size as u64;
        self.tail_timer =
            Rack::probe_timeout(&self.round_trip, expects_delayed_sack).map(|span| now.plus(span));
    }

    /// A SACK came (RFC 9260 §6.2.1).
    pub(crate) fn handle_sack(
        &mut self,
        now: Time,
        sack: &Sack<'_>,
        outbox: &mut Outbox,
    ) -> Result<(), Fault> {
        let cumulative = self.cumulative(sack.cumulative_tsn_ack)?;
        let next = self.flight.next_tsn();
        let mut acked = Acked::default();
        self.flight.acknowledge_up_to(cumulative, &mut acked, outbox);
        let mut result = Ok(());
        let mut highest = cumulative;
        for block in sack.gap_blocks() {
            let (start, end) = (cumulative + u64::from(block.start), cumulative + u64::from(block.end));
            if start <= cumulative || start > end || end >= next {
                result = Err(Fault::BadGapBlock);
                break;
            }
            self.flight.acknowledge_range(start, end, &mut acked);
            highest = highest.max(end);
        }
        // What lies beyond the last block of a full SACK may have arrived all the same.
        self.unreported = (sack.gap_blocks().len() >= MANY_BLOCKS).then_some(highest + 1);
        if self.unreported.is_some() {
            self.unreported_until = next;
        }
        if sack.duplicates().len() > 0 {
            self.rack.duplicates_seen(cumulative, next);
        }
        if self.flight.is_reneged() {
            self.flight.renege();
        }
        self.a_rwnd = u64::from(sack.a_rwnd);
        self.timeouts = 0;
        if sack.a_rwnd == 0 {
            self.round_trip.reset_backoff();
        }
        self.after_acknowledgement(now, &acked);
        result
    }

    /// A SHUTDOWN came, which acknowledges like a SACK without gap blocks (RFC 9260 §9.2).
    pub(crate) fn handle_cumulative(
        &mut self,
        now: Time,
        cumulative_tsn_ack: u32,
        outbox: &mut Outbox,
    ) -> Result<(), Fault> {
        let cumulative = self.cumulative(cumulative_tsn_ack)?;
        let mut acked = Acked::default();
        self.flight.acknowledge_up_to(cumulative, &mut acked, outbox);
        self.after_acknowledgement(now, &acked);
        Ok(())
    }

    fn cumulative(&self, wire: u32) -> Result<u64, Fault> {
        let cumulative = expand(self.flight.first(), wire);
        if cumulative >= self.flight.next_tsn() {
            return Err(Fault::AckOfUnsent);
        }
        // Older than one that overtook it: of no use any more (RFC 9260 §6.2.1 D i).
        if cumulative + 1 < self.flight.first() { Err(Fault::StaleSack) } else { Ok(cumulative) }
    }

    fn after_acknowledgement(&mut self, now: Time, acked: &Acked) {
        let mut spurious = acked.spurious;
        if let Some((number, packet)) = &acked.newest {
            let rtt = now.since(packet.state.sent_at);
            // Sooner than the path allows: the first transmission arrived, not the second (RFC 8985 §6.2).
            let is_ambiguous = packet.is_retransmission && rtt < self.round_trip.min();
            if let Some((oldest, packet)) = &acked.oldest
                && self.rack.is_late(*oldest)
            {
                self.rack.arrived_late(now.since(packet.state.sent_at));
            }
            let mut measured = None;
            if is_ambiguous {
                spurious += acked.chunks;
            } else {
                self.rack.arrived(*number, packet.state.sent_at, rtt);
                if !packet.is_retransmission {
                    self.round_trip.measured(rtt);
                    measured = Some(rtt);
                }
            }
            // What is reported late comes all at once, and would look like a fast path.
            let is_whole = self.flight.first() >= self.unreported_until;
            self.bbr.on_ack(now, acked.bytes, (&packet.state, measured, is_whole), self.flight.in_flight);
            self.pacer.set_rate(self.bbr.pacing_rate(), self.packet_size);
        }
        if spurious > 0 {
            self.spurious_in_episode += spurious;
            self.rack.duplicates_seen(self.flight.first(), self.flight.next_tsn());
            if self.spurious_in_episode >= self.lost_in_episode && self.recovery_until.is_some() {
                self.bbr.on_spurious_loss();
                self.recovery_until = None;
            }
        }
        self.detect_losses(now);
        if self.recovery_until.is_some_and(|until| self.flight.first() >= until) {
            self.recovery_until = None;
            self.bbr.on_recovered();
            self.rack.recovered();
        }
        if self.flight.is_empty() {
            self.retransmission_timer = None;
            self.tail_timer = None;
            self.is_tail_probed = false;
        } else if acked.chunks > 0 {
            self.retransmission_timer = Some(now.plus(self.round_trip.timeout()));
            self.is_tail_probed = false;
            self.set_tail_timer(now);
        }
    }

    fn detect_losses(&mut self, now: Time) {
        self.reordering_timer = None;
        while let Some((number, packet)) = self.flight.oldest_packet() {
            let Some(time) = self.rack.loss_time(number, packet.state.sent_at, &self.round_trip) else {
                return;
            };
            if time > now {
                self.reordering_timer = Some(time);
                return;
            }
            if self.unreported.is_some_and(|unreported| packet.first_tsn() >= unreported) {
                return;
            }
            let Some(packet) = self.flight.lose_oldest() else { return };
            self.enter_recovery();
            self.lost_in_episode += 1;
            self.bbr.on_lost(now, &packet.state);
        }
    }

    fn enter_recovery(&mut self) {
        if self.recovery_until.is_none() {
            self.recovery_until = Some(self.flight.next_tsn());
            self.lost_in_episode = 0;
            self.spurious_in_episode = 0;
        }
    }

    /// The next deadline.
    #[inline]
    pub(crate) fn timeout(&self, outbox: &Outbox) -> Option<(Time, crate::Reason)> {
        use crate::Reason;
        // Pacing holds nobody back where there is nothing to send, or no room for it.
        let has_work = !outbox.is_empty() || self.flight.has_lost();
        let has_room = self.flight.in_flight < self.bbr.cwnd().min(self.max_in_flight);
        let pacing = if has_work && has_room { self.pacer.deadline() } else { None };
        [
            (self.retransmission_timer, Reason::Retransmission),
            (self.reordering_timer, Reason::Reordering),
            (self.tail_timer, Reason::TailProbe),
            (pacing, Reason::Pacing),
        ]
        .into_iter()
        .filter_map(|(time, reason)| Some((time?, reason)))
        .min_by_key(|(time, _)| *time)
    }

    /// Time passed. Whether the retransmission timer expired.
    pub(crate) fn handle_timeout(&mut self, now: Time, outbox: &Outbox) -> bool {
        if self.reordering_timer.is_some_and(|time| time <= now) {
            self.detect_losses(now);
        }
        if self.tail_timer.is_some_and(|time| time <= now) {
            self.tail_timer = None;
            self.is_tail_probed = true;
            // New data is the better probe (RFC 8985 §7.3).
            let window = self.a_rwnd.saturating_sub(self.flight.outstanding);
            let can_send_new = !outbox.is_empty() && window > self.packet_size as u64;
            self.is_probe_due = can_send_new || self.flight.has_lost() || self.flight.lose_newest();
        }
        let has_expired = self.retransmission_timer.is_some_and(|time| time <= now);
        if has_expired {
            self.retransmission_expired(now);
        }
        has_expired
    }

    /// RFC 9260 §6.3.3: everything under way counts as lost.
    fn retransmission_expired(&mut self, now: Time) {
        self.timeouts += 1;
        self.round_trip.back_off();
        self.skip.again();
        self.enter_recovery();
        self.lost_in_episode += self.flight.lose_all();
        self.bbr.on_timeout(self.flight.in_flight);
        self.is_probe_due = self.flight.has_lost();
        self.tail_timer = None;
        self.is_tail_probed = true;
        self.reordering_timer = None;
        self.retransmission_timer = (!self.flight.is_empty()).then(|| now.plus(self.round_trip.timeout()));
    }

    /// Whether the retransmission timer must run for a FORWARD-TSN.
    pub(super) fn expect_acknowledgement(&mut self, now: Time) {
        if self.retransmission_timer.is_none() {
            self.retransmission_timer = Some(now.plus(self.round_trip.timeout()));
        }
    }

    /// A measurement from elsewhere: the handshake, a heartbeat.
    pub(crate) fn measured(&mut self, rtt: Nanos) {
        self.round_trip.measured(rtt);
    }

    /// Gives back memory that a busy past needed.
    pub(crate) fn shrink(&mut self) {
        self.flight.shrink();
    }

    /// Whether everything was acknowledged.
    pub(crate) fn is_idle(&self) -> bool {
        self.flight.is_empty()
    }

    /// The TSN that was given last.
    pub(crate) fn last_tsn(&self) -> u64 {
        self.flight.next_tsn() - 1
    }

    pub(crate) fn round_trip(&self) -> &RoundTrip {
        &self.round_trip
    }

    pub(crate) fn congestion(&self) -> &Bbr {
        &self.bbr
    }

    pub(crate) fn in_flight(&self) -> u64 {
        self.flight.in_flight
    }
}
