//! ICMP errors about what a relay socket sent: they wait in the socket's error queue (RFC 8656 §11.5).

use std::net::SocketAddr;

use turn::attribute::Icmp;

use crate::sockets::BatchSocket;

/// The next error of a socket, with the peer that the lost datagram was for.
#[cfg(target_os = "linux")]
pub(super) fn next_error(socket: &BatchSocket) -> Option<(SocketAddr, Icmp)> {
    use nix::cmsg_space;
    use nix::libc::{SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6};
    use nix::sys::socket::{ControlMessageOwned as Control, MsgFlags, SockaddrStorage, recvmsg};

    // Errors of other origins than ICMP are skipped; there are never many.
    for _ in 0..16 {
        // What we sent does not matter, only why it was lost.
        let mut sent = [0; 1];
        let mut buffers = [std::io::IoSliceMut::new(&mut sent)];
        let mut space = cmsg_space!([u8; 256]);
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        let message = recvmsg::<SockaddrStorage>(socket.fd(), &mut buffers, Some(&mut space), flags).ok()?;
        let address = message.address?;
        let peer = address
            .as_sockaddr_in()
            .map(|address| SocketAddr::V4((*address).into()))
            .or_else(|| address.as_sockaddr_in6().map(|address| SocketAddr::V6((*address).into())))?;
        for control in message.cmsgs().ok()? {
            let (Control::Ipv4RecvErr(error, _) | Control::Ipv6RecvErr(error, _)) = control else { continue };
            if !matches!(error.ee_origin, SO_EE_ORIGIN_ICMP | SO_EE_ORIGIN_ICMP6) {
                continue;
            }
            let too_big =
                matches!((peer.is_ipv4(), error.ee_type, error.ee_code), (true, 3, 4) | (false, 2, _));
            let data = if too_big { error.ee_info } else { 0 };
            return Some((peer, Icmp { kind: error.ee_type, code: error.ee_code, data }));
        }
    }
    None
}

/// Other systems do not tell.
#[cfg(not(target_os = "linux"))]
pub(super) fn next_error(_: &BatchSocket) -> Option<(SocketAddr, Icmp)> {
    None
}
