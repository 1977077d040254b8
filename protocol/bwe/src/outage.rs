//! Silence: packets leave, and nothing is heard (RFC 8083 §4.2 asks that a sender notices; RFC 8085 §3.1.1 that it
//! backs off).

use crate::rate::DataRate;
use crate::time::{MILLISECOND, Micros};

/// Silence so long is an outage; feedback comes twenty times in that time.
const SILENCE: Micros = 700 * MILLISECOND;
/// So many packets must have left in vain: one that is lost with the report on it is no outage.
const LEAST_PACKETS: u32 = 8;
/// The target is halved again after each of these.
const STEP: Micros = 500 * MILLISECOND;

#[derive(Debug)]
pub(crate) struct Outage {
    /// When the first packet left after the last arrival was heard of; none before the first arrival.
    waiting_since: Option<Micros>,
    /// Packets that left since then, and when the last did.
    packets: u32,
    last_sent: Micros,
    was_heard: bool,
    next_step: Micros,
    /// The target before.
    before: Option<DataRate>,
}

impl Outage {
    pub(crate) fn new() -> Self {
        Self { waiting_since: None, packets: 0, last_sent: 0, was_heard: false, next_step: 0, before: None }
    }

    pub(crate) fn on_sent(&mut self, now: Micros) {
        self.last_sent = now;
        self.packets = self.packets.saturating_add(1);
        if self.was_heard && self.waiting_since.is_none() {
            self.waiting_since = Some(now);
            self.next_step = now + SILENCE;
        }
    }

    /// Arrivals were reported; what the target was before the outage that so ends.
    pub(crate) fn on_arrival(&mut self) -> Option<DataRate> {
        self.was_heard = true;
        self.packets = 0;
        self.waiting_since = None;
        self.before.take()
    }

    /// Whether the target is to be halved.
    pub(crate) fn handle_timeout(&mut self, now: Micros, target: DataRate) -> bool {
        if self.waiting_since.is_none() || now < self.next_step {
            return false;
        }
        self.next_step = now + STEP;
        // Who sends nothing hears nothing.
        if self.packets < LEAST_PACKETS || now - self.last_sent > STEP {
            return false;
        }
        self.before.get_or_insert(target);
        true
    }

    pub(crate) fn is_out(&self) -> bool {
        self.before.is_some()
    }

    pub(crate) fn next_at(&self) -> Option<Micros> {
        self.waiting_since.map(|_| self.next_step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: DataRate = DataRate::from_mbps(1);

    /// Packets every 10 ms until a time; how often the target was halved until then.
    fn halvings(outage: &mut Outage, from: Micros, sent_until: Micros, until: Micros) -> usize {
        let times = (from..until).step_by(10_000);
        times
            .filter(|now| {
                if *now < sent_until {
                    outage.on_sent(*now);
                }
                outage.handle_timeout(*now, TARGET)
            })
            .count()
    }

    #[test]
    fn silence_halves_the_target_again_and_again() {
        let mut outage = Outage::new();
        // Nothing was ever heard: perhaps nobody reports.
        assert_eq!(halvings(&mut outage, 0, 5_000_000, 5_000_000), 0);
        assert_eq!(outage.on_arrival(), None);
        assert_eq!(halvings(&mut outage, 5_000_000, 7_000_000, 7_000_000), 3);
        assert!(outage.is_out());
        assert_eq!(outage.on_arrival(), Some(TARGET));
        assert!(!outage.is_out());
    }

    #[test]
    fn who_sends_nothing_hears_nothing() {
        let mut outage = Outage::new();
        outage.on_arrival();
        // A few packets, of which one report would have told.
        assert_eq!(halvings(&mut outage, 0, 50_000, 5_000_000), 0);
        assert_eq!(halvings(&mut outage, 5_000_000, 5_400_000, 10_000_000), 2);
    }
}
