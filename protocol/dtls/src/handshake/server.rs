//! The server until it has chosen a version: RFC 8446 §4.1, §4.2.1, RFC 9147 §5.3.

use super::{State, server12, server13};
use crate::Version;
use crate::codec;
use crate::core::Core;
use crate::crypto::group::NamedGroup;
use crate::crypto::suite::CipherSuite;
use crate::extension::{
    ExtensionType, key_share, signature_algorithms, supported_groups, supported_versions, use_srtp,
};
use crate::failure::Failure;
use crate::message::client_hello::ClientHello;
use crate::message::{Message, MessageType};
use crate::record::header12::VERSION_12;

/// Nothing came yet.
pub(crate) struct WaitClientHello;

impl WaitClientHello {
    pub(super) fn handle(self, core: &mut Core, message: &Message<'_>) -> Result<State, Failure> {
        let hello = client_hello(message)?;
        match version(core, &hello)? {
            Version::Dtls13 => server13::start(core, message, &hello),
            Version::Dtls12 => server12::start(core, message, &hello),
        }
    }
}

/// A HelloRetryRequest was sent.
pub(crate) struct WaitSecondClientHello {
    pub(super) retry: server13::Retry,
}

impl WaitSecondClientHello {
    pub(super) fn handle(self, core: &mut Core, message: &Message<'_>) -> Result<State, Failure> {
        let hello = client_hello(message)?;
        if version(core, &hello)? != Version::Dtls13 {
            return Err(Failure::IllegalParameter);
        }
        server13::resume(core, &self.retry, message, &hello)
    }
}

fn client_hello<'a>(message: &Message<'a>) -> Result<ClientHello<'a>, Failure> {
    if !message.is(MessageType::ClientHello) {
        return Err(Failure::UnexpectedMessage);
    }
    Ok(ClientHello::parse(message.body)?)
}

/// The first of our versions that the client speaks, too.
fn version(core: &Core, hello: &ClientHello<'_>) -> Result<Version, Failure> {
    let offered = hello.extensions.find(ExtensionType::SupportedVersions);
    let offered = offered.map(supported_versions::parse_client).transpose()?;
    let speaks = |version: Version| match offered {
        Some(versions) => codec::numbers(versions).any(|code| code == version.code()),
        // Versions count downwards; DTLS 1.0 is 0xfeff.
        None => version == Version::Dtls12 && hello.version <= VERSION_12,
    };
    core.config.versions.iter().copied().find(|version| speaks(*version)).ok_or(Failure::NoCommonVersion)
}

/// The first of our suites that the client has, too; our certificates have no RSA keys.
pub(super) fn suite(core: &Core, hello: &ClientHello<'_>, version: Version) -> Result<CipherSuite, Failure> {
    CipherSuite::offered(version, &core.config.aeads)
        .filter(|suite| suite.signer() != Some(crate::crypto::suite::Signer::Rsa))
        .find(|suite| hello.offers(suite.code()))
        .ok_or(Failure::NoCommonCipherSuite)
}

/// What the client can check.
pub(super) fn schemes<'a>(hello: &ClientHello<'a>) -> Result<&'a [u8], Failure> {
    let body = hello.extensions.find(ExtensionType::SignatureAlgorithms).ok_or(Failure::MissingExtension)?;
    Ok(signature_algorithms::parse(body)?)
}

/// The SRTP profile, if both ends want media.
pub(super) fn srtp(core: &Core, hello: &ClientHello<'_>) -> Result<Option<use_srtp::SrtpProfile>, Failure> {
    let Some(body) = hello.extensions.find(ExtensionType::UseSrtp) else { return Ok(None) };
    Ok(use_srtp::choose(&core.config.srtp_profiles, use_srtp::parse(body)?))
}

/// A group of both ends, and the client's share of it.
pub(super) struct Share<'a> {
    pub(super) group: NamedGroup,
    pub(super) share: Option<&'a [u8]>,
}

/// The first of our groups of which the client sent a share, else the first that it has.
pub(super) fn share<'a>(core: &Core, hello: &ClientHello<'a>) -> Result<Share<'a>, Failure> {
    let shares = hello.extensions.find(ExtensionType::KeyShare).ok_or(Failure::MissingExtension)?;
    let groups = groups(hello)?.ok_or(Failure::MissingExtension)?;
    let mut asked = None;
    for group in &core.config.groups {
        if !codec::numbers(groups).any(|code| code == group.code()) {
            continue;
        }
        if let Some(share) = key_share::find(shares, *group)? {
            return Ok(Share { group: *group, share: Some(share) });
        }
        asked = asked.or(Some(*group));
    }
    asked.map(|group| Share { group, share: None }).ok_or(Failure::NoCommonGroup)
}

/// The groups that the client has.
pub(super) fn groups<'a>(hello: &ClientHello<'a>) -> Result<Option<&'a [u8]>, Failure> {
    let body = hello.extensions.find(ExtensionType::SupportedGroups);
    Ok(body.map(supported_groups::parse).transpose()?)
}
