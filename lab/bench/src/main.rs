//! How fast: load generators of our own, and other implementations beside ours in the same run.
//!
//! The machine may be shared and noisy: rounds are interleaved, medians and ratios are what counts, and CPU
//! time of the server process is preferred over wall time.

mod process;
mod relay;
mod signaling;
mod stats;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "bench", about = "Measures twocan beside other implementations")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The TURN and STUN server, beside coturn.
    Relay(relay::Options),
    /// The signaling server: memory of idle connections, CPU time of messages.
    Signaling(signaling::Options),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Relay(options) => relay::run(&options),
        Command::Signaling(options) => signaling::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
