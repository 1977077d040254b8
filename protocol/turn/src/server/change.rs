//! Requests on an allocation that exists: Refresh, CreatePermission, ChannelBind
//! (RFC 8656 §8.2, §10.2, §12.2).

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use stun::{Class, Message, Writer};

use super::allocation::{Allocation, CHANNEL_LIFETIME, Channel, Relay, State};
use super::answer::{Refused, add_software, prove};
use super::authenticate::Proof;
use super::{Client, Fault, RelayId, Server};
use crate::attribute::{ChannelNumberAttribute, Family, Lifetime, RequestedAddressFamily, XorPeerAddress};
use crate::channel::ChannelNumber;

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
            if request.all::<XorPeerAddress>().any(|peer| peer.is_err()) {
                return Err(Refused(400));
            }
            let mut ips: Vec<IpAddr> =
                request.all::<XorPeerAddress>().flatten().map(|peer| peer.0.ip()).collect();
            ips.sort_unstable();
            ips.dedup();
            if ips.is_empty() {
                return Err(Refused(400));
            }
            if ips.iter().any(|ip| server.relay_towards(index, *ip).is_none()) {
                return Err(Refused(443));
            }
            if !ips.iter().all(|ip| server.config.peers.permits_ip(*ip)) {
                return Err(Refused(403));
            }
            // All or none.
            let limit = server.ledger.limits().permissions;
            let of_families = [Family::Ipv4, Family::Ipv6]
                .map(|family| ips.iter().copied().filter(|ip| Family::of(*ip) == family).collect::<Vec<_>>());
            for ips in &of_families {
                if let Some(relay) = server.relay_to(index, ips)
                    && !relay.has_room(now, ips, limit)
                {
                    return Err(Refused(508));
                }
            }
            for ips in &of_families {
                if let Some(relay) = server.relay_to(index, ips) {
                    ips.iter().for_each(|ip| relay.permit(now, *ip));
                }
            }
            Ok(None)
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
            server.check_rebinding(now, index, number, peer)?;
            let relay = server.relay_towards(index, peer.ip()).ok_or(Refused(443))?;
            if !server.config.peers.permits(peer) {
                return Err(Refused(403));
            }
            server.bind_channel(now, relay, number, peer).map(|()| None)
        })
    }

    /// A number is bound to one peer, and a peer to one number, in all of an allocation: ChannelData does
    /// not say of which relayed address it speaks.
    fn check_rebinding(
        &mut self,
        now: Instant,
        index: u32,
        number: ChannelNumber,
        peer: SocketAddr,
    ) -> Result<(), Refused> {
        let relays = self.allocations.get(index).map_or([None, None], |allocation| allocation.relays);
        for id in relays.into_iter().flatten() {
            let Some(relay) = self.relays.get_mut(id.0) else { continue };
            relay.channels.retain(|channel| channel.expiry > now);
            if relay.channels.iter().any(|channel| (channel.number == number) != (channel.peer == peer)) {
                return Err(Refused(400));
            }
        }
        Ok(())
    }

    fn bind_channel(
        &mut self,
        now: Instant,
        relay: RelayId,
        number: ChannelNumber,
        peer: SocketAddr,
    ) -> Result<(), Refused> {
        let limits = self.ledger.limits();
        let Some(relay) = self.relays.get_mut(relay.0) else { return Err(Refused(508)) };
        let known = relay.channels.iter().position(|channel| channel.number == number);
        let full = known.is_none() && relay.channels.len() >= limits.channels;
        if full || !relay.has_room(now, &[peer.ip()], limits.permissions) {
            return Err(Refused(508));
        }
        relay.permit(now, peer.ip());
        let expiry = now + CHANNEL_LIFETIME;
        match known.and_then(|position| relay.channels.get_mut(position)) {
            Some(channel) => channel.expiry = expiry,
            None => relay.channels.push(Channel { number, peer, expiry }),
        }
        Ok(())
    }

    /// What all three have in common (RFC 8656 §5): who asks, whether there is an allocation, whether it is
    /// theirs.
    fn change(
        &mut self,
        now: Instant,
        client: &Client,
        request: &Message<'_>,
        apply: impl FnOnce(&mut Self, u32) -> Result<Option<Lifetime>, Refused>,
    ) -> Result<(), Fault> {
        let Some(verified) = self.admit(now, client, request)? else { return Ok(()) };
        let allocation = match self.allocation_of(client) {
            None => Err(Refused(437)),
            Some((_, allocation)) if allocation.username != verified.username => Err(Refused(441)),
            Some((_, Allocation { state: State::Opening(_), .. })) => return Err(Fault::StillOpening),
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

    /// The relayed address towards these peers, all of one family.
    fn relay_to(&mut self, index: u32, peers: &[IpAddr]) -> Option<&mut Relay> {
        let id = self.relay_towards(index, *peers.first()?)?;
        self.relays.get_mut(id.0)
    }
}
