//! What the server prints when it is ready: the addresses that people can open.

use std::{
    io::{IsTerminal, Write as _},
    net::{IpAddr, SocketAddr},
};

use qrcode::{QrCode, render::unicode::Dense1x2};

use super::{Ports, Server};
use crate::{config::Options, tls::local_addresses};

/// Prints to standard output; nobody there to read it is no error.
pub(super) fn print(options: &Options, server: &Server) {
    let mut lines = vec![format!("twocan {} is ready. Open it:", env!("CARGO_PKG_VERSION")), String::new()];
    for address in own_addresses("http", &server.ports.http) {
        lines.push(format!("  on this computer    {address}"));
    }
    let network = network_addresses(options, server);
    for address in &network {
        lines.push(format!("  on your network     {address}"));
    }
    if server.certificate.as_ref().is_some_and(|certificate| certificate.self_made) && !network.is_empty() {
        lines.push("                      (its certificate is self-made: the browser warns once)".to_owned());
    }
    if let Some(services) = relay_services(&server.ports) {
        lines.push(format!("  STUN and TURN at    {services}"));
    }
    if let Some(media) = server.ports.media.first() {
        lines.push(format!("  live streams at     /whip/ROOM in, /whep/ROOM out, UDP {}", media.port()));
    }
    // Not into a log, where others may read it.
    if let Some(token) = server.admin_token.as_ref().filter(|_| std::io::stdout().is_terminal())
        && let Some(address) = own_addresses("http", &server.ports.http).first().or(network.first())
    {
        lines.push(format!("  for you alone       {address}/admin#{token}"));
    }
    lines.push(String::new());
    if std::io::stdout().is_terminal()
        && let Some(code) = network.first().and_then(|address| QrCode::new(address).ok())
    {
        lines.extend(in_black_on_white(&code));
    }
    let _ = writeln!(std::io::stdout().lock(), "{}", lines.join("\n"));
}

/// A link as lines for a phone's camera; none where standard output is no terminal, or the link is too long.
pub(crate) fn qr_code(link: &str) -> Vec<String> {
    let is_shown = std::io::stdout().is_terminal();
    QrCode::new(link).ok().filter(|_| is_shown).map(|code| in_black_on_white(&code)).unwrap_or_default()
}

/// Lines for a terminal of whatever colours: a code in white on black is one that many phones do not read.
fn in_black_on_white(code: &QrCode) -> Vec<String> {
    let image = code.render::<Dense1x2>().quiet_zone(true).build();
    image.lines().map(|line| format!("\x1b[30;107m{line}\x1b[0m")).collect()
}

/// The relay's ports in words.
fn relay_services(ports: &Ports) -> Option<String> {
    let named = [("UDP", &ports.turn_udp), ("TCP", &ports.turn_tcp), ("TLS", &ports.turns)];
    let words: Vec<_> = named
        .iter()
        .filter_map(|(name, addresses)| Some(format!("{name} {}", addresses.first()?.port())))
        .collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// How people call it who sit at this computer.
fn own_addresses(scheme: &str, listening: &[SocketAddr]) -> Vec<String> {
    let mut addresses: Vec<_> = listening
        .iter()
        .map(|address| match address.ip() {
            ip if ip.is_loopback() || ip.is_unspecified() => {
                format!("{scheme}://localhost:{}", address.port())
            }
            _ => format!("{scheme}://{address}"),
        })
        .collect();
    addresses.dedup();
    addresses
}

/// How the others call it.
fn network_addresses(options: &Options, server: &Server) -> Vec<String> {
    if let Some(domain) = options.acme_domain.first() {
        return vec![format!("https://{domain}")];
    }
    let ports: Vec<_> = server.ports.https.iter().filter(|address| address.ip().is_unspecified()).collect();
    let mut reachable: Vec<SocketAddr> = local_addresses()
        .into_iter()
        .filter(|address| matches!(address, IpAddr::V4(_)))
        .chain(options.public_ip.iter().copied())
        .filter_map(|ip| {
            let port = ports.iter().find(|listening| listening.is_ipv4() == ip.is_ipv4())?.port();
            Some(SocketAddr::new(ip, port))
        })
        .collect();
    reachable.extend(server.ports.https.iter().filter(|address| !address.ip().is_unspecified()));
    reachable.dedup();
    reachable.iter().map(|address| format!("https://{address}")).collect()
}
