//! Opening TCP ports, and saying in plain words why one does not open.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs},
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
    let mut opened: Vec<TcpListener> = Vec::new();
    let mut missing = None;
    for mut address in addresses(flag, listen)? {
        // Where the system chooses the port, it chooses one for all of the addresses.
        if let (0, Some(first)) = (address.port(), opened.first()) {
            address.set_port(first.local_addr().map_or(0, |first| first.port()));
        }
        match open(address) {
            Ok(listener) => opened.push(listener),
            Err(error) if is_absent(&error) => missing = Some((address, error)),
            Err(error) => return Err(explain(flag, address, &error)),
        }
    }
    match missing {
        Some((address, error)) if opened.is_empty() => Err(explain(flag, address, &error)),
        _ => Ok(opened),
    }
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
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
pub(crate) fn explain(flag: &str, address: SocketAddr, error: &io::Error) -> ConfigError {
    let next = match error.kind() {
        io::ErrorKind::AddrInUse => "is in use by another program: stop it, or choose another port",
        io::ErrorKind::PermissionDenied => {
            "may not be opened by this user: choose a port over 1023, or give the right (setcap cap_net_bind_service=+ep)"
        }
        io::ErrorKind::AddrNotAvailable => "is not an address of this machine: choose another",
        _ => {
            return ConfigError(format!("{address} cannot be opened: {error}: choose another with --{flag}"));
        }
    };
    ConfigError(format!("{address} {next} with --{flag}, or --{flag} off"))
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
