//! What rides along in checks and their answers: a place for draft-hancke-webrtc-sped (DTLS in STUN), which
//! the caller does. To the agent it is bytes under a number.

use stun::{Message, Writer};

use super::{Agent, Event, Fault};
use crate::limits;

/// The attributes that checks and successful answers carry.
#[derive(Debug)]
pub(super) struct Embedding {
    attributes: Vec<Embedded>,
}

#[derive(Debug)]
struct Embedded {
    kind: u16,
    values: Vec<Box<[u8]>>,
    next: usize,
}

impl Embedding {
    /// One value of each attribute, in turn.
    pub(super) fn write(&mut self, writer: &mut Writer<'_>) {
        for attribute in &mut self.attributes {
            let Some(value) = attribute.values.get(attribute.next) else { continue };
            writer.add_raw(attribute.kind, value);
            attribute.next = (attribute.next + 1) % attribute.values.len();
        }
    }
}

impl Agent {
    /// Puts an attribute into every check and every successful answer from now on, in place of what was
    /// there under this number: one of `values` in each message, in turn. With no values it is left out.
    ///
    /// From the first call on, until [`embed_no_more`](Self::embed_no_more), each check and answer that proves
    /// to be the peer's gives [`Event::Embedded`] with the attributes of these numbers that it carried, the first
    /// [few](limits::EARLY_EMBEDDED). What comes before the peer's description waits for that, as several may have
    /// our offer. An answer is written when it is sent: what is embedded because of a check's event is in the answer
    /// to it.
    ///
    /// `kind` must be one that a receiver need not understand (0x8000 and above); values over
    /// [`EMBEDDED_LEN`](limits::EMBEDDED_LEN) bytes are left out.
    pub fn embed(&mut self, kind: u16, mut values: Vec<Box<[u8]>>) {
        if kind < 0x8000 {
            return;
        }
        values.retain(|value| value.len() <= limits::EMBEDDED_LEN);
        let embedding = self.embedding.get_or_insert_with(|| Box::new(Embedding { attributes: Vec::new() }));
        match embedding.attributes.iter_mut().find(|attribute| attribute.kind == kind) {
            Some(attribute) => (attribute.values, attribute.next) = (values, 0),
            None => embedding.attributes.push(Embedded { kind, values, next: 0 }),
        }
    }

    /// Embeds nothing more, and no longer tells what the peer embeds.
    pub fn embed_no_more(&mut self) {
        self.embedding = None;
    }

    /// Tells what a message carried that was proven to be the peer's.
    pub(super) fn tell_embedded(&mut self, message: &Message<'_>) {
        let carried = self.embedded_in(message);
        self.tell_all_embedded(carried);
    }

    pub(super) fn tell_all_embedded(&mut self, carried: Vec<(u16, Box<[u8]>)>) {
        if self.embedding.is_none() {
            return;
        }
        if self.events.len() >= limits::EVENTS {
            self.counters.count(Fault::EventsFull);
            return;
        }
        self.events.push_back(Event::Embedded(carried));
    }

    /// What a message carries of what is watched: a few attributes at most.
    pub(super) fn embedded_in(&self, message: &Message<'_>) -> Vec<(u16, Box<[u8]>)> {
        let Some(embedding) = &self.embedding else { return Vec::new() };
        let is_watched = |kind| embedding.attributes.iter().any(|attribute| attribute.kind == kind);
        let watched = message.attributes().filter(|attribute| is_watched(attribute.kind));
        let watched = watched.filter(|attribute| attribute.value.len() <= limits::EMBEDDED_LEN);
        let carried = watched.map(|attribute| (attribute.kind, attribute.value.into()));
        carried.take(limits::EARLY_EMBEDDED).collect()
    }
}
