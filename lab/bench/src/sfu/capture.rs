//! What goes over the loopback interface, with the kernel's times: whoever reads it late does not count.
//!
//! A packet socket (packet(7)) is given each datagram while its sender's system call runs, with the time of that. What a
//! sender hands over at once (UDP GSO) goes by in one piece, and `PACKET_VNET_HDR` has the length at which it is cut
//! (for UDP from Linux 6.2 on).

use std::io::{self, IoSliceMut};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::sockopt::{RcvBufForce, ReceiveTimestampns};
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockProtocol, SockType, recvmsg, setsockopt,
    socket,
};
use nix::sys::time::TimeSpec;
use nix::{setsockopt_impl, sockopt_impl};

sockopt_impl!(
    /// What a virtual machine would be told of a packet comes before it (`struct virtio_net_hdr`).
    VirtualHeader,
    SetOnly,
    libc::SOL_PACKET,
    libc::PACKET_VNET_HDR,
    bool
);

/// Bytes of that header, and of Ethernet's, which loopback has, too.
const HEADER: usize = 10 + 14;
/// The longest IP packet.
const PACKET: usize = 65_536;
/// What may wait to be read here: a second of what a core forwards.
const WAITING: usize = 256 << 20;
/// So many packets are read at once, at most: others' on the same machine need not end.
const MOST: usize = 1 << 17;
/// How often it is read. Nobody waits for it in between: to wake somebody up would take the sender's time.
const LOOK: Duration = Duration::from_millis(5);

/// A sender's datagrams that went by at once.
pub(super) struct Passing<'a> {
    /// Since 1970.
    pub(super) at: Duration,
    pub(super) source_port: u16,
    pub(super) destination_port: u16,
    pub(super) payload: &'a [u8],
    /// The length of each, the last apart; never 0.
    pub(super) segment: usize,
}

impl<'a> Passing<'a> {
    /// Out of an IPv4 packet; none if there is no UDP in it.
    pub(super) fn read(at: Duration, packet: &'a [u8], segment: usize) -> Option<Self> {
        let words = usize::from(packet.first()?.checked_sub(0x40).filter(|rest| *rest < 16)?);
        let is_udp = packet.get(9) == Some(&17);
        let (head, payload) = packet.get(words * 4..)?.split_at_checked(8)?;
        let port = |at: usize| Some(u16::from_be_bytes([*head.get(at)?, *head.get(at + 1)?]));
        let (source_port, destination_port) = (port(0)?, port(2)?);
        let segment = if segment == 0 { payload.len().max(1) } else { segment };
        is_udp.then_some(Self { at, source_port, destination_port, payload, segment })
    }

    pub(super) fn datagrams(&self) -> impl Iterator<Item = &'a [u8]> {
        self.payload.chunks(self.segment.max(1))
    }
}

/// Reads along in a thread of its own.
pub(super) struct Capture<T> {
    thread: JoinHandle<io::Result<T>>,
    is_over: Arc<AtomicBool>,
}

impl<T: Send + 'static> Capture<T> {
    /// Gives what goes by to `watcher`. It takes the right to do so: root, or `CAP_NET_RAW` and `CAP_NET_ADMIN`.
    pub(super) fn start(mut watcher: T, take: fn(&mut T, &Passing<'_>)) -> io::Result<Self> {
        let socket = open()?;
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let thread = thread::Builder::new().name("capture".to_owned()).spawn(move || {
            let mut buffer = vec![0; HEADER + PACKET];
            loop {
                let is_last = over.load(Ordering::Relaxed);
                read_all(&socket, &mut buffer, |passing| take(&mut watcher, passing))?;
                if is_last {
                    return Ok(watcher);
                }
                thread::sleep(LOOK);
            }
        })?;
        Ok(Self { thread, is_over })
    }

    /// Reads what has gone by until now, and ends.
    pub(super) fn finish(self) -> io::Result<T> {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| io::Error::other("the thread that reads along has failed"))?
    }
}

fn open() -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC;
    // Of IPv4 alone, on its way in: otherwise each packet would come twice.
    let socket = socket(AddressFamily::Packet, SockType::Raw, flags, SockProtocol::EthIp)?;
    setsockopt(&socket, VirtualHeader, &true)?;
    setsockopt(&socket, ReceiveTimestampns, &true)?;
    setsockopt(&socket, RcvBufForce, &WAITING)?;
    Ok(socket)
}

/// Reads what waits, as far as there is not more of it than there is room for.
fn read_all(socket: &OwnedFd, buffer: &mut [u8], mut take: impl FnMut(&Passing<'_>)) -> io::Result<()> {
    let mut space = nix::cmsg_space!(TimeSpec);
    for _ in 0..MOST {
        let mut slices = [IoSliceMut::new(buffer)];
        let flags = MsgFlags::MSG_DONTWAIT;
        let message = match recvmsg::<()>(socket.as_raw_fd(), &mut slices, Some(&mut space), flags) {
            Ok(message) => message,
            Err(Errno::EAGAIN) => return Ok(()),
            // What is neither TCP's nor UDP's segments has no such header.
            Err(Errno::EINTR | Errno::EINVAL) => continue,
            Err(error) => return Err(error.into()),
        };
        let length = message.bytes;
        let time = message.cmsgs()?.find_map(|one| match one {
            ControlMessageOwned::ScmTimestampns(time) => Some(Duration::from(time)),
            _ => None,
        });
        // `gso_size` is the third field, two bytes in the machine's order.
        let segment = buffer.get(4..6).map_or(0, |size| usize::from(u16::from_ne_bytes([size[0], size[1]])));
        if let Some(at) = time
            && let Some(packet) = buffer.get(HEADER..length)
            && let Some(passing) = Passing::read(at, packet, segment)
        {
            take(&passing);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An IPv4 packet of UDP, without checksums.
    fn packet(ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0; 20];
        (packet[0], packet[9]) = (0x45, 17);
        packet.extend(ports.0.to_be_bytes());
        packet.extend(ports.1.to_be_bytes());
        packet.extend([0; 4]);
        packet.extend(payload);
        packet
    }

    #[test]
    fn what_was_handed_over_at_once_is_cut() {
        let bytes = packet((5000, 6000), &[1, 1, 1, 2, 2, 2, 3]);
        let passing = Passing::read(Duration::ZERO, &bytes, 3).expect("it is UDP");
        assert_eq!((passing.source_port, passing.destination_port), (5000, 6000));
        assert_eq!(passing.datagrams().map(<[u8]>::len).collect::<Vec<_>>(), [3, 3, 1]);
        let alone = Passing::read(Duration::ZERO, &bytes, 0).expect("it is UDP");
        assert_eq!(alone.datagrams().count(), 1);
    }

    #[test]
    fn what_is_not_udp_over_ipv4_is_left_alone() {
        let mut bytes = packet((1, 2), &[0; 8]);
        bytes[9] = 6;
        assert!(Passing::read(Duration::ZERO, &bytes, 0).is_none());
        let bytes = packet((1, 2), &[]);
        assert!(Passing::read(Duration::ZERO, &bytes[..27], 0).is_none());
        assert!(Passing::read(Duration::ZERO, &[0x60; 60], 0).is_none());
        assert!(Passing::read(Duration::ZERO, &[], 0).is_none());
    }
}
