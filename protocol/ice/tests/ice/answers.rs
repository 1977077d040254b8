//! Answers to checks, made by hand (RFC 8445 §7.2.5, RFC 7675 §5.2).

use std::net::SocketAddr;
use std::time::Instant;

use stun::attribute::{ErrorCode, XorMappedAddress};
use stun::{Class, Key, Message, Method, TransactionId, Writer};
use twocan_ice::attribute::{IceControlled, IceControlling};
use twocan_ice::{
    Agent, Config, Credentials, Event, Fault, Incoming, Kind, LocalCandidate, PairState, RemoteParameters,
    Role, State,
};
use wire::Received;

use crate::network::Conditions;
use crate::pair::{Pair, ms, seconds};

const LOCAL: &str = "10.0.0.1:1000";
const REMOTE: &str = "192.0.2.2:2000";
const PASSWORD: &str = "0123456789012345678901";

/// An agent that has just sent its one check.
struct Asking {
    now: Instant,
    agent: Agent,
    id: TransactionId,
}

fn asking() -> Asking {
    let now = Pair::plain(1, Conditions::delay(0)).now;
    let mut agent = Agent::new(Config::new(Role::Controlling, [1; 32]));
    agent.add_local(now, LocalCandidate::host(LOCAL.parse().unwrap())).unwrap();
    agent.set_remote(now, &RemoteParameters::new(Credentials::new("remote", PASSWORD).unwrap())).unwrap();
    agent.add_remote(now, "1 1 udp 2113937151 192.0.2.2 2000 typ host".parse().unwrap()).unwrap();
    let mut asking = Asking { now, agent, id: TransactionId([0; 12]) };
    asking.id = asking.sent().0;
    asking
}

impl Asking {
    /// The next check: its identifier, and whether it claims to control.
    fn sent(&mut self) -> (TransactionId, bool) {
        let mut bytes = Vec::new();
        self.agent.poll_transmit(self.now, &mut bytes).expect("a check is sent");
        let message = Message::parse(&bytes).unwrap();
        assert_eq!(message.class(), Class::Request);
        let controls = message.has::<IceControlling>();
        assert_ne!(controls, message.has::<IceControlled>());
        (message.transaction(), controls)
    }

    fn answer(
        &mut self,
        source: &str,
        password: &str,
        class: Class,
        write: impl FnOnce(&mut Writer<'_>),
    ) -> Result<Incoming, Fault> {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, class, Method::BINDING, self.id);
        write(&mut writer);
        writer.integrity_sha1(&Key::short_term(password)).fingerprint();
        let (source, destination) = (source.parse().unwrap(), LOCAL.parse().unwrap());
        self.agent.handle_datagram(self.now, Received { source, destination, bytes: &mut bytes })
    }

    fn succeed(&mut self, mapped: &str) -> Result<Incoming, Fault> {
        let mapped: SocketAddr = mapped.parse().unwrap();
        self.answer(REMOTE, PASSWORD, Class::Success, |writer| {
            writer.add(&XorMappedAddress(mapped));
        })
    }

    fn refuse(&mut self, code: u16) -> Result<Incoming, Fault> {
        self.answer(REMOTE, PASSWORD, Class::Error, |writer| {
            writer.add(&ErrorCode::new(code, ""));
        })
    }

    fn pair(&self) -> PairState {
        let [pair] = self.agent.pairs().collect::<Vec<_>>().try_into().unwrap();
        pair.state
    }
}

#[test]
fn an_answer_shows_what_the_peer_sees_of_us() {
    for (mapped, kind) in [(LOCAL, Kind::Host), ("203.0.113.9:7", Kind::PeerReflexive)] {
        let mut asking = asking();
        assert_eq!(asking.succeed(mapped), Ok(Incoming::Stun));
        let selected = asking.agent.selected().unwrap();
        assert_eq!((selected.path.local.to_string(), selected.local.kind), (LOCAL.into(), kind));
        assert_eq!(selected.local.address.ip(), Some(mapped.parse().unwrap()));
        assert!(asking.agent.is_valid_source(REMOTE.parse().unwrap()));
    }
}

#[test]
fn an_answer_that_proves_nothing_never_came() {
    let mut asking = asking();
    for class in [Class::Success, Class::Error] {
        let forged = asking.answer(REMOTE, "another password 890123", class, |writer| {
            writer.add(&XorMappedAddress(LOCAL.parse().unwrap())).add(&ErrorCode::new(487, ""));
        });
        assert_eq!(forged, Err(Fault::BadIntegrity));
    }
    assert_eq!(asking.pair(), PairState::InProgress);
    assert_eq!(asking.agent.role(), Role::Controlling);
    assert_eq!(asking.succeed(LOCAL), Ok(Incoming::Stun), "the true one still counts");
    assert_eq!(asking.pair(), PairState::Succeeded);
    assert_eq!(asking.succeed(LOCAL), Err(Fault::UnknownTransaction), "and counts once");
}

#[test]
fn an_answer_from_elsewhere_fails_the_pair() {
    let mut asking = asking();
    let elsewhere = asking.answer("192.0.2.3:2000", PASSWORD, Class::Success, |writer| {
        writer.add(&XorMappedAddress(LOCAL.parse().unwrap()));
    });
    assert_eq!(elsewhere, Err(Fault::Asymmetric));
    assert_eq!(asking.pair(), PairState::Failed);
    assert!(!asking.agent.is_valid_source("192.0.2.3:2000".parse().unwrap()));
}

#[test]
fn an_answer_that_says_nothing_fails_the_pair() {
    for class in [Class::Success, Class::Error] {
        let mut asking = asking();
        assert_eq!(asking.answer(REMOTE, PASSWORD, class, |_| ()), Err(Fault::BadAnswer));
        assert_eq!(asking.pair(), PairState::Failed);
    }
    let mut asking = asking();
    assert_eq!(asking.refuse(400), Ok(Incoming::Stun));
    assert_eq!(asking.pair(), PairState::Failed);
}

#[test]
fn a_role_conflict_is_given_way_to_once() {
    let mut asking = asking();
    assert_eq!(asking.refuse(487), Ok(Incoming::Stun));
    assert_eq!(asking.agent.role(), Role::Controlled);
    let events: Vec<_> = std::iter::from_fn(|| asking.agent.poll_event()).collect();
    assert!(events.contains(&Event::Role(Role::Controlled)), "{events:?}");
    let (id, controls) = asking.sent();
    assert!(!controls, "the check is repeated in the new role");
    asking.id = id;
    assert_eq!(asking.succeed(LOCAL), Ok(Incoming::Stun));
    assert_eq!(asking.pair(), PairState::Succeeded);
}

#[test]
fn consent_that_is_taken_back_ends_at_once() {
    let mut asking = asking();
    asking.succeed(LOCAL).unwrap();
    assert_eq!(asking.agent.state(), State::Connected);
    asking.agent.set_gathered(asking.now, true);
    // The nomination, or the next question for consent, is refused.
    asking.now += seconds(7);
    asking.agent.handle_timeout(asking.now);
    asking.id = asking.sent().0;
    assert_eq!(asking.refuse(403), Ok(Incoming::Stun));
    assert_eq!(asking.agent.path(), None);
    assert!(std::iter::from_fn(|| asking.agent.poll_event()).any(|event| event == Event::Lost));
    assert_eq!(asking.pair(), PairState::Failed);
    asking.now += ms(100);
    assert_eq!(
        asking.agent.poll_transmit(asking.now, &mut Vec::new()),
        None,
        "nothing is sent there any more"
    );
}
