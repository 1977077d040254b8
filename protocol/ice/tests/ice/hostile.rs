//! Peers are hostile, and so is everybody else: nothing panics, nothing grows without bound, nobody gets
//! more bytes than he sent before he proved who he is.

use std::net::SocketAddr;
use std::time::Instant;

use stun::attribute::Username;
use stun::{Class, Key, Method, TransactionId, Writer};
use twocan_ice::attribute::{IceControlling, Priority, UseCandidate};
use twocan_ice::{
    Agent, Config, Credentials, Fault, Incoming, LocalCandidate, Refused, RemoteParameters, Role, State,
    limits,
};
use wire::Received;

use crate::network::Conditions;
use crate::pair::{Pair, seconds};
use crate::properties::roll;
use crate::rolls::Rolls;

const LOCAL: &str = "192.0.2.1:1000";

struct Target {
    now: Instant,
    agent: Agent,
    remote: Credentials,
}

fn target() -> Target {
    let now = Pair::plain(1, Conditions::delay(0)).now;
    let mut agent = Agent::new(Config::new(Role::Controlled, [1; 32]));
    agent.add_local(now, LocalCandidate::host(LOCAL.parse().unwrap())).unwrap();
    let remote = Credentials::new("remote", "0123456789012345678901").unwrap();
    agent.set_remote(now, &RemoteParameters::new(remote.clone())).unwrap();
    Target { now, agent, remote }
}

impl Target {
    fn give(&mut self, source: &str, mut bytes: Vec<u8>) -> Result<Incoming, Fault> {
        let (source, destination) = (source.parse().unwrap(), LOCAL.parse().unwrap());
        self.agent.handle_datagram(self.now, Received { source, destination, bytes: &mut bytes })
    }

    /// A check as the peer makes it, changed before it is proven.
    fn check(&self, number: u32, change: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
        let mut id = [0; 12];
        id[..4].copy_from_slice(&number.to_be_bytes());
        let ours = self.agent.credentials();
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, Class::Request, Method::BINDING, TransactionId(id));
        writer.add(&Username(&format!("{}:{}", ours.ufrag, self.remote.ufrag)));
        change(&mut writer);
        writer.integrity_sha1(&Key::short_term(ours.password.as_str())).fingerprint();
        bytes
    }

    fn sent(&mut self) -> Vec<Vec<u8>> {
        let (mut all, mut bytes) = (Vec::new(), Vec::new());
        while self.agent.poll_transmit(self.now, &mut bytes).is_some() {
            all.push(std::mem::take(&mut bytes));
        }
        all
    }
}

fn full(writer: &mut Writer<'_>) {
    writer.add(&IceControlling(1)).add(&Priority(1_845_501_695));
}

#[test]
fn each_fault_has_its_answer() {
    let error = |bytes: &[u8]| {
        let message = stun::Message::parse(bytes).unwrap();
        message.get::<stun::attribute::ErrorCode<'_>>().unwrap().map(|error| error.code())
    };
    type Make = fn(&Target) -> Vec<u8>;
    let table: [(Fault, Option<u16>, Make); 9] = [
        (Fault::BadFingerprint, None, |target| {
            let mut check = target.check(1, full);
            *check.last_mut().unwrap() ^= 1;
            check
        }),
        (Fault::Malformed, None, |target| target.check(1, full)[..40].to_vec()),
        (Fault::UnknownMethod, None, |_| {
            let mut bytes = Vec::new();
            Writer::new(&mut bytes, Class::Request, Method::ALLOCATE, TransactionId([1; 12])).fingerprint();
            bytes
        }),
        (Fault::BadRequest, Some(400), |_| {
            let mut bytes = Vec::new();
            let mut writer = Writer::new(&mut bytes, Class::Request, Method::BINDING, TransactionId([1; 12]));
            writer.add(&Priority(1)).fingerprint();
            bytes
        }),
        (Fault::UnknownUfrag, Some(401), |_| {
            let mut bytes = Vec::new();
            let mut writer = Writer::new(&mut bytes, Class::Request, Method::BINDING, TransactionId([1; 12]));
            writer.add(&Username("nobody:remote")).fingerprint();
            bytes
        }),
        (Fault::BadIntegrity, Some(401), |target| {
            let mut bytes = Vec::new();
            let mut writer = Writer::new(&mut bytes, Class::Request, Method::BINDING, TransactionId([1; 12]));
            writer.add(&Username(&format!("{}:remote", target.agent.credentials().ufrag)));
            full(&mut writer);
            writer.integrity_sha1(&Key::short_term("not the password")).fingerprint();
            bytes
        }),
        (Fault::UnknownAttribute, Some(420), |target| {
            target.check(1, |writer| {
                full(writer);
                writer.add_raw(0x7777, b"");
            })
        }),
        (Fault::BadRequest, Some(400), |target| {
            target.check(1, |writer| {
                writer.add(&Priority(1));
            })
        }),
        (Fault::RoleConflict, Some(487), |target| {
            // Ours cannot be below it, and the one who is controlled with the lower number gives way.
            target.check(1, |writer| {
                writer.add(&twocan_ice::attribute::IceControlled(u64::MAX)).add(&Priority(1));
            })
        }),
    ];
    for (fault, code, message) in table {
        let mut target = target();
        let bytes = message(&target);
        let length = bytes.len();
        assert_eq!(target.give("192.0.2.9:9", bytes), Err(fault));
        assert_eq!(target.agent.counters().get(fault), 1);
        let sent = target.sent();
        assert_eq!(sent.iter().map(|bytes| error(bytes)).collect::<Vec<_>>(), code.map(Some).as_slice());
        assert!(sent.iter().all(|bytes| bytes.len() <= length), "{fault:?}: no more bytes than were sent");
        assert_eq!(target.agent.pairs().count(), 0, "{fault:?}: nothing was learnt");
        assert!(!target.agent.is_valid_source("192.0.2.9:9".parse().unwrap()));
    }
}

#[test]
fn a_check_to_no_candidate_and_answers_to_nothing_are_dropped() {
    let mut target = target();
    let mut check = target.check(1, full);
    let (source, destination) = ("192.0.2.9:9".parse().unwrap(), "192.0.2.77:1".parse().unwrap());
    let elsewhere = Received { source, destination, bytes: &mut check };
    assert_eq!(target.agent.handle_datagram(target.now, elsewhere), Err(Fault::UnknownLocal));
    let mut bytes = Vec::new();
    Writer::new(&mut bytes, Class::Success, Method::BINDING, TransactionId([1; 12])).fingerprint();
    assert_eq!(target.give("192.0.2.9:9", bytes), Err(Fault::UnknownTransaction));
    assert_eq!(target.give("192.0.2.9:9", vec![22, 254, 253]), Ok(Incoming::NotStun), "DTLS");
    assert_eq!(target.give("192.0.2.9:9", vec![]), Ok(Incoming::NotStun));
    assert_eq!(target.give("192.0.2.9:9", vec![0; 64]), Ok(Incoming::NotStun));
    assert_eq!(target.sent().len(), 0);
}

#[test]
fn a_flood_of_checks_from_everywhere_is_bounded() {
    let mut target = target();
    let mut accepted = 0;
    for number in 0..2000_u32 {
        let source = format!("198.51.{}.{}:7", number / 250, number % 250 + 1);
        let check = target.check(number, |writer| {
            full(writer);
            writer.add(&UseCandidate);
        });
        accepted += usize::from(target.give(&source, check).is_ok());
        if number % 3 == 0 {
            target.sent();
        }
        while target.agent.poll_event().is_some() {}
    }
    assert_eq!(accepted, limits::REMOTE_PEER_REFLEXIVE);
    assert_eq!(target.agent.remote_candidates().count(), limits::REMOTE_PEER_REFLEXIVE);
    assert_eq!(target.agent.pairs().count(), limits::REMOTE_PEER_REFLEXIVE);
    assert!(target.agent.counters().get(Fault::TooManyLearnt) > 1900);
    target.sent();
    let mut answers = 0;
    for number in 5000..6000 {
        let check = target.check(number, full);
        answers += usize::from(target.give("198.51.0.1:7", check).is_ok());
    }
    assert_eq!(answers, limits::ANSWERS, "those beyond are dropped until the first are sent");
    assert!(target.sent().len() <= limits::ANSWERS + limits::TRIGGERED_BURST as usize);
}

#[test]
fn checks_before_the_description_are_bounded() {
    let now = Pair::plain(1, Conditions::delay(0)).now;
    let mut agent = Agent::new(Config::new(Role::Controlled, [1; 32]));
    agent.add_local(now, LocalCandidate::host(LOCAL.parse().unwrap())).unwrap();
    let remote = Credentials::new("remote", "0123456789012345678901").unwrap();
    let mut target = Target { now, agent, remote };
    let mut accepted = 0;
    for number in 0..500_u32 {
        let check = target.check(number, full);
        accepted += usize::from(target.give(&format!("198.51.100.{}:7", number % 200 + 1), check).is_ok());
        target.sent();
    }
    // The first sixteen addresses come round twice more.
    assert_eq!(accepted, limits::EARLY_CHECKS * 3);
    assert_eq!(target.agent.pairs().count(), 0);
    assert_eq!(target.agent.state(), State::New);
}

#[test]
fn a_flood_of_candidates_is_bounded_and_the_best_are_kept() {
    let mut target = target();
    for number in 0..30_u32 {
        let address: SocketAddr = format!("192.0.2.{}:1000", number + 2).parse().unwrap();
        target.agent.add_local(target.now, LocalCandidate::host(address).on_interface(number, 0)).unwrap();
    }
    let mut refused = 0;
    for number in 0..1000_u32 {
        let priority = 1000 + number;
        let line =
            format!("{number} 1 udp {priority} 198.51.{}.{} 5 typ host", number / 250, number % 250 + 1);
        let candidate = line.parse().unwrap();
        refused += usize::from(target.agent.add_remote(target.now, candidate) == Err(Refused::TooMany));
    }
    assert_eq!(refused, 1000 - limits::REMOTE_CANDIDATES);
    assert_eq!(target.agent.pairs().count(), limits::PAIRS);
    let least = target.agent.pairs().map(|pair| pair.priority >> 32).min().unwrap();
    assert!(least >= 1000 + limits::REMOTE_CANDIDATES as u64 - 5, "the better remote candidates: {least}");
    assert_eq!(target.sent().len(), limits::ORDINARY_BURST as usize, "and checks are paced");
}

#[test]
fn addresses_that_nobody_has_are_refused() {
    let mut target = target();
    for address in ["0.0.0.0 5", "192.0.2.5 0", "224.0.0.1 5", "255.255.255.255 5", ":: 5", "ff02::1 5"] {
        let candidate = format!("1 1 udp 5 {address} typ host").parse().unwrap();
        assert_eq!(target.agent.add_remote(target.now, candidate), Err(Refused::BadAddress), "{address}");
    }
    let candidate = "1 2 udp 5 192.0.2.5 5 typ host".parse().unwrap();
    assert_eq!(target.agent.add_remote(target.now, candidate), Err(Refused::OtherComponent));
    target.agent.end_of_remote_candidates(target.now);
    let candidate = "1 1 udp 5 192.0.2.5 5 typ host".parse().unwrap();
    assert_eq!(target.agent.add_remote(target.now, candidate), Err(Refused::AfterTheEnd));
}

#[test]
fn nobody_on_the_path_can_end_or_turn_a_check() {
    // Every datagram is also delivered changed, and from elsewhere, before it is delivered itself.
    for seed in 0..40 {
        let mut pair = roll(seed);
        let mut rolls = Rolls::new(seed);
        let mut copied = [0, 0];
        let end = pair.now + seconds(30);
        while pair.sides.iter().any(|side| side.agent.state() != State::Completed) {
            assert!(pair.step(end), "seed {seed}");
            for side in [0, 1] {
                let sent = &pair.sides[1 - side].sent;
                let Some((_, transmit, bytes)) = sent.get(copied[side]) else { continue };
                copied[side] += 1;
                let (mut bytes, source, now) = (bytes.clone(), transmit.source, pair.now);
                let position = rolls.below(bytes.len() as u64) as usize;
                bytes[position] ^= 1 << rolls.below(8);
                if rolls.chance(20) {
                    bytes.truncate(position);
                }
                let destination = transmit.destination;
                let agent = &mut pair.sides[side].agent;
                // What it makes of it is its own affair; it must neither panic nor lose its way.
                let _ = agent.handle_datagram(now, Received { source, destination, bytes: &mut bytes });
            }
        }
        assert!(pair.sides.iter().all(|side| side.agent.state() == State::Completed), "seed {seed}");
    }
}

#[test]
fn noise_does_no_harm() {
    let mut target = target();
    let mut rolls = Rolls::new(4);
    for _ in 0..20_000 {
        let mut bytes: Vec<u8> = (0..rolls.below(200)).map(|_| rolls.next() as u8).collect();
        if bytes.len() >= 20 && rolls.chance(80) {
            bytes[0] &= 1;
            bytes[4..8].copy_from_slice(&stun::MAGIC_COOKIE.to_be_bytes());
            let length = (bytes.len() as u16 - 20) & !3;
            bytes.truncate(20 + usize::from(length));
            bytes[2..4].copy_from_slice(&length.to_be_bytes());
        }
        let _ = target.give("192.0.2.9:9", bytes);
        target.sent();
    }
    assert_eq!(target.agent.pairs().count(), 0);
    assert_eq!(target.agent.state(), State::New);
}

#[test]
fn a_closed_agent_is_silent() {
    let mut target = target();
    target.agent.add_remote(target.now, "1 1 udp 5 192.0.2.5 5 typ host".parse().unwrap()).unwrap();
    target.agent.close();
    target.agent.close();
    let check = target.check(1, full);
    assert_eq!(target.give("192.0.2.9:9", check), Err(Fault::Over));
    assert!(target.sent().is_empty());
    assert_eq!(target.agent.poll_timeout(), None);
    assert_eq!(target.agent.state(), State::Closed);
}
