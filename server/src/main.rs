//! The `twocan` binary: signaling, web app, STUN and TURN in one process, and the command line.

mod clock;
mod conference;
mod config;
mod files;
#[cfg(feature = "count-heap")]
mod heap;
mod http;
mod ice_servers;
mod media;
mod metrics;
mod nat;
mod relay;
mod serve;
mod signaling;
mod sockets;
mod streams;
mod tls;

use std::process::ExitCode;

use config::{Asked, Command};

fn main() -> ExitCode {
    #[cfg(feature = "count-heap")]
    let _counting = heap::count();
    match config::load(std::env::args_os()) {
        Ok(Asked::Command(Command::Serve(options))) => serve::run(&options),
        Ok(Asked::Command(Command::Nat(options))) => nat::run(&options),
        Ok(Asked::Command(Command::Send(options))) => files::send(&options),
        Ok(Asked::Command(Command::Receive(options))) => files::receive(&options),
        Ok(Asked::Command(Command::Publish(options))) => streams::publish(&options),
        Ok(Asked::Command(Command::Record(options))) => streams::record(&options),
        Ok(Asked::Text(text)) => text.exit(),
        Err(error) => {
            eprintln!("twocan: {error}");
            ExitCode::from(2)
        }
    }
}
