//! From one publication to another, and what is of none for a while (RFC 7667 §3.7): a receiver's stream goes on.

use std::time::Instant;

use super::Room;
use crate::id::{PublicationId, SubscriptionId};
use crate::refused::Refused;
use crate::subscription::Subscription;

impl Room {
    /// Has a subscription be of another publication of the same kind, or of none for now. Its receiver sees one stream
    /// whose numbers and time go on; pictures go on with a key frame of the other publication.
    pub fn switch(
        &mut self,
        now: Instant,
        id: SubscriptionId,
        publication: Option<PublicationId>,
    ) -> Result<(), Refused> {
        let before = *self.subscriptions.get(id.0).ok_or(Refused::UnknownSubscription)?;
        if before == publication {
            return Ok(());
        }
        if publication.is_some_and(|id| self.publications.get(id.0).is_none()) {
            return Err(Refused::UnknownPublication);
        }
        let Some(mut subscription) = self.take(id) else { return Err(Refused::UnknownSubscription) };
        let participant = subscription.participant;
        match publication {
            Some(publication) => {
                subscription.leave_publication();
                if let Some(known) = self.subscriptions.get_mut(id.0) {
                    *known = Some(publication);
                }
                if let Some(receiver) = self.participants.get_mut(participant.0) {
                    receiver.subscriptions.push((id, publication));
                }
                if let Some(source) = self.publications.get_mut(publication.0) {
                    source.put_subscription(subscription);
                }
            }
            None => self.rest(subscription),
        }
        self.allocate(now, participant);
        Ok(())
    }

    /// Takes a subscription from wherever it is; its number stays.
    pub(super) fn take(&mut self, id: SubscriptionId) -> Option<Subscription> {
        let subscription = match *self.subscriptions.get(id.0)? {
            Some(publication) => self.publications.get_mut(publication.0)?.take_subscription(id),
            None => self.idle.remove(&id),
        }?;
        if let Some(receiver) = self.participants.get_mut(subscription.participant.0) {
            receiver.subscriptions.retain(|(one, _)| *one != id);
            receiver.idle.retain(|one| *one != id);
        }
        Some(subscription)
    }

    /// A subscription is of nothing until it is switched.
    pub(super) fn rest(&mut self, mut subscription: Subscription) {
        subscription.leave_publication();
        let (id, participant) = (subscription.id, subscription.participant);
        if let Some(known) = self.subscriptions.get_mut(id.0) {
            *known = None;
        }
        if let Some(receiver) = self.participants.get_mut(participant.0) {
            receiver.subscriptions.retain(|(one, _)| *one != id);
            receiver.idle.push(id);
        }
        self.idle.insert(id, subscription);
    }
}
