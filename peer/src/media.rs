//! Sound and pictures: what is sent and received, and in which codecs (W3C webrtc-pc §5, RFC 9429 §4.1.5 and §4.2).

mod agreement;
mod capabilities;
mod codec;
mod transceiver;

pub use agreement::{AgreedCodec, Agreement, RemoteSource};
pub use capabilities::{CodecCapability, ExtensionCapability, MediaCapabilities};
pub use codec::{Codec, MediaKind};
pub use sdp::attribute::{Direction, Feedback};
pub use transceiver::{BadTransceiver, Encoding, EncodingInit, Transceiver, TransceiverId, TransceiverInit};
pub(crate) use transceiver::{Place, Remote, Stopping, Transceivers};
