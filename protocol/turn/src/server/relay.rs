//! The data path: what a datagram becomes on its other side (RFC 8656 §11, §12).
//!
//! Nothing here allocates, locks or copies application data.

use std::net::SocketAddr;
use std::ops::Range;
use std::time::Instant;

use stun::attribute::Attribute;
use stun::{Class, MAGIC_COOKIE, Message, Method, TransactionId, Writer};

use super::allocation::Relay;
use super::{Client, Fault, RelayId, Server, Transport};
use crate::attribute::{Data, DontFragment, Icmp, XorPeerAddress};
use crate::channel::{self, ChannelNumber};

/// Send these bytes of the client's datagram to a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToPeer {
    /// From this relay socket.
    pub relay: RelayId,
    /// To this address.
    pub peer: SocketAddr,
    /// Which bytes of what came in.
    pub payload: Range<usize>,
    /// With the DF bit set (DONT-FRAGMENT, RFC 8656 §14).
    pub dont_fragment: bool,
}

/// Send the peer's datagram to a client, after a prefix and before some padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToClient {
    /// To this client, from the address it speaks to.
    pub client: Client,
    /// What goes before the datagram.
    pub prefix: Prefix,
    /// How many zero bytes go behind it.
    pub padding: usize,
}

/// The bytes that make a peer's datagram a ChannelData message or a Data indication.
#[derive(Clone, PartialEq, Eq)]
pub struct Prefix {
    bytes: [u8; Self::MAX_LEN],
    length: u8,
}

impl Prefix {
    /// A Data indication's header, XOR-PEER-ADDRESS for IPv6, and the head of DATA.
    pub const MAX_LEN: usize = 20 + 24 + 4;

    fn channel(header: [u8; channel::HEADER_LEN]) -> Self {
        let mut bytes = [0; Self::MAX_LEN];
        bytes[..header.len()].copy_from_slice(&header);
        Self { bytes, length: 4 }
    }
}

impl std::ops::Deref for Prefix {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl std::fmt::Debug for Prefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Server {
    /// ChannelData from a client (RFC 8656 §12.6).
    pub(super) fn relay_channel_data(
        &mut self,
        now: Instant,
        client: &Client,
        bytes: &[u8],
    ) -> Result<ToPeer, Fault> {
        let (number, data) = channel::parse(bytes).ok_or(Fault::Malformed)?;
        let index = *self.clients.get(client).ok_or(Fault::NoAllocation)?;
        let allocation = self.allocations.get(index).ok_or(Fault::NoAllocation)?;
        let bound = |id: &RelayId| {
            let relay = self.live_relay(now, *id)?;
            Some((*id, relay, relay.peer_of(now, number)?))
        };
        let (id, relay, peer) = allocation.relays.iter().flatten().find_map(bound).ok_or(Fault::NoChannel)?;
        // The policy was asked when the channel was bound.
        if !relay.has_permission(now, peer.ip()) {
            return Err(Fault::NoPermission);
        }
        if !self.ledger.admits(&allocation.entry, now, data.len()) {
            return Err(Fault::OverBandwidth);
        }
        self.counters.to_peers.add(data.len());
        let payload = channel::HEADER_LEN..channel::HEADER_LEN + data.len();
        Ok(ToPeer { relay: id, peer, payload, dont_fragment: false })
    }

    /// A Send indication (RFC 8656 §11.2).
    pub(super) fn relay_send(
        &mut self,
        now: Instant,
        client: &Client,
        message: &Message<'_>,
    ) -> Result<ToPeer, Fault> {
        let index = *self.clients.get(client).ok_or(Fault::NoAllocation)?;
        if self.unknown(message).next().is_some() {
            return Err(Fault::UnknownAttribute);
        }
        let peer = message.get::<XorPeerAddress>().ok().flatten().ok_or(Fault::MissingAttribute)?.0;
        let data = message.attributes().find(|attribute| attribute.kind == Data::TYPE);
        let payload = data.ok_or(Fault::MissingAttribute)?.value_range();
        let allocation = self.allocations.get(index).ok_or(Fault::NoAllocation)?;
        let id = allocation.relays[usize::from(peer.is_ipv6())].ok_or(Fault::FamilyMismatch)?;
        let relay = self.live_relay(now, id).ok_or(Fault::NoAllocation)?;
        if !relay.has_permission(now, peer.ip()) {
            return Err(Fault::NoPermission);
        }
        // A permission is for an address; the port is known only now.
        if !self.config.peers.permits(peer) {
            return Err(Fault::PeerDenied);
        }
        if !self.ledger.admits(&allocation.entry, now, payload.len()) {
            return Err(Fault::OverBandwidth);
        }
        self.counters.to_peers.add(payload.len());
        // Between datagrams it counts only where both are IPv4 (RFC 8656 §13.1 to §13.3, §14); from a stream
        // it always does (§15).
        let counts = client.transport != Transport::Udp || (client.remote.is_ipv4() && peer.is_ipv4());
        let dont_fragment = counts && message.has::<DontFragment>();
        Ok(ToPeer { relay: id, peer, payload, dont_fragment })
    }

    fn live_relay(&self, now: Instant, id: RelayId) -> Option<&Relay> {
        self.relays.get(id.0).filter(|relay| relay.is_live(now))
    }

    /// A datagram from a peer (RFC 8656 §11.3).
    pub(super) fn relay_to_client(
        &mut self,
        now: Instant,
        id: RelayId,
        peer: SocketAddr,
        length: usize,
    ) -> Result<ToClient, Fault> {
        let relay = self.live_relay(now, id).ok_or(Fault::NoAllocation)?;
        if !relay.has_permission(now, peer.ip()) {
            return Err(Fault::NoPermission);
        }
        let allocation = self.allocations.get(relay.allocation).ok_or(Fault::NoAllocation)?;
        if !self.ledger.admits(&allocation.entry, now, length) {
            return Err(Fault::OverBandwidth);
        }
        let client = relay.client;
        let (prefix, padding) = match relay.channel_to(now, peer) {
            Some(number) => self.channel_prefix(client, number, length)?,
            None => self.data_prefix(peer, length)?,
        };
        self.counters.to_clients.add(length);
        Ok(ToClient { client, prefix, padding })
    }

    fn channel_prefix(
        &self,
        client: Client,
        number: ChannelNumber,
        length: usize,
    ) -> Result<(Prefix, usize), Fault> {
        let header = channel::header(number, u16::try_from(length).map_err(|_| Fault::TooLong)?);
        // Padded on a stream; not in a datagram (RFC 8656 §12.5).
        let padding = if client.transport == Transport::Udp { 0 } else { length.wrapping_neg() % 4 };
        Ok((Prefix::channel(header), padding))
    }

    fn data_prefix(&mut self, peer: SocketAddr, length: usize) -> Result<(Prefix, usize), Fault> {
        let padding = length.wrapping_neg() % 4;
        let (address_len, port) = (if peer.is_ipv4() { 8_u16 } else { 20 }, peer.port());
        let body = usize::from(4 + address_len) + 4 + length + padding;
        let body = u16::try_from(body).map_err(|_| Fault::TooLong)?;
        let transaction = TransactionId(self.random.bytes());
        let mut bytes = [0; Prefix::MAX_LEN];
        let mut position = 0;
        let mut put = |field: &[u8]| {
            bytes[position..position + field.len()].copy_from_slice(field);
            position += field.len();
        };
        put(&DATA_INDICATION.to_be_bytes());
        put(&body.to_be_bytes());
        put(&MAGIC_COOKIE.to_be_bytes());
        put(&transaction.0);
        put(&XorPeerAddress::TYPE.to_be_bytes());
        put(&address_len.to_be_bytes());
        let [a, b, ..] = MAGIC_COOKIE.to_be_bytes();
        put(&[0, if peer.is_ipv4() { 1 } else { 2 }]);
        put(&(port ^ u16::from_be_bytes([a, b])).to_be_bytes());
        match peer {
            SocketAddr::V4(peer) => put(&(peer.ip().to_bits() ^ MAGIC_COOKIE).to_be_bytes()),
            SocketAddr::V6(peer) => {
                let mut mask = [0; 16];
                mask[..4].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
                mask[4..].copy_from_slice(&transaction.0);
                put(&(peer.ip().to_bits() ^ u128::from_be_bytes(mask)).to_be_bytes());
            }
        }
        put(&Data::TYPE.to_be_bytes());
        // Fits: the body, which holds it, did.
        put(&u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
        let length = u8::try_from(position).unwrap_or(0);
        Ok((Prefix { bytes, length }, padding))
    }

    /// An ICMP error (RFC 8656 §11.5).
    pub(super) fn relay_icmp(
        &mut self,
        now: Instant,
        id: RelayId,
        peer: SocketAddr,
        icmp: Icmp,
    ) -> Result<(), Fault> {
        if !icmp.is_relayed(peer.is_ipv4()) {
            return Err(Fault::IcmpIgnored);
        }
        let relay = self.live_relay(now, id).ok_or(Fault::NoAllocation)?;
        if !relay.has_permission(now, peer.ip()) {
            return Err(Fault::NoPermission);
        }
        let client = relay.client;
        let icmp = icmp.with_meaningful_data(peer.is_ipv4());
        let transaction = TransactionId(self.random.bytes());
        self.push_answer(client, |bytes| {
            Writer::new(bytes, Class::Indication, Method::DATA, transaction)
                .add(&XorPeerAddress(peer))
                .add(&icmp);
        })
    }
}

/// Class indication, method Data.
const DATA_INDICATION: u16 = 0x0017;
