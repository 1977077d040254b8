use super::*;

const SUITES: [(Aead, Hash); 3] = [
    (Aead::Aes128Gcm, Hash::Sha256),
    (Aead::Aes256Gcm, Hash::Sha384),
    (Aead::ChaCha20Poly1305, Hash::Sha256),
];

fn pair(aead: Aead, hash: Hash) -> (Sealer, Opener) {
    let secret = Secret::filled(hash.len(), |out| {
        out.fill(9);
        Ok::<_, CryptoError>(())
    })
    .unwrap();
    (Sealer::new(aead, hash, &secret, 3).unwrap(), Opener::new(aead, hash, &secret, 3).unwrap())
}

fn sealed(sealer: &mut Sealer, plaintext: &[u8]) -> Vec<u8> {
    let mut buffer = b"before".to_vec();
    let start = buffer.len();
    buffer.extend([0; HEADER_LEN]);
    buffer.extend(plaintext);
    sealer.seal(ContentType::ApplicationData, &mut buffer, start).unwrap();
    assert!(buffer.starts_with(b"before"));
    buffer.split_off(start)
}

fn open(opener: &mut Opener, record: &mut [u8]) -> Result<Vec<u8>, NotOpened> {
    let header = Header::parse(record).unwrap();
    let opened = opener.open(&header, record)?;
    assert_eq!(opened.content_type, ContentType::ApplicationData.code());
    Ok(record[header.header_len..][..opened.length].to_vec())
}

#[test]
fn what_is_sealed_is_opened() {
    for (aead, hash) in SUITES {
        let (mut sealer, mut opener) = pair(aead, hash);
        for length in [0, 1, 17, 1200, 16_384] {
            let plaintext = vec![5; length];
            let mut record = sealed(&mut sealer, &plaintext);
            assert_eq!(record.len(), HEADER_LEN + length + TRAILER_LEN);
            assert_eq!(open(&mut opener, &mut record).unwrap(), plaintext, "{aead:?} {length}");
        }
    }
}

#[test]
fn sequence_numbers_are_hidden() {
    let (mut sealer, _) = pair(Aead::Aes128Gcm, Hash::Sha256);
    let numbers: Vec<_> = (0..8).map(|_| sealed(&mut sealer, b"same")[1..3].to_vec()).collect();
    assert!(numbers.windows(2).any(|pair| pair[1][0] != pair[0][0]));
}

/// Against the definitions by hand: the keys by labels, the nonce, the additional data, the AES block (RFC 9147
/// §4.2.3).
#[test]
fn a_record_is_what_the_standard_says() {
    let (mut sealer, _) = pair(Aead::Aes128Gcm, Hash::Sha256);
    sealed(&mut sealer, b"");
    let record = sealed(&mut sealer, b"hello");
    let (mut key, mut number_key, mut iv) = ([0; 16], [0; 16], [0; 12]);
    expand_label(Hash::Sha256, &[9; 32], b"key", &[], &mut key).unwrap();
    expand_label(Hash::Sha256, &[9; 32], b"sn", &[], &mut number_key).unwrap();
    expand_label(Hash::Sha256, &[9; 32], b"iv", &[], &mut iv).unwrap();
    iv[11] ^= 1;
    let header = [0b0010_1111, 0, 1, 0, 22];
    let mut body = b"hello\x17".to_vec();
    let aead =
        LessSafeKey::new(aws_lc_rs::aead::UnboundKey::new(&aws_lc_rs::aead::AES_128_GCM, &key).unwrap());
    let nonce = aws_lc_rs::aead::Nonce::assume_unique_for_key(iv);
    aead.seal_in_place_append_tag(nonce, Aad::from(header), &mut body).unwrap();
    let block = aws_lc_rs::cipher::EncryptingKey::ecb(
        aws_lc_rs::cipher::UnboundCipherKey::new(&aws_lc_rs::cipher::AES_128, &number_key).unwrap(),
    )
    .unwrap();
    let mut mask = body[..16].to_vec();
    block.encrypt(&mut mask).unwrap();
    let expected = [&[header[0], mask[0], 1 ^ mask[1], 0, 22], &body[..]].concat();
    assert_eq!(record, expected);
}

#[test]
fn every_changed_bit_is_noticed() {
    for (aead, hash) in SUITES {
        let (mut sealer, mut opener) = pair(aead, hash);
        let record = sealed(&mut sealer, b"hello");
        for bit in 0..8 * record.len() {
            let mut changed = record.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let Ok(header) = Header::parse(&changed) else { continue };
            assert_eq!(opener.open(&header, &mut changed), Err(NotOpened::Forged), "{aead:?} bit {bit}");
        }
        assert!(open(&mut opener, &mut record.clone()).is_ok());
        assert_eq!(open(&mut opener, &mut record.clone()), Err(NotOpened::Replayed));
    }
}

#[test]
fn padding_is_taken_off_and_only_padding_is_refused() {
    let (mut sealer, mut opener) = pair(Aead::Aes128Gcm, Hash::Sha256);
    let mut record = sealed(&mut sealer, b"");
    assert_eq!(open(&mut opener, &mut record).unwrap(), b"");
    // A peer pads behind the type; here the type is ours and what looks like the type is the peer's zero.
    let sealer_keys = &sealer.keys;
    let header = header13::bytes(3, 7, 16 + 8);
    let mut body = b"hi\x17\0\0\0\0\0".to_vec();
    let nonce = nonce(&sealer_keys.iv, 7);
    sealer_keys.aead.seal_in_place_append_tag(nonce, Aad::from(header), &mut body).unwrap();
    let mask = sealer_keys.mask.new_mask(&body[..16]).unwrap();
    let mut record = [&[header[0], header[1] ^ mask[0], header[2] ^ mask[1], 0, 24], &body[..]].concat();
    assert_eq!(open(&mut opener, &mut record).unwrap(), b"hi");
}

#[test]
fn records_may_come_late_and_out_of_order() {
    let (mut sealer, mut opener) = pair(Aead::Aes128Gcm, Hash::Sha256);
    let mut records: Vec<_> = (0..200_u8).map(|number| (number, sealed(&mut sealer, &[number]))).collect();
    records.reverse();
    for (number, record) in &mut records {
        assert_eq!(open(&mut opener, record).unwrap(), [*number]);
    }
}

#[test]
fn a_key_has_an_end() {
    let (mut sealer, _) = pair(Aead::Aes128Gcm, Hash::Sha256);
    sealer.next = sealer.limit - 1;
    sealed(&mut sealer, b"last");
    let mut buffer = vec![0; HEADER_LEN];
    assert_eq!(sealer.seal(ContentType::ApplicationData, &mut buffer, 0), Err(Exhausted));
}
