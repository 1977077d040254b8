//! A bad line for datagrams: it takes them at one address and carries them to another and back, later and not all of them.
//! The kernels that tests run on have no netem, so this has to be a program; tests put it into a client's router.
//!
//! ```text
//! line LISTEN TARGET SEED
//! ```
//!
//! It begins as a good line. What is to change comes in lines on standard input, and it ends with that:
//!
//! | line | means |
//! |---|---|
//! | `delay MS` | in each direction |
//! | `jitter MS` | up to so much more; datagrams stay in order |
//! | `loss PER_MILLE` | at random |
//! | `outage MS` | nothing gets through from now on, for so long |

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufRead as _, Write as _};
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{env, thread};

/// Whoever sends from so many addresses is no client of a test's.
const CLIENTS: usize = 64;
/// Datagrams under way, in each direction.
const UNDER_WAY: usize = 4096;
/// Without a word for so long, threads look whether there is anything to do.
const IDLE: Duration = Duration::from_secs(1);

const USAGE: &str = "line LISTEN TARGET SEED, such as: line 0.0.0.0:7000 203.0.113.1:443 1";

fn main() -> io::Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [listen, target, seed] = &words[..] else { return Err(io::Error::other(USAGE)) };
    let target: SocketAddr = target.parse().map_err(|_| io::Error::other(USAGE))?;
    let seed: u64 = seed.parse().map_err(|_| io::Error::other(USAGE))?;
    let quality = Arc::new(Mutex::new(Quality { random: seed, ..Quality::default() }));
    let outside = Arc::new(UdpSocket::bind(listen)?);
    let carried = Arc::clone(&quality);
    thread::spawn(move || carry_out(&outside, target, &carried));
    println!("ready");
    io::stdout().flush()?;
    for line in io::stdin().lock().lines() {
        lock(&quality).change(&line?)?;
    }
    Ok(())
}

/// What the line is like now.
#[derive(Debug, Default)]
struct Quality {
    delay: Duration,
    jitter: Duration,
    loss_per_mille: u64,
    outage: Option<Instant>,
    random: u64,
}

impl Quality {
    fn change(&mut self, line: &str) -> io::Result<()> {
        let unknown =
            || io::Error::other(format!("{line:?}: there are delay, jitter, loss, outage, and a number"));
        let (name, number) = line.split_once(' ').ok_or_else(unknown)?;
        let number: u64 = number.parse().map_err(|_| unknown())?;
        let time = Duration::from_millis(number);
        match name {
            "delay" => self.delay = time,
            "jitter" => self.jitter = time,
            "loss" => self.loss_per_mille = number,
            "outage" => self.outage = Some(Instant::now() + time),
            _ => return Err(unknown()),
        }
        Ok(())
    }

    /// How much later a datagram arrives that is sent now; none if it never does.
    fn fate(&mut self, now: Instant) -> Option<Duration> {
        let is_lost = self.draw(1000) < self.loss_per_mille;
        let more = Duration::from_micros(self.draw(self.jitter.as_micros() as u64 + 1));
        let is_out = self.outage.is_some_and(|end| now < end);
        (!is_lost && !is_out).then_some(self.delay + more)
    }

    /// Evenly below `bound`: SplitMix64.
    fn draw(&mut self, bound: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }
}

/// Datagrams under way in one direction.
#[derive(Default)]
struct Way {
    queue: Mutex<VecDeque<(Instant, Parcel)>>,
    more: Condvar,
}

struct Parcel {
    bytes: Vec<u8>,
    by: Arc<UdpSocket>,
    /// None: where the socket is connected to.
    to: Option<SocketAddr>,
}

impl Way {
    fn put(&self, quality: &Mutex<Quality>, parcel: Parcel) {
        let now = Instant::now();
        let Some(later) = lock(quality).fate(now) else { return };
        let mut queue = lock(&self.queue);
        if queue.len() < UNDER_WAY {
            let before = queue.back().map_or(now, |(due, _)| *due);
            queue.push_back((before.max(now + later), parcel));
            self.more.notify_one();
        }
    }

    fn deliver(&self) {
        let mut queue = lock(&self.queue);
        loop {
            let now = Instant::now();
            let due = queue.front().map(|(due, _)| *due);
            if due.is_some_and(|due| due <= now)
                && let Some((_, Parcel { bytes, by, to })) = queue.pop_front()
            {
                // Whoever is not there any more gets nothing.
                let _ = to.map_or_else(|| by.send(&bytes), |to| by.send_to(&bytes, to));
                continue;
            }
            let wait = due.map_or(IDLE, |due| due - now);
            queue = self.more.wait_timeout(queue, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Carries what comes from clients, each over a socket of its own, by which answers come back.
fn carry_out(outside: &Arc<UdpSocket>, target: SocketAddr, quality: &Arc<Mutex<Quality>>) {
    let [out, back] = [(); 2].map(|()| Arc::new(Way::default()));
    for way in [&out, &back].map(Arc::clone) {
        thread::spawn(move || way.deliver());
    }
    let mut clients: BTreeMap<SocketAddr, Arc<UdpSocket>> = BTreeMap::new();
    let mut buffer = [0; 2048];
    loop {
        // An error is of an earlier datagram.
        let Ok((length, client)) = outside.recv_from(&mut buffer) else { continue };
        if !clients.contains_key(&client) && clients.len() < CLIENTS {
            let Ok(by) = UdpSocket::bind(("0.0.0.0", 0)).and_then(|by| by.connect(target).map(|()| by))
            else {
                continue;
            };
            let by = Arc::new(by);
            clients.insert(client, Arc::clone(&by));
            let (outside, back, quality) = (Arc::clone(outside), Arc::clone(&back), Arc::clone(quality));
            thread::spawn(move || carry_back(&by, (&outside, client), &back, &quality));
        }
        if let Some(by) = clients.get(&client) {
            out.put(quality, Parcel { bytes: buffer[..length].to_vec(), by: Arc::clone(by), to: None });
        }
    }
}

fn carry_back(
    by: &UdpSocket,
    (outside, client): (&Arc<UdpSocket>, SocketAddr),
    back: &Way,
    quality: &Mutex<Quality>,
) {
    let mut buffer = [0; 2048];
    loop {
        let Ok(length) = by.recv(&mut buffer) else { continue };
        let parcel = Parcel { bytes: buffer[..length].to_vec(), by: Arc::clone(outside), to: Some(client) };
        back.put(quality, parcel);
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
