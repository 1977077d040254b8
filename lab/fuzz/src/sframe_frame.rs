//! Bytes for an end that holds the key (RFC 9605 §4.3, §4.4): as they are, nothing opens; encrypted first, they open to
//! what they were, once; and the same by each codec's rules.

use sframe::{CipherSuite, Fault, FrameFormat, Header, Receiver, Sender};

const FORMATS: [FrameFormat; 5] =
    [FrameFormat::Opus, FrameFormat::Vp8, FrameFormat::H264, FrameFormat::Vp9, FrameFormat::Samples];

/// The first byte is the suite, the next eight the key's number; then every frame has its length in front.
pub(super) fn run(bytes: &[u8]) {
    let Some((shape, rest)) = bytes.split_first() else { return };
    let Some((kid, mut bytes)) = rest.split_first_chunk::<8>() else { return };
    let (suite, kid) = (CipherSuite::ALL[usize::from(*shape) % 5], u64::from_be_bytes(*kid));
    let mut sender = Sender::new(suite, kid, &[7; 16]).expect("a key");
    let mut receiver = Receiver::new(suite);
    receiver.set_shared_key(Some(&[7; 16]));
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (frame, rest) = rest.split_at(length);
        bytes = rest;
        if let Ok((_, len)) = Header::parse(frame) {
            assert!(len <= frame.len());
        }
        assert!(receiver.decrypt(&mut frame.to_vec(), &[]).is_err(), "nobody encrypted it");
        let clear = frame.len() / 3;
        let mut encrypted = frame.to_vec();
        let metadata = &frame[..clear.min(sframe::MAX_METADATA_LEN)];
        sender.encrypt(&mut encrypted, clear, metadata).expect("a frame");
        assert_eq!(encrypted[..clear], frame[..clear]);
        let copy = encrypted.clone();
        let opened = receiver.decrypt(&mut encrypted[clear..], metadata).expect("encrypted just now");
        assert_eq!((opened.header.kid, opened.header.counter + 1), (kid, sender.counter()));
        assert_eq!(encrypted[clear..][opened.plaintext], frame[clear..]);
        let again = receiver.decrypt(&mut copy[clear..].to_vec(), metadata);
        assert_eq!(again, Err(Fault::Replayed));
        for format in FORMATS {
            assert!(format.open(&mut receiver, &mut frame.to_vec()).is_err(), "nobody sealed it");
            let mut sealed = frame.to_vec();
            if format.seal(&mut sender, &mut sealed).is_ok() {
                format.open(&mut receiver, &mut sealed).expect("sealed just now");
                assert_eq!(sealed, frame);
            }
        }
    }
}
