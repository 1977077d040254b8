//! The load generator's sockets: they must cost as little as they can, whatever the server does.

use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};

use quinn_udp::{RecvMeta, Transmit, UdpSocketState};

/// A connected socket that receives several datagrams in one call.
pub(crate) struct LoadSocket {
    socket: UdpSocket,
    state: UdpSocketState,
    pub(crate) remote: SocketAddr,
}

impl LoadSocket {
    pub(crate) fn new(remote: SocketAddr) -> io::Result<Self> {
        // Not the servers' address: ports there are theirs to choose.
        let socket = UdpSocket::bind(("127.0.0.2", 0))?;
        socket.connect(remote)?;
        Self::wrap(socket, remote)
    }

    pub(crate) fn wrap(socket: UdpSocket, remote: SocketAddr) -> io::Result<Self> {
        let state = UdpSocketState::new((&socket).into())?;
        // With the privilege to; else the system's maximum.
        let _ = nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::RcvBufForce, &(8 << 20));
        Ok(Self { socket, state, remote })
    }

    pub(crate) fn local(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// One datagram, one call.
    pub(crate) fn send(&self, datagram: &[u8]) -> io::Result<()> {
        loop {
            match self.socket.send(datagram) {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Several datagrams of one size, one call.
    pub(crate) fn send_segments(&self, contents: &[u8], segment: usize) -> io::Result<()> {
        let transmit = Transmit {
            destination: self.remote,
            ecn: None,
            contents,
            segment_size: Some(segment),
            src_ip: None,
        };
        self.state.try_send((&self.socket).into(), &transmit)
    }

    /// Counts the datagrams that wait, and forgets them.
    pub(crate) fn drain(&self, arena: &mut [u8]) -> io::Result<u64> {
        let mut count = 0;
        loop {
            let mut meta = [RecvMeta::default(); 4];
            let mut chunks = arena.chunks_mut(1 << 16);
            let mut buffers: [IoSliceMut<'_>; 4] =
                std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
            match self.state.recv((&self.socket).into(), &mut buffers, &mut meta) {
                Ok(received) => {
                    count += meta[..received]
                        .iter()
                        .map(|meta| meta.len.div_ceil(meta.stride.max(1)) as u64)
                        .sum::<u64>();
                    if received < meta.len() {
                        return Ok(count);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(count),
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits for one datagram.
    pub(crate) fn receive(&self, buffer: &mut [u8], patience: std::time::Duration) -> io::Result<usize> {
        let deadline = std::time::Instant::now() + patience;
        loop {
            match self.socket.recv(buffer) {
                Ok(length) => return Ok(length),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if std::time::Instant::now() > deadline {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                    std::hint::spin_loop();
                }
                Err(error) => return Err(error),
            }
        }
    }
}
