//! Sockets and a cipher with nothing between them: what is measured of the least that can be done has these in common.

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::time::Duration;

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use nix::time::{ClockId, clock_gettime};
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};

/// Bytes before a payload: as of RTP with one extension. The packet's number is in them.
pub(crate) const HEADER: usize = 20;
/// Bytes behind it.
pub(crate) const TAG: usize = 16;

/// Sockets take so much that nothing is lost while their owner waits for a core.
const BUFFER: usize = 4 << 20;
const DATAGRAM: usize = 1 << 16;

/// AES-128-GCM, as SRTP uses it (RFC 7714), under a key that everybody has.
pub(crate) struct Cipher {
    key: LessSafeKey,
    sealed: u64,
}

impl Cipher {
    pub(crate) fn new() -> io::Result<Self> {
        let key = UnboundKey::new(&AES_128_GCM, &[7; 16]).map_err(|_| io::Error::other("no key"))?;
        Ok(Self { key: LessSafeKey::new(key), sealed: 0 })
    }

    /// Appends a packet, sealed where it lies.
    pub(crate) fn seal(&mut self, payload: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        self.sealed += 1;
        let start = out.len();
        out.extend_from_slice(&self.sealed.to_be_bytes());
        out.resize(start + HEADER, 0);
        out.extend_from_slice(payload);
        let (header, body) = out[start..].split_at_mut(HEADER);
        let tag = self.key.seal_in_place_separate_tag(nonce(self.sealed), Aad::from(&*header), body);
        let tag = tag.map_err(|_| io::Error::other("it does not seal"))?;
        debug_assert_eq!(tag.as_ref().len(), TAG);
        out.extend_from_slice(tag.as_ref());
        Ok(())
    }

    /// What was sealed, opened where it lies.
    pub(crate) fn open<'a>(&self, packet: &'a mut [u8]) -> Option<&'a [u8]> {
        let (header, body) = packet.split_at_mut_checked(HEADER)?;
        let number = u64::from_be_bytes(*header.first_chunk()?);
        self.key.open_in_place(nonce(number), Aad::from(&*header), body).ok().map(|opened| &*opened)
    }
}

fn nonce(number: u64) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[..8].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

/// A socket on loopback, which does not wait.
pub(crate) struct Socket {
    pub(crate) socket: mio::net::UdpSocket,
    pub(crate) address: SocketAddr,
    state: UdpSocketState,
}

impl Socket {
    pub(crate) fn bind() -> io::Result<Self> {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0")?;
        socket.set_nonblocking(true)?;
        socket2::SockRef::from(&socket).set_recv_buffer_size(BUFFER)?;
        let (address, state) = (socket.local_addr()?, UdpSocketState::new((&socket).into())?);
        Ok(Self { socket: mio::net::UdpSocket::from_std(socket), address, state })
    }

    /// Datagrams of one size, of which the last may be shorter (Linux: udp(7), `UDP_SEGMENT`), by one system call.
    pub(crate) fn send(&self, destination: SocketAddr, contents: &[u8], size: usize) -> io::Result<()> {
        let segment_size = (size < contents.len()).then_some(size);
        let transmit = Transmit { destination, ecn: None, contents, segment_size, src_ip: None };
        self.state.try_send((&self.socket).into(), &transmit)
    }

    /// Hands out all datagrams that there are.
    pub(crate) fn read(
        &self,
        arena: &mut Arena,
        mut take: impl FnMut(SocketAddr, &mut [u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        loop {
            let mut meta = [RecvMeta::default(); BATCH_SIZE];
            let mut chunks = arena.0.chunks_mut(DATAGRAM);
            let mut buffers: [IoSliceMut<'_>; BATCH_SIZE] =
                std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
            let count = match self.state.recv((&self.socket).into(), &mut buffers, &mut meta) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                outcome => outcome?,
            };
            for (buffer, meta) in arena.0.chunks_mut(DATAGRAM).zip(&meta[..count]) {
                for datagram in buffer[..meta.len].chunks_mut(meta.stride.max(1)) {
                    take(meta.addr, datagram)?;
                }
            }
        }
    }
}

/// Room for what one system call reads.
pub(crate) struct Arena(Vec<u8>);

impl Arena {
    pub(crate) fn new() -> Self {
        Self(vec![0; BATCH_SIZE * DATAGRAM])
    }
}

/// CPU time of this thread, with what the system does for it.
pub(crate) fn cpu() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}
