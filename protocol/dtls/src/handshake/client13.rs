//! The client of DTLS 1.3: RFC 8446 §4.3, §4.4, §A.1.

use super::client::{self, WaitServerHello};
use super::complete::Complete;
use super::transcript13::{Transcript13, message_hash};
use super::{MESSAGE, State as Handshake, check_signature, our_scheme};
use crate::Version;
use crate::codec;
use crate::core::{Core, PeerKey};
use crate::crypto::group::NamedGroup;
use crate::crypto::prf::Side;
use crate::crypto::schedule::{self, HandshakeSecret, Traffic};
use crate::crypto::suite::CipherSuite;
use crate::event::Connected;
use crate::export::Exporter;
use crate::extension::use_srtp::SrtpProfile;
use crate::extension::{ExtensionType, Extensions, key_share};
use crate::failure::Failure;
use crate::message::certificate_request13::CertificateRequest;
use crate::message::certificate_verify::{self, Signed};
use crate::message::certificate13::{self, Certificate};
use crate::message::server_hello::ServerHello;
use crate::message::{Message, MessageType};
use crate::record::protection13::{Opener, Sealer};
use crate::writing::{APPLICATION_EPOCH, HANDSHAKE_EPOCH, Sealers};

/// What all states know.
struct Agreed {
    suite: CipherSuite,
    group: NamedGroup,
    srtp: Option<SrtpProfile>,
    transcript: Transcript13,
    handshake: HandshakeSecret,
    traffic: Traffic,
}

/// Which message comes next.
pub(crate) enum State {
    EncryptedExtensions(WaitEncryptedExtensions),
    CertificateRequest(WaitCertificateRequest),
    Certificate(WaitCertificate),
    CertificateVerify(WaitCertificateVerify),
    Finished(WaitFinished),
}

pub(crate) struct WaitEncryptedExtensions(Agreed);

/// The request, or the certificate if the server does not ask for ours.
pub(crate) struct WaitCertificateRequest(Agreed);

pub(crate) struct WaitCertificate {
    agreed: Agreed,
    is_asked: bool,
}

pub(crate) struct WaitCertificateVerify {
    agreed: Agreed,
    is_asked: bool,
    key: PeerKey,
}

pub(crate) struct WaitFinished {
    agreed: Agreed,
    is_asked: bool,
}

/// With the ServerHello.
pub(super) fn start(
    core: &mut Core,
    mut sent: WaitServerHello,
    message: &Message<'_>,
    server: &ServerHello<'_>,
) -> Result<Handshake, Failure> {
    let suite = client::chosen_suite(core, server, Version::Dtls13)?;
    if !server.extensions.are_among(&[ExtensionType::SupportedVersions, ExtensionType::KeyShare]) {
        return Err(Failure::UnsolicitedExtension);
    }
    if sent.retry.as_ref().is_some_and(|retry| retry.suite != suite) {
        return Err(Failure::IllegalParameter);
    }
    let share = server.extensions.find(ExtensionType::KeyShare).ok_or(Failure::MissingExtension)?;
    let share = key_share::parse_server(share)?;
    let ours = sent.shares.iter().position(|ours| ours.group().code() == share.group);
    let ours = sent.shares.swap_remove(ours.ok_or(Failure::IllegalParameter)?);
    let group = ours.group();
    let shared = ours.finish(share.key_exchange).map_err(|_| Failure::BadKeyShare)?;

    let hash = suite.hash();
    let mut transcript = Transcript13::new(hash);
    if let Some(retry) = &sent.retry {
        transcript.add(MessageType::MessageHash, message_hash(hash, &retry.hello).as_ref());
        transcript.add(MessageType::ServerHello, &retry.request);
    }
    transcript.add(MessageType::ClientHello, &sent.hello);
    transcript.add(MessageType::ServerHello, message.body);
    let handshake = HandshakeSecret::new(hash, &shared)?;
    let traffic = handshake.traffic(transcript.current().as_ref())?;

    core.version = Some(Version::Dtls13);
    core.flight.clear();
    core.reassembly.expect_epoch(HANDSHAKE_EPOCH);
    let opener = Opener::new(suite.aead(), hash, &traffic.server, HANDSHAKE_EPOCH)?;
    core.reading.handshake = Some(Box::new(opener));
    let sealer = Sealer::new(suite.aead(), hash, &traffic.client, HANDSHAKE_EPOCH)?;
    core.writing.sealers = Sealers::Dtls13 { handshake: Some(Box::new(sealer)), application: None };
    core.has_new_keys = true;
    let agreed = Agreed { suite, group, srtp: None, transcript, handshake, traffic };
    Ok(Handshake::Client13(Box::new(State::EncryptedExtensions(WaitEncryptedExtensions(agreed)))))
}

impl State {
    pub(super) fn handle(self, core: &mut Core, message: &Message<'_>) -> Result<Handshake, Failure> {
        let next = match self {
            Self::EncryptedExtensions(state) => state.handle(core, message)?,
            Self::CertificateRequest(state) => state.handle(core, message)?,
            Self::Certificate(state) => state.handle(core, message)?,
            Self::CertificateVerify(state) => state.handle(message)?,
            Self::Finished(state) => return state.handle(core, message),
        };
        Ok(Handshake::Client13(Box::new(next)))
    }
}

impl WaitEncryptedExtensions {
    fn handle(mut self, core: &Core, message: &Message<'_>) -> Result<State, Failure> {
        if !message.is(MessageType::EncryptedExtensions) {
            return Err(Failure::UnexpectedMessage);
        }
        let mut reader = wire::Reader::new(message.body);
        let extensions = Extensions::parse(&mut reader)?;
        codec::end(reader)?;
        let mut offered = vec![ExtensionType::SupportedGroups];
        if !core.config.srtp_profiles.is_empty() {
            offered.push(ExtensionType::UseSrtp);
        }
        if !extensions.are_among(&offered) {
            return Err(Failure::UnsolicitedExtension);
        }
        self.0.srtp = client::agreed_srtp(core, extensions.find(ExtensionType::UseSrtp))?;
        self.0.transcript.add(MessageType::EncryptedExtensions, message.body);
        Ok(State::CertificateRequest(WaitCertificateRequest(self.0)))
    }
}

impl WaitCertificateRequest {
    fn handle(self, core: &mut Core, message: &Message<'_>) -> Result<State, Failure> {
        let mut agreed = self.0;
        if !message.is(MessageType::CertificateRequest) {
            return WaitCertificate { agreed, is_asked: false }.handle(core, message);
        }
        let request = CertificateRequest::parse(message.body)?;
        if !request.context.is_empty() {
            return Err(Failure::IllegalParameter);
        }
        our_scheme(core, request.schemes.ok_or(Failure::MissingExtension)?)?;
        agreed.transcript.add(MessageType::CertificateRequest, message.body);
        Ok(State::Certificate(WaitCertificate { agreed, is_asked: true }))
    }
}

impl WaitCertificate {
    fn handle(self, core: &mut Core, message: &Message<'_>) -> Result<State, Failure> {
        let Self { mut agreed, is_asked } = self;
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
        Ok(State::CertificateVerify(WaitCertificateVerify { agreed, is_asked, key }))
    }
}

impl WaitCertificateVerify {
    fn handle(self, message: &Message<'_>) -> Result<State, Failure> {
        let Self { mut agreed, is_asked, key } = self;
        if !message.is(MessageType::CertificateVerify) {
            return Err(Failure::UnexpectedMessage);
        }
        let signed = Signed::parse(message.body)?;
        let content = certificate_verify::content(Side::Server, agreed.transcript.current().as_ref());
        check_signature(&key, Version::Dtls13, &signed, &content)?;
        agreed.transcript.add(MessageType::CertificateVerify, message.body);
        Ok(State::Finished(WaitFinished { agreed, is_asked }))
    }
}

impl WaitFinished {
    fn handle(self, core: &mut Core, message: &Message<'_>) -> Result<Handshake, Failure> {
        let Self { mut agreed, is_asked } = self;
        if !message.is(MessageType::Finished) {
            return Err(Failure::UnexpectedMessage);
        }
        let (hash, aead) = (agreed.suite.hash(), agreed.suite.aead());
        let transcript = agreed.transcript.current();
        if !schedule::is_finished(hash, &agreed.traffic.server, transcript.as_ref(), message.body)? {
            return Err(Failure::BadFinished);
        }
        agreed.transcript.add(MessageType::Finished, message.body);
        let master = agreed.handshake.master()?;
        let transcript = agreed.transcript.current();
        let traffic = master.traffic(transcript.as_ref())?;
        let exporter = Exporter::Dtls13 { hash, secret: master.exporter(transcript.as_ref())? };

        core.begin_flight();
        if is_asked {
            agreed.authenticate(core)?;
        }
        let finished =
            schedule::finished(hash, &agreed.traffic.client, agreed.transcript.current().as_ref())?;
        core.add(HANDSHAKE_EPOCH, MessageType::Finished, finished.as_ref());
        core.flight.send();

        core.reassembly.expect_epoch(APPLICATION_EPOCH);
        let opener = Opener::new(aead, hash, &traffic.server, APPLICATION_EPOCH)?;
        core.reading.application = Some(Box::new(opener));
        if let Sealers::Dtls13 { application, .. } = &mut core.writing.sealers {
            *application = Some(Box::new(Sealer::new(aead, hash, &traffic.client, APPLICATION_EPOCH)?));
        }
        let connected = Connected {
            version: Version::Dtls13,
            cipher_suite: agreed.suite,
            group: agreed.group,
            is_client: true,
            srtp_profile: agreed.srtp,
            peer_certificate: Box::default(),
        };
        core.complete(connected, exporter)?;
        Ok(Handshake::Complete(Complete::new13(agreed.suite, traffic.server, traffic.client)))
    }
}

impl Agreed {
    /// Certificate and CertificateVerify.
    fn authenticate(&mut self, core: &mut Core) -> Result<(), Failure> {
        let mut body = Vec::with_capacity(MESSAGE);
        certificate13::write(&mut body, &[], core.certificate.der());
        core.add(HANDSHAKE_EPOCH, MessageType::Certificate, &body);
        self.transcript.add(MessageType::Certificate, &body);
        let content = certificate_verify::content(Side::Client, self.transcript.current().as_ref());
        let signature = core.certificate.sign(&content)?;
        body.clear();
        certificate_verify::write(&mut body, core.certificate.scheme(), &signature);
        core.add(HANDSHAKE_EPOCH, MessageType::CertificateVerify, &body);
        self.transcript.add(MessageType::CertificateVerify, &body);
        Ok(())
    }
}
