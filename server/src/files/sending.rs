//! The sender's side of a transfer as a state machine (`docs/files.md`): what is offered, sent, and done. It knows no disk
//! and no network: messages and what has become of its orders come in, orders go out.
//!
//! Everything that is not done is offered anew after each interruption; the receiver says where it stands.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::digest::Digest;
use super::message::{FileMessage, Id, Offer, VERSION, shown};

/// Files that are offered, or on their way, at once: many small ones must not wait for each other's round trips.
const OPEN: usize = 64;

/// Files that are read at once.
const READING: usize = 4;

/// So far the sender is ahead of what is stored, where the receiver asks for nothing else; bytes.
pub(crate) const WINDOW: u64 = 8 << 20;

/// As far as a receiver may ask, bytes.
const LARGEST_WINDOW: u64 = 64 << 20;

/// And at least, bytes.
const SMALLEST_WINDOW: u64 = 1 << 20;

/// What is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) id: Id,
    /// With `/` between its parts.
    pub(crate) path: String,
    /// Bytes; 0 for a folder.
    pub(crate) size: u64,
    /// ms since 1970.
    pub(crate) modified: u64,
    pub(crate) is_folder: bool,
}

/// What the driver is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Say this on the control channel.
    Tell(FileMessage),
    /// Open the item's data channel and send it from `offset` on, at most `window` bytes ahead of what is stored.
    Start { item: usize, offset: u64, window: u64 },
    /// So much of it is stored.
    Stored { item: usize, bytes: u64 },
    /// Send no more of it, and close its channel.
    Stop { item: usize },
    /// It came to this end.
    Ended { item: usize, end: End },
}

/// How an item may end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Stored, with an equal digest.
    Done,
    /// The receiver said no.
    Declined,
    /// The receiver ended it, with these words.
    Cancelled(String),
    /// Why it cannot be read.
    Unreadable(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// To be offered.
    Waiting,
    Offered,
    /// To be sent from there.
    Accepted {
        offset: u64,
        window: u64,
    },
    Sending,
    /// All was sent; the receiver compares.
    Verifying,
    Over,
}

/// All that one person sends to another.
#[derive(Debug)]
pub(crate) struct Sending {
    batch: FileMessage,
    batch_id: Id,
    items: Vec<(Item, State)>,
    by_id: BTreeMap<Id, usize>,
    /// Never offered from there on.
    fresh: usize,
    /// To be offered again.
    again: BTreeSet<usize>,
    /// Offered and not over: at most [`OPEN`].
    open: BTreeSet<usize>,
    over: usize,
    linked: bool,
    declined: bool,
    orders: VecDeque<Order>,
}

impl Sending {
    /// `name` is what the receiver is asked about.
    pub(crate) fn new(batch: Id, name: String, items: Vec<Item>) -> Self {
        let bytes = items.iter().map(|item| item.size).sum();
        let folders = items.iter().filter(|item| item.is_folder).count() as u64;
        let files = items.len() as u64 - folders;
        let by_id = items.iter().enumerate().map(|(index, item)| (item.id, index)).collect();
        Self {
            batch: FileMessage::Batch { id: batch, version: VERSION, files, folders, bytes, name },
            batch_id: batch,
            items: items.into_iter().map(|item| (item, State::Waiting)).collect(),
            by_id,
            fresh: 0,
            again: BTreeSet::new(),
            open: BTreeSet::new(),
            over: 0,
            linked: false,
            declined: false,
            orders: VecDeque::new(),
        }
    }

    /// What is to be done next.
    pub(crate) fn poll_order(&mut self) -> Option<Order> {
        self.orders.pop_front()
    }

    /// Whether nothing is left to be done.
    pub(crate) fn is_over(&self) -> bool {
        self.over == self.items.len()
    }

    /// The control channel is open, for the first time or again.
    pub(crate) fn linked(&mut self) {
        self.unlinked();
        self.linked = true;
        if !self.is_over() {
            self.orders.push_back(Order::Tell(self.batch.clone()));
        }
        self.fill();
    }

    /// The connection is gone: everything that was under way waits for the next one.
    pub(crate) fn unlinked(&mut self) {
        self.linked = false;
        self.orders.retain(|order| matches!(order, Order::Ended { .. }));
        for index in std::mem::take(&mut self.open) {
            self.wait_again(index);
        }
    }

    /// What the receiver says.
    pub(crate) fn handle(&mut self, message: FileMessage) {
        match message {
            FileMessage::Decline { id } if id == self.batch_id => {
                self.declined = true;
                for index in 0..self.items.len() {
                    self.end(index, End::Declined);
                }
            }
            FileMessage::Cancel { id, reason } if id == self.batch_id => {
                for index in 0..self.items.len() {
                    self.end(index, End::Cancelled(shown(&reason)));
                }
            }
            FileMessage::Accept { id, offset, window } => self.accepted(id, offset, window),
            FileMessage::Decline { id } => self.end_id(id, End::Declined),
            FileMessage::Cancel { id, reason } => self.end_id(id, End::Cancelled(shown(&reason))),
            FileMessage::Progress { id, received } => {
                if let Some(&item) = self.by_id.get(&id)
                    && let (Item { size, .. }, State::Sending | State::Verifying) = &self.items[item]
                {
                    self.orders.push_back(Order::Stored { item, bytes: received.min(*size) });
                }
            }
            FileMessage::Done { id } => {
                if let Some(&item) = self.by_id.get(&id) {
                    let (described, state) = &self.items[item];
                    // Whoever has not been told the digest cannot have compared it, unless it was done before a
                    // restart of ours; a folder has none.
                    let is_possible =
                        matches!(state, State::Verifying | State::Offered) || described.is_folder;
                    if is_possible {
                        self.end(item, End::Done);
                    }
                }
            }
            // Those are a sender's.
            FileMessage::Batch { .. }
            | FileMessage::Folder { .. }
            | FileMessage::Offer(_)
            | FileMessage::End { .. } => {}
        }
        self.fill();
    }

    /// An item's last byte was sent, and this is its digest.
    pub(crate) fn sent(&mut self, item: usize, digest: Digest) {
        let Some((described, state @ State::Sending)) = self.items.get_mut(item) else { return };
        *state = State::Verifying;
        self.orders.push_back(Order::Tell(FileMessage::End { id: described.id, digest }));
        self.fill();
    }

    /// An item's channel closed before the receiver had all of it.
    pub(crate) fn interrupted(&mut self, item: usize) {
        if self.open.remove(&item) {
            self.wait_again(item);
        }
        self.fill();
    }

    /// An item cannot be read, or was changed meanwhile. The receiver is not told `why`, which only concerns us.
    pub(crate) fn unreadable(&mut self, item: usize, why: &str) {
        let Some((described, state)) = self.items.get(item) else { return };
        if *state == State::Over {
            return;
        }
        let reason = "the file could not be read, or was changed meanwhile".to_owned();
        self.orders.push_back(Order::Tell(FileMessage::Cancel { id: described.id, reason }));
        self.end(item, End::Unreadable(why.to_owned()));
        self.fill();
    }

    /// What an order is about.
    pub(crate) fn item(&self, index: usize) -> &Item {
        &self.items[index].0
    }

    /// Whether the receiver said no to all of it.
    pub(crate) fn is_declined(&self) -> bool {
        self.declined
    }

    fn accepted(&mut self, id: Id, offset: u64, window: Option<u64>) {
        if id == self.batch_id {
            // Folders are made after the answer only.
            let folders: Vec<usize> =
                self.open.iter().copied().filter(|index| self.items[*index].0.is_folder).collect();
            for index in folders {
                let offer = self.offer(index);
                self.orders.push_back(Order::Tell(offer));
            }
        }
        let Some(&index) = self.by_id.get(&id) else { return };
        let (item, state) = &mut self.items[index];
        if *state != State::Offered || offset > item.size || item.is_folder {
            return;
        }
        let window = window.unwrap_or(WINDOW).clamp(SMALLEST_WINDOW, LARGEST_WINDOW);
        *state = State::Accepted { offset, window };
    }

    /// Offers and begins as much as may be.
    fn fill(&mut self) {
        if !self.linked {
            return;
        }
        while self.open.len() < OPEN {
            let Some(index) = self.again.pop_first().or_else(|| self.next_fresh()) else { break };
            if self.items[index].1 != State::Waiting {
                continue;
            }
            self.items[index].1 = State::Offered;
            self.open.insert(index);
            let offer = self.offer(index);
            self.orders.push_back(Order::Tell(offer));
        }
        let reading = self.open.iter().filter(|index| self.items[**index].1 == State::Sending).count();
        let accepted: Vec<usize> = self
            .open
            .iter()
            .copied()
            .filter(|index| matches!(self.items[*index].1, State::Accepted { .. }))
            .take(READING.saturating_sub(reading))
            .collect();
        for item in accepted {
            if let State::Accepted { offset, window } = self.items[item].1 {
                self.items[item].1 = State::Sending;
                self.orders.push_back(Order::Start { item, offset, window });
            }
        }
    }

    fn next_fresh(&mut self) -> Option<usize> {
        let index = self.fresh;
        self.fresh += usize::from(index < self.items.len());
        (index < self.items.len()).then_some(index)
    }

    fn offer(&self, index: usize) -> FileMessage {
        let (item, _) = &self.items[index];
        if item.is_folder {
            return FileMessage::Folder { id: item.id, batch: self.batch_id, path: item.path.clone() };
        }
        let (name, path) = match item.path.rsplit_once('/') {
            Some((_, name)) => (name.to_owned(), Some(item.path.clone())),
            None => (item.path.clone(), None),
        };
        FileMessage::Offer(Offer {
            id: item.id,
            version: VERSION,
            name,
            size: item.size,
            path,
            batch: Some(self.batch_id),
            modified: Some(item.modified),
        })
    }

    fn wait_again(&mut self, index: usize) {
        let state = &mut self.items[index].1;
        if matches!(state, State::Sending | State::Verifying) {
            self.orders.push_back(Order::Stop { item: index });
        }
        *state = State::Waiting;
        self.again.insert(index);
    }

    fn end_id(&mut self, id: Id, end: End) {
        if let Some(&index) = self.by_id.get(&id) {
            self.end(index, end);
        }
    }

    fn end(&mut self, item: usize, end: End) {
        let state = &mut self.items[item].1;
        if *state == State::Over {
            return;
        }
        if matches!(state, State::Sending | State::Verifying) {
            self.orders.push_back(Order::Stop { item });
        }
        *state = State::Over;
        self.open.remove(&item);
        self.again.remove(&item);
        self.over += 1;
        self.orders.push_back(Order::Ended { item, end });
    }
}

#[cfg(test)]
mod tests;
