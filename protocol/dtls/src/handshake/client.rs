//! The client until it knows which version the server speaks: RFC 8446 §4.1, RFC 9147 §5.1, RFC 6347 §4.2.1.

use super::{MESSAGE, State, client12, client13};
use crate::Version;
use crate::codec;
use crate::core::Core;
use crate::crypto::group::NamedGroup;
use crate::crypto::key_exchange::KeyExchange;
use crate::crypto::suite::CipherSuite;
use crate::extension::{
    self, ExtensionType, cookie, key_share, point_formats, renegotiation, signature_algorithms,
    supported_groups, supported_versions, use_srtp,
};
use crate::failure::Failure;
use crate::message::server_hello::ServerHello;
use crate::message::{Message, MessageType, client_hello, hello_verify_request};
use crate::record::header12::VERSION_12;

/// A ClientHello is on its way.
pub(crate) struct WaitServerHello {
    pub(super) random: [u8; 32],
    pub(super) shares: Vec<KeyExchange>,
    /// The last ClientHello and its number.
    pub(super) hello: Vec<u8>,
    pub(super) sequence: u16,
    pub(super) retry: Option<Retry>,
    is_verified: bool,
}

/// A HelloRetryRequest that was answered.
pub(super) struct Retry {
    pub(super) suite: CipherSuite,
    /// The first ClientHello.
    pub(super) hello: Vec<u8>,
    /// The request.
    pub(super) request: Vec<u8>,
}

/// Sends the first ClientHello.
pub(crate) fn start(core: &mut Core) -> Result<State, Failure> {
    core.is_client = true;
    let random = core.random.bytes();
    let shares = if core.config.speaks(Version::Dtls13) {
        let groups = core.config.key_shares.clone();
        let shares = groups.into_iter().map(|group| KeyExchange::start(group, &mut core.random));
        shares.collect::<Result<_, _>>()?
    } else {
        Vec::new()
    };
    let hello = hello(core, &random, &shares, &[], &[])?;
    core.begin_flight();
    let sequence = core.add(0, MessageType::ClientHello, &hello);
    core.flight.send();
    let state = WaitServerHello { random, shares, hello, sequence, retry: None, is_verified: false };
    Ok(State::WaitServerHello(Box::new(state)))
}

impl WaitServerHello {
    pub(super) fn handle(self, core: &mut Core, message: &Message<'_>) -> Result<State, Failure> {
        if message.is(MessageType::HelloVerifyRequest) {
            return self.verify(core, message);
        }
        if !message.is(MessageType::ServerHello) {
            return Err(Failure::UnexpectedMessage);
        }
        let server = ServerHello::parse(message.body)?;
        if let Some(body) = server.extensions.find(ExtensionType::SupportedVersions) {
            let is_13 = supported_versions::parse_server(body)? == Version::Dtls13.code();
            // Whoever asked with a HelloVerifyRequest speaks DTLS 1.2 (RFC 9147 §5.2).
            if !is_13
                || !core.config.speaks(Version::Dtls13)
                || server.version != VERSION_12
                || self.is_verified
            {
                return Err(Failure::IllegalParameter);
            }
            return if server.is_retry() {
                self.retry(core, message, &server)
            } else {
                client13::start(core, self, message, &server)
            };
        }
        if server.version != VERSION_12 || !core.config.speaks(Version::Dtls12) {
            return Err(Failure::NoCommonVersion);
        }
        if core.config.speaks(Version::Dtls13) && server.is_downgrade() {
            return Err(Failure::Downgrade);
        }
        if self.retry.is_some() {
            return Err(Failure::IllegalParameter);
        }
        client12::start(core, &self, message, &server)
    }

    /// A server of DTLS 1.2 wants to see that we are where we say.
    fn verify(mut self, core: &mut Core, message: &Message<'_>) -> Result<State, Failure> {
        if self.is_verified || self.retry.is_some() || !core.config.speaks(Version::Dtls12) {
            return Err(Failure::UnexpectedMessage);
        }
        let cookie = hello_verify_request::parse(message.body)?;
        self.hello = hello(core, &self.random, &self.shares, cookie, &[])?;
        core.begin_flight();
        self.sequence = core.add(0, MessageType::ClientHello, &self.hello);
        core.flight.send();
        self.is_verified = true;
        Ok(State::WaitServerHello(Box::new(self)))
    }

    /// A server of DTLS 1.3 wants a share of another group, or to see that we are where we say (RFC 8446 §4.1.4).
    fn retry(
        mut self,
        core: &mut Core,
        message: &Message<'_>,
        server: &ServerHello<'_>,
    ) -> Result<State, Failure> {
        if self.retry.is_some() || self.is_verified {
            return Err(Failure::UnexpectedMessage);
        }
        let suite = chosen_suite(core, server, Version::Dtls13)?;
        let known = [ExtensionType::SupportedVersions, ExtensionType::KeyShare, ExtensionType::Cookie];
        if !server.extensions.are_among(&known) {
            return Err(Failure::UnsolicitedExtension);
        }
        let cookie = server.extensions.find(ExtensionType::Cookie).map(cookie::parse).transpose()?;
        if let Some(body) = server.extensions.find(ExtensionType::KeyShare) {
            let group =
                NamedGroup::from_code(key_share::parse_retry(body)?).ok_or(Failure::IllegalParameter)?;
            let is_offered = core.config.groups.contains(&group);
            let is_sent = self.shares.iter().any(|share| share.group() == group);
            if !is_offered || is_sent {
                return Err(Failure::IllegalParameter);
            }
            self.shares = vec![KeyExchange::start(group, &mut core.random)?];
        } else if cookie.is_none() {
            // It changes nothing.
            return Err(Failure::IllegalParameter);
        }
        let second = hello(core, &self.random, &self.shares, &[], cookie.unwrap_or_default())?;
        let first = std::mem::replace(&mut self.hello, second);
        core.begin_flight();
        self.sequence = core.add(0, MessageType::ClientHello, &self.hello);
        core.flight.send();
        self.retry = Some(Retry { suite, hello: first, request: message.body.to_vec() });
        Ok(State::WaitServerHello(Box::new(self)))
    }
}

/// The suite that the server chose among those that we offered.
pub(super) fn chosen_suite(
    core: &Core,
    server: &ServerHello<'_>,
    version: Version,
) -> Result<CipherSuite, Failure> {
    let offered = CipherSuite::offered(version, &core.config.aeads);
    let suite = offered.into_iter().find(|suite| suite.code() == server.cipher_suite);
    // There are no sessions to resume, and there is no compression.
    if !server.session_id.is_empty() && version == Version::Dtls13 || server.compression_method != 0 {
        return Err(Failure::IllegalParameter);
    }
    suite.ok_or(Failure::IllegalParameter)
}

fn hello(
    core: &Core,
    random: &[u8; 32],
    shares: &[KeyExchange],
    cookie12: &[u8],
    cookie13: &[u8],
) -> Result<Vec<u8>, Failure> {
    let config = &core.config;
    let (old, new) = (config.speaks(Version::Dtls12), config.speaks(Version::Dtls13));
    let mut public = Vec::new();
    for share in shares {
        let mut bytes = Vec::new();
        share.put_share(&mut bytes)?;
        public.push((share.group(), bytes));
    }
    let suites = config.versions.iter().flat_map(|version| CipherSuite::offered(*version, &config.aeads));
    let mut out = Vec::with_capacity(MESSAGE);
    client_hello::write(&mut out, random, cookie12, suites, |out| {
        if new {
            supported_versions::write_client(out, &config.versions);
        }
        let groups: Vec<_> =
            config.groups.iter().copied().filter(|group| new || group.is_elliptic()).collect();
        supported_groups::write(out, &groups);
        signature_algorithms::write(out);
        if !config.srtp_profiles.is_empty() {
            use_srtp::write(out, &config.srtp_profiles);
        }
        if new {
            key_share::write_client(out, public.iter().map(|(group, share)| (*group, &share[..])));
        }
        if old {
            extension::put(out, ExtensionType::ExtendedMasterSecret, |_| ());
            renegotiation::write(out);
            point_formats::write(out);
        }
        if !cookie13.is_empty() {
            cookie::write(out, cookie13);
        }
    });
    Ok(out)
}

/// What a server agreed to of `use_srtp`: exactly one profile, of those that we offered (RFC 5764 §4.1.1).
pub(super) fn agreed_srtp(
    core: &Core,
    body: Option<&[u8]>,
) -> Result<Option<use_srtp::SrtpProfile>, Failure> {
    let Some(body) = body else { return Ok(None) };
    let profiles = use_srtp::parse(body)?;
    if codec::numbers(profiles).count() != 1 {
        return Err(Failure::IllegalParameter);
    }
    use_srtp::choose(&core.config.srtp_profiles, profiles).map(Some).ok_or(Failure::IllegalParameter)
}
