//! The long-term credential mechanism (RFC 8489 §9.2), ephemeral names.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use stun::attribute::{Nonce, PasswordAlgorithm, PasswordAlgorithms, Realm, Username};
use stun::nonce::SecurityFeatures;
use stun::{Class, Method, ephemeral_password};
use turn::attribute::RequestedTransport;

use super::{ALL, BOTH, Context, UDP, holds, same, table};
use crate::{Answer, Proof, Session};

table! {
    "RFC 8489 §9.2.4", "a request without proof is challenged", ALL, |context| {
        let answer = context.session()?.challenge()?;
        holds(!answer.get::<Realm<'_>>()?.0.is_empty(), "an empty realm")
    };
    "RFC 8489 §9.2.4", "the other methods too", BOTH, |context| {
        let mut client = context.session()?;
        for method in [Method::REFRESH, Method::CREATE_PERMISSION, Method::CHANNEL_BIND] {
            let request = client.message(Class::Request, method, |writer| {
                writer.add_raw(0x8022, &[b'x'; 60]);
            });
            client.exchange(&request)?.expect(401)?;
        }
        Ok(())
    };
    "RFC 8489 §9.2.4", "proof without user name is 400", BOTH, |context| incomplete(context, "rn");
    "RFC 8489 §9.2.4", "proof without realm is 400", BOTH, |context| incomplete(context, "un");
    "RFC 8489 §9.2.4", "proof without nonce is 400", BOTH, |context| incomplete(context, "ur");
    "RFC 8489 §9.2.4", "an unknown user is 401", BOTH, |context| {
        let mut client = context.session()?;
        client.user = "nobody".into();
        client.try_allocate(|_| {})?.expect(401).map(|_| ())
    };
    "RFC 8489 §9.2.4", "a wrong password is 401", ALL, |context| {
        let mut client = context.session()?;
        client.password.push('!');
        client.try_allocate(|_| {})?.expect(401).map(|_| ())
    };
    "RFC 8489 §9.2.4", "a changed request is 401", BOTH, |context| {
        let mut client = context.session()?;
        client.challenge()?;
        let mut request = client.proven(Method::ALLOCATE, |writer| {
            writer.add(&RequestedTransport::UDP).add_raw(0xFF01, b"a");
        });
        let position = request.windows(2).position(|pair| pair == [0xFF, 1]).ok_or("no attribute")?;
        request[position + 4] = b'b';
        client.exchange(&request)?.expect(401).map(|_| ())
    };
    "RFC 8489 §9.2.4", "a nonce of ours is 438, with a fresh one", BOTH, |context| {
        let mut client = context.session()?;
        client.challenge()?;
        client.nonce = "0123456789abcdef".into();
        let answer = once(&mut client)?.expect(438)?;
        client.nonce = answer.get::<Nonce<'_>>()?.0.to_owned();
        once(&mut client)?.expect(0)?;
        client.refresh(0)?.expect(0).map(|_| ())
    };
    "RFC 8489 §9.2.4", "another client's nonce is 438", BOTH, |context| {
        let (mut first, mut second) = (context.session()?, context.session()?);
        first.challenge()?;
        (second.realm, second.nonce) = (first.realm.clone(), first.nonce.clone());
        once(&mut second)?.expect(438).map(|_| ())
    };
    "RFC 8489 §9.2.4", "success is proven", ALL, |context| {
        let mut client = context.session()?;
        let answer = client.try_allocate(|_| {})?.expect(0)?;
        holds(answer.message()?.verify(&client.key()).is_ok(), "its integrity is wrong or missing")
    };
    "RFC 8489 §9.2.4", "an error after authentication is proven", BOTH, |context| {
        let mut client = context.session()?;
        let answer = client.refresh(600)?.expect(437)?;
        holds(answer.message()?.verify(&client.key()).is_ok(), "its integrity is wrong or missing")
    };
    "RFC 8489 §9.2", "the nonce's cookie says that algorithms are known", BOTH, |context| {
        let answer = context.session()?.challenge()?;
        let features = SecurityFeatures::of_nonce(answer.get::<Nonce<'_>>()?.0).ok_or("no cookie")?;
        holds(features.password_algorithms, "the bit is not set")?;
        same(answer.get::<PasswordAlgorithms<'_>>()?, PasswordAlgorithms::SHA256_MD5)
    };
    "RFC 8489 §9.2.4", "SHA-256 proves request and answer", ALL, |context| {
        let mut client = context.session()?;
        client.proof = Proof::Sha256;
        let answer = client.try_allocate(|_| {})?.expect(0)?;
        holds(answer.message()?.verify(&client.key()).is_ok(), "its integrity is wrong or missing")?;
        let kinds = [stun::attribute::MESSAGE_INTEGRITY_SHA256.to_be_bytes(), [0, 32]].concat();
        holds(answer.bytes.windows(4).any(|four| four == kinds), "no MESSAGE-INTEGRITY-SHA256")
    };
    "RFC 8489 §9.2.4", "algorithms that were not offered are 400", BOTH, |context| {
        let mut client = context.session()?;
        client.challenge()?;
        let (user, realm, nonce, key) =
            (client.user.clone(), client.realm.clone(), client.nonce.clone(), client.key());
        // Somebody on the path took SHA-256 away.
        let request = client.message(Class::Request, Method::ALLOCATE, |writer| {
            writer
                .add(&RequestedTransport::UDP)
                .add(&Username(&user))
                .add(&Realm(&realm))
                .add(&Nonce(&nonce))
                .add_raw(0x8002, &[0, 1, 0, 0])
                .add(&PasswordAlgorithm(1))
                .integrity_sha256(&key);
        });
        client.exchange(&request)?.expect(400).map(|_| ())
    };
    "TURN REST §2.2", "an ephemeral name is good before its expiry", BOTH, |context| {
        ephemeral(context, 100)?.map_or(Ok(()), |mut client| client.allocate(|_| {}).map(|_| ()))
    };
    "TURN REST §2.2", "and 401 after it", BOTH, |context| {
        ephemeral(context, -100)?
            .map_or(Ok(()), |mut client| client.try_allocate(|_| {})?.expect(401).map(|_| ()))
    };
    "RFC 8489 §15", "a challenge is at most half again as large as what drew it", UDP, |context| {
        for length in (0..100).step_by(4) {
            let mut client = context.session()?;
            let request = client.message(Class::Request, Method::ALLOCATE, |writer| {
                writer.add(&RequestedTransport::UDP).add_raw(0x8022, &vec![b'x'; length]);
            });
            let answer = client.exchange(&request)?.expect(401)?;
            let (question, answer) = (request.len() + 28, answer.bytes.len() + 28);
            holds(answer * 2 <= question * 3, &format!("{question} bytes drew {answer}"))?;
        }
        Ok(())
    };
}

/// One Allocate request with what the session knows, whatever comes back.
fn once(client: &mut Session) -> Result<Answer, String> {
    let request = client.proven(Method::ALLOCATE, |writer| {
        writer.add(&RequestedTransport::UDP);
    });
    client.exchange(&request)
}

fn incomplete(context: &Context<'_>, attributes: &str) -> Result<(), String> {
    let mut client = context.session()?;
    client.challenge()?;
    let (user, realm, nonce, key) =
        (client.user.clone(), client.realm.clone(), client.nonce.clone(), client.key());
    let request = client.message(Class::Request, Method::ALLOCATE, |writer| {
        writer.add(&RequestedTransport::UDP);
        for attribute in attributes.chars() {
            match attribute {
                'u' => writer.add(&Username(&user)),
                'r' => writer.add(&Realm(&realm)),
                _ => writer.add(&Nonce(&nonce)),
            };
        }
        writer.integrity_sha1(&key);
    });
    client.exchange(&request)?.expect(400).map(|_| ())
}

/// A client with a name that expires in so many seconds; `None` where the server knows no secret.
fn ephemeral(context: &Context<'_>, seconds: i64) -> Result<Option<Session>, String> {
    let Some(secret) = &context.target.secret else { return Ok(None) };
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let expiry = unix.as_secs().saturating_add_signed(seconds);
    let mut client = context.session()?;
    client.user = format!("{expiry}:eve");
    client.password = ephemeral_password(secret.as_bytes(), &client.user);
    Ok(Some(client))
}
