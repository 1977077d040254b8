//! A server, those who stream, and those who watch.

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
            let studio = End::connect(address, &room_name(number), Direction::SendOnly).await?;
            let source = Source::new(&studio, options.kbps, options.fps);
            stage.rooms.push(Room { studio, source, watching: Vec::new() });
        }
        let (mut before, all) = (stage.server.memory()?, viewers * options.rooms);
        let mut next = Instant::now();
        for place in 0..all {
            let number = place % options.rooms;
            let mut viewer = End::connect(address, &room_name(number), Direction::RecvOnly).await?;
            if place % all.div_ceil(WATCHED) != 0 {
                viewer.throw_away();
            }
            stage.rooms[number].watching.push(viewer);
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

    /// Streams for that long: rooms take turns, evenly.
    pub(super) async fn run(&mut self, time: Duration) -> io::Result<()> {
        let mut ticks = tokio::time::interval(self.frame / self.rooms.len() as u32);
        let all = async {
            for _ in 0..time.as_millis() / self.frame.as_millis() {
                for room in &mut self.rooms {
                    ticks.tick().await;
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
        for Room { studio, source, watching } in &self.rooms {
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
