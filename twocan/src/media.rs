//! Sound and pictures: transceivers, senders and receivers (W3C webrtc-pc §5).

mod receiver;
mod sender;
mod transceiver;

pub use receiver::RtpReceiver;
pub(crate) use sender::Outgoing;
pub use sender::RtpSender;
pub(crate) use transceiver::{Change, Line};
pub use transceiver::{Transceiver, TransceiverState};
