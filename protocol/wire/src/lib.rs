//! What every protocol crate says in common: the datagram that a state machine wants sent, a cursor
//! that cannot read past its end, and a hash table with a bound and no order.
//!
//! The lowest room of the house: it depends on nothing of ours, and knows no protocol.

mod reader;
mod table;
mod transmit;

pub use reader::{Reader, Truncated};
pub use table::{Full, Table};
pub use transmit::Transmit;
