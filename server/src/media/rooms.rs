//! A worker's rooms: who sends, who watches, and what goes from the one to the others.

use std::collections::HashMap;
use std::time::Instant;

use peer::{Codec, Direction, MediaKind, PeerConnection, TransceiverId};
use rtp::PayloadType;
use rtp::extension::ExtensionMap;
use sfu::{Offer, PublicationId, Source, SubscriptionId, Wish};

use super::legs::{Leg, LegId};

/// What is sent into a room.
#[derive(Clone)]
pub(super) struct Published {
    pub(super) kind: MediaKind,
    pub(super) codec: Codec,
    pub(super) publication: PublicationId,
    /// The publisher's transceiver.
    pub(super) transceiver: TransceiverId,
    /// What its header extensions' numbers mean.
    pub(super) extensions: ExtensionMap,
}

/// Where a subscription's packets go.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub(super) leg: LegId,
    pub(super) transceiver: TransceiverId,
    pub(super) payload_type: PayloadType,
}

pub(super) struct Room {
    pub(super) sfu: sfu::Room,
    pub(super) publisher: Option<LegId>,
    pub(super) published: Vec<Published>,
    pub(super) viewers: Vec<LegId>,
    pub(super) targets: HashMap<SubscriptionId, Target>,
}

impl Room {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            sfu: sfu::Room::new(now),
            publisher: None,
            published: Vec::new(),
            viewers: Vec::new(),
            targets: HashMap::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.publisher.is_none() && self.viewers.is_empty()
    }

    /// What is sent, for a viewer to be answered with.
    pub(super) fn codecs(&self) -> Vec<(MediaKind, Codec)> {
        self.published.iter().map(|one| (one.kind, one.codec.clone())).collect()
    }

    /// A publisher's media, as agreed on.
    pub(super) fn publish(&mut self, now: Instant, number: LegId, leg: &mut Leg) {
        self.publisher = Some(number);
        for one in leg.peer.transceivers() {
            let Some(agreement) = one.agreement().filter(|agreement| agreement.direction.receives()) else {
                continue;
            };
            let Some(codec) = agreement.preferred() else { continue };
            let Some(known) = forwarded(&codec.codec) else { continue };
            let (kind, source) = match one.kind() {
                MediaKind::Audio => (MediaKind::Audio, Source::Microphone),
                MediaKind::Video => (MediaKind::Video, Source::Camera),
            };
            let extensions = agreement.extensions;
            let encodings = agreement.receive_rids.len().max(1);
            let offer = Offer { kind, source, codec: known, extensions, encodings };
            // As many as a room has.
            let Ok(publication) = self.sfu.publish(now, leg.participant, offer) else { continue };
            let (codec, transceiver) = (codec.codec.clone(), one.id());
            leg.publications.push((transceiver, publication));
            self.published.push(Published { kind, codec, publication, transceiver, extensions });
        }
    }

    /// A viewer is connected, or somebody has begun to send: what it can take goes to it.
    pub(super) fn subscribe(&mut self, now: Instant, number: LegId, leg: &Leg) {
        let mut left: Vec<&Published> = self.published.iter().collect();
        for one in leg.peer.transceivers().filter(|one| one.current_direction() == Some(Direction::SendOnly))
        {
            let Some(agreement) = one.agreement() else { continue };
            if self.targets.values().any(|target| target.leg == number && target.transceiver == one.id()) {
                continue;
            }
            let found = left.iter().enumerate().find_map(|(at, published)| {
                let codec = agreement.codecs.iter().find(|codec| codec.codec.matches(&published.codec))?;
                (published.kind == one.kind()).then_some((at, codec.send))
            });
            let Some((at, payload_type)) = found else { continue };
            let published = left.remove(at);
            let wish = Wish { size: None, priority: 0, paused: false };
            if let Ok(id) = self.sfu.subscribe(now, leg.participant, published.publication, wish) {
                self.targets.insert(id, Target { leg: number, transceiver: one.id(), payload_type });
            }
        }
    }

    /// Somebody has left.
    pub(super) fn leave(&mut self, now: Instant, number: LegId, leg: &Leg) {
        self.sfu.leave(now, leg.participant);
        self.viewers.retain(|viewer| *viewer != number);
        self.targets.retain(|_, target| target.leg != number);
        if self.publisher == Some(number) {
            self.publisher = None;
            self.published.clear();
            // Nobody sends any more: viewers wait for the next one.
            self.targets.clear();
        }
    }

    /// The subscription that a leg's transceiver sends.
    pub(super) fn subscription(&self, leg: LegId, transceiver: TransceiverId) -> Option<SubscriptionId> {
        let mut all = self.targets.iter();
        all.find(|(_, target)| target.leg == leg && target.transceiver == transceiver).map(|(id, _)| *id)
    }

    pub(super) fn published(&self, publication: PublicationId) -> Option<&Published> {
        self.published.iter().find(|one| one.publication == publication)
    }
}

/// What the forwarder knows a codec as.
fn forwarded(codec: &Codec) -> Option<rtp::codec::Codec> {
    use rtp::codec::Codec as Known;
    let known = [
        ("opus", Known::Opus),
        ("PCMU", Known::Pcmu),
        ("PCMA", Known::Pcma),
        ("G722", Known::G722),
        ("VP8", Known::Vp8),
        ("VP9", Known::Vp9),
        ("H264", Known::H264),
        ("H265", Known::H265),
        ("AV1", Known::Av1),
    ];
    known.into_iter().find(|(name, _)| codec.is(name)).map(|(_, known)| known)
}

/// Whether a connection is of no use any more.
pub(super) fn is_over(peer: &PeerConnection) -> bool {
    use peer::PeerConnectionState::{Closed, Failed};
    matches!(peer.connection_state(), Closed | Failed)
}
