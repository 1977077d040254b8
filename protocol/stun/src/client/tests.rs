use super::*;
use crate::attribute::{
    Nonce, PasswordAlgorithm, PasswordAlgorithms, Realm, UserHash, Username, XorMappedAddress,
};
use crate::nonce::SecurityFeatures;
use crate::{Algorithm, Key, Method, user_hash};

const LOCAL: &str = "192.0.2.1:5000";
const SERVER: &str = "198.51.100.1:3478";
const OTHER: &str = "198.51.100.2:3478";
const COOKIE: SecurityFeatures = SecurityFeatures { password_algorithms: true, username_anonymity: false };

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a test needs some instant to count from")]
fn start() -> Instant {
    Instant::now()
}

fn config(password: Option<&str>) -> Config {
    let credentials = password.map(|password| LongTerm::new("ada", password).unwrap());
    Config { credentials, ..Config::new(address(LOCAL), address(SERVER), [7; 32]) }
}

/// One client and what a test's server says.
struct Talk {
    now: Instant,
    client: Client<Binding>,
}

impl Talk {
    fn new(config: Config) -> Self {
        let mut talk = Self { now: start(), client: Client::new(config) };
        talk.ask();
        talk
    }

    fn ask(&mut self) {
        self.client.request(self.now, Binding::default()).unwrap();
    }

    /// The one request that leaves now.
    fn sent(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let transmit = self.client.poll_transmit(self.now, &mut bytes).expect("a request leaves");
        assert_eq!((transmit.source, transmit.destination), (address(LOCAL), self.client.server()));
        assert_eq!(self.client.poll_transmit(self.now, &mut Vec::new()), None);
        bytes
    }

    fn arrives(&mut self, mut bytes: Vec<u8>) -> Result<(), Fault> {
        let source = self.client.server();
        let datagram = Received { source, destination: address(LOCAL), bytes: &mut bytes };
        self.client.handle_datagram(self.now, datagram)
    }

    /// The client sends, the server answers; the request is returned.
    fn answered(&mut self, class: Class, write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
        let request = self.sent();
        self.arrives(answer(&request, class, write)).unwrap();
        request
    }

    fn outcome(&mut self) -> Outcome {
        self.client.poll_event().expect("a request ended").outcome
    }

    fn failure(&mut self) -> Failure {
        match self.outcome() {
            Outcome::Failed(failure) => failure,
            other => panic!("{other:?}"),
        }
    }

    fn mapped(&mut self) -> SocketAddr {
        match self.outcome() {
            Outcome::Success(message) => mapped_address(&message.view()).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// Lets time pass until the client has nothing to do.
    fn wait(&mut self) {
        while let Some((deadline, _)) = self.client.poll_timeout() {
            self.now = deadline;
            self.client.handle_timeout(self.now);
            while self.client.poll_transmit(self.now, &mut Vec::new()).is_some() {}
        }
    }
}

fn answer(request: &[u8], class: Class, write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let id = Message::parse(request).unwrap().transaction();
    write(&mut Writer::new(&mut bytes, class, Method::BINDING, id));
    bytes
}

fn challenge(code: u16, nonce: &str) -> impl FnOnce(&mut Writer<'_>) {
    move |writer| {
        writer.add(&ErrorCode::new(code, "")).add(&Realm("twocan")).add(&Nonce(nonce));
    }
}

fn challenge_sha256(code: u16, nonce: &str) -> impl FnOnce(&mut Writer<'_>) {
    move |writer| {
        challenge(code, nonce)(writer);
        writer.add(&PasswordAlgorithms::SHA256_MD5);
    }
}

fn granted(writer: &mut Writer<'_>) {
    writer.add(&XorMappedAddress(address(LOCAL)));
}

fn md5_key() -> Key {
    Key::long_term(Algorithm::Md5, "ada", "twocan", "pw")
}

fn sha256_key() -> Key {
    Key::long_term(Algorithm::Sha256, "ada", "twocan", "pw")
}

#[test]
fn a_server_that_asks_nothing_tells_our_address() {
    let mut talk = Talk::new(config(None));
    let request = talk.sent();
    assert_eq!(Message::parse(&request).unwrap().attributes().count(), 0);
    talk.now += Duration::from_millis(40);
    talk.arrives(answer(&request, Class::Success, granted)).unwrap();
    assert_eq!(talk.mapped(), address(LOCAL));
    assert_eq!(talk.client.round_trip(talk.now), Some(Duration::from_millis(40)));
    assert_eq!(talk.arrives(answer(&request, Class::Success, granted)), Err(Fault::UnknownTransaction));
    assert_eq!(talk.client.counters().unknown_transaction, 1);
    assert_eq!(talk.client.poll_timeout(), None);
}

#[test]
fn an_older_server_gets_md5_and_sha1() {
    let mut talk = Talk::new(config(Some("pw")));
    let first = talk.answered(Class::Error, challenge(401, "n1"));
    assert!(!Message::parse(&first).unwrap().has::<Username<'_>>());
    let second = talk.sent();
    let message = Message::parse(&second).unwrap();
    assert_eq!(message.get(), Ok(Some(Username("ada"))));
    assert_eq!(message.get(), Ok(Some(Realm("twocan"))));
    assert_eq!(message.get(), Ok(Some(Nonce("n1"))));
    assert_eq!(message.integrity_sha256_offset(), None);
    assert_eq!(message.verify(&md5_key()), Ok(()));
    assert_ne!(message.transaction(), Message::parse(&first).unwrap().transaction());
    let proven = answer(&second, Class::Success, |writer| {
        granted(writer);
        writer.integrity_sha1(&md5_key());
    });
    talk.arrives(proven).unwrap();
    assert_eq!(talk.mapped(), address(LOCAL));

    // The next request says it all at once (§9.2.3.2).
    talk.ask();
    assert_eq!(Message::parse(&talk.sent()).unwrap().verify(&md5_key()), Ok(()));
}

#[test]
fn a_newer_server_gets_sha256_and_must_give_it() {
    let nonce = COOKIE.cookie() + "n1";
    let mut talk = Talk::new(config(Some("pw")));
    talk.answered(Class::Error, challenge_sha256(401, &nonce));
    let request = talk.sent();
    let message = Message::parse(&request).unwrap();
    assert_eq!(message.get(), Ok(Some(PasswordAlgorithm(2))));
    assert_eq!(message.get(), Ok(Some(PasswordAlgorithms::SHA256_MD5)));
    assert!(message.integrity_sha256_offset().is_some());
    assert_eq!(message.integrity_sha1_offset(), None);
    assert_eq!(message.verify(&sha256_key()), Ok(()));
    for weak in [md5_key(), sha256_key()] {
        let weak = answer(&request, Class::Success, |writer| {
            granted(writer);
            writer.integrity_sha1(&weak);
        });
        assert_eq!(talk.arrives(weak), Err(Fault::BadIntegrity));
    }
    let strong = answer(&request, Class::Success, |writer| {
        granted(writer);
        writer.integrity_sha256(&sha256_key());
    });
    talk.arrives(strong).unwrap();
    assert_eq!(talk.mapped(), address(LOCAL));
}

#[test]
fn the_first_known_algorithm_of_the_offer_is_chosen() {
    let nonce = COOKIE.cookie() + "n1";
    for (offer, chosen) in [
        (&[0, 9, 0, 1, 7, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0][..], Some(PasswordAlgorithm(1))),
        (&[0, 9, 0, 0][..], None),
    ] {
        let mut talk = Talk::new(config(Some("pw")));
        talk.answered(Class::Error, |writer| {
            challenge(401, &nonce)(writer);
            writer.add_raw(attribute_type::<PasswordAlgorithms<'_>>(), offer);
        });
        if chosen.is_none() {
            assert_eq!(talk.failure(), Failure::NoCommonAlgorithm);
            continue;
        }
        let request = talk.sent();
        let message = Message::parse(&request).unwrap();
        assert_eq!(message.get(), Ok(chosen));
        assert_eq!(message.get::<PasswordAlgorithms<'_>>().unwrap().unwrap().bytes(), offer);
        assert!(message.integrity_sha256_offset().is_some());
        assert_eq!(message.verify(&md5_key()), Ok(()));
    }
}

#[test]
fn a_server_that_offers_anonymity_gets_no_name() {
    let features = SecurityFeatures { password_algorithms: true, username_anonymity: true };
    let mut talk = Talk::new(config(Some("pw")));
    talk.answered(Class::Error, challenge_sha256(401, &features.cookie()));
    let request = talk.sent();
    let message = Message::parse(&request).unwrap();
    assert_eq!(message.get(), Ok(Some(UserHash(user_hash("ada", "twocan")))));
    assert!(!message.has::<Username<'_>>());
    assert_eq!(message.verify(&sha256_key()), Ok(()));
}

#[test]
fn a_stale_nonce_is_replaced_and_a_wrong_password_is_not_tried_again() {
    let mut talk = Talk::new(config(Some("pw")));
    talk.answered(Class::Error, challenge(401, "n1"));
    talk.answered(Class::Error, |writer| {
        writer.add(&ErrorCode::new(438, "Stale Nonce")).add(&Nonce("n2"));
    });
    let request = talk.answered(Class::Error, challenge(401, "n3"));
    assert_eq!(Message::parse(&request).unwrap().get(), Ok(Some(Nonce("n2"))));
    assert_eq!(talk.failure(), Failure::WrongCredentials);
    assert_eq!(talk.client.poll_transmit(talk.now, &mut Vec::new()), None);
}

#[test]
fn a_server_that_is_never_content_is_given_up() {
    let mut talk = Talk::new(config(Some("pw")));
    talk.answered(Class::Error, challenge(401, "n"));
    for _ in 0..MAX_CHALLENGES {
        talk.answered(Class::Error, challenge(438, "n"));
    }
    assert_eq!(talk.failure(), Failure::TooManyChallenges);
}

#[test]
fn credentials_are_not_weakened_on_the_path() {
    // The offer is taken out of the challenge, but the nonce tells.
    let mut talk = Talk::new(config(Some("pw")));
    talk.answered(Class::Error, challenge(401, &COOKIE.cookie()));
    assert_eq!(talk.failure(), Failure::BidDown);

    // Out of another answer: as if it had never come.
    talk.ask();
    let request = talk.sent();
    let weakened = answer(&request, Class::Success, |writer| {
        writer.add(&Nonce(&COOKIE.cookie()));
    });
    assert_eq!(talk.arrives(weakened), Err(Fault::BidDown));
    assert!(talk.client.poll_event().is_none());

    // Offer and nonce are replaced, after the server once made an offer.
    let mut talk = Talk::new(config(Some("pw")));
    talk.answered(Class::Error, challenge_sha256(401, &COOKIE.cookie()));
    talk.answered(Class::Error, challenge(438, "plain"));
    assert_eq!(talk.failure(), Failure::BidDown);
}

#[test]
fn over_datagrams_an_unproven_answer_never_happened() {
    let mut talk = Talk::new(config(Some("pw")));
    talk.answered(Class::Error, challenge(401, "n1"));
    let request = talk.sent();
    let bad_request = answer(&request, Class::Error, |writer| {
        writer.add(&ErrorCode::new(400, "Bad Request"));
    });
    for forged in [answer(&request, Class::Success, granted), bad_request] {
        assert_eq!(talk.arrives(forged), Err(Fault::BadIntegrity));
        assert!(talk.client.poll_event().is_none());
    }
    talk.wait();
    assert_eq!(talk.failure(), Failure::IntegrityViolated);
    assert_eq!(talk.client.counters().bad_integrity, 2);
}

#[test]
fn over_a_stream_an_unproven_answer_is_the_end() {
    let mut talk = Talk::new(Config { schedule: Schedule::STREAM, ..config(Some("pw")) });
    talk.answered(Class::Error, challenge(401, "n1"));
    let request = talk.sent();
    assert_eq!(talk.arrives(answer(&request, Class::Success, granted)), Err(Fault::BadIntegrity));
    assert_eq!(talk.failure(), Failure::IntegrityViolated);
}

#[test]
fn nobody_answers_or_nobody_can() {
    let mut talk = Talk::new(config(None));
    let begin = talk.now;
    talk.sent();
    talk.wait();
    assert_eq!(talk.now - begin, Duration::from_millis(39_500));
    assert_eq!(talk.failure(), Failure::TimedOut);
    talk.ask();
    talk.sent();
    talk.client.handle_unreachable();
    assert_eq!(talk.failure(), Failure::Unreachable);
    assert_eq!(talk.client.poll_timeout(), None);
}

#[test]
fn what_is_no_answer_is_dropped() {
    let mut talk = Talk::new(config(None));
    let request = talk.sent();
    assert!(matches!(talk.arrives(vec![0x80; 40]), Err(Fault::NotStun(_))));
    assert_eq!(talk.arrives(request.clone()), Err(Fault::NotAnAnswer));
    let mut other_method = answer(&request, Class::Success, granted);
    other_method[1] ^= 2;
    assert_eq!(talk.arrives(other_method), Err(Fault::WrongMethod));
    let mut elsewhere = answer(&request, Class::Success, granted);
    let datagram = Received { source: address(OTHER), destination: address(LOCAL), bytes: &mut elsewhere };
    assert_eq!(talk.client.handle_datagram(talk.now, datagram), Err(Fault::WrongAddress));
    assert!(talk.client.poll_event().is_none());
    talk.arrives(answer(&request, Class::Success, granted)).unwrap();
    assert_eq!(talk.mapped(), address(LOCAL));
}

#[test]
fn an_answer_that_cannot_be_understood_fails_the_request() {
    let mut talk = Talk::new(config(None));
    talk.answered(Class::Success, |writer| {
        writer.add_raw(0x7777, b"?");
    });
    assert!(matches!(talk.failure(), Failure::UnknownAttributes(unknown) if unknown.kinds() == [0x7777]));
    talk.ask();
    talk.answered(Class::Error, |_| ());
    assert_eq!(talk.failure(), Failure::NoErrorCode);
    talk.ask();
    talk.answered(Class::Error, |writer| {
        writer.add(&ErrorCode::new(500, "Server Error"));
    });
    assert!(matches!(talk.outcome(), Outcome::Refused(_)));
}

#[test]
fn a_redirection_is_followed_but_not_in_a_circle() {
    let to = |server: &'static str| {
        move |writer: &mut Writer<'_>| {
            let (v6, v4) = (address("[2001:db8::1]:3478"), address(server));
            writer.add(&ErrorCode::new(300, "")).add(&AlternateServer(v6)).add(&AlternateServer(v4));
            writer.add(&AlternateDomain("turn.example"));
        }
    };
    let mut talk = Talk::new(config(None));
    talk.answered(Class::Error, to(OTHER));
    let Outcome::Alternate { server, domain } = talk.outcome() else { panic!("no redirection") };
    assert_eq!((server, domain.as_deref()), (address(OTHER), Some("turn.example")));
    talk.client.follow(talk.now, address(LOCAL), server);
    talk.ask();
    talk.answered(Class::Error, to(SERVER));
    assert_eq!(talk.failure(), Failure::RedirectLoop);

    // After five minutes the way back is open again.
    talk.now += REDIRECT_MEMORY;
    talk.ask();
    talk.answered(Class::Error, to(SERVER));
    assert!(matches!(talk.outcome(), Outcome::Alternate { server, .. } if server == address(SERVER)));

    talk.ask();
    talk.answered(Class::Error, |writer| {
        writer.add(&ErrorCode::new(300, "")).add(&AlternateServer(address("[2001:db8::1]:3478")));
    });
    assert_eq!(talk.failure(), Failure::NoAlternate);
}

#[test]
fn no_more_requests_than_the_limit_are_outstanding() {
    let mut talk = Talk::new(Config { limit: 2, ..config(None) });
    talk.ask();
    assert_eq!(talk.client.request(talk.now, Binding::default()), Err(TooMany));
}

fn attribute_type<'a, A: crate::Attribute<'a>>() -> u16 {
    A::TYPE
}
