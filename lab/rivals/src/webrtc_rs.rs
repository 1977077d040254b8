//! webrtc-rs: the crate `webrtc` over tokio. With the feature `webrtc-rs` only.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};

use bytes::BytesMut;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use webrtc::data_channel::{DataChannel, DataChannelEvent};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceCandidateInit,
    RTCIceGatheringState, RTCPeerConnectionIceEvent, RTCPeerConnectionState, RTCSessionDescription,
};

use crate::ours::lines;
use crate::{End, pattern};

/// An end.
pub fn end() -> End {
    End::thread("webrtc-rs", |input, output| {
        // Its driver is a task beside ours.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(run(input, output));
    })
}

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// What its callbacks tell.
enum Told {
    Candidate(Box<RTCIceCandidateInit>),
    Gathered,
    State(RTCPeerConnectionState),
    Incoming(Arc<dyn DataChannel>),
    Channel(DataChannelEvent),
    ChannelIsOver,
}

struct Handler(UnboundedSender<Told>);

impl Handler {
    fn tell(&self, told: Told) {
        // Nobody listens at the end.
        let _ = self.0.send(told);
    }
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        if let Ok(mut candidate) = event.candidate.to_json() {
            // Its name of the section is always empty, which is none's; the number leads there.
            candidate.sdp_mid.take_if(|mid| mid.is_empty());
            self.tell(Told::Candidate(Box::new(candidate)));
        }
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.tell(Told::Gathered);
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.tell(Told::State(state));
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        self.tell(Told::Incoming(channel));
    }
}

struct Driver<P> {
    peer: P,
    told: UnboundedSender<Told>,
    channel: Option<Arc<dyn DataChannel>>,
    output: Sender<Value>,
    trickle: bool,
    /// Says its description once all candidates are in it.
    owes: bool,
}

async fn run(input: Receiver<Value>, output: Sender<Value>) {
    let mut input = lines(input);
    let Some(begin) = input.recv().await else { return };
    let (told, mut happens) = unbounded_channel();
    let peer = PeerConnectionBuilder::new()
        .with_handler(Arc::new(Handler(told.clone())))
        .with_udp_addrs(vec!["127.0.0.1:0"])
        .build()
        .await
        .expect("a peer connection");
    let trickle = begin["begin"]["trickle"] == true;
    let mut driver = Driver { peer, told, channel: None, output, trickle, owes: false };
    if let Err(why) = driver.drive(&mut input, &mut happens).await {
        driver.say(json!({ "error": why.to_string() }));
        // Until nobody asks for more.
        while input.recv().await.is_some() {}
    }
    let _ = driver.peer.close().await;
}

impl<P: PeerConnection> Driver<P> {
    async fn drive(
        &mut self,
        input: &mut UnboundedReceiver<Value>,
        happens: &mut UnboundedReceiver<Told>,
    ) -> Outcome<()> {
        loop {
            tokio::select! {
                line = input.recv() => match line {
                    Some(line) => self.obey(&line).await?,
                    None => return Ok(()),
                },
                Some(told) = happens.recv() => self.happen(told).await?,
            }
        }
    }

    fn say(&self, line: Value) {
        let _ = self.output.send(line);
    }

    async fn obey(&mut self, line: &Value) -> Outcome<()> {
        if let Some(label) = line["offer"].as_str() {
            let channel = self.peer.create_data_channel(label, None).await?;
            self.follow(channel);
            let offer = self.peer.create_offer(None).await?;
            self.describe(offer).await?;
        } else if let Some(description) = line.get("description") {
            let description: RTCSessionDescription = serde_json::from_value(description.clone())?;
            self.peer.set_remote_description(description).await?;
            if line["description"]["type"] == "offer" {
                let answer = self.peer.create_answer(None).await?;
                self.describe(answer).await?;
            }
        } else if let Some(candidate) = line.get("candidate").filter(|candidate| !candidate.is_null()) {
            // It knows no TCP candidate that connects: what it does not take is not used.
            let candidate: RTCIceCandidateInit = serde_json::from_value(candidate.clone())?;
            let _ = self.peer.add_ice_candidate(candidate).await;
        } else if let Some(text) = line["text"].as_str() {
            self.channel()?.send_text(text).await?;
        } else if let Some(length) = line["bytes"].as_u64() {
            self.channel()?.send(BytesMut::from(&pattern(usize::try_from(length)?)[..])).await?;
        } else if line["close"] == "channel" {
            self.channel()?.close().await?;
        } else if line["close"] == "connection" {
            self.peer.close().await?;
        }
        Ok(())
    }

    fn channel(&self) -> Outcome<&Arc<dyn DataChannel>> {
        Ok(self.channel.as_ref().ok_or("no channel")?)
    }

    async fn describe(&mut self, description: RTCSessionDescription) -> Outcome<()> {
        let line = json!({ "description": description });
        self.peer.set_local_description(description).await?;
        self.owes = !self.trickle;
        if self.trickle {
            self.say(line);
        }
        Ok(())
    }

    async fn happen(&mut self, told: Told) -> Outcome<()> {
        match told {
            Told::Candidate(candidate) if self.trickle => self.say(json!({ "candidate": candidate })),
            Told::Candidate(_) => {}
            Told::Gathered if std::mem::take(&mut self.owes) => {
                let description = self.peer.local_description().await.ok_or("no description")?;
                self.say(json!({ "description": description }));
            }
            Told::Gathered => {}
            Told::State(RTCPeerConnectionState::Closed | RTCPeerConnectionState::Failed) => {
                self.say(json!({ "closed": "connection" }));
            }
            Told::State(_) => {}
            Told::Incoming(channel) => self.follow(channel),
            Told::Channel(DataChannelEvent::OnOpen) => {
                let label = self.channel()?.label().await?;
                self.say(json!({ "open": label }));
            }
            Told::Channel(DataChannelEvent::OnMessage(message)) if message.is_string => {
                self.say(json!({ "text": String::from_utf8_lossy(&message.data) }));
            }
            Told::Channel(DataChannelEvent::OnMessage(message)) => {
                let length = message.data.len();
                self.say(json!({ "bytes": length, "good": message.data[..] == pattern(length)[..] }));
            }
            Told::Channel(DataChannelEvent::OnClose) | Told::ChannelIsOver => {
                if self.channel.take().is_some() {
                    self.say(json!({ "closed": "channel" }));
                }
            }
            Told::Channel(_) => {}
        }
        Ok(())
    }

    /// Has its events told here.
    fn follow(&mut self, channel: Arc<dyn DataChannel>) {
        self.channel = Some(Arc::clone(&channel));
        let told = self.told.clone();
        tokio::spawn(async move {
            while let Some(event) = channel.poll().await {
                if told.send(Told::Channel(event)).is_err() {
                    return;
                }
            }
            let _ = told.send(Told::ChannelIsOver);
        });
    }
}
