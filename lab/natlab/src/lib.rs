//! Real NATs for tests: an "internet" and clients behind routers of every flavour, each in a Linux network
//! namespace of its own. It stands in `lab/` beside the simulator: slower, but the kernel's own stack, so
//! whole programs (a browser, the server) can be put into it.
//!
//! The flavours are named after RFC 3489 §5, because that is what people say; what they promise is written
//! in the words of RFC 4787 §4.1 (mapping) and §5 (filtering), and `tests/` proves each promise.
//!
//! ```no_run
//! use twocan_natlab::{Lab, Nat};
//!
//! let lab = Lab::new()
//!     .client("ada", Nat::PortRestricted)
//!     .client("bob", Nat::Symmetric.udp_blocked())
//!     .up()?;
//! lab.command("ada", "ping").args(["-c", "1", "203.0.113.1"]).status()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What it cannot do: delay and jitter (they need the kernel's netem, which many kernels lack; the simulator
//! has both), and NAT of IPv6.

mod addresses;
mod error;
mod home;
mod lab;
mod raise;
mod router;
mod running;
mod skip;
mod sweep;
mod tool;

pub use addresses::{SECOND_SERVER, SECOND_SERVER_V6, SERVER, SERVER_V6};
pub use error::Error;
pub use home::{Firewall, Home, Nat};
pub use lab::{Carrier, Lab};
pub use running::{INTERNET, Running};
pub use skip::{Missing, possible, skipped};
