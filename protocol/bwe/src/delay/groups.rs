//! Groups of packets that left together, and how much later one group arrived than the one before
//! (draft-ietf-rmcat-gcc-02 §5.2, §5.3; libwebrtc's `InterArrivalDelta`).

use super::Arrived;
use crate::time::{MILLISECOND, Micros, SECOND};

/// What leaves within this time is one group.
const BURST: Micros = 5 * MILLISECOND;
/// What arrives in one burst, although it left apart, is one group, too, but not for longer than this.
const LONGEST_BURST: Micros = 100 * MILLISECOND;
/// Where the receiver's clock ran so much more than ours it was set, or we slept.
const LEAP: Micros = 3 * SECOND;
/// Groups that arrive before the one before them, after which the clock is taken to have been set.
const MOST_BACKWARDS: u32 = 3;

#[derive(Clone, Copy, Debug)]
struct Group {
    first_sent: Micros,
    last_sent: Micros,
    first_arrival: Micros,
    last_arrival: Micros,
    /// The least time that one of its packets took: what it queued behind was not its own.
    one_way: Micros,
    /// When we heard of it.
    heard_at: Micros,
}

/// From one group to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// How much later it left.
    pub(crate) departure: Micros,
    /// How much later it arrived.
    pub(crate) arrival: Micros,
    /// When it arrived.
    pub(crate) arrived_at: Micros,
    /// From leaving to arrival, with the unknown difference of the clocks.
    pub(crate) one_way: Micros,
    /// The clocks leapt: what was known before is of no use.
    pub(crate) is_reset: bool,
}

#[derive(Debug)]
pub(crate) struct Groups {
    current: Option<Group>,
    previous: Option<Group>,
    backwards: u32,
}

impl Groups {
    pub(crate) fn new() -> Self {
        Self { current: None, previous: None, backwards: 0 }
    }

    /// Takes a packet. It may complete a group, by being of the next.
    #[inline]
    pub(crate) fn on_arrival(&mut self, now: Micros, packet: &Arrived) -> Option<Step> {
        if let Some(current) = &mut self.current {
            if packet.sent_at < current.first_sent {
                // Overtaken: it tells nothing of the queue.
                return None;
            }
            if belongs(current, packet) {
                current.last_sent = current.last_sent.max(packet.sent_at);
                current.last_arrival = current.last_arrival.max(packet.at);
                current.one_way = current.one_way.min(packet.at - packet.sent_at);
                current.heard_at = now;
                return None;
            }
        }
        self.begin(now, packet)
    }

    /// It is the first of the next group; from the one before to the one that is complete with that.
    fn begin(&mut self, now: Micros, packet: &Arrived) -> Option<Step> {
        let fresh = Group {
            first_sent: packet.sent_at,
            last_sent: packet.sent_at,
            first_arrival: packet.at,
            last_arrival: packet.at,
            one_way: packet.at - packet.sent_at,
            heard_at: now,
        };
        let done = self.current.replace(fresh)?;
        let step = self.previous.and_then(|previous| self.step(&previous, &done));
        if step.is_some_and(|step| step.is_reset) {
            self.previous = None;
        } else {
            self.previous = Some(done);
        }
        step
    }

    fn step(&mut self, previous: &Group, done: &Group) -> Option<Step> {
        let departure = done.last_sent - previous.last_sent;
        let arrival = done.last_arrival - previous.last_arrival;
        let heard = done.heard_at - previous.heard_at;
        let mut step = Step {
            departure,
            arrival,
            arrived_at: done.last_arrival,
            one_way: done.one_way,
            is_reset: false,
        };
        if arrival - heard >= LEAP {
            return Some(Step { is_reset: true, ..step });
        }
        if arrival < 0 {
            self.backwards += 1;
            step.is_reset = self.backwards >= MOST_BACKWARDS;
            if step.is_reset {
                self.backwards = 0;
            }
            return step.is_reset.then_some(step);
        }
        self.backwards = 0;
        Some(step)
    }
}

/// Whether a packet is of this group: it left in the same burst, or was held up with it and let go with it.
#[inline]
fn belongs(group: &Group, packet: &Arrived) -> bool {
    if packet.sent_at - group.first_sent <= BURST {
        return true;
    }
    let arrival = packet.at - group.last_arrival;
    let variation = arrival - (packet.sent_at - group.last_sent);
    variation < 0 && arrival <= BURST && packet.at - group.first_arrival < LONGEST_BURST
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(packets: &[(Micros, Micros)]) -> Vec<Step> {
        let mut groups = Groups::new();
        let packets = packets.iter().enumerate();
        packets
            .filter_map(|(index, (sent, at))| {
                let packet =
                    Arrived { sequence: index as u64, sent_at: sent * 1000, at: at * 1000, size: 1200 };
                groups.on_arrival(at * 1000, &packet)
            })
            .collect()
    }

    #[test]
    fn what_left_together_is_one_group() {
        let seen = steps(&[(0, 50), (2, 51), (20, 75), (40, 97), (60, 120)]);
        let times: Vec<_> = seen.iter().map(|step| (step.departure, step.arrival)).collect();
        assert_eq!(times, [(18_000, 24_000), (20_000, 22_000)]);
    }

    #[test]
    fn what_was_held_up_and_let_go_at_once_is_one_group() {
        // A radio link that stood still for 60 ms.
        let seen = steps(&[(0, 50), (20, 130), (40, 131), (60, 132), (80, 133), (100, 150), (120, 170)]);
        let times: Vec<_> = seen.iter().map(|step| (step.departure, step.arrival)).collect();
        assert_eq!(times, [(80_000, 83_000), (20_000, 17_000)]);
    }

    #[test]
    fn overtaken_packets_say_nothing_and_a_clock_that_was_set_begins_anew() {
        assert_eq!(steps(&[(0, 50), (20, 70), (10, 71), (40, 90), (60, 110)]).len(), 2);
        let mut groups = Groups::new();
        let mut resets = 0;
        for index in 0..20 {
            let set = if index < 10 { 0 } else { 5 * SECOND };
            let at = index * 20_000;
            let packet = Arrived { sequence: index as u64, sent_at: at, at: at + set, size: 1200 };
            resets += usize::from(groups.on_arrival(at, &packet).is_some_and(|step| step.is_reset));
        }
        assert_eq!(resets, 1);
    }
}
