//! Answers to checks (RFC 8445 §7.3; RFC 8489 §6.3.1, §9.1.3). They are written when they are sent, so that
//! they carry what is embedded by then.

use stun::attribute::{ErrorCode, UnknownAttributes, XorMappedAddress};
use stun::{Class, Message, Method, TransactionId, Writer};
use wire::Transmit;

use super::{Agent, Fault};
use crate::limits;
use crate::path::{Path, Protocol};

/// The longest error answer that is not authenticated: header, ERROR-CODE without a phrase, FINGERPRINT.
const BARE_ERROR_LEN: usize = 20 + 8 + 8;

/// An answer that waits to be sent.
#[derive(Debug)]
pub(super) struct Answer {
    path: Path,
    transaction: TransactionId,
    outcome: Outcome,
}

#[derive(Debug)]
enum Outcome {
    /// Made with our password of this generation.
    Success(u32),
    /// The same, and why not.
    Error(u32, u16, Option<Box<UnknownAttributes>>),
    /// The sender proved nothing, so we prove nothing either.
    BareError(u16),
    /// No answer at all, but an indication that keeps the way open (RFC 8445 §11).
    Keepalive,
}

impl Agent {
    /// Accepts a check.
    pub(super) fn grant(&mut self, path: Path, message: &Message<'_>, generation: u32) -> Result<(), Fault> {
        self.answer(path, message, Outcome::Success(generation))
    }

    /// Refuses a check that was proven to be the peer's.
    pub(super) fn refuse(&mut self, path: Path, message: &Message<'_>, generation: u32, code: u16) {
        let unknown: Option<Box<UnknownAttributes>> =
            (code == 420).then(|| Box::new(message.unknown(crate::attribute::KNOWN).collect()));
        // The fault that made us refuse is the one to report.
        let _ = self.answer(path, message, Outcome::Error(generation, code, unknown));
    }

    /// Refuses a check of whom it may concern, with no more bytes than it had.
    pub(super) fn turn_away(&mut self, path: Path, message: &Message<'_>, code: u16) {
        if message.bytes().len() >= BARE_ERROR_LEN {
            let _ = self.answer(path, message, Outcome::BareError(code));
        }
    }

    fn answer(&mut self, path: Path, message: &Message<'_>, outcome: Outcome) -> Result<(), Fault> {
        let answers = self.answers_for(path.protocol);
        if answers.len() >= limits::ANSWERS {
            return Err(Fault::Overload);
        }
        answers.push_back(Answer { path, transaction: message.transaction(), outcome });
        Ok(())
    }

    /// Sends an indication on a pair, to keep bindings in NATs.
    pub(super) fn keep_alive(&mut self, generation: u32, pair: crate::pair::PairId) {
        let transaction = self.random.transaction();
        let Some(path) = self.session_mut(generation).and_then(|session| Some(session.pair(pair)?.path))
        else {
            return;
        };
        self.answers_for(path.protocol).push_back(Answer { path, transaction, outcome: Outcome::Keepalive });
    }

    fn answers_for(&mut self, protocol: Protocol) -> &mut std::collections::VecDeque<Answer> {
        match protocol {
            Protocol::Udp => &mut self.answers,
            Protocol::Tcp => &mut self.frame_answers,
        }
    }

    /// Appends the next answer.
    pub(super) fn poll_answer(&mut self, protocol: Protocol, buffer: &mut Vec<u8>) -> Option<Transmit> {
        loop {
            let answers = self.answers_for(protocol);
            let answer = answers.pop_front()?;
            if answers.is_empty() {
                // Checks are seldom once there is a path.
                *answers = std::collections::VecDeque::new();
            }
            let Path { local, remote, .. } = answer.path;
            // A generation may have been forgotten since.
            if self.write_answer(&answer, buffer).is_some() {
                return Some(Transmit { source: local, destination: remote, segment_size: None });
            }
        }
    }

    fn write_answer(&mut self, answer: &Answer, buffer: &mut Vec<u8>) -> Option<()> {
        let (class, generation) = match answer.outcome {
            Outcome::Success(generation) => (Class::Success, Some(generation)),
            Outcome::Error(generation, ..) => (Class::Error, Some(generation)),
            Outcome::BareError(_) => (Class::Error, None),
            Outcome::Keepalive => (Class::Indication, None),
        };
        let mut sessions = std::iter::once(&self.session).chain(self.previous.as_deref());
        let key = match generation {
            Some(wanted) => Some(&sessions.find(|session| session.generation == wanted)?.key),
            None => None,
        };
        let mut writer = Writer::new(buffer, class, Method::BINDING, answer.transaction);
        match &answer.outcome {
            Outcome::Success(_) => {
                writer.add(&XorMappedAddress(answer.path.remote));
                if let Some(embedding) = &mut self.embedding {
                    embedding.write(&mut writer);
                }
            }
            Outcome::Error(_, code, unknown) => {
                writer.add(&ErrorCode::new(*code, phrase(*code)));
                if let Some(unknown) = unknown {
                    writer.add(unknown.as_ref());
                }
            }
            Outcome::BareError(code) => {
                writer.add(&ErrorCode::new(*code, ""));
            }
            Outcome::Keepalive => {}
        }
        if let Some(key) = key {
            writer.integrity_sha1(key);
        }
        writer.fingerprint();
        Some(())
    }
}

fn phrase(code: u16) -> &'static str {
    match code {
        420 => "Unknown Attribute",
        487 => "Role Conflict",
        _ => "Bad Request",
    }
}
