//! A relayed flow goes on undisturbed while others send 100,000 mutated datagrams and broken streams.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use stun::{Class, Method};
use turn::attribute::{
    ChannelNumberAttribute, Data, EvenPort, Lifetime, RequestedTransport, ReservationToken, XorPeerAddress,
};
use turnclient::{Session, Target, Transport, Wire};

use super::program::Program;

const DATAGRAMS: usize = 100_000;
const STREAMS: usize = 400;

/// Datagrams that are under way together: what a socket's buffer holds, so that the flow's own are not lost there.
const BURST: usize = 64;

#[test]
fn a_flow_goes_on_while_others_send_garbage() {
    let mut program = Program::start();
    let done = Arc::new(AtomicBool::new(false));
    let carried = Arc::new(AtomicUsize::new(0));
    let flow = {
        let (target, done, carried) = (program.target.clone(), Arc::clone(&done), Arc::clone(&carried));
        std::thread::spawn(move || relay_until(&target, &done, &carried))
    };
    let streams = {
        let target = program.target.clone();
        std::thread::spawn(move || break_streams(&target))
    };
    let before = send_garbage(&program.target, &carried);
    streams.join().unwrap();
    done.store(true, Ordering::Relaxed);
    flow.join().unwrap().unwrap();
    assert!(program.is_alive());
    assert!(carried.load(Ordering::Relaxed) > before, "the flow stood still meanwhile");
    // Nobody is shut out afterwards.
    for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
        Session::connect(&program.target, transport, 0).unwrap().allocate(|_| {}).unwrap();
    }
}

/// Sends numbered datagrams through a channel to a peer that sends them back; each must come back as it was.
fn relay_until(target: &Target, done: &AtomicBool, carried: &AtomicUsize) -> Result<(), String> {
    let words = |error: std::io::Error| error.to_string();
    let mut client = Session::connect(target, Transport::Udp, 0)?;
    let peer = UdpSocket::bind("127.0.0.1:0").map_err(words)?;
    peer.set_read_timeout(Some(Duration::from_secs(60))).map_err(words)?;
    client.allocate(|_| {})?;
    client.bind(0x4000, peer.local_addr().map_err(words)?)?.expect(0)?;
    let mut buffer = [0; 2000];
    for number in 0_u32.. {
        let data = number.to_be_bytes().repeat(300);
        client.send_on(0x4000, &data)?;
        let (length, from) =
            peer.recv_from(&mut buffer).map_err(|error| format!("{number} is lost: {error}"))?;
        peer.send_to(&buffer[..length], from).map_err(words)?;
        let back = client.hear().map_err(|error| format!("{number} does not come back: {error}"))?;
        if back.get(4..) != Some(&data[..]) {
            return Err(format!("{number} came back changed"));
        }
        carried.fetch_add(1, Ordering::Relaxed);
        if done.load(Ordering::Relaxed) {
            return Ok(());
        }
    }
    Ok(())
}

/// Returns how far the flow was at half time.
fn send_garbage(target: &Target, carried: &AtomicUsize) -> usize {
    let mut random = Random(0x1234_5678_9ABC_DEF1);
    let mut client = Session::connect(target, Transport::Udp, 1).unwrap();
    client.allocate(|_| {}).unwrap();
    let mut half_time = 0;
    for number in 0..DATAGRAMS / BURST + 1 {
        if number == DATAGRAMS / BURST / 2 {
            half_time = carried.load(Ordering::Relaxed);
        }
        for _ in 0..BURST {
            let mut bytes = sample(&mut client, &mut random);
            random.mutate(&mut bytes);
            client.send(&bytes).unwrap();
        }
        // It still answers, and has read what was sent.
        client.until_now().unwrap();
    }
    half_time
}

fn break_streams(target: &Target) {
    let mut random = Random(0x0F1E_2D3C_4B5A_6978);
    let mut author = Session::connect(target, Transport::Tcp, 1).unwrap();
    author.challenge().unwrap();
    for number in 0..STREAMS {
        let (transport, server) = match (number % 8, target.tls) {
            (0, Some(server)) => (Transport::Tls, server),
            _ => (Transport::Tcp, target.server),
        };
        let Ok(mut wire) = Wire::connect(transport, server) else { continue };
        let mut bytes: Vec<u8> = (0..8).flat_map(|_| sample(&mut author, &mut random)).collect();
        random.mutate(&mut bytes);
        for piece in bytes.chunks(1 + random.below(200)) {
            // The server may have closed it by now.
            if wire.send(piece).is_err() {
                break;
            }
        }
    }
    // A stream that behaves is served meanwhile.
    author.until_now().unwrap();
}

/// A message that a client might send.
fn sample(client: &mut Session, random: &mut Random) -> Vec<u8> {
    let peer = "127.0.0.1:9".parse().unwrap();
    match random.below(10) {
        0 => client.message(Class::Request, Method::BINDING, |writer| {
            writer.fingerprint();
        }),
        1 => client.message(Class::Request, Method::ALLOCATE, |writer| {
            writer.add(&RequestedTransport::UDP);
        }),
        2 => client.proven(Method::ALLOCATE, |writer| {
            writer.add(&RequestedTransport::UDP).add(&EvenPort { reserve_next: true });
        }),
        3 => client.proven(Method::ALLOCATE, |writer| {
            writer.add(&RequestedTransport::UDP).add(&ReservationToken([7; 8]));
        }),
        4 => client.proven(Method::REFRESH, |writer| {
            writer.add(&Lifetime(Duration::from_secs(600)));
        }),
        5 => client.proven(Method::CREATE_PERMISSION, |writer| {
            writer.add(&XorPeerAddress(peer));
        }),
        6 => client.proven(Method::CHANNEL_BIND, |writer| {
            writer.add(&ChannelNumberAttribute(0x4000)).add(&XorPeerAddress(peer));
        }),
        7 => client.message(Class::Indication, Method::SEND, |writer| {
            writer.add(&XorPeerAddress(peer)).add(&Data(&[1; 100]));
        }),
        8 => [&[0x40, 0, 0, 100][..], &[2; 100]].concat(),
        _ => (0..random.below(300)).map(|_| random.byte()).collect(),
    }
}

/// Xorshift: the same garbage in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap_or(0) % bound.max(1)
    }

    fn byte(&mut self) -> u8 {
        (self.next() >> 56) as u8
    }

    /// Changes some bytes, or the length.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..1 + self.below(6) {
            match self.below(8) {
                0 => bytes.truncate(self.below(bytes.len() + 1)),
                1 => {
                    let more = self.below(64);
                    bytes.extend((0..more).map(|_| 0));
                }
                2 if bytes.len() > 3 => bytes[2..4].copy_from_slice(&[0xFF, 0xFC]),
                _ if bytes.is_empty() => {}
                _ => {
                    let position = self.below(bytes.len());
                    bytes[position] = self.byte();
                }
            }
        }
    }
}
