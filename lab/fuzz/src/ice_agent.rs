//! Two agents and a hostile third on a hostile network (RFC 8445, 8838, 7675): nothing that comes in any order makes an
//! agent grow beyond its limits, keep its caller busy at one moment, or send data to who proved nothing.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use arbitrary::Unstructured;
use ice::attribute::{IceControlled, IceControlling, Nomination, Priority, UseCandidate};
use ice::{
    Agent, Candidate, Config, ConnectionId, Event, LocalCandidate, RelayProtocol, RemoteParameters,
    ResolveId, Role, TcpType, limits,
};
use stun::attribute::{Attribute as _, ErrorCode, Username, XorMappedAddress};
use stun::{Class, Key, Message, Method, TransactionId, Writer};
use wire::Received;

use crate::machines::{self, Damage, Machines, Network, damage};

mod commands;

use commands::{Check, Command};

/// What waits on the network at most; the oldest is lost.
const UNDER_WAY: usize = 64;
/// Datagrams that one call may bring.
const BURST: usize = 512;

struct Side {
    agent: Agent,
    told: Vec<Candidate>,
    resolving: Vec<ResolveId>,
    connecting: Vec<ConnectionId>,
    closed: bool,
}

#[derive(Clone)]
struct Flying {
    tcp: bool,
    to: usize,
    source: SocketAddr,
    destination: SocketAddr,
    bytes: Vec<u8>,
}

struct World {
    now: Instant,
    sides: [Side; 2],
    network: Network<Flying>,
}

pub(super) fn run(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let Ok(shapes) = input.arbitrary::<[u8; 2]>() else { return };
    let mut world = World::new(shapes);
    machines::run(&mut world, input);
}

fn address(host: u8, port: u8) -> SocketAddr {
    let port = 1000 + u16::from(port % 4);
    match host % 8 {
        7 => SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 7], port)),
        6 => SocketAddr::from(([224, 0, 0, 1], port)),
        5 => SocketAddr::from(([0, 0, 0, 0], port)),
        host => SocketAddr::from(([192, 0, 2, host], port)),
    }
}

impl Machines for World {
    type Command = Command;
    type Reason = ice::Reason;
    const END: Duration = Duration::from_secs(120);
    const WAKE_UPS: usize = 100_000;

    fn now(&mut self) -> &mut Instant {
        &mut self.now
    }

    fn poll_timeout(&self, who: usize) -> Option<(Instant, Self::Reason)> {
        self.sides[who].agent.poll_timeout()
    }

    fn handle_timeout(&mut self, who: usize) {
        self.sides[who].agent.handle_timeout(self.now);
    }

    fn finally(&mut self) {
        self.network.clear();
    }

    fn obey(&mut self, command: Command) {
        let now = self.now;
        match command {
            Command::Local { who, shape, host, port } => self.local(usize::from(who), shape, host, port),
            Command::Describe { who, lite, renomination, ice2 } => {
                let credentials = self.sides[usize::from(who)].agent.credentials().clone();
                let parameters = RemoteParameters { credentials, lite, renomination, ice2 };
                let agent = &mut self.sides[usize::from(!who)].agent;
                if agent.set_remote(now, &parameters).is_err() {
                    let fresh = agent.fresh_credentials();
                    agent.restart(now, fresh);
                    let again = agent.set_remote(now, &parameters);
                    assert_eq!(again, Ok(()), "a restarted agent knows nobody");
                }
            }
            Command::Told { to, which } => {
                let told = &self.sides[usize::from(!to)].told;
                let candidate = told.get(usize::from(which) % told.len().max(1)).cloned();
                if let Some(candidate) = candidate {
                    let _ = self.sides[usize::from(to)].agent.add_remote(now, candidate);
                }
            }
            Command::Line { to, text } => {
                if let Ok(candidate) = text.parse() {
                    let _ = self.sides[usize::from(to)].agent.add_remote(now, candidate);
                }
            }
            Command::Aimed { to, tcp, host, port, priority, name } => {
                let protocol = if tcp % 4 == 0 { "udp" } else { "tcp" };
                let address = address(host, port);
                let ip = if name { format!("{host}.local") } else { address.ip().to_string() };
                let tcp_type = ["", " tcptype active", " tcptype passive", " tcptype so"];
                let tcp_type = tcp_type[usize::from(tcp % 4)];
                let port = address.port();
                let line = format!("candidate:1 1 {protocol} {priority} {ip} {port} typ host{tcp_type}");
                let candidate = line.parse().expect("a candidate");
                let _ = self.sides[usize::from(to)].agent.add_remote(now, candidate);
            }
            Command::EndOfCandidates { to } => {
                self.sides[usize::from(to)].agent.end_of_remote_candidates(now);
            }
            Command::Gathered { who, gathered } => {
                self.sides[usize::from(who)].agent.set_gathered(now, gathered);
            }
            Command::Removed { who, host, port } => {
                self.sides[usize::from(who)].agent.remove_local(now, address(host, port));
            }
            Command::Restart { who } => {
                let agent = &mut self.sides[usize::from(who)].agent;
                let fresh = agent.fresh_credentials();
                agent.restart(now, fresh);
            }
            Command::Abandon { who } => self.sides[usize::from(who)].agent.abandon_restart(now),
            Command::Role { who, controlling } => {
                let role = if controlling { Role::Controlling } else { Role::Controlled };
                self.sides[usize::from(who)].agent.set_role(role);
            }
            Command::Embed { who, kind, value } => {
                let values = value.chunks(400).map(Into::into).collect();
                self.sides[usize::from(who)].agent.embed(0x8000 | (kind % 4), values);
            }
            Command::EmbedNoMore { who } => self.sides[usize::from(who)].agent.embed_no_more(),
            Command::Deliver { which, damage, keep } => self.deliver(which, damage, keep),
            Command::DeliverAll => {
                for flying in self.network.take_all() {
                    self.arrive(flying);
                }
            }
            Command::Lose { which } => drop(self.network.take(which, false)),
            Command::Noise { to, tcp, from, bytes } => self.send_to(usize::from(to), tcp, from, bytes),
            Command::Check { to, tcp, from, check } => {
                let bytes = self.check(usize::from(to), &check);
                self.send_to(usize::from(to), tcp, from, bytes);
            }
            Command::Answer { which, proven, code, mapped } => self.answer(which, proven, code, mapped),
            Command::Connected { who, port } => {
                let side = &mut self.sides[usize::from(who)];
                if let Some(id) = side.connecting.pop() {
                    let local = SocketAddr::from(([192, 0, 2, u8::from(who)], port.max(1)));
                    side.agent.handle_connected(now, id, local);
                }
            }
            Command::ConnectFailed { who } => {
                let side = &mut self.sides[usize::from(who)];
                if let Some(id) = side.connecting.pop() {
                    side.agent.handle_connect_failed(now, id);
                }
            }
            Command::Disconnected { who, which } => {
                let agent = &mut self.sides[usize::from(who)].agent;
                let paths: Vec<_> = agent.pairs().map(|pair| pair.path).collect();
                if let Some(path) = paths.get(usize::from(which) % paths.len().max(1)) {
                    agent.handle_disconnected(now, path.local, path.remote);
                }
            }
            Command::Resolved { who, host } => {
                let side = &mut self.sides[usize::from(who)];
                if let Some(id) = side.resolving.pop() {
                    let ips: Vec<_> = host.map(|host| address(host, 0).ip()).into_iter().collect();
                    side.agent.handle_resolved(now, id, &ips);
                }
            }
            Command::Wait { milliseconds } => self.wait(Duration::from_millis(milliseconds.into())),
            Command::Wake { who } => self.wake(who.into()),
            Command::Close { who } => {
                let side = &mut self.sides[usize::from(who)];
                side.agent.close();
                side.closed = true;
            }
        }
    }

    fn drain(&mut self, who: usize) {
        let side = &mut self.sides[who];
        let mut count = 0;
        while let Some(event) = side.agent.poll_event() {
            count += 1;
            match event {
                Event::Resolve { id, .. } => side.resolving.push(id),
                Event::Connect { id, .. } => side.connecting.push(id),
                Event::Embedded(values) => assert!(values.iter().all(|(kind, _)| *kind >= 0x8000)),
                Event::Selected(selected) => {
                    let path = side.agent.path();
                    assert!(side.agent.is_valid_source(selected.path.remote) || path != Some(selected.path));
                }
                _ => {}
            }
        }
        assert!(count <= limits::EVENTS + limits::PAIRS, "{count} events at one moment");
        side.resolving.drain(..side.resolving.len().saturating_sub(limits::RESOLVES));
        side.connecting.drain(..side.connecting.len().saturating_sub(limits::CONNECTS));
        let (mut bytes, mut sent) = (Vec::new(), 0);
        for tcp in [false, true] {
            while let Some(transmit) = match tcp {
                true => side.agent.poll_frame(self.now, &mut bytes),
                false => side.agent.poll_transmit(self.now, &mut bytes),
            } {
                assert!(!side.closed, "one that is closed is silent");
                let message = Message::parse(&bytes).expect("an agent sends messages");
                assert!(message.has_valid_fingerprint() && message.method() == Method::BINDING);
                let wanted = Username::TYPE;
                assert!(
                    message.class() != Class::Request || message.attributes().any(|it| it.kind == wanted)
                );
                let (source, destination) = (transmit.source, transmit.destination);
                let to = 1 - who;
                let bytes = std::mem::take(&mut bytes);
                self.network.put(Flying { tcp, to, source, destination, bytes });
                sent += 1;
                assert!(sent <= BURST, "one moment brings {sent} datagrams");
            }
        }
        self.check_limits(who);
    }
}

impl World {
    fn new(shapes: [u8; 2]) -> Self {
        let side = |index: usize| {
            let (shape, role) = (shapes[index], [Role::Controlling, Role::Controlled]);
            let seed = [index as u8 + 1; 32];
            let mut config = Config::new(role[(index + usize::from(shape & 1)) % 2], seed);
            config.lite = shape & 2 != 0;
            config.consent = shape & 4 == 0;
            config.renomination = shape & 8 == 0;
            let agent = Agent::new(config);
            Side { agent, told: Vec::new(), resolving: Vec::new(), connecting: Vec::new(), closed: false }
        };
        Self { now: Instant::now(), sides: [side(0), side(1)], network: Network::new(UNDER_WAY) }
    }

    fn local(&mut self, who: usize, shape: u8, host: u8, port: u8) {
        // The side's own hosts, and now and then an address that nobody has.
        let host = if host.is_multiple_of(16) { host } else { (host % 2) * 2 + who as u8 };
        let (own, seen) = (address(host, port), address(host ^ 4, port));
        let candidate = match shape % 6 {
            0 | 1 => LocalCandidate::host(own),
            2 => LocalCandidate::server_reflexive(seen, own, [203, 0, 113, 1].into()),
            3 => LocalCandidate::relayed(seen, own, [203, 0, 113, 1].into(), RelayProtocol::Udp),
            4 => LocalCandidate::tcp(own, TcpType::Active),
            _ => LocalCandidate::tcp(own, TcpType::Passive),
        };
        if let Ok(told) = self.sides[who].agent.add_local(self.now, candidate) {
            let text = told.to_string();
            assert_eq!(text.parse().as_ref(), Ok(&told), "what is told can be read: {text}");
            let list = &mut self.sides[who].told;
            if list.len() < 2 * limits::LOCAL_CANDIDATES {
                list.push(told);
            }
        }
    }

    fn deliver(&mut self, which: u8, place: Damage, keep: bool) {
        if let Some(mut flying) = self.network.take(which, keep) {
            damage(&mut flying.bytes, place);
            self.arrive(flying);
        }
    }

    fn arrive(&mut self, mut flying: Flying) {
        let agent = &mut self.sides[flying.to].agent;
        let Flying { source, destination, .. } = flying;
        let received = Received { source, destination, bytes: &mut flying.bytes };
        let _ = match flying.tcp {
            true => agent.handle_frame(self.now, received),
            false => agent.handle_datagram(self.now, received),
        };
        let to = flying.to;
        self.settle(to);
    }

    fn send_to(&mut self, to: usize, tcp: bool, from: u8, bytes: Vec<u8>) {
        let locals: Vec<_> = self.sides[to].agent.local_candidates().map(|local| local.address).collect();
        let destination = locals.get(usize::from(from >> 4) % locals.len().max(1)).copied();
        let destination = destination.unwrap_or(address(to as u8, 0));
        // Sixteen strangers with many ports.
        let source = SocketAddr::from(([198, 51, 100, from % 16], 4000 + u16::from(from)));
        self.arrive(Flying { tcp, to, source, destination, bytes });
    }

    fn check(&self, to: usize, check: &Check) -> Vec<u8> {
        let (ours, theirs) = (self.sides[to].agent.credentials(), self.sides[1 - to].agent.credentials());
        let mut bytes = Vec::new();
        let id = TransactionId([check.id; 12]);
        let mut writer = Writer::new(&mut bytes, Class::Request, Method::BINDING, id);
        let name = format!("{}:{}", ours.ufrag, theirs.ufrag);
        writer.add(&Username(&name)).add(&Priority(check.priority));
        match check.controlling {
            Some(true) => drop(writer.add(&IceControlling(check.tiebreaker))),
            Some(false) => drop(writer.add(&IceControlled(check.tiebreaker))),
            None => {}
        }
        if check.use_candidate {
            writer.add(&UseCandidate);
        }
        if let Some(number) = check.nomination {
            writer.add(&Nomination(number));
        }
        if let Some((kind, value)) = &check.extra {
            writer.add_raw(*kind, &value[..value.len().min(1500)]);
        }
        let password = if check.proven { ours.password.as_str() } else { "a guess of more than 22" };
        writer.integrity_sha1(&Key::short_term(password)).fingerprint();
        bytes
    }

    fn answer(&mut self, which: u8, proven: bool, code: Option<u16>, mapped: u8) {
        let Some(asked) = self.network.get(which) else { return };
        let Ok(message) = Message::parse(&asked.bytes) else { return };
        if message.class() != Class::Request {
            return;
        }
        let class = if code.is_some() { Class::Error } else { Class::Success };
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, class, Method::BINDING, message.transaction());
        match code {
            // Mostly the one that means something.
            Some(code) => drop(writer.add(&ErrorCode::new([487, 400, 401, code][usize::from(code % 4)], ""))),
            None => drop(writer.add(&XorMappedAddress(address(mapped, mapped >> 4)))),
        }
        let to = 1 - asked.to;
        let password = self.sides[asked.to].agent.credentials().password.as_str();
        let password = if proven { password } else { "a guess of more than 22" };
        writer.integrity_sha1(&Key::short_term(password)).fingerprint();
        let (source, destination, tcp) = (asked.destination, asked.source, asked.tcp);
        self.arrive(Flying { tcp, to, source, destination, bytes });
    }

    fn check_limits(&self, who: usize) {
        let agent = &self.sides[who].agent;
        assert!(agent.pairs().count() <= limits::PAIRS);
        assert!(agent.remote_candidates().count() <= limits::REMOTE_CANDIDATES);
        let locals = agent.local_candidates().count();
        assert!(locals <= limits::LOCAL_CANDIDATES + limits::LOCAL_PEER_REFLEXIVE, "{locals}");
    }
}
