//! Reading a message and writing it again (RFC 8489 §5, §14): it says the same, and proofs hold.

use stun::attribute::{
    AlternateDomain, AlternateServer, Attribute, ChangeRequest, ErrorCode, MappedAddress, Nonce,
    OtherAddress, Padding, PasswordAlgorithm, PasswordAlgorithms, Realm, ResponseOrigin, ResponsePort,
    Software, UnknownAttributes, UserHash, Username, XorMappedAddress,
};
use stun::{Key, Message, Writer};

pub(super) fn run(bytes: &[u8]) {
    let Ok(message) = Message::parse(bytes) else { return };
    let key = Key::short_term("secret");
    let mut rewritten = Vec::new();
    let mut writer = Writer::new(&mut rewritten, message.class(), message.method(), message.transaction());
    for attribute in message.attributes() {
        writer.add_raw(attribute.kind, attribute.value);
    }
    let fits = writer.len() < 65_000;
    if fits {
        writer.integrity_sha1(&key).integrity_sha256(&key).fingerprint();
    }
    let again = Message::parse(&rewritten).expect("what is written can be read");
    assert_eq!(
        (message.class(), message.method(), message.transaction()),
        (again.class(), again.method(), again.transaction())
    );
    assert!(message.attributes().map(part).eq(again.attributes().map(part)));
    if fits {
        assert_eq!(again.verify(&key), Ok(()));
        assert!(again.has_valid_fingerprint());
    }
    assert!(message.unknown(&[]).count() <= message.attributes().count());
    let _ = message.verify(&key);
    let _ = message.has_valid_fingerprint();
    typed(&message);
}

fn part<'a>(attribute: stun::RawAttribute<'a>) -> (u16, &'a [u8]) {
    (attribute.kind, attribute.value)
}

/// Reads, writes and reads again all attributes of these types.
macro_rules! same {
    ($message:ident: $($attribute:ty),* $(,)?) => {
        $(for attribute in $message.all::<$attribute>().flatten() {
            let mut value = Vec::new();
            attribute.write(&$message.transaction(), &mut value);
            let again = <$attribute>::parse(&value, &$message.transaction());
            assert_eq!(again, Some(attribute), "{} changes", stringify!($attribute));
        })*
    };
}

/// Every attribute whose value is understood says the same when it is written by type.
fn typed(message: &Message<'_>) {
    same!(message: AlternateDomain<'_>, AlternateServer, ChangeRequest, ErrorCode<'_>, MappedAddress, Nonce<'_>, OtherAddress, Padding, PasswordAlgorithm, Realm<'_>, ResponseOrigin, ResponsePort, Software<'_>, UnknownAttributes, UserHash, Username<'_>, XorMappedAddress);
    if let Ok(Some(offer)) = message.get::<PasswordAlgorithms<'_>>() {
        assert!(offer.known().count() <= offer.bytes().len() / 4);
    }
}
