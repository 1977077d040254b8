//! A sender, a receiver, and what comes between them.

use proptest::prelude::*;
use twocan_sframe::{CipherSuite, EncryptError, Fault, InsertError, KeyError, MAX_KEYS, Receiver, Sender};

const BASE_KEY: [u8; 16] = [7; 16];

fn ends(suite: CipherSuite, kid: u64) -> (Sender, Receiver) {
    let mut receiver = Receiver::new(suite);
    receiver.insert_key(kid, &BASE_KEY).unwrap();
    (Sender::new(suite, kid, &BASE_KEY).unwrap(), receiver)
}

fn sealed(sender: &mut Sender, plain: &[u8]) -> Vec<u8> {
    let mut frame = plain.to_vec();
    sender.encrypt(&mut frame, 0, b"metadata").unwrap();
    frame
}

fn opened(receiver: &mut Receiver, frame: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut frame = frame.to_vec();
    let opened = receiver.decrypt(&mut frame, b"metadata")?;
    Ok(frame[opened.plaintext].to_vec())
}

#[test]
fn keys_come_and_go() {
    let (mut sender, mut receiver) = ends(CipherSuite::Aes128GcmSha256_128, 300);
    let frames: Vec<_> = (0..3).map(|_| sealed(&mut sender, b"frame")).collect();
    assert_eq!(sender.counter(), 3);
    assert_eq!(opened(&mut receiver, &frames[0]), Ok(b"frame".to_vec()));
    assert_eq!(opened(&mut receiver, &frames[0]), Err(Fault::Replayed));
    receiver.allow_replay(true);
    assert_eq!(opened(&mut receiver, &frames[0]), Ok(b"frame".to_vec()));
    receiver.remove_key(300);
    assert_eq!(opened(&mut receiver, &frames[1]), Err(Fault::UnknownKey));
    receiver.insert_key(300, &[8; 16]).unwrap();
    assert_eq!(opened(&mut receiver, &frames[1]), Err(Fault::Forged));
    receiver.insert_key(300, &BASE_KEY).unwrap();
    assert_eq!(opened(&mut receiver, &frames[2]), Ok(b"frame".to_vec()));
    assert_eq!(receiver.insert_key(1, &[]), Err(InsertError::Key(KeyError)));
    assert!(Sender::new(CipherSuite::Aes128GcmSha256_128, 1, &[]).is_err());
}

#[test]
fn keys_are_bounded() {
    let suite = CipherSuite::Aes128GcmSha256_128;
    let mut receiver = Receiver::new(suite);
    receiver.set_shared_key(Some(&BASE_KEY));
    for kid in 0..MAX_KEYS as u64 {
        let mut sender = Sender::new(suite, kid, &BASE_KEY).unwrap();
        // What is not authentic is not kept.
        let mut forged = sealed(&mut sender, b"frame");
        *forged.last_mut().unwrap() ^= 1;
        assert_eq!(opened(&mut receiver, &forged), Err(Fault::Forged));
        assert!(opened(&mut receiver, &sealed(&mut sender, b"frame")).is_ok());
    }
    let mut beyond = Sender::new(suite, u64::MAX, &BASE_KEY).unwrap();
    assert_eq!(opened(&mut receiver, &sealed(&mut beyond, b"frame")), Err(Fault::TooManyKeys));
    assert_eq!(receiver.insert_key(u64::MAX, &BASE_KEY), Err(InsertError::Full));
    receiver.insert_key(0, &BASE_KEY).unwrap();
    receiver.remove_key(1);
    assert!(opened(&mut receiver, &sealed(&mut beyond, b"frame")).is_ok());
    receiver.remove_key(2);
    receiver.set_shared_key(None);
    let mut second = Sender::new(suite, 2, &BASE_KEY).unwrap();
    assert_eq!(opened(&mut receiver, &sealed(&mut second, b"frame")), Err(Fault::UnknownKey));
}

#[test]
fn what_cannot_be_encrypted_is_left_as_it_was() {
    let (mut sender, _) = ends(CipherSuite::Aes128GcmSha256_128, 1);
    let mut frame = b"frame".to_vec();
    assert_eq!(sender.encrypt(&mut frame, 6, b""), Err(EncryptError::NoFrame));
    assert_eq!(sender.encrypt(&mut frame, 0, &[0; 1025]), Err(EncryptError::MetadataTooLong));
    assert_eq!((&frame[..], sender.counter()), (&b"frame"[..], 0));
}

proptest! {
    /// Whatever is sealed opens once; changed, cut, or with other metadata, it does not.
    #[test]
    fn frames_open_once_and_only_unchanged(
        suite in prop::sample::select(&CipherSuite::ALL[..]),
        kid in prop_oneof![0..16_u64, any::<u64>()],
        plain in prop::collection::vec(any::<u8>(), 0..300),
        bit in any::<usize>(),
        cut in any::<usize>(),
    ) {
        let (mut sender, mut receiver) = ends(suite, kid);
        sealed(&mut sender, b"one before");
        let frame = sealed(&mut sender, &plain);
        let mut changed = frame.clone();
        changed[bit / 8 % frame.len()] ^= 1 << (bit % 8);
        prop_assert!(opened(&mut receiver, &changed).is_err());
        prop_assert!(opened(&mut receiver, &frame[..cut % frame.len()]).is_err());
        prop_assert_eq!(receiver.decrypt(&mut frame.clone(), b"other"), Err(Fault::Forged));
        prop_assert_eq!(opened(&mut receiver, &frame), Ok(plain));
        prop_assert_eq!(opened(&mut receiver, &frame), Err(Fault::Replayed));
    }

    #[test]
    fn no_bytes_do_harm(
        suite in prop::sample::select(&CipherSuite::ALL[..]),
        mut bytes in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let mut receiver = Receiver::new(suite);
        receiver.set_shared_key(Some(&BASE_KEY));
        prop_assert!(receiver.decrypt(&mut bytes, b"").is_err());
    }
}
