//! Rooms that are not open to everyone.

use serde_json::{Value, json};

use super::world::{World, join};

fn invite(world: &mut World, from: crate::signaling::ConnectionId) -> Value {
    world.send(from, &json!({"type": "invite", "expires_in": 60}));
    let invitation = world.message(from);
    assert_eq!(invitation["type"], "invitation");
    assert_eq!(invitation["expires"], json!((1_700_000_000_u64 + 60) * 1_000));
    invitation["invitation"].clone()
}

#[test]
fn the_first_to_join_sets_the_password() {
    let mut world = World::new();
    let (_, joined) = world.join(&json!({"password": "milk"}));
    assert_eq!(joined["locked"], json!(true));
    let bob = world.connect();
    for wrong in [json!({}), json!({"password": "water"}), json!({"password": ""})] {
        world.send(bob, &join(&wrong));
        assert_eq!(world.error(bob), "wrong_password");
    }
    world.send(bob, &join(&json!({"password": "milk"})));
    assert_eq!(world.message(bob)["locked"], json!(true));
}

#[test]
fn a_password_for_an_open_room_changes_nothing() {
    let mut world = World::new();
    world.join(&json!({}));
    let (_, joined) = world.join(&json!({"password": "milk"}));
    assert_eq!(joined["locked"], json!(false));
    world.join(&json!({}));
}

#[test]
fn an_invitation_opens_its_room_until_it_expires() {
    let mut world = World::new();
    let (ada, _) = world.join(&json!({"password": "milk"}));
    let invitation = invite(&mut world, ada);
    world.join(&json!({"invitation": invitation}));
    let bob = world.connect();
    world.send(bob, &join(&json!({"room": "coffee", "invitation": invitation})));
    assert_eq!(world.error(bob), "bad_invitation");
    world.pass(std::time::Duration::from_secs(60));
    let late = world.connect();
    world.send(late, &join(&json!({"invitation": invitation})));
    assert_eq!(world.error(late), "bad_invitation");
}

#[test]
fn an_operator_can_admit_only_the_invited() {
    let mut open = World::new();
    let (ada, _) = open.join(&json!({}));
    let invitation = invite(&mut open, ada);
    // The same secret on a server that wants invitations.
    let mut world = World::with(|settings| settings.invitation_required = true);
    let bob = world.connect();
    world.send(bob, &join(&json!({})));
    assert_eq!(world.error(bob), "invitation_required");
    world.send(bob, &join(&json!({"kind": "lobby"})));
    assert_eq!(world.error(bob), "invitation_required");
    world.send(bob, &join(&json!({"invitation": invitation})));
    assert_eq!(world.message(bob)["type"], "joined");
}

#[test]
fn guessing_passwords_is_slow() {
    let mut world = World::new();
    world.join(&json!({"password": "milk"}));
    let guesser = world.connect();
    let mut guesses = 0;
    for _ in 0..1_000 {
        world.send(guesser, &join(&json!({"password": "?"})));
        match world.error(guesser).as_str() {
            "wrong_password" => guesses += 1,
            other => {
                assert_eq!(other, "rate_limited");
                break;
            }
        }
    }
    assert!(guesses <= 20, "{guesses}");
}
