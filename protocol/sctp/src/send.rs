//! Everything on its way out: messages that wait ([`Outbox`]), chunks that are under way ([`Flight`]), and
//! what decides when the next packet goes ([`Sender`]) (RFC 9260 §6.1, §6.3, §7).

mod flight;
mod fragment;
mod message;
mod outbox;
mod scheduler;
mod sender;
mod skip;

pub use message::{Options, Reliability, SendError};
pub(crate) use outbox::Outbox;
pub(crate) use sender::Sender;
