//! Whose voices are forwarded where there are more of them than anybody follows: the loudest few, by the levels that senders
//! measure (RFC 6464 §5), so that nothing is decoded (RFC 7667 §3.7).
//!
//! There are so many places. Who has one is forwarded; who has none is left out until they are louder than the quietest of
//! those who do. A level counts at once and falls slowly: the first syllable of whoever begins to speak takes a place with the
//! very packet that brings it, and a pause between two words loses none.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use crate::id::{ParticipantId, PublicationId};

/// Who has a place falls by so many decibels in a second: within one, speech that pauses has fallen to what rooms and
/// microphones make of noise, which is some 30 dB below.
const FALL: u32 = 30;

/// Who has none must be louder by so many decibels: twice the amplitude, more than noise goes up and down by.
const LOUDER: u32 = 6;

/// A place that was taken is kept for so long, which is longer than a syllable, unless nothing is heard there; and who has not
/// been heard for so long, which is longer than the pause between two words, is silent.
const HANGOVER: Duration = Duration::from_millis(300);

/// Parts of a decibel: what falls by so many decibels in a second falls by as many of these in a millisecond.
const DECIBEL: u32 = 1000;

/// The voices that are forwarded.
#[derive(Debug, Default)]
pub(crate) struct Voices {
    /// How many at most; none: all.
    most: Option<NonZeroUsize>,
    /// No more than that, and none twice.
    places: Vec<Place>,
    pub(crate) left_out: u64,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    publication: PublicationId,
    owner: ParticipantId,
    since: Instant,
    /// When there was a voice in it last, and how loud it was then by what had come: parts of a decibel above silence.
    heard: Instant,
    loudness: u32,
}

impl Voices {
    pub(crate) fn set_most(&mut self, most: Option<NonZeroUsize>) {
        self.most = most;
        self.places.truncate(most.map_or(0, NonZeroUsize::get));
    }

    /// Whether a packet of somebody's voice is forwarded, which is so many decibels above silence; 0: there is no voice in it.
    pub(crate) fn admit(
        &mut self,
        now: Instant,
        publication: PublicationId,
        owner: ParticipantId,
        decibels: u32,
    ) -> bool {
        let Some(most) = self.most else { return true };
        if let Some(place) = self.places.iter_mut().find(|place| place.publication == publication) {
            place.hear(now, decibels);
            return true;
        }
        let own = Place { publication, owner, since: now, heard: now, loudness: decibels * DECIBEL };
        if self.places.len() < most.get() {
            self.places.push(own);
            return true;
        }
        let admitted = decibels > 0 && self.take_place(now, own);
        self.left_out += u64::from(!admitted);
        admitted
    }

    /// Takes the quietest place from whoever has it, if they are to give way.
    fn take_place(&mut self, now: Instant, own: Place) -> bool {
        // Somebody may have several microphones, but a second place only as long as nobody wants it who has none.
        let has_one = self.places.iter().any(|place| place.owner == own.owner);
        let mut quietest: Option<(usize, u32)> = None;
        for (at, place) in self.places.iter().enumerate() {
            let is_second = self.places.iter().take(at).any(|first| first.owner == place.owner);
            let loudness = if is_second { 0 } else { place.loudness(now) };
            let is_held = loudness > 0 && passed(place.since, now) < HANGOVER;
            let may_go = !is_held && (!has_one || place.owner == own.owner);
            if may_go && quietest.is_none_or(|(_, least)| loudness < least) {
                quietest = Some((at, loudness));
            }
        }
        let gives_way = |least: u32| least == 0 || own.loudness >= least + LOUDER * DECIBEL;
        let Some((at, _)) = quietest.filter(|(_, least)| gives_way(*least)) else { return false };
        self.places[at] = own;
        true
    }

    /// Whether somebody has a place, or needs none.
    pub(crate) fn has(&self, publication: PublicationId) -> bool {
        self.most.is_none() || self.places.iter().any(|place| place.publication == publication)
    }

    /// Nothing is forwarded of it for now.
    pub(crate) fn forget(&mut self, publication: PublicationId) {
        self.places.retain(|place| place.publication != publication);
    }
}

impl Place {
    fn hear(&mut self, now: Instant, decibels: u32) {
        if decibels > 0 {
            self.loudness = self.fallen(now).max(decibels * DECIBEL);
            self.heard = self.heard.max(now);
        }
    }

    /// Parts of a decibel above silence; 0: it is silent.
    fn loudness(&self, now: Instant) -> u32 {
        if passed(self.heard, now) < HANGOVER { self.fallen(now) } else { 0 }
    }

    fn fallen(&self, now: Instant) -> u32 {
        let time = u32::try_from(passed(self.heard, now).as_millis()).unwrap_or(u32::MAX);
        self.loudness.saturating_sub(time.saturating_mul(FALL))
    }
}

fn passed(since: Instant, now: Instant) -> Duration {
    now.saturating_duration_since(since)
}

#[cfg(test)]
mod tests;
