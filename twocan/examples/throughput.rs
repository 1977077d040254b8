//! How much one data channel moves over real sockets on this machine, both ends in one process:
//! `cargo run --release --package twocan --example throughput`.

use std::time::{Duration, Instant};

use bytes::Bytes;
use twocan::{Configuration, DataChannel, DataChannelOptions, PeerConnection, PeerEvent};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let configuration = || Configuration { include_loopback: true, ..Configuration::default() };
    let begun = Instant::now();
    let (mut ada, mut bob) =
        (PeerConnection::new(configuration()).await?, PeerConnection::new(configuration()).await?);
    let channel = ada.create_data_channel("bulk", DataChannelOptions::default()).await?;
    let offer = ada.set_local_description(None).await?;
    bob.set_remote_description(offer).await?;
    let answer = bob.set_local_description(None).await?;
    ada.set_remote_description(answer).await?;
    let there = introduce(&mut ada, &mut bob).await?;
    channel.ready().await?;
    println!("connected after {:.1} ms", begun.elapsed().as_secs_f64() * 1e3);

    let counted = tokio::spawn(count(there));
    for size in [64 << 10, 16 << 10, 1 << 10] {
        let message = Bytes::from(vec![7; size]);
        let (cpu, start, mut sent) = (cpu(), Instant::now(), 0);
        while start.elapsed() < Duration::from_secs(3) {
            channel.send(message.clone()).await?;
            sent += size;
        }
        let (wall, cpu) = (start.elapsed().as_secs_f64(), (crate::cpu() - cpu).as_secs_f64());
        let megabytes = sent as f64 / 1e6;
        println!(
            "{size:>6} B messages: {:5.0} MB/s, {:5.0} MB per CPU-second",
            megabytes / wall,
            megabytes / cpu
        );
    }
    drop(channel);
    counted.await?;
    Ok(())
}

/// Passes candidates to and fro until the channel is there.
async fn introduce(ada: &mut PeerConnection, bob: &mut PeerConnection) -> Result<DataChannel, twocan::Error> {
    loop {
        tokio::select! {
            Some(event) = ada.next_event() => if let PeerEvent::IceCandidate(candidate) = event {
                bob.add_ice_candidate(candidate).await?;
            },
            Some(event) = bob.next_event() => match event {
                PeerEvent::IceCandidate(candidate) => ada.add_ice_candidate(candidate).await?,
                PeerEvent::DataChannel(channel) => return Ok(channel),
                _ => {}
            },
            else => return Err(twocan::Error::Closed),
        }
    }
}

async fn count(mut channel: DataChannel) -> usize {
    let mut bytes = 0;
    while let Some(message) = channel.recv().await {
        bytes += message.len();
    }
    bytes
}

/// CPU time of this process: both ends.
fn cpu() -> Duration {
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_PROCESS_CPUTIME_ID);
    time.map_or(Duration::ZERO, Duration::from)
}
