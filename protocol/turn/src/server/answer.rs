//! What goes back to a client, and how large it may be (RFC 8489 §6.3.3, §9.2.4).
//!
//! On UDP a sender is unproven until its credentials are: its address may be a victim's. What it draws is
//! never more than one and a half times as large as what it sent, headers of IP and UDP included.

use std::net::SocketAddr;
use std::time::Instant;

use stun::attribute::{
    AlternateDomain, AlternateServer, PasswordAlgorithms, Realm, Software, UnknownAttributes,
};
use stun::{Class, Message, Method, Writer, attribute};

use super::authenticate::{Proof, Refusal};
use super::nonce::Size;
use super::{Client, Fault, MAX_WAITING_ANSWERS, Server, Transport};
use crate::attribute::error;

/// Why a proven request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused(pub(super) u16);

/// How many bytes may go to an unproven sender; no bound on a stream, whose sender has proven its
/// address.
pub(super) fn budget(client: &Client, request_len: usize) -> usize {
    if client.transport != Transport::Udp {
        return usize::MAX;
    }
    let headers = if client.remote.is_ipv4() { 28 } else { 48 };
    (request_len + headers) * 3 / 2 - headers
}

impl Server {
    /// Queues an answer that `write` makes.
    pub(super) fn answer(
        &mut self,
        client: Client,
        class: Class,
        request: &Message<'_>,
        write: impl FnOnce(&mut Writer<'_>),
    ) -> Result<(), Fault> {
        self.push_answer(client, |bytes| {
            write(&mut Writer::new(bytes, class, request.method(), request.transaction()));
        })
    }

    pub(super) fn push_answer(
        &mut self,
        client: Client,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), Fault> {
        if self.answers.len() >= MAX_WAITING_ANSWERS {
            return Err(Fault::AnswersFull);
        }
        let start = self.answer_bytes.len();
        write(&mut self.answer_bytes);
        self.answers.push_back((client, start..self.answer_bytes.len()));
        Ok(())
    }

    /// Answers a request that failed authentication.
    pub(super) fn challenge(
        &mut self,
        now: Instant,
        client: &Client,
        request: &Message<'_>,
        refusal: Refusal,
    ) -> Result<(), Fault> {
        let code = match refusal {
            Refusal::Unauthenticated => 401,
            Refusal::StaleNonce => 438,
            Refusal::BadRequest => return self.refuse_unproven(client, request, 400),
        };
        let Some(shape) = self.challenge_shape(code, client, request) else {
            return Err(Fault::AnswerTooLarge);
        };
        let (phrase, size, more) = shape;
        let nonce = self.nonces.make(client, self.config.unix(now), size);
        let config = std::sync::Arc::clone(&self.config);
        self.counters.count_error(code);
        self.answer(*client, Class::Error, request, |writer| {
            writer.add(&attribute::ErrorCode::new(code, phrase));
            writer.add(&Realm(&config.realm)).add(&attribute::Nonce(&nonce));
            if more {
                writer.add(&PasswordAlgorithms::SHA256_MD5);
                if request.has_fingerprint() {
                    writer.fingerprint();
                }
            }
        })
    }

    /// How much of a challenge fits into the sender's share: its phrase, its nonce, and whether it offers
    /// algorithms. First the full one, then what leaves out ever more that a client can do without.
    fn challenge_shape(
        &self,
        code: u16,
        client: &Client,
        request: &Message<'_>,
    ) -> Option<(&'static str, Size, bool)> {
        let attribute = |length: usize| 4 + length.next_multiple_of(4);
        let fingerprint = if request.has_fingerprint() { 8 } else { 0 };
        let length = |(phrase, size, more): &(&str, Size, bool)| {
            stun::HEADER_LEN
                + attribute(4 + phrase.len())
                + attribute(self.config.realm.len())
                + attribute(size.nonce_len())
                + if *more { attribute(8) + fingerprint } else { 0 }
        };
        let phrase = error(code).reason;
        let room = budget(client, request.bytes().len());
        [
            (phrase, Size::Full, true),
            ("", Size::Full, true),
            ("", Size::Short, false),
            ("", Size::Shortest, false),
        ]
        .into_iter()
        .find(|shape| length(shape) <= room)
    }

    /// Answers a request that is wrong in itself, from a sender that proved nothing.
    pub(super) fn refuse_unproven(
        &mut self,
        client: &Client,
        request: &Message<'_>,
        code: u16,
    ) -> Result<(), Fault> {
        let room = budget(client, request.bytes().len());
        let mut bytes = Vec::new();
        for phrase in [error(code).reason, ""] {
            bytes.clear();
            let mut writer = Writer::new(&mut bytes, Class::Error, request.method(), request.transaction());
            writer.add(&attribute::ErrorCode::new(code, phrase));
            if bytes.len() <= room {
                self.counters.count_error(code);
                return self.push_answer(*client, |answer| answer.extend_from_slice(&bytes));
            }
        }
        Err(Fault::AnswerTooLarge)
    }

    /// Answers a proven request with an error.
    pub(super) fn refuse(
        &mut self,
        client: &Client,
        request: &Message<'_>,
        proof: &Proof,
        refused: Refused,
    ) -> Result<(), Fault> {
        let Refused(code) = refused;
        self.counters.count_error(code);
        let unknown: UnknownAttributes = self.unknown(request).collect();
        let fingerprint = request.has_fingerprint();
        let alternate = self.alternate_for(client.remote);
        let config = std::sync::Arc::clone(&self.config);
        self.answer(*client, Class::Error, request, |writer| {
            writer.add(&error(code));
            if code == 420 {
                writer.add(&unknown);
            }
            if let (300, Some(server)) = (code, alternate) {
                writer.add(&AlternateServer(server));
                let domain = config.alternate.as_ref().and_then(|alternate| alternate.domain.as_deref());
                domain.inspect(|domain| {
                    writer.add(&AlternateDomain(domain));
                });
            }
            add_software(writer, request.method(), &config.software);
            prove(writer, proof, fingerprint);
        })
    }

    /// Where this client is sent instead of being served.
    pub(super) fn alternate_for(&self, client: SocketAddr) -> Option<SocketAddr> {
        self.config.alternate.as_ref()?.of(crate::attribute::Family::of(client.ip()))
    }
}

/// SOFTWARE where RFC 8656 §5 asks for it.
pub(super) fn add_software(writer: &mut Writer<'_>, method: Method, software: &str) {
    if !software.is_empty() && matches!(method, Method::ALLOCATE | Method::REFRESH) {
        writer.add(&Software(software));
    }
}

/// Ends an answer with what proves it.
pub(super) fn prove(writer: &mut Writer<'_>, proof: &Proof, fingerprint: bool) {
    if proof.sha256 {
        writer.integrity_sha256(&proof.key);
    } else {
        writer.integrity_sha1(&proof.key);
    }
    if fingerprint {
        writer.fingerprint();
    }
}
