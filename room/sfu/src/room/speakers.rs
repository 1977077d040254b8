//! Who speaks, and who may be seen and heard.

use std::num::NonZeroUsize;
use std::time::Instant;

use super::Room;
use crate::event::Event;
use crate::id::{ParticipantId, PublicationId};
use crate::publication::Source;
use crate::refused::Refused;

impl Room {
    /// Forwards nothing of a publication, or forwards it again, whoever wishes for it.
    pub fn set_muted(&mut self, now: Instant, id: PublicationId, is_muted: bool) -> Result<(), Refused> {
        let publication = self.publications.get_mut(id.0).ok_or(Refused::UnknownPublication)?;
        if publication.is_muted != is_muted {
            publication.is_muted = is_muted;
            self.voices.forget(id);
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
                if !may {
                    self.voices.forget(*own);
                }
            }
        }
        self.allocate_all(now);
        Ok(())
    }

    /// Says how many voices are forwarded at a time at most: the loudest, of the microphones whose senders say how loud they are
    /// ([`Source::Microphone`], RFC 6464). Sound of other sources is always forwarded, and so is that of which nothing is said;
    /// neither counts. None, as at first: all voices are.
    ///
    /// Receivers of a voice that is left out see a pause of its sender: nothing is missing, and the first packet after it has the
    /// marker bit (RFC 3551 §4.1).
    pub fn set_voices(&mut self, most: Option<NonZeroUsize>) {
        self.voices.set_most(most);
    }

    /// Looks who speaks now.
    pub(super) fn listen(&mut self, now: Instant) {
        let voices = self.publications.iter_mut().filter(|(_, one)| one.has_voice());
        let voices = voices.map(|(_, one)| (one.owner, one.voice.loudness(now)));
        if self.speaker.choose(now, voices) {
            self.events.push_back(Event::Speaker { participant: self.speaker.current });
        }
    }
}
