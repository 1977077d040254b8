//! Other forwarders beside ours: one streams into a room, many watch; the server on one core, everybody else on the other.
//!
//! Every server gets the same, from peers of ours: 30 frames a second of several packets each, and sound, by WHIP (RFC 9725); who
//! watches asks in the same way. What a server costs is its own processor time; what it does is counted where it arrives.
//! Servers take turns, each round with a new process. What each of them does for a viewer is not the same, and
//! `docs/performance.md` says what.

mod load;
mod room;
mod server;

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use twocan::Direction;

use self::load::{End, Source};
use self::server::{Server, Stack};
use crate::process::{LOAD_CORE, pin};
use crate::stats::median;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many watch.
    #[arg(long, default_value = "50,300", value_delimiter = ',')]
    viewers: Vec<usize>,
    /// In place of that: a room of so many who all send, and all watch each other.
    #[arg(long, value_parser = clap::value_parser!(u16).range(2..=50))]
    room: Option<u16>,
    /// How many of the others each of a room gets in full; of the rest there are thumbnails.
    #[arg(long, default_value_t = 3)]
    full: usize,
    /// Of the sounds in a room, how many ours forwards at a time; 0: all, as the other servers do.
    #[arg(long, default_value_t = 0)]
    voices: u16,
    /// In a room, what all of them have to do, too: a thread that reads, opens, seals and sends, and does nothing else.
    #[arg(long, requires = "room")]
    bare: bool,
    /// Prints each turn of a room, too.
    #[arg(long)]
    each: bool,
    /// Which servers take turns.
    #[arg(long, default_value = "twocan,pion,livekit", value_delimiter = ',')]
    stacks: Vec<Stack>,
    /// What is streamed, in kbit/s of pictures; sound comes beside it.
    #[arg(long, default_value_t = 2500)]
    kbps: u64,
    /// How often each server has its turn.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How long each is measured for, in milliseconds.
    #[arg(long, default_value_t = 4000)]
    window: u64,
    /// Our server.
    #[arg(long, default_value = "target/release/twocan")]
    pub(crate) twocan: PathBuf,
}

/// How long everything flows before it is measured.
const WARM: Duration = Duration::from_secs(3);

pub(crate) fn run(options: &Options) -> io::Result<()> {
    let mut stacks = Vec::new();
    for stack in &options.stacks {
        match server::prepare(*stack) {
            Ok(()) => stacks.push(*stack),
            Err(why) => println!("skipped: {}: {why}", stack.name()),
        }
    }
    pin(LOAD_CORE)?;
    if let Some(people) = options.room {
        return room::run(options, people.into(), &stacks);
    }
    println!(
        "{:>8} {:>8} {:>14} {:>10} {:>9} {:>13} {:>9}",
        "viewers", "server", "packets/CPU-s", "us/packet", "CPU", "KiB a viewer", "lost"
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for viewers in &options.viewers {
        let mut all: Vec<Vec<Figures>> = stacks.iter().map(|_| Vec::new()).collect();
        for _ in 0..options.rounds {
            for (stack, figures) in stacks.iter().zip(&mut all) {
                match runtime.block_on(measure(options, *stack, *viewers)) {
                    Ok(round) => figures.push(round),
                    // One that does not bear it is told of, and the others go on.
                    Err(why) => println!("{viewers:>8} {:>8} {why}", stack.name()),
                }
            }
        }
        for (stack, figures) in stacks.iter().zip(&all) {
            let of = |figure: fn(&Figures) -> f64| median(&figures.iter().map(figure).collect::<Vec<f64>>());
            let rate = of(|round| round.rate);
            println!(
                "{viewers:>8} {:>8} {rate:>14.0} {:>10.2} {:>8.1}% {:>13.1} {:>8.2}%",
                stack.name(),
                1e6 / rate,
                100.0 * of(|round| round.share),
                of(|round| round.memory),
                of(|round| round.lost),
            );
        }
    }
    Ok(())
}

/// Of one round.
struct Figures {
    /// Packets that arrived, for each second of the server's processor time.
    rate: f64,
    /// Of the time, what the server spent on its core.
    share: f64,
    /// KiB that a viewer takes.
    memory: f64,
    /// Of what was to arrive, in percent.
    lost: f64,
}

async fn measure(options: &Options, stack: Stack, viewers: usize) -> io::Result<Figures> {
    let server = Server::start(stack, &options.twocan, options.voices)?;
    let mut studio = End::connect(&server, "studio", Direction::SendOnly).await?;
    let mut source = Source::new(&studio, options.kbps);
    // Who watches asks for what is there.
    source.run(&mut studio, &mut [], Duration::from_secs(1)).await?;
    let before = server.process.memory()?;
    let mut watching = Vec::new();
    for place in 0..viewers {
        watching.push(End::connect(&server, &format!("viewer-{place}"), Direction::RecvOnly).await?);
        source.send_frame(&mut studio).await?;
    }
    source.run(&mut studio, &mut watching, WARM).await?;
    let memory = server.process.memory()?.saturating_sub(before) as f64 / 1024.0 / viewers as f64;
    let (begun, cpu, sent) = (Instant::now(), server.process.cpu()?, source.sent);
    let arrived = load::arrived(&watching).await?;
    source.run(&mut studio, &mut watching, Duration::from_millis(options.window)).await?;
    let arrived = load::arrived(&watching).await? - arrived;
    let spent = (server.process.cpu()? - cpu).as_secs_f64();
    let wanted = (source.sent - sent) as f64 * viewers as f64;
    Ok(Figures {
        rate: arrived as f64 / spent,
        share: spent / begun.elapsed().as_secs_f64(),
        memory,
        lost: 100.0 * (1.0 - arrived as f64 / wanted),
    })
}
