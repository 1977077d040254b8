//! What descriptions do to transceivers (RFC 9429 §4.2.1, §5.7, §5.10, §5.11; W3C webrtc-pc §4.4.1.5).

use std::sync::Arc;

use rtp::Ssrc;
use sdp::attribute::{Direction, Msid};
use sdp::{Media, Section};

use super::sections::{remote_track, says};
use super::{Negotiation, SignalingState};
use crate::description::SdpType;
use crate::limits;
use crate::media::{
    Agreement, BadTransceiver, EncodingInit, MediaKind, Place, Remote, Stopping, Transceiver, TransceiverId,
    TransceiverInit,
};

/// The peer sends, or does not send any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TrackChange {
    Added(TransceiverId),
    Removed(TransceiverId),
}

impl Negotiation {
    /// What has changed since it was asked last.
    pub(crate) fn take_changes(&mut self) -> Vec<TrackChange> {
        std::mem::take(&mut self.changes)
    }

    /// A number for a source, unlike all others here.
    pub(crate) fn free_ssrc(&mut self) -> Ssrc {
        loop {
            self.ssrcs = self.ssrcs.wrapping_add(1);
            let ssrc = Ssrc(spread(self.ssrcs));
            let is_taken = |one: &Transceiver| {
                one.encodings().iter().any(|known| known.ssrc == ssrc || known.retransmission == ssrc)
            };
            if ssrc.0 != 0 && !self.transceivers.iter().any(is_taken) {
                return ssrc;
            }
        }
    }

    /// Goes to another state, and remembers how transceivers were where an exchange begins.
    pub(super) fn enter(&mut self, next: SignalingState) {
        if self.state == SignalingState::Stable
            && next != SignalingState::Stable
            && self.transceivers.iter().next().is_some()
        {
            self.saved = Some(Box::new(self.transceivers.clone()));
        }
        self.state = next;
    }

    /// Our offer counts: its transceivers have their places.
    pub(super) fn take_places(&mut self) {
        for (id, place) in std::mem::take(&mut self.plan) {
            let mut all = self.transceivers.iter_mut();
            if let Some(one) = all.find(|one| one.id() == id && one.place.is_none()) {
                one.place = Some(place);
            }
        }
    }

    /// An offer is taken back: transceivers stand where they stood (RFC 9429 §5.7).
    pub(super) fn take_back(&mut self) {
        let saved = self.saved.take().unwrap_or_default();
        self.transceivers.remove(|one| one.is_of_peer && !one.sends_track && saved.get(one.id()).is_none());
        for one in self.transceivers.iter_mut() {
            let had = one.remote.is_some();
            match saved.get(one.id()) {
                Some(before) => {
                    one.place.clone_from(&before.place);
                    one.agreement.clone_from(&before.agreement);
                    one.remote.clone_from(&before.remote);
                    if one.stopping == Stopping::Done {
                        one.stopping = before.stopping;
                    }
                }
                None => (one.place, one.agreement, one.remote) = (None, None, None),
            }
            match (had, one.remote.is_some()) {
                (true, false) => self.changes.push(TrackChange::Removed(one.id())),
                (false, true) => self.changes.push(TrackChange::Added(one.id())),
                _ => {}
            }
        }
    }

    /// The peer's description counts: its sections have transceivers, and its tracks come or go.
    pub(super) fn hear_sections(&mut self, kind: SdpType) {
        let Some(heard) = self.remote.latest() else { return };
        // For the time of this call: what follows changes what the description is not part of.
        let description = heard.description();
        let used = self.used(kind, &description);
        for (section, is_used) in description.sections().zip(used) {
            let Some(of) = MediaKind::of(section.media) else { continue };
            if !is_used {
                if section.media.is_rejected() {
                    self.end_at(section.index, kind);
                }
                continue;
            }
            if kind == SdpType::Offer && self.transceivers.at(section.index).is_none() {
                self.associate(of, section);
            }
            let Some(one) = self.transceivers.at_mut(section.index) else { continue };
            let track = remote_track(section).map(|(streams, track)| Remote { streams, track });
            match (one.remote.is_some(), track.is_some()) {
                (false, true) => self.changes.push(TrackChange::Added(one.id())),
                (true, false) => self.changes.push(TrackChange::Removed(one.id())),
                _ => {}
            }
            one.remote = track;
        }
    }

    /// A new section of the peer's goes to a transceiver that waits to send a track, or else to a new one.
    fn associate(&mut self, kind: MediaKind, section: Section<'_>) {
        let Some(mid) = section.media.mid().cloned() else { return };
        let place = Place { index: section.index, mid };
        let waits = |one: &&mut Transceiver| {
            one.kind() == kind && one.place.is_none() && one.sends_track && !one.is_ending()
        };
        if let Some(one) = self.transceivers.iter_mut().find(waits) {
            one.place = Some(place);
            return;
        }
        let wanted = section.media.simulcast().map_or(&[][..], |simulcast| &simulcast.recv);
        let named = |stream: &sdp::attribute::SimulcastStream| EncodingInit::named(&stream.first().rid);
        let encodings = wanted.iter().map(named).take(limits::ENCODINGS).collect();
        let init =
            TransceiverInit { direction: Direction::RecvOnly, encodings, ..TransceiverInit::default() };
        let id = self.add_transceiver(kind, init);
        // As many as there may be: the section is rejected then.
        let Ok(id) = id else { return };
        if let Some(one) = self.transceivers.iter_mut().find(|one| one.id() == id) {
            (one.place, one.is_of_peer) = (Some(place), true);
        }
    }

    /// Makes a transceiver.
    pub(crate) fn add_transceiver(
        &mut self,
        kind: MediaKind,
        init: TransceiverInit,
    ) -> Result<TransceiverId, BadTransceiver> {
        let ssrcs: Vec<Ssrc> = (0..2 * init.encodings.len().max(1)).map(|_| self.free_ssrc()).collect();
        let mut ssrcs = ssrcs.into_iter();
        self.transceivers.add(kind, init, || ssrcs.next().unwrap_or_default())
    }

    /// An answer counts, of either side: what both say is agreed on.
    pub(super) fn agree(&mut self, kind: SdpType) {
        let (Some(local), Some(remote)) = (self.local.latest(), self.remote.latest()) else { return };
        let (local, remote) = (local.description(), remote.description());
        for (ours, theirs) in local.sections().zip(remote.sections()) {
            if MediaKind::of(ours.media).is_none() {
                continue;
            }
            if ours.media.is_rejected() || theirs.media.is_rejected() {
                self.end_at(ours.index, kind);
                continue;
            }
            let Some(one) = self.transceivers.at_mut(ours.index) else { continue };
            let agreement = Agreement::of(ours, theirs);
            one.keep_encodings(&agreement.send_rids);
            if !agreement.direction.receives() && one.remote.take().is_some() {
                self.changes.push(TrackChange::Removed(one.id()));
            }
            one.agreement = Some(Arc::new(agreement));
        }
        if kind == SdpType::Answer {
            self.saved = None;
            // Their sections may be used again.
            self.transceivers.remove(Transceiver::is_stopped);
        }
    }

    /// A section was rejected: its transceiver has ended. A provisional answer may yet think better of it.
    fn end_at(&mut self, index: usize, kind: SdpType) {
        if kind == SdpType::Pranswer {
            return;
        }
        let Some(one) = self.transceivers.at_mut(index) else { return };
        one.stopping = Stopping::Done;
        if one.remote.take().is_some() {
            self.changes.push(TrackChange::Removed(one.id()));
        }
    }

    /// Whether the descriptions in force do not say what a transceiver would (W3C webrtc-pc §4.7.3).
    pub(super) fn is_news(&self, one: &Transceiver) -> bool {
        if one.is_ending() {
            return one.stopping == Stopping::Asked;
        }
        let Some(place) = &one.place else { return true };
        let (Some(local), Some(remote)) = (&self.local.current, &self.remote.current) else { return true };
        let (kind, local, remote) = (local.kind, local.description(), remote.description());
        let Some(section) = local.media.get(place.index).filter(|media| !media.is_rejected()) else {
            return true;
        };
        let said = says(Some(&local), place.index);
        let heard = says(Some(&remote), place.index);
        let wanted = one.direction();
        let lacks_streams = wanted.sends() && !names_streams(section, one);
        let (Some(said), Some(heard)) = (said, heard.map(Direction::reversed)) else { return true };
        lacks_streams
            || match kind {
                SdpType::Offer => said != wanted && heard != wanted,
                _ => said != wanted.and(heard),
            }
    }
}

/// Whether a section of ours says the streams that a track belongs to.
fn names_streams(section: &Media, one: &Transceiver) -> bool {
    let said: Vec<&str> = section.msids().filter_map(Msid::stream).map(sdp::Word::as_str).collect();
    // One that does not send as agreed says none.
    !section.direction().unwrap_or_default().sends()
        || (said.len() == one.streams.len() && one.streams.iter().all(|stream| said.contains(&&**stream)))
}

/// A number that looks random, another for each (a Feistel network of three rounds: no two are the same).
fn spread(number: u32) -> u32 {
    let (mut left, mut right) = ((number >> 16) as u16, number as u16);
    for round in [0x9E37_u16, 0x79B9, 0x7F4A] {
        let mixed = right.wrapping_mul(0x6255).rotate_left(5) ^ round;
        (left, right) = (right, left ^ mixed.wrapping_mul(right | 1));
    }
    (u32::from(left) << 16) | u32::from(right)
}
