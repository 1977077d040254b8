//! UDP sockets that receive and send batches: listeners that several workers share a port with, and relay sockets of
//! one worker's own.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;

use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};
use rustix::net::sockopt;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use turn::server::OpenError;

/// Bursts of video from many clients must fit, in bytes.
const LISTENER_BUFFER: usize = 8 << 20;

/// One client's share, in bytes.
const RELAY_BUFFER: usize = 1 << 20;

/// A UDP socket that receives and sends batches.
pub(crate) struct BatchSocket {
    io: mio::net::UdpSocket,
    /// What the system can do; relay sockets share it.
    state: Arc<UdpSocketState>,
}

/// Makes relay sockets alike, with as few system calls as that takes: they are what an allocation costs most.
#[derive(Default)]
pub(crate) struct RelayBinder {
    /// By family: IPv4, IPv6.
    states: [Option<Arc<UdpSocketState>>; 2],
}

/// A socket that clients speak to.
pub(crate) struct Listener {
    pub(crate) socket: BatchSocket,
    /// Its bound address, with the real port.
    pub(crate) local: SocketAddr,
}

impl Listener {
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            // IPv4 has a socket of its own, so that addresses always are what they look like.
            socket.set_only_v6(true)?;
        }
        #[cfg(unix)]
        socket.set_reuse_port(true)?;
        socket.bind(&address.into())?;
        let socket = BatchSocket::new(socket.into(), LISTENER_BUFFER)?;
        let local = socket.io.local_addr()?;
        Ok(Self { socket, local })
    }

    /// Our address in a datagram: the one it was sent to, where the listener is on all of them.
    pub(crate) fn local_of(&self, meta: &RecvMeta) -> SocketAddr {
        match meta.dst_ip {
            Some(ip) if self.local.ip().is_unspecified() => SocketAddr::new(ip, self.local.port()),
            _ => self.local,
        }
    }

    /// Which source address to ask for when answering from `local`.
    pub(crate) fn source_for(&self, local: IpAddr) -> Option<IpAddr> {
        self.local.ip().is_unspecified().then_some(local)
    }
}

impl RelayBinder {
    /// Binds a relay socket.
    pub(crate) fn bind(&mut self, address: SocketAddr) -> Result<BatchSocket, OpenError> {
        self.open(address).map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => OpenError::InUse,
            _ => OpenError::Failed,
        })
    }

    fn open(&mut self, address: SocketAddr) -> io::Result<BatchSocket> {
        let socket =
            Socket::new(Domain::for_address(address), Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.bind(&address.into())?;
        let socket = UdpSocket::from(socket);
        enlarge(&socket, RELAY_BUFFER);
        let known = &mut self.states[usize::from(address.is_ipv6())];
        let state = match known {
            // On Linux what the state knows is true of every socket, and the options that it sets are few.
            Some(state) if cfg!(target_os = "linux") => Arc::clone(state),
            _ => Arc::clone(known.insert(Arc::new(UdpSocketState::new((&socket).into())?))),
        };
        #[cfg(target_os = "linux")]
        enable_offload_and_errors(&socket, address.is_ipv6())?;
        let socket = BatchSocket { io: mio::net::UdpSocket::from_std(socket), state };
        socket.set_dont_fragment(address.is_ipv6(), false);
        Ok(socket)
    }
}

/// Several datagrams in one receive, and errors from the way to a peer, which are passed on to the client.
#[cfg(target_os = "linux")]
fn enable_offload_and_errors(socket: &UdpSocket, ipv6: bool) -> io::Result<()> {
    use nix::sys::socket::setsockopt;
    use nix::sys::socket::sockopt::{Ipv4RecvErr, Ipv6RecvErr, UdpGroSegment};
    // A kernel without it delivers one at a time.
    let _ = setsockopt(socket, UdpGroSegment, &true);
    if ipv6 {
        setsockopt(socket, Ipv6RecvErr, &true)?;
    } else {
        setsockopt(socket, Ipv4RecvErr, &true)?;
    }
    Ok(())
}

impl BatchSocket {
    fn new(socket: UdpSocket, buffer: usize) -> io::Result<Self> {
        let state = Arc::new(UdpSocketState::new((&socket).into())?);
        enlarge(&socket, buffer);
        Ok(Self { io: mio::net::UdpSocket::from_std(socket), state })
    }

    pub(crate) fn source(&mut self) -> &mut mio::net::UdpSocket {
        &mut self.io
    }

    pub(crate) fn receive(&self, buffers: &mut [IoSliceMut<'_>], meta: &mut [RecvMeta]) -> io::Result<usize> {
        self.state.recv((&self.io).into(), buffers, meta)
    }

    pub(crate) fn send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.state.try_send((&self.io).into(), transmit)
    }

    /// How many datagrams one call can send; 1 where the system has no offload for it.
    pub(crate) fn max_segments(&self) -> usize {
        self.state.max_gso_segments()
    }

    /// Whether routers on the way may cut up what is sent. Off is what RFC 8656 §14 has for everything but
    /// DONT-FRAGMENT.
    pub(crate) fn set_dont_fragment(&self, ipv6: bool, on: bool) {
        #[cfg(target_os = "linux")]
        {
            use sockopt::{Ipv4PathMtuDiscovery as V4, Ipv6PathMtuDiscovery as V6};
            // A kernel that refuses goes on with its default.
            let _ = if ipv6 {
                sockopt::set_ipv6_mtu_discover(&self.io, if on { V6::PROBE } else { V6::DONT })
            } else {
                sockopt::set_ip_mtu_discover(&self.io, if on { V4::PROBE } else { V4::DONT })
            };
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (ipv6, on);
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn fd(&self) -> std::os::fd::RawFd {
        std::os::fd::AsRawFd::as_raw_fd(&self.io)
    }
}

/// As large as asked for with the privilege to, else as large as the system lets everyone.
fn enlarge(socket: &UdpSocket, bytes: usize) {
    #[cfg(target_os = "linux")]
    if sockopt::set_socket_recv_buffer_size_force(socket, bytes).is_ok() {
        return;
    }
    let _ = SockRef::from(socket).set_recv_buffer_size(bytes);
}

/// How many errors are skipped to get at what was received.
const MAX_WAITING_ERRORS: usize = 64;

/// Room for one receive: with GRO, up to 64 datagrams arrive as one.
pub(crate) const BUFFER_LEN: usize = 1 << 16;

/// Receives into the arena; nothing at all counts as nothing, whatever the reason.
pub(crate) fn receive(socket: &BatchSocket, arena: &mut [u8], meta: &mut [RecvMeta]) -> usize {
    let mut chunks = arena.chunks_mut(BUFFER_LEN);
    let mut buffers: [IoSliceMut<'_>; BATCH_SIZE] =
        std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
    let count = meta.len().min(buffers.len());
    // An error is an old one that waited on the socket, about something sent; the error queue tells more.
    for _ in 0..MAX_WAITING_ERRORS {
        match socket.receive(&mut buffers[..count], meta) {
            Ok(received) => return received,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return 0,
            Err(_) => {}
        }
    }
    0
}

/// What one receive brought: one datagram, or several of the same size (the last may be shorter).
pub(crate) fn datagrams<'b>(buffer: &'b [u8], meta: &RecvMeta) -> impl Iterator<Item = &'b [u8]> {
    // An empty datagram is one too.
    let empty = (meta.len == 0).then_some(&buffer[..0]);
    empty.into_iter().chain(buffer[..meta.len].chunks(meta.stride.max(1)))
}
