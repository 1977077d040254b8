//! Throughput over rate, round trip, loss and reordering, as a table that is checked in: what changes it
//! shows up as a diff. Written anew with `SCTP_TABLE=write cargo test --release -p twocan-sctp -- table`.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use twocan_sctp::{Config, Options};

use crate::link::Conditions;
use crate::pair::{Pair, config};

/// What a bulk transfer of `seconds` did from the third second on.
pub(crate) struct Outcome {
    /// Of the link's bytes a second, in hundredths: payload that was received.
    pub(crate) used: u64,
    /// Milliseconds from sending a small message to receiving it: median and worst.
    pub(crate) latency: (u128, u128),
}

/// A bulk transfer, with a message of 100 bytes beside it every 50 ms.
pub(crate) fn transfer(megabits: u64, conditions: Conditions, back: Conditions, seconds: u64) -> Outcome {
    // Half the window that is usual, so that its limit shows on the longest path.
    let both = Config { receive_window: 32 << 20, ..config() };
    let mut pair = Pair::with((both.clone(), both), (conditions, back), 7);
    pair.a.keeps = false;
    pair.b.keeps = false;
    pair.a.association.connect(pair.now);
    let bulk = Bytes::from(vec![7; 65_536]);
    let step = Duration::from_millis(50);
    let mut latencies = Vec::new();
    let mut received_before = 0;
    let mut small_sent = None;
    for index in 0..seconds * 20 {
        if index == 40 {
            received_before = pair.b.received_bytes;
        }
        let end = pair.now + step;
        if index >= 40 && small_sent.is_none() {
            let options = Options { unordered: true, ..Options::default() };
            pair.a.association.send_copy(pair.now, 1, 1, &[1; 100], options).unwrap();
            small_sent = Some(pair.now);
        }
        while pair.now < end {
            while pair.a.association.send(pair.now, 0, 51, bulk.clone(), Options::default()).is_ok() {}
            let mut small_arrived = false;
            pair.b.keeps = small_sent.is_some();
            pair.run_until(end - pair.now, |pair| {
                small_arrived = pair.b.messages.iter().any(|message| message.stream == 1);
                small_arrived || pair.a.association.stats().buffered < 1 << 20
            });
            if small_arrived && let Some(sent) = small_sent.take() {
                latencies.push((pair.now - sent).as_micros() / 1000);
            }
            for message in pair.b.messages.drain(..) {
                pair.b.association.recycle(message.data);
            }
        }
    }
    let received = pair.b.received_bytes - received_before;
    latencies.sort_unstable();
    let latency = (
        latencies.get(latencies.len() / 2).copied().unwrap_or(u128::MAX),
        latencies.last().copied().unwrap_or(u128::MAX),
    );
    Outcome { used: received * 100 / (megabits * 125_000 * (seconds - 2)), latency }
}

fn table(is_large: bool) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "Payload received in percent of the bottleneck's rate, seconds 2 to 10 of a bulk transfer;"
    );
    let _ = writeln!(
        text,
        "one-way latency in ms (median/worst) of 100-byte messages beside it. Buffer: one BDP.\n"
    );
    let _ = writeln!(
        text,
        "Mbit/s  round trip  no loss          0.1 % loss       1 % loss         10 ms reordering"
    );
    let rates: &[u64] = if is_large { &[1000] } else { &[1, 10, 100] };
    for &megabits in rates {
        for milliseconds in [5, 20, 50, 100] {
            let _ = write!(text, "{megabits:>6}  {milliseconds:>7} ms");
            for (loss, reordering) in [(0, 0), (1000, 0), (10_000, 0), (0, 200_000)] {
                let path = Conditions::bottleneck(megabits, Duration::from_millis(milliseconds));
                let there =
                    Conditions { loss, reordering, reordering_delay: Duration::from_millis(10), ..path };
                let back = Conditions { rate: 0, ..path };
                let Outcome { used, latency } = transfer(megabits, there, back, 10);
                let cell = format!("{used}% {}/{}", latency.0, latency.1);
                let _ = write!(text, "  {cell:<15}");
            }
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
    }
    text
}

fn compare(name: &str, text: &str) {
    let path = format!("{}/tests/sctp/{name}", env!("CARGO_MANIFEST_DIR"));
    #[expect(clippy::disallowed_methods, reason = "whether to write the table anew is asked here only")]
    if std::env::var("SCTP_TABLE").is_ok_and(|value| value == "write") {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == text, "the table changed; write it anew if that is meant:\n{text}");
}

#[test]
#[ignore = "simulates minutes of traffic: run it in release"]
fn table_of_throughput() {
    compare("throughput.txt", &table(false));
}

#[test]
#[ignore = "simulates minutes of traffic at 1 Gbit/s: run it in release"]
fn table_of_throughput_at_a_gigabit() {
    compare("throughput_gigabit.txt", &table(true));
}

#[test]
fn a_long_path_is_filled() {
    let path = Conditions::bottleneck(20, Duration::from_millis(50));
    let outcome = transfer(20, path, Conditions { rate: 0, ..path }, 6);
    assert!(outcome.used >= 90, "{} %", outcome.used);
    assert!(outcome.latency.0 <= 35, "{:?}", outcome.latency);
}

/// What the sender thought, second by second. `SCTP_LOOK="1000 50 0 200000"`: Mbit/s, round trip in ms, loss
/// and reordering of a million.
#[test]
#[ignore = "for looking at one transfer"]
fn look() {
    #[expect(clippy::disallowed_methods, reason = "which transfer to look at is asked here only")]
    let asked = std::env::var("SCTP_LOOK").unwrap_or_else(|_| "1000 50 0 0".into());
    let numbers: Vec<u64> = asked.split(' ').map(|number| number.parse().unwrap()).collect();
    let path = Conditions::bottleneck(numbers[0], Duration::from_millis(numbers[1]));
    let there = Conditions {
        loss: numbers[2],
        reordering: numbers[3],
        reordering_delay: Duration::from_millis(10),
        ..path
    };
    let mut pair = Pair::with((config(), config()), (there, Conditions { rate: 0, ..path }), 7);
    pair.a.keeps = false;
    pair.b.keeps = false;
    pair.a.association.connect(pair.now);
    let bulk = Bytes::from(vec![7; 65_536]);
    let mut before = 0;
    for index in 0..200 {
        let end = pair.now + Duration::from_millis(50);
        while pair.now < end {
            while pair.a.association.send(pair.now, 0, 51, bulk.clone(), Options::default()).is_ok() {}
            pair.run_until(end - pair.now, |pair| pair.a.association.stats().buffered < 1 << 20);
        }
        let received = pair.b.received_bytes - before;
        before = pair.b.received_bytes;
        let used = received * 100 / (numbers[0] * 6250);
        println!(
            "{index:>4} {used:>4}% dropped {} a {:?} window {}",
            pair.a.link.dropped,
            pair.a.association.stats(),
            pair.b.association.stats().receive_window
        );
    }
    println!("{:?} {:?}", pair.a.association.faults(), pair.b.association.faults());
}
