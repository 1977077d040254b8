//! A sender and a receiver, and what comes between them.

use proptest::prelude::*;
use rtp::Ssrc;
use twocan_srtp::{Fault, Keys, Profile, ProtectError, Receiver, Sender};

const SSRC: u32 = 0xCAFE_BABE;

fn ends(profile: Profile) -> (Sender, Receiver) {
    let material: Vec<u8> = (0..profile.keying_material_len()).map(|at| at as u8).collect();
    let keys = Keys::split(profile, &material).unwrap();
    (Sender::new(&keys.client).unwrap(), Receiver::new(&keys.client).unwrap())
}

/// With one contributing source and an extension.
fn plain(ssrc: u32, sequence: u16) -> Vec<u8> {
    let mut packet = vec![0x91, 96];
    packet.extend(sequence.to_be_bytes());
    packet.extend([0, 0, 0, 1]);
    packet.extend(ssrc.to_be_bytes());
    packet.extend([0, 0, 0, 5, 0xBE, 0xDE, 0, 1, 0x10, 7, 0, 0]);
    packet.extend([sequence as u8; 30]);
    packet
}

fn sealed(sender: &mut Sender, ssrc: u32, sequence: u16) -> Vec<u8> {
    let mut packet = plain(ssrc, sequence);
    sender.protect_rtp(&mut packet, 0).unwrap();
    packet
}

fn opens(receiver: &mut Receiver, packet: &[u8]) -> Result<(), Fault> {
    let mut packet = packet.to_vec();
    let len = receiver.unprotect_rtp(&mut packet)?;
    let sequence = u16::from_be_bytes([packet[2], packet[3]]);
    let ssrc = u32::from_be_bytes([packet[8], packet[9], packet[10], packet[11]]);
    assert_eq!(packet[..len], plain(ssrc, sequence));
    Ok(())
}

#[test]
fn numbers_wrap_around() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = ends(profile);
        for step in 0..5_u32 {
            let sequence = (0xFFF0 + step * 0x4000) as u16;
            assert_eq!(opens(&mut receiver, &sealed(&mut sender, SSRC, sequence)), Ok(()));
        }
        assert_eq!(sender.rollover(Ssrc(SSRC)), Some(1));
        assert_eq!(receiver.rollover(Ssrc(SSRC)), Some(1));
        assert_eq!(receiver.rollover(Ssrc(7)), None);
    }
}

#[test]
fn a_source_may_have_wrapped_around_with_its_first_packets() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = ends(profile);
        sealed(&mut sender, SSRC, 0xFFFF);
        assert_eq!(opens(&mut receiver, &sealed(&mut sender, SSRC, 3)), Ok(()));
        assert_eq!(receiver.rollover(Ssrc(SSRC)), Some(1));
        assert_eq!(opens(&mut receiver, &sealed(&mut sender, SSRC, 4)), Ok(()));
    }
}

#[test]
fn who_joins_late_has_to_be_told() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = ends(profile);
        for step in 0..20_u32 {
            sealed(&mut sender, SSRC, (step * 0x4000) as u16);
        }
        let packet = sealed(&mut sender, SSRC, 1);
        assert_eq!(opens(&mut receiver, &packet), Err(Fault::Forged));
        let rollover = sender.rollover(Ssrc(SSRC)).unwrap();
        assert_eq!(rollover, 5);
        assert!(receiver.expect_rollover(Ssrc(SSRC), rollover));
        assert_eq!(opens(&mut receiver, &packet), Ok(()));
        assert_eq!(opens(&mut receiver, &packet), Err(Fault::Replayed));
    }
}

/// While nothing came for long, the number may have wrapped around; packets that do not open tell so.
#[test]
fn a_long_silence_is_overcome() {
    for profile in Profile::ALL {
        for wraps in 1..=3 {
            let (mut sender, mut receiver) = ends(profile);
            opens(&mut receiver, &sealed(&mut sender, SSRC, 100)).unwrap();
            for step in 1..=4 * wraps {
                sealed(&mut sender, SSRC, (100 + step * 0x4000) as u16);
            }
            let lost = (0..40_u16)
                .position(|step| opens(&mut receiver, &sealed(&mut sender, SSRC, 200 + step)).is_ok());
            assert_eq!(lost, Some(16));
            assert_eq!(opens(&mut receiver, &sealed(&mut sender, SSRC, 300)), Ok(()));
        }
    }
}

#[test]
fn a_sender_uses_no_number_twice() {
    let (mut sender, _) = ends(Profile::AeadAes128Gcm);
    sealed(&mut sender, SSRC, 5);
    let mut packet = plain(SSRC, 5);
    let before = packet.clone();
    assert_eq!(sender.protect_rtp(&mut packet, 0), Err(ProtectError::Reused));
    assert_eq!(packet, before);
    // Before the first number, where the peer would have to guess.
    assert_eq!(sender.protect_rtp(&mut plain(SSRC, 0xFFFE), 0), Err(ProtectError::Reused));
    sealed(&mut sender, SSRC, 2000);
    // Late, and too late.
    sealed(&mut sender, SSRC, 1100);
    assert_eq!(sender.protect_rtp(&mut plain(SSRC, 900), 0), Err(ProtectError::Reused));
    // Another source has its own numbers.
    sealed(&mut sender, 7, 5);
    assert_eq!(sender.protect_rtp(&mut vec![0x80; 11], 0), Err(ProtectError::Malformed));
    assert_eq!(sender.protect_rtp(&mut vec![0x80; 11], 12), Err(ProtectError::Malformed));
    assert_eq!(sender.protect_rtp(&mut vec![0x80; 70_000], 0), Err(ProtectError::TooLong));
}

#[test]
fn sources_are_bounded_and_only_authentic_ones_count() {
    let (mut sender, mut receiver) = ends(Profile::AeadAes128Gcm);
    for ssrc in 0..twocan_srtp::MAX_RECEIVER_SOURCES as u32 {
        let mut forged = sealed(&mut sender, ssrc, 1);
        forged[20] ^= 1;
        assert_eq!(opens(&mut receiver, &forged), Err(Fault::Forged));
        assert_eq!(receiver.rollover(Ssrc(ssrc)), None);
        opens(&mut receiver, &sealed(&mut sender, ssrc, 2)).unwrap();
    }
    assert_eq!(opens(&mut receiver, &sealed(&mut sender, u32::MAX, 1)), Err(Fault::TooManySources));
    assert_eq!(opens(&mut receiver, &sealed(&mut sender, 9, 3)), Ok(()));
}

#[test]
fn what_is_cut_is_a_fault() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = ends(profile);
        let packet = sealed(&mut sender, SSRC, 1);
        for len in 0..packet.len() {
            assert!(receiver.unprotect_rtp(&mut packet[..len].to_vec()).is_err());
        }
        let mut report = vec![0x80, 201, 0, 1, 0, 0, 0, 9];
        sender.protect_rtcp(&mut report, 0).unwrap();
        for len in 0..report.len() {
            assert!(receiver.unprotect_rtcp(&mut report[..len].to_vec()).is_err());
        }
        assert_eq!(receiver.unprotect_rtcp(&mut report), Ok(8));
    }
}

#[test]
fn reports_open_once_in_any_order() {
    for profile in Profile::ALL {
        let (mut sender, mut receiver) = ends(profile);
        let plain = [0x80, 200, 0, 1, 0, 0, 0, 9, 1, 2, 3, 4];
        let mut reports: Vec<_> = (0..64)
            .map(|_| {
                let mut report = plain.to_vec();
                sender.protect_rtcp(&mut report, 0).unwrap();
                assert_eq!(report.len(), plain.len() + profile.rtcp_overhead());
                report
            })
            .collect();
        reports.reverse();
        for report in &reports {
            let mut copy = report.clone();
            assert_eq!(receiver.unprotect_rtcp(&mut copy), Ok(plain.len()));
            assert_eq!(copy[..plain.len()], plain);
            assert_eq!(receiver.unprotect_rtcp(&mut report.clone()), Err(Fault::Replayed));
        }
        let mut other = plain.to_vec();
        other[7] = 10;
        sender.protect_rtcp(&mut other, 0).unwrap();
        assert_eq!(receiver.unprotect_rtcp(&mut other), Ok(plain.len()));
        assert_eq!(sender.protect_rtcp(&mut vec![0x80; 7], 0), Err(ProtectError::Malformed));
        assert_eq!(receiver.unprotect_rtcp(&mut [0x40; 60]), Err(Fault::NotRtcp));
    }
}

/// What happens to a packet on its way.
#[derive(Clone, Debug)]
enum Fate {
    Lost,
    /// Comes so many packets later.
    Delayed(usize),
    Doubled,
    /// With this bit of it the other way round, and then as it was.
    Flipped(usize),
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        Just(Fate::Lost),
        (0..40_usize).prop_map(Fate::Delayed),
        Just(Fate::Doubled),
        any::<usize>().prop_map(Fate::Flipped),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Each packet that arrives opens exactly once, with its plain bytes, whatever happens to the others.
    #[test]
    fn every_packet_opens_once(
        profile in prop::sample::select(&Profile::ALL[..]),
        first in any::<u16>(),
        cryptex in any::<bool>(),
        steps in prop::collection::vec((0..3_u32, 1..2000_u16, fate()), 1..200),
    ) {
        let (mut sender, mut receiver) = ends(profile);
        sender.set_cryptex(cryptex);
        // Numbers with the rollovers before them, which is what the receiver has to find out.
        let mut next = [u64::from(first); 3];
        let mut sent = Vec::new();
        for (at, (ssrc, gap, fate)) in steps.into_iter().enumerate() {
            let index = &mut next[ssrc as usize];
            let packet = sealed(&mut sender, ssrc, *index as u16);
            sent.push((at, fate, *index, packet));
            // Rarely far.
            *index += u64::from(if gap > 1900 { gap } else { gap % 3 + 1 });
        }
        sent.sort_by_key(|(at, fate, ..)| if let Fate::Delayed(later) = fate { at + later } else { *at });
        let mut highest = [None::<u64>; 3];
        for (_, fate, index, packet) in sent {
            let ssrc = packet[11] as usize;
            if matches!(fate, Fate::Lost) {
                continue;
            }
            if let Fate::Flipped(bit) = fate {
                let mut forged = packet.clone();
                let bit = bit % (forged.len() * 8);
                forged[bit / 8] ^= 1 << (bit % 8);
                prop_assert!(receiver.unprotect_rtp(&mut forged).is_err());
            }
            // A number that is behind by more than the window is rightly dropped.
            let known = receiver.rollover(Ssrc(ssrc as u32));
            let opened = opens(&mut receiver, &packet);
            let late = highest[ssrc].is_some_and(|highest| highest >= index + 900);
            prop_assert!(opened == Ok(()) || late && opened == Err(Fault::Replayed), "{opened:?} {known:?}");
            if opened.is_ok() {
                highest[ssrc] = highest[ssrc].max(Some(index));
            }
            prop_assert_eq!(opens(&mut receiver, &packet), Err(Fault::Replayed));
            if matches!(fate, Fate::Doubled) {
                prop_assert_eq!(opens(&mut receiver, &packet), Err(Fault::Replayed));
            }
        }
    }

    /// No flipped bit goes unnoticed, and none is remembered.
    #[test]
    fn no_report_opens_changed(
        profile in prop::sample::select(&Profile::ALL[..]),
        body in prop::collection::vec(any::<u8>(), 0..80),
        bit in any::<usize>(),
    ) {
        let (mut sender, mut receiver) = ends(profile);
        let mut report = vec![0x80, 201, 0, 1, 0, 0, 0, 9];
        report.extend_from_slice(&body);
        let plain = report.clone();
        sender.protect_rtcp(&mut report, 0).unwrap();
        let bit = bit % (report.len() * 8);
        let mut forged = report.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(receiver.unprotect_rtcp(&mut forged).is_err());
        prop_assert_eq!(receiver.unprotect_rtcp(&mut report), Ok(plain.len()));
        prop_assert_eq!(&report[..plain.len()], &plain[..]);
    }
}
