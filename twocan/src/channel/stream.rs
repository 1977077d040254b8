//! A data channel as a stream of bytes, for whatever reads and writes such.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use peer::Kind;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{DataChannel, Piece};
use crate::DataChannelState;
use crate::error::SendError;

/// The longest message that a write makes, in bytes: what every implementation takes.
const MOST: usize = 16 << 10;

/// A data channel as a stream of bytes. It should be reliable and ordered: made of one that is not, the stream has
/// gaps and knows nothing of them.
///
/// Message boundaries have no meaning: a write makes messages of at most 16 KiB, and reads do not tell where one ends and
/// the next begins, nor which were text. Flushing waits until everything was sent for the first time, shutting down until
/// the peer has everything and has closed its end, too. The stream ends when the channel is closed. Dropping it closes
/// the channel, once what was written is delivered.
#[derive(Debug)]
pub struct DataStream {
    channel: DataChannel,
    rest: Bytes,
    is_shut: bool,
}

impl DataStream {
    pub(super) fn new(channel: DataChannel) -> Self {
        Self { channel, rest: Bytes::new(), is_shut: false }
    }

    /// The channel.
    pub fn channel(&self) -> &DataChannel {
        &self.channel
    }
}

impl AsyncRead for DataStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.rest.is_empty() {
            match ready!(self.channel.poll_piece(context)) {
                Some(Piece::Part(part)) => self.rest = self.channel.lend(part.data),
                Some(Piece::Aborted(_)) => {}
                None => return Poll::Ready(Ok(())),
            }
        }
        let length = self.rest.len().min(buffer.remaining());
        buffer.put_slice(&self.rest[..length]);
        self.rest.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for DataStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let line = &self.channel.sender.0;
        let opened =
            line.changed.poll(context, || (line.state() != Some(DataChannelState::Connecting)).then_some(()));
        ready!(opened);
        let length =
            bytes.len().min(MOST).min(usize::try_from(self.channel.max_message_size()).unwrap_or(MOST));
        ready!(self.channel.poll_take(context, length)).map_err(broken)?;
        self.channel.queue(Kind::Binary, Bytes::copy_from_slice(&bytes[..length]));
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.channel.poll_buffered(context, Some(0)).map_err(broken)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_shut {
            self.is_shut = true;
            self.channel.close();
        }
        let line = &self.channel.sender.0;
        line.changed.poll(context, || line.state().is_none().then_some(Ok(())))
    }
}

fn broken(error: SendError) -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, error)
}
