//! ICE restarts (RFC 8445 §9): new credentials, new checks; the old pair goes on carrying data until there is
//! a new one.

use std::time::{Duration, Instant};

use super::{Agent, Event};
use crate::credentials::Credentials;
use crate::session::Session;

/// The peer may go on with the old pair for as long after we have left it.
const LINGER: Duration = Duration::from_secs(30);

impl Agent {
    /// New credentials, for a description that restarts ICE. They take effect with [`restart`](Self::restart).
    pub fn fresh_credentials(&mut self) -> Credentials {
        Credentials::generate(&mut self.random)
    }

    /// Begins anew with these credentials of ours: without candidates, and without the peer's description.
    ///
    /// Data goes on by the old pair, which is still asked for consent, until the new generation has one.
    pub fn restart(&mut self, now: Instant, credentials: Credentials) {
        if self.closed {
            return;
        }
        let new = Session::new(self.session.generation + 1, credentials);
        let mut old = std::mem::replace(&mut self.session, new);
        self.quiet(&mut old);
        let is_carried = self.previous.as_ref().is_some_and(|previous| previous.selected.is_some());
        if old.selected.is_some() || !is_carried {
            self.previous = Some(Box::new(old));
        }
        self.linger = None;
        self.settle(now);
    }

    /// Takes a restart back that the peer has not accepted: the generation before is the present one again.
    pub fn abandon_restart(&mut self, now: Instant) {
        if let Some(previous) = self.previous.take() {
            let mut abandoned = std::mem::replace(&mut self.session, *previous);
            self.quiet(&mut abandoned);
            self.linger = None;
            if self.session.selected.is_none() {
                self.recheck(now);
            }
            self.settle(now);
        }
    }

    /// Forgets the peer of the present generation, since another one answers the same offer (RFC 9429 §3.8.1): our
    /// candidates and credentials stay, and so does what others said early.
    pub fn forget_remote(&mut self, now: Instant) {
        if self.closed || self.session.remote.is_none() {
            return;
        }
        let new = Session::new(self.session.generation, self.session.credentials.clone());
        let mut old = std::mem::replace(&mut self.session, new);
        self.quiet(&mut old);
        let had_path = old.selected.is_some();
        self.session.locals = old.locals;
        self.session.gathered = old.gathered;
        self.session.early_checks = old.early_checks;
        if had_path && self.carrier().is_none() {
            self.events.push_back(Event::Lost);
        }
        self.settle(now);
    }

    /// Ends a generation's checks.
    fn quiet(&mut self, session: &mut Session) {
        session.triggered.clear();
        session.resolving.clear();
        for pair in &mut session.pairs {
            if let Some(check) = pair.check.take() {
                self.transactions(pair.path.protocol).cancel(check);
            }
            pair.connect_by = None;
        }
    }

    /// The present generation carries data now.
    pub(super) fn retire_previous(&mut self, now: Instant) {
        if let Some(previous) = &mut self.previous
            && self.linger.is_none()
        {
            previous.selected = None;
            self.linger = Some(now + LINGER);
        }
    }
}
