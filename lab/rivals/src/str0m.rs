//! str0m: without I/O, so this is its socket and its clock.

use std::collections::VecDeque;
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::channel::ChannelId;
use str0m::config::DtlsVersion;
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcConfig};

use crate::{End, pattern};

/// How long it sleeps at most before it looks for lines.
const NAP: Duration = Duration::from_millis(2);

/// An end.
pub fn end() -> End {
    End::thread("str0m", |input, output| {
        let mut driver = Driver::new(output);
        if let Err(why) = driver.run(&input) {
            driver.say(json!({ "error": why.to_string() }));
        }
    })
}

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

struct Driver {
    rtc: Rtc,
    socket: UdpSocket,
    address: SocketAddr,
    output: Sender<Value>,
    trickle: bool,
    has_candidate: bool,
    pending: Option<SdpPendingOffer>,
    channel: Option<ChannelId>,
    is_open: bool,
    is_closed: bool,
    /// Messages for which there was no room yet.
    unsent: VecDeque<(bool, Vec<u8>)>,
}

impl Driver {
    fn new(output: Sender<Value>) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let address = socket.local_addr().expect("an address");
        Self {
            rtc: RtcConfig::new().build(Instant::now()),
            socket,
            address,
            output,
            trickle: true,
            has_candidate: false,
            pending: None,
            channel: None,
            is_open: false,
            is_closed: false,
            unsent: VecDeque::new(),
        }
    }

    fn say(&self, line: Value) {
        // Nobody listens at the end.
        let _ = self.output.send(line);
    }

    fn run(&mut self, input: &Receiver<Value>) -> Outcome<()> {
        let mut buffer = vec![0; 65_536];
        loop {
            loop {
                match input.try_recv() {
                    Ok(line) => self.obey(&line)?,
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return Ok(()),
                }
            }
            self.send_unsent()?;
            let deadline = self.drain()?;
            if !self.rtc.is_alive() && !std::mem::replace(&mut self.is_closed, true) {
                self.say(json!({ "closed": "connection" }));
            }
            let nap =
                deadline.saturating_duration_since(Instant::now()).clamp(Duration::from_micros(100), NAP);
            self.socket.set_read_timeout(Some(nap))?;
            match self.socket.recv_from(&mut buffer) {
                Ok((length, source)) => {
                    let receive = Receive {
                        proto: Protocol::Udp,
                        source,
                        destination: self.address,
                        contents: buffer[..length].try_into()?,
                    };
                    self.rtc.handle_input(Input::Receive(Instant::now(), receive))?;
                }
                Err(_) => self.rtc.handle_input(Input::Timeout(Instant::now()))?,
            }
        }
    }

    fn obey(&mut self, line: &Value) -> Outcome<()> {
        if let Some(begin) = line.get("begin") {
            self.trickle = begin["trickle"] == true;
            let version = if begin["dtls"] == "1.3" { DtlsVersion::Dtls13 } else { DtlsVersion::Dtls12 };
            self.rtc = RtcConfig::new()
                .clear_codecs()
                .set_dtls_version(version)
                // A message must fit in whole.
                .set_sctp_max_buffered_amount(1 << 20)
                .build(Instant::now());
            if !self.trickle {
                self.add_candidate()?;
            }
        } else if let Some(label) = line["offer"].as_str() {
            let mut change = self.rtc.sdp_api();
            self.channel = Some(change.add_channel(label.to_owned()));
            let (offer, pending) = change.apply().ok_or("nothing to offer")?;
            self.pending = Some(pending);
            self.say(json!({ "description": { "type": "offer", "sdp": offer.to_sdp_string() } }));
            self.tell_candidate()?;
        } else if let Some(description) = line.get("description") {
            let sdp = description["sdp"].as_str().ok_or("no SDP")?;
            if description["type"] == "offer" {
                let answer = self.rtc.sdp_api().accept_offer(SdpOffer::from_sdp_string(sdp)?)?;
                self.say(json!({ "description": { "type": "answer", "sdp": answer.to_sdp_string() } }));
                self.tell_candidate()?;
            } else {
                let pending = self.pending.take().ok_or("no offer was made")?;
                self.rtc.sdp_api().accept_answer(pending, SdpAnswer::from_sdp_string(sdp)?)?;
            }
        } else if let Some(text) = line["candidate"]["candidate"].as_str() {
            // It knows no TCP, no names, and no end of candidates.
            if let Ok(candidate) = Candidate::from_sdp_string(text) {
                self.rtc.add_remote_candidate(candidate);
            }
        } else if let Some(text) = line["text"].as_str() {
            self.unsent.push_back((false, text.as_bytes().to_vec()));
        } else if let Some(length) = line["bytes"].as_u64() {
            self.unsent.push_back((true, pattern(usize::try_from(length)?)));
        } else if line["close"] == "channel" {
            if let Some(id) = self.channel {
                self.rtc.direct_api().close_data_channel(id);
            }
        } else if line["close"] == "connection" {
            self.rtc.close()?;
        }
        Ok(())
    }

    fn add_candidate(&mut self) -> Outcome<Candidate> {
        let candidate = Candidate::host(self.address, "udp")?;
        self.rtc.add_local_candidate(candidate.clone());
        self.has_candidate = true;
        Ok(candidate)
    }

    /// Where candidates trickle, there is one.
    fn tell_candidate(&mut self) -> Outcome<()> {
        if self.trickle && !self.has_candidate {
            let text = self.add_candidate()?.to_sdp_string();
            self.say(json!({ "candidate": { "candidate": text, "sdpMLineIndex": 0 } }));
            self.say(json!({ "candidate": null }));
        }
        Ok(())
    }

    fn send_unsent(&mut self) -> Outcome<()> {
        while self.is_open
            && let Some((binary, message)) = self.unsent.front()
            && let Some(mut channel) = self.channel.and_then(|id| self.rtc.channel(id))
            && channel.write(*binary, message)?
        {
            self.unsent.pop_front();
        }
        Ok(())
    }

    /// Takes all that it has to say; when it wants to be called again.
    fn drain(&mut self) -> Outcome<Instant> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(at) => return Ok(at),
                Output::Transmit(sent) => {
                    // What the socket does not take is lost, as on any network.
                    let _ = self.socket.send_to(&sent.contents, sent.destination);
                }
                Output::Event(event) => self.happen(event),
            }
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::ChannelOpen(id, label) => {
                self.channel = Some(id);
                self.is_open = true;
                self.say(json!({ "open": label }));
            }
            Event::ChannelData(data) if data.binary => {
                let (length, good) = (data.data.len(), data.data == pattern(data.data.len()));
                self.say(json!({ "bytes": length, "good": good }));
            }
            Event::ChannelData(data) => {
                self.say(json!({ "text": String::from_utf8_lossy(&data.data) }));
            }
            Event::ChannelClose(_) => {
                self.is_open = false;
                self.say(json!({ "closed": "channel" }));
            }
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                self.say(json!({ "note": "disconnected" }));
            }
            _ => {}
        }
    }
}
