//! Accepting TCP connections: so many from one address, each handed to its own task.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

#[cfg(target_os = "linux")]
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};

/// How long to wait when the system has no file descriptor left.
const OUT_OF_FILES: Duration = Duration::from_millis(100);

/// A client that takes nothing of what it is sent for so long is gone, or means ill: the system ends its connection.
#[cfg(target_os = "linux")]
const SILENCE: Duration = Duration::from_secs(60);

/// Bytes that the system takes for a connection beyond those on their way. By itself it would take megabytes, for a
/// client that reads nothing too.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 128 * 1024;

/// Counts open connections by address, over all listeners.
#[derive(Clone)]
pub(crate) struct AddressLimit {
    most: u32,
    open: Arc<Mutex<HashMap<IpAddr, u32>>>,
}

/// One open connection's place in the count.
pub(crate) struct Place {
    limit: AddressLimit,
    address: IpAddr,
}

impl AddressLimit {
    pub(crate) fn new(most: u32) -> Self {
        Self { most, open: Arc::default() }
    }

    /// `None`: this address has its limit.
    pub(crate) fn take(&self, address: IpAddr) -> Option<Place> {
        let address = client(address);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place { limit: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.limit.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

/// Who an address is: of IPv6 the /64, which a home has to itself.
fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) >> 64 << 64;
            IpAddr::V6(network.into())
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Accepts for as long as the server runs.
pub(crate) async fn accept_all<F>(
    listener: TcpListener,
    limit: AddressLimit,
    handle: impl Fn(TcpStream, SocketAddr) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    loop {
        let (stream, remote) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                if !is_the_clients(&error) {
                    tracing::warn!("cannot accept connections: {error}");
                    tokio::time::sleep(OUT_OF_FILES).await;
                }
                continue;
            }
        };
        let Some(place) = limit.take(remote.ip()) else {
            tracing::debug!(%remote, "refused: too many connections from this address");
            continue;
        };
        // Small messages, each of which somebody waits for.
        let _ = stream.set_nodelay(true);
        #[cfg(target_os = "linux")]
        {
            // Hints, without which it works as well.
            let socket = SockRef::from(&stream);
            let _ = socket.set_tcp_user_timeout(Some(SILENCE));
            let _ = socket.set_tcp_notsent_lowat(UNSENT);
        }
        let work = handle(stream, remote);
        tokio::spawn(async move {
            work.await;
            drop(place);
        });
    }
}

/// A connection that broke while it waited to be accepted.
fn is_the_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_its_limit_and_gets_places_back() {
        let limit = AddressLimit::new(2);
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let first = limit.take(address("192.0.2.1")).unwrap();
        let _second = limit.take(address("::ffff:192.0.2.1")).unwrap();
        assert!(limit.take(address("192.0.2.1")).is_none());
        assert!(limit.take(address("192.0.2.2")).is_some());
        drop(first);
        assert!(limit.take(address("192.0.2.1")).is_some());
    }

    #[test]
    fn a_home_is_one_client_in_ipv6() {
        let limit = AddressLimit::new(1);
        let _one = limit.take("2001:db8:0:1::1".parse().unwrap()).unwrap();
        assert!(limit.take("2001:db8:0:1:ffff::2".parse().unwrap()).is_none());
        assert!(limit.take("2001:db8:0:2::1".parse().unwrap()).is_some());
    }
}
