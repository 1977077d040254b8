//! One UDP port for many connections, as servers want it.
//!
//! One task reads, and hands each batch (GRO) to the connection that it is for: by the address it came from once the
//! connection has sent something there, and by the user name fragment of an ICE check before (RFC 8445 §7.3). What a
//! connection sends goes straight to the socket. There is no lock; buffers go round.
//!
//! Limits: [`CONNECTIONS`] connections, [`REMOTES`] addresses each; [`BATCHES`] batches wait for a connection, further
//! ones are dropped, as by a full socket.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::mpsc;
use wire::Table;

use crate::connection::PeerConnection;
use crate::port::Port;
use crate::sockets::{BUFFER_LEN, Socket, Sockets};
use crate::{Configuration, Error};

/// Connections at the same time.
const CONNECTIONS: usize = 1 << 16;
/// Addresses of the peer that a connection sends to; of more, the first is forgotten.
const REMOTES: usize = 64;
/// User name fragments that a connection answers to: the present one, and those from before a restart.
const FRAGMENTS: usize = 2;
/// Batches that wait for one connection.
const BATCHES: usize = 64;
/// Batches that are read before everything else has its turn.
const READS: usize = 16;
/// What is shorter is copied, and needs no large buffer to wait in.
const SMALL: usize = 4096;
/// Buffers that are kept for use again, of each size.
const KEPT: usize = 64;

/// One UDP port, on every address of this machine, that many peer connections share. Connections go on when it is
/// dropped; the port is closed with the last of them.
///
/// Servers are asked for candidates over TCP and TLS only: to a TURN server, all connections of one port are one client.
/// A public address of the port is said by [`Configuration::external_addresses`]. Two endpoints can have one connection
/// with each other, since nothing else tells the datagrams of two apart.
#[derive(Clone, Debug)]
pub struct Endpoint {
    orders: mpsc::UnboundedSender<Order>,
    sockets: Arc<[Arc<Socket>]>,
}

impl Endpoint {
    /// Opens a port on the addresses that the configuration says; port 0: any. Must be called in a tokio runtime.
    ///
    /// # Errors
    /// If the port is not free on any address.
    pub async fn bind(port: u16, configuration: &Configuration) -> Result<Self, Error> {
        let sockets = Sockets::bind(port, configuration).map_err(Error::Socket)?;
        let (orders, taken) = mpsc::unbounded_channel();
        let shared = sockets.shared();
        let seed = u64::from_le_bytes(crate::driver::random()?[..8].try_into().unwrap_or_default());
        tokio::spawn(Reader::new(sockets, taken, seed).run());
        Ok(Self { orders, sockets: shared })
    }

    /// A peer connection on this port. What the configuration says of sockets has no effect.
    ///
    /// # Errors
    /// As [`PeerConnection::new`].
    pub async fn peer_connection(&self, configuration: Configuration) -> Result<PeerConnection, Error> {
        let (sender, batches) = mpsc::channel(BATCHES);
        let (name, named) = tokio::sync::oneshot::channel();
        let full =
            || Error::Socket(io::Error::new(io::ErrorKind::QuotaExceeded, "the endpoint is at its limit"));
        self.orders.send(Order::Join { batches: sender, name }).map_err(|_| Error::Closed)?;
        let share = Share {
            name: named.await.map_err(|_| full())?,
            sockets: Arc::clone(&self.sockets),
            batches,
            orders: self.orders.clone(),
            remotes: VecDeque::new(),
            fragments: VecDeque::new(),
        };
        PeerConnection::over(&configuration, Port::Shared(share))
    }

    /// Where datagrams arrive.
    pub fn local_addresses(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.sockets.iter().map(|socket| socket.local())
    }
}

/// Datagrams from one address to another.
#[derive(Debug)]
struct Batch {
    source: SocketAddr,
    destination: SocketAddr,
    stride: usize,
    length: usize,
    buffer: Vec<u8>,
}

/// What connections have the reader do. It takes all of these before it reads, so that an answer finds the connection
/// that has asked.
#[derive(Debug)]
enum Order {
    Join {
        batches: mpsc::Sender<Batch>,
        name: tokio::sync::oneshot::Sender<u32>,
    },
    Leave {
        name: u32,
        remotes: VecDeque<SocketAddr>,
        fragments: VecDeque<Box<str>>,
    },
    Fragment {
        name: u32,
        fragment: Box<str>,
    },
    ForgetFragment {
        fragment: Box<str>,
    },
    Remote {
        name: u32,
        remote: SocketAddr,
    },
    ForgetRemote {
        name: u32,
        remote: SocketAddr,
    },
    /// A buffer that is not needed any more.
    Recycle(Vec<u8>),
}

/// A connection's share of an endpoint.
#[derive(Debug)]
pub(crate) struct Share {
    name: u32,
    sockets: Arc<[Arc<Socket>]>,
    batches: mpsc::Receiver<Batch>,
    orders: mpsc::UnboundedSender<Order>,
    remotes: VecDeque<SocketAddr>,
    fragments: VecDeque<Box<str>>,
}

impl Share {
    pub(crate) fn addresses(&self) -> impl Iterator<Item = (SocketAddr, u32)> + '_ {
        self.sockets.iter().map(|socket| (socket.local(), socket.interface()))
    }

    pub(crate) fn may_fragment(&self) -> bool {
        self.sockets.iter().any(|socket| socket.may_fragment())
    }

    pub(crate) fn answer_to(&mut self, fragment: &str) {
        if self.fragments.back().is_some_and(|known| **known == *fragment) {
            return;
        }
        if self.fragments.len() >= FRAGMENTS
            && let Some(fragment) = self.fragments.pop_front()
        {
            self.order(Order::ForgetFragment { fragment });
        }
        self.fragments.push_back(fragment.into());
        self.order(Order::Fragment { name: self.name, fragment: fragment.into() });
    }

    pub(crate) fn poll_batch(
        &mut self,
        context: &mut Context<'_>,
        each: &mut impl FnMut(SocketAddr, SocketAddr, &mut [u8]),
    ) -> bool {
        let Poll::Ready(Some(mut batch)) = self.batches.poll_recv(context) else { return false };
        for bytes in batch.buffer[..batch.length].chunks_mut(batch.stride) {
            each(batch.source, batch.destination, bytes);
        }
        self.order(Order::Recycle(batch.buffer));
        true
    }

    /// The socket that this is sent from, and from here on answers to it are ours.
    pub(crate) fn way_to(&mut self, transmit: &wire::Transmit) -> Option<&Arc<Socket>> {
        let remote = transmit.destination;
        if !self.remotes.contains(&remote) {
            if self.remotes.len() >= REMOTES
                && let Some(remote) = self.remotes.pop_front()
            {
                self.order(Order::ForgetRemote { name: self.name, remote });
            }
            self.remotes.push_back(remote);
            self.order(Order::Remote { name: self.name, remote });
        }
        self.sockets.iter().find(|socket| socket.local() == transmit.source)
    }

    fn order(&self, order: Order) {
        // The reader lives as long as anybody can ask it anything.
        let _ = self.orders.send(order);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let (remotes, fragments) = (std::mem::take(&mut self.remotes), std::mem::take(&mut self.fragments));
        self.order(Order::Leave { name: self.name, remotes, fragments });
    }
}

/// The task that reads.
#[derive(Debug)]
struct Reader {
    sockets: Sockets,
    orders: mpsc::UnboundedReceiver<Order>,
    routes: Routes,
    /// Large buffers and small ones.
    pools: [Vec<Vec<u8>>; 2],
}

/// Who gets what.
#[derive(Debug)]
struct Routes {
    connections: BTreeMap<u32, mpsc::Sender<Batch>>,
    by_remote: Table<SocketAddr, u32>,
    by_fragment: Table<Box<str>, u32>,
    next: u32,
}

impl Reader {
    fn new(sockets: Sockets, orders: mpsc::UnboundedReceiver<Order>, seed: u64) -> Self {
        let routes = Routes {
            connections: BTreeMap::new(),
            by_remote: Table::new(2 * CONNECTIONS, seed),
            by_fragment: Table::new(FRAGMENTS * CONNECTIONS, seed),
            next: 0,
        };
        Self { sockets, orders, routes, pools: [Vec::new(), Vec::new()] }
    }

    /// Until neither the endpoint nor a connection is left.
    async fn run(mut self) {
        while std::future::poll_fn(|context| self.poll(context)).await {}
    }

    /// Ready with whether to go on.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<bool> {
        for _ in 0..READS {
            loop {
                match self.orders.poll_recv(context) {
                    Poll::Ready(Some(order)) => self.obey(order),
                    Poll::Ready(None) => return Poll::Ready(false),
                    Poll::Pending => break,
                }
            }
            let Poll::Ready(index) = self.sockets.poll_readable(context) else { return Poll::Pending };
            let Self { sockets, routes, pools, .. } = self;
            sockets.receive_into(index, |source, destination, stride, buffer, length| {
                let Some(batches) = routes.find(source, &buffer[..length.min(stride)]) else { return };
                let Ok(permit) = batches.try_reserve() else { return };
                let kept = if length > SMALL {
                    let fresh = pools[0].pop().unwrap_or_else(|| vec![0; BUFFER_LEN]);
                    std::mem::replace(buffer, fresh)
                } else {
                    let mut small = pools[1].pop().unwrap_or_default();
                    small.clear();
                    small.extend_from_slice(&buffer[..length]);
                    small
                };
                permit.send(Batch { source, destination, stride, length, buffer: kept });
            });
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn obey(&mut self, order: Order) {
        let Routes { connections, by_remote, by_fragment, next } = &mut self.routes;
        match order {
            Order::Join { batches, name } => {
                if connections.len() < CONNECTIONS {
                    while connections.contains_key(next) {
                        *next = next.wrapping_add(1);
                    }
                    connections.insert(*next, batches);
                    let joined = name.send(*next);
                    if let Err(name) = joined {
                        // It has not waited for its name.
                        connections.remove(&name);
                    }
                    *next = next.wrapping_add(1);
                }
            }
            Order::Leave { name, remotes, fragments } => {
                connections.remove(&name);
                for remote in remotes {
                    if by_remote.get(&remote) == Some(&name) {
                        by_remote.remove(&remote);
                    }
                }
                for fragment in fragments {
                    by_fragment.remove(&fragment);
                }
            }
            // Where a table is full, the connection is reached by its other routes.
            Order::Fragment { name, fragment } => drop(by_fragment.insert(fragment, name)),
            Order::ForgetFragment { fragment } => drop(by_fragment.remove(&fragment)),
            Order::Remote { name, remote } => drop(by_remote.insert(remote, name)),
            Order::ForgetRemote { name, remote } => {
                if by_remote.get(&remote) == Some(&name) {
                    by_remote.remove(&remote);
                }
            }
            Order::Recycle(buffer) => {
                let pool = &mut self.pools[usize::from(buffer.len() <= SMALL)];
                if pool.len() < KEPT {
                    pool.push(buffer);
                }
            }
        }
    }
}

impl Routes {
    /// Whose a datagram is. A check says so itself; it may be the first from its address, or for another connection with a
    /// peer there that has begun anew.
    fn find(&self, source: SocketAddr, bytes: &[u8]) -> Option<&mpsc::Sender<Batch>> {
        let is_stun = bytes.first().is_some_and(|first| *first < 4);
        let asked = if is_stun { self.asked(bytes) } else { None };
        let name = asked.or_else(|| self.by_remote.get(&source).copied())?;
        self.connections.get(&name)
    }

    fn asked(&self, bytes: &[u8]) -> Option<u32> {
        let message = stun::Message::parse(bytes).ok()?;
        let (fragment, _) = ice::addressee(&message)?;
        self.by_fragment.get(fragment).copied()
    }
}
