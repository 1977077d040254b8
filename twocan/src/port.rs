//! Where a connection's datagrams come and go: sockets of its own, or its share of an endpoint's.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use tokio::net::TcpListener;

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

    /// Sends, waiting for room. What the system refuses is lost.
    pub(crate) async fn send(&mut self, transmit: &wire::Transmit, contents: &[u8]) {
        match self {
            Self::Own(sockets) => sockets.send(transmit, contents).await,
            Self::Shared(share) => share.send(transmit, contents).await,
        }
    }
}
