//! What no forwarder can do without: AES-128-GCM of each packet, and system calls that send them, to as many sockets.

use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use mio::{Events, Interest, Poll, Token};
use nix::time::{ClockId, clock_gettime};
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};

use super::{INTERVAL, PACKETS, PAYLOAD};

/// Bytes before a payload, with one extension, and behind it.
const HEADER: usize = 20;
const TAG: usize = 16;
const SOUND: usize = 100;

/// Sockets take so much that nothing is lost while their owner waits for a core.
const BUFFER: usize = 4 << 20;
const DATAGRAM: usize = 1 << 16;

struct Viewer {
    address: SocketAddr,
    key: LessSafeKey,
    nonce: u64,
}

/// Nanoseconds of CPU for each packet that is sent: in real time, as caches are cold after each pause.
pub(super) fn measure(count: usize, frames: u32) -> io::Result<f64> {
    let receivers: Vec<UdpSocket> = (0..count).map(|_| receiver()).collect::<io::Result<_>>()?;
    let mut viewers = receivers.iter().map(viewer).collect::<io::Result<Vec<_>>>()?;
    let (is_over, received) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (ends, counter) = (Arc::clone(&is_over), Arc::clone(&received));
    let reader = std::thread::spawn(move || read(receivers, &ends, &counter));
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let state = UdpSocketState::new((&socket).into())?;
    let mut buffer = Vec::new();
    let (begun, before) = (Instant::now(), cpu());
    for frame in 0..frames {
        std::thread::sleep((begun + INTERVAL * frame).saturating_duration_since(Instant::now()));
        for viewer in &mut viewers {
            buffer.clear();
            (0..PACKETS).try_for_each(|_| viewer.seal(&mut buffer, PAYLOAD))?;
            send(&socket, &state, viewer.address, &buffer, Some(buffer.len() / PACKETS))?;
            buffer.clear();
            viewer.seal(&mut buffer, SOUND)?;
            send(&socket, &state, viewer.address, &buffer, None)?;
        }
    }
    let spent = cpu() - before;
    is_over.store(true, Ordering::Relaxed);
    reader.join().map_err(|_| io::Error::other("the reader failed"))??;
    let expected = count as u64 * u64::from(frames) * (PACKETS as u64 + 1);
    let arrived = received.load(Ordering::Relaxed);
    if arrived * 100 < expected * 99 {
        return Err(io::Error::other(format!("{arrived} of {expected} packets arrived")));
    }
    Ok(spent.as_nanos() as f64 / expected as f64)
}

impl Viewer {
    /// Appends a packet, sealed.
    fn seal(&mut self, buffer: &mut Vec<u8>, payload: usize) -> io::Result<()> {
        let start = buffer.len();
        buffer.resize(start + HEADER + payload, 7);
        self.nonce += 1;
        let mut nonce = [0; NONCE_LEN];
        nonce[..8].copy_from_slice(&self.nonce.to_be_bytes());
        let (header, body) = buffer[start..].split_at_mut(HEADER);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.key.seal_in_place_separate_tag(nonce, Aad::from(&*header), body);
        let tag = tag.map_err(|_| io::Error::other("it does not seal"))?;
        debug_assert_eq!(tag.as_ref().len(), TAG);
        buffer.extend_from_slice(tag.as_ref());
        Ok(())
    }
}

fn send(
    socket: &UdpSocket,
    state: &UdpSocketState,
    destination: SocketAddr,
    contents: &[u8],
    segment_size: Option<usize>,
) -> io::Result<()> {
    state.try_send(socket.into(), &Transmit { destination, ecn: None, contents, segment_size, src_ip: None })
}

fn receiver() -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.set_nonblocking(true)?;
    socket2::SockRef::from(&socket).set_recv_buffer_size(BUFFER)?;
    Ok(socket)
}

fn viewer(socket: &UdpSocket) -> io::Result<Viewer> {
    let key = UnboundKey::new(&AES_128_GCM, &[7; 16]).map_err(|_| io::Error::other("no key"))?;
    Ok(Viewer { address: socket.local_addr()?, key: LessSafeKey::new(key), nonce: 0 })
}

/// Takes what arrives, several datagrams at once, until nothing more does.
fn read(sockets: Vec<UdpSocket>, is_over: &AtomicBool, received: &AtomicU64) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut all = Vec::new();
    for (index, socket) in sockets.into_iter().enumerate() {
        let state = UdpSocketState::new((&socket).into())?;
        let mut socket = mio::net::UdpSocket::from_std(socket);
        poll.registry().register(&mut socket, Token(index), Interest::READABLE)?;
        all.push((socket, state));
    }
    let mut events = Events::with_capacity(1024);
    let mut arena = vec![0; BATCH_SIZE * DATAGRAM];
    loop {
        poll.poll(&mut events, Some(Duration::from_millis(100)))?;
        if events.is_empty() && is_over.load(Ordering::Relaxed) {
            return Ok(());
        }
        for event in &events {
            let Some((socket, state)) = all.get(event.token().0) else { continue };
            loop {
                let mut meta = [RecvMeta::default(); BATCH_SIZE];
                let mut chunks = arena.chunks_mut(DATAGRAM);
                let mut buffers: [IoSliceMut<'_>; BATCH_SIZE] =
                    std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
                let Ok(count) = state.recv(socket.into(), &mut buffers, &mut meta) else { break };
                let datagrams = meta[..count].iter().map(|meta| meta.len.div_ceil(meta.stride.max(1)) as u64);
                received.fetch_add(datagrams.sum(), Ordering::Relaxed);
            }
        }
    }
}

/// CPU time of this thread, with what the system does for it.
fn cpu() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}
