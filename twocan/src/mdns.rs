//! Finds the address behind a `….local` name, which browsers tell in place of their host addresses
//! (draft-ietf-mmusic-mdns-ice-candidates §3.2), by one-shot multicast DNS queries (RFC 6762 §5.1); [`responder`] answers
//! for names of ours.
//!
//! Answers come back to the port of the query, as §6.7 has it, or to everybody, as Chromium gives them.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::Poll;
use std::time::Duration;

use tokio::net::UdpSocket;

use crate::interfaces::interfaces;

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
    let ears = Ears::open();
    let mut found = Vec::new();
    let mut buffer = [0; 1500];
    for wait in WAITS {
        for (socket, group) in &ears.asking {
            // An interface that cannot do multicast is one less.
            let _ = socket.send_to(&query, *group).await;
        }
        let mut until = tokio::time::Instant::now() + wait;
        while let Ok(Some(length)) = tokio::time::timeout_at(until, ears.receive(&mut buffer)).await {
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

/// Where answers are heard.
struct Ears {
    /// A socket on each of this machine's addresses, and where its queries go.
    asking: Vec<(UdpSocket, SocketAddr)>,
    /// What everybody hears.
    listening: Vec<UdpSocket>,
}

impl Ears {
    fn open() -> Self {
        let mut ears = Self { asking: Vec::new(), listening: Vec::new() };
        // Where the port cannot be shared, answers to everybody are not heard.
        let everybody = group::open_v4().ok();
        let all = interfaces().unwrap_or_default();
        for interface in all.iter().take(SOCKETS) {
            let asking = match interface.ip() {
                IpAddr::V4(ip) => {
                    if let Some(everybody) = &everybody {
                        // It has joined by another address, or there is no multicast.
                        let _ = group::join_v4(everybody, ip);
                    }
                    bind_v4(ip).map(|socket| (socket, SocketAddr::from((GROUP_V4, PORT))))
                }
                IpAddr::V6(_) => {
                    let Some(index) = interface.index else { continue };
                    ears.listening.extend(group::open_v6(index));
                    let group = std::net::SocketAddrV6::new(GROUP_V6, PORT, 0, index);
                    bind_v6(index).map(|socket| (socket, SocketAddr::from(group)))
                }
            };
            ears.asking.extend(asking);
        }
        ears.listening.extend(everybody);
        ears
    }

    /// The next datagram of any socket; none if there is no socket.
    async fn receive(&self, buffer: &mut [u8]) -> Option<usize> {
        if self.asking.is_empty() {
            return None;
        }
        let next = std::future::poll_fn(|context| {
            for socket in self.asking.iter().map(|(socket, _)| socket).chain(&self.listening) {
                let mut read = tokio::io::ReadBuf::new(buffer);
                while let Poll::Ready(heard) = socket.poll_recv_from(context, &mut read) {
                    // RFC 6762 §6: an answer comes from this port.
                    if heard.is_ok_and(|source| source.port() == PORT) {
                        return Poll::Ready(read.filled().len());
                    }
                    read.clear();
                }
            }
            Poll::Pending
        });
        Some(next.await)
    }
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
