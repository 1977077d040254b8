//! Relays come and go (RFC 8656 §7, §8; RFC 8489 §10 for those that send us elsewhere).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use stun::client::LongTerm;
use turn::client::{Client, Config, Event, Failure, Families};

use super::relay::{self, Lent};
use super::round::Problem;
use super::{Base, Found, Gatherer, Heard, Job, Relay, RelayKey, same};
use crate::config::IceTransportPolicy;
use crate::fault::Fault;
use crate::server::{IceServer, IceServerKind, ServerTransport};
use crate::stream::StreamSecurity;

/// An allocation that ended by itself is asked for again so long after it came about, or later: a server that grants and
/// forgets is not to keep us busy.
pub(super) const MIN_LIFE: Duration = Duration::from_secs(10);

impl Gatherer {
    /// Begins an allocation.
    pub(super) fn open_relay(
        &mut self,
        now: Instant,
        server: Arc<IceServer>,
        base: Option<Base>,
        seed: [u8; 32],
    ) -> Result<(), Problem> {
        self.next_key += 1;
        let key = RelayKey(self.next_key);
        let client = match base {
            Some(base) => {
                let mut client = client(&server, base.address, seed)?;
                client.allocate(now);
                Some(client)
            }
            None => {
                // So that what can be said early is.
                credentials(&server)?;
                self.events.push_back(Found::Connect(key, server.address, security(&server, None)));
                None
            }
        };
        self.relays.push(Relay::new(key, server, base, client));
        Ok(())
    }

    /// Tells a relay that is there already, and asks the server whether it still is; false: there is none.
    pub(super) fn take_up_relay(&mut self, now: Instant, server: &IceServer, base: Option<Base>) -> bool {
        let address = base.map(|base| base.address);
        let known = self.relays.iter().position(|relay| {
            *relay.server == *server && relay.base.map(|base| base.address) == address && !relay.is_closing
        });
        let Some(index) = known else { return false };
        let relay = &mut self.relays[index];
        (relay.is_wanted, relay.is_awaited, relay.base) = (true, true, base);
        if relay.lent.is_some() {
            relay.client.iter_mut().for_each(|client| client.refresh(now));
            self.tell_relay(index);
        }
        true
    }

    /// Its candidates (RFC 8445 §5.1.1.2): the relayed ones, and over UDP how the server sees the socket.
    fn tell_relay(&mut self, index: usize) {
        let Relay { server, base, lent: Some(lent), .. } = &self.relays[index] else { return };
        let (server, base, lent) = (Arc::clone(server), *base, lent.clone());
        let url = server.url();
        let (interface, cost) = base.map_or((0, 0), |base| (base.interface, base.cost));
        for relayed in lent.relayed {
            let seen = lent.mapped.or(base.map(|base| base.address)).unwrap_or(relayed);
            // Whoever is only to be seen through relays says nothing else (RFC 8839 §5.1).
            let seen = match (self.policy, seen) {
                (IceTransportPolicy::All, seen) => seen,
                (IceTransportPolicy::Relay, SocketAddr::V4(_)) => SocketAddr::from(([0; 4], 9)),
                (IceTransportPolicy::Relay, SocketAddr::V6(_)) => SocketAddr::from(([0_u16; 8], 9)),
            };
            let via = server.transport.relay_protocol();
            let candidate = ice::LocalCandidate::relayed(relayed, seen, server.address.ip(), via)
                .on_interface(interface, cost)
                .learnt_from(&url);
            self.events.push_back(Found::Candidate(Box::new(candidate)));
        }
        if let (Some(base), Some(mapped), IceTransportPolicy::All) = (base, lent.mapped, self.policy) {
            self.find_reflexive(mapped, base, &server);
        }
    }

    /// What a relay's server has sent.
    pub(super) fn hear_relay(
        &mut self,
        now: Instant,
        index: usize,
        bytes: &mut [u8],
    ) -> Result<Heard, Fault> {
        let heard = self.relays[index].hear(now, bytes)?;
        if heard == Heard::Done {
            self.heed_relay(now, index);
            self.pump(now);
        }
        Ok(heard)
    }

    /// A frame of the stream that a relay is reached over.
    pub(crate) fn handle_frame(
        &mut self,
        now: Instant,
        key: RelayKey,
        bytes: &mut [u8],
    ) -> Result<Heard, Fault> {
        match self.relays.iter().position(|relay| relay.key == key) {
            Some(index) => self.hear_relay(now, index, bytes),
            None => Ok(Heard::NotOurs),
        }
    }

    /// The connection to a relay's server is open; false: nobody wants it any more.
    pub(crate) fn handle_connected(&mut self, now: Instant, key: RelayKey, local: SocketAddr) -> bool {
        let Some(relay) = self.relays.iter_mut().find(|relay| relay.key == key) else { return false };
        let server = Arc::clone(&relay.server);
        match (&mut relay.client, relay.redirected.take()) {
            (Some(client), Some(to)) => client.follow(now, local, to),
            (Some(_), None) => {}
            (none, _) => {
                // What is wrong with the credentials was said before the connection was asked for.
                let Ok(mut client) = client(&server, local, self.seeds.next()) else { return false };
                client.allocate(now);
                *none = Some(client);
            }
        }
        true
    }

    /// It could not be opened, or was lost.
    pub(crate) fn handle_disconnected(&mut self, now: Instant, key: RelayKey) {
        let Some(index) = self.relays.iter().position(|relay| relay.key == key) else { return };
        match &mut self.relays[index].client {
            Some(client) => client.handle_unreachable(now),
            None => {
                let failure = stun::client::Failure::Unreachable;
                self.lose_relay(index, Some(Failure::Stun(failure)));
            }
        }
        if let Some(index) = self.relays.iter().position(|relay| relay.key == key) {
            self.heed_relay(now, index);
        }
        self.pump(now);
    }

    pub(super) fn time_relays(&mut self, now: Instant) {
        let keys: Vec<RelayKey> = self.due_relays(now);
        for key in keys {
            let Some(index) = self.relays.iter().position(|relay| relay.key == key) else { continue };
            self.relays[index].client.iter_mut().for_each(|client| client.handle_timeout(now));
            self.heed_relay(now, index);
        }
    }

    fn due_relays(&self, now: Instant) -> Vec<RelayKey> {
        let is_due = |relay: &&Relay| relay.poll_timeout().is_some_and(|(at, _)| at <= now);
        self.relays.iter().filter(is_due).map(|relay| relay.key).collect()
    }

    /// Draws the consequences of what has happened to an allocation.
    fn heed_relay(&mut self, now: Instant, index: usize) {
        loop {
            let relay = &mut self.relays[index];
            let Some(event) = relay.client.as_mut().and_then(Client::poll_event) else { return };
            match event {
                Event::Allocated { relayed, mapped } => {
                    // One that is a socket's here, or another relay's, would take its datagrams.
                    let is_taken = |address: SocketAddr| {
                        self.relays.iter().any(|relay| relay.is_at(address))
                            || self.bases.iter().any(|base| same(base.address, address))
                    };
                    let relayed = relayed.into_iter().filter(|address| !is_taken(*address)).collect();
                    let relay = &mut self.relays[index];
                    relay.lent = Some(Lent { relayed, mapped, since: now });
                    if relay.is_wanted {
                        self.tell_relay(index);
                    }
                    self.settle_relay(index, Ok(()));
                }
                Event::Refreshed => self.settle_relay(index, Ok(())),
                Event::Permitted(ip) => relay.release(ip),
                Event::Denied(ip) => relay.discard(ip),
                Event::Bound(_) | Event::Icmp(..) => {}
                Event::Redirected { server, domain } => {
                    if relay.is_on_stream() {
                        relay.redirected = Some(server);
                        let security = security(&relay.server, domain.as_deref());
                        let key = relay.key;
                        self.events.push_back(Found::Disconnect(key));
                        self.events.push_back(Found::Connect(key, server, security));
                    }
                }
                Event::Failed(failure) => return self.lose_relay(index, Some(failure)),
                Event::Closed => return self.lose_relay(index, None),
            }
        }
    }

    /// The round waits for it no longer.
    fn settle_relay(&mut self, index: usize, outcome: Result<(), Problem>) {
        let relay = &mut self.relays[index];
        if std::mem::take(&mut relay.is_awaited) {
            let base = relay.base.map(|base| base.address);
            self.round.ended(&relay.server, base, outcome, &mut self.events);
        }
    }

    /// There is no allocation, or none any more.
    fn lose_relay(&mut self, index: usize, failure: Option<Failure>) {
        let relay = self.relays.swap_remove(index);
        let Relay { key, server, base, lent, is_wanted, is_awaited, .. } = relay;
        if base.is_none() {
            self.events.push_back(Found::Disconnect(key));
        }
        for relayed in lent.iter().flat_map(|lent| &lent.relayed) {
            self.events.push_back(Found::Lost(*relayed));
        }
        if let Some(lent) = lent.filter(|_| is_wanted && failure.is_some()) {
            if !is_awaited {
                self.round.began(&server);
            }
            let after = Some(lent.since + MIN_LIFE);
            self.jobs.push_back(Job { server, base, after });
        } else if is_awaited {
            let base = base.map(|base| base.address);
            let outcome = failure.map_or(Ok(()), |failure| Err(problem(failure)));
            self.round.ended(&server, base, outcome, &mut self.events);
        }
    }

    /// Those that have not come about are waited for no longer, and given back if they come about after all.
    pub(super) fn give_up_relays(&mut self, now: Instant) {
        let mut index = 0;
        while let Some(relay) = self.relays.get_mut(index) {
            if !relay.is_awaited || relay.lent.is_some() {
                // One that is asked whether it still is has its own patience.
                self.settle_relay(index, Ok(()));
                index += 1;
            } else if relay.client.is_some() {
                relay.close(now);
                self.settle_relay(index, Err(Problem::no_answer()));
                index += 1;
            } else {
                let failure = stun::client::Failure::TimedOut;
                self.lose_relay(index, Some(Failure::Stun(failure)));
            }
        }
    }

    /// Their socket is gone.
    pub(super) fn drop_relays_on(&mut self, address: SocketAddr) {
        let is_gone = |relay: &mut Relay| relay.base.is_some_and(|base| same(base.address, address));
        for relay in self.relays.extract_if(.., is_gone) {
            for relayed in relay.lent.iter().flat_map(|lent| &lent.relayed) {
                self.events.push_back(Found::Lost(*relayed));
            }
            if relay.is_awaited {
                self.round.ended(&relay.server, None, Ok(()), &mut self.events);
            }
        }
    }

    /// Gives back what no round has asked for since, except what data goes through.
    pub(crate) fn prune(&mut self, now: Instant, used: Option<SocketAddr>) {
        if !self.round.is_over() {
            return;
        }
        let mut index = 0;
        while let Some(relay) = self.relays.get_mut(index) {
            let is_used = used.is_some_and(|used| relay.is_at(used));
            if relay.is_wanted || relay.is_closing || is_used {
                index += 1;
            } else if relay.client.is_some() {
                relay.close(now);
                let before = self.relays.len();
                self.heed_relay(now, index);
                index += usize::from(self.relays.len() == before);
            } else {
                self.lose_relay(index, None);
            }
        }
    }

    /// Asks for nothing more, and gives back the relays over streams, or the others. What is for a server is still to be
    /// sent.
    pub(crate) fn close(&mut self, now: Instant, on_streams: bool) {
        self.jobs.clear();
        self.bindings.clear();
        let relays = self.relays.iter_mut().filter(|relay| relay.is_on_stream() == on_streams);
        relays.for_each(|relay| relay.close(now));
    }

    /// The relay that lends this address.
    pub(crate) fn lender(&self, address: SocketAddr) -> Option<&Relay> {
        self.relays.iter().find(|relay| relay.is_at(address))
    }

    /// The same, to send through it.
    pub(crate) fn relay_at(&mut self, address: SocketAddr) -> Option<&mut Relay> {
        self.relays.iter_mut().find(|relay| relay.is_at(address))
    }

    /// The relay that is reached over this stream.
    pub(crate) fn relay(&mut self, key: RelayKey) -> Option<&mut Relay> {
        self.relays.iter_mut().find(|relay| relay.key == key)
    }

    /// Lets all of these addresses send to us through every relay.
    pub(crate) fn permit(&mut self, now: Instant, peers: &[IpAddr]) {
        for relay in &mut self.relays {
            for peer in peers {
                relay.permit(now, *peer, &|ip| peers.contains(&ip));
            }
        }
    }

    /// Whether there is any relay, or will be.
    pub(crate) fn has_relays(&self) -> bool {
        !self.relays.is_empty()
    }
}

fn client(server: &IceServer, local: SocketAddr, seed: [u8; 32]) -> Result<Client, Problem> {
    Ok(Client::new(Config {
        local,
        server: server.address,
        transport: relay::transport(server),
        credentials: credentials(server)?,
        families: Families::Both,
        lifetime: None,
        software: String::new(),
        seed,
    }))
}

fn credentials(server: &IceServer) -> Result<LongTerm, Problem> {
    let IceServerKind::Turn { username, credential } = &server.kind else {
        return Err(Problem::Unreachable("not a relay".to_owned()));
    };
    LongTerm::new(username, credential).map_err(|error| Problem::Refused(401, error.to_string()))
}

/// How a connection to it, or to where it sends us, is secured.
fn security(server: &IceServer, domain: Option<&str>) -> StreamSecurity {
    match server.transport {
        ServerTransport::Tls => StreamSecurity::Tls { domain: domain.unwrap_or(&server.domain).into() },
        _ => StreamSecurity::Plain,
    }
}

fn problem(failure: Failure) -> Problem {
    match failure {
        Failure::Refused(code) => Problem::Refused(code, failure.to_string()),
        Failure::Stun(stun::client::Failure::WrongCredentials) => Problem::Refused(401, failure.to_string()),
        Failure::Stun(_) | Failure::NoAddress => Problem::Unreachable(failure.to_string()),
    }
}
