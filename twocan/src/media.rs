//! Sound and pictures: transceivers, senders and receivers (W3C webrtc-pc §5).

mod frame_receiver;
mod frame_sender;
mod receiver;
mod sender;
mod transceiver;

pub use frame_receiver::{FrameReceiver, ReceivedFrame};
pub use frame_sender::{FrameError, FrameSender, MediaFrame};
pub use receiver::RtpReceiver;
pub(crate) use sender::Outgoing;
pub use sender::RtpSender;
pub(crate) use transceiver::{Change, Line};
pub use transceiver::{Transceiver, TransceiverState};
