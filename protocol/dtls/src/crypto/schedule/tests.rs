use super::*;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// The steps of RFC 8448 §3 (Simple 1-RTT Handshake): the schedule is TLS's but for the six letters before each
/// label.
#[test]
fn the_schedule_gives_the_known_answers() {
    let hash = Hash::Sha256;
    let expand = |secret: &[u8], label: &[u8], context: &[u8], length: usize| {
        let mut out = vec![0; length];
        expand_label_with(hash, secret, b"tls13 ", label, context, &mut out).unwrap();
        out
    };
    let nothing = empty(hash);
    let early = extract(hash, &[], &[0; 32]).unwrap();
    assert_eq!(early.as_ref(), hex("33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a"));
    let derived = expand(early.as_ref(), b"derived", nothing, 32);
    assert_eq!(derived, hex("6f2615a108c702c5678f54fc9dbab69716c076189c48250cebeac3576c3611ba"));
    let shared = hex("8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d");
    let handshake = extract(hash, &derived, &shared).unwrap();
    assert_eq!(handshake.as_ref(), hex("1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac"));
    let derived = expand(handshake.as_ref(), b"derived", nothing, 32);
    assert_eq!(derived, hex("43de77e0c77713859a944db9db2590b53190a65b3ee2e4f12dd7a0bb7ce254b4"));
    let master = extract(hash, &derived, &[0; 32]).unwrap();
    assert_eq!(master.as_ref(), hex("18df06843d13a08bf2a449844c5f8a478001bc4d4c627984d5a41da8d0402919"));
    let server = hex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38");
    assert_eq!(expand(&server, b"key", &[], 16), hex("3fce516009c21727d0f2e4e86ee403bc"));
    assert_eq!(expand(&server, b"iv", &[], 12), hex("5d313eb2671276ee13000b30"));
}

#[test]
fn labels_are_those_of_dtls() {
    let secret = Secret::filled(32, |_| Ok::<_, CryptoError>(())).unwrap();
    let mut by_hand = [0; 32];
    // length 32, "dtls13key", no context (RFC 9147 §5.9).
    let info: [&[u8]; 3] = [&[0, 32, 9], b"dtls13key", &[0]];
    let key = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, secret.as_ref());
    key.expand(&info, Length(32)).unwrap().fill(&mut by_hand).unwrap();
    assert_eq!(derive(Hash::Sha256, &secret, b"key", &[]).unwrap().as_ref(), by_hand);
}

/// RFC 8446 §7.1, from the start.
#[test]
fn what_is_always_the_same_is_as_it_would_be_derived() {
    for hash in [Hash::Sha256, Hash::Sha384] {
        let nothing = aws_lc_rs::digest::digest(hash.digest(), &[]);
        assert_eq!(empty(hash), nothing.as_ref());
        let early = extract(hash, &[], &[0; 48][..hash.len()]).unwrap();
        let derived = derive(hash, &early, b"derived", nothing.as_ref()).unwrap();
        assert_eq!(derived_of_early(hash), derived.as_ref());
    }
}

#[test]
fn finished_is_checked() {
    for hash in [Hash::Sha256, Hash::Sha384] {
        let secret = Secret::filled(hash.len(), |_| Ok::<_, CryptoError>(())).unwrap();
        let data = finished(hash, &secret, b"transcript").unwrap();
        assert_eq!(is_finished(hash, &secret, b"transcript", data.as_ref()), Ok(true));
        assert_eq!(is_finished(hash, &secret, b"another", data.as_ref()), Ok(false));
        assert_eq!(is_finished(hash, &secret, b"transcript", &data.as_ref()[1..]), Ok(false));
    }
}
