//! Telling HTTP and TURN apart by their first bytes, where one port has both.
//!
//! STUN begins with two zero bits and has its magic cookie at the fifth byte (RFC 8489 §5); ChannelData
//! cannot come first. HTTP begins with a letter.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

/// RFC 8489 §5.
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// As many bytes as it takes to be sure.
const ENOUGH: usize = 8;

/// What a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http,
    Turn,
}

/// A stream whose first bytes have been looked at; it still gives them.
#[derive(Debug)]
pub(super) struct Sniffed<S> {
    first: [u8; ENOUGH],
    filled: usize,
    taken: usize,
    stream: S,
}

/// Reads as much as it takes. What is clearly neither is left to HTTP, which can say so.
pub(super) async fn sniff<S: AsyncRead + Unpin>(mut stream: S) -> io::Result<(Protocol, Sniffed<S>)> {
    let mut first = [0; ENOUGH];
    let mut filled = 0;
    let protocol = loop {
        match tell(&first[..filled]) {
            Some(protocol) => break protocol,
            None => match stream.read(&mut first[filled..]).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => filled += count,
            },
        }
    };
    Ok((protocol, Sniffed { first, filled, taken: 0, stream }))
}

fn tell(first: &[u8]) -> Option<Protocol> {
    match first {
        [byte, ..] if byte >> 6 != 0 => Some(Protocol::Http),
        [_, _, _, _, cookie @ ..] if cookie.len() == MAGIC_COOKIE.len() => {
            Some(if cookie == MAGIC_COOKIE { Protocol::Turn } else { Protocol::Http })
        }
        _ => None,
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Sniffed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let waiting = &this.first[this.taken..this.filled];
        if waiting.is_empty() {
            return Pin::new(&mut this.stream).poll_read(context, buffer);
        }
        let count = waiting.len().min(buffer.remaining());
        buffer.put_slice(&waiting[..count]);
        this.taken += count;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Sniffed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    /// Sends these bytes one by one, and reads them back after sniffing.
    async fn told(bytes: &'static [u8]) -> io::Result<(Protocol, Vec<u8>)> {
        let (mut client, server) = tokio::io::duplex(1);
        let writer = tokio::spawn(async move { client.write_all(bytes).await });
        let (protocol, mut stream) = sniff(server).await?;
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await?;
        let _ = writer.await;
        Ok((protocol, all))
    }

    #[tokio::test]
    async fn byte_by_byte_and_nothing_is_lost() {
        for (bytes, protocol) in [
            (&b"GET / HTTP/1.1\r\n\r\n"[..], Protocol::Http),
            (b"P", Protocol::Http),
            (b"\x00\x03\x00\x08\x21\x12\xa4\x42rest of it", Protocol::Turn),
            (b"\x00\x03\x00\x08\x21\x12\xa4\x43", Protocol::Http),
            (b"\x40\x00\x00\x01", Protocol::Http),
        ] {
            assert_eq!(told(bytes).await.unwrap(), (protocol, bytes.to_vec()));
        }
    }

    #[tokio::test]
    async fn a_stream_that_ends_before_is_an_error() {
        for bytes in [&b""[..], b"\x00\x03\x00"] {
            assert!(told(bytes).await.is_err());
        }
    }
}
