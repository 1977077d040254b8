//! Answers for the `….local` names under which our host candidates are told (RFC 6762 §6, §8.3, §10.1;
//! draft-ietf-mmusic-mdns-ice-candidates §3.1).
//!
//! Names are announced and not probed for, as nobody else can have one. What cannot be sent is not: whoever needs the
//! name asks again. Each connection has a responder of its own; they share the port with each other and with the system's.
//!
//! Limits: [`NAMES`] names; a further one takes the place of the first.

use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::task::Poll;
use std::time::Duration;

use tokio::io::ReadBuf;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::message::{self, Reply};
use super::{GROUP_V4, GROUP_V6, PORT, group};

/// Names of one connection: as many as it has addresses at the same time.
pub(crate) const NAMES: usize = 32;
/// Between two announcements (RFC 6762 §8.3), and two answers to all (§6).
const INTERVAL: Duration = Duration::from_secs(1);
/// How often a name is announced.
const ANNOUNCEMENTS: u32 = 2;

/// A name of ours and what it stands for.
#[derive(Clone, Debug)]
pub(crate) struct OwnName {
    pub(crate) name: Box<str>,
    pub(crate) address: IpAddr,
    /// The interface's number.
    pub(crate) interface: u32,
}

/// Answers until it is dropped; then it says goodbye.
#[derive(Debug)]
pub(crate) struct Responder(mpsc::Sender<OwnName>);

impl Responder {
    /// Must be called in a tokio runtime.
    pub(crate) fn start() -> Self {
        let (names, taken) = mpsc::channel(NAMES);
        tokio::spawn(run(taken));
        Self(names)
    }

    /// Answers for one more name.
    pub(crate) fn add(&self, name: OwnName) {
        let _ = self.0.try_send(name);
    }
}

/// One that hears what is asked of all.
struct Ear {
    socket: UdpSocket,
    /// 0: every interface, by IPv4.
    interface: u32,
}

#[derive(Default)]
struct Names {
    all: Vec<Known>,
    ears: Vec<Ear>,
}

struct Known {
    own: OwnName,
    announced: u32,
    /// When all heard of it last.
    told: Option<Instant>,
}

async fn run(mut taken: mpsc::Receiver<OwnName>) {
    let mut names = Names::default();
    let mut buffer = [0; 1500];
    loop {
        let next = names.next_announcement();
        let announcement = async {
            match next {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            own = taken.recv() => match own {
                Some(own) => names.add(own),
                None => break,
            },
            (ear, length, source) = names.hear(&mut buffer) => {
                names.answer(ear, &buffer[..length], source).await;
            }
            () = announcement => names.announce().await,
        }
    }
    for index in 0..names.all.len() {
        let own = &names.all[index].own;
        if let Some(goodbye) = message::announcement(&own.name, own.address, 0) {
            names.tell(index, &goodbye).await;
        }
    }
}

impl Names {
    fn add(&mut self, own: OwnName) {
        if self.all.len() >= NAMES {
            self.all.remove(0);
        }
        let key = if own.address.is_ipv4() { 0 } else { own.interface };
        // Where nobody can ask for the name, it is told all the same (§3.1.1 of the draft): nobody learns by it what is
        // possible here.
        if !self.ears.iter().any(|ear| ear.interface == key)
            && let Ok(socket) = if own.address.is_ipv4() { group::open_v4() } else { group::open_v6(key) }
        {
            self.ears.push(Ear { socket, interface: key });
        }
        if let (IpAddr::V4(ip), Some(ear)) = (own.address, self.ear(key)) {
            // On an interface that has joined already, it is an error.
            let _ = group::join_v4(&ear.socket, ip);
        }
        self.all.push(Known { own, announced: 0, told: None });
    }

    fn ear(&self, interface: u32) -> Option<&Ear> {
        self.ears.iter().find(|ear| ear.interface == interface)
    }

    fn next_announcement(&self) -> Option<Instant> {
        let due = self.all.iter().filter(|known| known.announced < ANNOUNCEMENTS);
        due.map(|known| known.told.map_or_else(Instant::now, |told| told + INTERVAL)).min()
    }

    async fn announce(&mut self) {
        let now = Instant::now();
        for index in 0..self.all.len() {
            let Known { own, announced, told } = &mut self.all[index];
            if *announced >= ANNOUNCEMENTS || told.is_some_and(|told| told + INTERVAL > now) {
                continue;
            }
            (*announced, *told) = (*announced + 1, Some(now));
            if let Some(message) = message::announcement(&own.name, own.address, message::TTL) {
                self.tell(index, &message).await;
            }
        }
    }

    /// Tells everybody on a name's own link.
    async fn tell(&self, index: usize, message: &[u8]) {
        let Some(own) = self.all.get(index).map(|known| &known.own) else { return };
        let sent = match own.address {
            IpAddr::V4(ip) => {
                let Some(ear) = self.ear(0) else { return };
                if socket2::SockRef::from(&ear.socket).set_multicast_if_v4(&ip).is_err() {
                    return;
                }
                ear.socket.send_to(message, (GROUP_V4, PORT)).await
            }
            IpAddr::V6(_) => {
                let Some(ear) = self.ear(own.interface) else { return };
                ear.socket.send_to(message, SocketAddrV6::new(GROUP_V6, PORT, 0, own.interface)).await
            }
        };
        // What is lost is asked for again.
        drop(sent);
    }

    async fn hear(&self, buffer: &mut [u8]) -> (usize, usize, SocketAddr) {
        std::future::poll_fn(|context| {
            for (index, ear) in self.ears.iter().enumerate() {
                let mut read = ReadBuf::new(buffer);
                // An error is about something sent.
                while let Poll::Ready(heard) = ear.socket.poll_recv_from(context, &mut read) {
                    if let Ok(source) = heard {
                        return Poll::Ready((index, read.filled().len(), source));
                    }
                    read.clear();
                }
            }
            Poll::Pending
        })
        .await
    }

    async fn answer(&mut self, ear: usize, query: &[u8], source: SocketAddr) {
        let now = Instant::now();
        for index in 0..self.all.len() {
            let Known { own, told, .. } = &mut self.all[index];
            let is_legacy = source.port() != PORT;
            match message::reply(query, &own.name, own.address, is_legacy) {
                None => {}
                Some(Reply { bytes, to_all: false }) => {
                    let _ = self.ears[ear].socket.send_to(&bytes, source).await;
                }
                // Everybody has heard it just now.
                Some(_) if told.is_some_and(|told| told + INTERVAL > now) => {}
                Some(Reply { bytes, .. }) => {
                    *told = Some(now);
                    self.tell(index, &bytes).await;
                }
            }
        }
    }
}

/// A name that nobody else has: a version 4 UUID (RFC 9562 §5.4) under `local`.
pub(crate) fn fresh_name(random: [u8; 16]) -> Box<str> {
    let number = u128::from_be_bytes(random) & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{number:032x}");
    let (parts, node) = hex.split_at(20);
    format!("{}-{}-{}-{}-{node}.local", &parts[..8], &parts[8..12], &parts[12..16], &parts[16..]).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_random_uuid() {
        assert_eq!(&*fresh_name([0; 16]), "00000000-0000-4000-8000-000000000000.local");
        assert_eq!(&*fresh_name([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff.local");
        let mixed = std::array::from_fn(|byte| byte as u8 * 17);
        assert_eq!(&*fresh_name(mixed), "00112233-4455-4677-8899-aabbccddeeff.local");
    }
}
