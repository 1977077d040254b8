//! The crate `rtc` (webrtc-rs without I/O): ICE, DTLS, SCTP, data channels.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::BytesMut;
use rtc::data_channel::{RTCDataChannelId, RTCDataChannelInit};
use rtc::peer_connection::configuration::RTCConfigurationBuilder;
use rtc::peer_connection::configuration::setting_engine::SettingEngineBuilder;
use rtc::peer_connection::event::{RTCDataChannelEvent, RTCPeerConnectionEvent};
use rtc::peer_connection::message::{RTCMessage, TaggedRTCMessage};
use rtc::peer_connection::transport::{CandidateConfig, CandidateHostConfig, RTCDtlsRole, RTCIceCandidate};
use rtc::peer_connection::{RTCPeerConnection, RTCPeerConnectionBuilder};
use rtc::sansio::Protocol as _;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};

use super::stack::{Addresses, End, Heard, Lane, Output, Pair};
use super::twocan_sctp::PACKET;

struct Session {
    peer: RTCPeerConnection,
    own: SocketAddr,
    other: SocketAddr,
    channels: [RTCDataChannelId; 2],
    open: usize,
}

pub(crate) fn pair(now: Instant, addresses: Addresses) -> Pair {
    let mut ends = [0, 1].map(|index| end(now, addresses[index], addresses[1 - index], index));
    let [a, b] = &mut ends;
    let offer = a.peer.create_offer(None).expect("an offer");
    a.peer.set_local_description(now, offer.clone()).expect("an offer that is kept");
    b.peer.set_remote_description(now, offer).expect("an offer that is taken");
    let answer = b.peer.create_answer(None).expect("an answer");
    b.peer.set_local_description(now, answer.clone()).expect("an answer that is kept");
    a.peer.set_remote_description(now, answer).expect("an answer that is taken");
    ends.map(|end| Box::new(end) as Box<dyn End>)
}

fn end(now: Instant, own: SocketAddr, other: SocketAddr, index: usize) -> Session {
    let settings = SettingEngineBuilder::new()
        .with_answering_dtls_role(if index == 0 { RTCDtlsRole::Server } else { RTCDtlsRole::Client })
        .with_sctp_mtu(PACKET as u32)
        .build();
    let mut peer = RTCPeerConnectionBuilder::new()
        .with_configuration(RTCConfigurationBuilder::new().build())
        .with_setting_engine(settings)
        .build(now)
        .expect("a connection");
    let candidate = CandidateHostConfig {
        base_config: CandidateConfig {
            network: "udp".to_owned(),
            address: own.ip().to_string(),
            port: own.port(),
            component: 1,
            ..CandidateConfig::default()
        },
        ..CandidateHostConfig::default()
    };
    let candidate = candidate.new_candidate_host().expect("a candidate");
    let candidate = RTCIceCandidate::from(&candidate).to_json().expect("a candidate in words");
    peer.add_local_candidate(candidate).expect("a candidate that is taken");
    let channels = [Lane::Bulk, Lane::Urgent].map(|lane| {
        let init = RTCDataChannelInit {
            ordered: lane == Lane::Bulk,
            negotiated: Some(lane as u16),
            ..RTCDataChannelInit::default()
        };
        peer.create_data_channel("", Some(init)).expect("a channel").id()
    });
    Session { peer, own, other, channels, open: 0 }
}

impl End for Session {
    fn take(&mut self, now: Instant, datagram: &mut [u8]) {
        let transport = TransportContext {
            local_addr: self.own,
            peer_addr: self.other,
            transport_protocol: TransportProtocol::UDP,
            ecn: None,
        };
        let message = BytesMut::from(&*datagram);
        // What it does not understand it says itself.
        let _ = self.peer.handle_read(TaggedBytesMut { now, transport, message });
    }

    fn advance(&mut self, now: Instant, output: &mut Output) {
        if self.deadline().is_some_and(|time| time <= now) {
            let _ = self.peer.handle_timeout(now);
        }
        while let Some(event) = self.peer.poll_event() {
            if let RTCPeerConnectionEvent::OnDataChannel(RTCDataChannelEvent::OnOpen(_)) = event {
                self.open += 1;
            }
        }
        while let Some(TaggedRTCMessage { message, .. }) = self.peer.poll_read() {
            if let RTCMessage::DataChannelMessage(id, message) = message {
                let lane = if id == self.channels[0] { Lane::Bulk } else { Lane::Urgent };
                output.heard.push(Heard::new(lane, &message.data, true));
            }
        }
        while let Some(sent) = self.peer.poll_write() {
            output.send(&sent.message);
        }
    }

    fn deadline(&mut self) -> Option<Instant> {
        self.peer.poll_timeout()
    }

    fn is_open(&self) -> bool {
        self.open >= 2
    }

    fn send(&mut self, now: Instant, lane: Lane, message: &[u8]) -> bool {
        let channel = self.peer.data_channel(self.channels[lane as usize]);
        channel.is_some_and(|mut channel| channel.send(now, BytesMut::from(message)).is_ok())
    }

    fn buffered(&mut self) -> usize {
        self.peer.data_channel(self.channels[0]).map_or(0, |channel| channel.outstanding_bytes())
    }

    fn counts_under_way(&self) -> bool {
        true
    }
}
