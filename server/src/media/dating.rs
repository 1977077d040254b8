//! What forwarded media is dated by, so that somebody's sound and pictures go together (RFC 3550 §6.4.1).
//!
//! Sound and pictures of the same moment do not come at the same time: their sender says when each was taken, by one clock
//! for both. What is told to receivers is that, and not when it came by here.

use std::time::{Duration, Instant};

use peer::SenderClock;
use rtp::{NtpTime, Timestamp};

use super::legs::Legs;
use super::rooms::{Dated, Published};
use super::worker::Worker;

/// How often senders' reports are looked at, which come about once a second.
const EVERY: Duration = Duration::from_millis(250);

/// Whoever says that something was taken so much sooner or later than it came does not know it.
const FAR: i64 = 60 << 32;

impl Worker {
    /// Dates what is forwarded by what senders have said of late.
    pub(super) fn date(&mut self, now: Instant) {
        if self.dating.is_some_and(|due| due > now) {
            return;
        }
        self.dating = None;
        self.pass_clocks_on();
        for room in self.rooms.values_mut() {
            if !room.targets.is_empty() || !room.parts.is_empty() {
                self.dating = Some(now + EVERY);
            }
            for (subscription, target) in &mut room.targets {
                let Some((publication, encoding, shift)) = room.sfu.source_of(*subscription) else {
                    continue;
                };
                let at = room.published.binary_search_by_key(&publication, |one| one.publication);
                let Some(published) = at.ok().and_then(|at| room.published.get(at)) else { continue };
                let told = match &room.away {
                    Some(away) => away.clock(published.number, encoding),
                    None => clock(&mut self.legs, published, encoding),
                };
                let Some((report, epoch)) = told else { continue };
                let dated = Some(Dated { report, shift });
                if target.dated == dated {
                    continue;
                }
                target.dated = dated;
                let clock = moment(now, epoch, report, published.codec.clock_rate);
                if let Some(leg) = self.legs.get_mut(target.leg) {
                    let clock = clock.map(|timestamp| (now, timestamp.plus(shift)));
                    leg.peer.set_clock(target.transceiver, 0, clock);
                }
            }
        }
    }
}

/// What a sender has said of a publication's encoding, and a moment of its clock, which one it was here.
pub(super) fn clock(
    legs: &mut Legs,
    published: &Published,
    encoding: usize,
) -> Option<(SenderClock, (NtpTime, Instant))> {
    let sender = legs.get_mut(published.leg)?;
    let report = sender.peer.sender_clock(published.transceiver, encoding)?;
    Some((report, *sender.epoch.get_or_insert((report.ntp, report.arrived))))
}

/// The timestamp of what is taken now, if a moment of its sender's clock was one of ours.
fn moment(
    now: Instant,
    (ntp, at): (NtpTime, Instant),
    report: SenderClock,
    clock_rate: u32,
) -> Option<Timestamp> {
    let passed = NtpTime::from_duration(now.saturating_duration_since(at)).0.cast_signed();
    let since = passed.checked_sub(report.ntp.ahead_of(ntp)).filter(|since| (-FAR..=FAR).contains(since))?;
    let ticks = (i128::from(since) * i128::from(clock_rate)) >> 32;
    Some(report.timestamp.plus(ticks as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_together_is_dated_alike() {
        let at = Instant::now();
        let ntp =
            |milliseconds: u64| NtpTime::from_duration(Duration::from_millis(1_000_000_000 + milliseconds));
        let epoch = (ntp(0), at);
        let report = |milliseconds, timestamp| SenderClock {
            ntp: ntp(milliseconds),
            timestamp: Timestamp(timestamp),
            arrived: at,
        };
        let now = at + Duration::from_millis(2_000);
        // Reports of different age about clocks of different rates: two seconds after the epoch.
        assert_eq!(moment(now, epoch, report(1_000, 500), 90_000), Some(Timestamp(90_500)));
        assert_eq!(moment(now, epoch, report(1_500, 7), 48_000), Some(Timestamp(24_007)));
        // One that is ahead of when it should have come.
        assert_eq!(
            moment(now, epoch, report(3_000, 10), 48_000),
            Some(Timestamp(10_u32.wrapping_sub(48_000)))
        );
        assert_eq!(moment(now, epoch, report(100_000, 10), 48_000), None);
        let nonsense = SenderClock { ntp: NtpTime(ntp(0).0 ^ 1 << 63), timestamp: Timestamp(0), arrived: at };
        assert_eq!(moment(now, epoch, nonsense, u32::MAX), None);
    }
}
