//! What somebody sends into a room, and who watches it (RFC 7667 §3.7).

use std::time::{Duration, Instant};

use peer::{MediaKind, MediaPacket};
use rtp::Header;
use rtp::codec::{Codec, Resolution};
use rtp::extension::{ExtensionMap, LayerSize, VideoLayersAllocation};

use crate::encoding::Encoding;
use crate::event::{Layer, Why};
use crate::fault::Fault;
use crate::id::{ParticipantId, PublicationId, SubscriptionId};
use crate::levels::{self, Level};
use crate::seen::Seen;
use crate::speaker::Voice;
use crate::subscription::Subscription;
use crate::voices::Voices;
use crate::watched::Watched;

/// What a publication is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// Somebody's voice: who is heard there speaks.
    Microphone,
    /// Somebody's face.
    Camera,
    /// Somebody's screen.
    Screen,
    /// Anything else.
    Other,
}

/// What somebody wants to send.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Sound or pictures.
    pub kind: MediaKind,
    /// Of what.
    pub source: Source,
    /// The codec that was agreed on with the sender.
    pub codec: Codec,
    /// The header extensions that were.
    pub extensions: ExtensionMap,
    /// How many simulcast encodings there are, the lowest first: 1 to [`ENCODINGS`](crate::limits::ENCODINGS).
    pub encodings: usize,
}

/// What is known of it.
#[derive(Debug)]
pub(crate) struct Publication {
    pub(crate) owner: ParticipantId,
    pub(crate) offer: Offer,
    pub(crate) encodings: Box<[Encoding]>,
    /// What may be forwarded of it, as it was last measured.
    pub(crate) levels: Vec<Level>,
    watched: Watched,
    pub(crate) voice: Voice,
    /// Nothing of it is forwarded: somebody has it so, or its owner may not publish it any more.
    pub(crate) is_muted: bool,
    pub(crate) is_barred: bool,
    /// Its last packet was left out: others are louder.
    is_left_out: bool,
    /// Encodings that are watched by those who have it of another room: a bit for each.
    pub(crate) elsewhere: u8,
    /// In the order of their ids.
    pub(crate) subscriptions: Vec<Subscription>,
}

impl Publication {
    pub(crate) fn new(owner: ParticipantId, offer: Offer) -> Self {
        let encodings: Box<_> = (0..offer.encodings).map(|_| Encoding::default()).collect();
        let watched = Watched::new(encodings.len());
        Self {
            owner,
            offer,
            encodings,
            levels: Vec::new(),
            watched,
            voice: Voice::default(),
            is_muted: false,
            is_barred: false,
            is_left_out: false,
            elsewhere: 0,
            subscriptions: Vec::new(),
        }
    }

    /// Whether nothing of it is forwarded.
    pub(crate) fn is_silent(&self) -> bool {
        self.is_muted || self.is_barred
    }

    /// Whether who is heard in it speaks.
    pub(crate) fn has_voice(&self) -> bool {
        self.offer.source == Source::Microphone && self.offer.kind == MediaKind::Audio && !self.is_silent()
    }

    /// Looks what comes of it, and how much.
    pub(crate) fn measure(&mut self, now: Instant, since: Duration) {
        let guess = if self.offer.kind == MediaKind::Audio { 0 } else { levels::GUESS };
        levels::measure(now, since, &mut self.encodings, guess, &mut self.levels);
    }

    /// Which encodings somebody watches, where that is news; a bit for each.
    pub(crate) fn watched(&mut self, now: Instant) -> Option<u8> {
        if self.offer.kind == MediaKind::Audio {
            return None;
        }
        let bit = |encoding: Option<usize>| encoding.map_or(0, |at| 1_u8.checked_shl(at as u32).unwrap_or(0));
        let bits = self.subscriptions.iter().fold(self.elsewhere, |bits, one| {
            let ideal = bit(one.ideal.map(|layer| layer.encoding));
            bits | ideal | bit(one.granted.map(|layer| layer.encoding)) | bit(one.encoding())
        });
        self.watched.update(now, bits)
    }

    /// Whether it is among the sounds that are forwarded now: as one of the loudest, or as none that is chosen from.
    pub(crate) fn is_among(&self, voices: &Voices, id: PublicationId) -> bool {
        !self.has_voice() || self.voice.spoken(None).is_none() || voices.has(id)
    }

    /// Reads a packet that came this long after the room began; and who may receive it.
    pub(crate) fn read<'a>(
        &'a mut self,
        since: Duration,
        packet: &'a MediaPacket,
        (id, voices): (PublicationId, &mut Voices),
    ) -> Result<(Seen<'a>, &'a mut [Subscription]), Fault> {
        if self.offer.kind == MediaKind::Video {
            self.learn_sizes(packet);
        }
        let has_voice = self.has_voice();
        let encoding = self.encodings.get_mut(packet.encoding).ok_or(Fault::Encoding)?;
        let seen = encoding.read(since, packet, self.offer.codec, &self.offer.extensions)?;
        if let Some(level) = seen.level {
            self.voice.hear(packet.arrived, level);
        }
        // What comes late takes nobody's place.
        let spoken = self.voice.spoken(seen.level.filter(|_| !seen.is_late)).filter(|_| has_voice);
        let is_left_out =
            spoken.is_some_and(|decibels| !voices.admit(packet.arrived, id, self.owner, decibels));
        if is_left_out && !self.is_left_out {
            self.subscriptions.iter_mut().for_each(Subscription::interrupt);
        }
        self.is_left_out = is_left_out;
        Ok((seen, if is_left_out { &mut [] } else { &mut self.subscriptions }))
    }

    /// A sender may say how large its layers are: H.264 says so nowhere else that is looked at.
    fn learn_sizes(&mut self, packet: &MediaPacket) {
        let header = Header::parse(&packet.bytes).ok();
        let said = header.and_then(|header| header.read::<VideoLayersAllocation>(&self.offer.extensions));
        let Some(said) = said else { return };
        for (stream, spatial, layer) in said.active() {
            let encoding = self.encodings.get_mut(usize::from(stream));
            let size = encoding.and_then(|encoding| encoding.sizes.get_mut(usize::from(spatial)));
            if let Some((size, LayerSize { width, height, .. })) = size.zip(layer.size) {
                *size = Some(Resolution { width, height });
            }
        }
    }

    pub(crate) fn subscription(&self, id: SubscriptionId) -> Option<&Subscription> {
        let at = self.subscriptions.binary_search_by_key(&id, |one| one.id).ok()?;
        self.subscriptions.get(at)
    }

    pub(crate) fn subscription_mut(&mut self, id: SubscriptionId) -> Option<&mut Subscription> {
        let at = self.subscriptions.binary_search_by_key(&id, |one| one.id).ok()?;
        self.subscriptions.get_mut(at)
    }

    /// Puts one into its place.
    pub(crate) fn put_subscription(&mut self, subscription: Subscription) {
        let place = self.subscriptions.partition_point(|one| one.id < subscription.id);
        self.subscriptions.insert(place, subscription);
    }

    pub(crate) fn take_subscription(&mut self, id: SubscriptionId) -> Option<Subscription> {
        let at = self.subscriptions.binary_search_by_key(&id, |one| one.id).ok()?;
        Some(self.subscriptions.remove(at))
    }

    /// What is to be told of its subscriptions, each once.
    pub(crate) fn news(&mut self) -> impl Iterator<Item = (SubscriptionId, Option<Layer>, Why)> {
        let encodings = &self.encodings;
        self.subscriptions.iter_mut().filter(|one| one.has_news()).filter_map(|one| {
            let encoding = one.encoding().and_then(|at| encodings.get(at));
            let highest = encoding.map_or((0, 0), |encoding| (encoding.spatial, encoding.temporal));
            let (layer, why) = one.take_news(highest)?;
            Some((one.id, layer, why))
        })
    }

    /// Does not ask again for key frames of what nobody is given.
    pub(crate) fn forget_key_frames(&mut self) {
        for (at, encoding) in self.encodings.iter_mut().enumerate() {
            let uses = |one: &Subscription| {
                one.encoding() == Some(at) || one.granted.is_some_and(|layer| layer.encoding == at)
            };
            let is_watched = self.elsewhere.checked_shr(at as u32).unwrap_or(0) & 1 == 1;
            if !is_watched && !self.subscriptions.iter().any(uses) {
                encoding.keys.done();
            }
        }
    }

    /// Asks for what its subscriptions wait for.
    pub(crate) fn want_key_frames(&mut self, now: Instant, has_waited: bool) {
        if self.offer.kind == MediaKind::Audio {
            return;
        }
        for subscription in &self.subscriptions {
            let Some(at) = subscription.waits_for(&self.encodings, has_waited) else { continue };
            if let Some(encoding) = self.encodings.get_mut(at) {
                encoding.keys.want(now);
            }
        }
    }
}
