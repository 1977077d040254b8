//! A data channel (W3C webrtc-pc §6.2).

use std::sync::Arc;

use bytes::Bytes;
use peer::{ChannelId, Kind};
use tokio::sync::{mpsc, oneshot, watch};

use crate::budget::Budget;
use crate::driver::{Command, Notice};
use crate::error::SendError;
use crate::{DataChannelState, Error};

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Text. What the peer sends as text and is none comes as [`Message::Binary`].
    Text(String),
    /// Bytes.
    Binary(Bytes),
}

impl Message {
    /// Text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn of(kind: Kind, bytes: Vec<u8>) -> Self {
        match kind {
            Kind::Binary => Self::Binary(bytes.into()),
            Kind::String => String::from_utf8(bytes)
                .map_or_else(|error| Self::Binary(error.into_bytes().into()), Self::Text),
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

/// A data channel. Dropping it closes it.
#[derive(Debug)]
pub struct DataChannel {
    pub(crate) id: ChannelId,
    pub(crate) label: String,
    pub(crate) protocol: String,
    pub(crate) commands: mpsc::WeakSender<Command>,
    pub(crate) notices: mpsc::UnboundedSender<Notice>,
    pub(crate) messages: mpsc::UnboundedReceiver<Message>,
    pub(crate) state: watch::Receiver<Option<DataChannelState>>,
    pub(crate) budget: Arc<Budget>,
}

impl DataChannel {
    /// Its name, which need not be unique.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The subprotocol, or nothing.
    pub fn protocol(&self) -> &str {
        &self.protocol
    }

    /// Where it stands; `None` once it is closed.
    pub fn ready_state(&self) -> Option<DataChannelState> {
        *self.state.borrow()
    }

    /// Waits until messages can be sent.
    ///
    /// # Errors
    /// If the channel is closed instead.
    pub async fn ready(&mut self) -> Result<(), Error> {
        let open = self.state.wait_for(|state| *state != Some(DataChannelState::Connecting)).await;
        match open.map(|state| *state) {
            Ok(Some(DataChannelState::Open)) => Ok(()),
            _ => Err(Error::Closed),
        }
    }

    /// Queues a message; waits while there is no room.
    ///
    /// # Errors
    /// If the channel is closed, or the peer takes no message as long.
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        let (kind, message) = match message.into() {
            Message::Text(text) => (Kind::String, Bytes::from(text)),
            Message::Binary(bytes) => (Kind::Binary, bytes),
        };
        let commands = self.commands.upgrade().ok_or(SendError::Closed)?;
        let (reply, answer) = oneshot::channel();
        let command = Command::Send { channel: self.id, kind, message, reply };
        commands.send(command).await.map_err(|_| SendError::Closed)?;
        answer.await.unwrap_or(Err(SendError::Closed))
    }

    /// The next message; `None` once the channel is closed and everything was taken.
    pub async fn recv(&mut self) -> Option<Message> {
        let message = self.messages.recv().await?;
        self.budget.take(message.len());
        Some(message)
    }

    /// Closes the channel, once what it has queued is delivered. What was received can still be taken.
    pub fn close(&self) {
        // Without a driver it is closed already.
        let _ = self.notices.send(Notice::CloseChannel(self.id));
    }
}

impl Drop for DataChannel {
    fn drop(&mut self) {
        self.close();
        self.messages.close();
        while let Ok(message) = self.messages.try_recv() {
            self.budget.take(message.len());
        }
    }
}
