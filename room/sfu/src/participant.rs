//! Somebody in a room: what they publish, and what they receive (RFC 7667 §3.7).

use crate::id::{PublicationId, SubscriptionId};
use crate::publication::Source;

/// What is known of them.
#[derive(Debug, Default)]
pub(crate) struct Participant {
    pub(crate) publications: Vec<PublicationId>,
    pub(crate) subscriptions: Vec<(SubscriptionId, PublicationId)>,
    /// Those that are of nothing for now.
    pub(crate) idle: Vec<SubscriptionId>,
    /// What their way from here carries, in bits per second; none: unknown.
    pub(crate) bitrate: Option<u64>,
    /// They get all that they want, and from this estimate on nothing else would be chosen, in bits per second; none: they do
    /// not.
    pub(crate) enough: Option<u64>,
    /// What they were last said to want.
    pub(crate) wants: u64,
    /// What they may not publish, each once.
    pub(crate) may_not: Vec<Source>,
}
