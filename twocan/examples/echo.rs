//! A browser's data channels, echoed: put the browser's offer into standard input, as one line of JSON, and give it the
//! answer that is printed.
//!
//! In the browser's console:
//!
//! ```js
//! const pc = new RTCPeerConnection();
//! const channel = pc.createDataChannel('echo');
//! channel.onmessage = ({ data }) => console.log(data);
//! channel.onopen = () => channel.send('hello');
//! await pc.setLocalDescription();
//! // When gathering is complete: JSON.stringify(pc.localDescription), and
//! // await pc.setRemoteDescription(answer).
//! ```

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use twocan::{Configuration, DataChannel, IceGatheringState, PeerConnection, PeerEvent, SessionDescription};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut line = String::new();
    BufReader::new(tokio::io::stdin()).read_line(&mut line).await?;
    let offer: Value = serde_json::from_str(&line)?;
    let sdp = offer["sdp"].as_str().ok_or("an offer is an object with type and sdp")?;

    let mut peer =
        PeerConnection::new(Configuration { include_loopback: true, ..Configuration::default() }).await?;
    peer.set_remote_description(SessionDescription::offer(sdp)).await?;
    peer.set_local_description(None).await?;
    while let Some(event) = peer.next_event().await {
        match event {
            PeerEvent::IceGatheringState(IceGatheringState::Complete) => {
                let answer = peer.local_description().await.ok_or("no answer")?;
                println!("{}", json!({ "type": "answer", "sdp": answer.sdp }));
            }
            PeerEvent::ConnectionState(state) => eprintln!("{state:?}"),
            PeerEvent::DataChannel(channel) => {
                tokio::spawn(echo(channel));
            }
            _ => {}
        }
    }
    Ok(())
}

async fn echo(mut channel: DataChannel) {
    eprintln!("channel {}", channel.label());
    while let Some(message) = channel.recv().await {
        if channel.send(message).await.is_err() {
            return;
        }
    }
}
