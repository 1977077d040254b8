//! Perfect negotiation (W3C webrtc-pc §10.7): either end may change what it wants at any time, even both at once, and the
//! same code runs at both. One of them is polite: its offer gives way.
//!
//! `cargo run -p twocan --example perfect_negotiation`: both ends make a channel at the same moment, so their offers cross.

use tokio::sync::mpsc;
use twocan::{
    Configuration, DataChannelOptions, IceCandidateInit, Message, PeerConnection, PeerEvent, SdpType,
    SessionDescription, SignalingState,
};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What goes through signaling.
enum Signal {
    Description(SessionDescription),
    Candidate(Option<IceCandidateInit>),
}

#[tokio::main]
async fn main() -> Result<()> {
    let (to_ada, from_bob) = mpsc::unbounded_channel();
    let (to_bob, from_ada) = mpsc::unbounded_channel();
    let ada = tokio::spawn(run("ada", true, to_bob, from_bob));
    let bob = tokio::spawn(run("bob", false, to_ada, from_ada));
    let (_ada, _bob) = (ada.await??, bob.await??);
    Ok(())
}

/// Until a message has come over the peer's channel. The connection is handed back, so that the peer has its message, too.
async fn run(
    name: &'static str,
    is_polite: bool,
    to_peer: mpsc::UnboundedSender<Signal>,
    mut from_peer: mpsc::UnboundedReceiver<Signal>,
) -> Result<(PeerConnection, twocan::DataChannel)> {
    let mut peer =
        PeerConnection::new(Configuration { include_loopback: true, ..Configuration::default() }).await?;
    let channel = peer.create_data_channel(name, DataChannelOptions::default()).await?;
    let sender = channel.sender();
    tokio::spawn(async move { sender.send(format!("hello from {name}")).await });
    let (told, mut heard) = mpsc::unbounded_channel();
    let mut ignores_offer = false;
    loop {
        tokio::select! {
            event = peer.next_event() => match event.ok_or("closed")? {
                PeerEvent::NegotiationNeeded => {
                    println!("{name} offers");
                    let offer = peer.set_local_description(None).await?;
                    to_peer.send(Signal::Description(offer))?;
                }
                PeerEvent::IceCandidate(candidate) => to_peer.send(Signal::Candidate(candidate))?,
                PeerEvent::DataChannel(mut theirs) => {
                    let told = told.clone();
                    tokio::spawn(async move {
                        if let Some(Message::Text(text)) = theirs.recv().await {
                            let _ = told.send(text);
                        }
                        theirs.closed().await;
                    });
                }
                _ => {}
            },
            Some(text) = heard.recv() => {
                println!("{name} hears: {text}");
                return Ok((peer, channel));
            }
            Some(signal) = from_peer.recv() => match signal {
                Signal::Description(description) => {
                    let is_offer = description.kind == SdpType::Offer;
                    let collides = is_offer && peer.signaling_state() != SignalingState::Stable;
                    ignores_offer = collides && !is_polite;
                    if ignores_offer {
                        println!("{name} ignores an offer that crossed its own");
                        continue;
                    }
                    // The polite one's own offer is rolled back by this.
                    peer.set_remote_description(description).await?;
                    if is_offer {
                        to_peer.send(Signal::Description(peer.set_local_description(None).await?))?;
                    }
                }
                Signal::Candidate(candidate) => match peer.add_ice_candidate(candidate).await {
                    // Candidates of an offer that was ignored belong to nothing.
                    Err(_) if ignores_offer => {}
                    outcome => outcome?,
                },
            },
        }
    }
}
