//! The client of DTLS 1.2: RFC 5246 §7.3, §7.4, RFC 6347 §4.2.4, RFC 8422 §5.

use super::client::{self, WaitServerHello};
use super::complete::Complete;
use super::keys12::Master;
use super::transcript12::Transcript12;
use super::{State as Handshake, check_signature, our_scheme};
use crate::Version;
use crate::core::{Core, PeerKey};
use crate::crypto::group::NamedGroup;
use crate::crypto::key_exchange::{KeyExchange, SharedSecret};
use crate::crypto::prf::Side;
use crate::crypto::signature::KeyKind;
use crate::crypto::suite::{CipherSuite, Signer};
use crate::event::Connected;
use crate::extension::use_srtp::SrtpProfile;
use crate::extension::{ExtensionType, point_formats, renegotiation};
use crate::failure::Failure;
use crate::message::server_hello::ServerHello;
use crate::message::server_key_exchange::{self, ServerKeyExchange};
use crate::message::{
    Message, MessageType, certificate_request12, certificate_verify, certificate12, client_key_exchange,
};
use crate::record::protection12::EPOCH;
use crate::writing::Sealers;

/// What all states know.
struct Agreed {
    suite: CipherSuite,
    srtp: Option<SrtpProfile>,
    client_random: [u8; 32],
    server_random: [u8; 32],
    transcript: Transcript12,
}

/// Which message comes next.
pub(crate) enum State {
    Certificate(WaitCertificate),
    ServerKeyExchange(WaitServerKeyExchange),
    CertificateRequest(WaitCertificateRequest),
    ServerHelloDone(WaitServerHelloDone),
    Finished(WaitFinished),
}

pub(crate) struct WaitCertificate(Agreed);

pub(crate) struct WaitServerKeyExchange {
    agreed: Agreed,
    key: PeerKey,
}

/// The server's half of the key is known.
struct Exchanged {
    agreed: Agreed,
    group: NamedGroup,
    point: Vec<u8>,
}

/// The request, or the end of the flight if the server does not ask for our certificate.
pub(crate) struct WaitCertificateRequest(Exchanged);

pub(crate) struct WaitServerHelloDone {
    exchanged: Exchanged,
    is_asked: bool,
}

pub(crate) struct WaitFinished {
    srtp: Option<SrtpProfile>,
    group: NamedGroup,
    transcript: Transcript12,
    master: Master,
}

/// With the ServerHello.
pub(super) fn start(
    core: &mut Core,
    sent: &WaitServerHello,
    message: &Message<'_>,
    server: &ServerHello<'_>,
) -> Result<Handshake, Failure> {
    let suite = client::chosen_suite(core, server, Version::Dtls12)?;
    let mut offered = vec![
        ExtensionType::ExtendedMasterSecret,
        ExtensionType::RenegotiationInfo,
        ExtensionType::PointFormats,
        // A server has nothing to say by it, but some say it (webrtc-rs does), and we offered it (RFC 5246 §7.4.1.4).
        ExtensionType::SupportedGroups,
    ];
    if !core.config.srtp_profiles.is_empty() {
        offered.push(ExtensionType::UseSrtp);
    }
    if !server.extensions.are_among(&offered) {
        return Err(Failure::UnsolicitedExtension);
    }
    if !server.extensions.has(ExtensionType::ExtendedMasterSecret) {
        return Err(Failure::NoExtendedMasterSecret);
    }
    let info = server.extensions.find(ExtensionType::RenegotiationInfo);
    if info.is_some_and(|body| !renegotiation::is_empty(body)) {
        return Err(Failure::IllegalParameter);
    }
    if let Some(body) = server.extensions.find(ExtensionType::PointFormats) {
        point_formats::has_uncompressed(body)?.then_some(()).ok_or(Failure::IllegalParameter)?;
    }
    let srtp = client::agreed_srtp(core, server.extensions.find(ExtensionType::UseSrtp))?;
    core.version = Some(Version::Dtls12);
    let mut transcript = Transcript12::default();
    transcript.add(MessageType::ClientHello, sent.sequence, &sent.hello);
    transcript.add(MessageType::ServerHello, message.sequence, message.body);
    let agreed = Agreed { suite, srtp, client_random: sent.random, server_random: server.random, transcript };
    Ok(Handshake::Client12(Box::new(State::Certificate(WaitCertificate(agreed)))))
}

impl State {
    pub(super) fn handle(self, core: &mut Core, message: &Message<'_>) -> Result<Handshake, Failure> {
        let next = match self {
            Self::Certificate(state) => state.handle(core, message)?,
            Self::ServerKeyExchange(state) => state.handle(core, message)?,
            Self::CertificateRequest(state) => state.handle(core, message)?,
            Self::ServerHelloDone(state) => state.handle(core, message)?,
            Self::Finished(state) => return state.handle(core, message),
        };
        Ok(Handshake::Client12(Box::new(next)))
    }
}

impl WaitCertificate {
    fn handle(self, core: &mut Core, message: &Message<'_>) -> Result<State, Failure> {
        let mut agreed = self.0;
        if !message.is(MessageType::Certificate) {
            return Err(Failure::UnexpectedMessage);
        }
        let key = core.accept_certificate(certificate12::parse(message.body)?)?;
        // The suite names the kind of key that the server signs with.
        let is_rsa = key.kind == KeyKind::Rsa;
        if is_rsa != (agreed.suite.signer() == Some(Signer::Rsa)) {
            return Err(Failure::IllegalParameter);
        }
        agreed.transcript.add(MessageType::Certificate, message.sequence, message.body);
        Ok(State::ServerKeyExchange(WaitServerKeyExchange { agreed, key }))
    }
}

impl WaitServerKeyExchange {
    fn handle(self, core: &Core, message: &Message<'_>) -> Result<State, Failure> {
        let Self { mut agreed, key } = self;
        if !message.is(MessageType::ServerKeyExchange) {
            return Err(Failure::UnexpectedMessage);
        }
        let exchange = ServerKeyExchange::parse(message.body)?;
        let group = NamedGroup::from_code(exchange.group).filter(|group| group.is_elliptic());
        let group =
            group.filter(|group| core.config.groups.contains(group)).ok_or(Failure::IllegalParameter)?;
        let content =
            server_key_exchange::content(&agreed.client_random, &agreed.server_random, exchange.parameters);
        check_signature(&key, Version::Dtls12, &exchange.signed, &content)?;
        let point = exchange.point.to_vec();
        agreed.transcript.add(MessageType::ServerKeyExchange, message.sequence, message.body);
        Ok(State::CertificateRequest(WaitCertificateRequest(Exchanged { agreed, group, point })))
    }
}

impl WaitCertificateRequest {
    fn handle(self, core: &mut Core, message: &Message<'_>) -> Result<State, Failure> {
        let mut exchanged = self.0;
        if !message.is(MessageType::CertificateRequest) {
            return WaitServerHelloDone { exchanged, is_asked: false }.handle(core, message);
        }
        our_scheme(core, certificate_request12::parse(message.body)?)?;
        exchanged.agreed.transcript.add(MessageType::CertificateRequest, message.sequence, message.body);
        Ok(State::ServerHelloDone(WaitServerHelloDone { exchanged, is_asked: true }))
    }
}

impl WaitServerHelloDone {
    fn handle(self, core: &mut Core, message: &Message<'_>) -> Result<State, Failure> {
        let Self { exchanged: Exchanged { mut agreed, group, point }, is_asked } = self;
        if !message.is(MessageType::ServerHelloDone) {
            return Err(Failure::UnexpectedMessage);
        }
        if !message.body.is_empty() {
            return Err(Failure::Malformed);
        }
        let transcript = &mut agreed.transcript;
        transcript.add(MessageType::ServerHelloDone, message.sequence, message.body);
        core.begin_flight();
        if is_asked {
            let mut body = Vec::new();
            certificate12::write(&mut body, core.certificate.der());
            add(core, transcript, MessageType::Certificate, &body);
        }
        let (ours, shared) = exchange(core, group, &point)?;
        let mut body = Vec::new();
        client_key_exchange::write(&mut body, &ours);
        add(core, transcript, MessageType::ClientKeyExchange, &body);
        let messages = transcript.messages();
        let master =
            Master::new(agreed.suite, agreed.client_random, agreed.server_random, &shared, messages)?;
        if is_asked {
            let signature = core.certificate.sign(transcript.messages())?;
            let mut body = Vec::new();
            certificate_verify::write(&mut body, core.certificate.scheme(), &signature);
            add(core, transcript, MessageType::CertificateVerify, &body);
        }
        let finished = master.finished(Side::Client, transcript.messages())?;
        core.flight.add_change_cipher_spec();
        let sequence = core.add(EPOCH.into(), MessageType::Finished, &finished);
        transcript.add(MessageType::Finished, sequence, &finished);
        core.flight.send();

        let (sealer, opener) = master.keys(Side::Client)?;
        core.writing.sealers = Sealers::Dtls12(Box::new(sealer));
        core.reading.dtls12 = Some(Box::new(opener));
        core.reassembly.expect_epoch(EPOCH.into());
        core.has_new_keys = true;
        Ok(State::Finished(WaitFinished { srtp: agreed.srtp, group, transcript: agreed.transcript, master }))
    }
}

impl WaitFinished {
    fn handle(self, core: &mut Core, message: &Message<'_>) -> Result<Handshake, Failure> {
        let Self { srtp, group, transcript, master } = self;
        if !message.is(MessageType::Finished) {
            return Err(Failure::UnexpectedMessage);
        }
        if !master.is_finished(Side::Server, transcript.messages(), message.body)? {
            return Err(Failure::BadFinished);
        }
        core.flight.clear();
        let connected = Connected {
            version: Version::Dtls12,
            cipher_suite: master.suite,
            group,
            is_client: true,
            srtp_profile: srtp,
            peer_certificate: Box::default(),
        };
        core.complete(connected, master.exporter())?;
        Ok(Handshake::Complete(Complete::new12()))
    }
}

fn add(core: &mut Core, transcript: &mut Transcript12, kind: MessageType, body: &[u8]) {
    let sequence = core.add(0, kind, body);
    transcript.add(kind, sequence, body);
}

/// Our half of the key, and the key.
fn exchange(core: &mut Core, group: NamedGroup, point: &[u8]) -> Result<(Vec<u8>, SharedSecret), Failure> {
    let mut ours = Vec::new();
    let shared =
        KeyExchange::respond(group, point, &mut core.random, &mut ours).map_err(|_| Failure::BadKeyShare)?;
    Ok((ours, shared))
}
