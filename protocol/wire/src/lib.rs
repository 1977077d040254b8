//! What every protocol crate says in common: datagrams in and out of a state machine, a cursor
//! that cannot read past its end, a hash table with a bound and no order, a window against replays, and how faults are
//! enumerated.
//!
//! The lowest room of the house: it depends on nothing of ours, and knows no protocol.
//!
//! ```
//! use twocan_wire::{Reader, Truncated};
//!
//! let mut reader = Reader::new(&[0, 7, 1]);
//! assert_eq!(reader.u16(), Ok(7));
//! assert_eq!(reader.u16(), Err(Truncated));
//! assert_eq!(reader.rest(), [1]);
//! ```

mod faults;
mod reader;
mod received;
mod replay;
mod table;
mod transmit;

pub use reader::{Reader, Truncated};
pub use received::Received;
pub use replay::ReplayWindow;
pub use table::{Full, Table};
pub use transmit::Transmit;
