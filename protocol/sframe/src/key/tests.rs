use super::*;

/// The same numbers stand in `web/tests/sframe.test.js`.
#[test]
fn a_passphrase_makes_the_same_key_everywhere() {
    let key = key_from_passphrase("correct horse battery staple", "kitchen");
    assert_eq!(hex(&key[..]), "cb7e47157dc4e5c069a4de1b731bfb30a262ab0ba2e80f2d068d28dac048df24");
}

#[test]
fn a_ratcheted_key_has_the_length_of_the_hash() {
    let first = ratchet(CipherSuite::Aes128GcmSha256_128, &[7; 16]).unwrap();
    let second = ratchet(CipherSuite::Aes128GcmSha256_128, &first).unwrap();
    assert_eq!(hex(&first), "1f3b880c19197332f097ffb0073b24248de5c3c459621b9edf5145c4a148e036");
    assert_eq!(second.len(), 32);
    assert_ne!(first, second);
    assert_eq!(ratchet(CipherSuite::Aes256GcmSha512_128, &[7; 16]).unwrap().len(), 64);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
