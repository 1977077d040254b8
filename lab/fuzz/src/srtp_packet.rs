//! Bytes for a receiver that holds the key (RFC 3711 §3.3, §3.4, RFC 7714, RFC 9335): as they are, nothing opens; sealed
//! first, they open to what they were.

use srtp::{Keys, Profile, ProtectError, Receiver, Sender};

pub(super) fn ends(profile: Profile) -> (Sender, Receiver) {
    let keys = Keys::split(profile, &vec![7; profile.keying_material_len()]).expect("as long as it says");
    let (sender, _) = keys.contexts(true).expect("keys of their length");
    let (_, receiver) = keys.contexts(false).expect("keys of their length");
    (sender, receiver)
}

/// The first byte says how packets are protected; then every packet has its length in front.
pub(super) fn run(bytes: &[u8]) {
    let Some((shape, mut bytes)) = bytes.split_first() else { return };
    let (mut sender, mut receiver) = ends(Profile::ALL[usize::from(*shape) % 3]);
    sender.set_cryptex(shape & 0x80 != 0);
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (packet, rest) = rest.split_at(length);
        bytes = rest;
        assert!(receiver.unprotect_rtp(&mut packet.to_vec()).is_err(), "nobody sealed it");
        assert!(receiver.unprotect_rtcp(&mut packet.to_vec()).is_err(), "nobody sealed it");
        rtp(&mut sender, &mut receiver, packet);
        rtcp(&mut sender, &mut receiver, packet);
    }
}

fn rtp(sender: &mut Sender, receiver: &mut Receiver, plain: &[u8]) {
    // Behind something else.
    let mut buffer = vec![1; 3];
    buffer.extend_from_slice(plain);
    match sender.protect_rtp(&mut buffer, 3) {
        Ok(()) => {}
        Err(ProtectError::Malformed | ProtectError::Reused) => return assert_eq!(&buffer[3..], plain),
        Err(error) => panic!("{error:?}"),
    }
    assert_eq!(&buffer[..3], [1; 3]);
    // Jumps of a source may be too far to be followed.
    let Ok(len) = receiver.unprotect_rtp(&mut buffer[3..]) else { return };
    let opened = &buffer[3..3 + len];
    // An empty extension that cryptex put in stays.
    let at = 12 + 4 * usize::from(plain[0] & 0x0F);
    if len == plain.len() {
        // What said "encrypted" in the clear says now what it stands for.
        let (front, back) = (&opened[..at], &opened[at..]);
        assert_eq!(front, &plain[..at]);
        let skipped = if plain[0] & 0x10 == 0 { 0 } else { 2 };
        assert_eq!(back[skipped..], plain[at + skipped..]);
    } else {
        assert_eq!(len, plain.len() + 4);
        assert_eq!((&opened[1..at], &opened[at + 4..]), (&plain[1..at], &plain[at..]));
        assert_eq!(opened[at..at + 4], [0xBE, 0xDE, 0, 0]);
    }
}

fn rtcp(sender: &mut Sender, receiver: &mut Receiver, plain: &[u8]) {
    let mut buffer = plain.to_vec();
    match sender.protect_rtcp(&mut buffer, 0) {
        Ok(()) => {}
        Err(ProtectError::Malformed) => return assert_eq!(buffer, plain),
        Err(error) => panic!("{error:?}"),
    }
    let len = receiver.unprotect_rtcp(&mut buffer).expect("sealed just now");
    assert_eq!(&buffer[..len], plain);
}
