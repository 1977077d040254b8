//! The receiving half of a transceiver (W3C webrtc-pc §5.3, "RTCRtpReceiver").

use peer::{MediaPacket, TransceiverId};
use tokio::sync::mpsc;

use crate::Error;
use crate::asking::Asking;
use crate::driver::Command;

/// Receives packets of a medium.
#[derive(Debug)]
pub struct RtpReceiver {
    pub(super) id: TransceiverId,
    pub(super) packets: mpsc::Receiver<MediaPacket>,
    pub(super) commands: Asking,
}

impl RtpReceiver {
    /// The next packet, in the order of arrival; none once the transceiver has ended.
    pub async fn recv_packet(&mut self) -> Option<MediaPacket> {
        self.packets.recv().await
    }

    /// Takes no more packets: what comes is dropped.
    pub fn close(&mut self) {
        self.packets.close();
    }

    /// Asks the peer for a key frame of an encoding: a place in the agreement's
    /// [`receive_rids`](crate::Agreement::receive_rids), or 0. False where nothing of it has come yet.
    ///
    /// # Errors
    /// If the connection is closed.
    pub async fn request_key_frame(&self, encoding: usize) -> Result<bool, Error> {
        self.commands.ask(|reply| Command::RequestKeyFrame(self.id, encoding, reply)).await
    }
}
