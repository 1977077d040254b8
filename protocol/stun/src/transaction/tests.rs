use super::*;

const PATH: (&str, &str) = ("192.0.2.1:1000", "198.51.100.1:3478");

fn path() -> (SocketAddr, SocketAddr) {
    (PATH.0.parse().unwrap(), PATH.1.parse().unwrap())
}

fn id(number: u8) -> TransactionId {
    TransactionId([number; 12])
}

/// A virtual clock's zero.
#[expect(clippy::disallowed_methods, reason = "a test needs some instant to count from")]
fn start() -> Instant {
    Instant::now()
}

/// Runs until nothing is left to do; returns the milliseconds at which each datagram left, and the end.
fn run(transactions: &mut Transactions<&'static str>, start: Instant) -> (Vec<u128>, u128) {
    let (mut now, mut sent) = (start, Vec::new());
    loop {
        let mut buffer = Vec::new();
        while transactions.poll_transmit(now, &mut buffer).is_some() {
            sent.push((now - start).as_millis());
        }
        let Some((deadline, _)) = transactions.poll_timeout() else {
            return (sent, (now - start).as_millis());
        };
        now = deadline;
        transactions.handle_timeout(now);
    }
}

/// The example of RFC 8489 §6.2.1.
#[test]
fn a_request_without_an_answer_is_sent_seven_times_and_given_up_after_39_5_seconds() {
    let mut transactions = Transactions::new(10);
    transactions.begin(id(1), path(), Schedule::DATAGRAMS, vec![1], "binding").unwrap();
    let (sent, end) = run(&mut transactions, start());
    assert_eq!(sent, [0, 500, 1500, 3500, 7500, 15_500, 31_500]);
    assert_eq!(end, 39_500);
    assert_eq!(transactions.poll_expired(), Some("binding"));
    assert_eq!(transactions.poll_expired(), None);
    assert!(transactions.is_empty());
}

#[test]
fn over_a_stream_a_request_is_sent_once() {
    let mut transactions = Transactions::new(10);
    transactions.begin(id(1), path(), Schedule::STREAM, vec![1], "binding").unwrap();
    assert_eq!(run(&mut transactions, start()), (vec![0], 39_500));
    assert_eq!(transactions.poll_expired(), Some("binding"));
}

#[test]
fn an_answer_ends_it_and_only_one_to_the_first_request_tells_the_round_trip() {
    let now = start();
    let mut transactions = Transactions::new(10);
    for number in [1, 2] {
        transactions.begin(id(number), path(), Schedule::DATAGRAMS, vec![number], number).unwrap();
    }
    let mut buffer = Vec::new();
    while transactions.poll_transmit(now, &mut buffer).is_some() {}
    assert_eq!(buffer, [1, 2]);

    let later = now + Duration::from_millis(30);
    let finished = Finished { value: 1, round_trip: Some(Duration::from_millis(30)) };
    assert_eq!(transactions.finish(later, id(1)), Some(finished));
    assert_eq!(transactions.finish(later, id(1)), None);

    assert_eq!(transactions.poll_timeout(), Some((now + Duration::from_millis(500), Reason::Retransmission)));
    transactions.handle_timeout(now + Duration::from_millis(500));
    assert!(transactions.poll_transmit(now + Duration::from_millis(500), &mut buffer).is_some());
    let much_later = now + Duration::from_millis(700);
    assert_eq!(transactions.finish(much_later, id(2)), Some(Finished { value: 2, round_trip: None }));
    assert_eq!(transactions.poll_timeout(), None);
}

#[test]
fn the_table_has_a_limit_and_nothing_of_an_ended_request_is_sent() {
    let mut transactions = Transactions::new(2);
    transactions.begin(id(1), path(), Schedule::DATAGRAMS, vec![1], "a").unwrap();
    transactions.begin(id(2), path(), Schedule::DATAGRAMS, vec![2], "b").unwrap();
    assert_eq!(transactions.begin(id(3), path(), Schedule::DATAGRAMS, vec![3], "c"), Err(TooMany));
    assert_eq!(transactions.cancel(id(1)), Some("a"));
    transactions.begin(id(3), path(), Schedule::DATAGRAMS, vec![3], "c").unwrap();
    let mut buffer = Vec::new();
    while transactions.poll_transmit(start(), &mut buffer).is_some() {}
    assert_eq!(buffer, [2, 3]);
    assert_eq!(transactions.cancel_all().collect::<Vec<_>>(), ["b", "c"]);
    assert_eq!(transactions.poll_timeout(), None);
}

#[test]
fn the_timeout_follows_the_round_trip() {
    let now = start();
    let mut round_trip = RoundTrip::default();
    assert_eq!(round_trip.rto(now), Duration::from_millis(500));
    round_trip.measured(now, Duration::from_millis(20));
    assert_eq!(round_trip.rto(now), Duration::from_millis(500));
    round_trip.measured(now, Duration::from_millis(820));
    // RFC 6298: variation (3/4 · 10 + 1/4 · 800), smoothed (7/8 · 20 + 1/8 · 820).
    assert_eq!(round_trip.rto(now), Duration::from_millis(120) + Duration::from_micros(207_500) * 4);
    assert_eq!(round_trip.rto(now + Duration::from_secs(600)), Duration::from_millis(500));
}

#[test]
fn identifiers_come_from_the_seed() {
    let ids = |seed| {
        let mut ids = TransactionIds::new(&[seed; 32]);
        [ids.next_id(), ids.next_id()]
    };
    assert_eq!(ids(1), ids(1));
    assert_ne!(ids(1)[0], ids(1)[1]);
    assert_ne!(ids(1)[0], ids(2)[0]);
}

/// What ICE does with a check that another one takes the place of.
#[test]
fn a_request_on_hold_is_sent_no_more_and_still_answered() {
    let now = start();
    let mut transactions = Transactions::new(10);
    for number in [1, 2, 3] {
        transactions.begin(id(number), path(), Schedule::DATAGRAMS, vec![number], "check").unwrap();
    }
    let mut sent = Vec::new();
    while sent.len() < 2 && transactions.poll_transmit(now, &mut sent).is_some() {}
    for number in [1, 2, 3] {
        transactions.hold(now, id(number), Duration::from_secs(8));
    }
    assert_eq!(transactions.poll_transmit(now, &mut sent), None, "the third one was never sent, and ends");
    assert_eq!(transactions.poll_timeout(), Some((now + Duration::from_secs(8), Reason::GiveUp)));
    assert_eq!(transactions.finish(now, id(1)).map(|finished| finished.value), Some("check"));
    assert_eq!(run(&mut transactions, now), (vec![], 8000));
    assert_eq!(transactions.poll_expired(), Some("check"));
    assert!(transactions.is_empty());
}

/// On hold while it waits to be sent another time.
#[test]
fn a_repetition_on_hold_is_not_sent() {
    let now = start();
    let mut transactions = Transactions::new(10);
    transactions.begin(id(1), path(), Schedule::DATAGRAMS, vec![1], "check").unwrap();
    let mut sent = Vec::new();
    transactions.poll_transmit(now, &mut sent);
    let again = now + Duration::from_millis(500);
    transactions.handle_timeout(again);
    transactions.hold(again, id(1), Duration::from_secs(1));
    assert_eq!(run(&mut transactions, again), (vec![], 1000));
}
