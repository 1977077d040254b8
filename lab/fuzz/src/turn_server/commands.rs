//! What clients, peers and time do to the server.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use arbitrary::Arbitrary;
use stun::client::LongTerm;
use stun::{Class, Message, Method, TransactionId, Writer};
use turn::attribute::{
    AdditionalAddressFamily, ChannelNumberAttribute, Data, DontFragment, EvenPort, Family, Lifetime,
    RequestedAddressFamily, RequestedTransport, XorPeerAddress,
};

#[derive(Arbitrary, Debug)]
pub(super) enum Command {
    Request { from: u8, request: Request },
    Send { from: u8, peer: u8, length: u16 },
    ChannelData { from: u8, channel: u8, length: u16, padded: bool },
    PeerData { relay: u8, peer: u8, length: u16 },
    Icmp { relay: u8, peer: u8, kind: u8, code: u8 },
    Disconnect { from: u8 },
    Wait { seconds: u8 },
    Damaged { from: u8, request: Request, position: u16, value: u8 },
    Noise { from: u8, bytes: Vec<u8> },
}

#[derive(Arbitrary, Debug)]
pub(super) struct Request {
    what: What,
    /// Sent as if nobody had asked for credentials.
    anonymous: bool,
    extras: Vec<Extra>,
}

#[derive(Arbitrary, Debug)]
enum What {
    Allocate,
    Refresh { lifetime: Option<u16> },
    CreatePermission { peer: u8, second: Option<u8> },
    ChannelBind { channel: u8, peer: u8 },
    Binding,
    Other(u16),
}

/// Attributes that may or may not belong there.
#[derive(Arbitrary, Debug)]
enum Extra {
    Lifetime(u32),
    EvenPort(bool),
    Family(bool),
    AdditionalFamily(bool),
    DontFragment,
    Peer(u8),
    Transport(u8),
    Raw(u16, Vec<u8>),
}

/// Peers: public ones, ones of the other family, ones that must never be reached, and our own relayed addresses.
pub(super) fn peer(number: u8) -> SocketAddr {
    let peers = [
        "8.8.8.8:1000",
        "8.8.8.8:2000",
        "9.9.9.9:1000",
        "[2606:4700::1111]:1000",
        "203.0.113.1:50000",
        "203.0.113.1:3478",
        "203.0.113.1:22",
        "127.0.0.1:1000",
        "10.0.0.1:1000",
        "169.254.169.254:80",
        "[::1]:1000",
        "[::ffff:127.0.0.1]:1000",
        "8.8.4.4:0",
        "224.0.0.1:1000",
        "[fe80::1]:1000",
        "0.0.0.0:1000",
    ];
    peers[usize::from(number) % peers.len()].parse().expect("an address")
}

impl Request {
    pub(super) fn anonymous_allocate() -> Self {
        Self { what: What::Allocate, anonymous: true, extras: Vec::new() }
    }

    pub(super) fn write(&self, id: &TransactionId, credentials: &LongTerm) -> Vec<u8> {
        let mut bytes = Vec::new();
        let method = match self.what {
            What::Allocate => Method::ALLOCATE,
            What::Refresh { .. } => Method::REFRESH,
            What::CreatePermission { .. } => Method::CREATE_PERMISSION,
            What::ChannelBind { .. } => Method::CHANNEL_BIND,
            What::Binding => Method::BINDING,
            What::Other(number) => Method::new(number % 0x1000).unwrap_or(Method::BINDING),
        };
        let mut writer = Writer::new(&mut bytes, Class::Request, method, *id);
        match &self.what {
            What::Allocate => {
                writer.add(&RequestedTransport(17));
            }
            What::Refresh { lifetime: Some(seconds) } => {
                writer.add(&Lifetime(Duration::from_secs((*seconds).into())));
            }
            What::CreatePermission { peer: first, second } => {
                writer.add(&XorPeerAddress(peer(*first)));
                if let Some(second) = second {
                    writer.add(&XorPeerAddress(peer(*second)));
                }
            }
            What::ChannelBind { channel, peer: to } => {
                writer.add(&ChannelNumberAttribute(number(*channel))).add(&XorPeerAddress(peer(*to)));
            }
            What::Refresh { lifetime: None } | What::Binding | What::Other(_) => {}
        }
        // A request that fits into a datagram.
        for extra in self.extras.iter().take(8) {
            extra.write(&mut writer);
        }
        if !self.anonymous {
            credentials.sign(&mut writer);
        }
        bytes
    }

    /// Whom a grant of the request lets in: all peers that it names.
    pub(super) fn peers(&self, bytes: &[u8]) -> Vec<IpAddr> {
        let message = Message::parse(bytes).expect("we write messages");
        message.all::<XorPeerAddress>().flatten().map(|peer| peer.0.ip()).collect()
    }
}

impl Extra {
    fn write(&self, writer: &mut Writer<'_>) {
        let family = |ipv6: &bool| if *ipv6 { Family::Ipv6 } else { Family::Ipv4 };
        match self {
            Self::Lifetime(seconds) => writer.add(&Lifetime(Duration::from_secs((*seconds).into()))),
            Self::EvenPort(reserve) => writer.add(&EvenPort { reserve_next: *reserve }),
            Self::Family(ipv6) => writer.add(&RequestedAddressFamily(Some(family(ipv6)))),
            Self::AdditionalFamily(ipv6) => writer.add(&AdditionalAddressFamily(Some(family(ipv6)))),
            Self::DontFragment => writer.add(&DontFragment),
            Self::Peer(number) => writer.add(&XorPeerAddress(peer(*number))),
            Self::Transport(number) => writer.add(&RequestedTransport(*number)),
            Self::Raw(kind, value) => writer.add_raw(*kind, &value[..value.len().min(100)]),
        };
    }
}

pub(super) fn send(id: &TransactionId, peer: SocketAddr, length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    Writer::new(&mut bytes, Class::Indication, Method::SEND, *id)
        .add(&XorPeerAddress(peer))
        .add(&Data(&vec![0; length]));
    bytes
}

pub(super) fn channel_data(channel: u8, length: usize, padded: bool) -> Vec<u8> {
    let mut bytes = number(channel).to_be_bytes().to_vec();
    bytes.extend_from_slice(&(length as u16).to_be_bytes());
    bytes.resize(4 + if padded { length.next_multiple_of(4) } else { length }, 0);
    bytes
}

/// A few channels, and some numbers that are none.
fn number(channel: u8) -> u16 {
    [0x4000, 0x4001, 0x4002, 0x4FFF, 0x5000, 0x3FFF, 0xFFFF][usize::from(channel) % 7]
}
