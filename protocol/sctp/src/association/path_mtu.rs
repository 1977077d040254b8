//! How large packets may be: packetization-layer path MTU discovery (RFC 8899 §5; probes of HEARTBEAT and
//! PAD as in §6.2).
//!
//! A packet of the greatest allowed size is tried first, since a path that carries more than most mostly carries that: a
//! loopback, a network of jumbo frames; then halves of what is left. Sizes are those of SCTP packets. They hold more chunks, but
//! none that is larger than every path carries: a chunk cannot be cut again, and the path may be another one when it is lost.

use super::heartbeat::Info;
use crate::packet::{CHUNK_HEADER_LEN, Heartbeat, PacketWriter, Pad};
use crate::random::mix;
use crate::time::{Nanos, SECOND, Time};

/// Times that a size is tried (`MAX_PROBES`).
const MAX_PROBES: u32 = 3;
/// How long a probe is waited for (`PROBE_TIMER`: at least a second).
const PROBE_TIMER: Nanos = SECOND;
/// When to try again whether the path carries more (`PMTU_RAISE_TIMER`).
const RAISE_TIMER: Nanos = 600 * SECOND;
/// What must wait to be sent for it to be worth a probe, in packets of the least size: most connections never carry as much.
const WORTH: usize = 16;

#[derive(Debug)]
pub(super) struct PathMtu {
    base: usize,
    /// The path carries this.
    confirmed: usize,
    /// The path does not carry more than this, as far as known.
    highest: usize,
    limit: usize,
    /// The size that is tried; zero: none.
    probed: usize,
    attempts: u32,
    waiting: Option<Info>,
    nonce: u64,
    /// When the next probe, or the search, is due; none where discovery is off.
    timer: Option<Time>,
    is_due: bool,
    /// Nothing was looked for yet.
    waits: bool,
}

impl PathMtu {
    pub(super) fn new(base: usize, limit: usize, seed: u64) -> Self {
        Self {
            base,
            confirmed: base,
            highest: limit,
            limit,
            probed: limit,
            attempts: 0,
            waiting: None,
            nonce: mix(seed ^ 4),
            timer: None,
            is_due: false,
            waits: limit >= 2 * base,
        }
    }

    /// So many bytes wait to be sent.
    #[inline]
    pub(super) fn on_waiting(&mut self, now: Time, bytes: usize) {
        if self.waits && bytes >= WORTH * self.base {
            self.waits = false;
            self.timer = Some(now);
        }
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        self.timer
    }

    pub(super) fn expire(&mut self, now: Time) {
        if self.timer.is_none_or(|time| time > now) {
            return;
        }
        if self.probed == 0 {
            // The search begins anew.
            (self.highest, self.probed, self.attempts) = (self.limit, self.limit, 0);
        } else if self.attempts >= MAX_PROBES {
            self.highest = self.probed;
            self.choose(now);
        }
        self.is_due = self.probed != 0;
        self.timer = Some(now.plus(if self.is_due { PROBE_TIMER } else { RAISE_TIMER }));
    }

    /// The next size to try: half of what is left.
    fn choose(&mut self, now: Time) {
        self.attempts = 0;
        self.waiting = None;
        // One more chunk would not fit.
        let is_done = self.highest < self.confirmed + self.base;
        self.probed = if is_done { 0 } else { usize::midpoint(self.confirmed, self.highest) & !3 };
        self.timer = Some(if is_done { now.plus(RAISE_TIMER) } else { now });
    }

    #[inline]
    pub(super) fn is_due(&self) -> bool {
        self.is_due
    }

    /// Makes the packet a probe.
    pub(super) fn write(&mut self, now: Time, writer: &mut PacketWriter<'_>) {
        self.is_due = false;
        self.attempts += 1;
        self.nonce = mix(self.nonce);
        let info = Info { nonce: self.nonce, sent_at: now, probed: u32::try_from(self.probed).unwrap_or(0) };
        writer.grow(self.probed);
        Heartbeat { info: &info.to_bytes() }.write(writer.buffer());
        let room = writer.room().max(CHUNK_HEADER_LEN);
        Pad { length: u16::try_from(room).unwrap_or(u16::MAX) }.write(writer.buffer());
        self.waiting = Some(info);
    }

    /// An answer came. The new size, where it is that of our probe.
    pub(super) fn confirmed(&mut self, now: Time, info: Info) -> Option<usize> {
        if self.waiting != Some(info) {
            return None;
        }
        self.confirmed = self.probed;
        self.choose(now);
        Some(self.confirmed)
    }

    /// The path is another one. The size to begin with.
    pub(super) fn leave_path(&mut self, limit: usize) -> usize {
        *self = Self { nonce: self.nonce, ..Self::new(self.base, limit, 0) };
        self.base
    }

    /// Nothing arrives any more: perhaps since the path became narrower (RFC 8899 §4.3). The size to go back
    /// to.
    pub(super) fn black_hole(&mut self, now: Time) -> Option<usize> {
        if self.confirmed <= self.base {
            return None;
        }
        self.confirmed = self.base;
        self.highest = self.limit;
        (self.probed, self.attempts, self.waiting) = (0, 0, None);
        self.timer = Some(now.plus(RAISE_TIMER / 10));
        Some(self.base)
    }
}
