use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::number::{SequenceNumber, Ssrc, Timestamp};
use crate::time::{NtpShort, NtpTime};

/// The only packet of a datagram.
fn one(bytes: &[u8]) -> RtcpPacket<'_> {
    assert_eq!(bytes.len() % 4, 0);
    let mut all = packets(bytes);
    let packet = all.next().unwrap().unwrap();
    assert!(all.next().is_none());
    packet
}

fn block(ssrc: u32) -> ReportBlock {
    ReportBlock {
        ssrc: Ssrc(ssrc),
        fraction_lost: 0x40,
        packets_lost: -3,
        highest_sequence: 0x0001_FFFF,
        jitter: 9,
        last_sender_report: NtpShort(0xB705_2000),
        delay: NtpShort(0x0005_4000),
    }
}

#[test]
fn reports_are_where_their_diagram_has_them() {
    let mut bytes = Vec::new();
    let info = SenderInfo { ntp: NtpTime(0x0102_0304_0506_0708), rtp: Timestamp(9), packets: 10, octets: 11 };
    SenderReport::write(&mut bytes, Ssrc(7), &info, &[block(8)]);
    assert_eq!(
        bytes,
        [
            0x81, 200, 0, 12, 0, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 9, 0, 0, 0, 10, 0, 0, 0,
            11, //
            0, 0, 0, 8, 0x40, 0xFF, 0xFF, 0xFD, 0, 1, 0xFF, 0xFF, 0, 0, 0, 9, 0xB7, 5, 0x20, 0, 0, 5, 0x40,
            0,
        ]
    );
    let RtcpPacket::SenderReport(report) = one(&bytes) else { panic!() };
    assert_eq!((report.sender, report.info), (Ssrc(7), info));
    assert_eq!(report.blocks().collect::<Vec<_>>(), [block(8)]);

    bytes.clear();
    let many: Vec<_> = (0..40).map(block).collect();
    ReceiverReport::write(&mut bytes, Ssrc(7), &many);
    let RtcpPacket::ReceiverReport(report) = one(&bytes) else { panic!() };
    assert_eq!(report.blocks().collect::<Vec<_>>(), many[..31]);
    bytes[0] = 0x80 | 31;
    bytes.truncate(8);
    bytes[3] = 1;
    assert_eq!(packets(&bytes).next(), Some(Err(RtcpFault::Truncated)));
}

#[test]
fn a_compound_packet_is_several_in_turn() {
    let mut bytes = Vec::new();
    ReceiverReport::write(&mut bytes, Ssrc(1), &[]);
    SourceDescription::write_cname(&mut bytes, Ssrc(1), b"somebody");
    Bye::write(&mut bytes, &[Ssrc(1), Ssrc(2)], b"camera off");
    let all: Vec<_> = packets(&bytes).map(Result::unwrap).collect();
    let [RtcpPacket::ReceiverReport(_), RtcpPacket::SourceDescription(description), RtcpPacket::Bye(bye)] =
        all[..]
    else {
        panic!("{all:?}")
    };
    let chunks: Vec<_> = description.chunks().map(|chunk| (chunk.ssrc, chunk.cname())).collect();
    assert_eq!(chunks, [(Ssrc(1), Some(&b"somebody"[..]))]);
    assert_eq!(bye.sources().collect::<Vec<_>>(), [Ssrc(1), Ssrc(2)]);
    assert_eq!(bye.reason, b"camera off");
    // A cut takes the last, and says so.
    let cut: Vec<_> = packets(&bytes[..bytes.len() - 1]).collect();
    assert_eq!(cut.len(), 3);
    assert_eq!(cut[2], Err(RtcpFault::Truncated));
}

#[test]
fn a_malformed_packet_does_not_end_the_others() {
    // A BYE of a source that is not there, an SR without sender info, an APP, a type that nobody knows.
    let bytes = [
        0x81, 203, 0, 0, 0x80, 200, 0, 1, 0, 0, 0, 1, 0x85, 204, 0, 2, 0, 0, 0, 1, b't', b'e', b's', b't',
        0x80, 195, 0, 0,
    ];
    let all: Vec<_> = packets(&bytes).collect();
    assert_eq!(all[..2], [Err(RtcpFault::Truncated); 2]);
    let Ok(RtcpPacket::Application(application)) = all[2] else { panic!() };
    assert_eq!((application.subtype, application.name), (5, *b"test"));
    assert_eq!(all[3], Ok(RtcpPacket::Unknown(RawPacket { count: 0, kind: 195, body: &[] })));
    assert_eq!(all.len(), 4);
}

#[test]
fn padding_is_at_the_very_end() {
    let padded = [0xA0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4];
    assert!(matches!(one(&padded), RtcpPacket::ReceiverReport(_)));
    let two = [&padded[..], &padded[..]].concat();
    assert_eq!(packets(&two).next(), Some(Err(RtcpFault::Padding)));
    for padding in [0, 9] {
        let bytes = [0xA0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, padding];
        assert_eq!(packets(&bytes).next(), Some(Err(RtcpFault::Padding)));
    }
    assert_eq!(packets(&[0x41, 201, 0, 0]).next(), Some(Err(RtcpFault::Version)));
}

#[test]
fn descriptions_that_run_over_are_faults() {
    // The length of the text exceeds the chunk; the items have no end.
    for items in [[1, 9, b'a', 0], [1, 2, b'a', b'b']] {
        let bytes = [&[0x81, 202, 0, 2, 0, 0, 0, 1], &items[..]].concat();
        assert_eq!(packets(&bytes).next(), Some(Err(RtcpFault::Text)));
    }
    let bytes = [0x81, 203, 0, 2, 0, 0, 0, 1, 9, b'a', b'b', b'c'];
    assert_eq!(packets(&bytes).next(), Some(Err(RtcpFault::Text)));
}

#[test]
fn a_nack_packs_sixteen_numbers_behind_the_first() {
    let mut bytes = Vec::new();
    let numbers = [0xFFFE, 0xFFFF, 3, 14, 15, 16, 100].map(SequenceNumber);
    assert!(Nack::write(&mut bytes, (Ssrc(1), Ssrc(2)), numbers));
    assert_eq!(bytes[12..], [0xFF, 0xFE, 0x80, 0x11, 0, 15, 0, 1, 0, 100, 0, 0]);
    let RtcpPacket::Nack(nack) = one(&bytes) else { panic!() };
    assert_eq!((nack.sender, nack.media), (Ssrc(1), Ssrc(2)));
    assert_eq!(nack.numbers().collect::<Vec<_>>(), numbers);

    bytes.clear();
    assert!(!Nack::write(&mut bytes, (Ssrc(1), Ssrc(2)), []));
    assert!(bytes.is_empty());
    assert!(!Nack::write(&mut bytes, (Ssrc(1), Ssrc(2)), (0..300).map(|i| SequenceNumber(i * 20))));
    assert_eq!(bytes.len(), 1000);
}

#[test]
fn requests_for_key_frames() {
    let mut bytes = Vec::new();
    Pli { sender: Ssrc(1), media: Ssrc(2) }.write(&mut bytes);
    assert_eq!(bytes, [0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2]);
    bytes.clear();
    let entry = FirEntry { ssrc: Ssrc(5), number: 6 };
    Fir::write(&mut bytes, Ssrc(1), &[entry]);
    assert_eq!(bytes, [0x84, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 5, 6, 0, 0, 0]);
    let RtcpPacket::Fir(fir) = one(&bytes) else { panic!() };
    assert_eq!(fir.entries().collect::<Vec<_>>(), [entry]);
}

#[test]
fn bitrates_have_an_exponent() {
    let mut bytes = Vec::new();
    Remb::write(&mut bytes, Ssrc(1), 1_000_000, &[Ssrc(2), Ssrc(3)]);
    assert_eq!(bytes[12..20], [b'R', b'E', b'M', b'B', 2, 0x0B, 0xD0, 0x90]);
    let RtcpPacket::Remb(remb) = one(&bytes) else { panic!() };
    assert_eq!(remb.bitrate, 1_000_000);
    assert_eq!(remb.sources().collect::<Vec<_>>(), [Ssrc(2), Ssrc(3)]);
    // Another name in the same format; an exponent beyond all bounds.
    bytes[12] = b'X';
    assert!(matches!(one(&bytes), RtcpPacket::Unknown(_)));
    bytes[12] = b'R';
    bytes[17] = 0xFF;
    let RtcpPacket::Remb(remb) = one(&bytes) else { panic!() };
    assert_eq!(remb.bitrate, u64::MAX);

    let bytes = [0x83, 205, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0x08, 0x00, 0xC8, 0x28];
    let RtcpPacket::Tmmbr(tmmbr) = one(&bytes) else { panic!() };
    let entry = TmmbrEntry { ssrc: Ssrc(9), bitrate: 100 * 4, overhead: 40 };
    assert_eq!(tmmbr.entries().collect::<Vec<_>>(), [entry]);
}

#[test]
fn extended_reports_carry_the_round_trip() {
    let mut bytes = Vec::new();
    let heard = Dlrr { ssrc: Ssrc(5), last: NtpShort(6), delay: NtpShort(7) };
    ExtendedReport::write(&mut bytes, Ssrc(1), Some(NtpTime(0x0102_0304_0506_0708)), &[heard]);
    assert_eq!(
        bytes,
        [
            0x80, 207, 0, 8, 0, 0, 0, 1, 4, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8, //
            5, 0, 0, 3, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0, 7,
        ]
    );
    let RtcpPacket::ExtendedReport(report) = one(&bytes) else { panic!() };
    let blocks: Vec<_> = report.blocks().collect();
    let [XrBlock::ReferenceTime(time), XrBlock::Dlrr(all)] = blocks[..] else { panic!("{blocks:?}") };
    assert_eq!(time, NtpTime(0x0102_0304_0506_0708));
    assert_eq!(Dlrr::all(all).collect::<Vec<_>>(), [heard]);
    bytes[11] = 1;
    assert_eq!(packets(&bytes).next(), Some(Err(RtcpFault::Status)));
}

#[test]
fn congestion_feedback_says_marks_and_offsets() {
    let mut bytes = Vec::new();
    let metric = |ecn, offset| Some(Metric { ecn, offset });
    let metrics = [
        metric(Ecn::Congestion, ArrivalOffset::Ticks(512)),
        None,
        metric(Ecn::Capable1, ArrivalOffset::TooOld),
    ];
    let streams = [(Ssrc(5), SequenceNumber(0xFFFF), &metrics[..]), (Ssrc(6), SequenceNumber(9), &[])];
    CongestionFeedback::write(&mut bytes, Ssrc(1), streams, NtpShort(0x0102_0304));
    assert_eq!(
        bytes,
        [
            0x8B, 205, 0, 8, 0, 0, 0, 1, 0, 0, 0, 5, 0xFF, 0xFF, 0, 3, 0xE2, 0, 0, 0, 0xBF, 0xFE, 0,
            0, //
            0, 0, 0, 6, 0, 9, 0, 0, 1, 2, 3, 4,
        ]
    );
    let RtcpPacket::CongestionFeedback(feedback) = one(&bytes) else { panic!() };
    assert_eq!(feedback.timestamp, NtpShort(0x0102_0304));
    let streams: Vec<_> = feedback.streams().collect();
    let numbers: Vec<_> = streams[0].metrics().collect();
    assert_eq!(
        numbers,
        [
            (SequenceNumber(0xFFFF), metrics[0]),
            (SequenceNumber(0), metrics[1]),
            (SequenceNumber(1), metrics[2]),
        ]
    );
    assert_eq!((streams[1].ssrc, streams[1].metrics().count()), (Ssrc(6), 0));
    bytes[14] = 0x40;
    assert_eq!(packets(&bytes).next(), Some(Err(RtcpFault::Status)), "no more than 16,384 packets");

    let half = Duration::from_millis(500);
    assert_eq!(ArrivalOffset::from_duration(Some(half)), ArrivalOffset::Ticks(512));
    assert_eq!(ArrivalOffset::Ticks(512).to_duration(), Some(half));
    assert_eq!(ArrivalOffset::from_duration(Some(Duration::from_secs(8))), ArrivalOffset::TooOld);
    assert_eq!(ArrivalOffset::from_duration(None), ArrivalOffset::Unknown);
}

#[test]
fn rtcp_is_told_from_rtp() {
    assert!(is_rtcp(&[0x80, 200]) && is_rtcp(&[0x80, 206]) && is_rtcp(&[0x80, 192]));
    assert!(!is_rtcp(&[0x80, 96]) && !is_rtcp(&[0x80, 0x80 | 111]) && !is_rtcp(&[0x80]));
}

proptest! {
    #[test]
    fn numbers_asked_for_are_read(steps in proptest::collection::vec(1_u16..60, 1..100), first in any::<u16>()) {
        let mut number = SequenceNumber(first);
        let numbers: Vec<_> = steps.iter().map(|step| { number = number.plus(*step); number }).collect();
        let mut bytes = Vec::new();
        prop_assert!(Nack::write(&mut bytes, (Ssrc(1), Ssrc(2)), numbers.iter().copied()));
        let RtcpPacket::Nack(nack) = one(&bytes) else { panic!() };
        prop_assert_eq!(nack.numbers().collect::<Vec<_>>(), numbers);
    }

    #[test]
    fn bitrates_are_rounded_down_a_little(bitrate in any::<u64>()) {
        let mut bytes = Vec::new();
        Remb::write(&mut bytes, Ssrc(1), bitrate, &[]);
        let RtcpPacket::Remb(remb) = one(&bytes) else { panic!() };
        prop_assert!(remb.bitrate <= bitrate && bitrate - remb.bitrate <= bitrate >> 17);
    }

    #[test]
    fn any_bytes_are_read_without_harm(
        parts in proptest::collection::vec(
            (0_u8..32, 199_u8..209, proptest::collection::vec(any::<u8>(), 0..12).prop_map(|words| {
                words.into_iter().flat_map(|word| [0, word, 0, word.wrapping_mul(7)]).collect::<Vec<_>>()
            })),
            0..4,
        ),
    ) {
        let mut bytes = Vec::new();
        for (count, kind, body) in &parts {
            bytes.extend([0x80 | count, *kind, 0, (body.len() / 4) as u8]);
            bytes.extend(body);
        }
        prop_assert_eq!(packets(&bytes).count(), parts.len());
        for packet in packets(&bytes).flatten() {
            let _ = format!("{packet:?}");
        }
    }
}
