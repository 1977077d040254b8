//! Who is in the room: whom the server names, the words by which our connections with them are called, and what they say
//! under the seal (`docs/signaling.md`, "Sealed"). It knows no connection, and no server.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::digest::to_hex;
use super::super::message::{Hello, Role, Signal};
use super::super::seal::{NONCE_LEN, Sealer};
use crate::serve::random;

/// People that are remembered; a room for files has far fewer.
const MOST_KNOWN: usize = 64;

/// Everybody in the room, and we.
pub(super) struct People {
    sealer: Sealer,
    role: Role,
    own: Option<String>,
    known: BTreeMap<String, Known>,
}

/// One of them.
#[derive(Debug)]
struct Known {
    /// Names our connection with them.
    word: String,
    /// Theirs with us.
    remote: Option<String>,
    role: Option<Role>,
    is_there: bool,
}

/// What came through the server in somebody's name.
#[derive(Debug)]
pub(super) enum Opened {
    Signal(Signal),
    /// The server has not named them.
    Stranger,
    /// It was not sealed with our code for these two, or is our own.
    Tampered,
}

/// What follows from a signal that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    /// They speak of another connection than before: the one that there was is over.
    pub(super) is_anew: bool,
    /// They do not know our connection.
    pub(super) wants_answer: bool,
}

impl People {
    pub(super) fn new(sealer: Sealer, role: Role) -> Self {
        Self { sealer, role, own: None, known: BTreeMap::new() }
    }

    /// The server says what we are called, and who is there.
    pub(super) fn joined(&mut self, own: String, there: impl IntoIterator<Item = String>) {
        if self.own.as_ref().is_some_and(|before| *before != own) {
            // To everyone else we are somebody new.
            self.known.clear();
        }
        self.own = Some(own);
        for known in self.known.values_mut() {
            known.is_there = false;
        }
        for peer in there {
            self.meet(peer);
        }
    }

    pub(super) fn meet(&mut self, peer: String) {
        if let Some(known) = self.known.get_mut(&peer) {
            known.is_there = true;
        } else if self.known.len() < MOST_KNOWN && self.own.as_ref() != Some(&peer) {
            self.known.insert(peer, Known { word: random_word(), remote: None, role: None, is_there: true });
        }
    }

    /// The server does not see them any more.
    pub(super) fn left(&mut self, peer: &str) {
        if let Some(known) = self.known.get_mut(peer) {
            known.is_there = false;
        }
    }

    pub(super) fn forget(&mut self, peer: &str) {
        self.known.remove(peer);
    }

    pub(super) fn is_there(&self, peer: &str) -> bool {
        self.known.get(peer).is_some_and(|known| known.is_there)
    }

    /// All but one.
    pub(super) fn others(&self, but: Option<&str>) -> Vec<String> {
        self.known.keys().filter(|peer| but != Some(peer)).cloned().collect()
    }

    /// Whether they do what we need.
    pub(super) fn fits(&self, peer: &str) -> bool {
        let role = self.known.get(peer).and_then(|known| known.role);
        role.is_some_and(|role| role == Role::Drop || role != self.role)
    }

    /// Whether somebody else is there who does what we need.
    pub(super) fn has_another(&self, peer: &str) -> bool {
        self.known.iter().any(|(other, known)| other != peer && known.is_there && self.fits(other))
    }

    /// Whose name sorts higher makes the offers (`docs/signaling.md`).
    pub(super) fn offers_to(&self, peer: &str) -> bool {
        self.own.as_deref().is_some_and(|own| own > peer)
    }

    /// Our connection with them is over: what names it counts no more.
    pub(super) fn renew(&mut self, peer: &str) {
        if let Some(known) = self.known.get_mut(peer) {
            known.word = random_word();
        }
    }

    /// Says which connection of ours is meant; an answer says theirs, too.
    pub(super) fn hello(&self, peer: &str, is_answer: bool) -> Option<Signal> {
        let known = self.known.get(peer)?;
        let to = if is_answer { known.remote.clone() } else { None };
        let hello = Some(Hello { role: self.role });
        Some(Signal { connection: known.word.clone(), to, hello, ..Signal::default() })
    }

    /// Asks for a fresh connection, or, where theirs is not known, says that we are there.
    pub(super) fn ask_anew(&mut self, peer: &str) -> Option<Signal> {
        let is_met = self.fits(peer);
        let known = self.known.get_mut(peer)?;
        let Some(to) = known.remote.take().filter(|_| is_met) else { return self.hello(peer, false) };
        known.word = random_word();
        let hello = Some(Hello { role: self.role });
        let connection = known.word.clone();
        Some(Signal { connection, to: Some(to), hello, restart: true, ..Signal::default() })
    }

    /// With the names of both connections.
    pub(super) fn addressed(&self, peer: &str, signal: Signal) -> Option<Signal> {
        let known = self.known.get(peer)?;
        Some(Signal { connection: known.word.clone(), to: known.remote.clone(), ..signal })
    }

    /// As it goes through the server. Nothing before we are in the room.
    pub(super) fn seal(&self, peer: &str, signal: &Signal) -> Option<Value> {
        let sealed =
            self.sealer.seal(random::<NONCE_LEN>().ok()?, self.own.as_ref()?, peer, &signal.to_json());
        Some(json!({ "sealed": sealed }))
    }

    pub(super) fn open(&self, from: &str, data: &Value) -> Opened {
        let Some(known) = self.known.get(from) else { return Opened::Stranger };
        let own = self.own.as_deref().unwrap_or_default();
        let opened = data["sealed"].as_str().and_then(|sealed| self.sealer.open(from, own, sealed).ok());
        let signal = opened.and_then(|plain| Signal::parse(&plain));
        signal.filter(|signal| signal.connection != known.word).map_or(Opened::Tampered, Opened::Signal)
    }

    /// A signal of somebody who knows the code. `None` if it does not count: all but a `hello` has to name our present
    /// connection, and a `hello` that does not is nothing to a connection that `stands`.
    pub(super) fn hear(&mut self, from: &str, signal: &Signal, stands: bool) -> Option<Heard> {
        let known = self.known.get_mut(from)?;
        let names_us = match &signal.to {
            Some(to) if *to != known.word => return None,
            to => to.is_some(),
        };
        if !names_us && (signal.hello.is_none() || stands) {
            return None;
        }
        if let Some(hello) = &signal.hello {
            known.role = Some(hello.role);
        }
        let before = known.remote.replace(signal.connection.clone());
        let is_other = before.is_some_and(|before| before != signal.connection);
        Some(Heard { is_anew: signal.restart || is_other, wants_answer: !names_us || signal.restart })
    }
}

/// 128 bits. A machine without randomness has not come as far as this: it could make no code, and seals nothing.
fn random_word() -> String {
    to_hex(&random::<16>().unwrap_or_default())
}

#[cfg(test)]
mod tests;
