//! Opening TCP ports, finding out whether UDP ports can be opened, and saying in plain words why one cannot.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket},
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

use crate::config::{ConfigError, Listen};

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1_024;

/// The addresses that `listen` stands for. `flag` is named in the error.
pub(crate) fn addresses(flag: &str, listen: &Listen) -> Result<Vec<SocketAddr>, ConfigError> {
    match listen {
        Listen::Off => Ok(Vec::new()),
        Listen::Everywhere(port) => Ok(vec![
            SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), *port),
            SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), *port),
        ]),
        Listen::At(host, port) => {
            let mut found: Vec<_> = (host.as_str(), *port)
                .to_socket_addrs()
                .map_err(|_| {
                    ConfigError(format!("--{flag} {listen}: this machine knows no address for {host}"))
                })?
                .collect();
            if host == "localhost" {
                // Both, whatever the hosts file says: browsers try either first.
                found.push((Ipv4Addr::LOCALHOST, *port).into());
                found.push((Ipv6Addr::LOCALHOST, *port).into());
            }
            found.sort_by_key(|address| (address.is_ipv6(), *address));
            found.dedup();
            Ok(found)
        }
    }
}

/// Opens TCP at all of these addresses. An address family or address that this machine has not is left
/// out as long as another one works.
pub(crate) fn tcp(flag: &str, listen: &Listen) -> Result<Vec<TcpListener>, ConfigError> {
    let opened = each(addresses(flag, listen)?, open_tcp, TcpListener::local_addr);
    opened.map_err(|(address, error)| explain(flag, "", address, &error))
}

/// Opens TCP where media is received over UDP.
pub(crate) fn tcp_at(addresses: Vec<SocketAddr>) -> Result<Vec<TcpListener>, ConfigError> {
    let opened = each(addresses, open_tcp, TcpListener::local_addr);
    opened.map_err(|(address, error)| explain("media", "TCP ", address, &error))
}

/// Where UDP can be opened at these addresses, with the port that the system chose where it is to. The relay's
/// workers share their ports (SO_REUSEPORT), and would share them with another program as well without noticing:
/// so each is opened here by itself first. What is returned holds the ports until it is dropped.
pub(crate) fn udp(flag: &str, addresses: Vec<SocketAddr>) -> Result<Vec<UdpSocket>, ConfigError> {
    each(addresses, open_udp, UdpSocket::local_addr)
        .map_err(|(address, error)| explain(flag, "UDP ", address, &error))
}

/// Opens every address that exists. Where the system chooses the port, it chooses one for all of them.
fn each<S>(
    addresses: Vec<SocketAddr>,
    open: fn(SocketAddr) -> io::Result<S>,
    local: fn(&S) -> io::Result<SocketAddr>,
) -> Result<Vec<S>, (SocketAddr, io::Error)> {
    let mut opened: Vec<S> = Vec::new();
    let mut missing = None;
    for mut address in addresses {
        if let (0, Some(first)) = (address.port(), opened.first()) {
            address.set_port(local(first).map_or(0, |first| first.port()));
        }
        match open(address) {
            Ok(socket) => opened.push(socket),
            Err(error) if is_absent(&error) => missing = Some((address, error)),
            Err(error) => return Err((address, error)),
        }
    }
    match missing {
        Some(missing) if opened.is_empty() => Err(missing),
        _ => Ok(opened),
    }
}

fn open_udp(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    Ok(socket.into())
}

fn open_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // So that a restarted server gets its port back at once.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Whether the address does not exist here, as where IPv6 is switched off.
fn is_absent(error: &io::Error) -> bool {
    let unsupported = matches!(error.raw_os_error(), Some(97 | 47 | 10047));
    unsupported || error.kind() == io::ErrorKind::AddrNotAvailable
}

/// One line that says what to do.
pub(crate) fn explain(flag: &str, kind: &str, address: SocketAddr, error: &io::Error) -> ConfigError {
    let next = match error.kind() {
        io::ErrorKind::AddrInUse => "is in use by another program: stop it, or choose another port",
        io::ErrorKind::PermissionDenied => {
            "may not be opened by this user: choose a port over 1023, or give the right (setcap cap_net_bind_service=+ep)"
        }
        io::ErrorKind::AddrNotAvailable => "is not an address of this machine: choose another",
        _ => {
            let next = format!("cannot be opened: {error}: choose another with --{flag}");
            return ConfigError(format!("{kind}{address} {next}"));
        }
    };
    ConfigError(format!("{kind}{address} {next} with --{flag}, or --{flag} off"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn localhost_is_both_loopbacks_on_one_port() {
        let opened = tcp("http", &Listen::At("localhost".into(), 0)).unwrap();
        let ports: Vec<_> = opened.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        assert!(!ports.is_empty() && ports.iter().all(|port| *port == ports[0]), "{ports:?}");
    }

    #[tokio::test]
    async fn a_port_in_use_is_told_in_one_line() {
        let first = tcp("http", &Listen::At("127.0.0.1".into(), 0)).unwrap();
        let address = first[0].local_addr().unwrap();
        let line = tcp("http", &Listen::At("127.0.0.1".into(), address.port())).unwrap_err().0;
        assert_eq!(
            line,
            format!(
                "{address} is in use by another program: stop it, or choose another port with --http, or --http off"
            )
        );
    }

    #[tokio::test]
    async fn somebody_elses_address_is_told_too() {
        let line = tcp("https", &Listen::At("192.0.2.1".into(), 0)).unwrap_err().0;
        assert!(line.contains("192.0.2.1:0 is not an address of this machine"), "{line}");
        assert!(tcp("https", &Listen::Off).unwrap().is_empty());
    }
}
