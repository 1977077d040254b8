use std::time::Duration;

use twocan_sctp::{Config, Event, Options, SendError};

use crate::link::Conditions;
use crate::pair::{Pair, config};

/// Bytes that differ from place to place.
pub(crate) fn pattern(length: usize, seed: u8) -> Vec<u8> {
    (0..length).map(|index| (index * 7 + index / 251) as u8 ^ seed).collect()
}

#[test]
fn messages_of_every_size_arrive_whole_and_in_order() {
    for interleaving in [true, false] {
        let mut pair = Pair::connected(Config { interleaving, ..config() }, Conditions::default(), 1);
        let sizes = [1, 2, 3, 4, 5, 1000, 1128, 1131, 1132, 1133, 1134, 2264, 2265, 65_536, 262_144];
        for (index, size) in sizes.into_iter().enumerate() {
            pair.send(7, pattern(size, index as u8), Options::default());
        }
        assert!(pair.run_until(Duration::from_secs(20), |pair| pair.b.messages.len() == sizes.len()));
        for (index, size) in sizes.into_iter().enumerate() {
            let message = &pair.b.messages[index];
            assert_eq!((message.stream, message.ppid, message.data.len()), (7, 51, size));
            assert!(message.data == pattern(size, index as u8), "message {index}");
        }
    }
}

#[test]
fn small_messages_share_packets_and_a_sack_covers_two() {
    let mut pair = Pair::connected(config(), Conditions::default(), 1);
    pair.run_for(Duration::from_secs(1));
    pair.a.trace = Some(Vec::new());
    pair.b.trace = Some(Vec::new());
    for index in 0..20 {
        pair.send(0, pattern(100, index), Options::default());
    }
    pair.run_for(Duration::from_secs(1));
    assert_eq!(pair.b.messages.len(), 20);
    let (a, b) = (pair.a.trace.take().unwrap(), pair.b.trace.take().unwrap());
    assert_eq!(
        a.iter().map(|packet| packet.matches("I-DATA").count()).collect::<Vec<_>>(),
        [9, 9, 2],
        "{a:?}"
    );
    assert_eq!(b.len(), 1, "{b:?}");
}

#[test]
fn a_longer_message_comes_in_pieces() {
    let both = Config { max_receive_message_size: 64 << 20, piece_size: 100_000, ..config() };
    let mut pair = Pair::connected(both, Conditions::default(), 1);
    let bytes = pattern(1_000_000, 1);
    pair.send(0, bytes.clone(), Options::default());
    pair.send(0, &b"next"[..], Options::default());
    assert!(pair.run_until(Duration::from_secs(60), |pair| pair.b.received_messages == 2));
    let pieces = &pair.b.messages;
    assert!(pieces.len() > 9 && pieces[..pieces.len() - 1].iter().all(|piece| piece.id == pieces[0].id));
    assert!(pieces[0].first && !pieces[1].first && !pieces[0].last && pieces[pieces.len() - 2].last);
    let whole: Vec<u8> = pieces[..pieces.len() - 1].iter().flat_map(|piece| piece.data.clone()).collect();
    assert!(whole == bytes);
}

#[test]
fn a_message_beyond_the_limit_ends_the_association() {
    let mut pair = Pair::connected(config(), Conditions::default(), 1);
    pair.send(0, pattern(300_000, 1), Options::default());
    assert!(pair.run_until(Duration::from_secs(10), |pair| pair.a.association.is_ended()));
    assert!(pair.b.association.is_ended() && pair.b.messages.is_empty());
}

#[test]
fn a_reader_that_stops_stops_the_writer() {
    let both = Config { receive_window: 1 << 20, send_buffer: 1 << 20, ..config() };
    let mut pair = Pair::connected(both, Conditions::default(), 1);
    pair.b.takes = false;
    let message = bytes::Bytes::from(pattern(65_536, 1));
    let mut sent = 0;
    for _ in 0..100 {
        while pair.a.association.send(pair.now, 0, 51, message.clone(), Options::default()).is_ok() {
            sent += 1;
        }
        pair.run_for(Duration::from_millis(100));
    }
    assert!((28..=34).contains(&sent), "{sent}: two buffers full");
    assert_eq!(
        pair.a.association.send(pair.now, 0, 51, message.clone(), Options::default()),
        Err(SendError::Full)
    );
    // The window stays shut for a while, then opens.
    pair.run_for(Duration::from_secs(30));
    assert!(pair.a.association.is_established() && pair.b.association.is_established());
    pair.b.takes = true;
    assert!(pair.run_until(Duration::from_secs(5), |pair| pair.b.received_messages == sent));
    assert!(pair.a.has(&Event::Writable));
    assert!(pair.b.messages.iter().all(|received| received.data == message));
}

#[test]
fn a_stream_that_fills_the_buffer_does_not_shut_out_the_others() {
    let config = Config { send_buffer: 1 << 20, ..config() };
    let mut pair = Pair::connected(config, Conditions::bottleneck(10, Duration::from_millis(20)), 1);
    let mut send = |stream, length| {
        let message = bytes::Bytes::from(pattern(length, 1));
        pair.a.association.send(pair.now, stream, 51, message, Options::default())
    };
    while send(0, 65_000).is_ok() {}
    assert_eq!(send(0, 65_000), Err(SendError::Full));
    let modest = (0..1000).take_while(|_| send(1, 1_000).is_ok()).count();
    assert_eq!(modest, 65, "64 KiB");
    let others = (2..1000).take_while(|stream| send(*stream, 60_000).is_ok()).count();
    assert!((2..=5).contains(&others), "{others}: a quarter of the buffer in all");
}

#[test]
fn the_application_hears_when_little_is_left() {
    let mut pair = Pair::connected(config(), Conditions::bottleneck(10, Duration::from_millis(20)), 1);
    pair.a.association.set_buffered_amount_low_threshold(2, 10_000);
    pair.send(2, pattern(200_000, 1), Options::default());
    assert_eq!(pair.a.association.buffered_amount(2), 200_000);
    let low = Event::BufferedAmountLow { stream: 2 };
    assert!(pair.run_until(Duration::from_secs(5), |pair| pair.a.has(&low)));
    assert!((1..=10_000).contains(&pair.a.association.buffered_amount(2)));
}

#[test]
fn unordered_messages_do_not_wait_for_each_other() {
    for interleaving in [true, false] {
        let mut pair = Pair::connected(Config { interleaving, ..config() }, Conditions::default(), 1);
        let unordered = Options { unordered: true, ..Options::default() };
        pair.a.link.conditions.loss = 1_000_000;
        pair.send(1, &b"lost at first"[..], unordered);
        pair.send(2, &b"ordered, lost at first"[..], Options::default());
        pair.settle();
        pair.a.link.conditions.loss = 0;
        pair.send(1, pattern(5000, 2), unordered);
        pair.send(2, &b"ordered, second"[..], Options::default());
        assert!(pair.run_until(Duration::from_secs(5), |pair| pair.b.messages.len() == 4));
        let order: Vec<usize> = pair.b.messages.iter().map(|message| message.data.len()).collect();
        assert_eq!(order[0], 5000, "{order:?}");
        let ordered: Vec<_> = pair.b.messages.iter().filter(|message| message.stream == 2).collect();
        assert_eq!(ordered[0].data, b"ordered, lost at first");
    }
}

#[test]
fn a_wider_path_is_found_and_a_narrow_one_too() {
    for mtu in [65_535, 9000, 5000, 2200, 1200] {
        let both = Config { max_packet_size: 16_000, ..config() };
        let conditions = Conditions { mtu, ..Conditions::default() };
        let mut pair = Pair::connected(both, conditions, 1);
        pair.run_for(Duration::from_secs(5));
        assert_eq!(pair.a.association.stats().packet_size, 1160, "there is nothing to carry");
        pair.send(0, pattern(50_000, 1), Options::default());
        pair.run_for(Duration::from_secs(60));
        let found = pair.a.association.stats().packet_size;
        // One more chunk would not fit.
        let most = mtu.min(16_000);
        assert!(found <= most && found + 1160 > most, "{found} of {most}");
        pair.send(0, pattern(200_000, 1), Options::default());
        assert!(pair.run_until(Duration::from_secs(5), |pair| pair.b.received_messages == 2));
    }
}

#[test]
fn a_path_that_becomes_narrower_is_noticed() {
    let both = Config { max_packet_size: 9000, ..config() };
    let mut pair = Pair::connected(both, Conditions::default(), 1);
    pair.send(0, pattern(50_000, 1), Options::default());
    pair.run_for(Duration::from_secs(5));
    assert_eq!(pair.a.association.stats().packet_size, 9000);
    pair.a.link.conditions.mtu = 1200;
    pair.send(0, pattern(100, 1), Options::default());
    pair.send(0, pattern(50_000, 1), Options::default());
    pair.run_for(Duration::from_secs(5));
    assert_eq!(pair.a.association.stats().packet_size, 1160);
    // What went together goes alone.
    assert!(pair.run_until(Duration::from_secs(60), |pair| pair.b.received_messages == 3));
}

#[test]
fn another_path_is_looked_at_anew() {
    let both = Config { max_packet_size: 9000, ..config() };
    let mut pair = Pair::connected(both, Conditions::default(), 1);
    pair.send(0, pattern(50_000, 1), Options::default());
    pair.run_for(Duration::from_secs(5));
    assert_eq!(pair.a.association.stats().packet_size, 9000);
    for (limit, finds) in [(0, 1160), (5000, 5000)] {
        pair.a.association.leave_path(limit);
        assert_eq!(pair.a.association.stats().packet_size, 1160);
        pair.send(0, pattern(50_000, 1), Options::default());
        pair.run_for(Duration::from_secs(5));
        assert_eq!(pair.a.association.stats().packet_size, finds);
    }
}

/// Another stack may have no room for more than it sends itself, and fail at that.
#[test]
fn who_does_not_say_that_it_takes_larger_packets_gets_none() {
    let wide = Config { max_packet_size: 9000, ..config() };
    for ends in [(wide.clone(), config()), (config(), wide)] {
        let mut pair = Pair::with(ends, (Conditions::default(), Conditions::default()), 1);
        pair.a.association.connect(pair.now);
        pair.run_for(Duration::from_secs(5));
        pair.send(0, pattern(50_000, 1), Options::default());
        pair.run_for(Duration::from_secs(5));
        for end in [&pair.a, &pair.b] {
            assert_eq!(end.association.stats().packet_size, 1160);
        }
    }
}
