//! What all who forward a room have to do: to wait for what comes, to read and to open it, to seal it for each who gets it, and one
//! system call for all that may leave with one. Nothing is decided, estimated, paced, kept or sent again. No strict bound, as
//! `quinn-udp` sends a source address and a type of service with each call.
//!
//! Everybody sends what the others of this bench send, at the same moments, and says twenty times a second what has come.

mod forwarder;
mod person;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};

use self::forwarder::{Forwarder, Phase};
use self::person::Person;
use super::camera::LAYERS;
use super::{Figures, WARM};
use crate::bare::{Arena, Socket};
use crate::process::{SERVER_CORE, pin};

/// What a packet is of, in its first byte: a layer's place, or one of these.
const SOUND: u8 = LAYERS.len() as u8;
const REPORT: u8 = SOUND + 1;

/// One turn: on the servers' core, as servers are.
pub(super) fn measure(people: usize, full: usize, window: Duration) -> io::Result<Figures> {
    let server = Socket::bind()?;
    let address = server.address;
    let mut all: Vec<Person> =
        (0..people).map(|place| Person::new(place, people)).collect::<io::Result<_>>()?;
    let addresses = all.iter().map(|person| person.socket.address);
    let mut forwarder = Forwarder::new(server, addresses, full)?;
    let phase = Arc::new(AtomicU8::new(Phase::Warm as u8));
    let its = Arc::clone(&phase);
    let thread = std::thread::spawn(move || {
        pin(SERVER_CORE)?;
        forwarder.run(&its)
    });
    let mut poll = Poll::new()?;
    for (place, person) in all.iter_mut().enumerate() {
        poll.registry().register(&mut person.socket.socket, Token(place), Interest::READABLE)?;
    }
    let (mut events, mut arena) = (Events::with_capacity(64), Arena::new());
    let (begun, mut counted) = (Instant::now(), None);
    let (since, before) = loop {
        let now = begun.elapsed();
        match counted {
            None if now >= WARM => {
                phase.store(Phase::Counted as u8, Ordering::Relaxed);
                counted = Some((now, Counts::of(&all)));
            }
            Some((since, before)) if now >= since + window => break (since, before),
            _ => {}
        }
        for person in &mut all {
            person.send_due(now, address)?;
        }
        let next = all.iter().map(Person::next).min().unwrap_or(now);
        poll.poll(&mut events, Some(next.saturating_sub(begun.elapsed())))?;
        for event in &events {
            if let Some(person) = all.get_mut(event.token().0) {
                person.hear(&mut arena)?;
            }
        }
    };
    let took = (begun.elapsed() - since).as_secs_f64();
    phase.store(Phase::Over as u8, Ordering::Relaxed);
    let work = thread.join().map_err(|_| io::Error::other("the forwarder failed"))??;
    let counts = Counts::of(&all);
    let (sent, received) = (counts.sent - before.sent, (counts.received - before.received) as f64);
    let cpu = work.cpu.as_secs_f64();
    Ok(Figures {
        sent: sent as f64 / took,
        rate: received / took,
        cost: 1e6 * cpu / received,
        share: cpu / took,
        arrived: received / work.packets as f64,
        sizes: [((people - 1 - full) * people) as f64, 0.0, (full * people) as f64, 0.0],
        memory: f64::NAN,
    })
}

/// What all have sent and received so far.
#[derive(Clone, Copy, Default)]
struct Counts {
    sent: u64,
    received: u64,
}

impl Counts {
    fn of(all: &[Person]) -> Self {
        let add = |sum: Self, person: &Person| Self {
            sent: sum.sent + person.sent,
            received: sum.received + person.received,
        };
        all.iter().fold(Self::default(), add)
    }
}
