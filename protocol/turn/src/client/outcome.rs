//! What a client concludes from what its requests have come to (RFC 8656 §7.3, §7.4, §8.3, §10.3, §12.3).

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use stun::OwnedMessage;
use stun::attribute::{ErrorCode, XorMappedAddress};
use stun::client::Outcome;

use super::request::Request;
use super::{Client, Event, Failure, State, Transport};
use crate::attribute::{Lifetime, XorRelayedAddress};

/// A lifetime that the server grants without naming it (RFC 8656 §3.2).
const DEFAULT_LIFETIME: Duration = Duration::from_secs(600);

/// An allocation is refreshed this long before its end, or at half of its life if that is later (§8.1).
const REFRESH_BEFORE: Duration = Duration::from_secs(60);

/// It is not refreshed more often than this, however short a life the server grants.
const MIN_REFRESH: Duration = Duration::from_secs(5);

impl Client {
    /// Draws the consequences of what requests have come to.
    pub(super) fn settle(&mut self, now: Instant) {
        while let Some(stun::client::Event { request, outcome, .. }) = self.stun.poll_event() {
            if matches!(self.state, State::Over) {
                continue;
            }
            match request {
                Request::Allocate { .. } => self.allocate_ended(now, outcome),
                Request::Refresh { .. } => self.refresh_ended(now, outcome),
                Request::CreatePermission { peers } => {
                    let ips: Vec<IpAddr> = peers.iter().map(SocketAddr::ip).collect();
                    if self.timed_out(&outcome) {
                        self.peers.permissions_unanswered(now, &ips);
                    } else if let Some(granted) = self.answered(&outcome) {
                        let (permitted, denied) = self.peers.permissions_answered(now, &ips, granted);
                        self.events.extend(permitted.into_iter().map(Event::Permitted));
                        self.events.extend(denied.into_iter().map(Event::Denied));
                    }
                }
                Request::ChannelBind { peer, .. } => {
                    if self.timed_out(&outcome) {
                        self.peers.channel_unanswered(now, peer);
                    } else if let Some(granted) = self.answered(&outcome)
                        && self.peers.channel_answered(now, peer, granted)
                    {
                        self.events.push_back(Event::Bound(peer));
                    }
                }
            }
        }
    }

    /// Whoever does not answer this does not answer a Refresh either, and that ends it; until then it is asked again.
    fn timed_out(&self, outcome: &Outcome) -> bool {
        matches!(outcome, Outcome::Failed(stun::client::Failure::TimedOut))
    }

    /// Whether a permission or a channel was granted; nothing if the allocation is gone.
    fn answered(&mut self, outcome: &Outcome) -> Option<bool> {
        match outcome {
            Outcome::Success(_) => Some(true),
            Outcome::Refused(message) if code(message) == 437 => {
                self.end(Event::Failed(Failure::Refused(437)));
                None
            }
            Outcome::Refused(_) | Outcome::Alternate { .. } => Some(false),
            Outcome::Failed(failure) => {
                self.end(Event::Failed(Failure::Stun(*failure)));
                None
            }
        }
    }

    fn allocate_ended(&mut self, now: Instant, outcome: Outcome) {
        match outcome {
            Outcome::Success(message) => {
                let message = message.view();
                let relayed: Vec<SocketAddr> = message
                    .all::<XorRelayedAddress>()
                    .filter_map(Result::ok)
                    .map(|relayed| relayed.0)
                    .take(2)
                    .collect();
                if relayed.is_empty() {
                    return self.end(Event::Failed(Failure::NoAddress));
                }
                let mapped = message.get::<XorMappedAddress>().ok().flatten().map(|mapped| mapped.0);
                let late = matches!(self.state, State::Closing);
                self.granted(now, message.get::<Lifetime>().ok().flatten());
                if late {
                    return self.close(now);
                }
                self.events.push_back(Event::Allocated { relayed, mapped });
                self.pump(now);
            }
            _ if matches!(self.state, State::Closing) => self.end(Event::Closed),
            // §7.4: the server holds one for this address and port. It may be our own, whose end we have not noticed.
            Outcome::Refused(message) if code(&message) == 437 && !self.has_cleared => {
                self.has_cleared = true;
                self.state = State::Clearing;
                self.ask(now, Request::Refresh { lifetime: Some(Duration::ZERO) });
            }
            Outcome::Refused(message) => self.end(Event::Failed(Failure::Refused(code(&message)))),
            Outcome::Failed(failure) => self.end(Event::Failed(Failure::Stun(failure))),
            Outcome::Alternate { server, domain } => {
                self.state = State::Idle;
                self.events.push_back(Event::Redirected { server, domain });
                if self.config.transport == Transport::Datagrams {
                    self.follow(now, self.config.local, server);
                }
            }
        }
    }

    fn refresh_ended(&mut self, now: Instant, outcome: Outcome) {
        if matches!(self.state, State::Closing) {
            // Gone, or about to run out.
            return self.end(Event::Closed);
        }
        if matches!(self.state, State::Clearing) {
            // Whether there was one, and ours, the next answer tells.
            self.state = State::Idle;
            return self.allocate(now);
        }
        match outcome {
            Outcome::Success(message) => {
                self.granted(now, message.view().get::<Lifetime>().ok().flatten());
                if std::mem::take(&mut self.tells_refresh) {
                    self.events.push_back(Event::Refreshed);
                }
            }
            Outcome::Refused(message) => self.end(Event::Failed(Failure::Refused(code(&message)))),
            Outcome::Failed(failure) => self.end(Event::Failed(Failure::Stun(failure))),
            Outcome::Alternate { .. } => self.end(Event::Failed(Failure::Refused(300))),
        }
    }

    fn granted(&mut self, now: Instant, lifetime: Option<Lifetime>) {
        let lifetime = lifetime.map_or(DEFAULT_LIFETIME, |lifetime| lifetime.0);
        let refresh = now + lifetime.saturating_sub(REFRESH_BEFORE).max(lifetime / 2).max(MIN_REFRESH);
        if self.config.transport == Transport::Datagrams {
            self.keepalive.begin(now);
        }
        self.state = State::Allocated { refresh: Some(refresh) };
    }
}

fn code(message: &OwnedMessage) -> u16 {
    message.view().get::<ErrorCode<'_>>().ok().flatten().map_or(500, |error| error.code())
}
