//! What a packet costs: through the pacer, told to the estimator, reported.

use std::io;
use std::time::{Duration, Instant};

use bwe::{
    Arrival, Config, DataRate, DataSize, Ecn, Estimator, Event, Kind, Pacer, PacerConfig, Priority, Release,
    Sent,
};

/// Packets that are measured, and a batch of them.
const PACKETS: u64 = 2_000_000;
const FRAME: u64 = 32;
const SIZE: u64 = 1200;
/// Rounds of which the fastest counts: what is slower was disturbed.
const ROUNDS: usize = 5;

/// Nanoseconds of this process for each packet.
pub(crate) fn run() -> io::Result<()> {
    for megabits in [1, 10, 100] {
        let mut fastest = f64::INFINITY;
        for _ in 0..ROUNDS {
            fastest = fastest.min(round(megabits)?);
        }
        println!(
            "{megabits:>4} Mbit/s: {fastest:>6.0} ns a packet, for pacer, on_sent and on_feedback together"
        );
    }
    Ok(())
}

/// What this process has used of processors.
fn cpu() -> io::Result<Duration> {
    Ok(nix::time::clock_gettime(nix::time::ClockId::CLOCK_PROCESS_CPUTIME_ID)?.into())
}

fn round(megabits: u64) -> io::Result<f64> {
    let (began, start) = (cpu()?, Instant::now());
    let rate = DataRate::from_mbps(megabits);
    let config = Config { start: rate, min: rate, max: rate, wanted: rate };
    let mut estimator = Estimator::new(start, config);
    let mut pacer = Pacer::new(start, rate, PacerConfig::default());
    let mut arrivals = Vec::with_capacity(1 << 14);
    let gap = DataSize::from_bytes(SIZE).at(rate);
    let (mut since, mut report_at, mut sequence) = (Duration::ZERO, Duration::ZERO, 0);
    while sequence < PACKETS / 8 * megabits.min(8) {
        since += gap * FRAME as u32;
        let frame = start + since;
        for item in 0..FRAME {
            let pushed = pacer.push(frame, 7, Priority::Video, DataSize::from_bytes(SIZE), item);
            assert!(pushed.is_ok(), "the pacer is full");
        }
        let mut now = frame;
        while pacer.waiting() > 0 {
            while let Some(release) = pacer.poll_release(now) {
                let (size, kind, probe) = match release {
                    Release::Packet { size, probe, .. } => (size, Kind::Media, probe),
                    Release::Padding { size, probe } => (size, Kind::Padding, probe),
                };
                estimator.on_sent(&Sent { sequence, size, at: now, kind, probe });
                let at = Some(now.duration_since(start) + Duration::from_millis(20));
                arrivals.push(Arrival { sequence, at, ecn: Ecn::NotEct });
                sequence += 1;
            }
            if let Some((at, _)) = pacer.poll_timeout() {
                now = now.max(at);
            }
        }
        estimator.handle_timeout(now);
        if since >= report_at {
            report_at = since + Duration::from_millis(50);
            estimator.on_feedback(now, arrivals.drain(..));
        }
        while let Some(event) = estimator.poll_event() {
            match event {
                Event::Target(target) => pacer.set_target(now, target),
                Event::Probe(probe) => pacer.probe(probe),
            }
        }
    }
    Ok((cpu()? - began).as_nanos() as f64 / sequence as f64)
}
