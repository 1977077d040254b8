//! All rooms of a worker, and which of them may have something to say.
//!
//! A worker has some thousand rooms, and few are busy in any one turn. Whoever borrows a room to change it stirs it; those that
//! were stirred are heard, and their next deadline is noted.

use std::collections::{BTreeSet, HashMap, hash_map};
use std::time::Instant;

use super::rooms::Room;
use crate::conference::RoomKey;

#[derive(Default)]
pub(super) struct Rooms {
    /// By names that anybody may give: with the hash that nobody can make collide.
    all: HashMap<RoomKey, Entry>,
    stirred: Vec<RoomKey>,
    /// No later than what each room waits for.
    deadlines: BTreeSet<(Instant, RoomKey)>,
}

struct Entry {
    room: Room,
    is_stirred: bool,
    /// Its place among the deadlines.
    deadline: Option<Instant>,
}

impl Rooms {
    pub(super) fn get(&self, key: &RoomKey) -> Option<&Room> {
        self.all.get(key).map(|entry| &entry.room)
    }

    /// A room, which may have something to say afterwards.
    pub(super) fn get_mut(&mut self, key: &RoomKey) -> Option<&mut Room> {
        let entry = self.all.get_mut(key)?;
        if !std::mem::replace(&mut entry.is_stirred, true) {
            self.stirred.push(key.clone());
        }
        Some(&mut entry.room)
    }

    /// A room, for who changes nothing that it would have to speak of.
    pub(super) fn get_quietly(&mut self, key: &RoomKey) -> Option<&mut Room> {
        self.all.get_mut(key).map(|entry| &mut entry.room)
    }

    /// A room, which is there from now on.
    pub(super) fn enter(&mut self, now: Instant, key: &RoomKey) -> &mut Room {
        let entry = match self.all.entry(key.clone()) {
            hash_map::Entry::Occupied(known) => known.into_mut(),
            hash_map::Entry::Vacant(free) => {
                free.insert(Entry { room: Room::new(now), is_stirred: false, deadline: None })
            }
        };
        if !std::mem::replace(&mut entry.is_stirred, true) {
            self.stirred.push(key.clone());
        }
        &mut entry.room
    }

    pub(super) fn remove(&mut self, key: &RoomKey) {
        if let Some(entry) = self.all.remove(key) {
            entry.deadline.map(|at| self.deadlines.remove(&(at, key.clone())));
            self.stirred.retain(|one| one != key);
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &RoomKey> {
        self.all.keys()
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &Room> {
        self.all.values().map(|entry| &entry.room)
    }

    /// All of them, for who changes nothing that they would have to speak of.
    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut Room> {
        self.all.values_mut().map(|entry| &mut entry.room)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&RoomKey, &Room)> {
        self.all.iter().map(|(key, entry)| (key, &entry.room))
    }

    /// One that was stirred: take what it has to say, and say so ([`Rooms::is_heard`]).
    pub(super) fn next_stirred(&mut self) -> Option<(RoomKey, &mut Room)> {
        let key = self.stirred.pop()?;
        let entry = self.all.get_mut(&key)?;
        entry.is_stirred = false;
        Some((key, &mut entry.room))
    }

    /// It has nothing more to say for now: it waits.
    pub(super) fn is_heard(&mut self, key: RoomKey) {
        let Some(entry) = self.all.get_mut(&key) else { return };
        let Some((wanted, _)) = entry.room.sfu.poll_timeout() else { return };
        if entry.deadline.is_some_and(|known| known <= wanted) {
            return;
        }
        if let Some(before) = entry.deadline.replace(wanted) {
            self.deadlines.remove(&(before, key.clone()));
        }
        self.deadlines.insert((wanted, key));
    }

    /// When the first of them is to be woken.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Has them do what is due.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        while self.poll_timeout().is_some_and(|at| at <= now) {
            let Some((_, key)) = self.deadlines.pop_first() else { return };
            if let Some(entry) = self.all.get_mut(&key) {
                entry.deadline = None;
            }
            // Where it is woken too early, it says what it waits for when it is heard.
            if let Some(room) = self.get_mut(&key)
                && room.sfu.poll_timeout().is_some_and(|(at, _)| at <= now)
            {
                room.sfu.handle_timeout(now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn who_is_stirred_is_heard_once() {
        let now = Instant::now();
        let mut rooms = Rooms::default();
        let [one, other] = ["one", "other"].map(|name| RoomKey::Call(name.into()));
        rooms.enter(now, &one);
        rooms.enter(now, &one);
        rooms.enter(now, &other);
        let heard = |rooms: &mut Rooms| {
            let mut heard = Vec::new();
            while let Some((key, _)) = rooms.next_stirred() {
                rooms.is_heard(key.clone());
                heard.push(key);
            }
            heard
        };
        assert_eq!(heard(&mut rooms), [other.clone(), one.clone()]);
        assert_eq!(heard(&mut rooms), []);
        assert!(rooms.get_mut(&one).is_some() && rooms.get(&other).is_some());
        assert_eq!(heard(&mut rooms), std::slice::from_ref(&one));
        rooms.get_mut(&other);
        rooms.remove(&other);
        assert_eq!((heard(&mut rooms), rooms.len()), (vec![], 1));
    }

    #[test]
    fn rooms_are_woken_when_they_want_to_be() {
        let now = Instant::now();
        let mut rooms = Rooms::default();
        let key = RoomKey::Live("stream".into());
        let room = rooms.enter(now, &key);
        let participant = room.sfu.join(now).unwrap();
        let offer = sfu::Offer {
            kind: peer::MediaKind::Audio,
            codec: rtp::codec::Codec::Opus,
            extensions: rtp::extension::ExtensionMap::default(),
            encodings: 1,
            source: sfu::Source::Microphone,
        };
        room.sfu.publish(now, participant, offer).unwrap();
        assert_eq!(rooms.poll_timeout(), None, "it was not heard yet");
        while let Some((key, _)) = rooms.next_stirred() {
            rooms.is_heard(key);
        }
        let due = rooms.poll_timeout().unwrap();
        rooms.handle_timeout(due - Duration::from_millis(1));
        assert!(rooms.next_stirred().is_none());
        rooms.handle_timeout(due);
        let (key, room) = rooms.next_stirred().unwrap();
        assert!(room.sfu.poll_timeout().is_none_or(|(at, _)| at > due));
        rooms.is_heard(key.clone());
        rooms.remove(&key);
        assert_eq!(rooms.poll_timeout(), None);
    }
}
