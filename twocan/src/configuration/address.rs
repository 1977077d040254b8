//! Which addresses of this machine are used, and what they are outside.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// A public address, where a NAT maps address to address and port to the same port (as for machines in many clouds).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExternalAddress {
    /// What the peer is told.
    pub public: IpAddr,
    /// The address of ours behind it; all of its family when `None`.
    pub local: Option<IpAddr>,
    /// Whether it is told in place of the local address, rather than beside it.
    pub replaces: bool,
}

impl ExternalAddress {
    /// In place of every address of its family.
    pub fn replacing(public: IpAddr) -> Self {
        Self { public, local: None, replaces: true }
    }

    /// Beside every address of its family.
    pub fn beside(public: IpAddr) -> Self {
        Self { public, local: None, replaces: false }
    }

    /// Whether it is what this address of ours is outside.
    pub(crate) fn maps(&self, local: IpAddr) -> bool {
        self.public.is_ipv4() == local.is_ipv4() && self.local.is_none_or(|own| own == local)
    }
}

/// Says which addresses of this machine are used, by the name of the interface and the address.
#[derive(Clone)]
pub struct AddressFilter(Arc<Accepts>);

type Accepts = dyn Fn(&str, IpAddr) -> bool + Send + Sync;

impl AddressFilter {
    /// Those for which `accepts` is true. It is called often, and should not wait for anything.
    pub fn new(accepts: impl Fn(&str, IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(accepts))
    }

    /// This address alone.
    pub fn only(address: IpAddr) -> Self {
        Self::new(move |_, other| other == address)
    }

    pub(crate) fn accepts(&self, interface: &str, address: IpAddr) -> bool {
        (self.0)(interface, address)
    }
}

impl fmt::Debug for AddressFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AddressFilter")
    }
}
