use super::*;
use crate::Profile;
use crate::hex::hex;

/// RFC 3711 B.3, with the part of the authentication key that HMAC-SHA1 takes.
#[test]
fn aes_128_as_in_rfc_3711() {
    let master = MasterKey::new(
        Profile::Aes128CmSha1_80,
        &hex("E1F97A0D3E018BE0D64FA32C06DE4139"),
        &hex("0EC675AD498AFEEBB6960B3AABE6"),
    );
    let keys = SessionKeys::derive(&master.unwrap(), Kind::Rtp).unwrap();
    assert_eq!(keys.key[..keys.key_len], hex("C61E7A93744F39EE10734AFE3FF7A087"));
    assert_eq!(keys.salt[..], hex("30CBBC08863D8C85D49DB34A9AE1"));
    assert_eq!(keys.auth[..], hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"));
}

/// RFC 6188 §7.2, whose salt has two bytes more than that of AES-256-GCM.
#[test]
fn aes_256_as_in_rfc_6188() {
    let key = hex("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6");
    let salt = hex("3b04803de51ee7c96423ab5b78d2");
    let mut master = MasterKey::new(Profile::AeadAes256Gcm, &key, &salt[..12]).unwrap();
    master.lengthen_salt(&salt);
    let derived = |label, len: usize| {
        let mut out = vec![0; len];
        derive(&master, label, &mut out).unwrap();
        out
    };
    assert_eq!(derived(0, 32), hex("5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4"));
    assert_eq!(derived(2, 14), hex("fa31791685ca444a9e07c6c64e93"));
    assert_eq!(derived(1, 20), hex("fd9c32d39ed5fbb5a9dc96b30818454d1313dc05"));
}

/// RFC 9335 A.2.
#[test]
fn aes_128_gcm_as_in_rfc_9335() {
    let master = MasterKey::new(
        Profile::AeadAes128Gcm,
        &hex("000102030405060708090a0b0c0d0e0f"),
        &hex("a0a1a2a3a4a5a6a7a8a9aaab"),
    );
    let keys = SessionKeys::derive(&master.unwrap(), Kind::Rtp).unwrap();
    assert_eq!(keys.key[..keys.key_len], hex("077c6143cb221bc355ff23d5f984a16e"));
    assert_eq!(keys.salt[..], hex("9af3e95364ebac9c99c5a7c40000"));
}
