//! The driver's ends of data channels: messages go out in batches, as they were queued, and come in by pieces.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use peer::{ChannelError, ChannelId, ChannelMessage};

use super::clock;
use crate::budget::Budget;
use crate::channel::{Job, Line, NO_STREAM, Piece, Trunk};
use crate::queue::{Receiver, Sender, queue};
use crate::{DataChannel, DataChannelState};

/// How many jobs are done before everything else has its turn.
const JOBS: usize = 1024;

/// Messages that a queue keeps room for while none waits in it, so that messages one by one take nothing from the heap.
const WAITING: usize = 32;

/// How many bytes are queued before everything else has its turn.
const BYTES: usize = 1 << 20;

#[derive(Debug)]
struct End {
    line: Arc<Line>,
    pieces: Sender<Piece>,
    /// Bytes that the association was given, ever.
    given: u64,
    is_busy: bool,
    /// What the association has no room for, and what was queued after it. Other channels are not held up by it.
    stuck: VecDeque<Job>,
}

/// All channels of a connection.
#[derive(Debug)]
pub(super) struct Channels {
    trunk: Arc<Trunk>,
    jobs: Receiver<Job>,
    /// Channels for which the association has no room, in the order in which they go on.
    stuck: VecDeque<ChannelId>,
    /// Boxed, as a map makes room for eleven.
    ends: BTreeMap<ChannelId, Box<End>>,
    /// Those that have something to send.
    busy: Vec<ChannelId>,
    budget: Arc<Budget>,
}

impl Channels {
    pub(super) fn new(budget: Arc<Budget>) -> Self {
        let (sender, jobs) = queue(WAITING);
        Self {
            trunk: Arc::new(Trunk { jobs: sender, longest: u64::MAX.into(), returned: Arc::default() }),
            jobs,
            stuck: VecDeque::new(),
            ends: BTreeMap::new(),
            busy: Vec::new(),
            budget,
        }
    }

    /// Makes the two ends of a channel's line.
    pub(super) fn adopt(&mut self, peer: &peer::PeerConnection, id: ChannelId) -> Option<DataChannel> {
        let channel = peer.channel(id)?;
        let line = Arc::new(Line::new(id, channel, Arc::clone(&self.trunk)));
        let (sender, pieces) = queue(WAITING);
        let handle = DataChannel::new(Arc::clone(&line), pieces, Arc::clone(&self.budget));
        let end = End { line, pieces: sender, given: 0, is_busy: false, stuck: VecDeque::new() };
        self.ends.insert(id, Box::new(end));
        Some(handle)
    }

    pub(super) fn opened(&mut self, peer: &peer::PeerConnection, id: ChannelId) {
        let Some(end) = self.ends.get(&id) else { return };
        let stream = peer.channel(id).and_then(peer::Channel::stream);
        end.line.stream.store(stream.map_or(NO_STREAM, usize::from), Ordering::SeqCst);
        self.trunk.longest.store(peer.max_message_size(), Ordering::Relaxed);
        end.line.set_state(Some(DataChannelState::Open));
    }

    pub(super) fn closing(&mut self, id: ChannelId) {
        if let Some(end) = self.ends.get(&id) {
            end.line.set_state(Some(DataChannelState::Closing));
        }
    }

    pub(super) fn closed(&mut self, id: ChannelId) {
        // Dropping it tells its handle.
        self.ends.remove(&id);
    }

    pub(super) fn deliver(&mut self, peer: &mut peer::PeerConnection, part: ChannelMessage) {
        let Some(end) = self.ends.get(&part.channel) else { return peer.recycle(part.data) };
        end.put(&self.budget, Piece::Part(part));
    }

    /// Gives the association the buffers that the application is done with.
    pub(super) fn recycle(&self, peer: &mut peer::PeerConnection) {
        while let Some(buffer) = self.trunk.returned.take() {
            peer.recycle(buffer);
        }
    }

    pub(super) fn abort(&mut self, channel: ChannelId, id: u64) {
        if let Some(end) = self.ends.get(&channel) {
            end.put(&self.budget, Piece::Aborted(id));
        }
    }

    /// The association may have room again; whether it has taken anything.
    pub(super) fn resume(&mut self, peer: &mut peer::PeerConnection) -> bool {
        let (now, mut any) = (clock(), false);
        for id in std::mem::take(&mut self.stuck) {
            let Some(end) = self.ends.get_mut(&id) else { continue };
            for job in std::mem::take(&mut end.stuck) {
                any |= self.take_up(peer, now, job).is_some();
            }
        }
        any
    }

    /// Does what was queued; says whether there was anything.
    pub(super) fn poll_jobs(
        &mut self,
        peer: &mut peer::PeerConnection,
        context: &mut std::task::Context<'_>,
    ) -> bool {
        let std::task::Poll::Ready(Some(first)) = self.jobs.poll_recv(context) else { return false };
        let (now, mut bytes, mut next) = (clock(), 0, Some(first));
        for _ in 0..JOBS {
            let Some(job) = next.take() else { return true };
            bytes += self.take_up(peer, now, job).unwrap_or_default();
            if bytes >= BYTES {
                break;
            }
            next = self.jobs.try_recv();
        }
        if let Some(job) = next {
            self.take_up(peer, now, job);
        }
        true
    }

    /// Does one thing, and says how many bytes the association was given; none: it must wait.
    fn take_up(&mut self, peer: &mut peer::PeerConnection, now: Instant, job: Job) -> Option<usize> {
        let id = job.channel();
        if let Some(end) = self.ends.get_mut(&id).filter(|end| !end.stuck.is_empty()) {
            end.stuck.push_back(job);
            return None;
        }
        match self.perform(peer, now, job) {
            Ok(bytes) => Some(bytes),
            Err(job) => {
                if let Some(end) = self.ends.get_mut(&id) {
                    end.stuck.push_back(job);
                    self.stuck.push_back(id);
                }
                None
            }
        }
    }

    /// Does one thing, or gives it back for lack of room.
    fn perform(&mut self, peer: &mut peer::PeerConnection, now: Instant, job: Job) -> Result<usize, Job> {
        let (channel, kind, message) = match job {
            Job::Close(channel) => {
                if let Some(end) = self.ends.get(&channel) {
                    end.line.set_state(Some(DataChannelState::Closing));
                }
                peer.close_channel(now, channel);
                return Ok(0);
            }
            Job::Send { channel, kind, message } => (channel, kind, message),
        };
        let length = message.len();
        // A message that is not sent has left all the same: its channel is closed, which its sender is told.
        if let Err(ChannelError::Full) = peer.send(now, channel, kind, message.clone()) {
            return Err(Job::Send { channel, kind, message });
        }
        if let Some(end) = self.ends.get_mut(&channel) {
            end.line.room.give_back(length);
            end.given += length as u64;
            if !end.is_busy {
                end.is_busy = true;
                self.busy.push(channel);
            }
        }
        Ok(length)
    }

    /// Tells handles how much has left.
    pub(super) fn account(&mut self, peer: &peer::PeerConnection) {
        let ends = &mut self.ends;
        self.busy.retain(|id| {
            let Some(end) = ends.get_mut(id) else { return false };
            let waiting = peer.buffered_amount(*id) as u64;
            let left = end.given.saturating_sub(waiting);
            if end.line.left.swap(left, Ordering::SeqCst) != left {
                end.line.changed.ring();
            }
            end.is_busy = waiting > 0;
            end.is_busy
        });
    }
}

impl End {
    fn put(&self, budget: &Budget, piece: Piece) {
        budget.put(piece.len());
        if let Err(unheard) = self.pieces.send(piece) {
            budget.take(unheard.len());
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.line.set_state(None);
        self.line.room.close();
    }
}
