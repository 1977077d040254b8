//! What a data channel carries.

use bytes::Bytes;
use peer::Kind;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Text. What the peer sends as text and is none comes as [`Message::Binary`].
    Text(String),
    /// Bytes.
    Binary(Bytes),
}

/// A part of a message, as [`DataChannel::recv_piece`](crate::DataChannel::recv_piece) hands it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessagePiece {
    /// Bytes of a message.
    Part {
        /// The same for all pieces of a message, and no other's. On a channel without order, pieces of several
        /// messages may alternate.
        id: u64,
        /// Whether the message is text; a piece may end within a character.
        is_text: bool,
        /// The message begins here.
        first: bool,
        /// The message ends here.
        last: bool,
        /// 256 KiB and a packet at most.
        data: Bytes,
    },
    /// The rest of a message will not come: its sender has given it up, or closed the channel.
    Aborted {
        /// Whose.
        id: u64,
    },
}

impl Message {
    /// Text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn into_parts(self) -> (Kind, Bytes) {
        match self {
            Self::Text(text) => (Kind::String, Bytes::from(text)),
            Self::Binary(bytes) => (Kind::Binary, bytes),
        }
    }

    /// How long it is, in bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Bytes> for Message {
    fn from(bytes: Bytes) -> Self {
        Self::Binary(bytes)
    }
}

impl From<Vec<u8>> for Message {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes.into())
    }
}
