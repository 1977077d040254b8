//! How long two peer connections on this machine take until a data channel is open at both ends over real sockets, and how much CPU time:
//! `cargo run --release --package twocan --example connect`. `TRACE=1` prints when what happened.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use twocan::{Certificate, Configuration, DataChannelOptions, PeerConnection, PeerEvent};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rounds = std::env::args().nth(1).map_or(Ok(100), |rounds| rounds.parse())?;
    for (name, is_shared) in [("one certificate per process", true), ("one per connection", false)] {
        let certificate = Arc::new(Certificate::generate(random(), SystemTime::now())?);
        let certificates = if is_shared { vec![certificate] } else { Vec::new() };
        let mut times = Vec::new();
        let begun = cpu();
        for _ in 0..rounds {
            times.push(connect(certificates.clone()).await?);
        }
        let cpu = (cpu() - begun) / rounds;
        times.sort_unstable();
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        println!(
            "{name}: median {:.2} ms, least {:.2}, nine of ten {:.2}; {:.2} ms of CPU per pair",
            ms(times[times.len() / 2]),
            ms(times[0]),
            ms(times[times.len() * 9 / 10]),
            ms(cpu),
        );
    }
    Ok(())
}

async fn connect(certificates: Vec<Arc<Certificate>>) -> Result<Duration, Box<dyn std::error::Error>> {
    let configuration = || Configuration {
        certificates: certificates.clone(),
        include_loopback: true,
        ..Configuration::default()
    };
    let trace = std::env::var_os("TRACE").is_some();
    let begun = Instant::now();
    let note = |what: &str| {
        if trace {
            println!("{:7.3} ms {what}", begun.elapsed().as_secs_f64() * 1e3);
        }
    };
    let mut ada = PeerConnection::new(configuration()).await?;
    let mut bob = PeerConnection::new(configuration()).await?;
    note("made");
    let channel = ada.create_data_channel("first", DataChannelOptions::default()).await?;
    let offer = ada.set_local_description(None).await?;
    bob.set_remote_description(offer).await?;
    let answer = bob.set_local_description(None).await?;
    ada.set_remote_description(answer).await?;
    note("described");
    let (mut is_open, mut theirs) = (false, None);
    while !is_open || theirs.is_none() {
        tokio::select! {
            event = ada.next_event() => match event.ok_or(twocan::Error::Closed)? {
                PeerEvent::IceCandidate(candidate) => bob.add_ice_candidate(candidate).await?,
                event => note(&format!("ada {event:?}")),
            },
            event = bob.next_event() => match event.ok_or(twocan::Error::Closed)? {
                PeerEvent::IceCandidate(candidate) => ada.add_ice_candidate(candidate).await?,
                PeerEvent::DataChannel(channel) => {
                    note("bob has the channel");
                    theirs = Some(channel);
                }
                event => note(&format!("bob {event:?}")),
            },
            open = channel.ready(), if !is_open => {
                open?;
                note("ada's channel is open");
                is_open = true;
            }
        }
    }
    Ok(begun.elapsed())
}

fn random() -> [u8; 32] {
    let mut seed = [0; 32];
    aws_lc_rs::rand::fill(&mut seed).expect("randomness");
    seed
}

/// CPU time of this process: both ends.
fn cpu() -> Duration {
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_PROCESS_CPUTIME_ID);
    time.map_or(Duration::ZERO, Duration::from)
}
