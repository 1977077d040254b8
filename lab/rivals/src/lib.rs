//! Other people's WebRTC: to talk to ours in tests, and to be measured beside it.
//!
//! Every stack is an [`End`] of a call that takes and gives lines of JSON: in a thread of this process ([`ours`],
//! [`mod@str0m`], with the feature `webrtc-rs` that one), or as a child ([`aiortc`], [`node`], [`pion`]: programs of ours in their languages, in folders of those
//! names). [`call::run`] is what two ends have to do with each other.
//!
//! What an end is told, one object a line:
//!
//! | line | what it does |
//! |---|---|
//! | `{"begin": {"trickle": true, "dtls": "1.3"}}` | first of all; `dtls` counts where the stack can choose |
//! | `{"media": {"send": true, "receive": true, "film": "PATH", "lose": 20}}` | before an offer: sound and pictures (aiortc and Pion), by Pion those of an IVF file; one of so many packets is lost on each way, or none |
//! | `{"offer": "label"}` | makes a data channel, where the label is not empty, and an offer |
//! | `{"description": {"type", "sdp"}}` | the other's; an offer is answered |
//! | `{"candidate": {"candidate", "sdpMid", "sdpMLineIndex"}}` | the other's; `null`: that was all |
//! | `{"text": "words"}`, `{"bytes": 250000}` | sends a message; bytes are those of [`pattern`] |
//! | `{"close": "channel"}`, `{"close": "connection"}` | |
//!
//! What it tells: `description` and `candidate` as above, `{"open": "label"}`, `{"text": "words"}`,
//! `{"bytes": 250000, "good": true}`, of media `{"video": 17}` for each picture (which one it is, if that can be read) and
//! `{"audio": 25}` now and then (how much has come), `{"closed": "channel"}`, `{"closed": "connection"}`, `{"error": "words"}`.
//!
//! The end of the input ends it.

pub mod aiortc;
pub mod call;
mod child;
mod end;
pub mod node;
pub mod ours;
pub mod pion;
pub mod str0m;
#[cfg(feature = "webrtc-rs")]
pub mod webrtc_rs;

pub use end::{End, pattern};

/// How long a wait may last before it counts as a failure: far longer than anything takes.
pub const DEADLINE: std::time::Duration = std::time::Duration::from_secs(60);
