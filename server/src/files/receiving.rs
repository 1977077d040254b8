//! The receiver's side of a transfer as a state machine (`docs/files.md`): what was offered, accepted, stored and checked.
//! It knows no disk and no network. The sender is a stranger's program: every table has a limit, and whatever does not
//! belong where it comes is dropped and counted, or ends the file it is about.

use std::collections::{BTreeMap, VecDeque};

use super::digest::Digest;
use super::message::{FileMessage, Id, Offer, VERSION, shown};
use super::path::SafePath;

/// How far the sender is asked to be ahead of what is stored, bytes: enough for 100 MB/s over 300 ms.
pub(crate) const WINDOW: u64 = 32 << 20;

/// No honest sender has more on the way: one window, and what an attempt before it left. Bytes.
const MOST_UNSTORED: u64 = 2 * WINDOW;

/// Files and folders of one transfer that are remembered.
const MOST_FILES: usize = 250_000;

/// Files that are offered and not over: a sender keeps back what is beyond.
const MOST_OPEN: usize = 1_024;

/// Batches.
const MOST_BATCHES: usize = 64;

/// What the driver is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Say this on the control channel.
    Tell(FileMessage),
    /// Ask whether this is wanted, and call [`Receiving::answer`].
    Ask(Question),
    /// Look what there is of a file, and call [`Receiving::opened`] or [`Receiving::failed`],
    /// or [`Receiving::known`] if an earlier run has stored all of it, or [`Receiving::skipped`].
    Open { id: Id, path: SafePath, size: u64, modified: Option<u64> },
    /// Make a folder, and call [`Receiving::kept`] or [`Receiving::failed`].
    Folder { id: Id, path: SafePath },
    /// Take no more from the file's channel; store what came, and call [`Receiving::opened`].
    Settle { id: Id },
    /// All bytes are stored: call [`Receiving::hashed`].
    Hash { id: Id },
    /// The digest is right: give the file its name, and call [`Receiving::kept`] or [`Receiving::failed`].
    Keep { id: Id },
    /// Throw away what was stored, because it is not what was sent.
    Discard { id: Id },
    /// No more will come of it; what is stored may be of use later.
    Release { id: Id },
    /// It came to this end.
    Ended { id: Id, end: End },
}

/// What a person is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) id: Id,
    pub(crate) files: u64,
    /// Bytes.
    pub(crate) size: u64,
    pub(crate) name: String,
}

/// How a file may end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Done {
        digest: Option<Digest>,
    },
    /// The sender ended it, with these words.
    Cancelled(String),
    /// Why it could not be received.
    Failed(String),
    /// Something of its name is there, and stays.
    Skipped,
}

/// What a peer does that no honest one would; counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A path that leads out of the folder.
    Path,
    /// More files, offers or batches than are taken.
    TooMany,
    /// An id that is in use for something else.
    Id,
    /// A data channel that nobody asked for.
    Channel,
    /// More bytes than the file has, or than were asked for at once.
    Flood,
    /// A message that only a receiver sends.
    Direction,
    /// Another version of the protocol.
    Version,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// Waits for a person.
    Asked {
        offer: Box<Offer>,
    },
    /// The driver looks.
    Opening,
    /// Accepted from there.
    Ready {
        offset: u64,
    },
    Receiving {
        received: u64,
    },
    /// Its channel closed too early: waits for a new offer.
    Interrupted,
    Hashing,
    Keeping {
        digest: Option<Digest>,
    },
    Done,
    /// Not wanted.
    Declined,
    /// Cancelled, or failed.
    Lost,
}

#[derive(Debug)]
struct File {
    size: u64,
    /// Bytes on the disk.
    stored: u64,
    batch: Id,
    expected: Option<Digest>,
    is_folder: bool,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Asked,
    Yes,
    No,
}

#[derive(Debug)]
struct Batch {
    answer: Answer,
    /// How many files, and folders that hold nothing, were announced; their end ends the batch.
    announced: Option<(u64, u64)>,
    /// How many of either have ended.
    ended: (u64, u64),
}

/// All that comes from one person.
#[derive(Debug, Default)]
pub(crate) struct Receiving {
    files: BTreeMap<Id, File>,
    batches: BTreeMap<Id, Batch>,
    /// Files that are not over.
    open: usize,
    faults: u64,
    orders: VecDeque<Order>,
}

impl Receiving {
    /// What is to be done next.
    pub(crate) fn poll_order(&mut self) -> Option<Order> {
        self.orders.pop_front()
    }

    /// How often the peer did what no honest one would.
    pub(crate) fn faults(&self) -> u64 {
        self.faults
    }

    /// Whether everything that was announced has ended. False while nothing was.
    pub(crate) fn is_over(&self) -> bool {
        !self.batches.is_empty()
            && self.batches.values().all(|batch| match batch.answer {
                Answer::Asked => false,
                Answer::No => true,
                Answer::Yes => batch.announced.is_none_or(|(files, folders)| {
                    let ended = batch.ended;
                    ended.0 >= files && ended.1 >= folders
                }),
            })
            && self.open == 0
    }

    /// What the sender says.
    pub(crate) fn handle(&mut self, message: FileMessage) {
        let heard = match message {
            FileMessage::Batch { id, version, files, folders, bytes, name } => {
                let question = Question { id, files, size: bytes, name: shown(&name) };
                self.announced(version, folders, question)
            }
            FileMessage::Offer(offer) => self.offered(&offer),
            FileMessage::Folder { id, batch, path } => self.folder(id, batch, &path),
            FileMessage::End { id, digest } => {
                if let Some(file) = self.files.get_mut(&id) {
                    file.expected = Some(digest);
                    self.look(id);
                }
                Ok(())
            }
            FileMessage::Cancel { id, reason } => {
                self.cancelled(id, &shown(&reason));
                Ok(())
            }
            FileMessage::Accept { .. }
            | FileMessage::Decline { .. }
            | FileMessage::Progress { .. }
            | FileMessage::Done { .. } => Err(Fault::Direction),
        };
        self.faults += u64::from(heard.is_err());
    }

    /// A person's answer to [`Order::Ask`].
    pub(crate) fn answer(&mut self, id: Id, yes: bool) {
        let Some(batch @ Batch { answer: Answer::Asked, .. }) = self.batches.get_mut(&id) else { return };
        batch.answer = if yes { Answer::Yes } else { Answer::No };
        let reply = if yes {
            FileMessage::Accept { id, offset: 0, window: None }
        } else {
            FileMessage::Decline { id }
        };
        let is_announced = batch.announced.is_some();
        if is_announced {
            self.orders.push_back(Order::Tell(reply));
        }
        let waiting: Vec<Id> = self
            .files
            .iter()
            .filter(|(_, file)| file.batch == id && matches!(file.state, State::Asked { .. }))
            .map(|(id, _)| *id)
            .collect();
        for file_id in waiting {
            let Some(file) = self.files.get_mut(&file_id) else { continue };
            let State::Asked { offer } = std::mem::replace(&mut file.state, State::Opening) else { continue };
            if yes {
                self.open(file_id, &offer);
            } else {
                file.state = State::Declined;
                self.open -= 1;
                self.orders.push_back(Order::Tell(FileMessage::Decline { id: file_id }));
            }
        }
    }

    /// What there is of a file is this long: a whole number of MiB, or all of it.
    pub(crate) fn opened(&mut self, id: Id, stored: u64) {
        let Some(file @ File { state: State::Opening, .. }) = self.files.get_mut(&id) else { return };
        file.stored = stored.min(file.size);
        file.state = State::Ready { offset: file.stored };
        let accept = FileMessage::Accept { id, offset: file.stored, window: Some(WINDOW) };
        self.orders.push_back(Order::Tell(accept));
        self.look(id);
    }

    /// An earlier run has stored all of a file.
    pub(crate) fn known(&mut self, id: Id) {
        let Some(file @ File { state: State::Opening, .. }) = self.files.get_mut(&id) else { return };
        file.state = State::Keeping { digest: None };
        self.kept(id);
    }

    /// Something of its name is there, and the person would rather keep that.
    pub(crate) fn skipped(&mut self, id: Id) {
        if self.files.get(&id).is_some_and(|file| file.state == State::Opening) {
            self.orders.push_back(Order::Tell(FileMessage::Decline { id }));
            self.end(id, State::Declined, End::Skipped);
        }
    }

    /// The peer opened a data channel for a file. Whether it is to be read.
    pub(crate) fn channel(&mut self, id: Id, offset: u64) -> Result<(), Fault> {
        match self.files.get_mut(&id) {
            Some(file) if file.state == (State::Ready { offset }) => {
                file.state = State::Receiving { received: offset };
                Ok(())
            }
            _ => {
                self.faults += 1;
                Err(Fault::Channel)
            }
        }
    }

    /// Bytes came on a file's channel. If it fails, the file has ended.
    pub(crate) fn bytes(&mut self, id: Id, count: u64) -> Result<(), Fault> {
        let Some(file) = self.files.get_mut(&id) else { return Err(Fault::Channel) };
        let State::Receiving { received } = &mut file.state else { return Err(Fault::Channel) };
        let after = received.saturating_add(count);
        if after > file.size || after - file.stored > MOST_UNSTORED {
            self.faults += 1;
            self.failed(id, "more came than was offered, or than was asked for");
            return Err(Fault::Flood);
        }
        *received = after;
        Ok(())
    }

    /// So many bytes of a file are on the disk now.
    pub(crate) fn stored(&mut self, id: Id, bytes: u64) {
        let Some(file) = self.files.get_mut(&id) else { return };
        if !matches!(file.state, State::Receiving { .. }) {
            return;
        }
        file.stored = bytes;
        self.orders.push_back(Order::Tell(FileMessage::Progress { id, received: bytes }));
        self.look(id);
    }

    /// A file's channel closed.
    pub(crate) fn interrupted(&mut self, id: Id) {
        let Some(file) = self.files.get_mut(&id) else { return };
        if matches!(file.state, State::Receiving { received } if received < file.size) {
            file.state = State::Interrupted;
        }
    }

    /// The connection is gone: what is under way is offered again over the next one.
    pub(crate) fn unlinked(&mut self) {
        self.orders.retain(|order| !matches!(order, Order::Tell(_)));
    }

    /// The digest of all that is stored.
    pub(crate) fn hashed(&mut self, id: Id, digest: Digest) {
        let Some(file @ File { state: State::Hashing, .. }) = self.files.get_mut(&id) else { return };
        if file.expected == Some(digest) {
            file.state = State::Keeping { digest: Some(digest) };
            self.orders.push_back(Order::Keep { id });
        } else {
            self.orders.push_back(Order::Discard { id });
            self.failed(id, "the checksum differs: what arrived is not what was sent; send it again");
        }
    }

    /// A file has its name, or a folder is there.
    pub(crate) fn kept(&mut self, id: Id) {
        let Some(file) = self.files.get_mut(&id) else { return };
        let State::Keeping { digest } = file.state else { return };
        self.orders.push_back(Order::Tell(FileMessage::Done { id }));
        self.end(id, State::Done, End::Done { digest });
    }

    /// A file cannot be received; the sender is told `why`, without what only concerns us.
    pub(crate) fn failed(&mut self, id: Id, why: &str) {
        if !self.files.contains_key(&id) {
            return;
        }
        let reason = "it could not be received".to_owned();
        self.orders.push_back(Order::Tell(FileMessage::Cancel { id, reason }));
        self.end(id, State::Lost, End::Failed(why.to_owned()));
    }

    fn announced(&mut self, version: u32, folders: u64, question: Question) -> Result<(), Fault> {
        let id = question.id;
        if version != VERSION {
            return Err(Fault::Version);
        }
        if let Some(batch) = self.batches.get(&id) {
            let reply = match batch.answer {
                Answer::Asked => return Ok(()),
                Answer::Yes => FileMessage::Accept { id, offset: 0, window: None },
                Answer::No => FileMessage::Decline { id },
            };
            self.orders.push_back(Order::Tell(reply));
            return Ok(());
        }
        self.ask(id, Some((question.files, folders)), question)
    }

    fn ask(&mut self, id: Id, announced: Option<(u64, u64)>, question: Question) -> Result<(), Fault> {
        if self.batches.len() >= MOST_BATCHES {
            self.orders.push_back(Order::Tell(FileMessage::Decline { id }));
            return Err(Fault::TooMany);
        }
        self.batches.insert(id, Batch { answer: Answer::Asked, announced, ended: (0, 0) });
        self.orders.push_back(Order::Ask(question));
        Ok(())
    }

    fn offered(&mut self, offer: &Offer) -> Result<(), Fault> {
        let id = offer.id;
        if offer.version != VERSION {
            return Err(Fault::Version);
        }
        if self.files.contains_key(&id) {
            return self.offered_again(offer);
        }
        if let Err(fault) = self.has_room() {
            self.orders.push_back(Order::Tell(FileMessage::Decline { id }));
            return Err(fault);
        }
        let batch_id = offer.batch.unwrap_or(id);
        if offer.batch.is_none_or(|batch| !self.batches.contains_key(&batch)) {
            let name = SafePath::from_name(&offer.name).to_string();
            self.ask(batch_id, None, Question { id: batch_id, files: 1, size: offer.size, name })?;
        }
        let answer = self.batches.get(&batch_id).map_or(Answer::No, |batch| batch.answer);
        let state = match answer {
            Answer::Asked => State::Asked { offer: Box::new(offer.clone()) },
            Answer::Yes => State::Opening,
            Answer::No => {
                self.orders.push_back(Order::Tell(FileMessage::Decline { id }));
                return Ok(());
            }
        };
        self.open += 1;
        let file =
            File { size: offer.size, stored: 0, batch: batch_id, expected: None, is_folder: false, state };
        self.files.insert(id, file);
        if answer == Answer::Yes {
            self.open(id, offer);
        }
        Ok(())
    }

    /// After an interruption; the file stands somewhere.
    fn offered_again(&mut self, offer: &Offer) -> Result<(), Fault> {
        let id = offer.id;
        let Some(file) = self.files.get_mut(&id) else { return Ok(()) };
        if file.size != offer.size {
            return Err(Fault::Id);
        }
        let reply = match file.state {
            State::Asked { .. } | State::Opening | State::Hashing | State::Keeping { .. } => return Ok(()),
            State::Ready { .. } | State::Receiving { .. } | State::Interrupted => {
                file.state = State::Opening;
                self.orders.push_back(Order::Settle { id });
                return Ok(());
            }
            State::Done => FileMessage::Done { id },
            State::Declined => FileMessage::Decline { id },
            State::Lost => FileMessage::Cancel { id, reason: String::new() },
        };
        self.orders.push_back(Order::Tell(reply));
        Ok(())
    }

    fn folder(&mut self, id: Id, batch: Id, path: &str) -> Result<(), Fault> {
        if let Some(file) = self.files.get(&id) {
            if file.state == State::Done {
                self.orders.push_back(Order::Tell(FileMessage::Done { id }));
            }
            return Ok(());
        }
        self.has_room()?;
        // Before the answer a folder is not remembered: it is offered again.
        if self.batches.get(&batch).is_none_or(|batch| batch.answer != Answer::Yes) {
            return Ok(());
        }
        let Ok(path) = SafePath::parse(path) else {
            self.orders.push_back(Order::Tell(FileMessage::Decline { id }));
            return Err(Fault::Path);
        };
        let state = State::Keeping { digest: None };
        self.open += 1;
        self.files.insert(id, File { size: 0, stored: 0, batch, expected: None, is_folder: true, state });
        self.orders.push_back(Order::Folder { id, path });
        Ok(())
    }

    fn has_room(&self) -> Result<(), Fault> {
        let is_full = self.files.len() >= MOST_FILES || self.open >= MOST_OPEN;
        if is_full { Err(Fault::TooMany) } else { Ok(()) }
    }

    fn open(&mut self, id: Id, offer: &Offer) {
        let path = match &offer.path {
            Some(path) => SafePath::parse(path),
            None => Ok(SafePath::from_name(&offer.name)),
        };
        let Some(file) = self.files.get_mut(&id) else { return };
        match path {
            Ok(path) => {
                file.state = State::Opening;
                let (size, modified) = (offer.size, offer.modified);
                self.orders.push_back(Order::Open { id, path, size, modified });
            }
            Err(error) => {
                self.faults += 1;
                self.failed(id, &error.to_string());
            }
        }
    }

    /// Whether a file is complete, and can be compared.
    fn look(&mut self, id: Id) {
        let Some(file) = self.files.get_mut(&id) else { return };
        let is_under_way = matches!(file.state, State::Ready { .. } | State::Receiving { .. });
        if is_under_way && file.stored == file.size && file.expected.is_some() {
            file.state = State::Hashing;
            self.orders.push_back(Order::Hash { id });
        }
    }

    fn cancelled(&mut self, id: Id, reason: &str) {
        if self.files.contains_key(&id) {
            return self.end(id, State::Lost, End::Cancelled(reason.to_owned()));
        }
        let Some(batch) = self.batches.get_mut(&id) else { return };
        if batch.answer == Answer::Asked {
            batch.answer = Answer::No;
        }
        batch.announced = Some((0, 0));
        let of_it: Vec<Id> =
            self.files.iter().filter(|(_, file)| file.batch == id).map(|(id, _)| *id).collect();
        for id in of_it {
            self.end(id, State::Lost, End::Cancelled(reason.to_owned()));
        }
    }

    fn end(&mut self, id: Id, state: State, end: End) {
        let Some(file) = self.files.get_mut(&id) else { return };
        if matches!(file.state, State::Done | State::Declined | State::Lost) {
            return;
        }
        self.open -= 1;
        file.state = state;
        let batch = file.batch;
        let is_folder = file.is_folder;
        if let Some(batch) = self.batches.get_mut(&batch) {
            let ended = if is_folder { &mut batch.ended.1 } else { &mut batch.ended.0 };
            *ended += 1;
        }
        self.orders.push_back(Order::Release { id });
        self.orders.push_back(Order::Ended { id, end });
    }
}

#[cfg(test)]
mod tests;
