//! Nonces that need no memory: the time and a proof that we made them for this client
//! (RFC 8489 §9.2; §9.2.4 forbids the same nonce for two clients).
//!
//! `[cookie] base64(time, 3 bytes of seconds; HMAC-SHA256 of time and client, truncated)`

use std::time::Duration;

use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use stun::nonce::SecurityFeatures;

use super::{Client, Transport};

/// How much room a nonce takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// With the cookie of RFC 8489 and a proof of 96 bits: 33 bytes.
    Full,
    /// Twelve bytes, 48 bits of proof.
    Short,
    /// Eight bytes, 24 bits of proof. A nonce only bounds for how long a captured request can be
    /// replayed; it is the password that keeps strangers out.
    Shortest,
}

impl Size {
    /// Length of such a nonce, in bytes.
    pub(super) fn nonce_len(self) -> usize {
        match self {
            Self::Full => 33,
            Self::Short => 12,
            Self::Shortest => 8,
        }
    }
}

/// Why a nonce is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stale;

pub(super) struct Nonces {
    key: hmac::Key,
    lifetime: Duration,
    features: SecurityFeatures,
}

const TIME_MASK: u32 = 0xFF_FFFF;

impl Nonces {
    pub(super) fn new(secret: &[u8], lifetime: Duration, features: SecurityFeatures) -> Self {
        let secret = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), b"nonce");
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, secret.as_ref()), lifetime, features }
    }

    /// A nonce for `client`, made at `unix` time.
    pub(super) fn make(&self, client: &Client, unix: Duration, size: Size) -> String {
        let (mut nonce, proof) = match size {
            Size::Full => (self.features.cookie(), 12),
            Size::Short => (String::new(), 6),
            Size::Shortest => (String::new(), 3),
        };
        let time = seconds(unix).to_be_bytes();
        let tag = self.proof(client, [time[1], time[2], time[3]], size == Size::Full);
        BASE64.encode_string([&time[1..], &tag.as_ref()[..proof]].concat(), &mut nonce);
        nonce
    }

    /// Checks a nonce that `client` sent back at `unix` time.
    pub(super) fn check(&self, client: &Client, unix: Duration, nonce: &str) -> Result<(), Stale> {
        let cookie = SecurityFeatures::of_nonce(nonce).map(|_| self.features.cookie());
        let full = cookie.is_some();
        // To the letter: somebody on the path may have changed what we claim to support.
        let digits = nonce.strip_prefix(cookie.as_deref().unwrap_or_default()).ok_or(Stale)?;
        let mut bytes = [0; 15];
        let length = BASE64.decode_slice(digits, &mut bytes).map_err(|_| Stale)?;
        let (time, proof) = bytes[..length].split_first_chunk::<3>().ok_or(Stale)?;
        let expected_len = if full { 12..=12 } else { 3..=6 };
        if !expected_len.contains(&proof.len()) {
            return Err(Stale);
        }
        let tag = self.proof(client, *time, full);
        constant_time::verify_slices_are_equal(&tag.as_ref()[..proof.len()], proof).map_err(|_| Stale)?;
        let made = u32::from_be_bytes([0, time[0], time[1], time[2]]);
        let age = seconds(unix).wrapping_sub(made) & TIME_MASK;
        if u64::from(age) <= self.lifetime.as_secs() { Ok(()) } else { Err(Stale) }
    }

    fn proof(&self, client: &Client, time: [u8; 3], full: bool) -> hmac::Tag {
        let mut input = Vec::with_capacity(48);
        input.extend_from_slice(&time);
        let transport = match client.transport {
            Transport::Udp => 0,
            Transport::Tcp => 1,
            Transport::Tls => 2,
        };
        input.extend_from_slice(&[transport, u8::from(full)]);
        stun::attribute::write_address(client.remote, &mut input);
        hmac::sign(&self.key, &input)
    }
}

/// 24 bits of seconds: they come round after 194 days, far beyond any nonce's life.
fn seconds(unix: Duration) -> u32 {
    u32::try_from(unix.as_secs() & u64::from(TIME_MASK)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_good_for_its_client_and_its_time() {
        let features = SecurityFeatures { password_algorithms: true, username_anonymity: false };
        let nonces = Nonces::new(b"secret", Duration::from_secs(600), features);
        let client = Client {
            transport: Transport::Udp,
            local: "192.0.2.1:3478".parse().unwrap(),
            remote: "198.51.100.1:4000".parse().unwrap(),
        };
        let other = Client { remote: "198.51.100.1:4001".parse().unwrap(), ..client };
        let at = Duration::from_secs(1_700_000_000);
        for size in [Size::Full, Size::Short, Size::Shortest] {
            let nonce = nonces.make(&client, at, size);
            assert_eq!(nonce.len(), size.nonce_len());
            assert_eq!(nonces.check(&client, at, &nonce), Ok(()));
            assert_eq!(nonces.check(&client, at + Duration::from_secs(600), &nonce), Ok(()));
            assert_eq!(nonces.check(&client, at + Duration::from_secs(601), &nonce), Err(Stale));
            assert_eq!(nonces.check(&client, at - Duration::from_secs(1), &nonce), Err(Stale));
            assert_eq!(nonces.check(&other, at, &nonce), Err(Stale));
            for position in 0..nonce.len() {
                let mut changed = nonce.clone().into_bytes();
                changed[position] = if changed[position] == b'A' { b'B' } else { b'A' };
                let changed = String::from_utf8(changed).unwrap();
                assert_eq!(nonces.check(&client, at, &changed), Err(Stale), "{changed}");
            }
        }
        assert_eq!(nonces.check(&client, at, ""), Err(Stale));
    }
}
