//! What a worker has to tell signaling. Its channel is bounded: what is said once waits in order, and of what has a state only
//! the newest is said.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::legs::LegId;
use crate::conference::{Member, Notice, RoomKey};

/// What is said once and waits; commands are not taken meanwhile.
const MOST: usize = 1024;

/// What a slot gets is told at most so often for a leg, and what is published for a room.
pub(super) const LAYERS_EVERY: Duration = Duration::from_millis(200);
pub(super) const PUBLICATIONS_EVERY: Duration = Duration::from_millis(100);

/// While the channel is full, it is tried so often.
const AGAIN: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(super) struct Herald {
    notices: mpsc::Sender<Notice>,
    once: VecDeque<Notice>,
    /// Rooms whose publications are to be told, and when.
    pub(super) publications: BTreeMap<RoomKey, Instant>,
    /// Legs whose encodings are watched otherwise.
    pub(super) wanted: BTreeSet<LegId>,
    /// Legs whose slots get something else, and when that is to be told.
    pub(super) layers: BTreeMap<LegId, Instant>,
    pub(super) speakers: BTreeMap<RoomKey, Option<Member>>,
    is_blocked: bool,
}

impl Herald {
    pub(super) fn new(notices: mpsc::Sender<Notice>) -> Self {
        Self {
            notices,
            once: VecDeque::new(),
            publications: BTreeMap::new(),
            wanted: BTreeSet::new(),
            layers: BTreeMap::new(),
            speakers: BTreeMap::new(),
            is_blocked: false,
        }
    }

    pub(super) fn say(&mut self, notice: Notice) {
        self.once.push_back(notice);
    }

    /// Whether there is place for what a command has answered.
    pub(super) fn is_full(&self) -> bool {
        self.once.len() >= MOST
    }

    /// A room's publications are others, or somebody has come who does not know them.
    pub(super) fn publications_of(&mut self, now: Instant, room: &RoomKey, told: Option<Instant>) {
        if !self.publications.contains_key(room) {
            let due = told.map_or(now, |told| now.max(told + PUBLICATIONS_EVERY));
            self.publications.insert(room.clone(), due);
        }
    }

    /// A leg's slots get something else.
    pub(super) fn layers_of(&mut self, now: Instant, leg: LegId, told: Option<Instant>) {
        let due = told.map_or(now, |told| now.max(told + LAYERS_EVERY));
        self.layers.entry(leg).or_insert(due);
    }

    /// A leg is over.
    pub(super) fn forget(&mut self, leg: LegId) {
        self.wanted.remove(&leg);
        self.layers.remove(&leg);
    }

    /// All legs and rooms are.
    pub(super) fn forget_all(&mut self) {
        self.publications.clear();
        self.wanted.clear();
        self.layers.clear();
        self.speakers.clear();
    }

    /// Whether something waits that is said once.
    pub(super) fn has_more(&self) -> bool {
        !self.once.is_empty()
    }

    pub(super) fn next_once(&mut self) -> Option<Notice> {
        self.once.pop_front()
    }

    /// The channel, where there is anything to tell now.
    pub(super) fn channel(&mut self, now: Instant) -> Option<mpsc::Sender<Notice>> {
        self.is_blocked = false;
        self.due().filter(|due| due.is_none_or(|due| due <= now)).map(|_| self.notices.clone())
    }

    /// Nobody reads as fast as there is something to tell.
    pub(super) fn block(&mut self) {
        self.is_blocked = true;
    }

    /// When there is something to tell next.
    pub(super) fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        let due = self.due()?.unwrap_or(now);
        Some(if self.is_blocked { due.max(now + AGAIN) } else { due })
    }

    /// When something is to be told, if there is anything; none: at once.
    fn due(&self) -> Option<Option<Instant>> {
        if !self.once.is_empty() || !self.wanted.is_empty() || !self.speakers.is_empty() {
            return Some(None);
        }
        let all = self.publications.values().chain(self.layers.values()).min();
        all.map(|due| Some(*due))
    }
}
