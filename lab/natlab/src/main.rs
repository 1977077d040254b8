//! `natlab`: labs of real NATs from the command line.

mod puppet;

use std::process::{Command, ExitCode};

use clap::{Parser, Subcommand};
use twocan_natlab::{Carrier, Home, INTERNET, Lab, Running, SECOND_SERVER, SERVER};

/// Clients behind real NATs, in network namespaces.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Builds a lab, which stands until `natlab down`.
    Up {
        /// Its name.
        #[arg(long, default_value = "lab")]
        label: String,
        /// `NAME=NAT[+OPTION…]` for a client, e.g. `ada=port-restricted bob=symmetric+udp-blocked+loss=20`;
        /// `NAME=carrier[+hairpin]` for a carrier, e.g. `isp=carrier ada=port-restricted+behind=isp`.
        /// NATs: none, full-cone, address-restricted, port-restricted, symmetric. Options: udp-blocked,
        /// only-443, hairpin, ipv6, behind=CARRIER, loss=PER_MILLE, rate=KBIT_PER_SECOND.
        #[arg(required = true)]
        topology: Vec<String>,
    },
    /// Runs a program at a place of the lab: a client, a carrier, `NAME-router` or `internet`.
    Exec {
        /// The lab's name.
        #[arg(long, default_value = "lab")]
        label: String,
        /// Where.
        place: String,
        /// What.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// Ends every process in the lab, and removes it.
    Down {
        /// The lab's name.
        #[arg(long, default_value = "lab")]
        label: String,
    },
    /// Does on its sockets what lines on standard input say; the tests' hands inside a namespace.
    #[command(hide = true)]
    Puppet,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Up { label, topology } => up(&label, &topology),
        Task::Exec { label, place, command } => return exec(&label, &place, &command),
        Task::Down { label } => Running::take_down(&label).map_err(|error| error.to_string()),
        Task::Puppet => puppet::perform().map_err(|error| error.to_string()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("natlab: {why}");
            ExitCode::from(2)
        }
    }
}

fn up(label: &str, topology: &[String]) -> Result<(), String> {
    let mut lab = Lab::new();
    let mut clients = Vec::new();
    for word in topology {
        let (name, what) = word.split_once('=').ok_or_else(|| format!("{word:?} should be NAME=NAT"))?;
        lab = match what {
            "carrier" => lab.carrier(name, Carrier::NoHairpin),
            "carrier+hairpin" => lab.carrier(name, Carrier::Hairpin),
            _ => {
                let home: Home = what.parse()?;
                clients.push((name, home.clone()));
                lab.client(name, home)
            }
        };
    }
    let running = lab.up_detached(label).map_err(|error| error.to_string())?;
    println!("{INTERNET:<20} {SERVER}, {SECOND_SERVER}");
    for (name, home) in clients {
        println!("{name:<20} {:<16} {home}", running.address(name));
    }
    println!("natlab exec --label {label} PLACE COMMAND… runs something there.");
    Ok(())
}

fn exec(label: &str, place: &str, command: &[String]) -> ExitCode {
    let status = Command::new("ip")
        .args(["netns", "exec", &Running::detached_namespace(label, place)])
        .args(command)
        .status();
    match status {
        Ok(status) => ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)),
        Err(why) => {
            eprintln!("natlab: `ip` could not be run: {why}");
            ExitCode::from(2)
        }
    }
}
