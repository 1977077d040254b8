//! What no forwarder can do without: AES-128-GCM of each packet, one system call for a picture and its sound to each socket, and to
//! read and open what each says twenty times a second of what has come. That is read when the next picture is there, so nobody is
//! woken for it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};

use super::{INTERVAL, PACKETS, PAYLOAD};
use crate::bare::{Arena, Cipher, HEADER, Socket, TAG, cpu};

const SOUND: usize = 100;

/// Of a report: of some twenty packets (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
const REPORT: usize = 64;
/// After so many packets each sends one: of three pictures, two.
const REPORTED: u64 = (PACKETS as u64 + 1) * 3 / 2;

/// One who receives.
struct Receiver {
    socket: Socket,
    cipher: Cipher,
    received: u64,
    reported: u64,
}

/// Nanoseconds of CPU for each packet that is sent: in real time, as caches are cold after each pause.
pub(super) fn measure(count: usize, frames: u32) -> io::Result<f64> {
    let sockets: Vec<Socket> = (0..count).map(|_| Socket::bind()).collect::<io::Result<_>>()?;
    let viewer = |socket: &Socket| Cipher::new().map(|cipher| (socket.address, cipher));
    let mut viewers = sockets.iter().map(viewer).collect::<io::Result<Vec<_>>>()?;
    let socket = Socket::bind()?;
    let (is_over, received) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (ends, counter, server) = (Arc::clone(&is_over), Arc::clone(&received), socket.address);
    let reader = std::thread::spawn(move || read(sockets, server, &ends, &counter));
    let opener = Cipher::new()?;
    let (mut buffer, mut arena, mut reports) = (Vec::new(), Arena::new(), 0_u64);
    let (picture, sound) = ([7; PAYLOAD], [7; SOUND]);
    let (begun, before) = (Instant::now(), cpu());
    for frame in 0..frames {
        std::thread::sleep((begun + INTERVAL * frame).saturating_duration_since(Instant::now()));
        socket.read(&mut arena, |_, report| {
            reports += u64::from(opener.open(report).is_some());
            Ok(())
        })?;
        for (address, cipher) in &mut viewers {
            buffer.clear();
            (0..PACKETS).try_for_each(|_| cipher.seal(&picture, &mut buffer))?;
            // Sound needs no call of its own, behind the last.
            cipher.seal(&sound, &mut buffer)?;
            socket.send(*address, &buffer, HEADER + PAYLOAD + TAG)?;
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

/// Takes what arrives, several datagrams at once, until nothing more does, and reports it.
fn read(
    sockets: Vec<Socket>,
    server: SocketAddr,
    is_over: &AtomicBool,
    received: &AtomicU64,
) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut all = Vec::new();
    for (index, mut socket) in sockets.into_iter().enumerate() {
        poll.registry().register(&mut socket.socket, Token(index), Interest::READABLE)?;
        all.push(Receiver { socket, cipher: Cipher::new()?, received: 0, reported: 0 });
    }
    let (mut events, mut arena) = (Events::with_capacity(1024), Arena::new());
    loop {
        poll.poll(&mut events, Some(Duration::from_millis(100)))?;
        if events.is_empty() && is_over.load(Ordering::Relaxed) {
            return Ok(());
        }
        for event in &events {
            let Some(receiver) = all.get_mut(event.token().0) else { continue };
            let before = receiver.received;
            receiver.socket.read(&mut arena, |_, _| {
                receiver.received += 1;
                Ok(())
            })?;
            received.fetch_add(receiver.received - before, Ordering::Relaxed);
            receiver.report(server)?;
        }
    }
}

impl Receiver {
    fn report(&mut self, server: SocketAddr) -> io::Result<()> {
        while self.received - self.reported >= REPORTED {
            self.reported += REPORTED;
            let mut report = Vec::new();
            self.cipher.seal(&[7; REPORT], &mut report)?;
            self.socket.send(server, &report, report.len())?;
        }
        Ok(())
    }
}
