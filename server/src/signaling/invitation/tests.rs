use std::time::Instant;

use super::*;

fn at(seconds: u64) -> Now {
    Now { instant: Instant::now(), unix: Duration::from_secs(seconds) }
}

fn room(name: &str) -> RoomName {
    RoomName::parse(name, 64).unwrap()
}

#[test]
fn opens_its_room_until_it_expires() {
    let keys = Keys::new(b"secret", None);
    let (invitation, expires) = issue(&keys, at(1_000), &room("tea"), Duration::from_secs(60));
    assert_eq!(expires, 1_060);
    assert!(opens(&keys, at(1_059), &room("tea"), &invitation));
    assert!(!opens(&keys, at(1_060), &room("tea"), &invitation));
    assert!(!opens(&keys, at(1_000), &room("coffee"), &invitation));
    assert!(!opens(&Keys::new(b"other", None), at(1_000), &room("tea"), &invitation));
    assert!(!opens(&keys, at(1_000), &room("tea"), "nonsense"));
}

#[test]
fn another_program_can_sign_them() {
    let keys = Keys::new(b"secret", Some(b"the operator's key"));
    let key = jsonwebtoken::EncodingKey::from_secret(b"the operator's key");
    let sign = |claims: serde_json::Value| {
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap()
    };
    let claims =
        |aud: &str, nbf: u64| serde_json::json!({"aud": aud, "room": "tea", "exp": 2_000, "nbf": nbf});
    assert!(opens(&keys, at(1_000), &room("tea"), &sign(claims(AUDIENCE, 1_000))));
    assert!(!opens(&keys, at(1_000), &room("tea"), &sign(claims(AUDIENCE, 1_001))), "not yet");
    assert!(!opens(&keys, at(1_000), &room("tea"), &sign(claims("something else", 0))));
    assert!(!opens(
        &keys,
        at(1_000),
        &room("tea"),
        &sign(serde_json::json!({"aud": AUDIENCE, "room": "tea"}))
    ));
}
