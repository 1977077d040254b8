//! What this machine is called, and where it is.

use std::net::IpAddr;

/// Addresses of its interfaces by which others may reach it: no loopback and no link-local ones, IPv4
/// first.
pub(crate) fn local_addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let mut addresses: Vec<_> = interfaces
        .into_iter()
        .filter(|interface| !interface.is_loopback() && !interface.is_link_local())
        .map(|interface| interface.ip())
        .collect();
    addresses.sort();
    addresses.dedup();
    addresses
}

/// The host's name, where it is one that a certificate can carry.
pub(crate) fn machine_name() -> Option<String> {
    #[cfg(unix)]
    let name = rustix::system::uname().nodename().to_str().ok()?.to_ascii_lowercase();
    #[cfg(not(unix))]
    let name = std::env::var("COMPUTERNAME").ok()?.to_ascii_lowercase();
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    (name.len() <= 253 && name.split('.').all(label)).then_some(name)
}
