//! SRTP (RFC 3711, 7714): packets that one CPU-second protects and opens, by profile, beside webrtc-rs's.

use std::hint::black_box;
use std::io;

use ::srtp::{Keys, Profile, Receiver, Sender};
use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use nix::time::{ClockId, clock_gettime};
use rtc_srtp::context::Context;
use rtc_srtp::option::{srtcp_replay_protection, srtp_replay_protection};
use rtc_srtp::protection_profile::ProtectionProfile;

use crate::stats::median;

/// A full packet of video, and 20 ms of sound.
const SIZES: [usize; 2] = [1200, 160];
const HEADER: [u8; 12] = [0x80, 96, 0, 0, 0, 0, 0, 1, 0xCA, 0xFE, 0xBA, 0xBE];
/// Packets that are protected before as many are opened, so that the clock is read seldom.
const BATCH: usize = 64;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How often each measurement is repeated.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Packets in each.
    #[arg(long, default_value_t = 100_000)]
    packets: usize,
}

/// One direction of a stack.
trait Ends {
    /// Protects so many packets of this number and the next ones.
    fn protect(&mut self, first: u16, payload: &[u8]);
    /// Opens them.
    fn unprotect(&mut self);
}

pub(crate) fn run(options: &Options) -> io::Result<()> {
    println!("million packets per CPU-second, medians of {} rounds", options.rounds);
    println!("{:24}{:>6}{:>20}{:>20}{:>20}", "", "", "twocan", "webrtc-rs", "primitives alone");
    print!("{:24}{:>6}", "", "bytes");
    (0..3).for_each(|_| print!("{:>10}{:>10}", "protect", "unprotect"));
    println!();
    for profile in Profile::ALL {
        for size in SIZES {
            let payload = vec![0x55; size];
            let mut figures: [Vec<f64>; 6] = Default::default();
            for _ in 0..options.rounds {
                let ours = measure(&mut Ours::new(profile).map_err(io::Error::other)?, options, &payload)?;
                let theirs =
                    measure(&mut Theirs::new(profile).map_err(io::Error::other)?, options, &payload)?;
                let alone = measure(&mut Alone::new(profile).map_err(io::Error::other)?, options, &payload)?;
                let round = [ours.0, ours.1, theirs.0, theirs.1, alone.0, alone.1];
                figures.iter_mut().zip(round).for_each(|(figures, figure)| figures.push(figure));
            }
            print!("{:24}{size:>6}", name(profile));
            figures.iter().for_each(|figures| print!("{:>10.2}", median(figures)));
            println!();
        }
    }
    Ok(())
}

fn name(profile: Profile) -> &'static str {
    match profile {
        Profile::AeadAes128Gcm => "AEAD_AES_128_GCM",
        Profile::AeadAes256Gcm => "AEAD_AES_256_GCM",
        Profile::Aes128CmSha1_80 => "AES128_CM_HMAC_SHA1_80",
    }
}

/// Million packets per CPU-second, protected and opened.
fn measure(ends: &mut impl Ends, options: &Options, payload: &[u8]) -> io::Result<(f64, f64)> {
    let (mut protect, mut unprotect, mut first) = (0.0, 0.0, 0_u16);
    let batches = options.packets / BATCH;
    for _ in 0..batches {
        let start = cpu()?;
        ends.protect(first, payload);
        let middle = cpu()?;
        ends.unprotect();
        unprotect += cpu()? - middle;
        protect += middle - start;
        first = first.wrapping_add(BATCH as u16);
    }
    let packets = (batches * BATCH) as f64 / 1e6;
    Ok((packets / protect, packets / unprotect))
}

/// CPU time of this thread, in seconds.
fn cpu() -> io::Result<f64> {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?;
    Ok(time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9)
}

fn material(profile: Profile) -> Vec<u8> {
    (0..profile.keying_material_len()).map(|at| at as u8).collect()
}

fn header(number: u16) -> [u8; 12] {
    let mut header = HEADER;
    header[2..4].copy_from_slice(&number.to_be_bytes());
    header
}

/// As in a GSO send: packets one behind another.
struct Ours {
    sender: Sender,
    receiver: Receiver,
    buffer: Vec<u8>,
}

impl Ours {
    fn new(profile: Profile) -> Result<Self, ::srtp::KeyError> {
        let keys = Keys::split(profile, &material(profile))?;
        let (sender, receiver) = (Sender::new(&keys.client)?, Receiver::new(&keys.client)?);
        Ok(Self { sender, receiver, buffer: Vec::new() })
    }
}

impl Ends for Ours {
    fn protect(&mut self, first: u16, payload: &[u8]) {
        self.buffer.clear();
        for number in 0..BATCH as u16 {
            let start = self.buffer.len();
            self.buffer.extend_from_slice(&header(first.wrapping_add(number)));
            self.buffer.extend_from_slice(payload);
            self.sender.protect_rtp(&mut self.buffer, start).expect("a number of its own");
        }
    }

    fn unprotect(&mut self) {
        let size = self.buffer.len() / BATCH;
        for packet in self.buffer.chunks_mut(size) {
            let len = self.receiver.unprotect_rtp(packet).expect("authentic");
            black_box(&packet[..len]);
        }
    }
}

struct Theirs {
    sender: Context,
    receiver: Context,
    packets: Vec<bytes::BytesMut>,
}

impl Theirs {
    fn new(profile: Profile) -> Result<Self, String> {
        let theirs = match profile {
            Profile::Aes128CmSha1_80 => ProtectionProfile::Aes128CmHmacSha1_80,
            Profile::AeadAes128Gcm => ProtectionProfile::AeadAes128Gcm,
            Profile::AeadAes256Gcm => ProtectionProfile::AeadAes256Gcm,
        };
        let material = material(profile);
        let salt = &material[2 * profile.key_len()..][..profile.salt_len()];
        let provider = rtc_crypto::default_provider().map_err(|error| error.to_string())?;
        let context = |rtp, rtcp| {
            let key = &material[..profile.key_len()];
            Context::new(key, salt, theirs, rtp, rtcp, provider.crypto()).map_err(|error| error.to_string())
        };
        Ok(Self {
            sender: context(None, None)?,
            receiver: context(Some(srtp_replay_protection(1024)), Some(srtcp_replay_protection(64)))?,
            packets: Vec::new(),
        })
    }
}

impl Ends for Theirs {
    fn protect(&mut self, first: u16, payload: &[u8]) {
        self.packets.clear();
        let mut plain = Vec::with_capacity(HEADER.len() + payload.len());
        for number in 0..BATCH as u16 {
            plain.clear();
            plain.extend_from_slice(&header(first.wrapping_add(number)));
            plain.extend_from_slice(payload);
            self.packets.push(self.sender.encrypt_rtp(&plain).expect("a number of its own"));
        }
    }

    fn unprotect(&mut self) {
        for packet in &self.packets {
            black_box(self.receiver.decrypt_rtp(packet).expect("authentic"));
        }
    }
}

/// What AWS-LC takes for the same bytes: nothing is copied, numbered or remembered.
struct Alone {
    key: Primitive,
    packets: Vec<u8>,
}

enum Primitive {
    Gcm(LessSafeKey),
    Cm(Box<(EncryptingKey, hmac::Key)>),
}

impl Alone {
    fn new(profile: Profile) -> Result<Self, aws_lc_rs::error::Unspecified> {
        let key = match profile {
            Profile::AeadAes128Gcm => {
                Primitive::Gcm(LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &[7; 16])?))
            }
            Profile::AeadAes256Gcm => {
                Primitive::Gcm(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32])?))
            }
            Profile::Aes128CmSha1_80 => Primitive::Cm(Box::new((
                EncryptingKey::ctr(UnboundCipherKey::new(&AES_128, &[7; 16])?)?,
                hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &[7; 20]),
            ))),
        };
        Ok(Self { key, packets: Vec::new() })
    }
}

impl Ends for Alone {
    fn protect(&mut self, _first: u16, payload: &[u8]) {
        let size = HEADER.len() + payload.len() + 16;
        self.packets.resize(BATCH * size, 0);
        for packet in self.packets.chunks_mut(size) {
            let (message, tag) = packet.split_at_mut(size - 16);
            let (header, body) = message.split_at_mut(HEADER.len());
            match &self.key {
                Primitive::Gcm(key) => {
                    let nonce = Nonce::assume_unique_for_key([0; 12]);
                    key.seal_in_place_scatter(nonce, Aad::from(header), body, &[], tag).expect("short");
                }
                Primitive::Cm(keys) => {
                    let (cipher, auth) = &**keys;
                    let context = EncryptionContext::Iv128(FixedLength::from([0; 16]));
                    black_box(cipher.less_safe_encrypt(body, context).expect("short"));
                    black_box(hmac::sign(auth, message));
                }
            }
        }
    }

    fn unprotect(&mut self) {
        let size = self.packets.len() / BATCH;
        for packet in self.packets.chunks_mut(size) {
            let (message, tag) = packet.split_at_mut(size - 16);
            let (header, body) = message.split_at_mut(HEADER.len());
            match &self.key {
                Primitive::Gcm(key) => {
                    let nonce = Nonce::assume_unique_for_key([0; 12]);
                    key.open_in_place_separate_tag(nonce, Aad::from(header), tag, body).expect("authentic");
                }
                Primitive::Cm(keys) => {
                    let (cipher, auth) = &**keys;
                    let context = EncryptionContext::Iv128(FixedLength::from([0; 16]));
                    black_box(cipher.less_safe_encrypt(body, context).expect("short"));
                    black_box(hmac::sign(auth, message));
                }
            }
        }
    }
}
