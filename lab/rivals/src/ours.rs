//! Ours: the crate `twocan`, spoken to as the others are.
//!
//! It takes a little more: `{"begin": {"servers": [{"urls": ["turn:…"], "username", "credential"}], "only": "1.2"}}`, where
//! `only` is the one version of DTLS that it speaks, `"names": true` has it tell names in place of addresses, and
//! `"echo": true` has it send sound and pictures back as they come; `{"restart": true}`, which makes an offer that restarts ICE; and
//! `{"stats": true}`. It tells `{"selected": ["relay", "srflx"], "at": ["192.0.2.1:5000", …], "over": "Tls"}`, `{"state": "Disconnected"}`,
//! `{"network": true}` when this machine's addresses change and, when asked, `{"stats": {…}}`: the transport's statistics,
//! with what no standard names.

use std::sync::mpsc::{Receiver, Sender};

use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use twocan::stats::{DtlsInStun, Stats, TransportStats};
use twocan::{
    Configuration, DataChannel, DataChannelOptions, Direction, DtlsVersion, IceCandidateInit,
    IceCandidateType, IceGatheringState, IceServer, Message, PeerConnection, PeerConnectionState, PeerEvent,
    SdpType, SessionDescription, Transceiver,
};

use crate::{End, pattern};

/// An end.
pub fn end() -> End {
    End::thread("twocan", |input, output| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(run(lines(input), output));
    })
}

/// Lines for asynchronous code, until there are no more.
pub(crate) fn lines(input: Receiver<Value>) -> UnboundedReceiver<Value> {
    let (sender, lines) = unbounded_channel();
    std::thread::spawn(move || input.into_iter().try_for_each(|line| sender.send(line)));
    lines
}

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

struct Driver {
    peer: PeerConnection,
    channel: Option<DataChannel>,
    output: Sender<Value>,
    trickle: bool,
    /// Says its description once all candidates are in it.
    owes: bool,
    /// Sends media back.
    echoes: bool,
}

async fn run(mut input: UnboundedReceiver<Value>, output: Sender<Value>) {
    let Some(begin) = input.recv().await else { return };
    let mut configuration =
        Configuration { include_loopback: true, max_message_size: 8 << 20, ..Configuration::default() };
    for server in begin["begin"]["servers"].as_array().into_iter().flatten() {
        let text = |key: &str| server[key].as_str().unwrap_or_default().to_owned();
        let urls = server["urls"].as_array().into_iter().flatten().filter_map(Value::as_str);
        configuration.ice_servers.push(IceServer {
            urls: urls.map(ToOwned::to_owned).collect(),
            username: text("username"),
            credential: text("credential"),
        });
    }
    match begin["begin"]["only"].as_str() {
        Some("1.2") => configuration.dtls_versions = DtlsVersion::Dtls12..=DtlsVersion::Dtls12,
        Some("1.3") => configuration.dtls_versions = DtlsVersion::Dtls13..=DtlsVersion::Dtls13,
        _ => {}
    }
    configuration.mdns_candidates = begin["begin"]["names"] == true;
    let peer = PeerConnection::new(configuration).await.expect("a peer connection");
    let trickle = begin["begin"]["trickle"] == true;
    let echoes = begin["begin"]["echo"] == true;
    let mut driver = Driver { peer, channel: None, output, trickle, owes: false, echoes };
    loop {
        let message = async {
            match &mut driver.channel {
                Some(channel) => channel.recv().await,
                None => std::future::pending().await,
            }
        };
        let outcome = tokio::select! {
            line = input.recv() => match line {
                Some(line) => driver.obey(&line).await,
                None => return,
            },
            Some(event) = driver.peer.next_event() => driver.happen(event).await,
            message = message => {
                driver.hear(message);
                Ok(())
            }
        };
        if let Err(why) = outcome {
            driver.say(json!({ "error": why.to_string() }));
        }
    }
}

impl Driver {
    fn say(&self, line: Value) {
        // Nobody listens at the end.
        let _ = self.output.send(line);
    }

    async fn obey(&mut self, line: &Value) -> Outcome<()> {
        if line.get("restart").is_some() {
            self.peer.restart_ice();
            self.describe().await?;
        } else if let Some(label) = line["offer"].as_str() {
            let channel = self.peer.create_data_channel(label, DataChannelOptions::default()).await?;
            self.describe().await?;
            self.channel = Some(channel);
        } else if let Some(description) = line.get("description") {
            let kind: SdpType = description["type"].as_str().unwrap_or_default().parse()?;
            let sdp = description["sdp"].as_str().ok_or("no SDP")?.to_owned();
            self.peer.set_remote_description(SessionDescription { kind, sdp }).await?;
            if self.echoes {
                for one in self.peer.take_transceivers().await? {
                    one.set_direction(Direction::SendRecv).await?;
                    tokio::spawn(echo(one));
                }
            }
            if kind == SdpType::Offer {
                self.describe().await?;
            }
        } else if let Some(candidate) = line.get("candidate") {
            let text = |key: &str| candidate[key].as_str().map(ToOwned::to_owned);
            let init = text("candidate").map(|candidate_line| IceCandidateInit {
                candidate: candidate_line,
                sdp_mid: text("sdpMid"),
                sdp_m_line_index: candidate["sdpMLineIndex"].as_u64().map(|index| index as u16),
                username_fragment: text("usernameFragment"),
            });
            self.peer.add_ice_candidate(init).await?;
        } else if line.get("stats").is_some() {
            let stats = self.stats().await?;
            self.say(json!({ "stats": stats }));
        } else if let Some(text) = line["text"].as_str() {
            self.send(Message::text(text)).await?;
        } else if let Some(length) = line["bytes"].as_u64() {
            self.send(pattern(usize::try_from(length)?).into()).await?;
        } else if line["close"] == "channel" {
            self.channel.as_ref().ok_or("no channel")?.close();
        } else if line["close"] == "connection" {
            self.peer.close();
        }
        Ok(())
    }

    async fn send(&self, message: Message) -> Outcome<()> {
        Ok(self.channel.as_ref().ok_or("no channel")?.send(message).await?)
    }

    async fn describe(&mut self) -> Outcome<()> {
        let description = self.peer.set_local_description(None).await?;
        self.owes = !self.trickle;
        if self.trickle {
            self.say_description(&description);
        }
        Ok(())
    }

    /// The transport's statistics.
    async fn stats(&self) -> Outcome<Value> {
        let report = self.peer.get_stats().await?;
        let Some(Stats::Transport(stats)) = report.get(TransportStats::ID) else {
            return Err("no transport".into());
        };
        let mut all: Value = serde_json::from_str(&report.to_json(0.0))?;
        let mut transport = all[TransportStats::ID].take();
        let DtlsInStun { received, acknowledged } = stats.dtls_in_stun;
        transport["dtlsInStun"] = json!([received, acknowledged]);
        transport["sctpInits"] = stats.sctp_inits.into();
        Ok(transport)
    }

    fn say_description(&self, description: &SessionDescription) {
        let SessionDescription { kind, sdp } = description;
        self.say(json!({ "description": { "type": kind.as_str(), "sdp": sdp } }));
    }

    async fn happen(&mut self, event: PeerEvent) -> Outcome<()> {
        if let PeerEvent::ConnectionState(state) = event {
            self.say(json!({ "state": format!("{state:?}") }));
        }
        match event {
            PeerEvent::IceCandidate(Some(init)) if self.trickle => {
                let IceCandidateInit { candidate, sdp_mid, sdp_m_line_index, username_fragment } = init;
                self.say(json!({ "candidate": {
                    "candidate": candidate, "sdpMid": sdp_mid, "sdpMLineIndex": sdp_m_line_index,
                    "usernameFragment": username_fragment,
                } }));
            }
            PeerEvent::IceCandidate(None) if self.trickle => self.say(json!({ "candidate": null })),
            PeerEvent::IceGatheringState(IceGatheringState::Complete) if std::mem::take(&mut self.owes) => {
                let description = self.peer.local_description().await.ok_or("no description")?;
                self.say_description(&description);
            }
            PeerEvent::SelectedCandidatePair(pair) => {
                let (local, remote) = (pair.local, pair.remote);
                let at = [local.address.to_string(), remote.address.to_string()];
                let over = pair.relay_protocol.map(|protocol| format!("{protocol:?}"));
                let kinds = [kind(local.kind), kind(remote.kind)];
                self.say(json!({ "selected": kinds, "at": at, "over": over }));
            }
            // Whoever sees it wants a new one of whoever made it.
            PeerEvent::KeyFrameRequested { transceiver, encoding } => {
                self.peer.request_key_frame(transceiver, encoding).await?;
                self.say(json!({ "key_frame": encoding }));
            }
            PeerEvent::TargetBitrate(target) => self.say(json!({ "target": target })),
            PeerEvent::Failed(why) => self.say(json!({ "note": format!("{why:?}") })),
            PeerEvent::NetworkChange => self.say(json!({ "network": true })),
            PeerEvent::DataChannel(channel) => {
                self.say(json!({ "open": channel.label() }));
                self.channel = Some(channel);
            }
            PeerEvent::ConnectionState(PeerConnectionState::Connected) => {
                self.say(json!({ "note": "connected" }));
                // Ours opens with the connection.
                if let Some(channel) = &mut self.channel {
                    channel.ready().await?;
                    let label = channel.label().to_owned();
                    self.say(json!({ "open": label }));
                }
            }
            PeerEvent::ConnectionState(PeerConnectionState::Failed | PeerConnectionState::Closed) => {
                self.say(json!({ "closed": "connection" }));
            }
            _ => {}
        }
        Ok(())
    }

    fn hear(&mut self, message: Option<Message>) {
        let line = match message {
            None => {
                self.channel = None;
                json!({ "closed": "channel" })
            }
            Some(Message::Text(text)) => json!({ "text": text }),
            Some(Message::Binary(bytes)) => {
                json!({ "bytes": bytes.len(), "good": bytes == pattern(bytes.len()) })
            }
        };
        self.say(line);
    }
}

/// Sends packets of the first encoding back, until there are no more.
async fn echo(mut one: Transceiver) {
    let Ok(agreement) = one.agreed().await else { return };
    while let Some(packet) = one.receiver.recv_packet().await {
        // One that cannot be sent is missed, as others are.
        let _ = one.sender.forward(0, &packet, &agreement).await;
    }
}

fn kind(kind: IceCandidateType) -> &'static str {
    match kind {
        IceCandidateType::Host => "host",
        IceCandidateType::ServerReflexive => "srflx",
        IceCandidateType::PeerReflexive => "prflx",
        IceCandidateType::Relayed => "relay",
    }
}
