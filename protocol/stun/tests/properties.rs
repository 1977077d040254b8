//! What must hold for every message and for any bytes: RFC 8489 §5, §14, and framing, §6.2.2.

use std::net::SocketAddr;

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use stun::attribute::{
    AlternateDomain, AlternateServer, ChangeRequest, ErrorCode, MappedAddress, Nonce, OtherAddress, Padding,
    PasswordAlgorithm, PasswordAlgorithms, Realm, ResponseOrigin, ResponsePort, Software, UnknownAttributes,
    UserHash, Username, XorMappedAddress,
};
use stun::framing::Deframer;
use stun::{Attribute, Class, Key, Message, Method, TransactionId, Writer};
use twocan_stun as stun;

fn address() -> impl Strategy<Value = SocketAddr> {
    let v4 = any::<([u8; 4], u16)>().prop_map(SocketAddr::from);
    let v6 = any::<([u8; 16], u16)>().prop_map(SocketAddr::from);
    prop_oneof![v4, v6]
}

fn header() -> impl Strategy<Value = (Class, Method, TransactionId)> {
    let class =
        prop_oneof![Just(Class::Request), Just(Class::Indication), Just(Class::Success), Just(Class::Error)];
    let method = (0..0x1000u16).prop_map(|number| Method::new(number).unwrap());
    (class, method, any::<[u8; 12]>().prop_map(TransactionId))
}

/// Writes one attribute into a message, with or without proof, and reads it back.
fn survives<'a, A>(attribute: A, bytes: &'a mut Vec<u8>) -> Result<(), TestCaseError>
where
    A: Attribute<'a> + PartialEq + std::fmt::Debug,
{
    let (id, key) = (TransactionId([9; 12]), Key::short_term("secret"));
    Writer::new(bytes, Class::Request, Method::BINDING, id)
        .add(&attribute)
        .integrity_sha256(&key)
        .fingerprint();
    let message = Message::parse(bytes).unwrap();
    prop_assert_eq!(message.get::<A>(), Ok(Some(attribute)));
    prop_assert_eq!(message.verify(&key), Ok(()));
    prop_assert!(message.has_valid_fingerprint());
    Ok(())
}

/// Reads every attribute that there is; the values are the machines' business.
fn read_all(message: &Message<'_>) {
    let _ = message.get::<AlternateDomain<'_>>();
    let _ = message.get::<AlternateServer>();
    let _ = message.get::<ChangeRequest>();
    let _ = message.get::<ErrorCode<'_>>();
    let _ = message.get::<MappedAddress>();
    let _ = message.get::<Nonce<'_>>();
    let _ = message.get::<OtherAddress>();
    let _ = message.get::<Padding>();
    let _ = message.get::<PasswordAlgorithm>();
    let _ = message.get::<PasswordAlgorithms<'_>>().ok().flatten().map(|offer| offer.known().count());
    let _ = message.get::<Realm<'_>>();
    let _ = message.get::<ResponseOrigin>();
    let _ = message.get::<ResponsePort>();
    let _ = message.get::<Software<'_>>();
    let _ = message.get::<UnknownAttributes>();
    let _ = message.get::<UserHash>();
    let _ = message.get::<Username<'_>>();
    let _ = message.get::<XorMappedAddress>();
    let _ = message.verify(&Key::short_term("secret"));
    let _ = message.has_valid_fingerprint();
    let _ = message.unknown(&[]).count();
}

proptest! {
    #![proptest_config(ProptestConfig::with_failure_persistence(FileFailurePersistence::WithSource("regressions")))]

    #[test]
    fn every_attribute_survives(
        address in address(),
        text in "\\PC{0,60}",
        code in 300..700u16,
        kinds in prop::collection::vec(any::<u16>(), 0..8),
        hash in any::<[u8; 32]>(),
        number in any::<u16>(),
        change in any::<(bool, bool)>(),
    ) {
        survives(AlternateDomain(&text), &mut Vec::new())?;
        survives(AlternateServer(address), &mut Vec::new())?;
        survives(ChangeRequest { address: change.0, port: change.1 }, &mut Vec::new())?;
        survives(ErrorCode::new(code, &text), &mut Vec::new())?;
        survives(MappedAddress(address), &mut Vec::new())?;
        survives(Nonce(&text), &mut Vec::new())?;
        survives(OtherAddress(address), &mut Vec::new())?;
        survives(Padding(number % 60_000), &mut Vec::new())?;
        survives(PasswordAlgorithm(number), &mut Vec::new())?;
        survives(PasswordAlgorithms::SHA256_MD5, &mut Vec::new())?;
        survives(Realm(&text), &mut Vec::new())?;
        survives(ResponseOrigin(address), &mut Vec::new())?;
        survives(ResponsePort(number), &mut Vec::new())?;
        survives(Software(&text), &mut Vec::new())?;
        survives(kinds.into_iter().collect::<UnknownAttributes>(), &mut Vec::new())?;
        survives(UserHash(hash), &mut Vec::new())?;
        survives(Username(&text), &mut Vec::new())?;
        survives(XorMappedAddress(address), &mut Vec::new())?;
    }

    #[test]
    fn any_attributes_read_back_in_order(
        (class, method, id) in header(),
        attributes in prop::collection::vec((any::<u16>(), prop::collection::vec(any::<u8>(), 0..40)), 0..20),
    ) {
        let ends = [stun::attribute::MESSAGE_INTEGRITY, stun::attribute::MESSAGE_INTEGRITY_SHA256, stun::attribute::FINGERPRINT];
        prop_assume!(attributes.iter().all(|(kind, _)| !ends.contains(kind)));
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, class, method, id);
        for (kind, value) in &attributes {
            writer.add_raw(*kind, value);
        }
        let message = Message::parse(&bytes).unwrap();
        prop_assert_eq!((message.class(), message.method(), message.transaction()), (class, method, id));
        let read: Vec<_> = message.attributes().map(|raw| (raw.kind, raw.value.to_vec())).collect();
        prop_assert_eq!(read, attributes);
        read_all(&message);
    }

    #[test]
    fn bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(message) = Message::parse(&bytes) {
            read_all(&message);
        }
        let _ = Deframer::default().push(&bytes, |_| ());
    }

    /// Arbitrary attribute bytes behind a good header: gets past the first checks more often than noise does.
    #[test]
    fn bytes_behind_a_good_header_never_panic(words in prop::collection::vec(any::<[u8; 4]>(), 0..40), id in any::<[u8; 12]>()) {
        let mut bytes = Vec::new();
        Writer::new(&mut bytes, Class::Error, Method::BINDING, TransactionId(id));
        let body = words.concat();
        bytes[2..4].copy_from_slice(&(body.len() as u16).to_be_bytes());
        bytes.extend_from_slice(&body);
        if let Ok(message) = Message::parse(&bytes) {
            read_all(&message);
        }
    }

    #[test]
    fn a_stream_gives_the_same_frames_however_it_is_cut(
        bytes in prop::collection::vec(prop_oneof![Just(0u8), Just(0x40), any::<u8>()], 0..300),
        cuts in prop::collection::vec(1..40usize, 1..40),
    ) {
        let frames = |pieces: &[&[u8]]| {
            let (mut deframer, mut frames) = (Deframer::default(), Vec::new());
            let end = pieces
                .iter()
                .try_for_each(|piece| deframer.push(piece, |frame| frames.push(frame.to_vec())));
            (frames, end)
        };
        let (mut rest, mut pieces) = (&bytes[..], Vec::new());
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, more) = rest.split_at((*cut).min(rest.len()));
            pieces.push(piece);
            rest = more;
        }
        prop_assert_eq!(frames(&pieces), frames(&[&bytes]));
    }
}
