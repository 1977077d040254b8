//! What leaves when: exact lists.

use std::time::{Duration, Instant};

use super::*;

const MS: Duration = Duration::from_millis(1);

struct Run {
    start: Instant,
    pacer: Pacer<u32>,
}

impl Run {
    fn new(target: DataRate, factor: f64) -> Self {
        #[expect(clippy::disallowed_methods, reason = "virtual time begins somewhere")]
        let start = Instant::now();
        let config = PacerConfig { factor, ..PacerConfig::default() };
        Self { start, pacer: Pacer::new(start, target, config) }
    }

    fn push(&mut self, at: u32, stream: u64, priority: Priority, bytes: u64, item: u32) {
        let size = DataSize::from_bytes(bytes);
        self.pacer.push(self.start + MS * at, stream, priority, size, item).unwrap();
    }

    /// What leaves at this time.
    fn now(&mut self, at: u32) -> Vec<(u128, u32)> {
        let now = self.start + MS * at;
        let mut seen = Vec::new();
        while let Some(Release::Packet { item, .. }) = self.pacer.poll_release(now) {
            seen.push((u128::from(at), item));
        }
        seen
    }

    /// What leaves until then: when, in milliseconds, and what; padding is 0.
    fn until(&mut self, end: u32) -> Vec<(u128, u32)> {
        let mut seen = Vec::new();
        let mut now = self.start;
        loop {
            while let Some(release) = self.pacer.poll_release(now) {
                let item = match release {
                    Release::Packet { item, .. } => item,
                    Release::Padding { .. } => 0,
                };
                seen.push(((now - self.start).as_millis(), item));
            }
            let Some((at, _)) = self.pacer.poll_timeout() else { return seen };
            assert!(at > now, "time stands still");
            now = at;
            if now >= self.start + MS * end {
                return seen;
            }
        }
    }
}

#[test]
fn packets_leave_in_batches_of_five_milliseconds() {
    // 1,000 bytes in a millisecond.
    let mut run = Run::new(DataRate::from_mbps(8), 1.0);
    (1..=12).for_each(|item| run.push(0, 1, Priority::Video, 1000, item));
    let times: Vec<u128> = run.until(100).iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [0, 0, 0, 0, 0, 5, 5, 5, 5, 5, 10, 10]);
}

#[test]
fn what_need_not_wait_is_not_queued_and_leaves_at_the_same_times() {
    // Four packets of 1,000 bytes each 2 ms: twice the rate, so that a batch is followed by a queue.
    let mut queued = Run::new(DataRate::from_mbps(8), 1.0);
    let mut passing = Run::new(DataRate::from_mbps(8), 1.0);
    let (mut passed, mut seen, mut expected) = (0, Vec::new(), Vec::new());
    for item in 1..=40_u32 {
        let at = item.div_ceil(4) * 2;
        let (now, size) = (passing.start + MS * at, DataSize::from_bytes(1000));
        seen.extend(passing.until(at));
        expected.extend(queued.until(at));
        // Sound goes before everything.
        let priority = if item.is_multiple_of(8) { Priority::Audio } else { Priority::Video };
        queued.push(at, 1, priority, 1000, item);
        expected.extend(queued.now(at));
        if passing.pacer.is_open(now, priority) {
            passing.pacer.passed(now, size);
            (passed, seen) = (passed + 1, [seen, vec![(u128::from(at), item)]].concat());
        } else {
            passing.push(at, 1, priority, 1000, item);
        }
        seen.extend(passing.now(at));
    }
    seen.extend(passing.until(200));
    expected.extend(queued.until(200));
    assert_eq!(seen, expected);
    assert!((5..35).contains(&passed), "{passed}");
}

#[test]
fn nothing_passes_a_probe() {
    let mut run = Run::new(DataRate::from_mbps(1), 1.0);
    assert!(run.pacer.is_open(run.start, Priority::Video));
    run.pacer.probe(Probe {
        id: ProbeId(1),
        rate: DataRate::from_mbps(4),
        size: DataSize::from_bytes(5000),
        packets: 5,
    });
    assert!(!run.pacer.is_open(run.start, Priority::Video));
}

#[test]
fn a_batch_has_sixteen_packets_at_most() {
    let mut run = Run::new(DataRate::from_mbps(80), 1.0);
    (1..=40).for_each(|item| run.push(0, 1, Priority::Video, 1000, item));
    let first = run.until(1).iter().filter(|(at, _)| *at == 0).count();
    assert_eq!(first, 16);
}

#[test]
fn the_urgent_go_first_and_streams_take_turns() {
    let mut run = Run::new(DataRate::from_mbps(800), 1.0);
    for (stream, priority, item) in [
        (1, Priority::Repair, 60),
        (1, Priority::Video, 41),
        (1, Priority::Video, 42),
        (2, Priority::Video, 51),
        (2, Priority::Video, 52),
        (3, Priority::Retransmission, 30),
        (4, Priority::Audio, 10),
    ] {
        run.push(0, stream, priority, 1000, item);
    }
    let items: Vec<u32> = run.until(100).iter().map(|(_, item)| *item).collect();
    assert_eq!(items, [10, 30, 41, 51, 42, 52, 60]);
}

#[test]
fn audio_does_not_wait() {
    let mut run = Run::new(DataRate::from_kbps(80), 1.0);
    (1..=10).for_each(|item| run.push(0, 1, Priority::Video, 1000, item));
    run.until(1);
    run.push(0, 2, Priority::Audio, 100, 99);
    let seen = run.until(1);
    assert_eq!(seen, [(0, 99)]);
}

#[test]
fn what_waits_long_raises_the_rate() {
    // 100 kB at 80 kbit/s would take ten seconds.
    let mut run = Run::new(DataRate::from_kbps(80), 1.0);
    (1..=100).for_each(|item| run.push(0, 1, Priority::Video, 1000, item));
    let seen = run.until(20_000);
    assert_eq!(seen.len(), 100);
    assert!(seen.last().unwrap().0 < 4000, "{:?}", seen.last());
}

#[test]
fn a_probe_leaves_at_its_rate_and_is_padded_where_media_is_missing() {
    let mut run = Run::new(DataRate::from_kbps(300), 1.5);
    (1..=3).for_each(|item| run.push(0, 1, Priority::Video, 1000, item));
    let size = DataSize::from_bytes(6000);
    run.pacer.probe(Probe { id: ProbeId(7), rate: DataRate::from_mbps(4), size, packets: 5 });
    let seen = run.until(1000);
    assert_eq!(seen, [(0, 1), (2, 2), (4, 3), (6, 0), (8, 0), (10, 0)]);
}

#[test]
fn a_probe_that_cannot_be_padded_waits_for_media() {
    let mut run = Run::new(DataRate::from_kbps(300), 1.5);
    run.pacer.set_can_pad(false);
    run.pacer.probe(Probe {
        id: ProbeId(7),
        rate: DataRate::from_mbps(4),
        size: DataSize::from_bytes(2000),
        packets: 2,
    });
    assert_eq!(run.until(1000), []);
    run.push(0, 1, Priority::Video, 1000, 1);
    run.push(0, 1, Priority::Video, 1000, 2);
    let now = run.start;
    let Some(Release::Packet { probe, .. }) = run.pacer.poll_release(now) else { panic!("nothing") };
    assert_eq!(probe, Some(ProbeId(7)));
}

#[test]
fn padding_makes_up_for_what_is_missing() {
    let mut run = Run::new(DataRate::from_mbps(1), 1.5);
    run.pacer.set_padding(run.start, DataRate::from_kbps(480));
    let bytes = run.until(1000).len() as u64 * PADDING_SIZE;
    assert!((55_000..70_000).contains(&bytes), "{bytes}");
}

#[test]
fn a_full_queue_says_so_and_a_stream_can_be_dropped() {
    let mut run = Run::new(DataRate::from_mbps(1), 1.5);
    (0..QUEUE_LIMIT as u32).for_each(|item| run.push(0, u64::from(item % 3), Priority::Video, 1000, item));
    let more = run.pacer.push(run.start, 1, Priority::Audio, DataSize::from_bytes(1), 7);
    assert_eq!(more, Err(Full(7)));
    let mut dropped = 0;
    run.pacer.drop_stream(0, |_| dropped += 1);
    assert_eq!(run.pacer.waiting(), QUEUE_LIMIT - dropped);
    assert_eq!(run.pacer.waiting_size().as_bytes(), (QUEUE_LIMIT - dropped) as u64 * 1000);
}

/// Probes are there to be faster than what leaves anyway.
#[test]
fn a_probe_that_crawls_does_not_hold_up_what_has_waited_too_long() {
    let mut run = Run::new(DataRate::ZERO, 1.0);
    for item in 1..=100 {
        run.push(0, 1, Priority::Video, 1000, item);
    }
    run.pacer.probe(Probe {
        id: ProbeId(1),
        rate: DataRate::from_bps(139),
        size: DataSize::from_bytes(60_000),
        packets: 255,
    });
    let left = run.until(4_000);
    assert_eq!(left.len(), 100, "all have left after two longest waits");
}

#[test]
fn how_long_one_would_wait_depends_on_what_goes_before_it() {
    let mut run = Run::new(DataRate::from_mbps(1), 1.0);
    let wait = |run: &mut Run, priority| run.pacer.wait(run.start, priority);
    assert_eq!(wait(&mut run, Priority::Repair), Duration::ZERO);
    run.push(0, 1, Priority::Retransmission, 1250, 1);
    run.push(0, 2, Priority::Video, 2500, 2);
    let waits = |run: &mut Run| {
        [Priority::Audio, Priority::Retransmission, Priority::Video].map(|priority| wait(run, priority))
    };
    assert_eq!(waits(&mut run), [0, 10, 30].map(|ms| MS * ms));
    // What has left is under way as long.
    assert_eq!(run.now(0), [(0, 1)]);
    assert_eq!(waits(&mut run), [10, 10, 30].map(|ms| MS * ms));
    run.pacer.drop_stream(2, |_| ());
    assert_eq!(waits(&mut run), [10, 10, 10].map(|ms| MS * ms));
}
