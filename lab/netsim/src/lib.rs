//! Networks that are simulated: seeded links and NATs in virtual time.
//!
//! A [`Network`] has hosts, each with a way to the internet: a [`Link`] up and one down (rate, buffer, delay, jitter,
//! loss, duplication, reordering, MTU, outages), and perhaps a [`Nat`] in between, and perhaps a carrier's NAT
//! that several homes share. Datagrams go in with [`Network::send`] and come out of [`Network::receive`] when their time
//! has come; nothing happens by itself and no clock is read, so the same seed gives the same network, and an hour
//! takes a moment.
//!
//! ```
//! use std::time::{Duration, Instant};
//!
//! use twocan_netsim::{Home, Link, Nat, Network};
//!
//! let start = Instant::now();
//! let mut network = Network::new(7, start);
//! let server = network.host(Home::public("203.0.113.1"));
//! let ada = network.host(Home::behind(Nat::PORT_RESTRICTED, "198.51.100.1", "192.168.1.2")
//!     .link(Link::of(Duration::from_millis(10))));
//!
//! network.send(start, ada, "192.168.1.2:5000".parse().unwrap(), "203.0.113.1:3478".parse().unwrap(), b"hello");
//! let at = network.next_arrival().unwrap();
//! assert_eq!(at, start + Duration::from_millis(10));
//! let arrived = network.receive(at).unwrap();
//! assert_eq!((arrived.host, arrived.bytes.as_slice()), (server, &b"hello"[..]));
//! // The server sees the NAT's address, not the host's.
//! assert_eq!(arrived.source.ip(), "198.51.100.1".parse::<std::net::IpAddr>().unwrap());
//! ```

mod home;
mod link;
mod loss;
mod nat;
mod network;
mod random;

pub use home::Home;
pub use link::{Link, Outage};
pub use loss::Loss;
pub use nat::{Depends, Nat};
pub use network::{Arrival, Counters, HostId, Network};
