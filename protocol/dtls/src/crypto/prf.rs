//! Keys of DTLS 1.2: the pseudorandom function (RFC 5246 §5), the extended master secret (RFC 7627 §4), the key
//! block (RFC 5246 §6.3), Finished (§7.4.9) and exported keys (RFC 5705 §4).

use aws_lc_rs::constant_time;
use aws_lc_rs::tls_prf;
use zeroize::Zeroizing;

use super::CryptoError;
use super::hash::Hash;
use super::secret::{MAX_LEN, Secret};

/// Of every suite's Finished.
pub(crate) const VERIFY_DATA_LEN: usize = 12;

/// `PRF(secret, label, seed)`
fn prf(
    hash: Hash,
    secret: &[u8],
    label: &[u8],
    seed: &[u8],
    length: usize,
) -> Result<tls_prf::Secret, CryptoError> {
    Ok(tls_prf::Secret::new(hash.prf(), secret)?.derive(label, seed, length)?)
}

/// Bound to everything said so far, so that no third party can sit between two sessions (RFC 7627 §4).
pub(crate) fn extended_master_secret(
    hash: Hash,
    shared: &[u8],
    session: &[u8],
) -> Result<Secret, CryptoError> {
    let secret = prf(hash, shared, b"extended master secret", session, MAX_LEN)?;
    Secret::filled(MAX_LEN, |out| {
        out.copy_from_slice(secret.as_ref());
        Ok(())
    })
}

/// `key_block`, of `length` bytes.
pub(crate) fn key_block(
    hash: Hash,
    master: &Secret,
    client_random: &[u8; 32],
    server_random: &[u8; 32],
    length: usize,
) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let seed = [*server_random, *client_random].concat();
    let block = prf(hash, master.as_ref(), b"key expansion", &seed, length)?;
    Ok(Zeroizing::new(block.as_ref().to_vec()))
}

/// Who says Finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

/// `verify_data`
pub(crate) fn finished(
    hash: Hash,
    master: &Secret,
    side: Side,
    messages: &[u8],
) -> Result<[u8; VERIFY_DATA_LEN], CryptoError> {
    let label: &[u8] = match side {
        Side::Client => b"client finished",
        Side::Server => b"server finished",
    };
    let session = aws_lc_rs::digest::digest(hash.digest(), messages);
    let data = prf(hash, master.as_ref(), label, session.as_ref(), VERIFY_DATA_LEN)?;
    data.try_into().map_err(|_| CryptoError)
}

/// Compares in constant time.
pub(crate) fn is_finished(
    hash: Hash,
    master: &Secret,
    side: Side,
    messages: &[u8],
    data: &[u8],
) -> Result<bool, CryptoError> {
    let expected = finished(hash, master, side, messages)?;
    Ok(constant_time::verify_slices_are_equal(&expected, data).is_ok())
}

/// RFC 5705 §4; without a context is not the same as with an empty one.
pub(crate) fn export(
    hash: Hash,
    master: &Secret,
    randoms: &[u8; 64],
    label: &[u8],
    context: Option<&[u8]>,
    out: &mut [u8],
) -> Result<(), CryptoError> {
    let mut seed = randoms.to_vec();
    if let Some(context) = context {
        let length = u16::try_from(context.len()).map_err(|_| CryptoError)?;
        seed.extend_from_slice(&length.to_be_bytes());
        seed.extend_from_slice(context);
    }
    if out.is_empty() {
        return Ok(());
    }
    out.copy_from_slice(prf(hash, master.as_ref(), label, &seed, out.len())?.as_ref());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    /// The vector for SHA-256 that the TLS working group's list has
    /// (<https://mailarchive.ietf.org/arch/msg/tls/fzVCzk-z3FShgGJ6DOXqM1ydxms>).
    #[test]
    fn the_pseudorandom_function_gives_the_known_answer() {
        let secret = hex("9bbe436ba940f017b17652849a71db35");
        let seed = hex("a0ba9f936cda311827a6f796ffd5198c");
        let expected = hex(
            "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af\
             0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701\
             87347b66",
        );
        let output = prf(Hash::Sha256, &secret, b"test label", &seed, expected.len()).unwrap();
        assert_eq!(output.as_ref(), expected);
    }

    #[test]
    fn finished_differs_by_side_and_message() {
        let master = extended_master_secret(Hash::Sha256, &[1; 32], &[2; 32]).unwrap();
        let data = finished(Hash::Sha256, &master, Side::Client, b"messages").unwrap();
        assert_eq!(is_finished(Hash::Sha256, &master, Side::Client, b"messages", &data), Ok(true));
        assert_eq!(is_finished(Hash::Sha256, &master, Side::Server, b"messages", &data), Ok(false));
        assert_eq!(is_finished(Hash::Sha256, &master, Side::Client, b"message", &data), Ok(false));
        assert_eq!(is_finished(Hash::Sha256, &master, Side::Client, b"messages", &data[..11]), Ok(false));
    }
}
