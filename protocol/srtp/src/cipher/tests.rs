//! With session keys, as the standards' vectors give them.

use super::*;
use crate::hex::hex;

fn cipher(profile: Profile, key: &str, salt: &str) -> Cipher {
    let (key, salt) = (hex(key), hex(salt));
    let mut keys =
        SessionKeys { key: Default::default(), key_len: key.len(), auth: Default::default(), salt: [0; 14] };
    keys.key[..key.len()].copy_from_slice(&key);
    keys.salt[..salt.len()].copy_from_slice(&salt);
    Cipher::new(profile, &keys).unwrap()
}

/// RFC 3711 B.2: a packet of zeros shows the key stream.
#[test]
fn the_key_stream_of_aes_cm() {
    let cm =
        cipher(Profile::Aes128CmSha1_80, "2B7E151628AED2A6ABF7158809CF4F3C", "F0F1F2F3F4F5F6F7F8F9FAFBFCFD");
    let mut packet = vec![0; 1_044_512 + 10];
    cm.seal_rtp(Place { ssrc: 0, index: 0 }, &mut packet, Portion::behind(0)).unwrap();
    let blocks = packet.as_chunks::<16>().0;
    assert_eq!(blocks[0][..], hex("E03EAD0935C95E80E166B16DD92B4EB4"));
    assert_eq!(blocks[1][..], hex("D23513162B02D0F72A43A2FE4A5F97AB"));
    assert_eq!(blocks[0xFEFF][..], hex("EC8CDF7398607CB0F2D21675EA9EA1E4"));
    assert_eq!(blocks[0xFF00][..], hex("362B7C3C6773516318A077D7FC5073AE"));
}

const SALT: &str = "517569642070726f2071756f";
const KEY_128: &str = "000102030405060708090a0b0c0d0e0f";
const KEY_256: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn gcm(key: &str) -> Cipher {
    let profile = if key.len() == 32 { Profile::AeadAes128Gcm } else { Profile::AeadAes256Gcm };
    cipher(profile, key, SALT)
}

/// RFC 7714 §16.1.1, §16.1.2, §16.2.1, §16.2.2.
#[test]
fn rtp_in_aes_gcm() {
    let plain =
        hex("8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070
        61727465 73207472 6573");
    let sealed_128 =
        "8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a
        51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce";
    let sealed_256 =
        "8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02
        76ffae0f 1ba63799 b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13";
    let (place, portion) = (Place { ssrc: 0x5501_a0b2, index: 0xf17b }, Portion::behind(12));
    for (key, sealed) in [(KEY_128, sealed_128), (KEY_256, sealed_256)] {
        let mut packet = plain.clone();
        packet.extend([0; 16]);
        gcm(key).seal_rtp(place, &mut packet, portion).unwrap();
        assert_eq!(packet, hex(sealed));
        gcm(key).open_rtp(place, &mut packet, portion).unwrap();
        assert_eq!(packet[..plain.len()], plain);
    }
}

/// RFC 7714 §16.1.3, §16.1.4: all of it is only authenticated.
#[test]
fn rtp_in_aes_gcm_only_tagged() {
    let mut packet =
        hex("8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070
        61727465 73207472 65732249 3f82d2bc e397e9d7 9e3b19aa 4216");
    let (place, portion) = (Place { ssrc: 0x5501_a0b2, index: 0xf17b }, Portion::behind(50));
    assert!(gcm(KEY_128).open_rtp(place, &mut packet, portion).is_ok());
}

const RTCP: &str = "81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef
    deadbeef deadbeef deadbeef";
const RTCP_PLACE: Place = Place { ssrc: 0x4d61_7273, index: 0x5d4 };

/// RFC 7714 §17.1, §17.2.
#[test]
fn rtcp_in_aes_gcm() {
    let sealed_128 =
        "81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda
        4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4";
    let sealed_256 =
        "81c8000d 4d617273 d50ae4d1 f5ce5d30 4ba297e4 7d470c28 2c3ece5d bffe0a50 a2eaa5c1 110555be
        8415f658 c61de047 6f1b6fad 1d1eb30c 4446839f 57ff6f6c b26ac3be 800005d4";
    let plain = hex(RTCP);
    for (key, sealed) in [(KEY_128, sealed_128), (KEY_256, sealed_256)] {
        let mut packet = plain.clone();
        packet.extend([0; 20]);
        gcm(key).seal_rtcp(RTCP_PLACE, &mut packet).unwrap();
        assert_eq!(packet, hex(sealed));
        let word = gcm(key).rtcp_word(&packet).unwrap();
        assert_eq!(word, 0x8000_05d4);
        gcm(key).open_rtcp(RTCP_PLACE, word, &mut packet).unwrap();
        assert_eq!(packet[..plain.len()], plain);
    }
}

/// RFC 7714 §17.3.
#[test]
fn rtcp_in_aes_gcm_only_tagged() {
    let mut packet = hex(RTCP);
    let plain = packet.clone();
    packet.extend(hex("841dd968 3dd78ec9 2ae58790 125f62b3 000005d4"));
    let word = gcm(KEY_128).rtcp_word(&packet).unwrap();
    gcm(KEY_128).open_rtcp(RTCP_PLACE, word, &mut packet).unwrap();
    assert_eq!(packet[..plain.len()], plain);
    packet[60] ^= 1;
    assert!(gcm(KEY_128).open_rtcp(RTCP_PLACE, word, &mut packet).is_err());
}
