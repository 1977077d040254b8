//! How far the agent is, in the words of W3C webrtc-pc §5.6.4 (`RTCIceTransportState`).

use super::{Agent, Event, State};
use crate::pair::Pair;
use crate::session::Session;

impl Agent {
    /// Tells the state if it changed.
    pub(super) fn update_state(&mut self) {
        if !self.session.failed && self.has_failed() {
            self.end();
        }
        let state = self.present_state();
        if state != self.state {
            self.state = state;
            self.events.push_back(Event::State(state));
        }
    }

    fn present_state(&self) -> State {
        let session = &self.session;
        if self.closed {
            return State::Closed;
        }
        if session.failed {
            return State::Failed;
        }
        match (session.selected(), self.carrier()) {
            (Some(_), _) if session.disconnected => State::Disconnected,
            (Some(_), _) if self.is_complete() => State::Completed,
            (Some(_), _) => State::Connected,
            // A restart forgets that connectivity was lost.
            (None, Some(previous)) if !previous.disconnected => State::Connected,
            (None, Some(_)) => State::Checking,
            (None, None) if session.bereft => State::Disconnected,
            (None, None) if session.pairs.is_empty() => State::New,
            (None, None) if self.is_unsettled() || (session.gathered && session.ended) => State::Checking,
            (None, None) => State::Disconnected,
        }
    }

    fn is_unsettled(&self) -> bool {
        let session = &self.session;
        // A lite agent checks nothing.
        !self.config.lite && (!session.triggered.is_empty() || session.pairs.iter().any(Pair::is_unsettled))
    }

    fn is_complete(&self) -> bool {
        let session = &self.session;
        let agreed = session.nominated.is_some() && session.nominated == session.selected;
        if self.config.lite {
            return agreed;
        }
        session.gathered && session.ended && (agreed || !self.is_unsettled())
    }

    /// RFC 8445 §8.1.2, RFC 8863 §4: nothing works, nothing is left to try, and patience is over.
    fn has_failed(&self) -> bool {
        let Session { remote, selected, patient_until, resolving, gathered, .. } = &self.session;
        // While candidates of ours are gathered, one may come that works (W3C webrtc-pc §5.6.4).
        *gathered
            && remote.is_some()
            && selected.is_none()
            && patient_until.is_none()
            && resolving.is_empty()
            && !self.is_unsettled()
    }

    fn end(&mut self) {
        self.session.failed = true;
        self.session.triggered.clear();
        for pair in &mut self.session.pairs {
            if let Some(check) = pair.check.take() {
                self.datagrams.cancel(check);
                self.frames.cancel(check);
            }
        }
        if self.carrier().is_none() {
            // Questions for consent, whose answers would count for nothing.
            drop(self.datagrams.cancel_all());
            drop(self.frames.cancel_all());
        }
    }
}
