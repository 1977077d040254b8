//! A sender, a receiver, and a network that loses, repeats, reorders and damages (RFC 3711 §3.3): what was sealed opens
//! once, in whatever order, as long as its number can be told; nothing else does.

use std::collections::BTreeSet;

use arbitrary::{Arbitrary, Unstructured};
use srtp::{Fault, Profile, Receiver, Sender};

use crate::machines::{Damage, Network, damage};
use crate::srtp_packet::ends;

const SOURCES: usize = 3;
/// More than are kept.
const UNDER_WAY: usize = 2000;
/// How far behind is certainly kept, and certainly not.
const WINDOW: (u64, u64) = (960, 1024);
/// How far apart numbers may be to be told.
const HALF: u64 = 1 << 15;

#[derive(Debug, Arbitrary)]
enum Command {
    /// A packet of a source, so many numbers after its last.
    Send { source: u8, ahead: u8, length: u8, cryptex: bool },
    /// The same, far ahead.
    Jump { source: u8, ahead: u16 },
    /// A report of a source.
    Report { source: u8, length: u8 },
    /// One that is under way arrives.
    Deliver { which: u8, keep: bool, damage: Damage },
    /// Many are lost.
    Lose,
    /// All arrive, the last one first.
    Reverse,
}

#[derive(Clone, Debug)]
struct Packet {
    bytes: Vec<u8>,
    plain: Vec<u8>,
    source: usize,
    /// RTP's; a report has none.
    index: Option<u64>,
    number: usize,
}

struct Ends {
    sender: Sender,
    receiver: Receiver,
    network: Network<Packet>,
    /// The next index of each source.
    next: [u64; SOURCES],
    /// What opened of it.
    opened: [BTreeSet<u64>; SOURCES],
    /// The reports that opened.
    reports: BTreeSet<usize>,
    count: usize,
}

/// The first byte says how packets are protected, the next six where each source begins.
pub(super) fn run(bytes: &[u8]) {
    let Some((shape, bytes)) = bytes.split_first_chunk::<7>() else { return };
    let (sender, receiver) = ends(Profile::ALL[usize::from(shape[0]) % 3]);
    let next = [1, 3, 5].map(|at| u64::from(u16::from_be_bytes([shape[at], shape[at + 1]])));
    let mut ends = Ends {
        sender,
        receiver,
        network: Network::new(UNDER_WAY),
        next,
        opened: Default::default(),
        reports: BTreeSet::new(),
        count: 0,
    };
    let mut input = Unstructured::new(bytes);
    while !input.is_empty() {
        let Ok(command) = input.arbitrary() else { break };
        ends.obey(&command);
    }
    let rest: Vec<Packet> = ends.network.take_all().collect();
    rest.into_iter().for_each(|packet| ends.arrive(&packet, None));
}

impl Ends {
    fn obey(&mut self, command: &Command) {
        match *command {
            Command::Send { source, ahead, length, cryptex } => {
                self.sender.set_cryptex(cryptex);
                self.send(usize::from(source) % SOURCES, u64::from(ahead) + 1, length);
            }
            Command::Jump { source, ahead } => {
                self.send(usize::from(source) % SOURCES, u64::from(ahead) % (HALF - 1) + 1, 0);
            }
            Command::Report { source, length } => self.report(usize::from(source) % SOURCES, length),
            Command::Deliver { which, keep, damage } => {
                if let Some(packet) = self.network.take(which, keep) {
                    self.arrive(&packet, damage);
                }
            }
            Command::Lose => self.network.clear(),
            Command::Reverse => {
                let packets: Vec<Packet> = self.network.take_all().collect();
                packets.iter().rev().for_each(|packet| self.arrive(packet, None));
            }
        }
    }

    fn send(&mut self, source: usize, ahead: u64, length: u8) {
        let index = self.next[source];
        self.next[source] += ahead;
        let [.., high, low] = index.to_be_bytes();
        let mut plain = vec![0x91, 96, high, low, 0, 0, 0, 1, 0, 0, 0, source as u8];
        plain.extend([0, 0, 0, 9, 0xBE, 0xDE, 0, 1, 0x10, 7, 0, 0]);
        plain.extend(std::iter::repeat_n(length, length.into()));
        let mut bytes = plain.clone();
        self.sender.protect_rtp(&mut bytes, 0).expect("a number of its own");
        self.put(bytes, plain, source, Some(index));
    }

    fn report(&mut self, source: usize, length: u8) {
        let mut plain = vec![0x80, 201, 0, 1, 0, 0, 0, source as u8];
        plain.extend(std::iter::repeat_n(length, length.into()));
        let mut bytes = plain.clone();
        self.sender.protect_rtcp(&mut bytes, 0).expect("a packet");
        self.put(bytes, plain, source, None);
    }

    fn put(&mut self, bytes: Vec<u8>, plain: Vec<u8>, source: usize, index: Option<u64>) {
        self.count += 1;
        self.network.put(Packet { bytes, plain, source, index, number: self.count });
    }

    fn arrive(&mut self, packet: &Packet, harm: Damage) {
        let mut bytes = packet.bytes.clone();
        let is_damaged = damage(&mut bytes, harm);
        let outcome = match packet.index {
            Some(_) => self.receiver.unprotect_rtp(&mut bytes),
            None => self.receiver.unprotect_rtcp(&mut bytes),
        };
        if is_damaged {
            assert!(outcome.is_err(), "it opens damaged");
            return;
        }
        if let Ok(len) = outcome {
            assert_eq!(bytes[..len], packet.plain);
        }
        match packet.index {
            Some(index) => self.judge(packet.source, index, outcome.map(|_| ())),
            None => {
                let is_new = self.reports.insert(packet.number);
                assert!(is_new || outcome == Err(Fault::Replayed), "{outcome:?}");
                // Those that come too late are taken for known.
                assert!(!is_new || matches!(outcome, Ok(_) | Err(Fault::Replayed)), "{outcome:?}");
            }
        }
    }

    fn judge(&mut self, source: usize, index: u64, outcome: Result<(), Fault>) {
        let opened = &mut self.opened[source];
        match opened.last().copied() {
            _ if opened.contains(&index) => assert!(outcome.is_err(), "it opens twice"),
            // With a number that has not wrapped around, or once and just now.
            None => assert!(outcome.is_ok() || index >= (1 << 16) + HALF, "{index} {outcome:?}"),
            Some(highest) if index > highest => {
                assert!(outcome.is_ok() || index - highest >= HALF, "{highest} {index} {outcome:?}");
            }
            Some(highest) if highest - index < WINDOW.0 => assert_eq!(outcome, Ok(())),
            Some(highest) => assert!(outcome.is_err() || highest - index < WINDOW.1, "{highest} {index}"),
        }
        if outcome.is_ok() {
            opened.insert(index);
        }
    }
}
