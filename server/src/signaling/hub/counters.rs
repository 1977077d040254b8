//! What the hub counts, for `/metrics`.

use std::collections::BTreeMap;

use crate::signaling::error::ErrorCode;

/// Totals since the start, and present numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) connections_total: u64,
    pub(crate) messages_received: u64,
    pub(crate) messages_sent: u64,
    pub(crate) joined: u64,
    /// Sessions that went on after a dropped connection.
    pub(crate) resumed: u64,
    /// Peers that came back with a genuine token to a session that was gone.
    pub(crate) returned: u64,
    pub(crate) matches: u64,
    /// Sessions whose grace time ran out.
    pub(crate) lost: u64,
    pub(crate) dropped_slow: u64,
    pub(crate) dropped_abusive: u64,
    pub(crate) dropped_idle: u64,
    errors: BTreeMap<ErrorCode, u64>,
    pub(crate) connections: usize,
    pub(crate) sessions: usize,
    pub(crate) rooms: usize,
    pub(crate) waiting: usize,
}

impl Counters {
    pub(super) fn count_error(&mut self, code: ErrorCode) {
        *self.errors.entry(code).or_default() += 1;
    }

    /// Every error code with how often it was sent, zeros included.
    pub(crate) fn errors(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        ErrorCode::ALL.iter().map(|code| (code.as_str(), self.errors.get(code).copied().unwrap_or(0)))
    }
}
