//! Who may ask: the long-term mechanism with its extensions (RFC 8489 §9.2), ephemeral names.

use std::time::Duration;

use stun::attribute::{Nonce, PasswordAlgorithm, PasswordAlgorithms, Realm, Username};
use stun::{Algorithm, Class, Key, Method, ephemeral_password, user_hash};

use super::stage::{REALM, Stage, UDP, UNIX, With};

const CHALLENGE: &str =
    "ada: Allocate error 401 Unauthenticated, realm example, nonce of 33, algorithms sha256 md5";
const STALE: &str = "ada: Allocate error 438 Stale Nonce, realm example, nonce of 33, algorithms sha256 md5";
const BAD: &str = "ada: Allocate error 400 Bad Request";
const GRANTED: &str = "ada: Allocate success, relayed 192.0.2.1:R0, lifetime 600, mapped 198.51.100.1:4000, \
                       software twocan, ";

#[test]
fn wrong_users_passwords_and_realms_are_challenged() {
    for wrong in ["user", "password", "realm", "nobody"] {
        let mut stage = Stage::new();
        stage.allocate("bob", &[]);
        let seat = stage.seat("ada");
        match wrong {
            "user" => seat.username = "bob".into(),
            "password" => seat.password = "pencil".into(),
            "realm" => seat.realm = "other".into(),
            _ => seat.username.clear(),
        }
        assert_eq!(stage.allocate("ada", &[]), [CHALLENGE], "{wrong}");
        assert_eq!(stage.server.allocations(), 1);
    }
}

#[test]
fn every_way_to_prove_oneself() {
    // Algorithm said, SHA-256 integrity, what the answer is proven with (§9.2.4, last paragraph).
    let table = [
        (None, false, "sha1"),
        (None, true, "sha1"),
        (Some(Algorithm::Md5), false, "sha256"),
        (Some(Algorithm::Md5), true, "sha256"),
        (Some(Algorithm::Sha256), false, "sha256"),
        (Some(Algorithm::Sha256), true, "sha256"),
    ];
    for (algorithm, sha256, proof) in table {
        for hashed in [false, true] {
            let mut stage = Stage::new();
            let seat = stage.seat("ada");
            (seat.algorithm, seat.sha256, seat.hashed) = (algorithm, sha256, hashed);
            assert_eq!(
                stage.allocate("ada", &[]),
                ["open #0 192.0.2.1:R0".to_owned(), format!("{GRANTED}{proof}")],
                "{algorithm:?} {sha256} {hashed}"
            );
            // Errors are proven alike, and so is a repeated answer.
            assert_eq!(stage.again("ada"), [format!("{GRANTED}{proof}")]);
            assert_eq!(
                stage.permit("ada", &["10.0.0.1:1"]),
                [format!("ada: CreatePermission error 403 Forbidden, {proof}")]
            );
        }
    }
}

#[test]
fn a_user_hash_of_nobody_is_challenged() {
    let mut stage = Stage::new();
    let seat = stage.seat("ada");
    (seat.hashed, seat.username) = (true, "eve".into());
    assert_eq!(stage.allocate("ada", &[]), [CHALLENGE]);
    // The hash is over name and realm.
    assert_ne!(user_hash("ada", REALM), user_hash("ada", "other"));
}

#[test]
fn the_nonce_says_what_the_server_can() {
    let cookie = |stage: &mut Stage| {
        stage.bare("ada", Method::ALLOCATE, &[UDP, With::Raw(0x8022, &[b'x'; 60])]);
        stage.seat("ada").nonce[..13].to_owned()
    };
    // Bit 0, password algorithms; bit 1, user names as hashes, which ephemeral names cannot have.
    assert_eq!(cookie(&mut Stage::new()), "obMatJos2wAAA");
    let mut stage = Stage::with(|config, _| config.credentials.add_secret(b"secret"));
    assert_eq!(cookie(&mut stage), "obMatJos2gAAA");
}

/// A request with exactly these attributes, proven with SHA-1 or SHA-256 under ada's key.
fn with_attributes(
    stage: &mut Stage,
    attributes: &str,
    algorithm: Option<&PasswordAlgorithms<'_>>,
) -> Vec<u8> {
    stage.request("ada", Method::ALLOCATE, &[UDP]);
    let nonce = stage.seat("ada").nonce.clone();
    stage.message(Class::Request, Method::ALLOCATE, &[UDP], |writer| {
        if attributes.contains('u') {
            writer.add(&Username("ada"));
        }
        if attributes.contains('r') {
            writer.add(&Realm(REALM));
        }
        if attributes.contains('n') {
            writer.add(&Nonce(&nonce));
        }
        if let Some(algorithms) = algorithm {
            writer.add(algorithms);
        }
        if attributes.contains('a') {
            writer.add(&PasswordAlgorithm(if attributes.contains('9') { 9 } else { 2 }));
        }
        if attributes.contains('m') {
            writer.add(&PasswordAlgorithm(1));
        }
        let algorithm = if attributes.contains('a') { Algorithm::Sha256 } else { Algorithm::Md5 };
        writer.integrity_sha256(&Key::long_term(algorithm, "ada", REALM, "ada"));
    })
}

#[test]
fn a_proof_without_what_it_needs_is_a_bad_request() {
    let mut stage = Stage::new();
    for attributes in ["", "u", "r", "n", "ur", "un", "rn"] {
        let request = with_attributes(&mut stage, attributes, None);
        assert_eq!(stage.feed("ada", &request), [BAD], "{attributes}");
    }
}

#[test]
fn algorithms_must_be_the_ones_that_were_offered() {
    let offered = PasswordAlgorithms::SHA256_MD5;
    let parse = |bytes: &'static [u8]| {
        <PasswordAlgorithms<'_> as stun::Attribute<'_>>::parse(bytes, &stun::TransactionId([0; 12])).unwrap()
    };
    let (only_md5, swapped) = (parse(&[0, 1, 0, 0]), parse(&[0, 1, 0, 0, 0, 2, 0, 0]));
    let mut stage = Stage::new();
    let table = [
        ("urn", Some(&offered), BAD),
        ("urna", None, BAD),
        ("urna9", Some(&offered), BAD),
        // Somebody on the path took the better one away, or put it last (§9.2, bid-down).
        ("urnm", Some(&only_md5), BAD),
        ("urnm", Some(&swapped), BAD),
    ];
    for (attributes, algorithms, expected) in table {
        let request = with_attributes(&mut stage, attributes, algorithms);
        assert_eq!(stage.feed("ada", &request), [expected], "{attributes} {algorithms:?}");
    }
    let request = with_attributes(&mut stage, "urna", Some(&offered));
    let lines = stage.feed("ada", &request);
    assert!(lines[1].starts_with(GRANTED), "{lines:?}");
}

#[test]
fn a_nonce_whose_cookie_was_changed_is_stale() {
    let mut stage = Stage::new();
    stage.request("ada", Method::ALLOCATE, &[UDP]);
    // Without the bit that speaks of algorithms, and without the cookie.
    for change in [|nonce: &str| nonce.replace("wAAA", "AAAA"), |nonce: &str| nonce[13..].to_owned()] {
        let seat = stage.seat("ada");
        seat.nonce = change(&seat.nonce);
        assert_eq!(stage.allocate("ada", &[]), [STALE]);
    }
}

#[test]
fn a_nonce_is_good_for_ten_minutes() {
    let mut stage = Stage::new();
    stage.allocate("ada", &[With::Lifetime(3600)]);
    stage.wait(600);
    assert_eq!(stage.refresh("ada", &[]), ["ada: Refresh success, lifetime 600, software twocan, sha1"]);
    stage.wait(1);
    // It has a new one from the answer, with which it goes on.
    assert_eq!(
        stage.refresh("ada", &[]),
        ["ada: Refresh error 438 Stale Nonce, realm example, nonce of 33, algorithms sha256 md5"]
    );
    assert_eq!(stage.refresh("ada", &[]), ["ada: Refresh success, lifetime 600, software twocan, sha1"]);
    // A wrong password is told first: 438 would say that it was right (§9.2.4's order).
    stage.wait(601);
    stage.allocate("ada", &[]);
    stage.wait(601);
    stage.seat("ada").password = "pencil".into();
    assert_eq!(stage.allocate("ada", &[]), [CHALLENGE]);
}

#[test]
fn a_nonce_is_its_clients_own() {
    use super::super::Transport::Tcp;
    let mut stage = Stage::new();
    stage.sit("ada at another port", super::super::Transport::Udp, "192.0.2.1:3478", "198.51.100.1:4001");
    stage.sit("ada over TCP", Tcp, "192.0.2.1:3478", "198.51.100.1:4000");
    stage.sit("eve", super::super::Transport::Udp, "192.0.2.1:3478", "198.51.100.66:4000");
    stage.request("ada", Method::ALLOCATE, &[UDP]);
    let nonce = stage.seat("ada").nonce.clone();
    for name in ["ada at another port", "ada over TCP", "eve"] {
        let seat = stage.seat(name);
        (seat.username, seat.password) = ("ada".into(), "ada".into());
        seat.nonce.clone_from(&nonce);
        assert_eq!(stage.allocate(name, &[]), [STALE.replace("ada:", &format!("{name}:"))]);
    }
}

#[test]
fn a_nonce_of_one_machine_is_good_at_its_siblings() {
    // Threads of one server share secret and ledger; a client's datagrams may reach either.
    let mut stage = Stage::new();
    stage.request("ada", Method::ALLOCATE, &[UDP]);
    let config = std::sync::Arc::new(super::stage::config(stage.now));
    stage.server = super::super::Server::new(config, std::sync::Arc::clone(&stage.ledger));
    assert_eq!(stage.allocate("ada", &[])[1], format!("{GRANTED}sha1"));
}

/// A stage on which ada has a name that expires in so many seconds.
fn ephemeral(expiry: u64) -> Stage {
    let mut stage = Stage::with(|config, _| config.credentials.add_secret(b"secret"));
    name(&mut stage, &format!("{}:ada", UNIX + expiry));
    stage
}

fn name(stage: &mut Stage, username: &str) {
    let seat = stage.seat("ada");
    seat.password = ephemeral_password(b"secret", username);
    seat.username = username.to_owned();
}

#[test]
fn an_ephemeral_name_is_good_until_its_expiry() {
    let mut stage = ephemeral(100);
    stage.wait(99);
    assert_eq!(stage.allocate("ada", &[])[1], format!("{GRANTED}sha1"));
    let mut stage = ephemeral(100);
    stage.wait(100);
    assert_eq!(stage.allocate("ada", &[]), [CHALLENGE]);
}

#[test]
fn ephemeral_names_that_are_none() {
    for username in
        ["ada", "", ":", ":ada", "soon:ada", "-1:ada", "0:ada", "1:ada", "1699999999", " 1800000000:ada"]
    {
        let mut stage = ephemeral(100);
        name(&mut stage, username);
        // A static user keeps the password that the operator gave.
        assert_eq!(stage.allocate("ada", &[]), [CHALLENGE], "{username:?}");
    }
    for username in ["1800000000", "1800000000:", "1800000000:a:b", "18446744073709551615:ada"] {
        let mut stage = ephemeral(100);
        name(&mut stage, username);
        assert_eq!(stage.allocate("ada", &[])[1], format!("{GRANTED}sha1"), "{username:?}");
    }
}

#[test]
fn who_allocated_in_time_may_refresh_for_a_day() {
    let (mut stage, day) = (ephemeral(100), 24 * 3600);
    stage.allocate("ada", &[With::Lifetime(3600)]);
    let refreshed = "ada: Refresh success, lifetime 3600, software twocan, sha1";
    while stage.now < super::start() + Duration::from_secs(day - 3600) {
        stage.wait(3500);
        // Each answer's nonce is stale by now; the refused request brings the next one.
        stage.refresh("ada", &[With::Lifetime(3600)]);
        assert_eq!(stage.refresh("ada", &[With::Lifetime(3600)]), [refreshed]);
        // The same name gets no second allocation.
        stage.sit("ada elsewhere", super::super::Transport::Udp, "192.0.2.1:3478", "198.51.100.1:4001");
        let seat = stage.seat("ada").clone();
        let elsewhere = stage.seat("ada elsewhere");
        (elsewhere.username, elsewhere.password) = (seat.username, seat.password);
        assert_eq!(stage.allocate("ada elsewhere", &[]), [CHALLENGE.replace("ada:", "ada elsewhere:")]);
    }
    assert_eq!(stage.permit("ada", &["203.0.113.9:9"]), ["ada: CreatePermission success, sha1"]);
    // Then it ends.
    stage.wait(3500);
    stage.wait(99);
    let gone = stage.refresh("ada", &[]);
    assert!(gone[0].contains("401"), "{gone:?}");
}

#[test]
fn the_day_does_not_survive_the_allocation() {
    let mut stage = ephemeral(100);
    stage.allocated("ada");
    stage.wait(200);
    assert_eq!(stage.refresh("ada", &[]), ["ada: Refresh success, lifetime 600, software twocan, sha1"]);
    stage.refresh("ada", &[With::Lifetime(0)]);
    assert_eq!(stage.allocate("ada", &[]), [CHALLENGE]);
}

#[test]
fn several_secrets_are_good_at_once() {
    for secret in [b"old", b"new"] {
        let mut stage = Stage::with(|config, _| {
            config.credentials.add_secret(b"old");
            config.credentials.add_secret(b"new");
        });
        let username = format!("{}:ada", UNIX + 100);
        let seat = stage.seat("ada");
        (seat.password, seat.username) = (ephemeral_password(secret, &username), username);
        assert_eq!(stage.allocate("ada", &[])[1], format!("{GRANTED}sha1"));
    }
}

#[test]
fn where_nobody_is_known_nobody_gets_in() {
    let mut stage = Stage::with(|config, _| {
        config.credentials = super::super::Credentials::default();
        assert!(config.credentials.is_empty());
    });
    assert_eq!(stage.allocate("ada", &[]), [CHALLENGE]);
}
