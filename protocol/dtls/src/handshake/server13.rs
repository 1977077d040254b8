//! The server of DTLS 1.3: RFC 8446 §4.1.3 to §4.4, §A.2.

use super::complete::Complete;
use super::server::{self, Share, WaitSecondClientHello};
use super::transcript13::{Transcript13, message_hash};
use super::{MESSAGE, State as Handshake, check_signature, our_scheme};
use crate::Version;
use crate::codec;
use crate::core::{Core, PeerKey};
use crate::crypto::group::NamedGroup;
use crate::crypto::key_exchange::KeyExchange;
use crate::crypto::prf::Side;
use crate::crypto::schedule::{self, HandshakeSecret, Traffic};
use crate::crypto::secret::Secret;
use crate::crypto::suite::CipherSuite;
use crate::event::Connected;
use crate::export::Exporter;
use crate::extension::use_srtp::{self, SrtpProfile};
use crate::extension::{key_share, supported_versions};
use crate::failure::Failure;
use crate::message::certificate_verify::{self, Signed};
use crate::message::certificate13::{self, Certificate};
use crate::message::client_hello::ClientHello;
use crate::message::server_hello::{self, RETRY_RANDOM};
use crate::message::{Message, MessageType, certificate_request13};
use crate::record::protection13::{Opener, Sealer};
use crate::writing::{APPLICATION_EPOCH, HANDSHAKE_EPOCH, Sealers};

/// What all states know.
struct Agreed {
    suite: CipherSuite,
    group: NamedGroup,
    srtp: Option<SrtpProfile>,
    transcript: Transcript13,
    /// Of the client's handshake messages.
    client: Secret,
    /// Of the application's data.
    traffic: Traffic,
    exporter: Secret,
}

/// Which message comes next.
pub(crate) enum State {
    Certificate(WaitCertificate),
    CertificateVerify(WaitCertificateVerify),
    Finished(WaitFinished),
}

pub(crate) struct WaitCertificate(Agreed);

pub(crate) struct WaitCertificateVerify {
    agreed: Agreed,
    key: PeerKey,
}

pub(crate) struct WaitFinished(Agreed);

/// What a HelloRetryRequest has decided.
pub(crate) struct Retry {
    suite: CipherSuite,
    group: NamedGroup,
    random: [u8; 32],
    first: Vec<u8>,
    request: Vec<u8>,
}

/// With the first ClientHello.
pub(super) fn start(
    core: &mut Core,
    message: &Message<'_>,
    hello: &ClientHello<'_>,
) -> Result<Handshake, Failure> {
    let suite = check(core, hello)?;
    let Share { group, share } = server::share(core, hello)?;
    let Some(share) = share else { return retry(core, message, hello, suite, group) };
    let mut transcript = Transcript13::new(suite.hash());
    transcript.add(MessageType::ClientHello, message.body);
    answer(core, hello, suite, group, share, transcript)
}

/// With the ClientHello that answers a HelloRetryRequest.
pub(super) fn resume(
    core: &mut Core,
    retry: &Retry,
    message: &Message<'_>,
    hello: &ClientHello<'_>,
) -> Result<Handshake, Failure> {
    let suite = check(core, hello)?;
    let Share { group, share } = server::share(core, hello)?;
    let share = share.ok_or(Failure::IllegalParameter)?;
    if suite != retry.suite || group != retry.group || hello.random != retry.random {
        return Err(Failure::IllegalParameter);
    }
    let mut transcript = Transcript13::new(suite.hash());
    transcript.add(MessageType::MessageHash, message_hash(suite.hash(), &retry.first).as_ref());
    transcript.add(MessageType::ServerHello, &retry.request);
    transcript.add(MessageType::ClientHello, message.body);
    answer(core, hello, suite, group, share, transcript)
}

fn check(core: &Core, hello: &ClientHello<'_>) -> Result<CipherSuite, Failure> {
    if !hello.cookie.is_empty() || hello.compression_methods != [0] {
        return Err(Failure::IllegalParameter);
    }
    our_scheme(core, server::schemes(hello)?)?;
    server::suite(core, hello, Version::Dtls13)
}

/// Asks for a share of another group (RFC 8446 §4.1.4). No cookie: whoever gets here has been seen by ICE.
fn retry(
    core: &mut Core,
    message: &Message<'_>,
    hello: &ClientHello<'_>,
    suite: CipherSuite,
    group: NamedGroup,
) -> Result<Handshake, Failure> {
    let mut request = Vec::new();
    server_hello::write(&mut request, &RETRY_RANDOM, suite, |out| {
        supported_versions::write_server(out);
        key_share::write_retry(out, group);
    });
    core.begin_flight();
    core.add(0, MessageType::ServerHello, &request);
    core.flight.send();
    let retry = Retry { suite, group, random: hello.random, first: message.body.to_vec(), request };
    Ok(Handshake::WaitSecondClientHello(Box::new(WaitSecondClientHello { retry })))
}

/// The server's flight.
fn answer(
    core: &mut Core,
    hello: &ClientHello<'_>,
    suite: CipherSuite,
    group: NamedGroup,
    share: &[u8],
    mut transcript: Transcript13,
) -> Result<Handshake, Failure> {
    let (hash, aead) = (suite.hash(), suite.aead());
    let srtp = server::srtp(core, hello)?;
    let mut ours = Vec::new();
    let shared =
        KeyExchange::respond(group, share, &mut core.random, &mut ours).map_err(|_| Failure::BadKeyShare)?;
    core.begin_flight();
    let mut body = Vec::with_capacity(MESSAGE);
    server_hello::write(&mut body, &core.random.bytes(), suite, |out| {
        supported_versions::write_server(out);
        key_share::write_server(out, group, &ours);
    });
    core.add(0, MessageType::ServerHello, &body);
    transcript.add(MessageType::ServerHello, &body);
    let handshake = HandshakeSecret::new(hash, &shared)?;
    let Traffic { client, server } = handshake.traffic(transcript.current().as_ref())?;

    let add = |core: &mut Core, transcript: &mut Transcript13, kind, body: &[u8]| {
        core.add(HANDSHAKE_EPOCH, kind, body);
        transcript.add(kind, body);
    };
    body.clear();
    codec::put_vector16(&mut body, |out| {
        if let Some(profile) = srtp {
            use_srtp::write(out, &[profile]);
        }
    });
    add(core, &mut transcript, MessageType::EncryptedExtensions, &body);
    body.clear();
    certificate_request13::write(&mut body);
    add(core, &mut transcript, MessageType::CertificateRequest, &body);
    body.clear();
    certificate13::write(&mut body, &[], core.certificate.der());
    add(core, &mut transcript, MessageType::Certificate, &body);
    body.clear();
    let content = certificate_verify::content(Side::Server, transcript.current().as_ref());
    certificate_verify::write(&mut body, core.certificate.scheme(), &core.certificate.sign(&content)?);
    add(core, &mut transcript, MessageType::CertificateVerify, &body);
    let finished = schedule::finished(hash, &server, transcript.current().as_ref())?;
    add(core, &mut transcript, MessageType::Finished, finished.as_ref());
    core.flight.send();

    let master = handshake.master()?;
    let current = transcript.current();
    let traffic = master.traffic(current.as_ref())?;
    let exporter = master.exporter(current.as_ref())?;
    core.version = Some(Version::Dtls13);
    core.reassembly.expect_epoch(HANDSHAKE_EPOCH);
    core.reading.handshake = Some(Box::new(Opener::new(aead, hash, &client, HANDSHAKE_EPOCH)?));
    let sealer = Sealer::new(aead, hash, &server, HANDSHAKE_EPOCH)?;
    // Whoever answers our Finished has these keys, too: alerts and acknowledgements use them (RFC 9147 §7).
    let application = Sealer::new(aead, hash, &traffic.server, APPLICATION_EPOCH)?;
    core.writing.sealers =
        Sealers::Dtls13 { handshake: Some(Box::new(sealer)), application: Some(Box::new(application)) };
    core.has_new_keys = true;
    let agreed = Agreed { suite, group, srtp, transcript, client, traffic, exporter };
    Ok(Handshake::Server13(Box::new(State::Certificate(WaitCertificate(agreed)))))
}

impl State {
    pub(super) fn handle(self, core: &mut Core, message: &Message<'_>) -> Result<Handshake, Failure> {
        let next = match self {
            Self::Certificate(state) => state.handle(core, message)?,
            Self::CertificateVerify(state) => state.handle(message)?,
            Self::Finished(state) => return state.handle(core, message),
        };
        Ok(Handshake::Server13(Box::new(next)))
    }
}

impl WaitCertificate {
    fn handle(self, core: &mut Core, message: &Message<'_>) -> Result<State, Failure> {
        let mut agreed = self.0;
        if !message.is(MessageType::Certificate) {
            return Err(Failure::UnexpectedMessage);
        }
        let certificate = Certificate::parse(message.body)?;
        if !certificate.context.is_empty() {
            return Err(Failure::IllegalParameter);
        }
        if !certificate.is_plain {
            return Err(Failure::UnsolicitedExtension);
        }
        let key = core.accept_certificate(certificate.leaf)?;
        agreed.transcript.add(MessageType::Certificate, message.body);
        Ok(State::CertificateVerify(WaitCertificateVerify { agreed, key }))
    }
}

impl WaitCertificateVerify {
    fn handle(self, message: &Message<'_>) -> Result<State, Failure> {
        let Self { mut agreed, key } = self;
        if !message.is(MessageType::CertificateVerify) {
            return Err(Failure::UnexpectedMessage);
        }
        let signed = Signed::parse(message.body)?;
        let content = certificate_verify::content(Side::Client, agreed.transcript.current().as_ref());
        check_signature(&key, Version::Dtls13, &signed, &content)?;
        agreed.transcript.add(MessageType::CertificateVerify, message.body);
        Ok(State::Finished(WaitFinished(agreed)))
    }
}

impl WaitFinished {
    fn handle(self, core: &mut Core, message: &Message<'_>) -> Result<Handshake, Failure> {
        let agreed = self.0;
        if !message.is(MessageType::Finished) {
            return Err(Failure::UnexpectedMessage);
        }
        let (hash, aead) = (agreed.suite.hash(), agreed.suite.aead());
        let transcript = agreed.transcript.current();
        if !schedule::is_finished(hash, &agreed.client, transcript.as_ref(), message.body)? {
            return Err(Failure::BadFinished);
        }
        core.flight.clear();
        core.reassembly.expect_epoch(APPLICATION_EPOCH);
        let opener = Opener::new(aead, hash, &agreed.traffic.client, APPLICATION_EPOCH)?;
        core.reading.application = Some(Box::new(opener));
        if let Sealers::Dtls13 { handshake, .. } = &mut core.writing.sealers {
            *handshake = None;
        }
        // The client's last flight has no other answer.
        core.acks.schedule(core.now);
        let connected = Connected {
            version: Version::Dtls13,
            cipher_suite: agreed.suite,
            group: agreed.group,
            is_client: false,
            srtp_profile: agreed.srtp,
            peer_certificate: Box::default(),
        };
        core.complete(connected, Exporter::Dtls13 { hash, secret: agreed.exporter })?;
        Ok(Handshake::Complete(Complete::new13(agreed.suite, agreed.traffic.client, agreed.traffic.server)))
    }
}
