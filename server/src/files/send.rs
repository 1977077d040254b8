//! `twocan send`: offers files to whoever comes with the code, and sends what is accepted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use twocan::DataChannel;

use super::code::Keys;
use super::digest::{Digest, LEAF, TreeHash};
use super::link::Link;
use super::message::FileMessage;
use super::sending::{End, Order, Sending};
use super::source::{Reader, Source};
use super::transfer::{self, Ending, Side};
use super::ui::Ui;

/// Bytes of a message: travels well between all browsers (RFC 8831 §6.6).
const PIECE: usize = 64 << 10;

/// Blocks that are read ahead.
const AHEAD: usize = 2;

/// A channel that closed by itself is tried again after that long.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// Reports that may wait.
const REPORTS: usize = 64;

/// What a task says that sends a file.
enum Report {
    /// All was sent; the task waits for its end.
    Sent {
        item: usize,
        attempt: u64,
        digest: Digest,
    },
    /// The channel closed before.
    Interrupted {
        item: usize,
        attempt: u64,
    },
    Unreadable {
        item: usize,
        error: std::io::Error,
    },
    /// The tree so far, for the next attempt.
    Hash {
        item: usize,
        hash: TreeHash,
    },
}

/// A file that is being sent. The task ends with it.
struct Active {
    /// Which of all: reports of earlier ones come late.
    attempt: u64,
    stored: watch::Sender<u64>,
}

struct Sender<'a> {
    ui: &'a mut Ui,
    machine: Sending,
    places: Vec<PathBuf>,
    hashes: BTreeMap<usize, TreeHash>,
    active: BTreeMap<usize, Active>,
    attempts: u64,
    reports: mpsc::Sender<Report>,
    bad: usize,
    done: u64,
    begun: Instant,
}

/// Sends until everything has arrived, or it cannot go on.
pub(super) async fn run(link: Link, source: Source, keys: &Keys, patience: Duration, ui: &mut Ui) -> Ending {
    let Source { items, places, name, .. } = source;
    let total: u64 = items.iter().map(|item| item.size).sum();
    let batch = keys.file_id(&format!("batch of {name}"), total, items.len() as u64);
    ui.begin(total);
    let (reports, inbox) = mpsc::channel(REPORTS);
    let sender = Sender {
        ui,
        machine: Sending::new(batch, name, items),
        places,
        hashes: BTreeMap::new(),
        active: BTreeMap::new(),
        attempts: 0,
        reports,
        bad: 0,
        done: 0,
        begun: Instant::now(),
    };
    transfer::run(sender, link, inbox, patience).await
}

impl Side for Sender<'_> {
    type Report = Report;

    fn ui(&mut self) -> &mut Ui {
        self.ui
    }

    async fn work(&mut self, link: &Link) -> Option<Ending> {
        while let Some(order) = self.machine.poll_order() {
            self.obey(order, link).await;
        }
        self.machine.is_over().then(|| self.ending())
    }

    fn heed(&mut self, report: Report) {
        let is_present = |active: &BTreeMap<usize, Active>, item: usize, attempt: u64| {
            active.get(&item).is_some_and(|active| active.attempt == attempt)
        };
        match report {
            Report::Sent { item, attempt, digest } if is_present(&self.active, item, attempt) => {
                self.ui.digest(self.machine.item(item).id, &digest);
                self.machine.sent(item, digest);
            }
            Report::Interrupted { item, attempt } if is_present(&self.active, item, attempt) => {
                self.active.remove(&item);
                self.machine.interrupted(item);
            }
            Report::Sent { .. } | Report::Interrupted { .. } => {}
            Report::Unreadable { item, error } => self.machine.unreadable(item, &error.to_string()),
            Report::Hash { item, hash } => {
                let known = self.hashes.entry(item).or_default();
                if hash.leaves() > known.leaves() {
                    *known = hash;
                }
            }
        }
    }

    /// That is what a sender is for.
    fn alone(&mut self) {}

    fn linked(&mut self) {
        self.machine.linked();
    }

    fn unlinked(&mut self) {
        self.machine.unlinked();
    }

    fn said(&mut self, message: FileMessage) {
        self.machine.handle(message);
    }

    /// A receiver has no channel to open: it is closed again.
    fn opened(&mut self, channel: DataChannel) {
        drop(channel);
    }

    /// Nobody wants more: the tasks end by themselves.
    async fn stop(&mut self, _: &mut mpsc::Receiver<Report>) {
        self.active.clear();
    }
}

impl Sender<'_> {
    async fn obey(&mut self, order: Order, link: &Link) {
        match order {
            Order::Tell(message) => link.tell(message).await,
            Order::Stored { item, bytes } => {
                if let Some(active) = self.active.get(&item) {
                    active.stored.send_replace(bytes);
                    self.ui.progress(self.machine.item(item).id, bytes);
                }
            }
            Order::Stop { item } => {
                self.active.remove(&item);
            }
            Order::Start { item, offset, window } => self.start(item, offset, window, link).await,
            Order::Ended { item, end } => {
                let described = self.machine.item(item);
                self.hashes.remove(&item);
                match &end {
                    End::Done => self.done += u64::from(!described.is_folder),
                    _ => self.bad += 1,
                }
                match end {
                    End::Done if described.is_folder => {}
                    End::Done => self.ui.done(described.id, &described.path, described.size, None),
                    End::Declined if self.machine.is_declined() => {}
                    End::Declined => self.ui.not_done(described.id, &described.path, "they do not want it"),
                    End::Cancelled(why) => {
                        let why = if why.is_empty() { "they ended it" } else { &why };
                        self.ui.not_done(described.id, &described.path, why);
                    }
                    End::Unreadable(why) => {
                        let why = format!("not sent: {why}; when it is as it should be, send it again");
                        self.ui.not_done(described.id, &described.path, &why);
                    }
                }
            }
        }
    }

    async fn start(&mut self, item: usize, offset: u64, window: u64, link: &Link) {
        let (stored, watched) = watch::channel(offset);
        let described = self.machine.item(item);
        let label = format!("file/{}/{offset}", described.id);
        let channel = link.open_channel(&label).await;
        self.attempts += 1;
        let attempt = self.attempts;
        self.active.insert(item, Active { attempt, stored });
        let Some(channel) = channel else {
            // The connection is about to go, or has no channel left.
            let reports = self.reports.clone();
            tokio::spawn(async move {
                tokio::time::sleep(TRY_AGAIN).await;
                let _ = reports.send(Report::Interrupted { item, attempt }).await;
            });
            return;
        };
        self.ui.file(described.id, &described.path, described.size, offset);
        let job = Job {
            item,
            attempt,
            channel,
            place: self.places[item].clone(),
            size: described.size,
            modified: described.modified,
            offset,
            window,
            stored: watched,
            reports: self.reports.clone(),
        };
        let hash = self.hashes.remove(&item).unwrap_or_default();
        tokio::spawn(job.run(hash));
    }

    fn ending(&mut self) -> Ending {
        if self.machine.is_declined() {
            return Ending::Declined;
        }
        self.ui.all_done(self.done, self.begun.elapsed());
        if self.bad == 0 { Ending::Done } else { Ending::Partly(self.bad) }
    }
}

/// One file over one channel.
struct Job {
    item: usize,
    attempt: u64,
    channel: DataChannel,
    place: PathBuf,
    size: u64,
    modified: u64,
    offset: u64,
    window: u64,
    /// How much the other side has stored; closed when the file's end is known.
    stored: watch::Receiver<u64>,
    reports: mpsc::Sender<Report>,
}

/// Why a job ends before all is sent.
enum Stopped {
    Unreadable,
    Closed,
    /// Nobody wants more.
    Called,
}

impl Job {
    async fn run(mut self, hash: TreeHash) {
        let (item, attempt) = (self.item, self.attempt);
        let (blocks, incoming) = mpsc::channel(AHEAD);
        let (place, size, modified, offset) = (self.place.clone(), self.size, self.modified, self.offset);
        let reading = move || read(&place, size, modified, offset, hash, &blocks);
        let reading = tokio::task::spawn_blocking(reading);
        // However long the receiver takes nothing: whoever is called off ends.
        let mut stored = self.stored.clone();
        let called_off = async { while stored.changed().await.is_ok() {} };
        let sent = tokio::select! {
            sent = self.send(incoming) => sent,
            () = called_off => Err(Stopped::Called),
        };
        // The reader ends when nobody takes its blocks.
        let Ok((hash, read)) = reading.await else { return };
        // Whoever asked for the job has gone where a report is not taken.
        let report = match (read, sent) {
            (Err(error), Ok(()) | Err(Stopped::Unreadable)) => Report::Unreadable { item, error },
            (_, Ok(())) => Report::Sent { item, attempt, digest: hash.finish() },
            (_, Err(Stopped::Called)) => {
                let _ = self.reports.send(Report::Hash { item, hash }).await;
                return;
            }
            (_, Err(_)) => {
                let _ = self.reports.send(Report::Hash { item, hash }).await;
                tokio::time::sleep(TRY_AGAIN).await;
                Report::Interrupted { item, attempt }
            }
        };
        let _ = self.reports.send(report).await;
        // The channel lives until the receiver has compared.
        while self.stored.changed().await.is_ok() {}
    }

    async fn send(&mut self, mut blocks: mpsc::Receiver<(u64, Vec<u8>)>) -> Result<(), Stopped> {
        self.channel.ready().await.map_err(|_| Stopped::Closed)?;
        let mut position = self.offset;
        while position < self.size {
            let Some((start, block)) = blocks.recv().await else { return Err(Stopped::Unreadable) };
            let mut block = Bytes::from(block);
            let skipped = usize::try_from(position.saturating_sub(start)).unwrap_or(usize::MAX);
            let _ = block.split_to(skipped.min(block.len()));
            while !block.is_empty() {
                let window = self.window;
                let has_room = |stored: &u64| has_room(position, *stored, window);
                self.stored.wait_for(has_room).await.map_err(|_| Stopped::Called)?;
                let piece = block.split_to(block.len().min(PIECE));
                position += piece.len() as u64;
                self.channel.send(piece).await.map_err(|_| Stopped::Closed)?;
            }
        }
        Ok(())
    }
}

/// Whether more may be sent from `position` on. A receiver may claim to have stored what was not sent yet.
fn has_room(position: u64, stored: u64, window: u64) -> bool {
    position.saturating_sub(stored) < window
}

/// Reads on a thread that may block: hashes what was not hashed yet, hands out what is to be sent.
fn read(
    place: &Path,
    size: u64,
    modified: u64,
    offset: u64,
    mut hash: TreeHash,
    blocks: &mpsc::Sender<(u64, Vec<u8>)>,
) -> (TreeHash, std::io::Result<()>) {
    let from = (hash.leaves() * LEAF).min(offset);
    let mut reading = || -> std::io::Result<()> {
        let mut reader = Reader::open(place, size, modified, from)?;
        while let Some((start, block)) = reader.next()? {
            if start / LEAF == hash.leaves() {
                hash.add(&block);
            }
            let is_wanted = start + block.len() as u64 > offset;
            if is_wanted && blocks.blocking_send((start, block)).is_err() {
                break;
            }
        }
        Ok(())
    };
    let read = reading();
    (hash, read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_kept_whatever_a_receiver_claims() {
        assert!(has_room(7, 0, 8));
        assert!(!has_room(8, 0, 8));
        assert!(has_room(8, 1, 8));
        assert!(has_room(8, 9, 8), "more than was sent");
        assert!(has_room(0, u64::MAX, 8));
    }
}
