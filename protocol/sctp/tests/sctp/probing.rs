//! What looking for more rate, and for the least round trip, costs and finds (draft-ietf-ccwg-bbr-06 §5.3.3, §5.3.4).

use std::time::Duration;

use bytes::Bytes;
use twocan_sctp::Options;

use crate::link::Conditions;
use crate::pair::{Pair, config};
use crate::table::transfer;

const ROUND_TRIP: Duration = Duration::from_millis(50);

/// A bulk transfer of so many seconds: bytes that arrived in the last of them.
fn last_second(pair: &mut Pair, seconds: u64) -> u64 {
    let bulk = Bytes::from(vec![7; 65_536]);
    let mut before = 0;
    for _ in 0..seconds {
        before = pair.b.received_bytes;
        let end = pair.now + Duration::from_secs(1);
        while pair.now < end {
            while pair.a.association.send(pair.now, 0, 51, bulk.clone(), Options::default()).is_ok() {}
            pair.run_until(end - pair.now, |pair| pair.a.association.stats().buffered < 1 << 20);
        }
    }
    pair.b.received_bytes - before
}

#[test]
fn a_flow_alone_keeps_the_rate_and_a_short_queue() {
    let path = Conditions::bottleneck(20, ROUND_TRIP);
    let outcome = transfer(20, path, Conditions { rate: 0, ..path }, 12);
    // 97.2 percent of a packet are payload.
    assert!(outcome.used >= 96, "{} %", outcome.used);
    // Half the round trip, a quarter of it in the queue, and the packets of a burst.
    assert!(outcome.latency.1 <= 25 + 13 + 4, "{:?}", outcome.latency);
}

#[test]
fn a_rate_that_rises_is_found() {
    let narrow = Conditions::bottleneck(20, ROUND_TRIP);
    let mut pair = Pair::connected(config(), narrow, 7);
    pair.b.keeps = false;
    last_second(&mut pair, 5);
    pair.a.link.conditions = Conditions::bottleneck(100, ROUND_TRIP);
    let bytes = last_second(&mut pair, 6);
    assert!(bytes >= 100 * 125_000 * 9 / 10, "{bytes} in the last second");
}

#[test]
fn a_rate_that_falls_is_found() {
    let wide = Conditions::bottleneck(100, ROUND_TRIP);
    let mut pair = Pair::connected(config(), wide, 7);
    pair.b.keeps = false;
    last_second(&mut pair, 5);
    pair.a.link.conditions = Conditions::bottleneck(20, ROUND_TRIP);
    let bytes = last_second(&mut pair, 8);
    assert!(bytes >= 20 * 125_000 * 8 / 10, "{bytes} in the last second");
}
