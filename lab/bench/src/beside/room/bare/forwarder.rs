//! The thread that forwards, and does nothing else.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use mio::{Events, Interest, Poll, Token};

use super::super::camera::LAYERS;
use super::{REPORT, SOUND};
use crate::bare::{Arena, Cipher, HEADER, Socket, TAG, cpu};

/// Where there is nothing to do, one looks if it is over.
const LOOK: Duration = Duration::from_millis(100);

/// What is measured of it.
#[derive(Clone, Copy)]
pub(super) enum Phase {
    Warm,
    Counted,
    Over,
}

#[derive(Default)]
pub(super) struct Work {
    pub(super) cpu: Duration,
    pub(super) packets: u64,
}

pub(super) struct Forwarder {
    socket: Socket,
    room: Room,
}

struct Room {
    all: Vec<Receiver>,
    at: HashMap<SocketAddr, usize>,
    /// How many of the others each gets in full.
    full: usize,
    work: Work,
    /// For whom something is put aside.
    touched: Vec<usize>,
}

/// One to whom is forwarded.
struct Receiver {
    address: SocketAddr,
    opens: Cipher,
    seals: Cipher,
    /// Pictures that leave in this turn, and sounds, which go behind them.
    pictures: Outbox,
    sounds: Outbox,
}

/// Packets, one behind another, and how long each is.
#[derive(Default)]
struct Outbox {
    bytes: Vec<u8>,
    lengths: Vec<usize>,
}

impl Forwarder {
    pub(super) fn new(
        socket: Socket,
        addresses: impl Iterator<Item = SocketAddr> + Clone,
        full: usize,
    ) -> io::Result<Self> {
        let receiver = |address| {
            let (opens, seals) = (Cipher::new()?, Cipher::new()?);
            Ok(Receiver { address, opens, seals, pictures: Outbox::default(), sounds: Outbox::default() })
        };
        let room = Room {
            all: addresses.clone().map(receiver).collect::<io::Result<_>>()?,
            at: addresses.enumerate().map(|(place, address)| (address, place)).collect(),
            full,
            work: Work::default(),
            touched: Vec::new(),
        };
        Ok(Self { socket, room })
    }

    /// Forwards until it is over; what that took since it counts.
    pub(super) fn run(&mut self, phase: &AtomicU8) -> io::Result<Work> {
        let mut poll = Poll::new()?;
        poll.registry().register(&mut self.socket.socket, Token(0), Interest::READABLE)?;
        let (mut events, mut arena) = (Events::with_capacity(4), Arena::new());
        let mut before = None;
        loop {
            poll.poll(&mut events, Some(LOOK))?;
            let phase = phase.load(Ordering::Relaxed);
            if phase == Phase::Over as u8 {
                break;
            }
            if phase == Phase::Counted as u8 && before.is_none() {
                (self.room.work, before) = (Work::default(), Some(cpu()));
            }
            // All there is, and then all that it makes.
            self.socket.read(&mut arena, |from, packet| self.room.take(from, packet))?;
            let Room { all, touched, .. } = &mut self.room;
            touched.drain(..).try_for_each(|place| all[place].flush(&self.socket))?;
        }
        let packets = self.room.work.packets;
        Ok(Work { cpu: cpu() - before.unwrap_or_default(), packets })
    }
}

impl Room {
    fn take(&mut self, from: SocketAddr, packet: &mut [u8]) -> io::Result<()> {
        let Some(from) = self.at.get(&from).copied() else { return Ok(()) };
        let Some(payload) = self.all[from].opens.open(packet) else { return Ok(()) };
        let Some(of) = payload.first().copied().filter(|of| *of != REPORT) else { return Ok(()) };
        let people = self.all.len();
        for away in 1..people {
            let wished = if away <= self.full { LAYERS.len() as u8 - 1 } else { 0 };
            if of != SOUND && of != wished {
                continue;
            }
            // Who sees the one who sends so many places away.
            let place = (from + people - away) % people;
            let receiver = &mut self.all[place];
            if receiver.pictures.lengths.is_empty() && receiver.sounds.lengths.is_empty() {
                self.touched.push(place);
            }
            let outbox = if of == SOUND { &mut receiver.sounds } else { &mut receiver.pictures };
            receiver.seals.seal(payload, &mut outbox.bytes)?;
            outbox.lengths.push(HEADER + payload.len() + TAG);
            self.work.packets += 1;
        }
        Ok(())
    }
}

impl Receiver {
    /// One call takes packets of one size and a shorter one behind them.
    fn flush(&mut self, socket: &Socket) -> io::Result<()> {
        let Self { address, pictures, sounds, .. } = self;
        pictures.bytes.append(&mut sounds.bytes);
        pictures.lengths.append(&mut sounds.lengths);
        let (mut bytes, mut lengths) = (pictures.bytes.as_slice(), pictures.lengths.as_slice());
        while let Some(size) = lengths.first().copied() {
            let equal = lengths.iter().take_while(|length| **length == size).count();
            let shorter = lengths.get(equal).is_some_and(|length| *length < size);
            let (batch, others) = lengths.split_at(equal + usize::from(shorter));
            let (now, later) = bytes.split_at(batch.iter().sum());
            socket.send(*address, now, size)?;
            (bytes, lengths) = (later, others);
        }
        pictures.bytes.clear();
        pictures.lengths.clear();
        Ok(())
    }
}
