//! With an end that others wrote: webrtc-rs's.

use rtc_srtp::context::Context;
use rtc_srtp::option::{srtcp_replay_protection, srtp_replay_protection};
use rtc_srtp::protection_profile::ProtectionProfile;
use twocan_srtp::{Keys, Profile, Receiver, Sender};

/// Both ends of both directions: ours sends to theirs with the client's key, theirs to ours with the server's.
struct Pair {
    sender: Sender,
    receiver: Receiver,
    their_sender: Context,
    their_receiver: Context,
}

impl Pair {
    fn new(profile: Profile) -> Self {
        let theirs = match profile {
            Profile::Aes128CmSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
            Profile::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
            Profile::AeadAes256Gcm => ProtectionProfile::AeadAes256Gcm,
        };
        let (key_len, salt_len) = (profile.key_len(), profile.salt_len());
        let material: Vec<u8> = (0..profile.keying_material_len()).map(|at| at as u8 ^ 0x5A).collect();
        let (sender, receiver) = Keys::split(profile, &material).unwrap().contexts(true).unwrap();
        let provider = rtc_crypto::default_provider().unwrap();
        let context = |index: usize| {
            let key = &material[index * key_len..(index + 1) * key_len];
            let salt = &material[2 * key_len + index * salt_len..][..salt_len];
            let (rtp, rtcp) = (srtp_replay_protection(64), srtcp_replay_protection(64));
            Context::new(key, salt, theirs, Some(rtp), Some(rtcp), provider.crypto()).unwrap()
        };
        Self { sender, receiver, their_sender: context(1), their_receiver: context(0) }
    }
}

/// With two contributing sources and an extension, unless `bare`.
fn rtp(sequence: u16, bare: bool) -> Vec<u8> {
    let mut packet = vec![if bare { 0x80 } else { 0x92 }, 0x80 | 96];
    packet.extend(sequence.to_be_bytes());
    packet.extend([1, 2, 3, 4, 0xCA, 0xFE, 0xBA, 0xBE]);
    if !bare {
        packet.extend([0, 0, 0, 1, 0, 0, 0, 2, 0xBE, 0xDE, 0, 1, 0x10, 7, 0, 0]);
    }
    packet.extend((0..sequence % 100).map(|byte| byte as u8));
    packet
}

#[test]
fn each_opens_what_the_other_sealed() {
    for profile in Profile::ALL {
        let mut pair = Pair::new(profile);
        for step in 0..300_u16 {
            // Over the wrap of the sequence number, and past half of the next round.
            let sequence = 0xFFB0_u16.wrapping_add(if step < 200 { step } else { step * 100 });
            let plain = rtp(sequence, step % 2 == 0);
            let mut ours = plain.clone();
            pair.sender.protect_rtp(&mut ours, 0).unwrap();
            assert_eq!(pair.their_receiver.decrypt_rtp(&ours).unwrap(), plain, "{profile:?} {step}");

            let mut theirs = pair.their_sender.encrypt_rtp(&plain).unwrap().to_vec();
            assert_eq!(theirs.len(), ours.len());
            let len = pair.receiver.unprotect_rtp(&mut theirs).unwrap();
            assert_eq!(theirs[..len], plain, "{profile:?} {step}");
        }
    }
}

#[test]
fn each_opens_what_the_other_reports() {
    for profile in Profile::ALL {
        let mut pair = Pair::new(profile);
        for step in 0..100_u8 {
            // A receiver report without blocks, and a second packet behind it.
            let mut plain = vec![0x80, 201, 0, 1, 0, 0, 0, step % 3, 0x81, 203, 0, 1, 0, 0, 0, step % 3];
            plain[6] = 9;
            let mut ours = plain.clone();
            pair.sender.protect_rtcp(&mut ours, 0).unwrap();
            assert_eq!(pair.their_receiver.decrypt_rtcp(&ours).unwrap(), plain, "{profile:?} {step}");

            let mut theirs = pair.their_sender.encrypt_rtcp(&plain).unwrap().to_vec();
            assert_eq!(theirs.len(), ours.len());
            let len = pair.receiver.unprotect_rtcp(&mut theirs).unwrap();
            assert_eq!(theirs[..len], plain, "{profile:?} {step}");
        }
    }
}
