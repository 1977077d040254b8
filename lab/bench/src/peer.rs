//! Peer connections of one process with each other, over UDP on the loopback interface: twocan beside other stacks.
//!
//! Each measurement is a process of its own, so that none inherits another's memory or warm caches, and stacks take
//! turns. CPU time is that of both ends together. The last column is no stack: what the machine takes for sealing, signing
//! and system calls alone.

use std::io;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::ValueEnum;

use crate::stats::median;

mod bare;
mod pion;
mod str0m;
mod twocan;
#[cfg(feature = "webrtc")]
mod webrtc;

/// How long connecting may take before it counts as a failure: far longer than it takes.
const DEADLINE: Duration = Duration::from_secs(60);
/// No datagram is longer, in bytes, but where ours looks for what the way carries; others are told.
const DATAGRAM: usize = 1200;
/// What every socket asks for as its receive buffer, in bytes: what ours asks for by itself.
const RECEIVE_BUFFER: usize = 4 << 20;
/// What waits to be sent, in bytes, where a stack lets its user choose.
#[cfg(feature = "webrtc")]
const QUEUED: usize = 1 << 20;

/// A stack that is measured.
trait Stack {
    /// Connects two peers until a reliable, ordered data channel is open at both ends, and keeps them.
    fn connect(&mut self) -> io::Result<()>;
    /// Sends messages of this size over the channel that was opened last, one way, for so long. The bytes that have
    /// arrived.
    fn pump(&mut self, size: usize, window: Duration) -> io::Result<u64>;
    /// Ends every pair.
    fn forget(&mut self);
    /// The process that has both ends, where it is another one than this.
    fn process(&self) -> Option<u32> {
        None
    }
}

/// Another stack is another variant, and a file beside `peer/twocan.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    Twocan,
    /// Ours with datagrams no longer than the others'.
    Fixed,
    Str0m,
    /// Only where it was built in (`--features webrtc`, which `cargo xtask bench peer` says).
    Webrtc,
    Pion,
    /// What none of them can do without.
    Bare,
}

impl Name {
    fn make(self) -> io::Result<Box<dyn Stack>> {
        Ok(match self {
            Self::Twocan => Box::new(twocan::Twocan::new(None)?),
            Self::Fixed => Box::new(twocan::Twocan::new(Some(DATAGRAM))?),
            Self::Str0m => Box::new(str0m::Str0m::new()?),
            #[cfg(feature = "webrtc")]
            Self::Webrtc => Box::new(webrtc::Webrtc::new()?),
            #[cfg(not(feature = "webrtc"))]
            Self::Webrtc => return Err(io::ErrorKind::Unsupported.into()),
            Self::Pion => Box::new(pion::Pion::new()?),
            Self::Bare => Box::new(bare::Bare::new()?),
        })
    }

    /// Once for all rounds; why it cannot be measured here, where it cannot.
    fn prepare(self) -> Result<(), String> {
        match self {
            Self::Twocan | Self::Fixed | Self::Str0m | Self::Bare => Ok(()),
            Self::Webrtc if cfg!(feature = "webrtc") => Ok(()),
            Self::Webrtc => Err("built without it: say --features webrtc".to_owned()),
            Self::Pion => pion::prepare(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Measure {
    Throughput64,
    Throughput16,
    Throughput1,
    Connect,
    ConnectCpu,
    Memory,
}

impl Measure {
    fn title(self) -> &'static str {
        match self {
            Self::Throughput64 => "64 KiB messages, MB per CPU-second",
            Self::Throughput16 => "16 KiB messages, MB per CPU-second",
            Self::Throughput1 => "1 KiB messages, MB per CPU-second",
            Self::Connect => "time to connect, median, ms",
            Self::ConnectCpu => "CPU time of a pair, ms",
            Self::Memory => "memory of an idle connection, KiB",
        }
    }

    /// Whether it tells something of a stack.
    fn is_of(self, stack: Name) -> bool {
        match stack {
            // What is the machine's, whatever the stack: messages' size makes no difference to it.
            Name::Bare => matches!(self, Self::Throughput64 | Self::ConnectCpu),
            Name::Fixed => !matches!(self, Self::Connect | Self::ConnectCpu | Self::Memory),
            _ => true,
        }
    }
}

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How often each measurement is repeated.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long messages are sent, in milliseconds.
    #[arg(long, default_value_t = 2000)]
    window: u64,
    /// How many pairs are connected one after the other, or kept.
    #[arg(long, default_value_t = 100)]
    pairs: usize,
    /// Measures one thing: what the measurement starts.
    #[arg(long, hide = true, requires = "measure")]
    stack: Option<Name>,
    /// Which one.
    #[arg(long, hide = true)]
    measure: Option<Measure>,
}

pub(crate) fn run(options: &Options) -> io::Result<()> {
    if let (Some(stack), Some(measure)) = (options.stack, options.measure) {
        println!("{}", perform(stack.make()?.as_mut(), measure, options)?);
        return Ok(());
    }
    let mut stacks = Vec::new();
    for stack in Name::value_variants() {
        match stack.prepare() {
            Ok(()) => stacks.push(*stack),
            Err(why) => println!("skipped: {stack:?}: {why}"),
        }
    }
    print!("{:36}", "measurement");
    stacks.iter().for_each(|stack| print!(" {:>14}", format!("{stack:?}").to_lowercase()));
    println!();
    for measure in Measure::value_variants() {
        let mut results = vec![Vec::new(); stacks.len()];
        for _ in 0..options.rounds {
            for (stack, results) in stacks.iter().zip(&mut results) {
                results.push(if measure.is_of(*stack) {
                    start(*stack, *measure, options)?
                } else {
                    f64::NAN
                });
            }
        }
        print!("{:36}", measure.title());
        let medians: Vec<f64> = results.iter().map(|results| median(results)).collect();
        for figure in &medians {
            // Ours is the first.
            let text = format!("{figure:.2} ({:.2})", figure / medians[0]);
            print!(" {:>14}", if figure.is_nan() { "" } else { &text });
        }
        println!();
    }
    Ok(())
}

/// Measures in a process of its own.
fn start(stack: Name, measure: Measure, options: &Options) -> io::Result<f64> {
    let named = (stack.to_possible_value(), measure.to_possible_value());
    let (Some(stack_name), Some(measure_name)) = named else { return Err(io::ErrorKind::NotFound.into()) };
    let output = Command::new(std::env::current_exe()?)
        .args(["peer", "--stack", stack_name.get_name(), "--measure", measure_name.get_name()])
        .args(["--window", &options.window.to_string(), "--pairs", &options.pairs.to_string()])
        .stderr(Stdio::inherit())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().map_err(|_| io::Error::other(format!("{stack:?} could not do {measure:?}: {text}")))
}

fn perform(stack: &mut dyn Stack, measure: Measure, options: &Options) -> io::Result<f64> {
    let size = match measure {
        Measure::Throughput64 => 64 << 10,
        Measure::Throughput16 => 16 << 10,
        Measure::Throughput1 => 1 << 10,
        Measure::Connect | Measure::ConnectCpu => return connect(stack, measure, options.pairs),
        Measure::Memory => return memory(stack, options.pairs),
    };
    stack.connect()?;
    // The way is found, and congestion control has found its rate.
    stack.pump(size, Duration::from_millis(500))?;
    let before = cpu(stack)?;
    let bytes = stack.pump(size, Duration::from_millis(options.window))?;
    Ok(bytes as f64 / 1e6 / (cpu(stack)? - before).as_secs_f64())
}

fn connect(stack: &mut dyn Stack, measure: Measure, pairs: usize) -> io::Result<f64> {
    // What is done once per process is not counted: it is noise in a program that lives.
    stack.connect()?;
    stack.forget();
    let (before, mut times) = (cpu(stack)?, Vec::new());
    for _ in 0..pairs {
        let begun = Instant::now();
        stack.connect()?;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
        stack.forget();
    }
    let cpu = (cpu(stack)? - before).as_secs_f64() * 1e3 / pairs.max(1) as f64;
    Ok(if measure == Measure::Connect { median(&times) } else { cpu })
}

/// Resident memory of each end of a pair that is connected and has nothing to do.
fn memory(stack: &mut dyn Stack, pairs: usize) -> io::Result<f64> {
    stack.connect()?;
    let before = resident(stack)?;
    for _ in 0..pairs {
        stack.connect()?;
    }
    Ok((resident(stack)? - before) / 1024.0 / (2 * pairs).max(1) as f64)
}

/// CPU time of the process that has both ends: all its threads, those that ended included.
fn cpu(stack: &dyn Stack) -> io::Result<Duration> {
    let clock = match stack.process().map(i32::try_from) {
        Some(Ok(process)) => nix::time::clock_getcpuclockid(nix::unistd::Pid::from_raw(process))?,
        Some(Err(why)) => return Err(io::Error::other(why)),
        None => nix::time::ClockId::CLOCK_PROCESS_CPUTIME_ID,
    };
    Ok(nix::time::clock_gettime(clock)?.into())
}

/// Its resident memory, in bytes.
fn resident(stack: &dyn Stack) -> io::Result<f64> {
    let name = stack.process().map_or_else(|| "self".to_owned(), |process| process.to_string());
    let status = std::fs::read_to_string(format!("/proc/{name}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0 kB");
    let kib = line.trim().trim_end_matches(" kB").parse::<f64>().map_err(io::Error::other)?;
    Ok(kib * 1024.0)
}
