//! UDP sockets that receive and send batches (GRO, GSO).

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use crate::Configuration;

/// With GRO, up to 64 datagrams arrive as one.
const BUFFER_LEN: usize = 1 << 16;

/// How many buffers one receive fills.
const BUFFERS: usize = 8;

#[derive(Debug)]
struct Socket {
    io: UdpSocket,
    state: UdpSocketState,
    local: SocketAddr,
    /// How many datagrams one call takes.
    most_segments: AtomicUsize,
}

/// One socket on each of this host's addresses.
#[derive(Debug)]
pub(crate) struct Sockets {
    sockets: Vec<Socket>,
    arena: Vec<u8>,
}

impl Sockets {
    pub(crate) fn open(configuration: &Configuration) -> io::Result<Self> {
        let mut sockets = Vec::new();
        let mut failure = io::Error::new(io::ErrorKind::AddrNotAvailable, "this machine has no address");
        for interface in if_addrs::get_if_addrs()? {
            let ip = interface.ip();
            let is_scoped = matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
            let is_wanted = match &configuration.address_filter {
                _ if ip.is_loopback() => configuration.include_loopback,
                Some(filter) => filter.accepts(&interface.name, ip),
                None => true,
            };
            if !is_wanted || is_scoped {
                continue;
            }
            match Socket::bind(ip, configuration) {
                Ok(socket) => sockets.push(socket),
                Err(error) => failure = error,
            }
        }
        if sockets.is_empty() {
            return Err(failure);
        }
        Ok(Self { sockets, arena: vec![0; BUFFERS * BUFFER_LEN] })
    }

    pub(crate) fn addresses(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.sockets.iter().map(|socket| socket.local)
    }

    /// The next socket that has something.
    pub(crate) fn poll_readable(&self, context: &mut Context<'_>) -> Poll<usize> {
        for (index, socket) in self.sockets.iter().enumerate() {
            if socket.io.poll_recv_ready(context).is_ready() {
                return Poll::Ready(index);
            }
        }
        Poll::Pending
    }

    /// Hands out what a socket has: source, destination, bytes.
    pub(crate) fn receive(&mut self, index: usize, mut each: impl FnMut(SocketAddr, SocketAddr, &mut [u8])) {
        let Some(socket) = self.sockets.get(index) else { return };
        let mut meta = [RecvMeta::default(); BUFFERS];
        let mut chunks = self.arena.chunks_mut(BUFFER_LEN);
        let mut buffers: [IoSliceMut<'_>; BUFFERS] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        let read = || socket.state.recv((&socket.io).into(), &mut buffers, &mut meta);
        // An error is an old one, about something sent: it says nothing of what arrives.
        let Ok(count) = socket.io.try_io(Interest::READABLE, read) else { return };
        for (buffer, meta) in self.arena.chunks_mut(BUFFER_LEN).zip(&meta[..count]) {
            for bytes in buffer[..meta.len].chunks_mut(meta.stride.max(1)) {
                each(meta.addr, socket.local, bytes);
            }
        }
    }

    /// Sends, waiting for room. What the system refuses is lost.
    pub(crate) async fn send(&self, transmit: &wire::Transmit, contents: &[u8]) {
        if let Some(socket) = self.sockets.iter().find(|socket| socket.local == transmit.source) {
            socket.send(transmit, contents).await;
        }
    }
}

impl Socket {
    async fn send(&self, transmit: &wire::Transmit, mut contents: &[u8]) {
        let segment = transmit.segment_size.unwrap_or(contents.len()).max(1);
        while !contents.is_empty() {
            let most = self.most_segments.load(Ordering::Relaxed).max(1);
            let (now, rest) = contents.split_at(contents.len().min(segment * most));
            let batch = Transmit {
                destination: transmit.destination,
                ecn: None,
                contents: now,
                segment_size: (now.len() > segment).then_some(segment),
                src_ip: None,
            };
            let send = || self.state.try_send((&self.io).into(), &batch);
            match self.io.try_io(Interest::WRITABLE, send) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if self.io.writable().await.is_err() {
                        return;
                    }
                }
                // Some drivers cannot do it, and say so only now: from here on without.
                Err(error) if batch.segment_size.is_some() && is_refusal(&error) => {
                    self.most_segments.store(1, Ordering::Relaxed);
                }
                _ => contents = rest,
            }
        }
    }

    fn bind(ip: IpAddr, configuration: &Configuration) -> io::Result<Self> {
        let socket = match &configuration.ports {
            None => std::net::UdpSocket::bind((ip, 0))?,
            Some(ports) => bind_within(ip, ports.clone())?,
        };
        socket.set_nonblocking(true)?;
        let options = socket2::SockRef::from(&socket);
        // As much as the system lets everyone have.
        let _ = options.set_recv_buffer_size(configuration.receive_buffer);
        let _ = options.set_send_buffer_size(configuration.send_buffer);
        let state = UdpSocketState::new((&socket).into())?;
        let local = socket.local_addr()?;
        let most_segments = if configuration.gso { state.max_gso_segments() } else { 1 };
        Ok(Self {
            io: UdpSocket::from_std(socket)?,
            state,
            local,
            most_segments: AtomicUsize::new(most_segments),
        })
    }
}

/// Whether the system cannot send several datagrams at once: EIO or EINVAL.
fn is_refusal(error: &io::Error) -> bool {
    let number = error.raw_os_error();
    number == Some(EIO) || error.kind() == io::ErrorKind::InvalidInput
}

/// The same number on every system that has GSO.
const EIO: i32 = 5;

/// The first port of a range that is free, from anywhere within it: so that many do not look for the same ones.
fn bind_within(ip: IpAddr, ports: RangeInclusive<u16>) -> io::Result<std::net::UdpSocket> {
    let mut random = [0; 8];
    let _ = aws_lc_rs::rand::fill(&mut random);
    let begin = (u64::from_le_bytes(random) % ports.len().max(1) as u64) as usize;
    let mut failure = io::Error::new(io::ErrorKind::AddrInUse, "the range of ports is empty");
    for port in ports.clone().skip(begin).chain(ports.take(begin)) {
        match std::net::UdpSocket::bind((ip, port)) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => failure = error,
            other => return other,
        }
    }
    Err(failure)
}

#[cfg(test)]
mod tests;
