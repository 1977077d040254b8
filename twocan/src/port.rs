//! Where a connection's datagrams come and go: sockets of its own, or its share of an endpoint's.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::net::TcpListener;

use crate::driver::Unsent;
use crate::endpoint::Share;
use crate::sockets::{Change, Sockets};

#[derive(Debug)]
pub(crate) enum Port {
    Own(Box<Sockets>),
    Shared(Share),
}

impl Port {
    /// Where datagrams arrive, and on which interface.
    pub(crate) fn addresses(&self) -> Vec<(SocketAddr, u32)> {
        match self {
            Self::Own(sockets) => sockets.addresses().collect(),
            Self::Shared(share) => share.addresses().collect(),
        }
    }

    /// Where connections are taken, and on which interface.
    pub(crate) fn listeners(&self) -> Vec<(SocketAddr, u32)> {
        match self {
            Self::Own(sockets) => sockets.listeners().collect(),
            Self::Shared(_) => Vec::new(),
        }
    }

    pub(crate) fn take_listeners(&mut self) -> Vec<TcpListener> {
        match self {
            Self::Own(sockets) => sockets.take_listeners(),
            Self::Shared(_) => Vec::new(),
        }
    }

    /// Follows this machine's addresses; an endpoint keeps those that it was bound to.
    pub(crate) fn refresh(&mut self) -> io::Result<Change> {
        match self {
            Self::Own(sockets) => sockets.refresh(),
            Self::Shared(_) => Ok(Change::default()),
        }
    }

    /// Whether what is too large for a way is cut there, rather than lost.
    pub(crate) fn may_fragment(&self) -> bool {
        match self {
            Self::Own(sockets) => sockets.may_fragment(),
            Self::Shared(share) => share.may_fragment(),
        }
    }

    /// Whether others send and receive at the same addresses.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self, Self::Shared(_))
    }

    /// Checks for this user name fragment are for this connection.
    pub(crate) fn answer_to(&mut self, fragment: &str) {
        if let Self::Shared(share) = self {
            share.answer_to(fragment);
        }
    }

    /// Hands out what has arrived, a few batches of it: source, destination, bytes. Whether there was anything.
    pub(crate) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        batches: usize,
        mut each: impl FnMut(SocketAddr, SocketAddr, &mut [u8]),
    ) -> bool {
        let mut any = false;
        for _ in 0..batches {
            match self {
                Self::Own(sockets) => {
                    let Poll::Ready(index) = sockets.poll_readable(context) else { break };
                    sockets.receive(index, |source, destination, stride, bytes| {
                        bytes.chunks_mut(stride).for_each(|bytes| each(source, destination, bytes));
                    });
                }
                Self::Shared(share) => {
                    if !share.poll_batch(context, &mut each) {
                        break;
                    }
                }
            }
            any = true;
        }
        any
    }

    /// Sends what is in the buffer, or takes the buffer and sends it when there is room. What the system refuses is lost.
    pub(crate) fn send(&mut self, transmit: &wire::Transmit, buffer: &mut Vec<u8>) -> Result<(), Unsent> {
        let socket = match self {
            Self::Own(sockets) => sockets.at(transmit.source),
            Self::Shared(share) => share.way_to(transmit),
        };
        let Some(socket) = socket else { return Ok(()) };
        let left = socket.send(transmit, buffer);
        if left == 0 {
            return Ok(());
        }
        let (socket, transmit, buffer) = (Arc::clone(socket), *transmit, std::mem::take(buffer));
        Err(Unsent(Box::pin(async move {
            socket.send_rest(&transmit, &buffer[buffer.len() - left..]).await;
            buffer
        })))
    }
}
