//! epoll or io_uring: a bare echo of UDP datagrams with either, as the relay's sockets would use it.
//!
//! Both receive and send with offload (GRO, GSO), both take everything that waits before they send, both may rest
//! as the relay does. What differs is how they ask the kernel.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::process::{LOAD_CORE, Process, pin};
use crate::relay::load::{self, Direction};
use crate::relay::socket::LoadSocket;
use crate::stats::median;

mod epoll;
#[cfg(target_os = "linux")]
mod uring;

/// What the relay rests for when datagrams come now and then.
const REST: Duration = Duration::from_micros(200);

/// Application data in a datagram, in bytes.
const PAYLOAD: usize = 1200;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How often each measurement is repeated.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each measurement runs, in milliseconds.
    #[arg(long, default_value_t = 1500)]
    window: u64,
    /// Runs the echo itself: what the measurement starts.
    #[arg(long, hide = true)]
    serve: Option<Engine>,
    /// Its sockets.
    #[arg(long, hide = true, default_value_t = 1)]
    sockets: usize,
    /// Whether it rests.
    #[arg(long, hide = true)]
    rest: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Engine {
    Epoll,
    Uring,
}

struct Row {
    name: &'static str,
    sockets: usize,
    rest: bool,
    measure: fn(&Process, &[LoadSocket], Duration) -> io::Result<f64>,
}

const ROWS: &[Row] = &[
    Row { name: "1 socket, 8 flows saturating", sockets: 1, rest: false, measure: saturated },
    Row { name: "8 sockets, saturating", sockets: 8, rest: false, measure: saturated },
    Row { name: "100 sockets x 200/s", sockets: 100, rest: false, measure: paced },
    Row { name: "100 sockets x 200/s, with rests", sockets: 100, rest: true, measure: paced },
];

pub(crate) fn run(options: &Options) -> io::Result<()> {
    if let Some(engine) = options.serve {
        return serve(engine, options);
    }
    pin(LOAD_CORE)?;
    let window = Duration::from_millis(options.window);
    println!("{:34} {:>14} {:>10} {:>10} {:>7}", "work", "unit", "epoll", "io_uring", "ratio");
    for row in ROWS {
        let (mut epoll, mut uring) = (Vec::new(), Vec::new());
        for _ in 0..options.rounds {
            epoll.push(measure(row, Engine::Epoll, window)?);
            uring.push(measure(row, Engine::Uring, window)?);
        }
        let (epoll, uring) = (median(&epoll), median(&uring));
        println!(
            "{:34} {:>14} {epoll:>10.2} {uring:>10.2} {:>7.3}",
            row.name,
            "CPU us/packet",
            uring / epoll
        );
    }
    Ok(())
}

fn measure(row: &Row, engine: Engine, window: Duration) -> io::Result<f64> {
    let name = match engine {
        Engine::Epoll => "epoll",
        Engine::Uring => "uring",
    };
    let mut arguments: Vec<String> =
        ["echo", "--serve", name, "--sockets", &row.sockets.to_string()].map(String::from).into();
    arguments.extend(row.rest.then(|| "--rest".to_owned()));
    let program = std::env::current_exe()?.display().to_string();
    let (server, output) = Process::start_read(&program, &arguments)?;
    // One line for each of its addresses; to a single one, several clients speak.
    let addresses = BufReader::new(output)
        .lines()
        .take(row.sockets)
        .map(|line| line?.parse::<SocketAddr>().map_err(io::Error::other))
        .collect::<io::Result<Vec<_>>>()?;
    let clients = row.sockets.max(8);
    let sockets = addresses.iter().cycle().take(clients).map(|address| LoadSocket::new(*address));
    (row.measure)(&server, &sockets.collect::<io::Result<Vec<_>>>()?, window)
}

fn saturated(server: &Process, sockets: &[LoadSocket], window: Duration) -> io::Result<f64> {
    let datagram = [0x55; PAYLOAD];
    let directions = sockets.iter().map(|socket| Direction::new(socket, socket, &datagram, 1)).collect();
    let run = load::saturate_directions(&load::cpu(server), directions, window)?;
    Ok(run.spent / run.packets as f64)
}

/// 20,000 datagrams a second in all, evenly spread.
fn paced(server: &Process, sockets: &[LoadSocket], window: Duration) -> io::Result<f64> {
    let gap = Duration::from_secs(1) / 20_000;
    let mut arena = vec![0; 4 << 16];
    let before = server.cpu()?;
    let (start, mut sent, mut received) = (Instant::now(), 0_u32, 0);
    while start.elapsed() < window {
        while gap * sent <= start.elapsed() {
            sockets[sent as usize % sockets.len()].send(&[0x55; PAYLOAD])?;
            sent += 1;
        }
        received += sockets[sent as usize % sockets.len()].drain(&mut arena)?;
    }
    for socket in sockets {
        received += socket.drain(&mut arena)?;
    }
    Ok((server.cpu()? - before).as_secs_f64() * 1e6 / received as f64)
}

fn serve(engine: Engine, options: &Options) -> io::Result<()> {
    let sockets =
        (0..options.sockets).map(|_| UdpSocket::bind(("127.0.0.1", 0))).collect::<io::Result<Vec<_>>>()?;
    for socket in &sockets {
        println!("{}", socket.local_addr()?);
        // With the privilege to; else the system's maximum.
        let _ = nix::sys::socket::setsockopt(socket, nix::sys::socket::sockopt::RcvBufForce, &(8 << 20));
    }
    io::stdout().flush()?;
    let rest = options.rest.then_some(REST);
    match engine {
        Engine::Epoll => epoll::run(sockets, rest),
        #[cfg(target_os = "linux")]
        Engine::Uring => uring::run(&sockets, rest),
        #[cfg(not(target_os = "linux"))]
        Engine::Uring => Err(io::Error::other("io_uring is Linux's")),
    }
}
