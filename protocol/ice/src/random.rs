//! Unpredictable values out of the caller's seed: credentials (RFC 8445 §5.3), tiebreakers (§7.3.1.1),
//! transaction identifiers (RFC 8489 §5), jitter (RFC 7675 §5.1).

use std::time::Duration;

use stun::TransactionId;
use stun::transaction::TransactionIds;

/// The characters of ice-char (RFC 8839 §5.1): 64 of them, so that six bits choose one.
const ICE_CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A pseudorandom function of a counter under the seed.
pub(crate) struct Random(TransactionIds);

impl Random {
    pub(crate) fn new(seed: &[u8; 32]) -> Self {
        Self(TransactionIds::new(seed))
    }

    pub(crate) fn transaction(&mut self) -> TransactionId {
        self.0.next_id()
    }

    pub(crate) fn u64(&mut self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0.next_id().0;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// `count` ice-chars, six bits of randomness each.
    pub(crate) fn ice_chars(&mut self, count: usize) -> String {
        let mut text = String::with_capacity(count);
        while text.len() < count {
            let bytes = self.0.next_id().0;
            text.extend(
                bytes
                    .iter()
                    .take(count - text.len())
                    .map(|byte| char::from(ICE_CHARS[usize::from(byte & 63)])),
            );
        }
        text
    }

    /// Between 0.8 and 1.2 times `period`.
    pub(crate) fn around(&mut self, period: Duration) -> Duration {
        period * 4 / 5 + period * (self.u64() % 1024) as u32 / 1024 * 2 / 5
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_within_a_fifth_and_uses_it() {
        let mut random = Random::new(&[1; 32]);
        let all: Vec<_> = (0..500).map(|_| random.around(Duration::from_secs(5))).collect();
        let (least, most) = (all.iter().min().unwrap(), all.iter().max().unwrap());
        assert!(*least >= Duration::from_secs(4) && *least < Duration::from_millis(4100), "{least:?}");
        assert!(*most <= Duration::from_secs(6) && *most > Duration::from_millis(5900), "{most:?}");
    }
}
