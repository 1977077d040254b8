//! Binding: tells a client its address (RFC 8489 §12), and from other addresses of ours what its NAT does
//! (RFC 5780 §6).

use std::net::{IpAddr, SocketAddr};

use stun::attribute::{
    Attribute as _, ChangeRequest, ErrorCode, MappedAddress, OtherAddress, Padding, ResponseOrigin,
    ResponsePort, UnknownAttributes, XorMappedAddress,
};
use stun::{Class, Message, Writer};

use super::answer::budget;
use super::{Client, Fault, Server, Transport};
use crate::attribute::error;

/// The second port, and for each address its second one, on which UDP is served too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discovery {
    /// Two ports of every address.
    pub ports: Option<(u16, u16)>,
    /// Pairs of addresses; either may be the client's first.
    pub addresses: Vec<(IpAddr, IpAddr)>,
}

/// What PADDING in an answer adds at most: more than an Ethernet frame holds, so that the answer arrives in
/// fragments.
const MAX_PADDING: u16 = 1500;

impl Discovery {
    fn other_port(&self, port: u16) -> Option<u16> {
        let (first, second) = self.ports?;
        if port == first { Some(second) } else { (port == second).then_some(first) }
    }

    fn other_ip(&self, ip: IpAddr) -> Option<IpAddr> {
        self.addresses.iter().find_map(|(first, second)| {
            if *first == ip { Some(*second) } else { (*second == ip).then_some(*first) }
        })
    }

    /// The address that differs from `local` in both (RFC 5780 §7.4).
    fn other(&self, local: SocketAddr) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.other_ip(local.ip())?, self.other_port(local.port())?))
    }

    /// The address to answer from (RFC 5780 §6.1, Table 1).
    fn changed(&self, local: SocketAddr, change: ChangeRequest) -> Option<SocketAddr> {
        let ip = if change.address { self.other_ip(local.ip())? } else { local.ip() };
        let port = if change.port { self.other_port(local.port())? } else { local.port() };
        Some(SocketAddr::new(ip, port))
    }
}

impl Server {
    pub(super) fn answer_binding(&mut self, client: &Client, request: &Message<'_>) -> Result<(), Fault> {
        let udp = client.transport == Transport::Udp;
        let known = [ChangeRequest::TYPE, ResponsePort::TYPE, Padding::TYPE];
        let mut unknown: Vec<u16> = request.unknown(if udp { &known } else { &[] }).take(8).collect();
        let (change, port) = (request.get::<ChangeRequest>(), request.get::<ResponsePort>());
        let (Ok(change), Ok(port)) = (change, port) else {
            return self.refuse_unproven(client, request, 400);
        };
        let change = change.unwrap_or_default();
        let origin = self.config.discovery.changed(client.local, change);
        if origin.is_none() {
            // We have no other address: RFC 5780 §6.1 answers as if the attribute were unknown.
            unknown.push(ChangeRequest::TYPE);
        }
        let origin = origin.unwrap_or(client.local);
        let room = budget(client, request.bytes().len());
        if !unknown.is_empty() {
            return self.answer_unknown(client, request, &unknown, room);
        }
        let padding = udp && request.has::<Padding>();
        if padding && port.is_some() {
            return self.refuse_unproven(client, request, 400);
        }
        let mut reply_to = Client { local: origin, ..*client };
        if let (Some(port), true) = (port, udp) {
            // The same address, so that nobody else can be made to receive this.
            reply_to.remote.set_port(port.0);
        }
        let other = self.config.discovery.other(client.local).filter(|_| udp);
        let compared = udp && self.config.discovery.ports.is_some();
        self.counters.bindings += 1;
        self.answer(reply_to, Class::Success, request, |writer| {
            writer.add(&XorMappedAddress(client.remote));
            // What still fits into an unproven sender's share, the more useful first.
            let size = if client.remote.is_ipv4() { 12 } else { 24 };
            let fingerprint = if request.has_fingerprint() { 8 } else { 0 };
            let fits = |writer: &Writer<'_>, more: usize| writer.len() + more + fingerprint <= room;
            if let Some(other) = other {
                if fits(writer, size) {
                    writer.add(&OtherAddress(other));
                }
                if fits(writer, size) {
                    writer.add(&ResponseOrigin(origin));
                }
            }
            // Shows who compares the two whether something on the way rewrites addresses (RFC 5780 §3.6).
            if compared && fits(writer, size) {
                writer.add(&MappedAddress(client.remote));
            }
            if padding && fits(writer, 4) {
                let left = (room - writer.len() - fingerprint - 4) / 4 * 4;
                writer.add(&Padding(u16::try_from(left).unwrap_or(u16::MAX).min(MAX_PADDING)));
            }
            if fingerprint != 0 && writer.len() + fingerprint <= room {
                writer.fingerprint();
            }
        })
    }

    fn answer_unknown(
        &mut self,
        client: &Client,
        request: &Message<'_>,
        unknown: &[u16],
        room: usize,
    ) -> Result<(), Fault> {
        let unknown: UnknownAttributes = unknown.iter().copied().collect();
        // Header, ERROR-CODE without a phrase, UNKNOWN-ATTRIBUTES.
        let least = 20 + 8 + 4 + (2 * unknown.kinds().len()).next_multiple_of(4);
        if least > room {
            return Err(Fault::AnswerTooLarge);
        }
        self.counters.count_error(420);
        let phrase = error(420).reason;
        let phrase = if least + phrase.len().next_multiple_of(4) <= room { phrase } else { "" };
        self.answer(*client, Class::Error, request, |writer| {
            writer.add(&ErrorCode::new(420, phrase)).add(&unknown);
        })
    }
}
