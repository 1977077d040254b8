//! A server, those who stream, and those who watch.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::task::coop::unconstrained;
use twocan::Direction;

use super::delays::Delays;
use super::end::{Counters, End};
use super::source::Source;
use super::transit::Transit;
use super::{Options, WATCHED};
use crate::process::Process;

/// In this time the last of those who watch are given all of it.
const BEGINNING: Duration = Duration::from_secs(4);
/// How long it may take until all that was sent is forwarded.
const PATIENCE: Duration = Duration::from_secs(2);
/// What is forwarded is counted anew in this time, by and by.
const STILL: Duration = Duration::from_millis(50);
/// How late a timer may be.
const TICKS: Duration = Duration::from_millis(2);

pub(super) struct Stage {
    pub(super) server: Process,
    pub(super) address: SocketAddr,
    pub(super) rooms: Vec<Room>,
    /// From those who stream to those who watch, with what both ends take for it: of sound, and of the last packet of each
    /// picture.
    pub(super) delays: [Delays; 2],
    /// KiB that each of those who watch takes.
    pub(super) memory: f64,
    frame: Duration,
}

/// One who streams, and those who watch them.
pub(super) struct Room {
    name: String,
    /// When in a frame's time its frames come: a part of it.
    phase: f64,
    studio: End,
    source: Source,
    watching: Vec<End>,
}

impl Stage {
    /// All rooms, with as many who watch in each of them.
    pub(super) async fn set(options: &Options, viewers: usize) -> io::Result<Self> {
        let (server, address) = serve(options)?;
        let frame = Duration::from_millis(1000 / options.fps);
        let mut stage =
            Self { server, address, rooms: Vec::new(), delays: Default::default(), memory: 0.0, frame };
        for number in 0..options.rooms {
            let name = room_name(number);
            let studio = End::connect(address, &name, Direction::SendOnly).await?;
            let source = Source::new(&studio, options.kbps, options.fps);
            stage.rooms.push(Room { name, phase: phase(number), studio, source, watching: Vec::new() });
        }
        stage.rooms.sort_by(|one, other| one.phase.total_cmp(&other.phase));
        let (mut before, all) = (stage.server.memory()?, viewers * options.rooms);
        let mut next = Instant::now();
        for place in 0..all {
            let room = place % options.rooms;
            let name = &stage.rooms[room].name;
            let mut viewer = End::connect(address, name, Direction::RecvOnly).await?;
            if place % all.div_ceil(WATCHED) != 0 {
                viewer.throw_away();
            }
            stage.rooms[room].watching.push(viewer);
            // No faster than it can be sent: what jams now would be late for seconds.
            if Instant::now() >= next {
                next = Instant::now() + frame;
                for room in &mut stage.rooms {
                    room.send_frame(&mut stage.delays).await?;
                }
            }
            if place == 0 && all > 1 {
                // What the program needs for the first one, its code before all, is not every one's.
                stage.run(Duration::from_secs(1)).await?;
                before = stage.server.memory()?;
            }
        }
        stage.run(BEGINNING).await?;
        stage.memory = stage.server.memory()?.saturating_sub(before) as f64
            / 1024.0
            / all.saturating_sub(1).max(1) as f64;
        Ok(stage)
    }

    /// Streams for that long: each room at moments of its own, as people do who do not know of each other.
    pub(super) async fn run(&mut self, time: Duration) -> io::Result<()> {
        let (begin, frame) = (Instant::now(), self.frame);
        let all = async {
            for turn in 0..(time.as_millis() / frame.as_millis()) as u32 {
                for room in &mut self.rooms {
                    until(begin + frame * turn + frame.mul_f64(room.phase)).await;
                    room.turn(&mut self.delays).await?;
                }
            }
            Ok(())
        };
        // Of many who watch, only the first would be heard within what tokio lets a task do at a time.
        unconstrained(all).await
    }

    /// Packets that were to be forwarded, so far.
    pub(super) fn wanted(&self) -> u64 {
        self.rooms.iter().map(|room| room.source.sent * room.watching.len() as u64).sum()
    }

    /// What the server has counted, once nothing is under way any more.
    pub(super) async fn counters(&self) -> io::Result<Counters> {
        let (deadline, mut last) = (Instant::now() + PATIENCE, Counters::of(self.address)?);
        loop {
            tokio::time::sleep(STILL).await;
            let counters = Counters::of(self.address)?;
            if counters.forwarded == last.forwarded || Instant::now() > deadline {
                return Ok(counters);
            }
            last = counters;
        }
    }

    /// What is to be seen on the way, of all rooms.
    pub(super) fn transit(&self) -> Transit {
        let mut transit = Transit::default();
        for Room { studio, source, watching, .. } in &self.rooms {
            let viewers = watching.iter().filter_map(End::port);
            transit.add(studio.port().unwrap_or(0), viewers, [source.audio, source.video]);
        }
        transit
    }
}

impl Room {
    async fn turn(&mut self, delays: &mut [Delays; 2]) -> io::Result<()> {
        self.send_frame(delays).await?;
        for viewer in &mut self.watching {
            viewer.hear(self.source.begin, delays);
        }
        Ok(())
    }

    /// As an encoder does, it begins anew for those who have come.
    async fn send_frame(&mut self, delays: &mut [Delays; 2]) -> io::Result<()> {
        if self.studio.hear(self.source.begin, delays) {
            self.source.want_key();
        }
        self.source.send_frame(&mut self.studio).await
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(folder()));
    }
}

pub(super) fn room_name(number: usize) -> String {
    format!("bench-{number}")
}

/// Anywhere in a frame's time, but the same in each run.
fn phase(room: usize) -> f64 {
    let mut hasher = DefaultHasher::new();
    room.hash(&mut hasher);
    hasher.finish() as f64 / u64::MAX as f64
}

/// Waits to the microsecond: of a timer's milliseconds, the frames of several rooms would come at a time.
async fn until(at: Instant) {
    if let Some(early) = at.checked_sub(TICKS)
        && Instant::now() < early
    {
        tokio::time::sleep_until(early.into()).await;
    }
    while Instant::now() < at {
        tokio::task::yield_now().await;
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
