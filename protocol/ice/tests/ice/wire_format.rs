//! What stands in checks and answers, byte for byte where it matters (RFC 8445 §7.1, §7.2.2, §7.3).

use stun::attribute::{Username, XorMappedAddress};
use stun::{Attribute, Class, Key, Message, Method, TransactionId};
use twocan_ice::attribute::{IceControlled, IceControlling, Nomination, Priority, UseCandidate};
use twocan_ice::{Credentials, Role, addressee};

use crate::network::Conditions;
use crate::pair::{Pair, configs, ms, seconds};

fn pair(renomination: bool) -> Pair {
    let mut configs = configs(1, [Role::Controlling, Role::Controlled], renomination);
    configs[0].credentials = Some(Credentials::new("LFRAG", "LPASS67890123456789012").unwrap());
    configs[1].credentials = Some(Credentials::new("RFRAG", "RPASS67890123456789012").unwrap());
    let mut pair = Pair::new(1, Conditions::delay(10), configs);
    for side in [0, 1] {
        pair.host(side, &format!("192.0.2.{}:1000", side + 1));
        pair.gathered(side);
    }
    pair.introduce();
    pair
}

fn kinds(message: &Message<'_>) -> Vec<u16> {
    message.attributes().map(|attribute| attribute.kind).collect()
}

#[test]
fn a_check_says_what_the_standard_asks_for() {
    let mut pair = pair(false);
    pair.run(ms(1));
    for (side, password, name) in
        [(0, "RPASS67890123456789012", "RFRAG:LFRAG"), (1, "LPASS67890123456789012", "LFRAG:RFRAG")]
    {
        let (_, transmit, bytes) = &pair.sides[side].sent[0];
        assert_eq!(transmit.source.to_string(), format!("192.0.2.{}:1000", side + 1));
        assert_eq!(transmit.destination.to_string(), format!("192.0.2.{}:1000", 2 - side));
        let message = Message::parse(bytes).unwrap();
        assert_eq!((message.class(), message.method()), (Class::Request, Method::BINDING));
        let role = if side == 0 { IceControlling::TYPE } else { IceControlled::TYPE };
        assert_eq!(kinds(&message), [Username::TYPE, role, Priority::TYPE]);
        assert_eq!(message.get(), Ok(Some(Username(name))));
        assert_eq!(addressee(&message), name.split_once(':'));
        // Type preference 110, the base's local preference (the first IPv4 address), component 1.
        assert_eq!(message.get(), Ok(Some(Priority(110 << 24 | 0xFFFE << 8 | 255))));
        assert_eq!(message.verify(&Key::short_term(password)), Ok(()));
        assert!(message.has_valid_fingerprint());
        assert_eq!(bytes.len(), 20 + 4 + 12 + 12 + 8 + 24 + 8);
        assert!(pair.sides[1 - side].agent.expects(&message));
        assert!(!pair.sides[side].agent.expects(&message));
    }
}

#[test]
fn an_answer_says_what_was_seen_and_by_whom() {
    let mut pair = pair(false);
    pair.run(ms(15));
    let (_, transmit, bytes) =
        pair.sides[1].sent.iter().find(|(.., bytes)| bytes[0] == 1).expect("an answer was sent");
    assert_eq!(transmit.destination.to_string(), "192.0.2.1:1000");
    let message = Message::parse(bytes).unwrap();
    let check = Message::parse(&pair.sides[0].sent[0].2).unwrap();
    assert_eq!(message.class(), Class::Success);
    assert_eq!(message.transaction(), check.transaction());
    assert_eq!(kinds(&message), [XorMappedAddress::TYPE]);
    assert_eq!(message.get(), Ok(Some(XorMappedAddress("192.0.2.1:1000".parse().unwrap()))));
    assert_eq!(message.verify(&Key::short_term("RPASS67890123456789012")), Ok(()));
    assert!(message.has_valid_fingerprint());
}

#[test]
fn only_the_controlling_agent_chooses_and_stands_by_it() {
    for renomination in [false, true] {
        let mut pair = pair(renomination);
        pair.run(seconds(60));
        let requests = |side: usize| {
            let sent = pair.sides[side].sent.iter().map(|(.., bytes)| Message::parse(bytes).unwrap());
            sent.filter(|message| message.class() == Class::Request).collect::<Vec<_>>()
        };
        let is_choice = |message: &Message<'_>| message.has::<UseCandidate>() || message.has::<Nomination>();
        assert!(!requests(1).iter().any(is_choice));
        let [first, others @ ..] = &requests(0)[..] else { panic!("nothing was asked") };
        assert!(!is_choice(first), "first it sees what works");
        let expected = if renomination { Nomination::TYPE } else { UseCandidate::TYPE };
        for choice in others.iter().filter(|message| is_choice(message)) {
            assert_eq!(kinds(choice), [Username::TYPE, IceControlling::TYPE, expected, Priority::TYPE]);
            assert_eq!(choice.get(), Ok(renomination.then_some(Nomination(1))));
        }
        assert!(
            others.iter().filter(|message| is_choice(message)).count() >= 10,
            "it says so again and again"
        );
    }
}

#[test]
fn no_two_requests_share_an_identifier() {
    let mut pair = pair(false);
    pair.run(seconds(300));
    for side in &pair.sides {
        let requests = side.sent.iter().map(|(.., bytes)| Message::parse(bytes).unwrap());
        let mut ids: Vec<TransactionId> = requests
            .filter(|message| message.class() == Class::Request)
            .map(|message| message.transaction())
            .collect();
        let count = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), count, "nothing was lost, so nothing was repeated");
        assert!(count > 50);
    }
}

/// Which numbers draft-hancke-webrtc-sped's attributes have.
const DATA: u16 = 0xC070;
const ACKNOWLEDGEMENT: u16 = 0xC071;

#[test]
fn what_is_embedded_rides_along_in_turn_and_answers_carry_the_latest() {
    let mut pair = pair(false);
    let agent = &mut pair.sides[0].agent;
    agent.embed(DATA, vec![b"one".as_slice().into(), b"two".as_slice().into()]);
    agent.embed(0x1234, vec![b"must be understood, so it may not".as_slice().into()]);
    agent.embed(ACKNOWLEDGEMENT, vec![Box::default()]);
    pair.sides[1].agent.embed(DATA, vec![Box::default()]);
    pair.until(seconds(1), "the first check", |pair| !pair.sides[1].embedded.is_empty());
    // The answer to it has not been made when its event is taken.
    assert_eq!(
        pair.sides[1].embedded,
        [vec![(DATA, b"one".as_slice().into())]],
        "0xC071 is not watched there"
    );
    pair.run(seconds(1));
    let embedded: Vec<_> = pair.sides[1].embedded.iter().flatten().map(|(_, value)| &value[..]).collect();
    assert!(embedded.starts_with(&[b"one", b"two", b"one"]), "{embedded:?}");
    let empty: Vec<_> = pair.sides[0].embedded.iter().flatten().collect();
    assert!(empty.iter().all(|(kind, value)| *kind == DATA && value.is_empty()));
    for side in &mut pair.sides {
        side.agent.embed_no_more();
        side.sent.clear();
    }
    pair.run(seconds(20));
    let bare = |(.., bytes): &(_, _, Vec<u8>)| !kinds(&Message::parse(bytes).unwrap()).contains(&DATA);
    assert!(pair.sides.iter().all(|side| side.sent.iter().all(bare)));
}

#[test]
fn an_answer_is_made_when_it_is_sent() {
    let mut pair = pair(false);
    pair.sides[0].agent.embed(DATA, vec![b"hello".as_slice().into()]);
    pair.sides[1].agent.embed(DATA, vec![Box::default()]);
    pair.run(ms(9));
    let (now, (_, transmit, bytes)) = (pair.now, pair.sides[0].sent[0].clone());
    let agent = &mut pair.sides[1].agent;
    let (source, destination) = (transmit.source, transmit.destination);
    agent.handle_datagram(now, wire::Received { source, destination, bytes: &mut bytes.clone() }).unwrap();
    agent.embed(DATA, vec![b"hello yourself".as_slice().into()]);
    let mut answer = Vec::new();
    agent.poll_transmit(now, &mut answer).unwrap();
    let answer = Message::parse(&answer).unwrap();
    let carried: Vec<_> = answer.attributes().filter(|attribute| attribute.kind == DATA).collect();
    assert_eq!(carried[0].value, b"hello yourself");
}
