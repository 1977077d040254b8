//! When layers are chosen, and what is told of it.

use std::time::Instant;

use peer::MediaKind;

use super::Room;
use crate::allocate::{self, Claim, GRACE, Share};
use crate::clock::since;
use crate::event::{Event, Why};
use crate::id::{ParticipantId, PublicationId, SubscriptionId};
use crate::levels::useful;
use crate::limits::ALLOCATION_PERIOD;
use crate::subscription::Subscription;

/// What a receiver wants is told when it has changed by a tenth.
const CHANGE: u64 = 10;

impl Room {
    /// Chooses what a receiver gets.
    pub(super) fn allocate(&mut self, now: Instant, id: ParticipantId) {
        self.share_out(now, id);
        let Some(participant) = self.participants.get(id.0) else { return };
        // Estimates change often, and what they lead to seldom does.
        let has_news = |(subscription, publication): &(SubscriptionId, PublicationId)| {
            let source = self.publications.get(publication.0);
            source.and_then(|source| source.subscription(*subscription)).is_some_and(Subscription::has_news)
        };
        let changed: Vec<_> = participant.subscriptions.iter().copied().filter(has_news).collect();
        for (_, publication) in changed {
            self.changed(now, publication, false);
        }
    }

    /// Measures what comes, and chooses anew for everybody.
    pub(super) fn allocate_all(&mut self, now: Instant) {
        let elapsed = since(self.began, now);
        self.publications.iter_mut().for_each(|(_, publication)| publication.measure(now, elapsed));
        self.listen(now);
        for id in self.participants.numbers() {
            self.share_out(now, ParticipantId(id));
        }
        for id in self.publications.numbers() {
            self.changed(now, PublicationId(id), true);
        }
        self.allocation = (!self.publications.is_empty()).then_some(now + ALLOCATION_PERIOD);
    }

    fn share_out(&mut self, now: Instant, id: ParticipantId) {
        let Some(participant) = self.participants.get(id.0) else { return };
        let (mut sound, mut wants) = (0_u64, 0_u64);
        let mut others: Vec<(SubscriptionId, PublicationId, Option<Why>)> = Vec::new();
        let mut owners = Vec::new();
        let mut claims = Vec::new();
        for &(subscription, publication) in &participant.subscriptions {
            let Some(source) = self.publications.get(publication.0) else { continue };
            let Some(known) = source.subscription(subscription) else { continue };
            let wish = known.wish;
            let paused = match () {
                () if wish.paused => Some(Why::Wish),
                () if source.is_silent() => Some(Why::Source),
                () => None,
            };
            if source.offer.kind == MediaKind::Audio || paused.is_some() {
                others.push((subscription, publication, paused));
                if paused.is_none() && source.is_among(&self.voices, publication) {
                    sound = sound.saturating_add(source.levels.first().map_or(0, |level| level.rate));
                }
                continue;
            }
            let count = useful(&source.levels, wish.size);
            let levels = source.levels.get(..count).unwrap_or_default();
            wants = wants.saturating_add(levels.last().map_or(0, |level| level.rate));
            let has = known.ideal.is_some();
            let is_young = known.began.is_none_or(|began| now.saturating_duration_since(began) < GRACE);
            claims.push(Claim { levels, is_all: count == source.levels.len(), wish, has, is_young });
            owners.push((subscription, publication));
        }
        let enough = allocate::with_margin(wants).saturating_add(sound);
        let mut is_settled = true;
        let bitrate = participant.bitrate.map(|all| all.saturating_sub(sound));
        let shares = allocate::share(bitrate, &claims);
        let layers: Vec<_> = claims.iter().zip(shares).map(|(claim, share)| chosen(claim, share)).collect();
        self.tell_wants(id, allocate::with_margin(wants.saturating_add(sound)));
        for ((subscription, publication), choice) in owners.into_iter().zip(layers) {
            if let Some(source) = self.publications.get_mut(publication.0) {
                let (levels, subscriptions) = (&source.levels, &mut source.subscriptions);
                if let Ok(at) = subscriptions.binary_search_by_key(&subscription, |one| one.id) {
                    let levels = levels.get(..choice.count).unwrap_or_default();
                    allocate::grant(now, &mut subscriptions[at], (levels, choice.is_all), choice.share);
                    is_settled &= subscriptions[at].ideal == levels.last().map(|level| level.layer);
                }
            }
        }
        for (subscription, publication, paused) in others {
            let source = self.publications.get_mut(publication.0);
            let Some(subscription) = source.and_then(|source| source.subscription_mut(subscription)) else {
                continue;
            };
            match paused {
                Some(why) => allocate::pause(subscription, why),
                None => allocate::pass(subscription),
            }
        }
        if let Some(participant) = self.participants.get_mut(id.0) {
            participant.enough = is_settled.then_some(enough);
        }
    }

    fn tell_wants(&mut self, id: ParticipantId, bits_per_second: u64) {
        let Some(participant) = self.participants.get_mut(id.0) else { return };
        if participant.wants.abs_diff(bits_per_second) > participant.wants / CHANGE {
            participant.wants = bits_per_second;
            self.events.push_back(Event::WantsBitrate { participant: id, bits_per_second });
        }
    }
}

/// A share without what it was made of.
struct Choice {
    count: usize,
    is_all: bool,
    share: Share,
}

fn chosen(claim: &Claim<'_>, share: Share) -> Choice {
    Choice { count: claim.levels.len(), is_all: claim.is_all, share }
}
