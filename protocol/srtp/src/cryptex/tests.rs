//! RFC 9335 appendix A: one-byte and two-byte extensions, the same with contributing sources, and empty ones.

use crate::hex::hex;
use crate::{MasterKey, Profile, ProtectError, Receiver, Sender};

const AES_CM: [(&str, &str); 6] = [
    (
        "900f1235 decafbad cafebabe bede0001 51000200 abababab abababab abababab abababab",
        "900f1235 decafbad cafebabe c0de0001 eb923652 51c3e036 f8de27e9 c27ee3e0 b4651d9f bc4218a7
         0244522f 34a5",
    ),
    (
        "900f1236 decafbad cafebabe 10000001 05020002 abababab abababab abababab abababab",
        "900f1236 decafbad cafebabe c2de0001 4ed9cc4e 6a712b30 96c5ca77 339d4204 ce0d7739 6cab6958
         5fbce381 94a5",
    ),
    (
        "920f1238 decafbad cafebabe 0001e240 0000b26e bede0001 51000200 abababab abababab abababab abababab",
        "920f1238 decafbad cafebabe 8bb6e12b 5cff16dd c0de0001 92838c8c 09e58393 e1de3a9a 74734d67
         45671338 c3acf11d a2df8423 bee0",
    ),
    (
        "920f1239 decafbad cafebabe 0001e240 0000b26e 10000001 05020002 abababab abababab abababab abababab",
        "920f1239 decafbad cafebabe f70e513e b90b9b25 c2de0001 bbed4848 faa64466 5f3d7f34 125914e9
         f4d0ae92 3c6f479b 95a0f7b5 3133",
    ),
    (
        "920f123a decafbad cafebabe 0001e240 0000b26e bede0000 abababab abababab abababab abababab",
        "920f123a decafbad cafebabe 7130b6ab fe2ab0e3 c0de0000 e3d9f64b 25c9e74c b4cf8e43 fb92e378
         1c2c0cea b6b3a499 a14c",
    ),
    (
        "920f123b decafbad cafebabe 0001e240 0000b26e 10000000 abababab abababab abababab abababab",
        "920f123b decafbad cafebabe cbf24c12 4330e1c8 c2de0000 599dd45b c9d687b6 03e8b59d 771fd38e
         88b170e0 cd31e125 eabe",
    ),
];

const AES_GCM: [(&str, &str); 6] = [
    (
        "900f1235 decafbad cafebabe bede0001 51000200 abababab abababab abababab abababab",
        "900f1235 decafbad cafebabe c0de0001 39972dc9 572c4d99 e8fc355d e743fb2e 94f9d8ff 54e72f41
         93bbc5c7 4ffab0fa 9fa0fbeb",
    ),
    (
        "900f1236 decafbad cafebabe 10000001 05020002 abababab abababab abababab abababab",
        "900f1236 decafbad cafebabe c2de0001 bb75a4c5 45cd1f41 3bdb7daa 2b1e3263 de313667 c9632490
         81b35a65 f5cb6c88 b394235f",
    ),
    (
        "920f1238 decafbad cafebabe 0001e240 0000b26e bede0001 51000200 abababab abababab abababab abababab",
        "920f1238 decafbad cafebabe 63bbccc4 a7f695c4 c0de0001 8ad7c71f ac70a80c 92866b4c 6ba98546
         ef913586 e95ffaaf fe956885 bb0647a8 bc094ac8",
    ),
    (
        "920f1239 decafbad cafebabe 0001e240 0000b26e 10000001 05020002 abababab abababab abababab abababab",
        "920f1239 decafbad cafebabe 3680524f 8d312b00 c2de0001 c78d1200 38422bc1 11a7187a 18246f98
         0c059cc6 bc9df8b6 26394eca 344e4b05 d80fea83",
    ),
    (
        "920f123a decafbad cafebabe 0001e240 0000b26e bede0000 abababab abababab abababab abababab",
        "920f123a decafbad cafebabe 15b6bb43 37906fff c0de0000 b7b96453 7a2b03ab 7ba5389c e9331712
         6b5d974d f30c6884 dcb651c5 e120c1da",
    ),
    (
        "920f123b decafbad cafebabe 0001e240 0000b26e 10000000 abababab abababab abababab abababab",
        "920f123b decafbad cafebabe dcb38c9e 48bf95f4 c2de0000 61ee432c f9203170 76613258 d3ce4236
         c06ac429 681ad084 13512dc9 8b5207d8",
    ),
];

fn cm() -> MasterKey {
    let (key, salt) = ("e1f97a0d3e018be0d64fa32c06de4139", "0ec675ad498afeebb6960b3aabe6");
    MasterKey::new(Profile::Aes128CmSha1_80, &hex(key), &hex(salt)).unwrap()
}

fn gcm() -> MasterKey {
    let (key, salt) = ("000102030405060708090a0b0c0d0e0f", "a0a1a2a3a4a5a6a7a8a9aaab");
    MasterKey::new(Profile::AeadAes128Gcm, &hex(key), &hex(salt)).unwrap()
}

fn cryptex_sender(key: &MasterKey) -> Sender {
    let mut sender = Sender::new(key).unwrap();
    sender.set_cryptex(true);
    sender
}

#[test]
fn packets_are_sealed_and_opened_as_in_rfc_9335() {
    for (key, vectors) in [(cm(), AES_CM), (gcm(), AES_GCM)] {
        let (mut sender, mut receiver) = (cryptex_sender(&key), Receiver::new(&key).unwrap());
        for (plain, sealed) in vectors {
            let (plain, sealed) = (hex(plain), hex(sealed));
            // Behind something else.
            let mut buffer = vec![0xFF; 3];
            buffer.extend_from_slice(&plain);
            sender.protect_rtp(&mut buffer, 3).unwrap();
            assert_eq!(buffer[3..], sealed);
            assert_eq!(receiver.unprotect_rtp(&mut buffer[3..]), Ok(plain.len()));
            assert_eq!(buffer[3..3 + plain.len()], plain);
        }
    }
}

/// RFC 9335 §5.1: an empty extension says that they are encrypted, and stays there (§5.2).
#[test]
fn contributing_sources_alone_get_an_empty_extension() {
    for key in [cm(), gcm()] {
        let (mut sender, mut receiver) = (cryptex_sender(&key), Receiver::new(&key).unwrap());
        let mut packet = hex("820f1238 decafbad cafebabe 0001e240 0000b26e abab");
        sender.protect_rtp(&mut packet, 0).unwrap();
        assert_eq!(packet.len(), 22 + 4 + key.profile().rtp_overhead());
        assert_eq!((packet[0], &packet[20..24]), (0x92, &[0xC0, 0xDE, 0, 0][..]));
        assert_ne!(packet[12..20], hex("0001e240 0000b26e"));
        let len = receiver.unprotect_rtp(&mut packet).unwrap();
        assert_eq!(packet[..len], hex("920f1238 decafbad cafebabe 0001e240 0000b26e bede0000 abab"));
    }
}

#[test]
fn what_has_nothing_to_hide_is_sealed_as_ever() {
    // Nothing; application bits; an extension that is not RFC 8285's.
    for plain in [
        "800f1238 decafbad cafebabe abab",
        "900f1238 decafbad cafebabe 10010001 05020002 abab",
        "900f1238 decafbad cafebabe 12340001 05020002 abab",
    ] {
        for key in [cm(), gcm()] {
            let (mut with, mut without) = (hex(plain), hex(plain));
            cryptex_sender(&key).protect_rtp(&mut with, 0).unwrap();
            Sender::new(&key).unwrap().protect_rtp(&mut without, 0).unwrap();
            assert_eq!(with, without);
        }
    }
}

/// A packet that says of itself that it is encrypted would be opened as one.
#[test]
fn nothing_is_sealed_that_looks_encrypted() {
    for plain in
        ["900f1238 decafbad cafebabe c0de0000 abab", "900f1238 decafbad cafebabe c2de0001 05020002 abab"]
    {
        for mut sender in [Sender::new(&cm()).unwrap(), cryptex_sender(&gcm())] {
            assert_eq!(sender.protect_rtp(&mut hex(plain), 0), Err(ProtectError::Malformed));
        }
    }
}
