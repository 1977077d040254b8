//! Which worker has whom.
//!
//! A room has a home, by its name: there are those who send, and the first who watch. When as many people are there as one worker is
//! to have of a room, viewers go to further workers, which are fed by the home (`super::parts`): to the next that has
//! fewer, or, where all have as many, to the one that has the fewest. Somebody stays where they are for as long as they are in the room.
//!
//! Only those who ask for connections look here: never whoever has a packet.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};

use crate::conference::{Member, Request, RoomKey};

/// How many people of each room are on which worker.
type People = Arc<Mutex<HashMap<RoomKey, Vec<usize>>>>;

pub(super) struct Placement {
    workers: usize,
    /// People of a room on a worker before viewers go to further ones.
    spread: usize,
    people: People,
    /// Viewers of signaling's: as many as it has sessions.
    viewers: Mutex<HashMap<(RoomKey, Member), usize>>,
}

/// Somebody's place in the count, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    people: People,
    room: RoomKey,
    worker: usize,
}

/// The worker that is a room's home.
pub(super) fn home(room: &RoomKey, workers: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    room.hash(&mut hasher);
    (hasher.finish() % workers.max(1) as u64) as usize
}

impl Placement {
    pub(super) fn new(workers: usize, spread: usize) -> Self {
        Self { workers, spread: spread.max(1), people: Arc::default(), viewers: Mutex::default() }
    }

    pub(super) fn home(&self, room: &RoomKey) -> usize {
        home(room, self.workers)
    }

    /// A place on that worker.
    pub(super) fn take(&self, room: &RoomKey, worker: usize) -> Place {
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = people.entry(room.clone()).or_insert_with(|| vec![0; self.workers]);
        if let Some(count) = counts.get_mut(worker) {
            *count += 1;
        }
        Place { people: Arc::clone(&self.people), room: room.clone(), worker }
    }

    /// A place for somebody who only watches.
    pub(super) fn choose(&self, room: &RoomKey) -> (usize, Place) {
        let home = self.home(room);
        let worker = {
            let people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
            let count =
                |worker: usize| people.get(room).and_then(|counts| counts.get(worker)).copied().unwrap_or(0);
            let mut in_order = (0..self.workers).map(|step| (home + step) % self.workers);
            let fewest = in_order.clone().min_by_key(|worker| count(*worker));
            in_order.find(|worker| count(*worker) < self.spread).or(fewest).unwrap_or(home)
        };
        (worker, self.take(room, worker))
    }

    /// The worker that a request of signaling's is for, and a place there for who may be new.
    pub(super) fn of_request(&self, request: &Request) -> (usize, Option<Place>) {
        let (room, member) = match request {
            Request::Offer(offer) => (&offer.leg.room, offer.leg.member),
            Request::Watch { leg, .. } | Request::Close { leg } => (&leg.room, leg.member),
            Request::Leave { room, member } => (room, *member),
        };
        let mut viewers = self.viewers.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (room.clone(), member);
        match request {
            Request::Offer(offer) => {
                let known = viewers.get(&key).copied();
                let (worker, place) = match known {
                    Some(worker) => (worker, self.take(room, worker)),
                    None if offer.may_publish || self.workers == 1 => {
                        (self.home(room), self.take(room, self.home(room)))
                    }
                    None => self.choose(room),
                };
                if !offer.may_publish && self.workers > 1 {
                    viewers.insert(key, worker);
                }
                (worker, Some(place))
            }
            Request::Leave { .. } => (viewers.remove(&key).unwrap_or_else(|| self.home(room)), None),
            Request::Watch { .. } | Request::Close { .. } => {
                (viewers.get(&key).copied().unwrap_or_else(|| self.home(room)), None)
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(counts) = people.get_mut(&self.room) else { return };
        if let Some(count) = counts.get_mut(self.worker) {
            *count = count.saturating_sub(1);
        }
        if counts.iter().all(|count| *count == 0) {
            people.remove(&self.room);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conference::{LegName, Offer};

    fn room() -> RoomKey {
        RoomKey::Live("stadium".into())
    }

    fn leg(member: u64) -> LegName {
        LegName { room: room(), member: Member(member), connection: "x".into() }
    }

    fn offer(member: u64, may_publish: bool) -> Request {
        Request::Offer(Box::new(Offer {
            leg: leg(member),
            request: None,
            sdp: String::new(),
            publish: Vec::new(),
            seats: Vec::new(),
            may_publish,
            is_locked: false,
        }))
    }

    #[test]
    fn workers_fill_one_after_the_other_and_then_alike() {
        let placement = Placement::new(3, 2);
        let home = placement.home(&room());
        let places: Vec<_> = (0..8).map(|_| placement.choose(&room())).collect();
        let steps: Vec<usize> = places.iter().map(|(worker, _)| (worker + 3 - home) % 3).collect();
        assert_eq!(steps, [0, 0, 1, 1, 2, 2, 0, 1]);
        drop(places);
        assert_eq!(placement.choose(&room()).0, home, "who has gone counts no more");
        assert!(placement.people.lock().unwrap().is_empty());
    }

    #[test]
    fn those_who_send_are_at_home_and_viewers_stay_where_they_are() {
        let placement = Placement::new(2, 2);
        let home = placement.home(&room());
        let mut places = Vec::new();
        let mut at = |request: &Request| {
            let (worker, place) = placement.of_request(request);
            places.extend(place);
            worker
        };
        assert_eq!(at(&offer(1, true)), home);
        assert_eq!(at(&offer(2, false)), home);
        assert_eq!(at(&offer(3, false)), 1 - home);
        assert_eq!(at(&offer(4, true)), home, "however many are there");
        assert_eq!(at(&offer(2, false)), home, "another offer of the same");
        assert_eq!(at(&Request::Watch { leg: leg(3), request: None, slots: Vec::new() }), 1 - home);
        assert_eq!(at(&Request::Close { leg: leg(3) }), 1 - home);
        assert_eq!(at(&Request::Leave { room: room(), member: Member(3) }), 1 - home);
        assert_eq!(at(&Request::Close { leg: leg(3) }), home, "forgotten");
    }
}
