//! What `getStats` knows of a connection, as JSON under the W3C's names: `cargo run -p twocan --example statistics`.

use std::time::{SystemTime, UNIX_EPOCH};

use twocan::{Configuration, DataChannelOptions, PeerConnection, PeerEvent};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let configuration = || Configuration { include_loopback: true, ..Configuration::default() };
    let mut ada = PeerConnection::new(configuration()).await?;
    let mut bob = PeerConnection::new(configuration()).await?;
    let channel = ada.create_data_channel("measured", DataChannelOptions::default()).await?;
    let offer = ada.set_local_description(None).await?;
    bob.set_remote_description(offer).await?;
    let answer = bob.set_local_description(None).await?;
    ada.set_remote_description(answer).await?;
    let mut theirs = loop {
        tokio::select! {
            Some(PeerEvent::IceCandidate(candidate)) = ada.next_event() => bob.add_ice_candidate(candidate).await?,
            Some(event) = bob.next_event() => match event {
                PeerEvent::IceCandidate(candidate) => ada.add_ice_candidate(candidate).await?,
                PeerEvent::DataChannel(channel) => break channel,
                _ => {}
            },
        }
    };
    for _ in 0..100 {
        channel.send(vec![0; 10_000]).await?;
        theirs.recv().await.ok_or("the channel is closed")?;
    }
    let report = ada.get_stats().await?;
    let timestamp = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64() * 1e3;
    let json: serde_json::Value = serde_json::from_str(&report.to_json(timestamp))?;
    println!("{json:#}");
    Ok(())
}
