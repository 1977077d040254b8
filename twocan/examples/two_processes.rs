//! A data channel between two processes. What goes over the TCP connection between them is signaling, and any other way
//! would do:
//!
//! ```text
//! cargo run -p twocan --example two_processes -- listen 127.0.0.1:9000
//! cargo run -p twocan --example two_processes -- connect 127.0.0.1:9000
//! ```
//!
//! Then each line that is typed at one end is printed at the other. Add `relay turn:… USER PASSWORD` to go through a relay
//! and no other way.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use twocan::{
    Configuration, DataChannel, DataChannelOptions, IceCandidateInit, IceServer, IceTransportPolicy, Message,
    PeerConnection, PeerEvent, SessionDescription,
};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (offers, address, rest) = match words.as_slice() {
        ["listen", address, rest @ ..] => (false, *address, rest),
        ["connect", address, rest @ ..] => (true, *address, rest),
        _ => return Err("say `listen ADDRESS` or `connect ADDRESS`".into()),
    };
    let mut configuration = Configuration { include_loopback: true, ..Configuration::default() };
    if let ["relay", url, user, password] = rest {
        configuration.ice_servers = vec![IceServer::turn(*url, *user, *password)];
        configuration.ice_transport_policy = IceTransportPolicy::Relay;
    }
    let stream = if offers {
        TcpStream::connect(address).await?
    } else {
        TcpListener::bind(address).await?.accept().await?.0
    };
    let (reader, mut writer) = stream.into_split();
    let mut signals = BufReader::new(reader).lines();

    let mut peer = PeerConnection::new(configuration).await?;
    let mut channel = None;
    if offers {
        channel = Some(peer.create_data_channel("lines", DataChannelOptions::default()).await?);
        say_description(&mut writer, peer.set_local_description(None).await?).await?;
    }
    while channel.as_ref().is_none_or(|channel: &DataChannel| channel.ready_state().is_some()) {
        tokio::select! {
            event = peer.next_event() => match event.ok_or("closed")? {
                PeerEvent::IceCandidate(Some(candidate)) => say_candidate(&mut writer, candidate).await?,
                PeerEvent::DataChannel(opened) => channel = Some(opened),
                PeerEvent::SelectedCandidatePair(pair) => eprintln!("by {pair}"),
                PeerEvent::IceCandidateError(error) => eprintln!("{}: {}", error.url, error.error_text),
                PeerEvent::ConnectionState(state) => eprintln!("{state:?}"),
                _ => {}
            },
            signal = next_signal(&mut signals) => hear(&peer, &mut writer, signal?).await?,
            else => break,
        }
        if let Some(channel) = channel.as_mut().filter(|_| peer.selected_candidate_pair().is_some()) {
            return talk(channel).await;
        }
    }
    Ok(())
}

/// Standard input to the peer, and back.
async fn talk(channel: &mut DataChannel) -> Result<()> {
    channel.ready().await?;
    let mut input = BufReader::new(tokio::io::stdin()).lines();
    loop {
        tokio::select! {
            line = input.next_line() => match line? {
                Some(line) => channel.send(line).await?,
                None => {
                    channel.close();
                    channel.closed().await;
                    return Ok(());
                }
            },
            message = channel.recv() => match message {
                Some(Message::Text(line)) => println!("{line}"),
                Some(Message::Binary(bytes)) => println!("{} bytes", bytes.len()),
                None => return Ok(()),
            },
        }
    }
}

async fn hear(peer: &PeerConnection, writer: &mut OwnedWriteHalf, signal: Value) -> Result<()> {
    let text = |name: &str| signal[name].as_str().unwrap_or_default().to_owned();
    match text("type").as_str() {
        "offer" => {
            peer.set_remote_description(SessionDescription::offer(text("sdp"))).await?;
            say_description(writer, peer.set_local_description(None).await?).await?;
        }
        "answer" => peer.set_remote_description(SessionDescription::answer(text("sdp"))).await?,
        _ => {
            let candidate = IceCandidateInit {
                candidate: text("candidate"),
                sdp_mid: Some(text("sdpMid")),
                ..IceCandidateInit::default()
            };
            peer.add_ice_candidate(Some(candidate)).await?;
        }
    }
    Ok(())
}

/// Candidates may come until the end: then nothing more is heard.
async fn next_signal(signals: &mut Lines<BufReader<OwnedReadHalf>>) -> Result<Value> {
    match signals.next_line().await? {
        Some(line) => Ok(serde_json::from_str(&line)?),
        None => std::future::pending().await,
    }
}

async fn say_description(writer: &mut OwnedWriteHalf, description: SessionDescription) -> Result<()> {
    say(writer, &json!({ "type": description.kind.to_string(), "sdp": description.sdp })).await
}

async fn say_candidate(writer: &mut OwnedWriteHalf, candidate: IceCandidateInit) -> Result<()> {
    say(writer, &json!({ "candidate": candidate.candidate, "sdpMid": candidate.sdp_mid })).await
}

async fn say(writer: &mut OwnedWriteHalf, signal: &Value) -> Result<()> {
    Ok(writer.write_all(format!("{signal}\n").as_bytes()).await?)
}
