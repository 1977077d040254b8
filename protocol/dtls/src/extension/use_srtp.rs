//! `use_srtp`: RFC 5764 §4.1.1, with the profiles of RFC 7714 §14.2.

use wire::Reader;

use super::{ExtensionType, put};
use crate::codec::{self, Malformed};

/// How media is protected with the keys that are exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SrtpProfile {
    /// SRTP_AES128_CM_HMAC_SHA1_80: what every WebRTC endpoint has.
    Aes128CmSha1_80 = 0x0001,
    /// SRTP_AEAD_AES_128_GCM.
    AeadAes128Gcm = 0x0007,
    /// SRTP_AEAD_AES_256_GCM.
    AeadAes256Gcm = 0x0008,
}

impl SrtpProfile {
    /// The label with which its keys are exported (RFC 5764 §4.2), without a context.
    pub const EXPORT_LABEL: &[u8] = b"EXTRACTOR-dtls_srtp";

    /// The name that IANA has for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aes128CmSha1_80 => "SRTP_AES128_CM_HMAC_SHA1_80",
            Self::AeadAes128Gcm => "SRTP_AEAD_AES_128_GCM",
            Self::AeadAes256Gcm => "SRTP_AEAD_AES_256_GCM",
        }
    }

    /// How many bytes to export: the client's and the server's key, then the client's and the server's salt.
    pub const fn keying_material_len(self) -> usize {
        2 * (self.key_len() + self.salt_len())
    }

    /// Of a master key, in bytes.
    pub const fn key_len(self) -> usize {
        match self {
            Self::Aes128CmSha1_80 | Self::AeadAes128Gcm => 16,
            Self::AeadAes256Gcm => 32,
        }
    }

    /// Of a master salt, in bytes.
    pub const fn salt_len(self) -> usize {
        match self {
            Self::Aes128CmSha1_80 => 14,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 12,
        }
    }

    /// Its number on the wire, and in other protocols' names for it.
    pub const fn id(self) -> u16 {
        self as u16
    }
}

/// Reads the profiles' numbers; what the peer says of a master key identifier (MKI) is not used by WebRTC (RFC 8827
/// §6.5) and a server may leave it out of its answer.
pub(crate) fn parse(body: &[u8]) -> Result<&[u8], Malformed> {
    let mut reader = Reader::new(body);
    let profiles = codec::whole_numbers(codec::vector16(&mut reader)?)?;
    codec::vector8(&mut reader)?;
    codec::end(reader)?;
    Ok(profiles)
}

/// The first of `ours` that the peer has, too: the server chooses.
pub(crate) fn choose(ours: &[SrtpProfile], theirs: &[u8]) -> Option<SrtpProfile> {
    ours.iter().copied().find(|profile| codec::numbers(theirs).any(|code| code == profile.id()))
}

pub(crate) fn write(out: &mut Vec<u8>, profiles: &[SrtpProfile]) {
    put(out, ExtensionType::UseSrtp, |out| {
        codec::put_vector16(out, |out| {
            profiles.iter().for_each(|profile| out.extend_from_slice(&profile.id().to_be_bytes()));
        });
        codec::put_vector8(out, |_| ());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_chooses() {
        let mut out = Vec::new();
        write(&mut out, &[SrtpProfile::Aes128CmSha1_80, SrtpProfile::AeadAes128Gcm]);
        assert_eq!(out, [0, 14, 0, 7, 0, 4, 0, 1, 0, 7, 0]);
        let theirs = parse(&out[4..]).unwrap();
        let ours = [SrtpProfile::AeadAes256Gcm, SrtpProfile::AeadAes128Gcm, SrtpProfile::Aes128CmSha1_80];
        assert_eq!(choose(&ours, theirs), Some(SrtpProfile::AeadAes128Gcm));
        assert_eq!(choose(&ours[..1], theirs), None);
        assert_eq!(parse(&[0, 2, 0, 7]), Err(Malformed));
    }

    #[test]
    fn keying_material_has_the_length_of_the_profile() {
        assert_eq!(SrtpProfile::Aes128CmSha1_80.keying_material_len(), 60);
        assert_eq!(SrtpProfile::AeadAes128Gcm.keying_material_len(), 56);
        assert_eq!(SrtpProfile::AeadAes256Gcm.keying_material_len(), 88);
    }
}
