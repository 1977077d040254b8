//! Requests on an allocation that exists: Refresh, CreatePermission, ChannelBind
//! (RFC 8656 §8.2, §10.2, §12.2).

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use stun::{Class, Message, Writer};

use super::allocation::{CHANNEL_LIFETIME, Channel};
use super::answer::{Refused, add_software, prove};
use super::authenticate::Proof;
use super::{Client, Fault, RelayId, Server};
use crate::attribute::{ChannelNumberAttribute, Family, Lifetime, RequestedAddressFamily, XorPeerAddress};
use crate::channel::ChannelNumber;

/// Peers that one CreatePermission request may name.
const MAX_PEERS: usize = 64;

impl Server {
    pub(super) fn handle_refresh(
        &mut self,
        now: Instant,
        client: &Client,
        request: &Message<'_>,
    ) -> Result<(), Fault> {
        self.change(now, client, request, |server, index| {
            let family = request.get::<RequestedAddressFamily>().map_err(|_| Refused(400))?;
            let asked = request.get::<Lifetime>().map_err(|_| Refused(400))?.map(|lifetime| lifetime.0);
            let relays: Vec<RelayId> = server
                .open_relays_of(index)
                .filter(|(_, of)| family.is_none_or(|family| family.0 == Some(*of)))
                .map(|(id, _)| id)
                .collect();
            if relays.is_empty() {
                return Err(Refused(443));
            }
            if asked == Some(Duration::ZERO) {
                relays.into_iter().for_each(|relay| server.close_relay(relay));
                return Ok(Some(Lifetime(Duration::ZERO)));
            }
            let lifetime = server.config.lifetime(asked);
            relays.into_iter().for_each(|relay| server.extend(relay, now + lifetime));
            Ok(Some(Lifetime(lifetime)))
        })
    }

    pub(super) fn handle_create_permission(
        &mut self,
        now: Instant,
        client: &Client,
        request: &Message<'_>,
    ) -> Result<(), Fault> {
        self.change(now, client, request, |server, index| {
            let mut peers: Vec<(RelayId, IpAddr)> = Vec::new();
            for peer in request.all::<XorPeerAddress>() {
                let ip = peer.map_err(|_| Refused(400))?.0.ip();
                let relay = server.relay_towards(index, ip).ok_or(Refused(443))?;
                if !server.config.peers.permits_ip(ip) {
                    return Err(Refused(403));
                }
                if peers.len() == MAX_PEERS {
                    return Err(Refused(508));
                }
                peers.push((relay, ip));
            }
            if peers.is_empty() {
                return Err(Refused(400));
            }
            let limit = server.ledger.limits().permissions;
            let all = peers.into_iter().all(|(relay, ip)| {
                server.relays.get_mut(relay.0).is_some_and(|relay| relay.permit(now, ip, limit))
            });
            if all { Ok(None) } else { Err(Refused(508)) }
        })
    }

    pub(super) fn handle_channel_bind(
        &mut self,
        now: Instant,
        client: &Client,
        request: &Message<'_>,
    ) -> Result<(), Fault> {
        self.change(now, client, request, |server, index| {
            let bad = |_| Refused(400);
            let number = request.get::<ChannelNumberAttribute>().map_err(bad)?.ok_or(Refused(400))?;
            let peer = request.get::<XorPeerAddress>().map_err(bad)?.ok_or(Refused(400))?.0;
            let number = ChannelNumber::new(number.0).ok_or(Refused(400))?;
            let relay = server.relay_towards(index, peer.ip()).ok_or(Refused(443))?;
            if !server.config.peers.permits(peer) {
                return Err(Refused(403));
            }
            server.bind_channel(now, index, relay, number, peer).map(|()| None)
        })
    }

    fn bind_channel(
        &mut self,
        now: Instant,
        allocation: u32,
        relay: RelayId,
        number: ChannelNumber,
        peer: SocketAddr,
    ) -> Result<(), Refused> {
        // A number is bound once in an allocation, whichever of its relayed addresses it belongs to.
        let ids: Vec<RelayId> = self.open_relays_of(allocation).map(|(id, _)| id).collect();
        for id in ids {
            let Some(other) = self.relays.get_mut(id.0) else { continue };
            other.channels.retain(|channel| channel.expiry > now);
            if other.channels.iter().any(|channel| (channel.number == number) != (channel.peer == peer)) {
                return Err(Refused(400));
            }
        }
        let limits = self.ledger.limits();
        let Some(relay) = self.relays.get_mut(relay.0) else { return Err(Refused(437)) };
        let known = relay.channels.iter().position(|channel| channel.number == number);
        if known.is_none() && relay.channels.len() >= limits.channels {
            return Err(Refused(508));
        }
        if !relay.permit(now, peer.ip(), limits.permissions) {
            return Err(Refused(508));
        }
        let expiry = now + CHANNEL_LIFETIME;
        match known.and_then(|position| relay.channels.get_mut(position)) {
            Some(channel) => channel.expiry = expiry,
            None => relay.channels.push(Channel { number, peer, expiry }),
        }
        Ok(())
    }

    /// What all three have in common (RFC 8656 §5): who asks, whether there is an allocation, whether it is
    /// theirs, whether the request is understood.
    fn change(
        &mut self,
        now: Instant,
        client: &Client,
        request: &Message<'_>,
        apply: impl FnOnce(&mut Self, u32) -> Result<Option<Lifetime>, Refused>,
    ) -> Result<(), Fault> {
        let verified = match self.authenticate(now, client, request) {
            Ok(verified) => verified,
            Err(refusal) => return self.challenge(now, client, request, refusal),
        };
        let allocation = match self.allocation_of(client) {
            None => Err(Refused(437)),
            Some((_, allocation)) if allocation.username != verified.username => Err(Refused(441)),
            Some(_) if self.is_unknown(request) => Err(Refused(420)),
            Some((index, _)) => Ok(index),
        };
        match allocation.and_then(|index| apply(self, index)) {
            Ok(lifetime) => self.confirm(client, request, &verified.proof, lifetime),
            Err(refused) => self.refuse(client, request, &verified.proof, refused),
        }
    }

    fn confirm(
        &mut self,
        client: &Client,
        request: &Message<'_>,
        proof: &Proof,
        lifetime: Option<Lifetime>,
    ) -> Result<(), Fault> {
        let software = self.config.software.clone();
        self.answer(*client, Class::Success, request, |writer: &mut Writer<'_>| {
            if let Some(lifetime) = lifetime {
                writer.add(&lifetime);
            }
            add_software(writer, request.method(), &software);
            prove(writer, proof, request.has_fingerprint());
        })
    }

    fn extend(&mut self, id: RelayId, expiry: Instant) {
        if let Some(relay) = self.relays.get_mut(id.0) {
            self.expiries.remove(&(relay.expiry, id));
            relay.expiry = expiry;
            self.expiries.insert((expiry, id));
        }
    }

    fn open_relays_of(&self, index: u32) -> impl Iterator<Item = (RelayId, Family)> {
        let allocation = self.allocations.get(index);
        allocation
            .into_iter()
            .flat_map(|allocation| self.relays_of(allocation))
            .map(|(id, relay)| (id, relay.family()))
    }

    fn relay_towards(&self, index: u32, peer: IpAddr) -> Option<RelayId> {
        self.open_relays_of(index).find(|(_, family)| *family == Family::of(peer)).map(|(id, _)| id)
    }
}
