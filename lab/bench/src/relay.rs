//! TURN and STUN: our server and coturn in turn on one core, load from the other.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::process::{LOAD_CORE, Process, pin};
use crate::stats::median;

mod client;
pub(crate) mod heap;
pub(crate) mod load;
pub(crate) mod socket;

pub(crate) const USER: &str = "bench";
pub(crate) const PASSWORD: &str = "bench-password";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How often each measurement is repeated.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each measurement runs, in milliseconds.
    #[arg(long, default_value_t = 1500)]
    window: u64,
    /// The server to measure.
    #[arg(long, default_value = "target/release/twocan")]
    twocan: PathBuf,
    /// Only the rows whose name contains this.
    #[arg(long)]
    only: Option<String>,
    /// Leaves coturn out.
    #[arg(long)]
    alone: bool,
}

/// One line of the table.
struct Row {
    name: &'static str,
    unit: &'static str,
    measure: fn(&Process, SocketAddr, Duration) -> io::Result<f64>,
    target: &'static str,
    /// Ours divided by theirs (or the plain figure) meets the target.
    meets: fn(ours: f64, theirs: f64) -> bool,
}

const ROWS: &[Row] = &[
    Row {
        name: "ChannelData, saturated",
        unit: "CPU us/packet",
        measure: load::saturated_cost,
        target: "<= 0.62 x",
        meets: |ours, theirs| ours <= 0.62 * theirs,
    },
    Row {
        name: "ChannelData, peak without loss",
        unit: "packets/s",
        measure: load::saturated_rate,
        target: ">= 1.5 x",
        meets: |ours, theirs| ours >= 1.5 * theirs,
    },
    Row {
        name: "ChannelData, senders with GSO",
        unit: "CPU us/packet",
        measure: load::offloaded_cost,
        target: "",
        meets: |_, _| true,
    },
    Row {
        name: "paced, 100 x 100/s each way",
        unit: "CPU us/packet",
        measure: load::paced_cost,
        target: "<= 0.60 x",
        meets: |ours, theirs| ours <= 0.60 * theirs,
    },
    Row {
        name: "Binding answers",
        unit: "CPU us each",
        measure: load::binding_cost,
        target: "<= 0.45 x",
        meets: |ours, theirs| ours <= 0.45 * theirs,
    },
    Row {
        name: "memory at 1,000 allocations",
        unit: "KiB each",
        measure: load::memory,
        target: "<= 8 KiB",
        meets: |ours, _| ours <= 8.0,
    },
    Row {
        name: "allocations, fresh server",
        unit: "per second",
        measure: load::allocation_rate,
        target: ">= 4 x",
        meets: |ours, theirs| ours >= 4.0 * theirs,
    },
    Row {
        name: "the same, as the server's cost",
        unit: "CPU us each",
        measure: load::allocation_cost,
        target: "",
        meets: |_, _| true,
    },
];

pub(crate) fn run(options: &Options) -> io::Result<()> {
    pin(LOAD_CORE)?;
    let window = Duration::from_millis(options.window);
    println!(
        "{:32} {:>14} {:>10} {:>10} {:>7}  {:10} met",
        "work", "unit", "twocan", "coturn", "ratio", "target"
    );
    for row in ROWS {
        if options.only.as_ref().is_some_and(|only| !row.name.contains(only.as_str())) {
            continue;
        }
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..options.rounds {
            ours.push(measure(row, window, || start_twocan(&options.twocan, "off"))?);
            if !options.alone {
                theirs.push(measure(row, window, start_coturn)?);
            }
        }
        let (ours, theirs) = (median(&ours), median(&theirs));
        let met = if options.alone {
            "?"
        } else if (row.meets)(ours, theirs) {
            "yes"
        } else {
            "NO"
        };
        println!(
            "{:32} {:>14} {:>10.2} {:>10.2} {:>7.3}  {:10} {met}",
            row.name,
            row.unit,
            ours,
            theirs,
            ours / theirs,
            row.target
        );
    }
    Ok(())
}

fn measure(
    row: &Row,
    window: Duration,
    start: impl FnOnce() -> io::Result<(Process, SocketAddr)>,
) -> io::Result<f64> {
    let (server, address) = start()?;
    wait_until_up(address)?;
    (row.measure)(&server, address, window)
}

fn start_twocan(program: &Path, http: &str) -> io::Result<(Process, SocketAddr)> {
    let port = free_port()?;
    let arguments = [
        "serve",
        "--http",
        http,
        "--https",
        "off",
        "--turns",
        "off",
        "--workers",
        "1",
        "--allocations-per-user",
        "16000",
        "--allocations-per-address",
        "16000",
        "--allow-peer",
        "127.0.0.0/8",
        "--turn-realm",
        "bench",
    ];
    let mut arguments: Vec<String> = arguments.map(String::from).into();
    arguments.extend(["--stun-turn".into(), format!("127.0.0.1:{port}")]);
    arguments.extend(["--turn-user".into(), format!("{USER}:{PASSWORD}")]);
    let folder = std::env::temp_dir().join("twocan-bench");
    arguments.extend(["--data-dir".into(), folder.display().to_string()]);
    let program = program.display().to_string();
    Ok((Process::start(&program, &arguments)?, SocketAddr::from(([127, 0, 0, 1], port))))
}

fn start_coturn() -> io::Result<(Process, SocketAddr)> {
    let port = free_port()?;
    let arguments = [
        "-n",
        "--listening-ip",
        "127.0.0.1",
        "--relay-ip",
        "127.0.0.1",
        "--lt-cred-mech",
        "--realm",
        "bench",
        "--allow-loopback-peers",
        "--no-tls",
        "--no-dtls",
        "--no-cli",
        "--log-file",
        "/dev/null",
        "--simple-log",
        "--no-stdout-log",
        "--relay-threads",
        "1",
        "--pidfile",
        "/dev/null",
        "--min-port",
        "49152",
        "--max-port",
        "65535",
    ];
    let mut arguments: Vec<String> = arguments.map(String::from).into();
    arguments.extend(["--listening-port".into(), port.to_string()]);
    arguments.extend(["--user".into(), format!("{USER}:{PASSWORD}")]);
    let process = Process::start("turnserver", &arguments).map_err(|error| {
        io::Error::other(format!("cannot start coturn ({error}): install the package coturn, or use --alone"))
    })?;
    Ok((process, SocketAddr::from(([127, 0, 0, 1], port))))
}

/// Below the range of relayed addresses.
fn free_port() -> io::Result<u16> {
    for _ in 0..100 {
        let port = UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port();
        if port < 49152 && std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Err(io::Error::other("no free port below 49152"))
}

fn wait_until_up(address: SocketAddr) -> io::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        if client::binding(address, Duration::from_millis(200)).is_ok() {
            return Ok(());
        }
    }
    Err(io::Error::other(format!("no server answers at {address} after 20 s")))
}
