//! The forwarder: one streams into a room, many watch; the server on one core, all of them on the other.

use std::io::{self, BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use twocan::Direction;

use crate::process::{LOAD_CORE, Process, pin};
use crate::stats::median;

mod churn;
mod delays;
mod end;
mod plot;
pub(crate) mod source;

use delays::Delays;
use end::{Counters, End};
use source::Source;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many watch.
    #[arg(long, default_value = "50,500", value_delimiter = ',')]
    viewers: Vec<usize>,
    /// What is streamed, in kbit/s of pictures; sound comes beside it.
    #[arg(long, default_value_t = 2500)]
    kbps: u64,
    /// How often each measurement is repeated.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each measurement runs, in milliseconds.
    #[arg(long, default_value_t = 4000)]
    window: u64,
    /// Frames a second.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=1000))]
    fps: u64,
    /// So many others come and go each second: what those who stay notice, and what a join costs.
    #[arg(long)]
    churn: Option<usize>,
    /// Draws what a viewer costs, over how many there are, into this file.
    #[arg(long)]
    svg: Option<PathBuf>,
    /// The server's media workers: with more than one, it has as many cores as there are beside the load's.
    #[arg(long, default_value_t = 1)]
    workers: usize,
    /// The server to measure.
    #[arg(long, default_value = "target/release/twocan")]
    twocan: PathBuf,
}

/// At so many who watch it is looked how late packets come.
const WATCHED: usize = 10;

pub(crate) fn run(options: &Options) -> io::Result<()> {
    pin(LOAD_CORE)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if let Some(each_second) = options.churn {
        for viewers in &options.viewers {
            println!("{viewers} stay");
            let mut stage = runtime.block_on(Stage::set(options, *viewers))?;
            churn::run(&mut stage, &runtime, each_second)?;
            let _entered = runtime.enter();
            drop(stage);
        }
        return Ok(());
    }
    println!("{:>92} {:>19}", "sound, ms", "pictures, ms");
    println!(
        "{:>8} {:>14} {:>10} {:>12} {:>10} {:>13} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "viewers",
        "packets/CPU-s",
        "us/packet",
        "CPU/viewer",
        "sent/call",
        "KiB a viewer",
        "lost",
        "median",
        "99th",
        "median",
        "99th"
    );
    let mut costs = Vec::new();
    for viewers in &options.viewers {
        let figures = runtime.block_on(measure(options, *viewers))?;
        let Figures { rates, shares, memory, batch, lost, delays: [sound, pictures], threads } = figures;
        let (rate, share) = (median(&rates), median(&shares) / *viewers as f64);
        costs.push((*viewers, share * 1e6));
        println!(
            "{viewers:>8} {rate:>14.0} {:>10.2} {:>11.4}% {batch:>10.1} {memory:>13.1} {lost:>8.2}% {:>9.2} {:>9.2} {:>9.2} {:>9.2}",
            1e6 / rate,
            100.0 * share,
            sound.took.at(0.5),
            sound.took.at(0.99),
            pictures.took.at(0.5),
            pictures.took.at(0.99),
        );
        if threads.len() > 1 {
            let shares: Vec<String> = threads.iter().map(|share| format!("{:.0}%", 100.0 * share)).collect();
            println!("{:>8} of a core: {}", "workers", shares.join(", "));
        }
    }
    if let Some(file) = &options.svg {
        std::fs::write(file, plot::svg(&costs))?;
    }
    Ok(())
}

struct Figures {
    /// Packets forwarded for each second of the server's processor time, round by round.
    rates: Vec<f64>,
    /// Of the time, what the server spent on its processor.
    shares: Vec<f64>,
    /// KiB that a viewer takes.
    memory: f64,
    /// Datagrams in a system call.
    batch: f64,
    /// Of what was to come, in percent.
    lost: f64,
    delays: [Delays; 2],
    /// Of a core, what each media worker took.
    threads: Vec<f64>,
}

/// A server, one who streams, and those who watch.
struct Stage {
    server: Process,
    address: SocketAddr,
    studio: End,
    source: Source,
    watching: Vec<End>,
    /// KiB that each of them takes.
    memory: f64,
    rounds: usize,
    window: Duration,
}

impl Stage {
    async fn set(options: &Options, viewers: usize) -> io::Result<Self> {
        let (server, address) = serve(options)?;
        let mut studio = End::connect(address, "whip", Direction::SendOnly).await?;
        let mut source = Source::new(&studio, options.kbps, options.fps);
        let before = server.memory()?;
        let mut watching = Vec::new();
        for place in 0..viewers {
            let mut viewer = End::connect(address, "whep", Direction::RecvOnly).await?;
            if place % viewers.div_ceil(WATCHED) != 0 {
                viewer.throw_away();
            }
            watching.push(viewer);
            source.send_frame(&mut studio).await?;
        }
        source.run(&mut studio, &mut watching, Duration::from_secs(2)).await?;
        let memory = server.memory()?.saturating_sub(before) as f64 / 1024.0 / viewers as f64;
        let (rounds, window) = (options.rounds, Duration::from_millis(options.window));
        Ok(Self { server, address, studio, source, watching, memory, rounds, window })
    }
}

async fn measure(options: &Options, viewers: usize) -> io::Result<Figures> {
    let mut stage = Stage::set(options, viewers).await?;
    let Stage { server, address, studio, source, watching, memory, .. } = &mut stage;
    let (mut rates, mut shares) = (Vec::new(), Vec::new());
    source.delays = Default::default();
    let (mut sent, mut forwarded, mut calls, mut datagrams) = (0, 0, 0, 0);
    let (start, before) = (Instant::now(), server.cpu_of("media-")?);
    for _ in 0..options.rounds {
        let (begun, cpu) = (Instant::now(), server.cpu()?);
        let (counters, own) = (Counters::of(*address)?, source.sent);
        source.run(studio, watching, Duration::from_millis(options.window)).await?;
        let after = Counters::of(*address)?;
        let spent = (server.cpu()? - cpu).as_secs_f64();
        shares.push(spent / begun.elapsed().as_secs_f64());
        let count = after.forwarded - counters.forwarded;
        rates.push(count as f64 / spent);
        forwarded += count;
        sent += source.sent - own;
        calls += after.sends - counters.sends;
        datagrams += after.datagrams - counters.datagrams;
    }
    let passed = start.elapsed().as_secs_f64();
    let after = server.cpu_of("media-")?;
    let spent = after.iter().zip(before).map(|(after, before)| after.saturating_sub(before).as_secs_f64());
    let threads = spent.map(|spent| spent / passed).collect();
    let wanted = sent as f64 * viewers as f64;
    let lost = 100.0 * (1.0 - forwarded as f64 / wanted);
    let batch = datagrams as f64 / calls as f64;
    let delays = std::mem::take(&mut source.delays);
    Ok(Figures { rates, shares, memory: *memory, batch, lost, delays, threads })
}

impl Drop for Stage {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(folder()));
    }
}

/// Where the server keeps what it keeps.
fn folder() -> PathBuf {
    std::env::temp_dir().join(format!("twocan-bench-sfu-{}", std::process::id()))
}

/// Starts the server; where it is.
fn serve(options: &Options) -> io::Result<(Process, SocketAddr)> {
    let arguments = [
        "serve",
        "--http",
        "127.0.0.1:0",
        "--https",
        "off",
        "--turns",
        "off",
        "--stun-turn",
        "off",
        "--log",
        "error",
        "--data-dir",
    ];
    let mut arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    arguments.push(folder().display().to_string());
    arguments.extend(["--media-workers".to_owned(), options.workers.to_string()]);
    // Half of them where there are two.
    arguments.extend(["--media-spread".to_owned(), "1".to_owned()]);
    let mut program = options.twocan.display().to_string();
    if options.workers > 1 {
        // As many cores, of which the last is the load's, too.
        let cores = ["--cpu-list".to_owned(), format!("0-{}", options.workers - 1), program];
        arguments.splice(..0, cores);
        program = "taskset".to_owned();
    }
    let (server, output) = Process::start_read(&program, &arguments)?;
    let mut lines = BufReader::new(output).lines();
    let address = lines.find_map(|line| {
        let line = line.ok()?;
        let port =
            line.split("http://localhost:").nth(1)?.trim_end_matches('/').trim().parse::<u16>().ok()?;
        Some(SocketAddr::from(([127, 0, 0, 1], port)))
    });
    Ok((server, address.ok_or_else(|| io::Error::other("the server does not say where it is"))?))
}
