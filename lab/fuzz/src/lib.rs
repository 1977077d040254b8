//! What every parser and machine must bear, whatever arrives (RFC 8489, 8656, 8866, 8445, 9260, 9147, 9429, 3550, 8888, the
//! signaling protocol).
//!
//! Each target is a plain function that takes bytes and panics when something does not hold. The harness
//! beside this crate (`lab/fuzz/harness`, `cargo xtask fuzz`) feeds them what libFuzzer thinks up; this
//! crate's tests feed them seeds, regressions and noise, without libFuzzer.
//!
//! A finding goes to `regressions/TARGET/` as a file, where the tests replay it for ever.

#[path = "../../../server/src/conference.rs"]
#[expect(dead_code, reason = "the target has no media workers")]
mod conference;
/// The room machine's own sources: the server is a program, which nobody can depend upon.
/// The list of modules is that of `server/src/signaling.rs`.
#[path = "../../../server/src/signaling"]
#[expect(dead_code, unused_imports, reason = "the server uses what the target does not")]
mod signaling {
    mod error;
    mod hub;
    mod inbound;
    mod invitation;
    mod keys;
    mod limits;
    mod lobby;
    mod lock;
    mod names;
    mod outbound;
    mod outbox;
    mod rate;
    mod room;
    mod session;
    mod time;
    mod token;

    pub(crate) use hub::{CloseCode, ConnectionId, Counters, Gone, Hub, IceServers, Output, Settings};
    pub(crate) use keys::Keys;
    pub(crate) use limits::Limits;
    pub(crate) use time::Now;
}
mod bwe_estimator;
mod bwe_pacer;
mod dependency_descriptor;
mod dtls_connection;
mod dtls_record;
mod fec_recovery;
mod ice_agent;
mod ice_candidate;
mod jitter_buffer;
mod machines;
mod media_file;
mod peer_connection;
mod red_payload;
mod rtcp_packet;
mod rtp_codec;
mod rtp_packet;
mod sctp_association;
mod sctp_packet;
mod sdp_description;
mod sframe_frame;
mod sfu_room;
mod signaling_hub;
mod srtp_ends;
mod srtp_packet;
mod stun_client;
mod stun_framing;
mod stun_message;
mod turn_client;
mod turn_server;

/// A target: its name, which is also its folder's, and its body.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// As in `harness/targets/NAME.rs`.
    pub name: &'static str,
    /// Panics when something does not hold.
    pub body: fn(&[u8]),
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "stun_message", body: stun_message::run },
    Target { name: "stun_framing", body: stun_framing::run },
    Target { name: "stun_client", body: stun_client::run },
    Target { name: "turn_server", body: turn_server::run },
    Target { name: "turn_client", body: turn_client::run },
    Target { name: "signaling_hub", body: signaling_hub::run },
    Target { name: "sdp_description", body: sdp_description::run },
    Target { name: "ice_candidate", body: ice_candidate::run },
    Target { name: "ice_agent", body: ice_agent::run },
    Target { name: "sctp_packet", body: sctp_packet::run },
    Target { name: "sctp_association", body: sctp_association::run },
    Target { name: "dtls_record", body: dtls_record::run },
    Target { name: "dtls_connection", body: dtls_connection::run },
    Target { name: "peer_connection", body: peer_connection::run },
    Target { name: "rtp_packet", body: rtp_packet::run },
    Target { name: "rtcp_packet", body: rtcp_packet::run },
    Target { name: "rtp_codec", body: rtp_codec::run },
    Target { name: "jitter_buffer", body: jitter_buffer::run },
    Target { name: "dependency_descriptor", body: dependency_descriptor::run },
    Target { name: "fec_recovery", body: fec_recovery::run },
    Target { name: "red_payload", body: red_payload::run },
    Target { name: "bwe_estimator", body: bwe_estimator::run },
    Target { name: "bwe_pacer", body: bwe_pacer::run },
    Target { name: "sfu_room", body: sfu_room::run },
    Target { name: "media_file", body: media_file::run },
    Target { name: "srtp_packet", body: srtp_packet::run },
    Target { name: "srtp_ends", body: srtp_ends::run },
    Target { name: "sframe_frame", body: sframe_frame::run },
];

/// Runs the target of this name, for the harness.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.unwrap_or_else(|| panic!("no target is called {name}")).body)(bytes);
}
