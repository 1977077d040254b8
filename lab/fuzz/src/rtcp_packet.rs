//! Reading RTCP and writing it again (RFC 3550 §6, 4585, 8888, 3611, and feedback that drafts describe): it says the same.

use rtp::SequenceNumber;
use rtp::rtcp::{
    Arrival, Bye, CongestionFeedback, Dlrr, ExtendedReport, FeedbackHead, Fir, Nack, ReceiverReport, Remb,
    RtcpPacket, SenderReport, TransportFeedback, XrBlock, packets,
};

/// Numbers that an entry of a NACK asks for at most.
const PER_ENTRY: usize = 17;
/// What the numbers of feedback are expanded to.
const BASE: u64 = 0x10_0000;

pub(super) fn run(bytes: &[u8]) {
    for packet in packets(bytes).flatten() {
        let said = format!("{packet:?}");
        let mut written = Vec::new();
        if write(&packet, &mut written, bytes.len()) {
            let mut again = packets(&written);
            let read = again.next().expect("a packet was written").expect("and well");
            assert_eq!(format!("{read:?}"), said);
            assert!(again.next().is_none());
        }
    }
}

/// Writes what can be written just as it was.
fn write(packet: &RtcpPacket<'_>, out: &mut Vec<u8>, len: usize) -> bool {
    match packet {
        RtcpPacket::SenderReport(report) => {
            let blocks: Vec<_> = report.blocks().collect();
            SenderReport::write(out, report.sender, &report.info, &blocks);
        }
        RtcpPacket::ReceiverReport(report) => {
            let blocks: Vec<_> = report.blocks().collect();
            ReceiverReport::write(out, report.sender, &blocks);
        }
        RtcpPacket::SourceDescription(description) => {
            let items = description.chunks().flat_map(|chunk| chunk.items()).map(|item| item.text.len());
            assert!(items.sum::<usize>() <= len);
            return false;
        }
        RtcpPacket::Bye(bye) => {
            let sources: Vec<_> = bye.sources().collect();
            Bye::write(out, &sources, bye.reason);
        }
        RtcpPacket::ExtendedReport(report) => {
            extended(report, out);
            return false;
        }
        RtcpPacket::Nack(nack) => {
            let numbers: Vec<_> = nack.numbers().collect();
            assert!(numbers.len() <= PER_ENTRY * len / 4);
            Nack::write(out, (nack.sender, nack.media), numbers);
            return false;
        }
        RtcpPacket::Tmmbr(tmmbr) => {
            assert!(tmmbr.entries().len() <= len / 8);
            return false;
        }
        RtcpPacket::CongestionFeedback(feedback) => {
            let streams: Vec<_> = feedback
                .streams()
                .map(|stream| {
                    let metrics: Vec<_> = stream.metrics().map(|(_, metric)| metric).collect();
                    (stream.ssrc, stream.begin, metrics)
                })
                .collect();
            let all = streams.iter().map(|(ssrc, begin, metrics)| (*ssrc, *begin, &metrics[..]));
            CongestionFeedback::write(out, feedback.sender, all, feedback.timestamp);
            let Some(Ok(RtcpPacket::CongestionFeedback(again))) = packets(out).next() else {
                panic!("feedback was written");
            };
            let metrics = |feedback: &CongestionFeedback<'_>| {
                feedback.streams().flat_map(|stream| stream.metrics().collect::<Vec<_>>()).collect::<Vec<_>>()
            };
            assert_eq!(metrics(&again), metrics(feedback));
            return false;
        }
        RtcpPacket::TransportFeedback(feedback) => {
            transport(feedback);
            return false;
        }
        RtcpPacket::Pli(pli) => pli.write(out),
        RtcpPacket::Fir(fir) => {
            let entries: Vec<_> = fir.entries().collect();
            Fir::write(out, fir.sender, &entries);
            let Some(Ok(RtcpPacket::Fir(again))) = packets(out).next() else { panic!("a FIR was written") };
            assert!(again.entries().eq(entries));
            return false;
        }
        RtcpPacket::Remb(remb) => {
            // More than 64 bits hold is not written again.
            if remb.bitrate == u64::MAX {
                return false;
            }
            let sources: Vec<_> = remb.sources().collect();
            Remb::write(out, remb.sender, remb.bitrate, &sources);
        }
        RtcpPacket::Application(_) | RtcpPacket::Unknown(_) => return false,
    }
    true
}

fn extended(report: &ExtendedReport<'_>, out: &mut Vec<u8>) {
    let (mut reference, mut heard) = (None, Vec::new());
    for block in report.blocks() {
        match block {
            XrBlock::ReferenceTime(time) => reference = Some(time),
            XrBlock::Dlrr(blocks) => heard.extend(Dlrr::all(blocks)),
            XrBlock::Unknown(_) => {}
        }
    }
    ExtendedReport::write(out, report.sender, reference, &heard);
    let Some(Ok(RtcpPacket::ExtendedReport(again))) = packets(out).next() else {
        panic!("a report was written")
    };
    let blocks = again.blocks().count();
    assert_eq!(blocks, usize::from(reference.is_some()) + usize::from(!heard.is_empty()));
}

/// What came, packed anew, came at the same times.
fn transport(feedback: &TransportFeedback<'_>) {
    let base = feedback.base.expand(BASE);
    let near = feedback.reference.to_ticks(0);
    let arrivals = |feedback: &TransportFeedback<'_>| {
        let near = feedback.reference.to_ticks(near);
        let numbered = (0_u64..).zip(feedback.arrivals());
        numbered
            .filter_map(|(ahead, (low, ticks))| {
                assert_eq!(low, SequenceNumber((base + ahead) as u16));
                Some(Arrival { number: base + ahead, ticks: near + i64::from(ticks?) })
            })
            .collect::<Vec<_>>()
    };
    let all = arrivals(feedback);
    assert!(all.len() <= usize::from(feedback.count));
    let (sender, media, feedback_count) = (feedback.sender, feedback.media, feedback.feedback_count);
    let mut out = Vec::new();
    let head = FeedbackHead { sender, media, feedback_count };
    let taken = TransportFeedback::write(&mut out, head, base, &all, usize::MAX / 2);
    assert_eq!(taken, all.len());
    if taken == 0 {
        return;
    }
    let Some(Ok(RtcpPacket::TransportFeedback(again))) = packets(&out).next() else {
        panic!("feedback was written");
    };
    assert_eq!(arrivals(&again), all);
}
