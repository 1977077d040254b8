use proptest::prelude::*;

use super::*;
use crate::rtcp::{RtcpPacket, packets};

const HEAD: FeedbackHead = FeedbackHead { sender: Ssrc(1), media: Ssrc(2), feedback_count: 3 };

fn read(bytes: &[u8]) -> TransportFeedback<'_> {
    match packets(bytes).next() {
        Some(Ok(RtcpPacket::TransportFeedback(feedback))) => feedback,
        other => panic!("{other:?}"),
    }
}

fn write(base: u64, arrivals: &[(u64, i64)]) -> Vec<u8> {
    let arrivals: Vec<_> = arrivals.iter().map(|&(number, ticks)| Arrival { number, ticks }).collect();
    let mut out = Vec::new();
    assert_eq!(TransportFeedback::write(&mut out, HEAD, base, &arrivals, 1200), arrivals.len());
    out
}

#[test]
fn statuses_are_packed_as_the_draft_draws_them() {
    // One that came, three lost, one late, one before it in time.
    let bytes =
        write(0x1_0005, &[(0x1_0005, 256 * 7 + 4), (0x1_0009, 256 * 7 + 300), (0x1_000A, 256 * 7 + 299)]);
    assert_eq!(
        bytes,
        [
            0x8F,
            205,
            0,
            6,
            0,
            0,
            0,
            1,
            0,
            0,
            0,
            2,
            0,
            5,
            0,
            6,
            0,
            0,
            7,
            3,
            // A vector of two bits each: 01 00 00 00 10 10 and one of no meaning.
            0b1101_0000,
            0b0010_1000,
            4,
            0x01,
            0x28,
            0xFF,
            0xFF,
            0,
        ]
    );
    let feedback = read(&bytes);
    assert_eq!((feedback.base, feedback.count, feedback.feedback_count), (SequenceNumber(5), 6, 3));
    let times: Vec<_> = feedback.arrivals().map(|(_, time)| time).collect();
    assert_eq!(times, [Some(4), None, None, None, Some(300), Some(299)]);
    assert_eq!(feedback.arrivals().last().unwrap().0, SequenceNumber(10));
}

#[test]
fn equal_statuses_are_a_run() {
    let all: Vec<_> = (0..100).map(|number| (number, number as i64 * 4)).collect();
    let bytes = write(0, &all);
    assert_eq!(bytes.len(), 20 + 2 + 100 + 2);
    assert_eq!(bytes[20..22], [0x20, 100]);
    // Every other one: vectors of 14.
    let every_other: Vec<_> = all.iter().copied().filter(|(number, _)| number % 2 == 0).collect();
    let bytes = write(0, &every_other);
    assert_eq!(bytes[20..22], [0b1010_1010, 0b1010_1010]);
    assert_eq!(bytes.len(), 20 + 8 * 2 + 50 + 2);
    // A long loss.
    let bytes = write(0, &[(20_000, 0)]);
    assert_eq!(bytes[20..26], [0x1F, 0xFF, 0x1F, 0xFF, 0x0E, 0x22]);
    assert_eq!(read(&bytes).arrivals().filter(|(_, time)| time.is_some()).count(), 1);
}

#[test]
fn a_packet_ends_where_the_next_would_not_fit() {
    let arrivals = [(0, 0), (1, 32_767), (2, 65_535)].map(|(number, ticks)| Arrival { number, ticks });
    let mut out = Vec::new();
    assert_eq!(TransportFeedback::write(&mut out, HEAD, 0, &arrivals, 1200), 2);
    out.clear();
    assert_eq!(TransportFeedback::write(&mut out, HEAD, 0, &arrivals, 24), 1);
    assert_eq!(out.len(), 24);
    out.clear();
    assert_eq!(TransportFeedback::write(&mut out, HEAD, 0, &arrivals, 20), 0);
    let far = [Arrival { number: 70_000, ticks: 0 }];
    assert_eq!(TransportFeedback::write(&mut out, HEAD, 0, &far, 1200), 0);
    assert!(out.is_empty());
}

#[test]
fn the_reference_time_wraps_around() {
    let day = 24 * 3600 * 4000;
    let mut near = 0;
    for days in 0..40 {
        let ticks = days * day + 255;
        near = ReferenceTime::from_ticks(ticks).to_ticks(near);
        assert_eq!(near, days * day / 256 * 256);
    }
    assert_eq!(ReferenceTime::from_ticks(-1).to_ticks(0), -256);
}

#[test]
fn what_does_not_add_up_is_a_fault() {
    let fault = |bytes: &[u8]| packets(bytes).next().unwrap().err();
    let mut bytes = write(0, &[(0, 0), (1, 1)]);
    bytes[15] = 3;
    assert_eq!(fault(&bytes), Some(RtcpFault::Status), "the padding is read as a chunk of lost ones");
    let mut bytes = write(0, &[(0, 0), (1, 1)]);
    bytes[20] = 0x60;
    assert_eq!(fault(&bytes), Some(RtcpFault::Status), "status 3 means nothing");
    let mut bytes = write(0, &[(0, 0), (1, 1)]);
    bytes[20..22].copy_from_slice(&[0x20, 0]);
    bytes[15] = 200;
    assert_eq!(fault(&bytes), Some(RtcpFault::Truncated));
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        base in 0x1_0000_u64..0x3_0000,
        steps in proptest::collection::vec((prop_oneof![20 => 0_u64..2, 3 => 0_u64..40, 1 => 0_u64..9000], -400_i64..1000), 1..60),
        max_len in 40_usize..1200,
    ) {
        let (mut number, mut ticks) = (base, 1_000_000);
        let arrivals: Vec<_> = steps.iter().map(|&(lost, delta)| {
            number += lost;
            ticks += delta;
            number += 1;
            Arrival { number: number - 1, ticks }
        }).collect();
        let (mut rest, mut next, mut heard, mut near) = (&arrivals[..], base, Vec::new(), 0);
        while !rest.is_empty() {
            let mut out = Vec::new();
            let taken = TransportFeedback::write(&mut out, HEAD, next, rest, max_len);
            if taken == 0 {
                // Too many lost ones for one packet.
                next = rest[0].number;
                continue;
            }
            prop_assert!(out.len() <= max_len);
            let feedback = read(&out);
            near = feedback.reference.to_ticks(near);
            for (number, (low, ticks)) in (next..).zip(feedback.arrivals()) {
                prop_assert_eq!(low, SequenceNumber(number as u16));
                heard.extend(ticks.map(|ticks| Arrival { number, ticks: near + i64::from(ticks) }));
            }
            next += u64::from(feedback.count);
            prop_assert_eq!(next, rest[taken - 1].number + 1);
            rest = &rest[taken..];
        }
        prop_assert_eq!(heard, arrivals);
    }
}
