//! What the machine answers to what, as exact lists: one behaviour per file, each reading like a table.

use std::time::Instant;

mod allocate;
mod channels;
mod credentials;
mod discovery;
mod dual;
mod errors;
mod identity;
mod limits;
mod model;
mod peers;
mod permissions;
mod ports;
mod refresh;
mod reply;
mod stage;
mod streams;
mod unproven;

/// Where virtual time starts.
pub(super) fn start() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "any instant will do to count from")]
    Instant::now()
}
