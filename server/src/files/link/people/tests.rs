use super::super::super::message::Description;
use super::*;

/// Bob, who receives, with Ada in the room.
fn bob() -> People {
    let mut people = People::new(Sealer::new(&[7; 32]), Role::Receive);
    people.joined("bob".into(), ["ada".into()]);
    people
}

fn hello(connection: &str, to: Option<String>) -> Signal {
    let hello = Some(Hello { role: Role::Send });
    Signal { connection: connection.into(), to, hello, ..Signal::default() }
}

fn word(people: &People) -> String {
    people.hello("ada", false).unwrap().connection
}

#[test]
fn two_who_greet_each_other_know_both_connections() {
    let mut people = bob();
    assert!(!people.fits("ada"), "she has not said what she wants");
    let heard = people.hear("ada", &hello("a1", None), false);
    assert_eq!(heard, Some(Heard { is_anew: false, wants_answer: true }));
    assert!(people.fits("ada") && people.offers_to("ada"));
    assert_eq!(people.hello("ada", true).unwrap().to.as_deref(), Some("a1"));
    let heard = people.hear("ada", &hello("a1", Some(word(&people))), false);
    assert_eq!(heard, Some(Heard { is_anew: false, wants_answer: false }));
    let answer = people.addressed("ada", Signal::default()).unwrap();
    assert_eq!((answer.connection, answer.to.as_deref()), (word(&people), Some("a1")));
}

#[test]
fn only_what_names_our_present_connection_counts() {
    let mut people = bob();
    let old = word(&people);
    people.renew("ada");
    assert_ne!(old, word(&people));
    assert_eq!(people.hear("ada", &hello("a1", Some(old)), false), None);
    let unnamed = Signal { connection: "a1".into(), ..Signal::default() };
    assert_eq!(people.hear("ada", &unnamed, false), None);
    // A greeting need not, and does nothing to a connection that stands.
    assert_eq!(people.hear("ada", &hello("a1", None), true), None);
    assert!(!people.fits("ada"));
    assert_eq!(people.hear("eve", &hello("e1", None), false), None);
}

#[test]
fn another_connection_of_theirs_ends_the_one_before() {
    let mut people = bob();
    people.hear("ada", &hello("a1", None), false);
    let anew = people.hear("ada", &hello("a2", Some(word(&people))), false);
    assert_eq!(anew, Some(Heard { is_anew: true, wants_answer: false }));
    let restart = Signal { restart: true, ..hello("a2", Some(word(&people))) };
    assert_eq!(people.hear("ada", &restart, true), Some(Heard { is_anew: true, wants_answer: true }));
    // We ask for one: by the name of theirs, under a new one of ours.
    let before = word(&people);
    let asked = people.ask_anew("ada").unwrap();
    assert_eq!((asked.restart, asked.to.as_deref()), (true, Some("a2")));
    assert_ne!(asked.connection, before);
    // Theirs is not known any more.
    assert_eq!(people.ask_anew("ada").unwrap().to, None);
}

#[test]
fn what_is_sealed_opens_for_whom_it_is_meant() {
    let (bob, mut ada) = (bob(), People::new(Sealer::new(&[7; 32]), Role::Send));
    assert!(ada.seal("bob", &Signal::default()).is_none(), "she is nobody yet");
    ada.joined("ada".into(), ["bob".into()]);
    let signal = ada.hello("bob", false).unwrap();
    let sealed = ada.seal("bob", &signal).unwrap();
    assert!(matches!(bob.open("ada", &sealed), Opened::Signal(opened) if opened == signal));
    assert!(matches!(bob.open("eve", &sealed), Opened::Stranger));
    assert!(matches!(ada.open("bob", &sealed), Opened::Tampered), "turned round");
    // Ours under another's name, whatever the server calls us.
    let ours = ada.seal("bob", &hello(&word(&bob), None)).unwrap();
    assert!(matches!(bob.open("ada", &ours), Opened::Tampered));
    for data in [Value::Null, json!({}), json!({ "sealed": 7 }), json!({ "sealed": "" }), json!("x")] {
        assert!(matches!(bob.open("ada", &data), Opened::Tampered), "{data}");
    }
}

#[test]
fn a_crowd_is_not_remembered_and_we_are_not_in_it() {
    let mut people = bob();
    people.meet("bob".into());
    for number in 0..1_000 {
        people.meet(format!("p{number}"));
    }
    assert_eq!(people.others(Some("ada")).len(), MOST_KNOWN - 1);
    assert_eq!(people.hello("bob", false), None);
    // Who was known is known to have gone, and to be back.
    people.joined("bob".into(), []);
    assert!(!people.is_there("ada"));
    people.meet("ada".into());
    assert!(people.is_there("ada"));
    people.joined("else".into(), []);
    assert!(people.others(None).is_empty(), "to everyone else we are somebody new");
}

/// Ada and Bob of one session, who have greeted each other, and what Ada said under the seal: a greeting, a description, a
/// candidate, a wish for a fresh connection.
fn session() -> (People, People, Vec<Value>) {
    let (mut bob, mut ada) = (bob(), People::new(Sealer::new(&[7; 32]), Role::Send));
    ada.joined("ada".into(), ["bob".into()]);
    let greeting = ada.hello("bob", false).unwrap();
    bob.hear("ada", &greeting, false).unwrap();
    ada.hear("bob", &bob.hello("ada", true).unwrap(), false).unwrap();
    let description = Some(Description { kind: "offer".into(), sdp: "v=0\r\n".into() });
    let mut signals = vec![greeting];
    for signal in [
        Signal { description, ..Signal::default() },
        Signal { candidate: Some(None), ..Signal::default() },
        Signal { restart: true, ..Signal::default() },
    ] {
        signals.push(ada.addressed("bob", signal).unwrap());
    }
    let recorded = signals.iter().map(|signal| ada.seal("bob", signal).unwrap()).collect();
    (ada, bob, recorded)
}

/// What becomes of a recorded message that is given to somebody in somebody's name, whose connection does not stand yet.
fn replay(people: &mut People, from: &str, recorded: &Value) -> Option<Heard> {
    match people.open(from, recorded) {
        Opened::Signal(signal) => people.hear(from, &signal, false),
        Opened::Stranger | Opened::Tampered => None,
    }
}

#[test]
fn what_was_recorded_does_nothing_in_another_place() {
    let (ada, mut bob, recorded) = session();
    assert!(recorded.iter().all(|message| replay(&mut bob, "ada", message).is_some()), "in its own place");

    // Another direction, and another one of the two.
    bob.meet("eve".into());
    for message in &recorded {
        assert!(matches!(ada.open("bob", message), Opened::Tampered), "given back to her who said it");
        assert!(matches!(bob.open("eve", message), Opened::Tampered), "in the name of somebody else");
    }
    let mut eve = People::new(Sealer::new(&[7; 32]), Role::Receive);
    eve.joined("eve".into(), ["ada".into()]);
    assert!(
        recorded.iter().all(|message| matches!(eve.open("ada", message), Opened::Tampered)),
        "given to another"
    );

    // Another code, whatever the server calls them.
    let mut elsewhere = People::new(Sealer::new(&[8; 32]), Role::Receive);
    elsewhere.joined("bob".into(), ["ada".into()]);
    assert!(recorded.iter().all(|message| matches!(elsewhere.open("ada", message), Opened::Tampered)));

    // Another session under the same code, in which the server gives them the same names: it opens, and has no effect.
    // The greeting alone is heard, as a greeting.
    let (_, mut later, own) = session();
    let effects = |bob: &mut People, recorded: &[Value]| -> Vec<bool> {
        recorded.iter().map(|message| replay(bob, "ada", message).is_some()).collect()
    };
    assert_eq!(effects(&mut later, &recorded), [true, false, false, false]);
    // And where the connection stands, not even that.
    let Opened::Signal(greeting) = later.open("ada", &recorded[0]) else { panic!("it opens") };
    assert_eq!(later.hear("ada", &greeting, true), None);
    // The honest greeting mends what the old one did.
    assert_eq!(effects(&mut later, &own), [true, true, true, true]);
    let Opened::Signal(present) = later.open("ada", &own[0]) else { panic!("it opens") };
    assert_eq!(later.addressed("ada", Signal::default()).unwrap().to, Some(present.connection));

    // Another position: behind the connection that it was about.
    bob.renew("ada");
    assert_eq!(effects(&mut bob, &recorded), [true, false, false, false]);
    let anew = bob.ask_anew("ada").unwrap();
    assert_eq!(effects(&mut bob, &recorded), [true, false, false, false], "{anew:?}");
}
