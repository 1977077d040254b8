//! What no forwarder can do without: AES-128-GCM of each packet, one system call for a picture and its sound to each socket, and to
//! read and open what each says twenty times a second of what has come. That is read when the next picture is there, so nobody is
//! woken for it.

use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use mio::{Events, Interest, Poll, Token};
use nix::time::{ClockId, clock_gettime};
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSockRef, UdpSocketState};

use super::{INTERVAL, PACKETS, PAYLOAD};

/// Bytes before a payload, with one extension, and behind it.
const HEADER: usize = 20;
const TAG: usize = 16;
const SOUND: usize = 100;

/// Sockets take so much that nothing is lost while their owner waits for a core.
const BUFFER: usize = 4 << 20;
const DATAGRAM: usize = 1 << 16;

/// Of a report, without its tag: of some twenty packets (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
const REPORT: usize = 64;
/// After so many packets each sends one: of three pictures, two.
const REPORTED: u64 = (PACKETS as u64 + 1) * 3 / 2;

struct Viewer {
    address: SocketAddr,
    key: LessSafeKey,
    nonce: u64,
}

/// One who receives.
struct Receiver {
    socket: mio::net::UdpSocket,
    state: UdpSocketState,
    key: LessSafeKey,
    received: u64,
    reported: u64,
}

/// Nanoseconds of CPU for each packet that is sent: in real time, as caches are cold after each pause.
pub(super) fn measure(count: usize, frames: u32) -> io::Result<f64> {
    let receivers: Vec<UdpSocket> = (0..count).map(|_| bind()).collect::<io::Result<_>>()?;
    let mut viewers = receivers.iter().map(viewer).collect::<io::Result<Vec<_>>>()?;
    let socket = bind()?;
    let state = UdpSocketState::new((&socket).into())?;
    let (is_over, received) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (ends, counter, server) = (Arc::clone(&is_over), Arc::clone(&received), socket.local_addr()?);
    let reader = std::thread::spawn(move || read(receivers, server, &ends, &counter));
    let opener = key()?;
    let (mut buffer, mut arena, mut reports) = (Vec::new(), vec![0; BATCH_SIZE * DATAGRAM], 0);
    let (begun, before) = (Instant::now(), cpu());
    for frame in 0..frames {
        std::thread::sleep((begun + INTERVAL * frame).saturating_duration_since(Instant::now()));
        while let Ok(said) = take(&socket, &state, &mut arena, |report| open(&opener, report)) {
            reports += said;
        }
        for viewer in &mut viewers {
            buffer.clear();
            (0..PACKETS).try_for_each(|_| viewer.seal(&mut buffer, PAYLOAD))?;
            let segment_size = Some(buffer.len() / PACKETS);
            // The last segment may be shorter (Linux: udp(7), UDP_SEGMENT): sound needs no call of its own.
            viewer.seal(&mut buffer, SOUND)?;
            let transmit = Transmit {
                destination: viewer.address,
                ecn: None,
                contents: &buffer,
                segment_size,
                src_ip: None,
            };
            state.try_send((&socket).into(), &transmit)?;
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
    let due = expected / REPORTED;
    if reports * 10 < due * 9 {
        return Err(io::Error::other(format!("{reports} of {due} reports arrived")));
    }
    Ok(spent.as_nanos() as f64 / expected as f64)
}

impl Viewer {
    /// Appends a packet, sealed.
    fn seal(&mut self, buffer: &mut Vec<u8>, payload: usize) -> io::Result<()> {
        let start = buffer.len();
        buffer.resize(start + HEADER + payload, 7);
        self.nonce += 1;
        let (header, body) = buffer[start..].split_at_mut(HEADER);
        let tag = self.key.seal_in_place_separate_tag(nonce(self.nonce), Aad::from(&*header), body);
        let tag = tag.map_err(|_| io::Error::other("it does not seal"))?;
        debug_assert_eq!(tag.as_ref().len(), TAG);
        buffer.extend_from_slice(tag.as_ref());
        Ok(())
    }
}

fn nonce(number: u64) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[..8].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

fn key() -> io::Result<LessSafeKey> {
    let key = UnboundKey::new(&AES_128_GCM, &[7; 16]).map_err(|_| io::Error::other("no key"))?;
    Ok(LessSafeKey::new(key))
}

/// Opens a report; its number is before it.
fn open(key: &LessSafeKey, report: &mut [u8]) -> bool {
    let Some((number, sealed)) = report.split_first_chunk_mut() else { return false };
    key.open_in_place(nonce(u64::from_be_bytes(*number)), Aad::empty(), sealed).is_ok()
}

fn bind() -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.set_nonblocking(true)?;
    socket2::SockRef::from(&socket).set_recv_buffer_size(BUFFER)?;
    Ok(socket)
}

fn viewer(socket: &UdpSocket) -> io::Result<Viewer> {
    Ok(Viewer { address: socket.local_addr()?, key: key()?, nonce: 0 })
}

/// Takes what arrives, several datagrams at once, until nothing more does, and reports it.
fn read(
    sockets: Vec<UdpSocket>,
    server: SocketAddr,
    is_over: &AtomicBool,
    received: &AtomicU64,
) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut all = Vec::new();
    for (index, socket) in sockets.into_iter().enumerate() {
        let state = UdpSocketState::new((&socket).into())?;
        let mut socket = mio::net::UdpSocket::from_std(socket);
        poll.registry().register(&mut socket, Token(index), Interest::READABLE)?;
        all.push(Receiver { socket, state, key: key()?, received: 0, reported: 0 });
    }
    let mut events = Events::with_capacity(1024);
    let mut arena = vec![0; BATCH_SIZE * DATAGRAM];
    loop {
        poll.poll(&mut events, Some(Duration::from_millis(100)))?;
        if events.is_empty() && is_over.load(Ordering::Relaxed) {
            return Ok(());
        }
        for event in &events {
            let Some(receiver) = all.get_mut(event.token().0) else { continue };
            while let Ok(count) = take(&receiver.socket, &receiver.state, &mut arena, |_| true) {
                receiver.received += count;
                received.fetch_add(count, Ordering::Relaxed);
            }
            receiver.report(server)?;
        }
    }
}

impl Receiver {
    fn report(&mut self, server: SocketAddr) -> io::Result<()> {
        while self.received - self.reported >= REPORTED {
            self.reported += REPORTED;
            let number = self.reported.to_be_bytes();
            let mut report = number.to_vec();
            report.resize(number.len() + REPORT, 7);
            let sealed = &mut report[number.len()..];
            let tag = self.key.seal_in_place_separate_tag(nonce(self.reported), Aad::empty(), sealed);
            report.extend_from_slice(tag.map_err(|_| io::Error::other("it does not seal"))?.as_ref());
            self.socket.send_to(&report, server)?;
        }
        Ok(())
    }
}

/// Takes what one system call reads; how many datagrams `is_good` says to be good. An error where there is nothing.
fn take<'a>(
    socket: impl Into<UdpSockRef<'a>>,
    state: &UdpSocketState,
    arena: &mut [u8],
    is_good: impl Fn(&mut [u8]) -> bool,
) -> io::Result<u64> {
    let mut meta = [RecvMeta::default(); BATCH_SIZE];
    let mut chunks = arena.chunks_mut(DATAGRAM);
    let mut buffers: [IoSliceMut<'_>; BATCH_SIZE] =
        std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
    let count = state.recv(socket.into(), &mut buffers, &mut meta)?;
    let mut good = 0;
    for (buffer, meta) in arena.chunks_mut(DATAGRAM).zip(&meta[..count]) {
        let datagrams = buffer[..meta.len].chunks_mut(meta.stride.max(1));
        good += datagrams.map(&is_good).filter(|is_good| *is_good).count() as u64;
    }
    Ok(good)
}

/// CPU time of this thread, with what the system does for it.
fn cpu() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}
