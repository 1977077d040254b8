//! What waits to leave: by priority, then in turn by stream, then in order (libwebrtc's `PrioritizedPacketQueue`;
//! RFC 8836 §2 asks that streams of one sender share what there is).

use std::collections::VecDeque;

use super::QUEUE_LIMIT;
use crate::time::Micros;

/// What goes before what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Audio: small, and missed at once.
    Audio,
    /// What was lost, and is waited for.
    Retransmission,
    /// Video.
    Video,
    /// What nobody waits for: forward error correction.
    Repair,
}

const PRIORITIES: usize = 4;
/// Packets for which a stream keeps room.
const FEW: usize = 64;
/// Streams that may have packets waiting, for each priority.
const STREAMS: usize = 256;

#[derive(Debug)]
pub(super) struct Queued<T> {
    pub(super) item: T,
    pub(super) bytes: u32,
    pub(super) queued_at: Micros,
}

#[derive(Debug)]
struct Stream<T> {
    id: u64,
    packets: VecDeque<Queued<T>>,
}

#[derive(Debug)]
struct Class<T> {
    /// Those without packets stay, for their memory, until their place is needed.
    streams: Vec<Stream<T>>,
    /// Whose turn it is.
    turn: usize,
    count: usize,
    bytes: u64,
}

#[derive(Debug)]
pub(super) struct Queues<T> {
    classes: [Class<T>; PRIORITIES],
    count: usize,
    bytes: u64,
    /// The sum of times at which they were queued.
    queued_at: i128,
    /// Nothing was queued since this was set.
    is_resting: bool,
}

impl<T> Queues<T> {
    pub(super) fn new() -> Self {
        let class = |_| Class { streams: Vec::new(), turn: 0, count: 0, bytes: 0 };
        Self { classes: std::array::from_fn(class), count: 0, bytes: 0, queued_at: 0, is_resting: false }
    }

    pub(super) fn push(&mut self, stream: u64, priority: Priority, queued: Queued<T>) -> Result<(), T> {
        if self.count >= QUEUE_LIMIT {
            return Err(queued.item);
        }
        let (bytes, queued_at) = (queued.bytes, queued.queued_at);
        self.classes[priority as usize].push(stream, queued)?;
        self.is_resting = false;
        self.count += 1;
        self.bytes += u64::from(bytes);
        self.queued_at += i128::from(queued_at);
        Ok(())
    }

    /// Gives memory back if nothing was queued since the last time.
    pub(super) fn rest(&mut self) {
        if self.is_resting && self.count == 0 {
            self.classes.iter_mut().for_each(|class| class.streams = Vec::new());
        }
        self.is_resting = true;
    }

    /// The next packet.
    pub(super) fn pop(&mut self) -> Option<Queued<T>> {
        let queued = self.classes.iter_mut().find_map(Class::pop)?;
        self.forget(&queued);
        Some(queued)
    }

    /// The next packet of audio.
    pub(super) fn pop_audio(&mut self) -> Option<Queued<T>> {
        let queued = self.classes[Priority::Audio as usize].pop()?;
        self.forget(&queued);
        Some(queued)
    }

    fn forget(&mut self, queued: &Queued<T>) {
        self.count -= 1;
        self.bytes -= u64::from(queued.bytes);
        self.queued_at -= i128::from(queued.queued_at);
    }

    pub(super) fn drop_stream(&mut self, stream: u64, mut dropped: impl FnMut(T)) {
        for class in 0..PRIORITIES {
            let place = self.classes[class].streams.iter().position(|known| known.id == stream);
            let Some(place) = place else { continue };
            while let Some(queued) = self.classes[class].streams[place].packets.pop_front() {
                self.classes[class].count -= 1;
                self.classes[class].bytes -= u64::from(queued.bytes);
                self.forget(&queued);
                dropped(queued.item);
            }
        }
    }

    pub(super) fn has_audio(&self) -> bool {
        self.classes[Priority::Audio as usize].count > 0
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Those of a priority, and of what goes before it.
    pub(super) fn bytes_until(&self, priority: Priority) -> u64 {
        self.classes.iter().take(priority as usize + 1).map(|class| class.bytes).sum()
    }

    /// How long packets have waited on average.
    pub(super) fn mean_wait(&self, now: Micros) -> Micros {
        if self.count == 0 {
            return 0;
        }
        let mean = match Micros::try_from(self.queued_at) {
            Ok(sum) => sum / self.count as Micros,
            Err(_) => Micros::try_from(self.queued_at / self.count as i128).unwrap_or(now),
        };
        (now - mean).max(0)
    }
}

impl<T> Class<T> {
    fn push(&mut self, stream: u64, queued: Queued<T>) -> Result<(), T> {
        let place = match self.streams.iter().position(|known| known.id == stream) {
            Some(place) => place,
            None if self.streams.len() < STREAMS => {
                self.streams.push(Stream { id: stream, packets: VecDeque::new() });
                self.streams.len() - 1
            }
            None => {
                let Some(place) = self.streams.iter().position(|known| known.packets.is_empty()) else {
                    return Err(queued.item);
                };
                self.streams[place].id = stream;
                place
            }
        };
        self.bytes += u64::from(queued.bytes);
        self.streams[place].packets.push_back(queued);
        self.count += 1;
        Ok(())
    }

    fn pop(&mut self) -> Option<Queued<T>> {
        if self.count == 0 {
            return None;
        }
        let streams = self.streams.len();
        for _ in 0..streams {
            let place = self.turn % streams;
            self.turn = (place + 1) % streams;
            let packets = &mut self.streams[place].packets;
            if let Some(queued) = packets.pop_front() {
                self.count -= 1;
                self.bytes -= u64::from(queued.bytes);
                if packets.is_empty() && packets.capacity() > FEW {
                    // A jam is over: what it needed is not kept.
                    packets.shrink_to(FEW);
                }
                return Some(queued);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_back_where_nothing_waited_since_the_last_time() {
        let mut queues = Queues::new();
        let push = |queues: &mut Queues<u32>, item| {
            let queued = Queued { item, bytes: 100, queued_at: 0 };
            queues.push(u64::from(item % 3), Priority::Video, queued).unwrap();
        };
        let room = |queues: &Queues<u32>| -> usize {
            let streams = queues.classes.iter().flat_map(|class| &class.streams);
            streams.map(|stream| stream.packets.capacity()).sum()
        };
        (0..30).for_each(|item| push(&mut queues, item));
        queues.rest();
        queues.rest();
        assert_eq!(queues.count(), 30, "what waits stays");
        while queues.pop().is_some() {}
        assert!(room(&queues) >= 30);
        push(&mut queues, 1);
        assert_eq!(queues.pop().map(|queued| queued.item), Some(1));
        queues.rest();
        assert!(room(&queues) >= 30, "something waited");
        queues.rest();
        assert_eq!(room(&queues), 0);
        push(&mut queues, 7);
        assert_eq!(queues.pop().map(|queued| queued.item), Some(7));
        assert!(queues.pop().is_none());
    }
}
