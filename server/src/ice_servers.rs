//! What a browser is told about our STUN and TURN: addresses that follow the `Host` it asked, and
//! credentials of a short life (draft-uberti-behave-turn-rest-00 §2.2).

use std::{net::IpAddr, time::Duration};

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::signaling::{IceServers, Now};

/// What is served, on which ports, and the secret that the relay shares.
#[derive(Clone)]
pub(crate) struct IceServerIssuer {
    pub(crate) settings: IceSettings,
    key: hmac::Key,
}

/// The ports at which clients reach each service; `None` where it is off.
#[derive(Clone, Debug, Default)]
pub(crate) struct IceSettings {
    /// STUN and TURN over UDP.
    pub(crate) udp: Option<u16>,
    /// Where clients on this computer find the relay.
    pub(crate) loopback_means: Option<IpAddr>,
    /// A second port for STUN, so that a page can compare mappings.
    pub(crate) alternate_udp: Option<u16>,
    /// TURN over TCP.
    pub(crate) tcp: Option<u16>,
    /// TURN over TLS.
    pub(crate) tls: Option<u16>,
    /// Named to clients whose `Host` tells no address.
    pub(crate) public_ip: Option<IpAddr>,
    /// How long credentials are good for.
    pub(crate) life: Duration,
}

/// An `RTCIceServer` (W3C webrtc-pc §4.2.4).
#[derive(Debug, Serialize, PartialEq, Eq)]
pub(crate) struct IceServer {
    urls: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<String>,
}

/// Which ways to the relay there are.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Offers {
    udp: bool,
    tcp: bool,
    tls: bool,
}

impl IceServerIssuer {
    pub(crate) fn new(settings: IceSettings, secret: &[u8]) -> Self {
        Self { settings, key: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret) }
    }

    pub(crate) fn life(&self) -> Duration {
        self.settings.life
    }

    pub(crate) fn offers(&self) -> Offers {
        let IceSettings { udp, tcp, tls, .. } = &self.settings;
        Offers { udp: udp.is_some(), tcp: tcp.is_some(), tls: tls.is_some() }
    }

    /// `host:port` of every STUN port.
    pub(crate) fn stun_addresses(&self, host: &str) -> Vec<String> {
        let Some(host) = self.own_name(host) else { return Vec::new() };
        let ports = [self.settings.udp, self.settings.alternate_udp];
        ports.into_iter().flatten().map(|port| format!("{host}:{port}")).collect()
    }

    /// The list for a client that reached the server under `host`, with credentials of its own: the relay counts
    /// its quotas by their name.
    pub(crate) fn list(&self, host: &str, now: Now) -> Vec<IceServer> {
        let mut name = [0; 8];
        // Without a name of its own a client shares its quota with others, and that is all.
        let _ = aws_lc_rs::rand::fill(&mut name);
        self.list_for(&format!("{:016x}", u64::from_be_bytes(name)), host, now)
    }

    /// The same as values of `Link` headers (RFC 9725 §4.6).
    pub(crate) fn links(&self, host: &str, now: Now) -> Vec<String> {
        let servers = self.list(host, now);
        let link = |server: &IceServer, url: &String| match (&server.username, &server.credential) {
            (Some(username), Some(credential)) => format!(
                "<{url}>; rel=\"ice-server\"; username=\"{username}\"; credential=\"{credential}\"; credential-type=\"password\""
            ),
            _ => format!("<{url}>; rel=\"ice-server\""),
        };
        servers.iter().flat_map(|server| server.urls.iter().map(move |url| link(server, url))).collect()
    }

    fn list_for(&self, user: &str, host: &str, now: Now) -> Vec<IceServer> {
        let mut servers = Vec::new();
        let Some(name) = self.own_name(host) else { return servers };
        let stun = self.stun_addresses(host);
        if !stun.is_empty() {
            let urls = stun.iter().map(|address| format!("stun:{address}")).collect();
            servers.push(IceServer { urls, username: None, credential: None });
        }
        let IceSettings { udp, tcp, tls, .. } = self.settings;
        let turn: Vec<_> = [
            udp.map(|port| format!("turn:{name}:{port}?transport=udp")),
            tcp.map(|port| format!("turn:{name}:{port}?transport=tcp")),
            tls.map(|port| format!("turns:{name}:{port}?transport=tcp")),
        ]
        .into_iter()
        .flatten()
        .collect();
        if !turn.is_empty() {
            let username = format!("{}:{user}", now.unix_seconds() + self.settings.life.as_secs());
            let credential = BASE64.encode(hmac::sign(&self.key, username.as_bytes()));
            servers.push(IceServer { urls: turn, username: Some(username), credential: Some(credential) });
        }
        servers
    }

    /// The name in the `Host`, without its port; an address of our own where that is none, or where it means
    /// this very computer: what is relayed at its loopback address reaches nobody else.
    fn own_name(&self, host: &str) -> Option<String> {
        let name = self.name_in(host);
        let is_loopback = |name: &String| {
            let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
            name == "localhost" || address.is_ok_and(|address| address.is_loopback())
        };
        match self.settings.loopback_means {
            Some(address) if name.as_ref().is_some_and(is_loopback) => Some(in_url(address)),
            _ => name,
        }
    }

    fn name_in(&self, host: &str) -> Option<String> {
        let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, _)) => address.parse::<IpAddr>().ok().map(|_| format!("[{address}]")),
            None => {
                let name = host.split(':').next().unwrap_or_default();
                let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
                (!name.is_empty() && name.len() <= 253 && name.bytes().all(allowed)).then(|| name.to_owned())
            }
        };
        name.or_else(|| self.settings.public_ip.map(in_url))
    }
}

/// An address as it stands in a URL.
fn in_url(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

impl IceServers for IceServerIssuer {
    fn ice_servers(&self, host: &str, now: Now) -> Box<RawValue> {
        // Plain structs into memory cannot fail.
        to_raw_value(&self.list(host, now)).unwrap_or_else(|_| RawValue::NULL.to_owned())
    }
}

#[cfg(test)]
mod tests;
