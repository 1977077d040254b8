//! One gathering: which servers were asked, what still is under way, and what is said of those that are of no use
//! (W3C webrtc-pc §4.8.2, `RTCPeerConnectionIceErrorEvent`).

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use stun::Message;
use stun::attribute::ErrorCode;

use super::{CandidateError, Found};
use crate::limits;
use crate::server::IceServer;

/// "The server could not be reached", outside of STUN's range.
const UNREACHABLE: u16 = 701;

/// Why an attempt has brought nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// The server said no: its code, and in words.
    Refused(u16, String),
    /// It said nothing that could be used.
    Unreachable(String),
    /// As many attempts as are made at the same time.
    TooMany,
}

impl Problem {
    pub(super) fn no_answer() -> Self {
        Self::Unreachable(stun::client::Failure::TimedOut.to_string())
    }

    pub(super) fn no_address() -> Self {
        Self::Unreachable("the server answers without saying how it sees us".to_owned())
    }

    pub(super) fn refused(message: &Message<'_>) -> Self {
        match message.get::<ErrorCode<'_>>() {
            Ok(Some(error)) => Self::Refused(error.code(), error.reason.to_owned()),
            _ => Self::Unreachable("the server refuses without saying why".to_owned()),
        }
    }
}

/// A server that was asked.
#[derive(Debug)]
struct Asked {
    server: Arc<IceServer>,
    /// Attempts that have not ended.
    pending: usize,
    /// Whether it was of use, or has said why not.
    is_told: bool,
}

#[derive(Debug, Default)]
pub(super) struct Round {
    asked: Vec<Asked>,
    is_all: bool,
    is_over: bool,
}

impl Round {
    /// A server that was not asked yet; none if it was.
    pub(super) fn add(&mut self, server: IceServer) -> Option<Arc<IceServer>> {
        if self.asked.len() >= limits::ICE_SERVERS || self.asked.iter().any(|asked| *asked.server == server) {
            return None;
        }
        let server = Arc::new(server);
        self.asked.push(Asked { server: Arc::clone(&server), pending: 0, is_told: false });
        Some(server)
    }

    pub(super) fn servers(&self) -> Vec<Arc<IceServer>> {
        self.asked.iter().map(|asked| Arc::clone(&asked.server)).collect()
    }

    pub(super) fn no_more(&mut self) {
        self.is_all = true;
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether everything has ended, for the first time.
    pub(super) fn concludes(&mut self) -> bool {
        let is_over = self.is_all && self.asked.iter().all(|asked| asked.pending == 0);
        is_over && !std::mem::replace(&mut self.is_over, true)
    }

    pub(super) fn began(&mut self, server: &IceServer) {
        if let Some(asked) = self.of(server) {
            asked.pending += 1;
        }
    }

    /// An attempt has ended. A refusal is told; silence only if no attempt was answered, and once for each server.
    pub(super) fn ended(
        &mut self,
        server: &IceServer,
        base: Option<SocketAddr>,
        outcome: Result<(), Problem>,
        events: &mut VecDeque<Found>,
    ) {
        let Some(asked) = self.of(server) else { return };
        asked.pending = asked.pending.saturating_sub(1);
        let (code, text) = match outcome {
            Ok(()) => {
                asked.is_told = true;
                return;
            }
            Err(Problem::TooMany) => return,
            Err(Problem::Refused(code, text)) => (code, text),
            Err(Problem::Unreachable(_)) if asked.pending > 0 || asked.is_told => return,
            Err(Problem::Unreachable(text)) => (UNREACHABLE, text),
        };
        asked.is_told = true;
        let error = CandidateError { base, url: server.url(), code, text };
        events.push_back(Found::Error(Box::new(error)));
    }

    fn of(&mut self, server: &IceServer) -> Option<&mut Asked> {
        self.asked.iter_mut().find(|asked| *asked.server == *server)
    }
}
