//! Which stream's turn it is: weighted fair queueing (RFC 8260 §3.6; weights as priorities, RFC 8831 §6.4).
//!
//! Every stream has a virtual time that runs as fast as it sends, divided by its weight; the stream whose
//! time is earliest is served. A stream that was idle starts at the present, so that a small message beside
//! a bulk transfer goes out with the next packet.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Scale of virtual time: a byte at weight 1.
const SCALE: u64 = 1 << 16;

/// A stream in the queue: its virtual time first, since that orders the heap.
type Entry = Reverse<(u64, u16)>;

/// Streams that have something to send. Memory: 16 bytes a stream.
#[derive(Debug, Default)]
pub(crate) struct Scheduler {
    /// The stream that is being served, with its virtual time.
    current: Option<(u64, u16)>,
    waiting: BinaryHeap<Entry>,
    /// Virtual time of the last service.
    clock: u64,
}

impl Scheduler {
    /// A stream that had nothing to send has something now. `virtual_time` is its own, from before.
    pub(crate) fn activate(&mut self, stream: u16, virtual_time: u64) {
        self.waiting.push(Reverse((virtual_time.max(self.clock), stream)));
    }

    /// The stream whose turn it is. `may_switch`: the current one may be interrupted.
    #[inline]
    pub(crate) fn pick(&mut self, may_switch: impl FnOnce(u16) -> bool) -> Option<u16> {
        if let Some((time, stream)) = self.current {
            let Some(&Reverse((earliest, _))) = self.waiting.peek() else { return Some(stream) };
            if earliest >= time || !may_switch(stream) {
                return Some(stream);
            }
            self.waiting.push(Reverse((time, stream)));
        }
        let Reverse((time, stream)) = self.waiting.pop()?;
        self.clock = self.clock.max(time);
        self.current = Some((time, stream));
        Some(stream)
    }

    /// The current stream sent `bytes`.
    #[inline]
    pub(crate) fn served(&mut self, bytes: u64, weight: u16) {
        if let Some((time, _)) = &mut self.current {
            self.clock = self.clock.max(*time);
            *time += bytes * SCALE / u64::from(weight.max(1));
        }
    }

    /// The current stream has nothing more to send; its virtual time, to keep.
    pub(crate) fn retire(&mut self) -> u64 {
        self.current.take().map_or(self.clock, |(time, _)| time)
    }

    pub(crate) fn shrink(&mut self) {
        self.waiting.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who is served in turn, a hundred bytes each.
    fn turns(scheduler: &mut Scheduler, weights: &[u16], count: usize) -> String {
        (0..count)
            .map(|_| {
                let stream = scheduler.pick(|_| true).unwrap();
                scheduler.served(100, weights[usize::from(stream)]);
                char::from(b'a' + u8::try_from(stream).unwrap())
            })
            .collect()
    }

    #[test]
    fn weights_share_and_newcomers_go_first() {
        let mut scheduler = Scheduler::default();
        let weights = [128, 256, 512];
        scheduler.activate(0, 0);
        scheduler.activate(1, 0);
        let served = turns(&mut scheduler, &weights, 30);
        assert_eq!(served.matches('a').count(), 10, "{served}");
        scheduler.activate(2, 0);
        assert!(turns(&mut scheduler, &weights, 3).contains('c'));
        let served = turns(&mut scheduler, &weights, 70);
        assert!((38..=42).contains(&served.matches('c').count()), "{served}");
    }
}
