use super::*;
use crate::message::fragment::Fragment;
use crate::record::header12;
use wire::Reader;

fn start() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "a test has to begin somewhere")]
    Instant::now()
}

fn flight(lengths: &[usize]) -> Flight {
    let mut flight = Flight::new(&Config::default());
    for length in lengths {
        flight.add(0, MessageType::Certificate, &vec![7; *length]);
    }
    flight.send();
    flight
}

/// Message number, offset and length of every fragment in a datagram in the clear.
fn fragments(datagram: &[u8]) -> Vec<(u16, usize, usize)> {
    let (mut rest, mut found) = (datagram, Vec::new());
    while !rest.is_empty() {
        let header = header12::Header::parse(rest).unwrap();
        let end = header12::HEADER_LEN + usize::from(header.length);
        let fragment = Fragment::parse(&mut Reader::new(&rest[header12::HEADER_LEN..end])).unwrap();
        found.push((fragment.sequence, fragment.offset, fragment.body.len()));
        rest = &rest[end..];
    }
    found
}

fn datagrams(
    flight: &mut Flight,
    now: Instant,
    writing: &mut Writing,
    mtu: usize,
) -> Vec<Vec<(u16, usize, usize)>> {
    let mut all = Vec::new();
    let mut out = Vec::new();
    while flight.write(now, writing, mtu, &mut out) {
        assert!(out.len() <= mtu, "{} bytes", out.len());
        all.push(fragments(&out));
        out.clear();
    }
    all
}

#[test]
fn messages_fill_datagrams() {
    let mut flight = flight(&[100, 500, 40]);
    let sent = datagrams(&mut flight, start(), &mut Writing::default(), 400);
    assert_eq!(sent, [vec![(0, 0, 100), (1, 0, 250)], vec![(1, 250, 250), (2, 0, 40)]]);
}

#[test]
fn what_is_acknowledged_is_not_sent_again() {
    let (mut flight, mut writing, now) = (flight(&[100, 500, 40]), Writing::default(), start());
    datagrams(&mut flight, now, &mut writing, 400);
    assert!(flight.acknowledge(RecordNumber { epoch: 0, sequence: 1 }));
    assert!(!flight.acknowledge(RecordNumber { epoch: 0, sequence: 1 }));
    assert!(!flight.acknowledge(RecordNumber { epoch: 0, sequence: 9 }));
    flight.resend(now);
    assert_eq!(datagrams(&mut flight, now, &mut writing, 400).len(), 0, "it was sent just now");
    flight.resend(now + RESEND_GAP);
    let again = datagrams(&mut flight, now, &mut writing, 400);
    assert_eq!(again, [vec![(0, 0, 100), (1, 250, 250)], vec![(2, 0, 40)]]);
    // Of either transmission.
    for sequence in [4, 2, 6] {
        assert!(!flight.is_done());
        flight.acknowledge(RecordNumber { epoch: 0, sequence });
    }
    assert!(flight.is_done() && flight.deadline().is_none());
}

#[test]
fn it_is_sent_again_ever_more_slowly_and_in_smaller_datagrams() {
    let (config, mut writing, mut now) = (Config::default(), Writing::default(), start());
    let mut flight = flight(&[1000]);
    let mut waits = Vec::new();
    let mut counts = Vec::new();
    for _ in 0..8 {
        counts.push(datagrams(&mut flight, now, &mut writing, 1200).len());
        let deadline = flight.deadline().unwrap();
        waits.push((deadline - now).as_millis());
        flight.handle_timeout(deadline - Duration::from_millis(1), &config);
        assert_eq!(datagrams(&mut flight, now, &mut writing, 1200).len(), 0);
        now = deadline;
        flight.handle_timeout(now, &config);
    }
    assert_eq!(waits, [100, 200, 400, 800, 1600, 3000, 3000, 3000]);
    assert_eq!(counts, [1, 1, 1, 2, 2, 2, 2, 2]);
}
