use super::*;
use crate::attribute::{ErrorCode, Nonce, Realm, Software, Username, XorMappedAddress};
use crate::{Key, Writer};

const ID: TransactionId = TransactionId([3; 12]);

#[test]
fn what_is_written_is_read_back() {
    let key = Key::short_term("secret");
    let mut bytes = vec![0xFF; 3];
    let mut writer = Writer::new(&mut bytes, Class::Error, Method::ALLOCATE, ID);
    writer.add(&ErrorCode::new(438, "Stale Nonce")).add(&Realm("twocan")).add(&Nonce("n"));
    writer.integrity_sha1(&key).integrity_sha256(&key).fingerprint();
    let message = Message::parse(&bytes[3..]).unwrap();
    assert_eq!(
        (message.class(), message.method(), message.transaction()),
        (Class::Error, Method::ALLOCATE, ID)
    );
    assert_eq!(message.get(), Ok(Some(ErrorCode::new(438, "Stale Nonce"))));
    assert_eq!(message.get(), Ok(Some(Realm("twocan"))));
    assert_eq!(message.get(), Ok(Some(Nonce("n"))));
    assert_eq!(message.get::<Username<'_>>(), Ok(None));
    assert_eq!(message.verify(&key), Ok(()));
    assert!(message.has_valid_fingerprint());
}

#[test]
fn a_changed_message_is_not_believed() {
    let key = Key::short_term("secret");
    for sha256 in [false, true] {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, Class::Request, Method::BINDING, ID);
        writer.add(&Software("twocan"));
        if sha256 {
            writer.integrity_sha256(&key);
        } else {
            writer.integrity_sha1(&key);
        }
        assert_eq!(
            Message::parse(&bytes).unwrap().verify(&Key::short_term("other")),
            Err(crate::IntegrityError::Mismatch)
        );
        for position in 0..bytes.len() {
            bytes[position] ^= 1;
            if let Ok(message) = Message::parse(&bytes) {
                assert!(message.verify(&key).is_err(), "byte {position}");
            }
            bytes[position] ^= 1;
        }
    }
}

#[test]
fn attributes_after_integrity_do_not_count() {
    let key = Key::short_term("secret");
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, Class::Request, Method::BINDING, ID);
    writer.integrity_sha1(&key);
    writer.add(&Username("mallory")).add_raw(0x7777, b"");
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.verify(&key), Ok(()));
    assert_eq!(message.get::<Username<'_>>(), Ok(None));
    assert_eq!(message.unknown(&[]).count(), 0);
}

#[test]
fn what_is_no_message_says_why() {
    let mut good = Vec::new();
    Writer::new(&mut good, Class::Request, Method::BINDING, ID)
        .add(&XorMappedAddress("[2001:db8::1]:9".parse().unwrap()));
    let broken = |change: fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        Message::parse(&bytes).err()
    };
    assert_eq!(broken(|_| ()), None);
    assert_eq!(broken(|bytes| bytes.truncate(19)), Some(ParseError::Truncated));
    assert_eq!(broken(|bytes| bytes[0] = 0x40), Some(ParseError::NotStun));
    assert_eq!(broken(|bytes| bytes[4] = 0), Some(ParseError::NoCookie));
    assert_eq!(broken(|bytes| bytes[3] += 1), Some(ParseError::BadLength));
    assert_eq!(broken(|bytes| bytes.push(0)), Some(ParseError::BadLength));
    assert_eq!(broken(|bytes| bytes[23] += 4), Some(ParseError::AttributeTruncated));
}

#[test]
fn only_required_attributes_can_be_unknown() {
    let mut bytes = Vec::new();
    Writer::new(&mut bytes, Class::Request, Method::BINDING, ID)
        .add_raw(0x7FFF, b"1")
        .add_raw(0x8FFF, b"22")
        .add(&Username("ada"))
        .add_raw(0x0019, b"");
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.unknown(&[0x0019]).collect::<Vec<_>>(), [0x7FFF]);
    assert_eq!(message.unknown(&[]).collect::<Vec<_>>(), [0x7FFF, 0x0019]);
}
