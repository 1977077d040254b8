//! `twocan nat`: what NAT this machine is behind, and what that means for calls (RFC 5780).

use std::io::{IsTerminal as _, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use stun::discovery::{Config, Finding, Report, Why};

mod driver;
mod json;
mod outlook;
mod place;
mod words;

use place::Place;

/// For how long bindings are left idle, as far as the person is ready to wait.
const LIFETIMES: [u64; 12] = [10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 600];

#[derive(clap::Args)]
#[command(
    after_help = "Exit codes: 0 all went well, 1 the network or the server did not answer, 2 wrong usage."
)]
pub(crate) struct Options {
    /// The STUN server to ask; best one on the Internet with two addresses (RFC 5780)
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:3478")]
    server: Place,
    /// Another STUN server, or the first one's second port: tells more when the first has only one address
    #[arg(long, value_name = "HOST:PORT")]
    second_server: Option<Place>,
    /// How long to wait, in seconds, to learn how long an idle binding stays; 0 to skip
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(0..=600))]
    lifetime: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Why nothing can be said: the network, not the person, is to blame.
#[derive(Debug)]
enum Failure {
    /// A name has no address.
    Unresolved(Place, std::io::Error),
    /// This machine has no way to the server, or no sockets.
    Socket(SocketAddr, std::io::Error),
    /// No randomness.
    Randomness,
    /// The server did not answer, or refused.
    NoAnswer(SocketAddr, Why),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unresolved(place, error) => {
                write!(f, "{place} has no address ({error}): check the name, and that names resolve here")
            }
            Self::Socket(server, error) => write!(f, "there is no way to {server} from here: {error}"),
            Self::Randomness => f.write_str("this machine has no randomness to give"),
            Self::NoAnswer(server, Why::NoConnectivity) => write!(
                f,
                "{server} does not answer over UDP: check that it is a STUN server and runs, and that \
                 no firewall here blocks UDP"
            ),
            Self::NoAnswer(server, why) => write!(f, "{server} does not help: {why}"),
        }
    }
}

pub(crate) fn run(options: &Options) -> ExitCode {
    let result = discover(options);
    let (text, code) = match &result {
        Ok(report) if options.json => (json::report(report), ExitCode::SUCCESS),
        Ok(report) => (words::report(report), ExitCode::SUCCESS),
        Err(failure) => {
            eprintln!("twocan: {failure}");
            let text = if options.json { json::failure(&failure.to_string()) } else { String::new() };
            (text, ExitCode::FAILURE)
        }
    };
    // Whoever closed the pipe has read enough.
    let _ = std::io::stdout().write_all(text.as_bytes());
    code
}

fn discover(options: &Options) -> Result<Report, Failure> {
    let server = resolve(&options.server, None)?;
    let alternate =
        options.second_server.as_ref().map(|place| resolve(place, Some(server.is_ipv4()))).transpose()?;
    // On loopback there is no NAT whose bindings could expire.
    let patience = if server.ip().is_loopback() { 0 } else { options.lifetime };
    let mut lifetimes: Vec<u64> = LIFETIMES.into_iter().filter(|time| *time < patience).collect();
    lifetimes.extend((patience > 0).then_some(patience));
    let _waiting = (!options.json && std::io::stderr().is_terminal()).then(|| waiting(server, patience + 10));
    let mut seed = [0; 32];
    aws_lc_rs::rand::fill(&mut seed).map_err(|_| Failure::Randomness)?;
    let local = driver::local_address(server).map_err(|error| Failure::Socket(server, error))?;
    let report = driver::run(local, lifetimes.len(), |ports| Config {
        server,
        alternate,
        // Where RFC 5780's second port is by custom, and ours by default.
        guess: server.port().checked_add(1),
        local: ports[0],
        second: ports[1],
        lifetimes: lifetimes.iter().map(|time| Duration::from_secs(*time)).zip(ports[2..].to_vec()).collect(),
        seed,
    })
    .map_err(|error| Failure::Socket(server, error))?;
    match (report.mapped, report.mapping) {
        (None, Finding::Unknown(why)) => Err(Failure::NoAnswer(server, why)),
        _ => Ok(report),
    }
}

/// Shows that something goes on, until it is dropped.
fn waiting(server: SocketAddr, at_most: u64) -> indicatif::ProgressBar {
    let words = format!("{{spinner}} Asking {server}. This takes up to {at_most} s: {{elapsed}}");
    let style = indicatif::ProgressStyle::with_template(&words);
    let bar = indicatif::ProgressBar::new_spinner()
        .with_style(style.unwrap_or_else(|_| indicatif::ProgressStyle::default_spinner()))
        .with_finish(indicatif::ProgressFinish::AndClear);
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// The place's address: of the family that is asked for, else IPv4 first, since that is where the NATs are.
fn resolve(place: &Place, ipv4: Option<bool>) -> Result<SocketAddr, Failure> {
    let addresses = place.resolve().map_err(|error| Failure::Unresolved(place.clone(), error))?;
    let wanted = |address: &&SocketAddr| ipv4.is_none_or(|ipv4| address.is_ipv4() == ipv4);
    addresses
        .iter()
        .filter(wanted)
        .min_by_key(|address| matches!(address.ip(), IpAddr::V6(_)))
        .copied()
        .ok_or_else(|| Failure::Unresolved(place.clone(), std::io::Error::other("none of the right family")))
}
