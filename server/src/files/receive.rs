//! `twocan receive`: asks what is offered, stores what comes, checks it, and gives it its name.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::AbortHandle;
use tokio::time::Instant;
use twocan::{DataChannel, Message};

use super::digest::LEAF;
use super::disk::{Found, Partial, Store};
use super::link::Link;
use super::message::{FileMessage, Id};
use super::path::SafePath;
use super::question::{Answer, Existing};
use super::receiving::{End, Order, Question, Receiving};
use super::transfer::{self, Ending, Side};
use super::ui::Ui;

/// Blocks that wait for the disk, per file; beyond, nothing more is taken from the network.
const BLOCKS: usize = 8;

/// And of all files.
const ALL_BLOCKS: usize = 64;

/// Files that come at once: each has a thread that stores it, and a block that is being gathered. A channel beyond is
/// closed again; an honest sender has half as many, and would come back with it.
const MOST_BUSY: usize = 128;

/// Reports that may wait.
const REPORTS: usize = 256;

/// What tasks say.
enum Report {
    Found {
        id: Id,
        found: io::Result<Found>,
    },
    /// Bytes came, which are not stored yet.
    Came {
        id: Id,
        bytes: u64,
    },
    Stored {
        id: Id,
        bytes: u64,
    },
    /// The file's channel is closed, and all that came is stored.
    Rested {
        partial: Box<Partial>,
        wrote: io::Result<()>,
    },
    Kept {
        id: Id,
        kept: io::Result<SafePath>,
    },
    FolderMade {
        id: Id,
        made: io::Result<()>,
    },
    Answered {
        id: Id,
        yes: bool,
    },
    AnsweredExisting {
        id: Id,
        answer: Answer,
    },
}

/// A file on its way in.
enum Slot {
    /// Nothing comes.
    Resting(Box<Partial>),
    /// A task reads its channel, and another one stores.
    Busy { reader: AbortHandle, then: Then },
}

/// What is to be done when a busy file rests.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Nothing,
    Settle,
    Hash,
    Discard,
    Forget,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asks {
    /// Whether what is offered is wanted.
    pub(super) offers: bool,
    /// What to do with a file whose name is taken.
    pub(super) existing: Existing,
}

/// A question.
enum Ask {
    Offer(Question),
    /// About a file, and how long the one is that is there; bytes.
    Existing {
        id: Id,
        old: u64,
    },
}

struct Receiver<'a> {
    ui: &'a mut Ui,
    machine: Receiving,
    store: Arc<Store>,
    slots: BTreeMap<Id, Slot>,
    paths: BTreeMap<Id, (SafePath, u64)>,
    /// Which of them are folders: they are made, and no files that arrive.
    folders: BTreeSet<Id>,
    reports: mpsc::Sender<Report>,
    /// What a person is to be asked; the first one is.
    questions: VecDeque<Ask>,
    /// Room for blocks that wait for the disk.
    room: Arc<Semaphore>,
    asks: Asks,
    declined: bool,
    bad: usize,
    done: u64,
    /// The disk takes no more.
    full: Option<String>,
    begun: Instant,
}

/// Receives until everything that was offered is here, or it cannot go on.
pub(super) async fn run(link: Link, store: Store, asks: Asks, patience: Duration, ui: &mut Ui) -> Ending {
    let (reports, inbox) = mpsc::channel(REPORTS);
    let receiver = Receiver {
        ui,
        machine: Receiving::default(),
        store: Arc::new(store),
        slots: BTreeMap::new(),
        paths: BTreeMap::new(),
        folders: BTreeSet::new(),
        reports,
        questions: VecDeque::new(),
        room: Arc::new(Semaphore::new(ALL_BLOCKS)),
        asks,
        declined: false,
        bad: 0,
        done: 0,
        full: None,
        begun: Instant::now(),
    };
    transfer::run(receiver, link, inbox, patience).await
}

impl Side for Receiver<'_> {
    type Report = Report;

    fn ui(&mut self) -> &mut Ui {
        self.ui
    }

    async fn work(&mut self, link: &Link) -> Option<Ending> {
        while let Some(order) = self.machine.poll_order() {
            self.obey(order, link).await;
        }
        if let Some(why) = self.full.take() {
            return Some(Ending::DiskFull(why));
        }
        self.machine.is_over().then(|| self.ending())
    }

    fn heed(&mut self, report: Report) {
        match report {
            Report::Answered { id, yes } => {
                self.declined |= !yes;
                self.machine.answer(id, yes);
                self.questions.pop_front();
                self.ask();
            }
            Report::AnsweredExisting { id, answer } => {
                if answer.for_all {
                    self.asks.existing = answer.what;
                }
                self.decide(id, answer.what);
                self.questions.pop_front();
                self.ask();
            }
            Report::Found { id, found: Ok(Found::Whole) } => self.machine.known(id),
            Report::Found { id, found: Ok(Found::Part(partial)) } => {
                let existing = self.store.existing(&partial);
                self.slots.insert(id, Slot::Resting(partial));
                match existing {
                    Some(old) => self.push_question(Ask::Existing { id, old }),
                    None => self.act(id, Then::Settle),
                }
            }
            Report::Found { id, found: Err(error) }
            | Report::Kept { id, kept: Err(error) }
            | Report::FolderMade { id, made: Err(error) } => self.broken(id, &error),
            Report::Came { id, bytes } => {
                // Too many end the file, by an order; those of a channel that was given up count for nothing.
                let _ = self.machine.bytes(id, bytes);
            }
            Report::Stored { id, bytes } => {
                self.machine.stored(id, bytes);
                self.ui.progress(id, bytes);
            }
            Report::Rested { partial, wrote } => self.rested(partial, wrote),
            Report::Kept { id, kept: Ok(path) } => {
                if let Some(entry) = self.paths.get_mut(&id) {
                    entry.0 = path;
                }
                self.machine.kept(id);
            }
            Report::FolderMade { id, made: Ok(()) } => self.machine.kept(id),
        }
    }

    fn alone(&mut self) {
        self.ui.nobody();
    }

    /// The sender offers by itself.
    fn linked(&mut self) {}

    fn unlinked(&mut self) {
        self.machine.unlinked();
    }

    fn said(&mut self, message: FileMessage) {
        self.machine.handle(message);
    }

    fn opened(&mut self, channel: DataChannel) {
        let mut parts = channel.label().split('/');
        let (kind, id, offset) = (parts.next(), parts.next(), parts.next());
        let id = id.and_then(Id::parse).filter(|_| kind == Some("file"));
        let offset = offset.and_then(|offset| offset.parse().ok());
        let (Some(id), Some(offset)) = (id, offset) else { return };
        let busy = self.slots.values().filter(|slot| matches!(slot, Slot::Busy { .. })).count();
        if busy >= MOST_BUSY || !matches!(self.slots.get(&id), Some(Slot::Resting(_))) {
            return;
        }
        if self.machine.channel(id, offset).is_err() {
            return;
        }
        let Some(Slot::Resting(partial)) = self.slots.remove(&id) else { return };
        let Some((path, size)) = self.paths.get(&id) else { return };
        self.ui.file(id, &path.to_string(), *size, offset);
        let (blocks, incoming) = mpsc::channel(BLOCKS);
        let reports = self.reports.clone();
        tokio::task::spawn_blocking(move || write(partial, incoming, &reports));
        let reader = Reader { channel, id, left: size - offset, blocks, room: Arc::clone(&self.room) };
        let reader = tokio::spawn(reader.run(self.reports.clone())).abort_handle();
        self.slots.insert(id, Slot::Busy { reader, then: Then::Nothing });
    }

    /// Has everything that came stored.
    async fn stop(&mut self, inbox: &mut mpsc::Receiver<Report>) {
        let faults = self.machine.faults();
        if faults > 0 {
            self.ui.line(&format!(
                "The sender's program did {faults} things that no honest one does; they had no effect."
            ));
        }
        let mut busy: usize = 0;
        for slot in self.slots.values() {
            if let Slot::Busy { reader, .. } = slot {
                reader.abort();
                busy += 1;
            }
        }
        while busy > 0 {
            match inbox.recv().await {
                Some(Report::Rested { .. }) => busy -= 1,
                Some(_) => {}
                None => return,
            }
        }
    }
}

impl Receiver<'_> {
    async fn obey(&mut self, order: Order, link: &Link) {
        match order {
            Order::Tell(message) => link.tell(message).await,
            Order::Ask(question) => self.push_question(Ask::Offer(question)),
            Order::Open { id, path, size, modified } => {
                self.paths.insert(id, (path.clone(), size));
                let store = Arc::clone(&self.store);
                self.in_the_background(move || Report::Found {
                    id,
                    found: store.find(id, path, size, modified),
                });
            }
            Order::Folder { id, path } => {
                self.paths.insert(id, (path.clone(), 0));
                self.folders.insert(id);
                let store = Arc::clone(&self.store);
                self.in_the_background(move || Report::FolderMade { id, made: store.make_folder(&path) });
            }
            Order::Settle { id } => self.when_rested(id, Then::Settle),
            Order::Hash { id } => self.when_rested(id, Then::Hash),
            Order::Discard { id } => self.when_rested(id, Then::Discard),
            Order::Release { id } => self.when_rested(id, Then::Forget),
            Order::Keep { id } => {
                let Some(Slot::Resting(partial)) = self.slots.remove(&id) else { return };
                let store = Arc::clone(&self.store);
                self.in_the_background(move || Report::Kept { id, kept: store.keep(*partial) });
            }
            Order::Ended { id, end } => self.ended(id, end),
        }
    }

    fn push_question(&mut self, question: Ask) {
        self.questions.push_back(question);
        if self.questions.len() == 1 {
            self.ask();
        }
    }

    /// One question at a time: an answer is to the one that is read.
    fn ask(&mut self) {
        while let Some(question) = self.questions.front() {
            let reports = self.reports.clone();
            match *question {
                Ask::Offer(ref question) => {
                    let id = question.id;
                    self.ui.begin(question.size);
                    let answer = self.ui.ask(question, self.asks.offers);
                    tokio::spawn(async move {
                        let yes = answer.await;
                        let _ = reports.send(Report::Answered { id, yes }).await;
                    });
                    return;
                }
                Ask::Existing { id, old } => {
                    // It may have been called off while others were asked about.
                    if let Some((path, size)) = self.paths.get(&id) {
                        let (path, sizes) = (path.to_string(), [*size, old]);
                        if self.asks.existing == Existing::Ask {
                            let answer = self.ui.ask_existing(id, &path, sizes);
                            tokio::spawn(async move {
                                let answer = answer.await;
                                let _ = reports.send(Report::AnsweredExisting { id, answer }).await;
                            });
                            return;
                        }
                        self.ui.tell_existing(id, &path, sizes, self.asks.existing);
                        self.decide(id, self.asks.existing);
                    }
                    self.questions.pop_front();
                }
            }
        }
    }

    /// What becomes of a file whose name is taken.
    fn decide(&mut self, id: Id, what: Existing) {
        if what == Existing::Skip {
            return self.machine.skipped(id);
        }
        if let (Existing::Overwrite, Some(Slot::Resting(partial))) = (what, self.slots.get_mut(&id)) {
            partial.replace();
        }
        self.act(id, Then::Settle);
    }

    /// Disks block.
    fn in_the_background(&self, work: impl FnOnce() -> Report + Send + 'static) {
        let reports = self.reports.clone();
        tokio::task::spawn_blocking(move || {
            let _ = reports.blocking_send(work());
        });
    }

    /// Does it now, or as soon as the file's tasks have ended.
    fn when_rested(&mut self, id: Id, what: Then) {
        match self.slots.get_mut(&id) {
            Some(Slot::Busy { reader, then }) => {
                reader.abort();
                // What ends a file is not taken back by what follows.
                if *then != Then::Discard {
                    *then = what;
                }
            }
            Some(Slot::Resting(_)) => self.act(id, what),
            None => {}
        }
    }

    fn rested(&mut self, partial: Box<Partial>, wrote: io::Result<()>) {
        let id = partial.id;
        let then = match self.slots.get(&id) {
            Some(Slot::Busy { then, .. }) => *then,
            _ => Then::Forget,
        };
        self.slots.insert(id, Slot::Resting(partial));
        if let Err(error) = wrote {
            return self.broken(id, &error);
        }
        if then == Then::Nothing {
            self.machine.interrupted(id);
        }
        self.act(id, then);
    }

    fn act(&mut self, id: Id, what: Then) {
        let Some(Slot::Resting(partial)) = self.slots.get(&id) else { return };
        match what {
            Then::Nothing => {}
            Then::Settle => self.machine.opened(id, partial.stored()),
            Then::Hash => {
                let digest = partial.digest();
                self.machine.hashed(id, digest);
            }
            Then::Discard => {
                if let Some(Slot::Resting(partial)) = self.slots.remove(&id) {
                    partial.discard();
                }
            }
            Then::Forget => {
                self.slots.remove(&id);
            }
        }
    }

    /// The disk says no.
    fn broken(&mut self, id: Id, error: &io::Error) {
        use io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        if matches!(error.kind(), StorageFull | QuotaExceeded | ReadOnlyFilesystem) {
            self.full = Some(error.to_string());
        } else {
            self.machine.failed(id, &error.to_string());
        }
    }

    fn ended(&mut self, id: Id, end: End) {
        let Some((path, size)) = self.paths.get(&id) else {
            self.bad += usize::from(!matches!(end, End::Done { .. }));
            return;
        };
        let path = path.to_string();
        match end {
            End::Done { .. } if self.folders.remove(&id) => {}
            End::Done { digest } => {
                self.done += 1;
                self.ui.done(id, &path, *size, digest.as_ref());
            }
            End::Cancelled(why) => {
                self.bad += 1;
                let why = if why.is_empty() { "the sender ended it" } else { &why };
                self.ui.not_done(id, &path, why);
            }
            End::Failed(why) => {
                self.bad += 1;
                self.ui.not_done(id, &path, &why);
            }
            End::Skipped => self.ui.skipped(id, &path),
        }
        self.paths.remove(&id);
    }

    fn ending(&mut self) -> Ending {
        if self.declined && self.done == 0 {
            return Ending::Declined;
        }
        self.ui.all_done(self.done, self.begun.elapsed());
        if self.bad > 0 {
            return Ending::Partly(self.bad);
        }
        self.store.finish();
        Ending::Done
    }
}

/// A block, and its place in the room for all.
type Block = (Vec<u8>, OwnedSemaphorePermit);

/// Gathers blocks out of messages.
struct Reader {
    channel: DataChannel,
    id: Id,
    /// Bytes that are still to come.
    left: u64,
    blocks: mpsc::Sender<Block>,
    room: Arc<Semaphore>,
}

impl Reader {
    async fn run(mut self, reports: mpsc::Sender<Report>) {
        let size = |left: u64| usize::try_from(left.min(LEAF)).unwrap_or_default();
        let mut block = Vec::with_capacity(size(self.left));
        while self.left > 0 {
            let Some(message) = self.channel.recv().await else { return };
            let Message::Binary(bytes) = message else { continue };
            let count = bytes.len() as u64;
            let came = Report::Came { id: self.id, bytes: count };
            if reports.send(came).await.is_err() || count > self.left {
                return;
            }
            self.left -= count;
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let room = size(LEAF) - block.len();
                let (part, after) = rest.split_at(room.min(rest.len()));
                block.extend_from_slice(part);
                rest = after;
                if block.len() == size(LEAF) || (self.left == 0 && rest.is_empty()) {
                    let next = Vec::with_capacity(size(self.left + rest.len() as u64));
                    let Ok(place) = Arc::clone(&self.room).acquire_owned().await else { return };
                    if self.blocks.send((std::mem::replace(&mut block, next), place)).await.is_err() {
                        return;
                    }
                }
            }
        }
        // Kept open until the sender, or the end of the file, closes it.
        drop(self.blocks);
        while self.channel.recv().await.is_some() {}
    }
}

/// Stores blocks, on a thread that may block.
fn write(mut partial: Box<Partial>, mut blocks: mpsc::Receiver<Block>, reports: &mpsc::Sender<Report>) {
    let mut wrote = Ok(());
    while let Some((block, _place)) = blocks.blocking_recv() {
        wrote = partial.write(&block);
        if wrote.is_err() {
            break;
        }
        let stored = Report::Stored { id: partial.id, bytes: partial.stored() };
        if reports.blocking_send(stored).is_err() {
            break;
        }
    }
    partial.rest();
    let _ = reports.blocking_send(Report::Rested { partial, wrote });
}
