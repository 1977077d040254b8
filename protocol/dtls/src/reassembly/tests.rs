use super::*;

const BODY: [u8; 10] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

fn piece(sequence: u16, range: Range<usize>) -> Fragment<'static> {
    Fragment { code: 1, length: BODY.len(), sequence, offset: range.start, body: &BODY[range] }
}

const IN_ORDER: Result<Arrival, Fault> = Ok(Arrival::New { is_out_of_order: false });
const OUT_OF_ORDER: Result<Arrival, Fault> = Ok(Arrival::New { is_out_of_order: true });

#[test]
fn fragments_come_in_any_order_overlapping_and_twice() {
    let mut reassembly = Reassembly::default();
    assert_eq!(reassembly.insert(0, &piece(0, 6..10)), OUT_OF_ORDER);
    assert_eq!(reassembly.insert(0, &piece(0, 0..3)), OUT_OF_ORDER);
    assert_eq!(reassembly.insert(0, &piece(0, 0..3)), IN_ORDER);
    assert_eq!(reassembly.next(), Ok(None));
    assert_eq!(reassembly.insert(0, &piece(0, 2..7)), IN_ORDER);
    assert_eq!(reassembly.next(), Ok(Some((1, 0, BODY.to_vec()))));
    assert_eq!(reassembly.insert(0, &piece(0, 0..10)), Ok(Arrival::Repeated));
    assert_eq!(reassembly.insert(0, &piece(1, 0..10)), IN_ORDER);
}

#[test]
fn messages_come_out_in_order() {
    let mut reassembly = Reassembly::default();
    assert_eq!(reassembly.insert(0, &piece(1, 0..10)), OUT_OF_ORDER);
    assert_eq!(reassembly.next(), Ok(None));
    assert_eq!(reassembly.insert(0, &piece(0, 0..10)), IN_ORDER);
    assert_eq!(reassembly.next().unwrap().unwrap().1, 0);
    assert_eq!(reassembly.next().unwrap().unwrap().1, 1);
    assert!(!reassembly.has_part());
}

#[test]
fn an_empty_message_is_one() {
    let mut reassembly = Reassembly::default();
    let done = Fragment { code: 14, length: 0, sequence: 0, offset: 0, body: &[] };
    assert_eq!(reassembly.insert(0, &done), IN_ORDER);
    assert_eq!(reassembly.next(), Ok(Some((14, 0, Vec::new()))));
}

#[test]
fn what_is_kept_is_bounded() {
    let mut reassembly = Reassembly::default();
    assert_eq!(reassembly.insert(0, &piece(MAX_AHEAD, 0..10)), Err(Fault::FragmentsFull));
    let long = |sequence, length| Fragment { code: 1, length, sequence, offset: 0, body: &BODY };
    assert_eq!(reassembly.insert(0, &long(0, MAX_MESSAGE_LEN + 1)), Err(Fault::FragmentsFull));
    assert_eq!(reassembly.insert(0, &long(0, MAX_MESSAGE_LEN)), IN_ORDER);
    assert_eq!(reassembly.insert(0, &long(1, MAX_MESSAGE_LEN)), OUT_OF_ORDER);
    assert_eq!(reassembly.insert(0, &long(2, 10)), Err(Fault::FragmentsFull));
    let mut pieces = Reassembly::default();
    let results: Vec<_> = (0..100)
        .map(|index| {
            let body = &BODY[..1];
            pieces.insert(0, &Fragment { code: 1, length: 1000, sequence: 0, offset: 2 * index, body })
        })
        .collect();
    assert_eq!(
        results.iter().filter(|result| **result == Err(Fault::FragmentsFull)).count(),
        100 - MAX_PIECES
    );
}

#[test]
fn contradictions_are_refused() {
    let mut reassembly = Reassembly::default();
    reassembly.insert(0, &piece(0, 0..3)).unwrap();
    let other = Fragment { code: 2, ..piece(0, 3..10) };
    assert_eq!(reassembly.insert(0, &other), Err(Fault::BadFragment));
    let longer = Fragment { length: 11, ..piece(0, 3..10) };
    assert_eq!(reassembly.insert(0, &longer), Err(Fault::BadFragment));
}

#[test]
fn messages_must_be_of_the_epoch() {
    let mut reassembly = Reassembly::default();
    reassembly.insert(0, &piece(1, 0..3)).unwrap();
    reassembly.insert(0, &piece(0, 0..10)).unwrap();
    assert!(reassembly.next().unwrap().is_some());
    reassembly.expect_epoch(2);
    assert!(!reassembly.has_part(), "what came in the clear is forgotten");
    assert_eq!(reassembly.insert(0, &piece(1, 0..10)), Err(Fault::UnexpectedRecord));
    assert_eq!(reassembly.insert(2, &piece(1, 0..10)), IN_ORDER);
    assert!(reassembly.next().unwrap().is_some());
    // Something protected where the next message has to be in an earlier epoch: a message was skipped.
    assert_eq!(reassembly.insert(3, &piece(2, 0..10)), IN_ORDER);
    assert_eq!(reassembly.next(), Err(WrongEpoch));
}

#[test]
fn what_is_protected_replaces_what_is_not() {
    let mut reassembly = Reassembly::default();
    reassembly.insert(0, &Fragment { code: 9, ..piece(1, 0..3) }).unwrap();
    reassembly.insert(1, &piece(1, 0..10)).unwrap();
    assert_eq!(reassembly.insert(0, &piece(1, 0..10)), Err(Fault::UnexpectedRecord));
    reassembly.insert(0, &piece(0, 0..10)).unwrap();
    assert!(reassembly.next().unwrap().is_some());
    reassembly.expect_epoch(1);
    assert_eq!(reassembly.next(), Ok(Some((1, 1, BODY.to_vec()))));
}
