//! RFC 9605 appendix C.3, and the whole of the working group's vectors where they are at hand.

use std::path::Path;

use serde_json::Value;

use super::*;
use crate::header::Header;

/// What all of the appendix's frames have in common.
const KID: u64 = 0x123;
const COUNTER: u64 = 0x4567;
const BASE_KEY: &str = "000102030405060708090a0b0c0d0e0f";
const METADATA: &[u8] = b"IETF SFrame WG";
const PLAIN: &[u8] = b"draft-ietf-sframe-enc";

const FRAMES: [(CipherSuite, &str); 5] = [
    (
        CipherSuite::Aes128CtrHmacSha256_80,
        "9901234567449408b6f490086165b9d6f62b24ae1a59a56486b4ae8ed036b88912e24f11",
    ),
    (
        CipherSuite::Aes128CtrHmacSha256_64,
        "99012345673f31438db4d09434e43afa0f8a2f00867a2be085046a9f5cb4f101d607",
    ),
    (CipherSuite::Aes128CtrHmacSha256_32, "990123456717fc8af28a5a695afcfc6c8df6358a17e26b2fcb3bae32e443"),
    (
        CipherSuite::Aes128GcmSha256_128,
        "9901234567b7412c2513a1b66dbb48841bbaf17f598751176ad847681a69c6d0b091c07018ce4adb34eb",
    ),
    (
        CipherSuite::Aes256GcmSha512_128,
        "990123456794f509d36e9beacb0e261d99c7d1e972f1fed787d4049f17ca21353c1cc24d56ceabced279",
    ),
];

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|digit| digit.to_digit(16).unwrap() as u8).collect();
    digits.as_chunks::<2>().0.iter().map(|[high, low]| high << 4 | low).collect()
}

fn sealed(suite: CipherSuite, base_key: &[u8], header: Header, metadata: &[u8], plain: &[u8]) -> Vec<u8> {
    let cipher = Cipher::new(suite, header.kid, base_key).unwrap();
    let header_bytes = header.encode();
    let associated = [header_bytes.as_ref(), metadata].concat();
    let (mut body, mut tag) = (plain.to_vec(), vec![0; suite.tag_len()]);
    cipher.seal(header.counter, &associated, &mut body, &mut tag).unwrap();
    let frame = [header_bytes.as_ref(), &body, &tag].concat();
    cipher.open(header.counter, &associated, &mut body, &tag).unwrap();
    assert_eq!(body, plain);
    frame
}

#[test]
fn frames_are_those_of_the_appendix() {
    for (suite, frame) in FRAMES {
        let header = Header { kid: KID, counter: COUNTER };
        assert_eq!(sealed(suite, &hex(BASE_KEY), header, METADATA, PLAIN), hex(frame), "{suite:?}");
    }
}

#[test]
fn frames_and_headers_are_those_of_the_working_group() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/vectors/sframe-vectors/test-vectors.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: no vectors at {}", path.display());
        return;
    };
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let list = |name: &str| vectors[name].as_array().unwrap().clone();
    let bytes = |vector: &Value, name: &str| hex(vector[name].as_str().unwrap());
    let header = |vector: &Value| Header {
        kid: vector["kid"].as_u64().unwrap(),
        counter: vector["ctr"].as_u64().unwrap(),
    };
    for vector in list("header") {
        let encoded = bytes(&vector, "encoded");
        assert_eq!(header(&vector).encode().as_ref(), encoded);
        assert_eq!(Header::parse(&encoded), Ok((header(&vector), encoded.len())));
    }
    for vector in list("sframe") {
        let suite = CipherSuite::of_id(vector["cipher_suite"].as_u64().unwrap() as u16).unwrap();
        let base_key = bytes(&vector, "base_key");
        let derived = Derived::new(suite, header(&vector).kid, &base_key).unwrap();
        assert_eq!(derived.key[..suite.key_len()], bytes(&vector, "sframe_key"));
        assert_eq!(derived.salt[..], bytes(&vector, "sframe_salt"));
        let (metadata, plain) = (bytes(&vector, "metadata"), bytes(&vector, "pt"));
        assert_eq!(sealed(suite, &base_key, header(&vector), &metadata, &plain), bytes(&vector, "ct"));
    }
    for vector in list("aes_ctr_hmac") {
        let suite = CipherSuite::of_id(vector["cipher_suite"].as_u64().unwrap() as u16).unwrap();
        let ctr = Ctr::new(&bytes(&vector, "key"), suite.tag_len()).unwrap();
        let nonce: [u8; NONCE_LEN] = bytes(&vector, "nonce").try_into().unwrap();
        let mut body = bytes(&vector, "pt");
        ctr.crypt(&nonce, &mut body).unwrap();
        let tag = ctr.tag(&nonce, &bytes(&vector, "aad"), &body);
        assert_eq!([&body, &tag.as_ref()[..suite.tag_len()]].concat(), bytes(&vector, "ct"));
    }
}
