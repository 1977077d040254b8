//! A DTLS client and server whose network splits, repeats, reorders and changes what they send (RFC 9147, RFC 6347):
//! whoever reads is never led to believe what was not sent, nobody connects to anybody else, and time goes on.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arbitrary::{Arbitrary, Unstructured};
use dtls::{Config, Dtls, Event, FingerprintHash, NamedGroup, Role, Version};

use crate::dtls_record::certificate;
use crate::machines::{self, Machines, Network, damage};

const UNDER_WAY: usize = 128;
const BURST: usize = 128;

#[derive(Arbitrary, Debug)]
enum Command {
    /// The network delivers one datagram, as it is or changed.
    Deliver {
        which: u8,
        change: Change,
        keep: bool,
    },
    DeliverAll,
    Lose {
        which: u8,
    },
    Noise {
        to: bool,
        bytes: Vec<u8>,
    },
    /// A record in the clear, of whichever kind and epoch.
    Record {
        to: bool,
        kind: u8,
        epoch: u8,
        number: u8,
        body: Vec<u8>,
    },
    /// A handshake message, or a fragment of one.
    Message {
        to: bool,
        kind: u8,
        length: u16,
        number: u8,
        offset: u16,
        body: Vec<u8>,
    },
    /// Data, where it can be sent.
    Talk {
        who: bool,
        length: u16,
    },
    Close {
        who: bool,
    },
    Fingerprint {
        who: bool,
        right: bool,
    },
    Mtu {
        who: bool,
        mtu: u16,
    },
    Wait {
        milliseconds: u16,
    },
    Wake {
        who: bool,
    },
}

#[derive(Arbitrary, Debug)]
enum Change {
    Nothing,
    Byte {
        position: u16,
        value: u8,
    },
    Cut {
        length: u16,
    },
    /// Two datagrams become one.
    Join,
    /// To the sender itself.
    Reflect,
}

struct Side {
    dtls: Dtls,
    connected: bool,
    over: bool,
    /// Whether it was told who the other is.
    knows: Option<bool>,
    said: BTreeSet<Vec<u8>>,
    heard: BTreeSet<Vec<u8>>,
}

struct World {
    now: Instant,
    sides: [Side; 2],
    network: Network<(usize, Vec<u8>)>,
    said: u32,
}

pub(super) fn run(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let Ok((shapes, known)) = input.arbitrary::<([u8; 2], bool)>() else { return };
    let mut world = World::new(shapes, known);
    machines::run(&mut world, input);
}

fn config(shape: u8) -> Config {
    let versions = match shape & 3 {
        0 => vec![Version::Dtls12],
        1 => vec![Version::Dtls13],
        _ => vec![Version::Dtls13, Version::Dtls12],
    };
    let mut config = Config { versions, ..Config::default() };
    if shape & 4 != 0 {
        config.mtu = 256;
    }
    if shape & 8 != 0 {
        // The other end has to ask again.
        config.key_shares = vec![NamedGroup::Secp384r1];
    }
    if shape & 16 != 0 {
        config.groups = vec![NamedGroup::X25519];
    }
    config
}

impl Machines for World {
    type Command = Command;
    type Reason = dtls::Reason;
    const END: Duration = Duration::from_secs(300);
    const WAKE_UPS: usize = 10_000;

    fn now(&mut self) -> &mut Instant {
        &mut self.now
    }

    fn poll_timeout(&self, who: usize) -> Option<(Instant, Self::Reason)> {
        self.sides[who].dtls.poll_timeout()
    }

    fn handle_timeout(&mut self, who: usize) {
        self.sides[who].dtls.handle_timeout(self.now);
    }

    fn finally(&mut self) {
        self.network.clear();
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Deliver { which, change, keep } => self.deliver(which, &change, keep),
            Command::DeliverAll => {
                for (to, bytes) in self.network.take_all() {
                    self.arrive(to, bytes);
                }
            }
            Command::Lose { which } => drop(self.network.take(which, false)),
            Command::Noise { to, bytes } => self.arrive(to.into(), bytes),
            Command::Record { to, kind, epoch, number, body } => {
                self.arrive(to.into(), record(20 + kind % 8, epoch % 4, number, &body));
            }
            Command::Message { to, kind, length, number, offset, body } => {
                let mut message = vec![kind % 32, 0];
                message.extend(length.to_be_bytes());
                message.extend([0, number % 16, 0]);
                message.extend(offset.to_be_bytes());
                message.push(0);
                message.extend((body.len() as u16).to_be_bytes());
                message.extend(&body);
                self.arrive(to.into(), record(22, 0, number, &message));
            }
            Command::Talk { who, length } => self.talk(who.into(), length),
            Command::Close { who } => {
                self.sides[usize::from(who)].dtls.close(self.now);
            }
            Command::Fingerprint { who, right } => self.tell_fingerprint(who.into(), right),
            Command::Mtu { who, mtu } => self.sides[usize::from(who)].dtls.set_mtu((mtu % 2000).into()),
            Command::Wait { milliseconds } => self.wait(Duration::from_millis(milliseconds.into())),
            Command::Wake { who } => self.wake(who.into()),
        }
    }

    fn drain(&mut self, who: usize) {
        let side = &mut self.sides[who];
        let (mut bytes, mut count) = (Vec::new(), 0);
        while let Some(transmit) = side.dtls.poll_transmit(self.now, &mut bytes) {
            assert_eq!(transmit.length, bytes.len());
            assert!(!bytes.is_empty() && bytes.len() <= 2000);
            self.network.put((1 - who, std::mem::take(&mut bytes)));
            count += 1;
            assert!(count <= BURST, "{count} datagrams at once");
        }
        while let Some(event) = self.sides[who].dtls.poll_event() {
            let side = &mut self.sides[who];
            assert!(!side.over, "nothing follows the end: {event:?}");
            match event {
                Event::Connected(connected) => {
                    assert!(!std::mem::replace(&mut side.connected, true), "connected once");
                    assert_eq!(side.knows, Some(true), "only to who was announced");
                    let theirs = certificate(1 - who);
                    assert_eq!(*connected.peer_certificate, *theirs.der(), "somebody else is there");
                }
                Event::Data(data) => {
                    assert!(side.connected);
                    self.hear(who, data);
                }
                Event::Closed | Event::Failed(_) => side.over = true,
            }
        }
        let dtls = &self.sides[who].dtls;
        assert!(!dtls.is_closed() || self.sides[who].over);
    }
}

impl World {
    fn new(shapes: [u8; 2], known: bool) -> Self {
        let now = Instant::now();
        let side = |index: usize| {
            let role = match (index, shapes[index] & 32) {
                (0, _) => Role::Client,
                (_, 0) => Role::Server,
                _ => Role::Undecided,
            };
            let config = Arc::new(config(shapes[index]));
            let dtls = Dtls::new(config, role, certificate(index), [index as u8 + 1; 32], now);
            Side {
                dtls,
                connected: false,
                over: false,
                knows: None,
                said: BTreeSet::new(),
                heard: BTreeSet::new(),
            }
        };
        let network = Network::new(UNDER_WAY);
        let mut world = Self { now, sides: [side(0), side(1)], network, said: 0 };
        if known {
            (0..2).for_each(|who| world.tell_fingerprint(who, true));
        }
        world
    }

    fn tell_fingerprint(&mut self, who: usize, right: bool) {
        let whose = if right { 1 - who } else { who };
        let fingerprint = certificate(whose).fingerprint(FingerprintHash::Sha256);
        let side = &mut self.sides[who];
        side.dtls.set_peer_fingerprints(self.now, &[fingerprint]).expect("one that is known");
        if !side.connected && !side.over {
            side.knows = Some(right);
        }
    }

    fn deliver(&mut self, which: u8, change: &Change, keep: bool) {
        let Some((to, mut bytes)) = self.network.take(which, keep) else { return };
        match *change {
            Change::Nothing => {}
            Change::Byte { position, value } => _ = damage(&mut bytes, Some((position, value))),
            Change::Cut { length } => bytes.truncate(usize::from(length) % bytes.len()),
            Change::Join => {
                if let Some((_, next)) = self.network.iter().find(|(next, _)| *next == to) {
                    bytes.extend(next);
                }
            }
            Change::Reflect => return self.arrive(1 - to, bytes),
        }
        self.arrive(to, bytes);
    }

    fn arrive(&mut self, to: usize, mut bytes: Vec<u8>) {
        let dtls = &mut self.sides[to].dtls;
        if let Ok(plaintexts) = dtls.handle_datagram(self.now, &mut bytes) {
            let is_open = dtls.is_connected() || dtls.is_closed();
            for range in plaintexts {
                assert!(is_open, "data before the connection");
                self.hear(to, bytes[range].to_vec());
            }
        }
        self.settle(to);
    }

    fn hear(&mut self, to: usize, data: Vec<u8>) {
        assert!(self.sides[1 - to].said.contains(&data), "nobody said that");
        assert!(self.sides[to].heard.insert(data), "a record is opened once");
    }

    fn talk(&mut self, who: usize, length: u16) {
        self.said += 1;
        let side = &mut self.sides[who];
        let Some(overhead) = side.dtls.overhead() else { return };
        let mut data = self.said.to_be_bytes().to_vec();
        data.resize(4 + usize::from(length % 1500), 7);
        let mut bytes = vec![0; overhead.header];
        bytes.extend(&data);
        if side.dtls.seal(&mut bytes, 0).is_ok() {
            assert_eq!(bytes.len(), data.len() + overhead.total());
            side.said.insert(data);
            self.network.put((1 - who, bytes));
        }
    }
}

/// RFC 6347 §4.1: type, version, epoch, sequence number, length, and what it holds.
fn record(kind: u8, epoch: u8, number: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind, 254, 253, 0, epoch, 0, 0, 0, 0, 0, number];
    bytes.extend((body.len() as u16).to_be_bytes());
    bytes.extend(body);
    bytes
}
