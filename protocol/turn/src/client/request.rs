//! What a TURN client asks (RFC 8656 §7.1, §8.1, §10.1, §12.1).

use std::net::SocketAddr;
use std::time::Duration;

use stun::{Method, Writer};

use super::Families;
use crate::attribute::{
    AdditionalAddressFamily, ChannelNumberAttribute, Family, KNOWN, Lifetime, RequestedAddressFamily,
    RequestedTransport, XorPeerAddress,
};
use crate::channel::ChannelNumber;

/// A request of the TURN usage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// For relayed addresses.
    Allocate { families: Families, lifetime: Option<Duration> },
    /// For more time, or with zero for the end.
    Refresh { lifetime: Option<Duration> },
    /// So that these may send to us.
    CreatePermission { peers: Vec<SocketAddr> },
    /// Four bytes of overhead instead of 36.
    ChannelBind { number: ChannelNumber, peer: SocketAddr },
}

impl stun::client::Request for Request {
    fn method(&self) -> Method {
        match self {
            Self::Allocate { .. } => Method::ALLOCATE,
            Self::Refresh { .. } => Method::REFRESH,
            Self::CreatePermission { .. } => Method::CREATE_PERMISSION,
            Self::ChannelBind { .. } => Method::CHANNEL_BIND,
        }
    }

    fn write(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Allocate { families, lifetime } => {
                writer.add(&RequestedTransport::UDP);
                match families {
                    // What a server gives that is not asked for a family.
                    Families::Ipv4 => {}
                    Families::Ipv6 => {
                        writer.add(&RequestedAddressFamily(Some(Family::Ipv6)));
                    }
                    Families::Both => {
                        writer.add(&AdditionalAddressFamily(Some(Family::Ipv6)));
                    }
                }
                if let Some(lifetime) = lifetime {
                    writer.add(&Lifetime(*lifetime));
                }
            }
            Self::Refresh { lifetime } => {
                if let Some(lifetime) = lifetime {
                    writer.add(&Lifetime(*lifetime));
                }
            }
            Self::CreatePermission { peers } => {
                for peer in peers {
                    writer.add(&XorPeerAddress(*peer));
                }
            }
            Self::ChannelBind { number, peer } => {
                writer.add(&ChannelNumberAttribute::from(*number)).add(&XorPeerAddress(*peer));
            }
        }
    }

    fn known(&self) -> &[u16] {
        KNOWN
    }
}
