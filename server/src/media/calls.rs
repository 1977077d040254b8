//! What signaling asks of a worker: legs of members, which publish and watch.

use std::time::Instant;

use peer::PeerConnectionState;
use sdp::Description;
use sfu::Wish;

use super::connection::Refusal;
use super::legs::{Joined, LegId, Owner};
use super::placement::Place;
use super::sections::{Plan, arrange};
use super::worker::Worker;
use crate::conference::{Ending, LegName, Notice, Offer, Problem, Request, RoomKey, SlotWish};

/// Sections of a leg.
const SECTIONS: usize = 128;

impl Worker {
    pub(super) fn take_request(&mut self, now: Instant, request: Request, place: Option<Place>) {
        match request {
            Request::Offer(offer) => {
                let (leg, request) = (offer.leg.clone(), offer.request);
                let notice = match self.answer(now, *offer, place) {
                    Ok(sdp) => Notice::Answer { leg, request, sdp },
                    Err(refusal) => {
                        let problem = match refusal {
                            Refusal::Full | Refusal::Stopping => Problem::Busy,
                            Refusal::Codecs => Problem::Codec,
                            _ => Problem::Offer,
                        };
                        Notice::Refused { leg, request, problem, why: refusal.to_string() }
                    }
                };
                self.herald.say(notice);
            }
            Request::Watch { leg, request, slots } => self.watch(now, &leg, request, slots),
            Request::Close { leg } => {
                if let Some(number) = self.leg_of(&leg) {
                    self.remove(now, number, None);
                }
            }
            Request::Leave { room, member } => {
                let Some(person) = self.rooms.get(&room).and_then(|room| room.member(member)) else { return };
                let (participant, legs) = (person.participant, person.legs.clone());
                for number in legs {
                    self.remove(now, number, None);
                }
                self.leave(now, &room, participant);
            }
        }
    }

    /// Answers a member's offer: over the connection that it names, or over a new one, which takes the place of what the
    /// member had.
    fn answer(&mut self, now: Instant, offer: Offer, place: Option<Place>) -> Result<String, Refusal> {
        let Offer { leg: name, sdp, publish, seats, may_publish, is_locked, .. } = offer;
        let read = sdp.parse().map_err(|why: sdp::ParseError| Refusal::Description(why.to_string()));
        let read: Description = read?;
        if read.media.len() > SECTIONS {
            return Err(Refusal::Description(format!("it has more than {SECTIONS} sections")));
        }
        let plan = Plan { offer: &read, publish: &publish, seats: &seats };
        let source_of = |mid: &str, _| plan.source(mid);
        if let Some(number) = self.leg_of(&name) {
            let Some(leg) = self.legs.get_mut(number) else { return Err(Refusal::Unknown) };
            let answer = self.common.answer_again(now, &mut leg.peer, sdp, &plan)?;
            self.legs.learn_fragment(number);
            self.settle_sections(now, number, source_of);
            return Ok(answer);
        }
        if self.legs.len() >= self.most {
            return Err(Refusal::Full);
        }
        let mut peer = self.common.hear(now, sdp)?;
        arrange(&mut peer, &plan)?;
        let answer = self.common.answer(now, &mut peer)?;
        let room = self.room(now, &name.room);
        room.is_locked = is_locked;
        let known = room.member(name.member).map(|person| (person.participant, person.legs.clone()));
        let (participant, before) = match known {
            Some(known) => known,
            None => {
                let participant = room.join(now, Some(name.member), place).map_err(|_| Refusal::Full)?;
                (participant, Vec::new())
            }
        };
        for source in [sfu::Source::Microphone, sfu::Source::Camera, sfu::Source::Screen, sfu::Source::Other]
        {
            // They are there.
            let _ = room.sfu.set_may_publish(now, participant, source, may_publish);
        }
        let key = name.room.clone();
        let joined = Joined { name, wishes: Vec::new(), told: None };
        let number = self.insert(now, peer, Owner::Member(Box::new(joined)), (key.clone(), participant));
        self.settle_sections(now, number, source_of);
        // Whoever has just come does not know who speaks.
        if let Some(speaker) = self.rooms.get(&key).and_then(|room| room.speaker) {
            self.herald.speakers.insert(key, Some(speaker));
        }
        for former in before {
            self.remove(now, former, Some(Ending::Replaced));
        }
        Ok(answer)
    }

    /// What a leg publishes and may get is as agreed on.
    fn settle_sections(
        &mut self,
        now: Instant,
        number: LegId,
        source_of: impl Fn(&str, peer::MediaKind) -> Option<crate::conference::Source>,
    ) {
        self.publish(now, number, source_of);
        self.arrange(now, number);
        if let Some(leg) = self.legs.get(number) {
            let told = self.rooms.get(&leg.room).and_then(|room| room.told);
            // Whoever has just come knows none.
            self.herald.publications_of(now, &leg.room, told);
            self.herald.wanted.insert(number);
        }
    }

    fn watch(&mut self, now: Instant, name: &LegName, request: Option<u64>, wishes: Vec<SlotWish>) {
        let refuse = |problem, why: String| Notice::Refused { leg: name.clone(), request, problem, why };
        let Some(number) = self.leg_of(name) else {
            let why = "This connection is not known: offer it first.".to_owned();
            return self.herald.say(refuse(Problem::Slot, why));
        };
        let problem = self.problem_with(number, &wishes);
        if let Some(leg) = self.legs.get_mut(number)
            && let Owner::Member(joined) = &mut leg.owner
        {
            joined.wishes = wishes;
        }
        if let Some((problem, why)) = problem {
            self.herald.say(refuse(problem, why));
        }
        self.grant_wishes(now, number);
    }

    /// What of a wish cannot be, in words: the first thing.
    fn problem_with(&self, number: LegId, wishes: &[SlotWish]) -> Option<(Problem, String)> {
        let leg = self.legs.get(number)?;
        let room = self.rooms.get(&leg.room)?;
        if wishes.len() > leg.slots.len() {
            return Some((Problem::Slot, "There are more wishes than sections to receive with.".to_owned()));
        }
        wishes.iter().find_map(|wish| {
            let mid = &wish.mid;
            let Some(slot) = leg.slots.iter().find(|slot| slot.mid == *mid) else {
                return Some((Problem::Slot, format!("The section {mid} does not receive.")));
            };
            let name = wish.publication.as_deref()?;
            let Some(published) = room.named(name).and_then(|id| room.published(id)) else {
                return Some((Problem::Publication, format!("Nothing is published as {name} any more.")));
            };
            match super::rooms::payload_type(&leg.peer, slot, published) {
                Ok(_) => None,
                Err(Problem::Codec) => {
                    let codec = &published.codec.name;
                    Some((
                        Problem::Codec,
                        format!("{name} is sent as {codec}, which the section {mid} has not."),
                    ))
                }
                Err(problem) => {
                    Some((problem, format!("{name} is {}: choose another section.", published.kind)))
                }
            }
        })
    }

    /// Gives a leg that is connected what it wishes for, as far as there is.
    pub(super) fn grant_wishes(&mut self, now: Instant, number: LegId) {
        let Some(leg) = self.legs.get_mut(number) else { return };
        let Some(room) = self.rooms.get_mut(&leg.room) else { return };
        let Owner::Member(joined) = &mut leg.owner else { return };
        if leg.peer.connection_state() != PeerConnectionState::Connected {
            return;
        }
        let wishes = std::mem::take(&mut joined.wishes);
        // Until there is an estimate, it is what one begins with: many at once would be more than most ways carry.
        if let Some(target) = leg.peer.target_bitrate() {
            room.sfu.set_bitrate(now, leg.participant, Some(target));
        }
        for at in 0..leg.slots.len() {
            let wish = wishes.iter().find(|wish| wish.mid == leg.slots[at].mid);
            let wanted = wish.and_then(|wish| {
                let publication = room.named(wish.publication.as_deref()?)?;
                Some((publication, Wish { size: wish.size, priority: wish.priority, paused: wish.paused }))
            });
            if room.watch(now, (number, leg), at, wanted).is_err() {
                // What cannot be was told; the slot gets nothing.
                let _ = room.watch(now, (number, leg), at, None);
            }
        }
        if let Owner::Member(joined) = &mut leg.owner {
            joined.wishes = wishes;
        }
    }

    /// The leg of a member that has this name.
    pub(super) fn leg_of(&self, name: &LegName) -> Option<LegId> {
        let person = self.rooms.get(&name.room)?.member(name.member)?;
        let is_it = |number: &&LegId| {
            let leg = self.legs.get(**number).and_then(|leg| leg.member());
            leg.is_some_and(|joined| joined.name.connection == name.connection)
        };
        person.legs.iter().find(is_it).copied()
    }

    /// A participant is gone, and their room, if it was the last.
    pub(super) fn leave(&mut self, now: Instant, key: &RoomKey, participant: sfu::ParticipantId) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        room.leave(now, participant);
        self.drop_empty(now, key);
    }

    /// A room that nobody is in any more is there no more.
    pub(super) fn drop_empty(&mut self, now: Instant, key: &RoomKey) {
        let Some(room) = self.rooms.get(key).filter(|room| room.is_empty()) else { return };
        if let Some(home) = room.away.as_ref().map(|away| away.home) {
            self.rooms.remove(key);
            self.post.parts.remove(key);
            self.post.farewells.push((home, key.clone()));
        } else {
            self.rooms.remove(key);
            // Nothing is sent there any more, be it told for the last time.
            self.herald.publications_of(now, key, None);
            self.herald.speakers.remove(key);
        }
    }
}
