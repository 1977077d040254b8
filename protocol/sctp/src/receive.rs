//! Everything on its way in: which TSNs arrived ([`TsnMap`]), messages put together from fragments
//! ([`Inbox`]), and when to acknowledge ([`Acknowledger`]) (RFC 9260 §6.2, §6.5, §6.9).

mod acknowledger;
mod assembly;
mod inbox;
mod ordered;
mod stash;
mod tsn_map;
mod unordered;

pub(crate) use acknowledger::Acknowledger;
pub(crate) use inbox::{Inbox, Incoming, Number, Refusal};
pub(crate) use tsn_map::{Arrival, TsnMap};
