//! The `twocan` binary: signaling, web app, STUN and TURN in one process, and the command line.

mod clock;
mod http;
mod ice_servers;
mod metrics;
mod nat;
#[expect(dead_code, reason = "the listeners that feed it follow")]
mod relay;
mod serve;
mod signaling;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Calls between browsers: signaling server, STUN, TURN and web app in one binary.
#[derive(Parser)]
#[command(name = "twocan", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server.
    Serve(serve::Options),
    /// Tell what NAT this machine is behind, and what that means for calls.
    Nat(nat::Options),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(options) => serve::run(&options),
        Command::Nat(options) => nat::run(&options),
    }
}
