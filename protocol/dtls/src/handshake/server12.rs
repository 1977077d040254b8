//! The server of DTLS 1.2: RFC 5246 §7.3, §7.4, RFC 6347 §4.2.4, RFC 8422 §5.

use super::complete::Complete;
use super::keys12::Master;
use super::server;
use super::transcript12::Transcript12;
use super::{State as Handshake, check_signature, our_scheme};
use crate::Version;
use crate::codec;
use crate::core::{Core, PeerKey};
use crate::crypto::group::NamedGroup;
use crate::crypto::key_exchange::KeyExchange;
use crate::crypto::prf::Side;
use crate::crypto::suite::CipherSuite;
use crate::event::Connected;
use crate::extension::use_srtp::{self, SrtpProfile};
use crate::extension::{self, ExtensionType, point_formats, renegotiation};
use crate::failure::Failure;
use crate::message::certificate_verify::Signed;
use crate::message::client_hello::ClientHello;
use crate::message::server_hello::{self, DOWNGRADE_TO_12};
use crate::message::{
    Message, MessageType, certificate_request12, certificate12, client_key_exchange, server_key_exchange,
};
use crate::record::protection12::{EPOCH, Sealer};
use crate::writing::Sealers;

/// Which message comes next.
pub(crate) enum State {
    Certificate(WaitCertificate),
    ClientKeyExchange(WaitClientKeyExchange),
    CertificateVerify(WaitCertificateVerify),
    Finished(WaitFinished),
}

/// What is known until there is a key.
struct Agreed {
    suite: CipherSuite,
    srtp: Option<SrtpProfile>,
    client_random: [u8; 32],
    server_random: [u8; 32],
    transcript: Transcript12,
    exchange: KeyExchange,
}

pub(crate) struct WaitCertificate(Agreed);

pub(crate) struct WaitClientKeyExchange {
    agreed: Agreed,
    key: PeerKey,
}

/// What is known once there is a key.
struct Keyed {
    srtp: Option<SrtpProfile>,
    group: NamedGroup,
    transcript: Transcript12,
    master: Master,
    sealer: Sealer,
}

pub(crate) struct WaitCertificateVerify {
    keyed: Keyed,
    key: PeerKey,
}

pub(crate) struct WaitFinished(Keyed);

/// With the ClientHello: the server's flight.
pub(super) fn start(
    core: &mut Core,
    message: &Message<'_>,
    hello: &ClientHello<'_>,
) -> Result<Handshake, Failure> {
    let suite = server::suite(core, hello, Version::Dtls12)?;
    if !hello.compression_methods.contains(&0) {
        return Err(Failure::IllegalParameter);
    }
    if !hello.extensions.has(ExtensionType::ExtendedMasterSecret) {
        return Err(Failure::NoExtendedMasterSecret);
    }
    let info = hello.extensions.find(ExtensionType::RenegotiationInfo);
    if info.is_some_and(|body| !renegotiation::is_empty(body)) {
        return Err(Failure::IllegalParameter);
    }
    let formats = hello.extensions.find(ExtensionType::PointFormats);
    if let Some(body) = formats {
        point_formats::has_uncompressed(body)?.then_some(()).ok_or(Failure::IllegalParameter)?;
    }
    let scheme = our_scheme(core, server::schemes(hello)?)?;
    let group = group(core, hello)?;
    let srtp = server::srtp(core, hello)?;
    let server_random = server_random(core);
    let exchange = KeyExchange::start(group, &mut core.random)?;

    core.begin_flight();
    core.version = Some(Version::Dtls12);
    let mut transcript = Transcript12::default();
    transcript.add(MessageType::ClientHello, message.sequence, message.body);
    let mut body = Vec::new();
    server_hello::write(&mut body, &server_random, suite, |out| {
        extension::put(out, ExtensionType::ExtendedMasterSecret, |_| ());
        if info.is_some() || hello.has_renegotiation_suite() {
            renegotiation::write(out);
        }
        if formats.is_some() {
            point_formats::write(out);
        }
        if let Some(profile) = srtp {
            use_srtp::write(out, &[profile]);
        }
    });
    add(core, &mut transcript, MessageType::ServerHello, &body);
    body.clear();
    certificate12::write(&mut body, core.certificate.der());
    add(core, &mut transcript, MessageType::Certificate, &body);
    body.clear();
    let mut point = Vec::new();
    exchange.put_share(&mut point)?;
    let parameters = server_key_exchange::parameters(group, &point);
    let content = server_key_exchange::content(&hello.random, &server_random, &parameters);
    server_key_exchange::write(&mut body, &parameters, scheme, &core.certificate.sign(&content)?);
    add(core, &mut transcript, MessageType::ServerKeyExchange, &body);
    body.clear();
    certificate_request12::write(&mut body);
    add(core, &mut transcript, MessageType::CertificateRequest, &body);
    add(core, &mut transcript, MessageType::ServerHelloDone, &[]);
    core.flight.send();
    let agreed = Agreed { suite, srtp, client_random: hello.random, server_random, transcript, exchange };
    Ok(Handshake::Server12(Box::new(State::Certificate(WaitCertificate(agreed)))))
}

/// A client that says nothing has P-256 (RFC 8422 §4).
fn group(core: &Core, hello: &ClientHello<'_>) -> Result<NamedGroup, Failure> {
    let theirs = server::groups(hello)?;
    let has = |group: NamedGroup| match theirs {
        Some(theirs) => codec::numbers(theirs).any(|code| code == group.code()),
        None => group == NamedGroup::Secp256r1,
    };
    let ours = core.config.groups.iter().copied();
    ours.filter(|group| group.is_elliptic()).find(|group| has(*group)).ok_or(Failure::NoCommonGroup)
}

/// Says that we could have spoken 1.3 (RFC 8446 §4.1.3).
fn server_random(core: &mut Core) -> [u8; 32] {
    let mut random: [u8; 32] = core.random.bytes();
    if core.config.speaks(Version::Dtls13) {
        random[24..].copy_from_slice(&DOWNGRADE_TO_12);
    }
    random
}

impl State {
    pub(super) fn handle(self, core: &mut Core, message: &Message<'_>) -> Result<Handshake, Failure> {
        let next = match self {
            Self::Certificate(state) => state.handle(core, message)?,
            Self::ClientKeyExchange(state) => state.handle(core, message)?,
            Self::CertificateVerify(state) => state.handle(core, message)?,
            Self::Finished(state) => return state.handle(core, message),
        };
        Ok(Handshake::Server12(Box::new(next)))
    }
}

impl WaitCertificate {
    fn handle(self, core: &mut Core, message: &Message<'_>) -> Result<State, Failure> {
        let mut agreed = self.0;
        if !message.is(MessageType::Certificate) {
            return Err(Failure::UnexpectedMessage);
        }
        let key = core.accept_certificate(certificate12::parse(message.body)?)?;
        agreed.transcript.add(MessageType::Certificate, message.sequence, message.body);
        Ok(State::ClientKeyExchange(WaitClientKeyExchange { agreed, key }))
    }
}

impl WaitClientKeyExchange {
    fn handle(self, core: &mut Core, message: &Message<'_>) -> Result<State, Failure> {
        let Self { agreed, key } = self;
        let Agreed { suite, srtp, client_random, server_random, mut transcript, exchange } = agreed;
        if !message.is(MessageType::ClientKeyExchange) {
            return Err(Failure::UnexpectedMessage);
        }
        let group = exchange.group();
        let shared =
            exchange.finish(client_key_exchange::parse(message.body)?).map_err(|_| Failure::BadKeyShare)?;
        transcript.add(MessageType::ClientKeyExchange, message.sequence, message.body);
        let master = Master::new(suite, client_random, server_random, &shared, transcript.messages())?;
        // From here on the client's Finished can be opened, but CertificateVerify still comes in the clear.
        let (sealer, opener) = master.keys(Side::Server)?;
        core.reading.dtls12 = Some(Box::new(opener));
        core.has_new_keys = true;
        let keyed = Keyed { srtp, group, transcript, master, sealer };
        Ok(State::CertificateVerify(WaitCertificateVerify { keyed, key }))
    }
}

impl WaitCertificateVerify {
    fn handle(self, core: &mut Core, message: &Message<'_>) -> Result<State, Failure> {
        let Self { mut keyed, key } = self;
        if !message.is(MessageType::CertificateVerify) {
            return Err(Failure::UnexpectedMessage);
        }
        let signed = Signed::parse(message.body)?;
        check_signature(&key, Version::Dtls12, &signed, keyed.transcript.messages())?;
        keyed.transcript.add(MessageType::CertificateVerify, message.sequence, message.body);
        core.reassembly.expect_epoch(EPOCH.into());
        Ok(State::Finished(WaitFinished(keyed)))
    }
}

impl WaitFinished {
    fn handle(self, core: &mut Core, message: &Message<'_>) -> Result<Handshake, Failure> {
        let Keyed { srtp, group, mut transcript, master, sealer } = self.0;
        if !message.is(MessageType::Finished) {
            return Err(Failure::UnexpectedMessage);
        }
        if !master.is_finished(Side::Client, transcript.messages(), message.body)? {
            return Err(Failure::BadFinished);
        }
        transcript.add(MessageType::Finished, message.sequence, message.body);
        core.begin_flight();
        core.flight.add_change_cipher_spec();
        let finished = master.finished(Side::Server, transcript.messages())?;
        core.add(EPOCH.into(), MessageType::Finished, &finished);
        core.flight.send_once();
        core.writing.sealers = Sealers::Dtls12(Box::new(sealer));
        let connected = Connected {
            version: Version::Dtls12,
            cipher_suite: master.suite,
            group,
            is_client: false,
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
