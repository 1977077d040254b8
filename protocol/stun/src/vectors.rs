//! The test vectors of RFC 5769 §2 and RFC 8489 Appendix B.

use crate::attribute::{Nonce, Realm, Software, UserHash, Username, XorMappedAddress};
use crate::{
    Algorithm, Class, IntegrityError, Key, Message, Method, ParseError, RawAttribute, TransactionId, Writer,
    integrity, user_hash,
};

mod messages;

const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";
const USERNAME: &str = "マトリックス";
const REALM: &str = "example.org";
const ID: TransactionId =
    TransactionId([0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae]);

#[test]
fn the_request_of_rfc_5769_is_read_and_believed() {
    let message = Message::parse(&messages::REQUEST).unwrap();
    assert_eq!(
        (message.class(), message.method(), message.transaction()),
        (Class::Request, Method::BINDING, ID)
    );
    assert_eq!(message.get(), Ok(Some(Software("STUN test client"))));
    assert_eq!(message.get(), Ok(Some(Username("evtj:h6vY"))));
    // ICE's own: PRIORITY must be understood, ICE-CONTROLLED may be ignored (RFC 8445 §16.1).
    assert_eq!(message.unknown(&[]).collect::<Vec<_>>(), [0x0024]);
    assert!(message.has_valid_fingerprint());
    assert_eq!(message.verify(&Key::short_term(PASSWORD)), Ok(()));
}

#[test]
fn the_responses_of_rfc_5769_are_read_and_written() {
    for (vector, address) in [
        (&messages::IPV4_RESPONSE[..], "192.0.2.1:32853"),
        (&messages::IPV6_RESPONSE[..], "[2001:db8:1234:5678:11:2233:4455:6677]:32853"),
    ] {
        let address = XorMappedAddress(address.parse().unwrap());
        let key = Key::short_term(PASSWORD);
        let message = Message::parse(vector).unwrap();
        assert_eq!(message.class(), Class::Success);
        assert_eq!(message.get(), Ok(Some(Software("test vector"))));
        assert_eq!(message.get(), Ok(Some(address)));
        assert!(message.has_valid_fingerprint());
        assert_eq!(message.verify(&key), Ok(()));

        // The vectors pad with a space, we with zeros: the proof differs, what is said does not.
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, Class::Success, Method::BINDING, ID);
        writer.add(&Software("test vector")).add(&address).integrity_sha1(&key).fingerprint();
        let ours = Message::parse(&bytes).unwrap();
        assert!(message.attributes().map(kind_and_value).eq(ours.attributes().map(kind_and_value)));
        assert_eq!(bytes.len(), vector.len());
        assert_eq!(ours.verify(&key), Ok(()));
    }
}

#[test]
fn the_long_term_request_of_rfc_5769_is_written_to_the_byte() {
    let key = Key::long_term(Algorithm::Md5, USERNAME, REALM, "TheMatrIX");
    let message = Message::parse(&messages::LONG_TERM_REQUEST).unwrap();
    assert_eq!(message.verify(&key), Ok(()));
    assert!(!message.has_fingerprint());

    let mut bytes = Vec::new();
    Writer::new(&mut bytes, Class::Request, Method::BINDING, message.transaction())
        .add(&Username(USERNAME))
        .add(&Nonce("f//499k954d6OL34oL9FSTvy64sA"))
        .add(&Realm(REALM))
        .integrity_sha1(&key);
    assert_eq!(bytes, messages::LONG_TERM_REQUEST);
}

/// As printed, the length field counts the header too, the proof was made over that length, and with the
/// SHA-256 key, although no PASSWORD-ALGORITHM says so. What can hold of it, holds.
#[test]
fn the_userhash_request_of_rfc_8489() {
    let printed = &messages::USERHASH_REQUEST;
    let key = Key::long_term(Algorithm::Sha256, USERNAME, REALM, "TheMatrIX");
    assert_eq!(Message::parse(printed).err(), Some(ParseError::BadLength));
    let (covered, proof) = printed.split_at(printed.len() - 32);
    assert_eq!(integrity::sha256(&key, &covered[..covered.len() - 4]).as_ref(), proof);

    let mut bytes = Vec::new();
    let transaction = Message::parse(&messages::LONG_TERM_REQUEST).unwrap().transaction();
    Writer::new(&mut bytes, Class::Request, Method::BINDING, transaction)
        .add(&UserHash(user_hash(USERNAME, REALM)))
        .add(&Nonce("obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA"))
        .add(&Realm(REALM))
        .integrity_sha256(&key);
    assert_eq!(bytes.len(), printed.len());
    assert_eq!(bytes[..3], printed[..3]);
    assert_eq!(usize::from(printed[3]), printed.len());
    assert_eq!(usize::from(bytes[3]), printed.len() - 20);
    assert_eq!(bytes[4..covered.len()], covered[4..]);

    let mended = [&bytes[..4], &printed[4..]].concat();
    assert_eq!(Message::parse(&mended).unwrap().verify(&key), Err(IntegrityError::Mismatch));
    assert_eq!(Message::parse(&bytes).unwrap().verify(&key), Ok(()));
}

#[test]
fn a_vector_with_any_bit_changed_is_not_believed() {
    for (vector, key) in [
        (&messages::REQUEST[..], Key::short_term(PASSWORD)),
        (&messages::IPV6_RESPONSE[..], Key::short_term(PASSWORD)),
        (&messages::LONG_TERM_REQUEST[..], Key::long_term(Algorithm::Md5, USERNAME, REALM, "TheMatrIX")),
    ] {
        for bit in 0..vector.len() * 8 {
            let mut bytes = vector.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(message) = Message::parse(&bytes) {
                let proven = message.verify(&key).is_ok();
                let whole =
                    !Message::parse(vector).unwrap().has_fingerprint() || message.has_valid_fingerprint();
                assert!(!(proven && whole), "bit {bit}");
            }
        }
    }
}

fn kind_and_value<'a>(attribute: RawAttribute<'a>) -> (u16, &'a [u8]) {
    (attribute.kind, attribute.value)
}
