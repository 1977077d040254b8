//! Allocate: a client asks for relayed addresses (RFC 8656 §7.2).

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use stun::attribute::XorMappedAddress;
use stun::{Class, Message, Method, Writer};

use super::allocation::{Allocation, Open, Opening, PortWish, Relay, State};
use super::answer::{Refused, add_software, prove};
use super::authenticate::{Proof, Verified};
use super::ledger;
use super::{Client, Event, Fault, OpenError, RelayId, RelayIp, Server};
use crate::attribute::{
    AdditionalAddressFamily, AddressErrorCode, DontFragment, EvenPort, Family, Lifetime,
    RequestedAddressFamily, RequestedTransport, ReservationToken, XorRelayedAddress, error,
};

/// How many ports are tried when other programs have the first ones.
const MAX_ATTEMPTS: u8 = 16;

/// What a valid request asks for.
struct Wish {
    port: PortWish,
    /// The families to grant, the first of which must be.
    families: [Option<Family>; 2],
    reserved: Option<ReservationToken>,
}

impl Server {
    pub(super) fn handle_allocate(
        &mut self,
        now: Instant,
        client: &Client,
        request: &Message<'_>,
    ) -> Result<(), Fault> {
        let Some(verified) = self.admit(now, client, request)? else { return Ok(()) };
        match self.begin_allocation(now, client, request, &verified) {
            Ok(()) => Ok(()),
            Err(Outcome::Refused(refused)) => self.refuse(client, request, &verified.proof, refused),
            Err(Outcome::Repeat(index)) => self.repeat_answer(now, index, request, &verified.proof),
            Err(Outcome::Drop(fault)) => Err(fault),
        }
    }

    fn begin_allocation(
        &mut self,
        now: Instant,
        client: &Client,
        request: &Message<'_>,
        verified: &Verified,
    ) -> Result<(), Outcome> {
        if let Some((index, allocation)) = self.allocation_of(client) {
            if allocation.transaction != request.transaction() || allocation.username != verified.username {
                return Err(Refused(437).into());
            }
            // The same request again: its answer was lost, or is still to come.
            return Err(match allocation.state {
                State::Open(_) => Outcome::Repeat(index),
                State::Opening(_) => Outcome::Drop(Fault::StillOpening),
            });
        }
        let wish = self.wish(request)?;
        if self.alternate_for(client.remote).is_some() {
            return Err(Refused(300).into());
        }
        let asked = request.get::<Lifetime>().map_err(|_| Refused(400))?.map(|lifetime| lifetime.0);
        let lifetime = self.config.lifetime(asked);
        let entry = self.ledger.enter(&verified.account, client.remote.ip()).map_err(|refused| {
            Refused(match refused {
                ledger::Refused::Quota => 486,
                ledger::Refused::Capacity => 508,
            })
        })?;
        let opening = Opening {
            proof: verified.proof.clone(),
            fingerprint: request.has_fingerprint(),
            token: None,
            lifetime,
            waiting: 0,
            missing: None,
        };
        let index = self.allocations.insert(Allocation {
            client: *client,
            username: verified.username.clone(),
            entry,
            transaction: request.transaction(),
            state: State::Opening(opening),
            relays: [None, None],
        });
        if self.clients.insert(*client, index).is_err() {
            self.remove_allocation(index);
            return Err(Refused(508).into());
        }
        self.open_relays(now, index, client, &wish).map_err(|refused| {
            self.remove_allocation(index);
            refused.into()
        })
    }

    /// The attributes of RFC 8656 §7.2, checked in its order.
    fn wish(&self, request: &Message<'_>) -> Result<Wish, Refused> {
        let bad = |_| Refused(400);
        match request.get::<RequestedTransport>() {
            Ok(Some(RequestedTransport::UDP)) => {}
            Ok(Some(_)) => return Err(Refused(442)),
            Ok(None) | Err(_) => return Err(Refused(400)),
        }
        request.get::<DontFragment>().map_err(bad)?;
        let reserved = request.get::<ReservationToken>().map_err(bad)?;
        let even = request.get::<EvenPort>().map_err(bad)?;
        let family = request.get::<RequestedAddressFamily>().map_err(bad)?;
        let additional = request.get::<AdditionalAddressFamily>().map_err(bad)?;
        if reserved.is_some() && (even.is_some() || family.is_some() || additional.is_some()) {
            return Err(Refused(400));
        }
        if family.is_some() && additional.is_some() {
            return Err(Refused(400));
        }
        let families = match (family, additional) {
            (Some(RequestedAddressFamily(None)), _) => return Err(Refused(440)),
            (Some(RequestedAddressFamily(family)), _) => [family, None],
            (_, Some(AdditionalAddressFamily(Some(Family::Ipv6)))) => {
                [Some(Family::Ipv4), Some(Family::Ipv6)]
            }
            (_, Some(_)) => return Err(Refused(400)),
            (None, None) => [Some(Family::Ipv4), None],
        };
        let port = match even {
            Some(EvenPort { reserve_next: true }) if additional.is_some() => return Err(Refused(400)),
            Some(EvenPort { reserve_next: true }) => PortWish::EvenWithNext,
            Some(_) => PortWish::Even,
            None if reserved.is_some() => PortWish::Exactly,
            None => PortWish::Any,
        };
        Ok(Wish { port, families, reserved })
    }

    fn open_relays(&mut self, now: Instant, index: u32, client: &Client, wish: &Wish) -> Result<(), Refused> {
        if let Some(token) = wish.reserved {
            let (bind, port) = self.ledger.claim(now, token).ok_or(Refused(508))?;
            let public = self.config.relay_ip(Family::of(bind), bind).map_or(bind, |ip| ip.public);
            self.open_relay(now, index, RelayIp { bind, public }, port, wish.port);
            return Ok(());
        }
        let dual = wish.families[1].is_some();
        let mut first_error = None;
        for family in wish.families.into_iter().flatten() {
            let granted = self.config.relay_ip(family, client.local.ip()).ok_or(440).and_then(|ip| {
                let port = self.take_port(now, index, wish.port, ip.bind).ok_or(508_u16)?;
                self.open_relay(now, index, ip, port, wish.port);
                Ok(())
            });
            if let Err(code) = granted {
                first_error.get_or_insert(code);
                self.note_missing(index, family, code);
            }
        }
        let opened = self.allocations.get(index).is_some_and(|allocation| allocation.relays != [None, None]);
        match first_error {
            Some(_) if dual && !opened => Err(Refused(508)),
            Some(code) if !opened => Err(Refused(code)),
            _ => Ok(()),
        }
    }

    /// A free port as `wish` wants it. A pair's second one is reserved at once, so that nobody else takes it
    /// while the first is opened.
    fn take_port(&mut self, now: Instant, index: u32, wish: PortWish, ip: IpAddr) -> Option<u16> {
        let random = self.random.u16();
        if wish != PortWish::EvenWithNext {
            return self.ledger.take_port(now, random, wish == PortWish::Even, None);
        }
        let token = ReservationToken(self.random.bytes());
        let port = self.ledger.take_port(now, random, true, Some((ip, token)))?;
        if let Some(Allocation { state: State::Opening(opening), .. }) = self.allocations.get_mut(index)
            && let Some(former) = opening.token.replace(token)
        {
            self.ledger.cancel(former);
        }
        Some(port)
    }

    fn open_relay(&mut self, now: Instant, index: u32, ip: RelayIp, port: u16, wish: PortWish) {
        let Some(allocation) = self.allocations.get_mut(index) else { return };
        let State::Opening(opening) = &mut allocation.state else { return };
        opening.waiting += 1;
        // The caller is expected to answer at once; should it not, the expiry ends the attempt.
        let expiry = now + opening.lifetime;
        let relay = RelayId(self.relays.insert(Relay {
            allocation: index,
            client: allocation.client,
            bind: ip.bind,
            public: ip.public,
            port,
            attempts: 1,
            wish,
            is_open: false,
            expiry,
            permissions: Vec::new(),
            channels: Vec::new(),
        }));
        allocation.relays[usize::from(ip.bind.is_ipv6())] = Some(relay);
        self.expiries.insert((expiry, relay));
        self.events.push_back(Event::Open { relay, address: SocketAddr::new(ip.bind, port) });
    }

    /// The answer to [`Event::Open`].
    pub fn handle_opened(&mut self, now: Instant, id: RelayId, outcome: Result<(), OpenError>) {
        let Some(relay) = self.relays.get_mut(id.0) else { return };
        let (index, wish, attempts, ip) = (relay.allocation, relay.wish, relay.attempts, relay.bind);
        if relay.is_open {
            return;
        }
        if outcome == Err(OpenError::InUse) && wish != PortWish::Exactly && attempts < MAX_ATTEMPTS {
            // Another port is taken before this one is given back, so that it is another one.
            if let Some(port) = self.take_port(now, index, wish, ip) {
                let Some(relay) = self.relays.get_mut(id.0) else { return };
                self.ledger.give_port(relay.port);
                relay.port = port;
                relay.attempts += 1;
                self.events.push_back(Event::Open { relay: id, address: SocketAddr::new(relay.bind, port) });
                return;
            }
        }
        if let Some(relay) = self.relays.get_mut(id.0) {
            relay.is_open = outcome.is_ok();
        }
        let Some(allocation) = self.allocations.get_mut(index) else { return };
        let State::Opening(opening) = &mut allocation.state else { return };
        opening.waiting -= 1;
        let waiting = opening.waiting;
        if outcome.is_err() {
            self.note_missing(index, Family::of(ip), 508);
            self.drop_unopened(id);
        }
        if waiting == 0 {
            self.finish_allocation(now, index);
        }
    }

    /// Forgets a relay that never had a socket, but keeps its allocation for the answer.
    fn drop_unopened(&mut self, id: RelayId) {
        let Some(relay) = self.relays.remove(id.0) else { return };
        self.expiries.remove(&(relay.expiry, id));
        self.ledger.give_port(relay.port);
        if let Some(allocation) = self.allocations.get_mut(relay.allocation) {
            for slot in &mut allocation.relays {
                slot.take_if(|other| *other == id);
            }
        }
    }

    fn note_missing(&mut self, index: u32, family: Family, code: u16) {
        if let Some(Allocation { state: State::Opening(opening), .. }) = self.allocations.get_mut(index) {
            opening.missing = Some((family, code));
        }
    }

    fn finish_allocation(&mut self, now: Instant, index: u32) {
        let Some(allocation) = self.allocations.get_mut(index) else { return };
        let State::Opening(opening) = &mut allocation.state else { return };
        let (proof, fingerprint, missing) = (opening.proof.clone(), opening.fingerprint, opening.missing);
        let (client, transaction, token) = (allocation.client, allocation.transaction, opening.token);
        if allocation.relays == [None, None] {
            self.remove_allocation(index);
            self.counters.count_error(508);
            let software = self.config.software.clone();
            let outcome = self.push_answer(client, |bytes| {
                let mut writer = Writer::new(bytes, Class::Error, Method::ALLOCATE, transaction);
                writer.add(&error(508));
                add_software(&mut writer, Method::ALLOCATE, &software);
                prove(&mut writer, &proof, fingerprint);
            });
            // The client will ask again.
            return outcome.unwrap_or_else(|fault| self.counters.count(fault));
        }
        allocation.state = State::Open(Open { token, missing });
        self.counters.allocated += 1;
        self.answer_allocated(now, index, &proof, fingerprint)
            .unwrap_or_else(|fault| self.counters.count(fault));
    }

    fn repeat_answer(
        &mut self,
        now: Instant,
        index: u32,
        request: &Message<'_>,
        proof: &Proof,
    ) -> Result<(), Fault> {
        self.answer_allocated(now, index, proof, request.has_fingerprint())
    }

    fn answer_allocated(
        &mut self,
        now: Instant,
        index: u32,
        proof: &Proof,
        fingerprint: bool,
    ) -> Result<(), Fault> {
        let Some(allocation) = self.allocations.get(index) else { return Ok(()) };
        let State::Open(Open { token, missing }) = allocation.state else { return Ok(()) };
        let (client, transaction) = (allocation.client, allocation.transaction);
        let relays = self.relays_of(allocation).map(|(_, relay)| (relay.address(), relay.expiry));
        let relays: Vec<_> = relays.collect();
        let software = self.config.software.clone();
        self.push_answer(client, |bytes| {
            let mut writer = Writer::new(bytes, Class::Success, Method::ALLOCATE, transaction);
            for (address, _) in &relays {
                writer.add(&XorRelayedAddress(*address));
            }
            let expiry = relays.iter().map(|(_, expiry)| *expiry).min().unwrap_or(now);
            writer.add(&Lifetime(expiry.saturating_duration_since(now)));
            if let Some(token) = token {
                writer.add(&token);
            }
            writer.add(&XorMappedAddress(client.remote));
            if let Some((family, code)) = missing {
                writer.add(&AddressErrorCode { family, error: error(code) });
            }
            add_software(&mut writer, Method::ALLOCATE, &software);
            prove(&mut writer, proof, fingerprint);
        })
    }
}

/// Why an Allocate request does not begin an allocation.
enum Outcome {
    Refused(Refused),
    /// It repeats one that was granted.
    Repeat(u32),
    Drop(Fault),
}

impl From<Refused> for Outcome {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}
