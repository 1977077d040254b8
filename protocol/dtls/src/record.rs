//! The record layer: RFC 9147 §4 (DTLS 1.3) and RFC 6347 §4.1 (DTLS 1.2).

pub(crate) mod content_type;
pub(crate) mod header12;
pub(crate) mod header13;
pub(crate) mod protection12;
pub(crate) mod protection13;

/// Wide enough for the reordering of a fast path: 1,000 datagrams are ten milliseconds at 1 Gbit/s.
type ReplayWindow = wire::ReplayWindow<16>;

/// Which record it is: both parts count from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RecordNumber {
    pub(crate) epoch: u64,
    pub(crate) sequence: u64,
}

/// The longest record that a peer may send, in bytes of plaintext (RFC 8446 §5.1).
pub(crate) const MAX_PLAINTEXT_LEN: usize = 1 << 14;

/// The last sequence number of an epoch, which may not wrap (RFC 9147 §4.2.1).
pub(crate) const MAX_SEQUENCE: u64 = (1 << 48) - 1;

/// Why a record was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotOpened {
    /// Its key or its bytes are wrong.
    Forged,
    /// It came before, or is too old to tell.
    Replayed,
    /// It is authentic, but says nothing.
    Empty,
}

/// A record cannot be sealed any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;

/// `iv` XOR the sequence number (RFC 8446 §5.3).
fn nonce(iv: &[u8; 12], sequence: u64) -> aws_lc_rs::aead::Nonce {
    let mut nonce = *iv;
    for (byte, number) in nonce[4..].iter_mut().zip(sequence.to_be_bytes()) {
        *byte ^= number;
    }
    aws_lc_rs::aead::Nonce::assume_unique_for_key(nonce)
}
