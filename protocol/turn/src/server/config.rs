//! What an operator decides, within what RFC 8656 leaves open (§5, §7.2, §21.3).

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use stun::nonce::SecurityFeatures;

use super::{Credentials, Discovery, PeerPolicy};
use crate::attribute::Family;

/// The longest realm, in bytes: a longer one would make the answer to a bare Allocate request more than
/// one and a half times as large as the request.
pub const MAX_REALM_LEN: usize = 12;

/// Where relayed addresses of one family lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelayIp {
    /// The local address that relay sockets bind.
    pub bind: IpAddr,
    /// The address that clients are told; differs behind a 1:1 NAT.
    pub public: IpAddr,
}

/// Where clients are sent instead (error 300, RFC 8489 §10).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alternate {
    /// For clients that came over IPv4.
    pub ipv4: Option<SocketAddr>,
    /// For clients that came over IPv6.
    pub ipv6: Option<SocketAddr>,
    /// The name on the other server's certificate.
    pub domain: Option<String>,
}

impl Alternate {
    pub(super) fn of(&self, family: Family) -> Option<SocketAddr> {
        match family {
            Family::Ipv4 => self.ipv4,
            Family::Ipv6 => self.ipv6,
        }
    }
}

/// The settings of a [`Server`](super::Server).
#[derive(Debug)]
pub struct Config {
    pub(super) realm: String,
    pub(super) secret: [u8; 32],
    /// An instant and the Unix time (since 1970) at it: ephemeral user names carry Unix time.
    pub(super) epoch: (Instant, Duration),
    /// Who may allocate.
    pub credentials: Credentials,
    /// Which peers may be spoken to.
    pub peers: PeerPolicy,
    /// Relayed IPv4 addresses; `None`: the address that the client spoke to, if it is IPv4.
    pub relay_ipv4: Option<RelayIp>,
    /// Relayed IPv6 addresses; `None`: the address that the client spoke to, if it is IPv6.
    pub relay_ipv6: Option<RelayIp>,
    /// Relayed addresses of the family that the client did not come over, where the two fields above do
    /// not say: IPv4, IPv6.
    pub fallback: [Option<IpAddr>; 2],
    /// How long an allocation lives unless the client asks for more: 600 s (RFC 8656 §3.2).
    pub default_lifetime: Duration,
    /// The most that a client can ask for: 3,600 s (RFC 8656 §7.2).
    pub max_lifetime: Duration,
    /// How long a nonce is good: 600 s; at most 3,600 s (RFC 8656 §5).
    pub nonce_lifetime: Duration,
    /// The name in SOFTWARE; empty: none.
    pub software: String,
    /// Whether DONT-FRAGMENT can be honoured by the caller's sockets.
    pub dont_fragment: bool,
    /// Other addresses and ports of ours, for behaviour discovery.
    pub discovery: Discovery,
    /// Sends everyone who asks for an allocation elsewhere.
    pub alternate: Option<Alternate>,
}

/// Why a configuration cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// The realm is empty.
    EmptyRealm,
    /// The realm is longer than 12 bytes.
    RealmTooLong,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EmptyRealm => "the realm is empty; leave it out to get the default",
            Self::RealmTooLong => {
                "the realm is longer than 12 bytes and would not fit into an unamplified answer; choose a shorter one"
            }
        })
    }
}

impl Error for ConfigError {}

impl Config {
    /// Defaults with nobody allowed in yet. `unix` is the Unix time at `now`; `secret` is random and
    /// the same for all servers that share a ledger.
    pub fn new(realm: &str, now: Instant, unix: Duration, secret: [u8; 32]) -> Result<Self, ConfigError> {
        if realm.is_empty() {
            return Err(ConfigError::EmptyRealm);
        }
        if realm.len() > MAX_REALM_LEN {
            return Err(ConfigError::RealmTooLong);
        }
        Ok(Self {
            realm: realm.to_owned(),
            secret,
            epoch: (now, unix),
            credentials: Credentials::default(),
            peers: PeerPolicy::default(),
            relay_ipv4: None,
            relay_ipv6: None,
            fallback: [None, None],
            default_lifetime: Duration::from_secs(600),
            max_lifetime: Duration::from_secs(3600),
            nonce_lifetime: Duration::from_secs(600),
            software: String::from("twocan"),
            dont_fragment: true,
            discovery: Discovery::default(),
            alternate: None,
        })
    }

    /// Whose users they are.
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// Unix time at `now`.
    pub(super) fn unix(&self, now: Instant) -> Duration {
        self.epoch.1 + now.saturating_duration_since(self.epoch.0)
    }

    /// What the nonce cookie says of us (RFC 8489 §18.1).
    pub(super) fn features(&self) -> SecurityFeatures {
        SecurityFeatures {
            password_algorithms: true,
            username_anonymity: self.credentials.can_resolve_hashes(),
        }
    }

    /// Where a relayed address of `family` lies for a client that spoke to `local`.
    pub(super) fn relay_ip(&self, family: Family, local: IpAddr) -> Option<RelayIp> {
        let fixed = match family {
            Family::Ipv4 => self.relay_ipv4,
            Family::Ipv6 => self.relay_ipv6,
        };
        let found = if Family::of(local) == family {
            Some(local)
        } else if local.is_loopback() {
            // Who came from this host is relayed on this host.
            Some(match family {
                Family::Ipv4 => IpAddr::V4(Ipv4Addr::LOCALHOST),
                Family::Ipv6 => IpAddr::V6(Ipv6Addr::LOCALHOST),
            })
        } else {
            self.fallback[usize::from(family == Family::Ipv6)]
        };
        fixed.or(found.map(|ip| RelayIp { bind: ip, public: ip }))
    }

    /// RFC 8656 §7.2: what is asked for, but no less than the default and no more than the maximum.
    pub(super) fn lifetime(&self, asked: Option<Duration>) -> Duration {
        asked.map_or(self.default_lifetime, |asked| asked.min(self.max_lifetime).max(self.default_lifetime))
    }
}
