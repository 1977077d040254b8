//! State machines in virtual time, and what lies between them: what the targets that converse have in common.
//!
//! A target says what may happen and what must hold. The rest is here: commands are read until the input ends; after each
//! of them everybody has said all there is to say, and nothing is due any more; at last nobody interferes, and time goes
//! on until nobody waits for anything, or the target has seen enough.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::time::{Duration, Instant};

use arbitrary::{Arbitrary, Unstructured};

/// Calls that one moment may take before time must go on.
const PATIENCE: usize = 64;

/// A target's machines, each by its number.
pub(crate) trait Machines {
    /// What may happen.
    type Command: for<'a> Arbitrary<'a>;
    type Reason: Debug;
    const COUNT: usize = 2;
    /// How long they are watched at last, in virtual time.
    const END: Duration;
    /// What may happen until then.
    const WAKE_UPS: usize;

    fn now(&mut self) -> &mut Instant;
    fn obey(&mut self, command: Self::Command);
    /// Takes all that one has to say, and looks whether it keeps to its limits.
    fn drain(&mut self, who: usize);
    fn poll_timeout(&self, who: usize) -> Option<(Instant, Self::Reason)>;
    fn handle_timeout(&mut self, who: usize);

    /// What the network does at last, each time that somebody has said something: usually it is gone.
    fn finally(&mut self);

    /// Takes all that one has to say; then nothing of it is due any more.
    fn settle(&mut self, who: usize) {
        for _ in 0..PATIENCE {
            self.drain(who);
            let now = *self.now();
            if self.poll_timeout(who).is_none_or(|(at, _)| at > now) {
                return;
            }
            self.handle_timeout(who);
        }
        panic!("time stands still: {:?}", self.poll_timeout(who));
    }

    fn settle_all(&mut self) {
        (0..Self::COUNT).for_each(|who| self.settle(who));
    }

    /// Time passes.
    fn wait(&mut self, time: Duration) {
        *self.now() += time;
        for who in 0..Self::COUNT {
            self.handle_timeout(who);
            self.settle(who);
        }
    }

    /// Time passes until one is due.
    fn wake(&mut self, who: usize) {
        let now = *self.now();
        if let Some((at, _)) = self.poll_timeout(who) {
            self.wait(at.saturating_duration_since(now));
        }
    }
}

/// Does what the input says, and then waits.
pub(crate) fn run<M: Machines>(machines: &mut M, mut input: Unstructured<'_>) {
    machines.settle_all();
    while !input.is_empty() {
        let Ok(command) = input.arbitrary() else { break };
        machines.obey(command);
        machines.settle_all();
    }
    let end = *machines.now() + M::END;
    for _ in 0..M::WAKE_UPS {
        machines.finally();
        let now = *machines.now();
        let next = (0..M::COUNT).filter_map(|who| machines.poll_timeout(who)).map(|(at, _)| at).min();
        let Some(next) = next.filter(|next| *next < end) else { return };
        assert!(next > now, "time stands still");
        machines.wait(next - now);
    }
    panic!("busy for ever");
}

/// What is under way, for the input to deliver, repeat, reorder and lose.
#[derive(Debug)]
pub(crate) struct Network<T> {
    under_way: VecDeque<T>,
    most: usize,
}

impl<T: Clone> Network<T> {
    /// One that keeps so many; beyond that, the oldest is lost.
    pub(crate) fn new(most: usize) -> Self {
        Self { under_way: VecDeque::new(), most }
    }

    pub(crate) fn put(&mut self, datagram: T) {
        if self.under_way.len() >= self.most {
            self.under_way.pop_front();
        }
        self.under_way.push_back(datagram);
    }

    fn index(&self, which: u8) -> usize {
        usize::from(which) % self.under_way.len().max(1)
    }

    /// One of them, if there is any.
    pub(crate) fn get(&self, which: u8) -> Option<&T> {
        self.under_way.get(self.index(which))
    }

    /// The same, which is then gone, unless it is to come again.
    pub(crate) fn take(&mut self, which: u8, keep: bool) -> Option<T> {
        if keep { self.get(which).cloned() } else { self.under_way.remove(self.index(which)) }
    }

    pub(crate) fn take_all(&mut self) -> impl Iterator<Item = T> + use<T> {
        std::mem::take(&mut self.under_way).into_iter()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.under_way.iter()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.under_way.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.under_way.clear();
    }
}

/// A place and what stands there afterwards: nothing, where bytes arrive as they were.
pub(crate) type Damage = Option<(u16, u8)>;

/// Does it; whether the bytes are others now.
pub(crate) fn damage(bytes: &mut [u8], damage: Damage) -> bool {
    let length = bytes.len().max(1);
    let place = damage.and_then(|(place, value)| Some((bytes.get_mut(usize::from(place) % length)?, value)));
    place.is_some_and(|(byte, value)| std::mem::replace(byte, value) != value)
}
