//! Who speaks, by the levels that senders measure (RFC 6464).
//!
//! Levels are smoothed over a good tenth of a second. Who is louder than the one that speaks takes the word, but not
//! sooner than a second after it was last taken; it is lost by two seconds of silence.

use std::time::{Duration, Instant};

use rtp::extension::AudioLevel;

use crate::id::ParticipantId;

/// Decibels above silence (127 below the loudest) that are speech, and by how many another one must be louder.
const SPEECH: u32 = 77;
const LOUDER: u32 = 5;

/// Nobody else is told to speak for so long.
const HOLD: Duration = Duration::from_secs(1);
/// Who is silent for so long does not speak.
const SILENCE: Duration = Duration::from_secs(2);
/// Who sends nothing for so long is silent: silence need not be sent.
const NOTHING: Duration = Duration::from_millis(100);

/// Parts of a decibel that are counted in, and over how many packets it is smoothed.
const UNIT: u32 = 256;
const SMOOTHING: u32 = 8;

/// How loud somebody is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Voice {
    /// Smoothed, in `UNIT`s above silence.
    loudness: u32,
    last: Option<Instant>,
    /// Whether the sender has ever said that there is a voice.
    marks: bool,
}

impl Voice {
    /// How loud the voice in a packet is that says this of its level, in decibels above silence; 0: there is none. None where
    /// the sender has never said how loud anything is.
    pub(crate) fn spoken(&self, level: Option<AudioLevel>) -> Option<u32> {
        self.last?;
        // Who never says that it is a voice does not look for them (RFC 6464 §4: `vad=off`).
        let is_voice = |level: &AudioLevel| level.voice || !self.marks;
        Some(level.filter(is_voice).map_or(0, |level| 127_u32.saturating_sub(level.level.into())))
    }

    pub(crate) fn hear(&mut self, now: Instant, level: AudioLevel) {
        self.marks |= level.voice;
        let loudness = 127_u32.saturating_sub(u32::from(level.level)) * UNIT;
        self.loudness = (self.loudness * (SMOOTHING - 1) + loudness) / SMOOTHING;
        self.last = Some(now);
    }

    /// Decibels above silence.
    pub(crate) fn loudness(&mut self, now: Instant) -> u32 {
        if self.last.is_none_or(|last| now.saturating_duration_since(last) > NOTHING) {
            self.loudness /= 2;
        }
        self.loudness / UNIT
    }
}

/// Who speaks, and since when.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Speaker {
    pub(crate) current: Option<ParticipantId>,
    changed: Option<Instant>,
    /// When they were last heard.
    heard: Option<Instant>,
}

impl Speaker {
    /// Looks who is how loud; whether somebody else speaks now.
    pub(crate) fn choose(
        &mut self,
        now: Instant,
        voices: impl Iterator<Item = (ParticipantId, u32)>,
    ) -> bool {
        let mut own = 0;
        let mut loudest: Option<(ParticipantId, u32)> = None;
        for (id, loudness) in voices {
            if Some(id) == self.current {
                own = own.max(loudness);
            }
            if loudest.is_none_or(|(_, most)| loudness > most) {
                loudest = Some((id, loudness));
            }
        }
        if own >= SPEECH {
            self.heard = Some(now);
        }
        let passed = |time: Option<Instant>| time.map(|time| now.saturating_duration_since(time));
        let is_held = passed(self.changed).is_some_and(|time| time < HOLD);
        let next = match loudest.filter(|(_, loudness)| *loudness >= SPEECH) {
            Some((id, loudness)) if self.current.is_none() || loudness >= own + LOUDER && !is_held => {
                Some(id)
            }
            None if passed(self.heard).is_none_or(|time| time >= SILENCE) => None,
            _ => self.current,
        };
        let is_new = next != self.current;
        if is_new {
            (self.current, self.changed, self.heard) = (next, Some(now), Some(now));
        }
        is_new
    }

    /// They have gone: nobody speaks.
    pub(crate) fn forget(&mut self, id: ParticipantId) -> bool {
        let was = self.current == Some(id);
        if was {
            *self = Self::default();
        }
        was
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{ms, start};

    const ADA: ParticipantId = ParticipantId(1);
    const BOB: ParticipantId = ParticipantId(2);

    #[test]
    fn the_loudest_speaks_and_is_not_interrupted_at_once() {
        let mut now = start();
        let mut speaker = Speaker::default();
        let mut at = |time, ada, bob| {
            now += ms(time);
            speaker.choose(now, [(ADA, ada), (BOB, bob)].into_iter());
            speaker.current
        };
        assert_eq!(at(0, 76, 60), None, "noise");
        assert_eq!(at(200, 90, 60), Some(ADA));
        assert_eq!(at(200, 90, 110), Some(ADA), "it has just begun");
        assert_eq!(at(800, 90, 94), Some(ADA), "hardly louder");
        assert_eq!(at(200, 90, 95), Some(BOB));
        assert_eq!(at(1_900, 0, 0), Some(BOB), "a pause");
        assert_eq!(at(200, 0, 0), None);
        assert_eq!(at(0, 0, 80), Some(BOB));
    }

    #[test]
    fn levels_are_smoothed_and_silence_need_not_be_sent() {
        let mut now = start();
        let mut voice = Voice::default();
        let level = |level| AudioLevel { level, voice: false };
        voice.hear(now, level(20));
        assert!(voice.loudness(now) < SPEECH, "a click");
        for _ in 0..20 {
            now += ms(20);
            voice.hear(now, level(20));
        }
        assert!(voice.loudness(now) > 90);
        now += ms(200);
        assert!(voice.loudness(now) < SPEECH);
    }
}
