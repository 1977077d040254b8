//! What it costs to send one stream to many peers, without sockets: ours beside str0m, and what no forwarder can do without.
//!
//! Each viewer is a pair of peer connections. Only what a server does is counted: packets are queued and sealed, feedback is
//! taken, timers are kept. Time is virtual, CPU time is real. The last column
//! is no forwarder: it seals the same packets, sends them by real sockets, and reads as many reports. So much of `bench sfu` is the
//! machine's.

mod bare;
mod ours;
mod theirs;

use std::io;
use std::time::{Duration, Instant};

use bytes::Bytes;
use nix::time::{ClockId, clock_gettime};

use crate::stats::median;

const INTERVAL: Duration = Duration::from_millis(33);
/// Of a picture: 2.4 Mbit/s.
const PACKETS: usize = 9;
const PAYLOAD: usize = 1100;
/// Pictures before what is counted.
const WARM: u32 = 150;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many watch.
    #[arg(long, value_delimiter = ',', default_value = "10,50,300")]
    viewers: Vec<usize>,
    /// Pictures that are counted, in each measurement.
    #[arg(long, default_value_t = 150)]
    frames: u32,
    /// How often each measurement is repeated.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Sleeps before each picture, as a server does that has nothing to do meanwhile: caches are cold then.
    #[arg(long)]
    pauses: bool,
}

/// A picture, and the sound that goes with it.
struct Frame {
    number: u32,
    packets: Vec<Bytes>,
    sound: Bytes,
}

/// One who watches: the server's end, which is counted, and the other one.
trait Viewer {
    /// The server sends a frame.
    fn give(&mut self, now: Instant, frame: &Frame, work: &mut Work) -> io::Result<()>;
    /// What it has sent arrives. Not counted.
    fn arrive(&mut self, now: Instant) -> io::Result<()>;
    /// The other end has time to say something. Not counted; whether it did.
    fn answer(&mut self, now: Instant) -> io::Result<bool>;
    /// The server takes what was said.
    fn hear(&mut self, now: Instant, work: &mut Work) -> io::Result<()>;
    /// Whether the server waits for this moment.
    fn is_due(&self, now: Instant) -> bool;
    /// It does what is due.
    fn wake_up(&mut self, now: Instant, work: &mut Work) -> io::Result<()>;
}

/// What servers have done.
#[derive(Default)]
struct Work {
    cpu: Duration,
    packets: u64,
    datagrams: u64,
    /// How often the clock was read.
    readings: u32,
}

impl Work {
    fn count<T>(&mut self, work: impl FnOnce(&mut Self) -> io::Result<T>) -> io::Result<T> {
        let before = cpu();
        let outcome = work(self);
        self.cpu += cpu() - before;
        self.readings += 1;
        outcome
    }
}

pub(crate) fn run(options: &Options) -> io::Result<()> {
    println!(
        "nanoseconds of CPU for each packet that is sent, and packets per CPU-second; medians of {}",
        options.rounds
    );
    println!(
        "{:>8}{:>20}{:>20}{:>8}{:>36}",
        "viewers", "twocan", "str0m", "ratio", "sealing, sendmsg, reports read"
    );
    for &count in &options.viewers {
        let mut figures: [Vec<f64>; 3] = Default::default();
        for _ in 0..options.rounds {
            figures[0].push(measure(options, &mut ours::viewers(count)?)?);
            figures[1].push(measure(options, &mut theirs::viewers(count)?)?);
            figures[2].push(bare::measure(count, options.frames)?);
        }
        let [ours, theirs, alone] = figures.map(|figures| median(&figures));
        print!("{count:>8}");
        [ours, theirs].iter().for_each(|figure| print!("{figure:>10.0}{:>10.0}", 1e9 / figure));
        println!("{:>8.2}{alone:>26.0}{:>10.0}", ours / theirs, 1e9 / alone);
    }
    Ok(())
}

/// Nanoseconds of CPU for a packet that is sent.
fn measure<V: Viewer>(options: &Options, viewers: &mut [(Instant, V)]) -> io::Result<f64> {
    let mut work = Work::default();
    let mut now = Instant::now();
    // Each was connected in a time of its own.
    if let Some(latest) = viewers.iter().map(|(at, _)| *at).max() {
        now = now.max(latest);
    }
    for number in 0..WARM + options.frames {
        if number == WARM {
            work = Work::default();
        }
        if options.pauses {
            std::thread::sleep(INTERVAL);
        }
        stream(&mut now, number, viewers, &mut work)?;
    }
    // Reading the clock takes longer than some of what it measures.
    let before = cpu();
    (0..10_000).for_each(|_| _ = std::hint::black_box(cpu()));
    let reading = (cpu() - before) / 10_000;
    let spent = work.cpu.saturating_sub(reading * work.readings);
    let expected = viewers.len() as u64 * u64::from(options.frames) * (PACKETS as u64 + 1);
    if work.packets < expected || work.datagrams < expected {
        return Err(io::Error::other(format!("{} of {expected} packets were sent", work.datagrams)));
    }
    Ok(spent.as_nanos() as f64 / expected as f64)
}

/// One frame, and the time until the next.
fn stream<V: Viewer>(
    now: &mut Instant,
    number: u32,
    viewers: &mut [(Instant, V)],
    work: &mut Work,
) -> io::Result<()> {
    let packets = (0..PACKETS).map(|_| Bytes::from(vec![7; PAYLOAD])).collect();
    let frame = Frame { number, packets, sound: Bytes::from(vec![7; 100]) };
    for (_, viewer) in &mut *viewers {
        work.count(|work| viewer.give(*now, &frame, work))?;
        viewer.arrive(*now + Duration::from_millis(1))?;
    }
    let next = *now + INTERVAL;
    *now += Duration::from_millis(1);
    while *now < next {
        for (_, viewer) in &mut *viewers {
            if viewer.answer(*now)? {
                work.count(|work| viewer.hear(*now, work))?;
                viewer.arrive(*now)?;
            }
            if viewer.is_due(*now) {
                work.count(|work| viewer.wake_up(*now, work))?;
                viewer.arrive(*now)?;
            }
        }
        *now += Duration::from_millis(2);
    }
    *now = next;
    Ok(())
}

/// CPU time of this process.
fn cpu() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}
