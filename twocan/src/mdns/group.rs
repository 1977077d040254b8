//! Sockets that hear what everybody is told (RFC 6762 §2, §11). They share the port with each other and with the system's.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tokio::net::UdpSocket;

use super::{GROUP_V4, GROUP_V6, PORT};

/// For every interface that it joins.
///
/// Bound to the group, so that it takes no datagram that is for another program's socket on the port; to any address where
/// the system does not bind to groups.
pub(super) fn open_v4() -> io::Result<UdpSocket> {
    let socket = shared(Domain::IPV4)?;
    let group = SockAddr::from(SocketAddr::from((GROUP_V4, PORT)));
    let any = SockAddr::from(SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT)));
    socket.bind(&group).or_else(|_| socket.bind(&any))?;
    socket.set_multicast_ttl_v4(255)?;
    UdpSocket::from_std(socket.into())
}

/// Joins on the interface of this address.
pub(super) fn join_v4(socket: &UdpSocket, interface: Ipv4Addr) -> io::Result<()> {
    socket.join_multicast_v4(GROUP_V4, interface)
}

/// For one interface.
pub(super) fn open_v6(interface: u32) -> io::Result<UdpSocket> {
    let socket = shared(Domain::IPV6)?;
    socket.set_only_v6(true)?;
    let group = SockAddr::from(SocketAddr::from(SocketAddrV6::new(GROUP_V6, PORT, 0, interface)));
    let any = SockAddr::from(SocketAddr::from((Ipv6Addr::UNSPECIFIED, PORT)));
    socket.bind(&group).or_else(|_| socket.bind(&any))?;
    socket.join_multicast_v6(&GROUP_V6, interface)?;
    socket.set_multicast_hops_v6(255)?;
    UdpSocket::from_std(socket.into())
}

fn shared(domain: Domain) -> io::Result<Socket> {
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(true)?;
    // On Linux the first is enough, and this one would divide what comes among the sockets.
    #[cfg(all(unix, not(target_os = "linux")))]
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}
