//! The relay's settings, from the operator's.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    thread,
};

use aws_lc_rs::hmac;
use turn::server::{Config, Discovery, Limits, PeerPolicy, RelayIp};

use crate::{
    clock,
    config::{ConfigError, Options},
    relay::{self, Settings, default_source},
    tls::local_addresses,
};

/// What the relay needs to know of the other parts.
pub(super) struct Surroundings<'a> {
    /// UDP addresses to serve: first the usual ones, then the alternate ones.
    pub(super) listen: Vec<SocketAddr>,
    pub(super) alternate: Vec<SocketAddr>,
    /// Ports of this server, which no client may reach through the relay.
    pub(super) own_ports: Vec<u16>,
    /// Those of them that everybody may, over UDP.
    pub(super) open_ports: Vec<u16>,
    /// For credentials of a short life.
    pub(super) turn_secret: &'a str,
    /// The server's own secret.
    pub(super) secret: &'a [u8],
}

/// Starts the relay's threads.
pub(super) fn start(
    options: &Options,
    surroundings: Surroundings<'_>,
) -> Result<Arc<relay::Handle>, ConfigError> {
    let Surroundings { listen, alternate, own_ports, open_ports, turn_secret, secret } = surroundings;
    let now = clock::now();
    let realm = options.turn_realm.0.as_str();
    let nonce_key = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), b"twocan turn nonces v1");
    let mut nonce_secret = [0; 32];
    nonce_secret.copy_from_slice(nonce_key.as_ref());
    let mut config = Config::new(realm, now.instant, now.unix, nonce_secret)
        .map_err(|error| ConfigError(format!("--turn-realm {realm}: {error}")))?;
    config.credentials.add_secret(turn_secret.as_bytes());
    for user in &options.turn_user {
        let prepared = |text: &str| {
            stun::opaque_string(text).map(std::borrow::Cow::into_owned).map_err(|error| {
                ConfigError(format!("--turn-user {}: {error}: choose other characters", user.name))
            })
        };
        config.credentials.add_user(realm, &prepared(&user.name)?, &prepared(&user.password)?);
    }
    let locals = local_addresses();
    config.relay_ipv4 = relay_ip(options, &locals, false);
    config.relay_ipv6 = relay_ip(options, &locals, true);
    config.fallback = [default_source(false), default_source(true)];
    config.discovery = discovery(&listen, &alternate);
    config.peers = PeerPolicy {
        allowed: options.allow_peer.iter().map(|cidr| cidr.0).collect(),
        own: locals.into_iter().chain(options.public_ip.iter().copied()).collect(),
        own_ports,
        open_ports,
        relay_ports: Some(options.relay_ports.0.clone()),
    };
    let limits = Limits {
        allocations_per_user: options.allocations_per_user as usize,
        allocations_per_address: options.allocations_per_address as usize,
        bandwidth_per_user: Some(options.bandwidth_per_user).filter(|limit| *limit != 0),
        bandwidth_per_address: Some(options.bandwidth_per_address).filter(|limit| *limit != 0),
        ports: options.relay_ports.0.clone(),
        ..Limits::default()
    };
    let cores = || thread::available_parallelism().map_or(1, usize::from);
    let workers = options.workers.map_or_else(cores, usize::from);
    let listen = listen.into_iter().chain(alternate).collect();
    relay::start(Settings { config, limits, listen, workers })
        .map(Arc::new)
        .map_err(|error| ConfigError(error.to_string()))
}

/// Where the operator named a public address: the same here, or behind a 1:1 NAT the one that leads out.
fn relay_ip(options: &Options, locals: &[IpAddr], ipv6: bool) -> Option<RelayIp> {
    let public = options.public_ip.iter().copied().find(|ip| ip.is_ipv6() == ipv6)?;
    let bind = if locals.contains(&public) { public } else { default_source(ipv6)? };
    Some(RelayIp { bind, public })
}

/// Behaviour discovery (RFC 5780) needs two ports, and for all of it two addresses that the operator named
/// one by one.
fn discovery(listen: &[SocketAddr], alternate: &[SocketAddr]) -> Discovery {
    let ports = listen.first().zip(alternate.first()).map(|(first, second)| (first.port(), second.port()));
    let addresses = [false, true]
        .into_iter()
        .filter_map(|ipv6| {
            let mut named =
                listen.iter().map(SocketAddr::ip).filter(|ip| ip.is_ipv6() == ipv6 && !ip.is_unspecified());
            Some((named.next()?, named.next()?))
        })
        .collect();
    Discovery { ports, addresses }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_named_addresses_make_a_pair_for_discovery() {
        let addresses = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>();
        let found = discovery(
            &addresses(&["192.0.2.1:3478", "192.0.2.2:3478", "[2001:db8::1]:3478"]),
            &addresses(&["0.0.0.0:3479"]),
        );
        assert_eq!(found.ports, Some((3478, 3479)));
        assert_eq!(found.addresses, [("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap())]);
        let everywhere = discovery(&addresses(&["0.0.0.0:3478", "[::]:3478"]), &[]);
        assert_eq!(everywhere, Discovery::default());
    }
}
