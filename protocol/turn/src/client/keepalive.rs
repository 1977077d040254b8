//! Keeps the way to the server open while nothing else is sent (RFC 8445 §5.1.1.4, §11; RFC 8489 §6.1).

use std::time::{Duration, Instant};

use stun::{Class, Method, TransactionId, Writer};

/// Tr of RFC 8445 §11. A NAT may forget a mapping over UDP after two minutes (RFC 4787 §4.3), and some do earlier.
const INTERVAL: Duration = Duration::from_secs(15);

/// When the next Binding indication is due. It is sent whether or not there is data: one small datagram costs less than
/// looking at each.
#[derive(Debug, Default)]
pub(super) struct Keepalive {
    next: Option<Instant>,
    is_due: bool,
}

impl Keepalive {
    pub(super) fn begin(&mut self, now: Instant) {
        self.next.get_or_insert(now + INTERVAL);
    }

    pub(super) fn end(&mut self) {
        *self = Self::default();
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.next
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.next.is_some_and(|next| next <= now) {
            self.next = Some(now + INTERVAL);
            self.is_due = true;
        }
    }

    /// Appends one if it is due. Nobody answers it.
    pub(super) fn write(&mut self, buffer: &mut Vec<u8>, id: impl FnOnce() -> TransactionId) -> bool {
        let is_due = std::mem::take(&mut self.is_due);
        if is_due {
            Writer::new(buffer, Class::Indication, Method::BINDING, id());
        }
        is_due
    }
}
