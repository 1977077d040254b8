use std::time::{Duration, Instant};

use super::*;

fn at(seconds: u64) -> Now {
    Now { instant: Instant::now(), unix: Duration::from_secs(seconds) }
}

fn room(name: &str) -> RoomName {
    RoomName::parse(name, 64).unwrap()
}

#[test]
fn holds_for_its_own_place_and_time_only() {
    let keys = Keys::new(b"secret", None);
    let tea = room("tea");
    let place = Place { room: &tea, kind: Kind::Live, role: Some(Role::Viewer) };
    let claims = Claims { peer: PeerId(u64::MAX), generation: 3, lock: None, in_match: Some(9) };
    let token = issue(&keys, at(1_000), place, &claims);

    let verified = verify(&keys, at(1_000), place, &token).unwrap();
    assert_eq!((verified.peer, verified.generation, verified.in_match), (PeerId(u64::MAX), 3, Some(9)));
    assert!(verify(&keys, at(1_000 + LIFE - 1), place, &token).is_some());
    assert!(verify(&keys, at(1_000 + LIFE), place, &token).is_none(), "expired");
    let other = room("coffee");
    for elsewhere in [
        Place { room: &other, ..place },
        Place { kind: Kind::Call, ..place },
        Place { role: Some(Role::Streamer), ..place },
        Place { role: None, ..place },
    ] {
        assert!(verify(&keys, at(1_000), elsewhere, &token).is_none());
    }
}

#[test]
fn forgeries_count_as_none() {
    let keys = Keys::new(b"secret", None);
    let tea = room("tea");
    let place = Place { room: &tea, kind: Kind::Call, role: None };
    let claims = Claims { peer: PeerId(1), generation: 1, lock: None, in_match: None };
    let token = issue(&keys, at(1_000), place, &claims);
    let parts: Vec<_> = token.split('.').collect();
    // {"alg":"none"}, with and without the old signature.
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", parts[1]);
    let none_signed = format!("eyJhbGciOiJub25lIn0.{}.{}", parts[1], parts[2]);
    let by_other_key = issue(&Keys::new(b"other", None), at(1_000), place, &claims);
    // An invitation is signed with another key, even where it would read like a token.
    let (invitation, _) = super::super::invitation::issue(&keys, at(1_000), &tea, Duration::from_secs(60));
    for forged in
        ["", "x", "a.b.c", &unsigned, &none_signed, &by_other_key, &invitation, &token[..token.len() - 4]]
    {
        assert!(verify(&keys, at(1_000), place, forged).is_none(), "{forged}");
    }
}
