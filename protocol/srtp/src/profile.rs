//! How media is protected: the protection profiles of RFC 5764 §4.1.2 and RFC 7714 §14.2 that WebRTC uses.

/// A protection profile, as the handshake of DTLS agrees on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// SRTP_AES128_CM_HMAC_SHA1_80: what every WebRTC endpoint has (RFC 8827 §6.5).
    Aes128CmSha1_80 = 0x0001,
    /// SRTP_AEAD_AES_128_GCM.
    AeadAes128Gcm = 0x0007,
    /// SRTP_AEAD_AES_256_GCM.
    AeadAes256Gcm = 0x0008,
}

impl Profile {
    /// All of them, the one that costs least first.
    pub const ALL: [Self; 3] = [Self::AeadAes128Gcm, Self::AeadAes256Gcm, Self::Aes128CmSha1_80];

    /// Its number in `use_srtp`.
    pub const fn id(self) -> u16 {
        self as u16
    }

    /// The profile of this number.
    pub fn of_id(id: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.id() == id)
    }

    /// Bytes of a master key.
    pub const fn key_len(self) -> usize {
        match self {
            Self::Aes128CmSha1_80 | Self::AeadAes128Gcm => 16,
            Self::AeadAes256Gcm => 32,
        }
    }

    /// Bytes of a master salt, which are those of a session salt, too.
    pub const fn salt_len(self) -> usize {
        match self {
            Self::Aes128CmSha1_80 => 14,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 12,
        }
    }

    /// Bytes that DTLS exports: both ends' keys and salts (RFC 5764 §4.2).
    pub const fn keying_material_len(self) -> usize {
        2 * (self.key_len() + self.salt_len())
    }

    /// Bytes by which protection makes an RTP packet longer. Cryptex adds four where there are contributing sources
    /// and no extension.
    pub const fn rtp_overhead(self) -> usize {
        match self {
            Self::Aes128CmSha1_80 => 10,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 16,
        }
    }

    /// Bytes by which protection makes an RTCP packet longer: a tag and the index.
    pub const fn rtcp_overhead(self) -> usize {
        self.rtp_overhead() + 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_those_of_the_standards() {
        let lengths = Profile::ALL.map(|profile| {
            assert_eq!(Profile::of_id(profile.id()), Some(profile));
            (profile.keying_material_len(), profile.rtp_overhead(), profile.rtcp_overhead())
        });
        assert_eq!(lengths, [(56, 16, 20), (88, 16, 20), (60, 10, 14)]);
        assert_eq!(Profile::of_id(2), None);
    }
}
