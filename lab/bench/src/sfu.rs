//! The forwarder: one streams into a room, many watch; the server on one core, all of them on the other.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::process::{LOAD_CORE, pin};
use crate::stats::median;

mod capture;
mod churn;
mod delays;
mod end;
mod figures;
mod plot;
pub(crate) mod source;
mod stage;
mod transit;

use capture::Capture;
use figures::Figures;
use stage::Stage;
use transit::Transit;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many watch, in each room.
    #[arg(long, default_value = "50,500", value_delimiter = ',')]
    viewers: Vec<usize>,
    /// In so many rooms, one streams and that many watch.
    #[arg(long, default_value_t = 1)]
    rooms: usize,
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
            let time = Duration::from_millis(options.window) * options.rounds as u32;
            churn::run(&mut stage, &runtime, each_second, time)?;
            let _entered = runtime.enter();
            drop(stage);
        }
        return Ok(());
    }
    println!(
        "{:>8} {:>14} {:>10} {:>12} {:>10} {:>10} {:>13} {:>9}",
        "viewers",
        "packets/CPU-s",
        "us/packet",
        "CPU/viewer",
        "of a core",
        "sent/call",
        "KiB a viewer",
        "lost"
    );
    let mut costs = Vec::new();
    for viewers in &options.viewers {
        let figures = runtime.block_on(measure(options, *viewers))?;
        let all = viewers * options.rooms;
        let share = median(&figures.shares);
        costs.push((all, share / all as f64 * 1e6));
        figures.print(all);
    }
    if let Some(file) = &options.svg {
        std::fs::write(file, plot::svg(&costs))?;
    }
    Ok(())
}

async fn measure(options: &Options, viewers: usize) -> io::Result<Figures> {
    let mut stage = Stage::set(options, viewers).await?;
    let window = Duration::from_millis(options.window);
    let (mut rates, mut shares) = (Vec::new(), Vec::new());
    let (wanted, first) = (stage.wanted(), stage.counters().await?);
    stage.delays = Default::default();
    let (start, before) = (Instant::now(), stage.server.cpu_of("media-")?);
    let mut counters = first;
    for _ in 0..options.rounds {
        let (begun, cpu) = (Instant::now(), stage.server.cpu()?);
        stage.run(window).await?;
        let passed = begun.elapsed();
        let after = stage.counters().await?;
        let spent = (stage.server.cpu()? - cpu).as_secs_f64();
        shares.push(spent / passed.as_secs_f64());
        rates.push((after.forwarded - counters.forwarded) as f64 / spent);
        counters = after;
    }
    let passed = start.elapsed().as_secs_f64();
    let after = stage.server.cpu_of("media-")?;
    let spent = after.iter().zip(before).map(|(after, before)| after.saturating_sub(before).as_secs_f64());
    let threads = spent.map(|spent| spent / passed).collect();
    let wanted = stage.wanted() - wanted;
    let lost = 100.0 * (1.0 - (counters.forwarded - first.forwarded) as f64 / wanted as f64);
    let batch = (counters.datagrams - first.datagrams) as f64 / (counters.sends - first.sends) as f64;
    let delays = std::mem::take(&mut stage.delays);
    // Whoever looks on takes time of the one who sends: that is not to be in the figures above.
    let transit = match Capture::start(stage.transit(), Transit::take) {
        Ok(capture) => {
            stage.run(window * (options.rounds as u32).div_ceil(2)).await?;
            stage.counters().await?;
            capture.finish().map_err(|error| error.to_string())
        }
        Err(error) => Err(error.to_string()),
    };
    Ok(Figures { rates, shares, memory: stage.memory, batch, lost, delays, transit, threads })
}
