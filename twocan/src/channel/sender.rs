//! The sending half of a data channel (W3C webrtc-pc §6.2, `send` and `bufferedAmount`).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use bytes::Bytes;
use peer::Kind;

use super::line::{Job, Line, NO_STREAM};
use super::message::Message;
use crate::error::SendError;
use crate::{DataChannelState, Error};

/// Sends on a data channel, from any task, while another one receives. Clones send on the same channel; dropping them
/// closes nothing.
#[derive(Clone, Debug)]
pub struct DataSender(pub(super) Arc<Line>);

impl DataSender {
    /// Its name, which need not be unique.
    pub fn label(&self) -> &str {
        &self.0.label
    }

    /// The subprotocol, or nothing.
    pub fn protocol(&self) -> &str {
        &self.0.protocol
    }

    /// Whether messages arrive in the order they were sent.
    pub fn ordered(&self) -> bool {
        self.0.ordered
    }

    /// Its number, once it has one.
    pub fn id(&self) -> Option<u16> {
        Some(self.0.stream.load(Ordering::SeqCst)).filter(|stream| *stream != NO_STREAM)?.try_into().ok()
    }

    /// Where it stands; `None` once it is closed.
    pub fn ready_state(&self) -> Option<DataChannelState> {
        self.0.state()
    }

    /// Waits until messages can be sent.
    ///
    /// # Errors
    /// If the channel is closed instead.
    pub async fn ready(&self) -> Result<(), Error> {
        let settled = || match self.0.state() {
            Some(DataChannelState::Connecting) => None,
            state => Some(state),
        };
        let state = self.0.changed.until(settled).await;
        if state == Some(DataChannelState::Open) { Ok(()) } else { Err(Error::Closed) }
    }

    /// Queues a message; waits until the channel is open, and while as much waits as may. Messages that were queued
    /// are sent in this order, but are lost if the connection is closed before: see [`flush`](Self::flush).
    ///
    /// Cancel safe: a message is queued whole or not at all.
    ///
    /// # Errors
    /// If the channel is closed, or the peer takes no message as long.
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        let (kind, message) = message.into().into_parts();
        if self.0.state() == Some(DataChannelState::Connecting) {
            self.ready().await.map_err(|_| SendError::Closed)?;
        }
        std::future::poll_fn(|context| self.poll_take(context, message.len())).await?;
        self.queue(kind, message);
        Ok(())
    }

    /// Takes room for a message on an open channel.
    pub(super) fn poll_take(&self, context: &Context<'_>, length: usize) -> Poll<Result<(), SendError>> {
        if self.0.state() != Some(DataChannelState::Open) {
            return Poll::Ready(Err(SendError::Closed));
        }
        if length as u64 > self.max_message_size() {
            return Poll::Ready(Err(SendError::TooLong));
        }
        self.0.room.poll_take(context, length).map_err(|_| SendError::Closed)
    }

    /// Queues a message that room was taken for.
    pub(super) fn queue(&self, kind: Kind, message: Bytes) {
        self.0.queued.fetch_add(message.len() as u64, Ordering::SeqCst);
        // Without a driver nothing is sent, as after closing.
        let _ = self.0.trunk.jobs.send(Job::Send { channel: self.0.id, kind, message });
    }

    /// The longest message that the peer takes, in bytes.
    pub fn max_message_size(&self) -> u64 {
        self.0.trunk.longest.load(Ordering::Relaxed)
    }

    /// Bytes that were queued and have not been sent for the first time.
    pub fn buffered_amount(&self) -> u64 {
        self.0.buffered_amount()
    }

    /// What [`buffered_amount_low`](Self::buffered_amount_low) waits for, in bytes; zero at first.
    pub fn set_buffered_amount_low_threshold(&self, bytes: usize) {
        self.0.threshold.store(bytes, Ordering::SeqCst);
        self.0.changed.ring();
    }

    /// The same.
    pub fn buffered_amount_low_threshold(&self) -> usize {
        self.0.threshold.load(Ordering::SeqCst)
    }

    /// Waits until no more is buffered than the low threshold.
    ///
    /// # Errors
    /// If the channel is closed before.
    pub async fn buffered_amount_low(&self) -> Result<(), SendError> {
        std::future::poll_fn(|context| self.poll_buffered(context, None)).await
    }

    /// Waits until everything that was queued has been sent for the first time. That the peer has it is only known from
    /// the peer: by a message of its own, or by its closing of the channel.
    ///
    /// # Errors
    /// If the channel is closed before.
    pub async fn flush(&self) -> Result<(), SendError> {
        std::future::poll_fn(|context| self.poll_buffered(context, Some(0))).await
    }

    pub(super) fn poll_buffered(
        &self,
        context: &Context<'_>,
        most: Option<u64>,
    ) -> Poll<Result<(), SendError>> {
        self.0.changed.poll(context, || {
            let most = most.unwrap_or_else(|| self.buffered_amount_low_threshold() as u64);
            if self.0.buffered_amount() <= most {
                return Some(Ok(()));
            }
            self.0.state().is_none().then_some(Err(SendError::Closed))
        })
    }

    /// Closes the channel, once what it has queued is delivered. What was received can still be taken.
    pub fn close(&self) {
        // Without a driver it is closed already.
        let _ = self.0.trunk.jobs.send(Job::Close(self.0.id));
    }

    /// Waits until the channel is closed at both ends. After [`close`](Self::close), what was queued was delivered
    /// then, unless the connection failed.
    pub async fn closed(&self) {
        self.0.changed.until(|| self.0.state().is_none().then_some(())).await;
    }
}
