//! Finds the address behind a `….local` name, which browsers tell in place of their host addresses
//! (draft-ietf-mmusic-mdns-ice-candidates §3.2), by one-shot multicast DNS queries (RFC 6762 §5.1); [`responder`] answers
//! for names of ours.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;

mod group;
mod message;
pub(crate) mod responder;
#[cfg(all(test, target_os = "linux"))]
mod tests;

/// RFC 6762 §3.
const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);
const PORT: u16 = 5353;

/// How long to wait after each query (RFC 6762 §5.2: at least one second, then twice as long).
const WAITS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(2)];

/// How long to go on listening after an answer: the name may have an address of the other family, too.
const LINGER: Duration = Duration::from_millis(50);

/// Sockets that queries leave from.
const SOCKETS: usize = 16;

/// The addresses of a name; none if nobody answers. An answer that is a stranger's does no harm beyond a failed check:
/// that the peer is there is proven by ICE.
pub(crate) async fn resolve(name: &str) -> Vec<IpAddr> {
    let Some(query) = message::query(name) else { return Vec::new() };
    let sockets = open();
    let mut found = Vec::new();
    let mut buffer = [0; 1500];
    for wait in WAITS {
        for (socket, group) in &sockets {
            // An interface that cannot do multicast is one less.
            let _ = socket.send_to(&query, *group).await;
        }
        let mut until = tokio::time::Instant::now() + wait;
        while let Ok(Some(length)) = tokio::time::timeout_at(until, receive(&sockets, &mut buffer)).await {
            for address in message::addresses(&buffer[..length], name) {
                if !found.contains(&address) && found.len() < 8 {
                    found.push(address);
                    until = until.min(tokio::time::Instant::now() + LINGER);
                }
            }
        }
        if !found.is_empty() {
            break;
        }
    }
    found
}

/// A socket on each of this machine's addresses, and where its queries go.
fn open() -> Vec<(UdpSocket, SocketAddr)> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let usable = interfaces.into_iter().filter_map(|interface| {
        let made = match interface.ip() {
            IpAddr::V4(ip) => bind_v4(ip).map(|socket| (socket, SocketAddr::from((GROUP_V4, PORT)))),
            IpAddr::V6(_) => {
                let index = interface.index?;
                let group = std::net::SocketAddrV6::new(GROUP_V6, PORT, 0, index);
                bind_v6(index).map(|socket| (socket, SocketAddr::from(group)))
            }
        };
        made.ok()
    });
    usable.take(SOCKETS).collect()
}

fn bind_v4(ip: Ipv4Addr) -> io::Result<UdpSocket> {
    let socket = std::net::UdpSocket::bind((ip, 0))?;
    socket.set_nonblocking(true)?;
    socket2::SockRef::from(&socket).set_multicast_if_v4(&ip)?;
    UdpSocket::from_std(socket)
}

fn bind_v6(interface: u32) -> io::Result<UdpSocket> {
    let socket = std::net::UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?;
    socket.set_nonblocking(true)?;
    socket2::SockRef::from(&socket).set_multicast_if_v6(interface)?;
    UdpSocket::from_std(socket)
}

/// The next datagram of any socket; none if there is no socket.
async fn receive(sockets: &[(UdpSocket, SocketAddr)], buffer: &mut [u8]) -> Option<usize> {
    if sockets.is_empty() {
        return None;
    }
    let next = std::future::poll_fn(|context| {
        for (socket, _) in sockets {
            let mut read = tokio::io::ReadBuf::new(buffer);
            if let std::task::Poll::Ready(Ok(_)) = socket.poll_recv_from(context, &mut read) {
                return std::task::Poll::Ready(read.filled().len());
            }
        }
        std::task::Poll::Pending
    });
    Some(next.await)
}
