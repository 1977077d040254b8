//! The UDP sockets of a worker: listeners that all workers share a port with, and relay sockets of its
//! own.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr, UdpSocket};

use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use rustix::net::sockopt;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use turn::server::OpenError;

/// Bursts of video from many clients must fit, in bytes.
const LISTENER_BUFFER: usize = 8 << 20;

/// One client's share, in bytes.
const RELAY_BUFFER: usize = 1 << 20;

/// A UDP socket that receives and sends batches.
pub(super) struct BatchSocket {
    io: mio::net::UdpSocket,
    state: UdpSocketState,
}

/// A socket that clients speak to.
pub(super) struct Listener {
    pub(super) socket: BatchSocket,
    /// Its bound address, with the real port.
    pub(super) local: SocketAddr,
}

impl Listener {
    pub(super) fn bind(address: SocketAddr) -> io::Result<Self> {
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
    pub(super) fn local_of(&self, meta: &RecvMeta) -> SocketAddr {
        match meta.dst_ip {
            Some(ip) if self.local.ip().is_unspecified() => SocketAddr::new(ip, self.local.port()),
            _ => self.local,
        }
    }

    /// Which source address to ask for when answering from `local`.
    pub(super) fn source_for(&self, local: IpAddr) -> Option<IpAddr> {
        self.local.ip().is_unspecified().then_some(local)
    }
}

impl BatchSocket {
    /// Binds a relay socket.
    pub(super) fn bind_relay(address: SocketAddr) -> Result<Self, OpenError> {
        let open = || {
            let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
            if address.is_ipv6() {
                socket.set_only_v6(true)?;
            }
            socket.bind(&address.into())?;
            let socket = Self::new(socket.into(), RELAY_BUFFER)?;
            socket.set_dont_fragment(false);
            // Errors from the way to a peer are passed on to the client.
            socket.state.enable_transport_errors((&socket.io).into())?;
            Ok(socket)
        };
        open().map_err(|error: io::Error| match error.kind() {
            io::ErrorKind::AddrInUse => OpenError::InUse,
            _ => OpenError::Failed,
        })
    }

    fn new(socket: UdpSocket, buffer: usize) -> io::Result<Self> {
        let state = UdpSocketState::new((&socket).into())?;
        enlarge(&socket, buffer);
        Ok(Self { io: mio::net::UdpSocket::from_std(socket), state })
    }

    pub(super) fn source(&mut self) -> &mut mio::net::UdpSocket {
        &mut self.io
    }

    pub(super) fn receive(&self, buffers: &mut [IoSliceMut<'_>], meta: &mut [RecvMeta]) -> io::Result<usize> {
        self.state.recv((&self.io).into(), buffers, meta)
    }

    pub(super) fn send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.state.try_send((&self.io).into(), transmit)
    }

    /// How many datagrams one call can send; 1 where the system has no offload for it.
    pub(super) fn max_segments(&self) -> usize {
        self.state.max_gso_segments()
    }

    /// Whether routers on the way may cut up what is sent. Off is what RFC 8656 §14 has for everything but
    /// DONT-FRAGMENT.
    pub(super) fn set_dont_fragment(&self, on: bool) {
        #[cfg(target_os = "linux")]
        {
            use sockopt::{Ipv4PathMtuDiscovery as V4, Ipv6PathMtuDiscovery as V6};
            let ipv4 = self.io.local_addr().is_ok_and(|address| address.is_ipv4());
            // A kernel that refuses goes on with its default.
            let _ = if ipv4 {
                sockopt::set_ip_mtu_discover(&self.io, if on { V4::PROBE } else { V4::DONT })
            } else {
                sockopt::set_ipv6_mtu_discover(&self.io, if on { V6::PROBE } else { V6::DONT })
            };
        }
        #[cfg(not(target_os = "linux"))]
        let _ = on;
    }

    #[cfg(target_os = "linux")]
    pub(super) fn fd(&self) -> std::os::fd::RawFd {
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
