//! A server that admits only the invited, as another program signs its invitations.

use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{client::Client, program::Program};

const KEY: &str = "the operator's own key";

/// Seconds of the Unix epoch, so many from now.
fn from_now(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    i64::try_from(now).unwrap() + seconds
}

fn sign(algorithm: Algorithm, key: &str, claims: &Value) -> String {
    jsonwebtoken::encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(key.as_bytes())).unwrap()
}

fn claims(room: &str, expires_in: i64) -> Value {
    json!({"aud": "twocan-invitation", "room": room, "exp": from_now(expires_in)})
}

/// Joins the room `tea`; the `joined` or the error.
async fn answer(client: &mut Client, more: &Value) -> Value {
    let mut request = json!({"type": "join", "room": "tea", "name": "Ada", "id": 5});
    for (key, value) in more.as_object().unwrap() {
        request[key] = value.clone();
    }
    client.send(&request).await;
    client.next().await
}

#[tokio::test]
async fn only_a_good_invitation_opens_and_it_opens_its_room_only() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &["--invitation-required", "--invitation-key", KEY]);
    let mut ada = Client::connect(server.http()).await;
    let good = sign(Algorithm::HS256, KEY, &claims("tea", 60));
    let (head, rest) = good.split_once('.').unwrap();
    let (body, signature) = rest.split_once('.').unwrap();
    let elsewhere = sign(Algorithm::HS256, KEY, &claims("coffee", 60));
    let other_body = elsewhere.split('.').nth(1).unwrap();
    let mut not_yet = claims("tea", 60);
    not_yet["nbf"] = json!(from_now(30));
    let mut of_another_kind = claims("tea", 60);
    of_another_kind["aud"] = json!("somebody-else's");

    assert_eq!(answer(&mut ada, &json!({})).await["code"], "invitation_required");
    assert_eq!(answer(&mut ada, &json!({"password": "milk"})).await["code"], "invitation_required");
    for (what, bad) in [
        ("expired", sign(Algorithm::HS256, KEY, &claims("tea", -1))),
        ("for another room", elsewhere.clone()),
        ("signed by somebody else", sign(Algorithm::HS256, "another key altogether", &claims("tea", 60))),
        ("signed with another algorithm", sign(Algorithm::HS384, KEY, &claims("tea", 60))),
        ("with another's claims", format!("{head}.{other_body}.{signature}")),
        // {"alg":"none"}
        ("unsigned", format!("eyJhbGciOiJub25lIn0.{body}.")),
        ("not good yet", sign(Algorithm::HS256, KEY, &not_yet)),
        ("for something else", sign(Algorithm::HS256, KEY, &of_another_kind)),
        ("without an end", sign(Algorithm::HS256, KEY, &json!({"aud": "twocan-invitation", "room": "tea"}))),
        ("nonsense", "nonsense".to_owned()),
        ("empty", String::new()),
    ] {
        let error = answer(&mut ada, &json!({"invitation": bad})).await;
        assert_eq!((&error["code"], &error["id"]), (&json!("bad_invitation"), &json!(5)), "{what}");
    }
    // All of that cost nothing else.
    let joined = answer(&mut ada, &json!({"invitation": good})).await;
    assert_eq!((&joined["type"], &joined["room"]), (&json!("joined"), &json!("tea")));

    // Whoever is in can invite; nobody else can.
    ada.send(&json!({"type": "invite", "expires_in": 60})).await;
    let invitation = ada.next().await["invitation"].clone();
    let mut bob = Client::connect(server.http()).await;
    assert_eq!(
        answer(&mut bob, &json!({"room": "coffee", "invitation": invitation})).await["code"],
        "bad_invitation"
    );
    assert_eq!(answer(&mut bob, &json!({"invitation": invitation})).await["peers"][0]["id"], joined["peer"]);

    // A dropped connection comes back by its token, without the invitation.
    drop(ada);
    let mut ada = Client::connect(server.http()).await;
    let back = answer(&mut ada, &json!({"token": joined["token"], "received": 1})).await;
    assert_eq!((&back["peer"], &back["resumed"]), (&joined["peer"], &json!(true)));
}
