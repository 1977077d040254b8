//! A data channel (W3C webrtc-pc §6.2).

use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;
use peer::{ChannelMessage, Kind};

use crate::budget::Budget;
use crate::queue::Receiver;

mod line;
mod loan;
mod message;
mod sender;
mod stream;

pub(crate) use line::{Job, Line, NO_STREAM, Trunk};
pub(crate) use loan::Returned;
pub use message::{Message, MessagePiece};
pub use sender::DataSender;
pub use stream::DataStream;

/// What the driver hands to a channel.
#[derive(Debug)]
pub(crate) enum Piece {
    Part(ChannelMessage),
    Aborted(u64),
}

impl Piece {
    /// What it counts towards the [`Budget`].
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Part(part) => part.data.len(),
            Self::Aborted(_) => 0,
        }
    }
}

/// A data channel. Dropping it closes it, once what was queued is delivered.
///
/// Everything that [`DataSender`] does, it does, too.
#[derive(Debug)]
pub struct DataChannel {
    sender: DataSender,
    pieces: Receiver<Piece>,
    /// Long messages of which pieces are here; several only on a channel without order.
    gathered: Vec<(u64, Vec<u8>)>,
    budget: Arc<Budget>,
}

impl DataChannel {
    pub(crate) fn new(line: Arc<Line>, pieces: Receiver<Piece>, budget: Arc<Budget>) -> Self {
        Self { sender: DataSender(line), pieces, gathered: Vec::new(), budget }
    }

    /// A handle that sends, for another task.
    pub fn sender(&self) -> DataSender {
        self.sender.clone()
    }

    /// The channel as a stream of bytes: see [`DataStream`].
    pub fn into_stream(self) -> DataStream {
        DataStream::new(self)
    }

    /// The next message; `None` once the channel is closed and everything was taken. Takes memory for as much as
    /// [`Configuration::max_message_size`](crate::Configuration::max_message_size).
    ///
    /// Cancel safe.
    pub async fn recv(&mut self) -> Option<Message> {
        loop {
            let piece = self.next_piece().await?;
            if let Some(message) = self.gather(piece) {
                return Some(message);
            }
        }
    }

    /// The next piece of a message: the whole message where that has at most 256 KiB. So a message that is longer than
    /// memory can be received. Do not alternate with [`recv`](Self::recv) within a message.
    ///
    /// Cancel safe.
    pub async fn recv_piece(&mut self) -> Option<MessagePiece> {
        Some(match self.next_piece().await? {
            Piece::Aborted(id) => MessagePiece::Aborted { id },
            Piece::Part(ChannelMessage { kind, id, first, last, data, .. }) => {
                let data = self.lend(data);
                MessagePiece::Part { id, is_text: kind == Kind::String, first, last, data }
            }
        })
    }

    async fn next_piece(&mut self) -> Option<Piece> {
        std::future::poll_fn(|context| self.poll_piece(context)).await
    }

    fn poll_piece(&mut self, context: &mut std::task::Context<'_>) -> std::task::Poll<Option<Piece>> {
        let piece = std::task::ready!(self.pieces.poll_recv(context));
        if let Some(piece) = &piece {
            self.budget.take(piece.len());
        }
        std::task::Poll::Ready(piece)
    }

    fn gather(&mut self, piece: Piece) -> Option<Message> {
        let ChannelMessage { kind, id, first, last, data, .. } = match piece {
            Piece::Part(part) => part,
            Piece::Aborted(id) => {
                self.gathered.retain(|(known, _)| *known != id);
                return None;
            }
        };
        if first && last {
            return Some(self.message(kind, data));
        }
        let known = self.gathered.iter().position(|(known, _)| *known == id);
        let index = match known {
            Some(index) => {
                self.gathered[index].1.extend_from_slice(&data);
                self.sender.0.trunk.returned.put(data);
                index
            }
            // Its beginning was taken as a piece, or never came.
            None if !first => return None,
            None => {
                self.gathered.push((id, data));
                self.gathered.len() - 1
            }
        };
        last.then(|| {
            let (_, data) = self.gathered.swap_remove(index);
            self.message(kind, data)
        })
    }

    fn message(&self, kind: Kind, data: Vec<u8>) -> Message {
        match kind {
            Kind::Binary => Message::Binary(self.lend(data)),
            Kind::String => String::from_utf8(data)
                .map_or_else(|error| Message::Binary(self.lend(error.into_bytes())), Message::Text),
        }
    }

    fn lend(&self, data: Vec<u8>) -> Bytes {
        self.sender.0.trunk.returned.lend(data)
    }
}

impl Deref for DataChannel {
    type Target = DataSender;

    fn deref(&self) -> &DataSender {
        &self.sender
    }
}

impl Drop for DataChannel {
    fn drop(&mut self) {
        self.close();
        self.pieces.close();
        while let Some(piece) = self.pieces.try_recv() {
            self.budget.take(piece.len());
        }
    }
}
