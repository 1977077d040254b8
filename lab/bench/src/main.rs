//! How fast: load generators of our own, and other implementations beside ours in the same run.
//!
//! The machine may be shared and noisy: rounds are interleaved, medians and ratios are what counts, and CPU
//! time of the server process is preferred over wall time.
//!
//! `echo/uring.rs` is unsafe code, because io_uring has no safe interface and must be measured before anything
//! can be said of it. Nothing that is shipped contains it.

mod bare;
mod beside;
mod bwe;
mod echo;
mod forward;
mod peer;
mod process;
mod relay;
mod room;
mod sfu;
mod signaling;
mod simulator;
mod srtp;
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
    /// Heap blocks that the relay takes for each packet.
    Heap(relay::heap::Options),
    /// epoll beside io_uring, in a bare echo.
    Echo(echo::Options),
    /// Peer connections, beside other stacks.
    Peer(peer::Options),
    /// The signaling server: memory of idle connections, CPU time of messages.
    Signaling(signaling::Options),
    /// Data channels of several stacks in a simulated network.
    Simulator(simulator::Options),
    /// The forwarder of media: one streams, many watch.
    Sfu(sfu::Options),
    /// The forwarder beside other ones: LiveKit, and what is written with Pion.
    SfuOthers(beside::Options),
    /// Sending one stream to many, without sockets, beside str0m.
    Forward(forward::Options),
    /// The forwarder's rooms alone: CPU time of each packet.
    Room(room::Options),
    /// Bandwidth estimation in a simulated network, beside str0m's; its time and memory for each packet.
    Bwe(bwe::Options),
    /// Packets of SRTP that a CPU-second protects and opens, beside webrtc-rs's.
    Srtp(srtp::Options),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Relay(options) => relay::run(&options),
        Command::Heap(options) => relay::heap::run(&options),
        Command::Echo(options) => echo::run(&options),
        Command::Peer(options) => peer::run(&options),
        Command::Signaling(options) => signaling::run(&options),
        Command::Simulator(options) => simulator::run(&options),
        Command::Sfu(options) => sfu::run(&options),
        Command::SfuOthers(options) => beside::run(&options),
        Command::Forward(options) => forward::run(&options),
        Command::Room(options) => room::run(&options),
        Command::Bwe(options) => bwe::run(&options),
        Command::Srtp(options) => srtp::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
