//! What a worker's rooms and legs have become, in signaling's words.

use std::time::Instant;

use peer::MediaKind;
use tokio::sync::mpsc::error::TrySendError;

use super::legs::{LegId, Owner};
use super::rooms::{Published, Room};
use super::worker::Worker;
use crate::conference::{Layer, Notice, Publication, RoomKey, SlotLayer, Why};

impl Worker {
    /// Tells what there is to tell, as far as there is place for it.
    pub(super) fn tell(&mut self, now: Instant) {
        let Some(channel) = self.herald.channel(now) else { return };
        loop {
            match channel.try_reserve() {
                Ok(place) => match self.next_notice(now) {
                    Some(notice) => place.send(notice),
                    None => return,
                },
                Err(TrySendError::Full(())) => return self.herald.block(),
                // Nobody listens any more.
                Err(TrySendError::Closed(())) => while self.next_notice(now).is_some() {},
            }
            if channel.is_closed() {
                return;
            }
        }
    }

    fn next_notice(&mut self, now: Instant) -> Option<Notice> {
        if let Some(notice) = self.herald.next_once() {
            return Some(notice);
        }
        let is_due =
            |due: Option<(&RoomKey, &Instant)>| due.filter(|(_, at)| **at <= now).map(|(key, _)| key.clone());
        if let Some(key) = is_due(self.herald.publications.iter().min_by_key(|(_, at)| **at)) {
            self.herald.publications.remove(&key);
            if let Some(away) = self.rooms.get_mut(&key).and_then(|room| room.away.as_mut()) {
                // The home knows, and tells those who have not been told.
                (away.is_behind, away.has_newcomers) = (true, true);
                return self.next_notice(now);
            }
            let publications = match self.rooms.get_mut(&key) {
                Some(room) => {
                    room.told = Some(now);
                    publications_of(room)
                }
                // There is no such room any more.
                None => Vec::new(),
            };
            return Some(Notice::Publications { room: key, publications });
        }
        while let Some(number) = self.herald.wanted.pop_first() {
            if let Some(notice) = self.wanted_of(number) {
                return Some(notice);
            }
        }
        let due = |worker: &Self| {
            let first = worker.herald.layers.iter().min_by_key(|(_, at)| **at);
            first.filter(|(_, at)| **at <= now).map(|(number, _)| *number)
        };
        while let Some(number) = due(self) {
            self.herald.layers.remove(&number);
            if let Some(notice) = self.layers_of(now, number) {
                return Some(notice);
            }
        }
        let (room, member) = self.herald.speakers.pop_first()?;
        Some(Notice::Speaker { room, member })
    }

    fn wanted_of(&self, number: LegId) -> Option<Notice> {
        let leg = self.legs.get(number)?;
        let joined = leg.member()?;
        let room = self.rooms.get(&leg.room)?;
        let encodings = leg.publications.iter().filter_map(|(transceiver, publication)| {
            let published = room.published(*publication).filter(|one| one.kind == MediaKind::Video)?;
            let mid = leg.peer.transceiver(*transceiver)?.mid()?.into();
            let is_watched = |at| published.wanted.checked_shr(at as u32).unwrap_or(0) & 1 == 1;
            Some((mid, (0..published.encodings).map(is_watched).collect()))
        });
        let encodings: Vec<(Box<str>, Vec<bool>)> = encodings.collect();
        (!encodings.is_empty()).then(|| Notice::Wanted { leg: joined.name.clone(), encodings })
    }

    fn layers_of(&mut self, now: Instant, number: LegId) -> Option<Notice> {
        let leg = self.legs.get_mut(number)?;
        let estimate = leg.peer.target_bitrate();
        let Owner::Member(joined) = &mut leg.owner else { return None };
        let room = self.rooms.get(&leg.room)?;
        let changed = leg.slots.iter_mut().filter_map(|slot| {
            let (layer, why) = slot.news.take()?;
            let publication = slot.publication.and_then(|id| room.published(id)).map(|one| one.name.clone());
            let mid = slot.mid.clone();
            let bitrate = slot.subscription.filter(|_| layer.is_some()).and_then(|id| room.sfu.rate_of(id));
            Some(SlotLayer { mid, publication, layer: layer.map(Layer::from), bitrate, why: why.into() })
        });
        let slots: Vec<SlotLayer> = changed.collect();
        if slots.is_empty() {
            return None;
        }
        joined.told = Some(now);
        Some(Notice::Layers { leg: joined.name.clone(), slots, estimate })
    }
}

fn publications_of(room: &Room) -> Vec<Publication> {
    let member_of = |published: &Published| {
        let mut people = room.people.iter();
        people.find(|person| person.participant == published.participant).and_then(|person| person.member)
    };
    let all = room.published.iter().map(|published| Publication {
        id: published.name.clone(),
        member: member_of(published),
        source: published.source,
        is_audio: published.kind == MediaKind::Audio,
        codec: published.codec.name.clone(),
    });
    all.collect()
}

impl From<sfu::Layer> for Layer {
    fn from(layer: sfu::Layer) -> Self {
        let sfu::Layer { encoding, spatial, temporal } = layer;
        Self { encoding, spatial, temporal }
    }
}

impl From<sfu::Why> for Why {
    fn from(why: sfu::Why) -> Self {
        match why {
            sfu::Why::Wish => Self::Wish,
            sfu::Why::Bandwidth => Self::Bandwidth,
            sfu::Why::Source => Self::Source,
        }
    }
}
