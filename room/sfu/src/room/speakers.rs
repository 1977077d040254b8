//! Who speaks, and whose pictures are forwarded for it.

use std::time::Instant;

use super::Room;
use crate::event::Event;
use crate::id::{ParticipantId, PublicationId};
use crate::publication::Source;
use crate::refused::Refused;

impl Room {
    /// Has only the cameras of so many people forwarded to each, those who spoke last; none: all are. Screens are not
    /// counted.
    pub fn set_last_n(&mut self, now: Instant, count: Option<usize>) {
        if self.last_n != count {
            self.last_n = count;
            self.allocate_all(now);
        }
    }

    /// Forwards nothing of a publication, or forwards it again, whoever wishes for it.
    pub fn set_muted(&mut self, now: Instant, id: PublicationId, is_muted: bool) -> Result<(), Refused> {
        let publication = self.publications.get_mut(id.0).ok_or(Refused::UnknownPublication)?;
        if publication.is_muted != is_muted {
            publication.is_muted = is_muted;
            self.allocate_all(now);
        }
        Ok(())
    }

    /// Says whether somebody may publish something; at first they may. What they publish already is forwarded only as
    /// long as they may.
    pub fn set_may_publish(
        &mut self,
        now: Instant,
        id: ParticipantId,
        source: Source,
        may: bool,
    ) -> Result<(), Refused> {
        let participant = self.participants.get_mut(id.0).ok_or(Refused::UnknownParticipant)?;
        participant.may_not.retain(|one| *one != source);
        if !may {
            participant.may_not.push(source);
        }
        for own in &participant.publications {
            if let Some(publication) =
                self.publications.get_mut(own.0).filter(|one| one.offer.source == source)
            {
                publication.is_barred = !may;
            }
        }
        self.allocate_all(now);
        Ok(())
    }

    /// Looks who speaks now.
    pub(super) fn listen(&mut self, now: Instant) {
        let voices = self.publications.iter_mut().filter(|(_, one)| one.has_voice());
        let voices = voices.map(|(_, one)| (one.owner, one.voice.loudness(now)));
        if self.speaker.choose(now, voices) {
            self.events.push_back(Event::Speaker { participant: self.speaker.current });
            if let Some(participant) = self.speaker.current.and_then(|id| self.participants.get_mut(id.0)) {
                self.spoken += 1;
                participant.spoke = self.spoken;
            }
        }
        self.rank();
    }

    /// Puts those with cameras in the order in which they spoke last.
    fn rank(&mut self) {
        self.ranking.clear();
        if self.last_n.is_none() {
            return;
        }
        let cameras = self
            .publications
            .iter()
            .filter(|(_, one)| one.offer.source == Source::Camera && !one.is_silent());
        let mut ranking: Vec<_> = cameras
            .map(|(_, one)| {
                let spoke = self.participants.get(one.owner.0).map_or(0, |owner| owner.spoke);
                (std::cmp::Reverse(spoke), one.owner)
            })
            .collect();
        ranking.sort_unstable();
        ranking.dedup();
        self.ranking.extend(ranking.into_iter().map(|(_, owner)| owner));
    }

    /// Whether somebody's camera is one of those that a receiver gets.
    pub(super) fn is_among_last(&self, owner: ParticipantId, receiver: ParticipantId) -> bool {
        let Some(count) = self.last_n else { return true };
        let before = self.ranking.iter().take_while(|one| **one != owner).filter(|one| **one != receiver);
        before.take(count).count() < count
    }
}
