//! Time passes (the timers of RFC 8445 §14, RFC 8863 §4 and RFC 7675 §5.1).

use std::time::Instant;

use super::{Agent, Reason};

impl Agent {
    /// Does what is due by now.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.datagrams.handle_timeout(now);
        self.frames.handle_timeout(now);
        while let Some(check) = self.datagrams.poll_expired().or_else(|| self.frames.poll_expired()) {
            self.fail(&check);
        }
        self.expire_connects(now);
        self.tend(now);
        if self.session.patient_until.is_some_and(|until| until <= now) {
            self.session.patient_until = None;
        }
        if self.linger.is_some_and(|until| until <= now) {
            self.linger = None;
            self.previous = None;
        }
        self.settle(now);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) at the latest, and what for.
    pub fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        if self.closed {
            return None;
        }
        let at = |at: Option<Instant>, reason| at.map(|at| (at, reason));
        let transactions = |next: Option<(Instant, stun::transaction::Reason)>| {
            next.map(|(at, reason)| (at, Reason::from(reason)))
        };
        let all = [
            transactions(self.datagrams.poll_timeout()),
            transactions(self.frames.poll_timeout()),
            at(self.next_check(), Reason::Pacing),
            at(self.next_connect(), Reason::Connect),
            at(self.next_nomination(), Reason::Nomination),
            at(self.session.patient_until, Reason::Patience),
            at(self.linger, Reason::Linger),
            self.next_tending(),
        ];
        all.into_iter().flatten().min()
    }
}
