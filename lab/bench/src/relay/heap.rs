//! How often the relay takes memory from the heap for each packet: never, or its latency would hang on the
//! allocator's.
//!
//! The server is built with the feature `count-heap`, which counts; what is taken now and then, by timers and by
//! the page that tells the count, is the little that remains.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use super::{free_port, load, start_twocan, wait_until_up};
use crate::process::{LOAD_CORE, pin};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The server to measure, built with the feature `count-heap`.
    #[arg(long)]
    twocan: PathBuf,
    /// How long each measurement runs, in milliseconds.
    #[arg(long, default_value_t = 1500)]
    window: u64,
}

/// More than this for each packet, and something on the packet path takes memory.
const MOST: f64 = 0.01;

type Measure = fn(&dyn Fn() -> io::Result<f64>, SocketAddr, Duration) -> io::Result<f64>;

const ROWS: &[(&str, Measure)] = &[
    ("ChannelData, saturated", load::saturated),
    ("paced, 100 x 100/s each way", load::paced),
    ("Binding answers", load::bindings),
];

pub(crate) fn run(options: &Options) -> io::Result<()> {
    pin(LOAD_CORE)?;
    println!("{:32} {:>16}  {:10} met", "work", "heap blocks each", "target");
    let mut all_met = true;
    for (name, measure) in ROWS {
        let http = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let (_server, address) = start_twocan(&options.twocan, &http.to_string())?;
        wait_until_up(address)?;
        let each = measure(&|| blocks(http), address, Duration::from_millis(options.window))?;
        all_met &= each <= MOST;
        println!("{name:32} {each:>16.5}  <= {MOST:<7} {}", if each <= MOST { "yes" } else { "NO" });
    }
    if all_met { Ok(()) } else { Err(io::Error::other("the packet path takes memory from the heap")) }
}

/// What the server's `/metrics` says.
fn blocks(http: SocketAddr) -> io::Result<f64> {
    let mut stream = TcpStream::connect(http)?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut page = String::new();
    stream.read_to_string(&mut page)?;
    let line = page.lines().find_map(|line| line.strip_prefix("twocan_heap_blocks_total "));
    line.and_then(|count| count.parse().ok()).ok_or_else(|| {
        io::Error::other("the server does not count: build it with `--features count-heap`, as `cargo xtask bench heap` does")
    })
}
