//! Puts what a server sends into words. It reads the bytes by itself, so that a mistake in the writer is seen.

use std::fmt::Write as _;
use std::net::SocketAddr;

use stun::attribute::{
    AlternateDomain, AlternateServer, Attribute, MappedAddress, OtherAddress, Realm, ResponseOrigin,
    Software, UnknownAttributes, XorMappedAddress,
};
use stun::{Class, Key, Message, TransactionId};

use crate::attribute::{
    AddressErrorCode, ChannelNumberAttribute, Data, Icmp, Lifetime, ReservationToken, XorPeerAddress,
    XorRelayedAddress,
};

/// One message in words; `name` puts an address into words, `key` is what the client would check it with.
pub(super) fn describe(bytes: &[u8], key: Option<&Key>, name: &dyn Fn(SocketAddr) -> String) -> String {
    let message = Message::parse(bytes).expect("a well-formed message");
    let mut words = format!("{:?} ", message.method());
    words += match message.class() {
        Class::Request => "request",
        Class::Indication => "indication",
        Class::Success => "success",
        Class::Error => "error",
    };
    let transaction = message.transaction();
    for (kind, value) in attributes(bytes) {
        let word = match kind {
            stun::attribute::MESSAGE_INTEGRITY => proven(&message, key, "sha1", value.len() == 20),
            stun::attribute::MESSAGE_INTEGRITY_SHA256 => proven(&message, key, "sha256", value.len() == 32),
            stun::attribute::FINGERPRINT if message.has_valid_fingerprint() => "fingerprint".into(),
            _ => attribute(kind, value, &transaction, name),
        };
        let separator = if word.starts_with(|first: char| first.is_ascii_digit()) { " " } else { ", " };
        write!(words, "{separator}{word}").unwrap();
    }
    words
}

fn attribute(
    kind: u16,
    value: &[u8],
    transaction: &TransactionId,
    name: &dyn Fn(SocketAddr) -> String,
) -> String {
    fn read<'a, A: Attribute<'a>>(value: &'a [u8], transaction: &TransactionId) -> A {
        A::parse(value, transaction).expect("a well-formed attribute")
    }
    macro_rules! read {
        ($kind:ty) => {
            read::<$kind>(value, transaction)
        };
    }
    match kind {
        0x0009 => {
            // ERROR-CODE: 21 reserved bits, class, number, phrase.
            assert_eq!((value[0], value[1], value[2] & 0xF8), (0, 0, 0));
            let code = u16::from(value[2]) * 100 + u16::from(value[3]);
            format!("{code} {}", std::str::from_utf8(&value[4..]).unwrap()).trim_end().into()
        }
        XorRelayedAddress::TYPE => format!("relayed {}", name(read!(XorRelayedAddress).0)),
        XorMappedAddress::TYPE => format!("mapped {}", name(read!(XorMappedAddress).0)),
        MappedAddress::TYPE => format!("plainly mapped {}", name(read!(MappedAddress).0)),
        XorPeerAddress::TYPE => format!("peer {}", name(read!(XorPeerAddress).0)),
        AlternateServer::TYPE => format!("alternate {}", read!(AlternateServer).0),
        AlternateDomain::TYPE => format!("domain {}", read!(AlternateDomain<'_>).0),
        OtherAddress::TYPE => format!("other {}", read!(OtherAddress).0),
        ResponseOrigin::TYPE => format!("origin {}", read!(ResponseOrigin).0),
        0x0026 => format!("padding {}", value.len()),
        Lifetime::TYPE => format!("lifetime {}", read!(Lifetime).0.as_secs()),
        ReservationToken::TYPE => {
            read!(ReservationToken);
            "token".into()
        }
        ChannelNumberAttribute::TYPE => format!("channel {:#06x}", read!(ChannelNumberAttribute).0),
        AddressErrorCode::TYPE => {
            let code = read!(AddressErrorCode<'_>);
            format!("not {:?}: {} {}", code.family, code.error.code(), code.error.reason)
        }
        Icmp::TYPE => {
            let icmp = read!(Icmp);
            format!("icmp {}/{} {}", icmp.kind, icmp.code, icmp.data)
        }
        Data::TYPE => format!("{:?}", String::from_utf8_lossy(value)),
        Realm::TYPE => format!("realm {}", read!(Realm<'_>).0),
        0x0015 => format!("nonce of {}", value.len()),
        Software::TYPE => format!("software {}", read!(Software<'_>).0),
        UnknownAttributes::TYPE => format!("unknown {:x?}", read!(UnknownAttributes).kinds()),
        0x8002 => {
            assert_eq!(value, [0, 2, 0, 0, 0, 1, 0, 0]);
            "algorithms sha256 md5".into()
        }
        _ => panic!("attribute {kind:#06x} was not expected: {value:02x?}"),
    }
}

fn proven(message: &Message<'_>, key: Option<&Key>, with: &str, whole: bool) -> String {
    let right = whole && key.is_some_and(|key| message.verify(key).is_ok());
    if right { with.into() } else { format!("WRONG {with}") }
}

/// Types and values of the attributes, in order.
pub(super) fn attributes(bytes: &[u8]) -> Vec<(u16, &[u8])> {
    let mut rest = &bytes[20..];
    let mut found = Vec::new();
    while let [a, b, c, d, tail @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*c, *d]));
        let (value, padding) = tail[..length.next_multiple_of(4)].split_at(length);
        assert!(padding.iter().all(|byte| *byte == 0), "padding is zero");
        found.push((u16::from_be_bytes([*a, *b]), value));
        rest = &tail[length.next_multiple_of(4)..];
    }
    assert!(rest.is_empty());
    found
}
