//! Whole conversations from seeds: both ends send over a bad path with outages, and a model knows what must come out.
//!
//! `TWOCAN_SEEDS=5000` runs so many; `TWOCAN_SEED=17` runs that one, as a failure prints it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use twocan_sctp::{Config, Event, Options, ReceivedMessage, Reliability};

use crate::link::{Conditions, Outage};
use crate::pair::{End, Pair, config};

/// What `make test` runs.
const SEEDS: u64 = 200;
/// Within that all must have arrived: an hour in which the worst path delivers it many times over.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Chance, from a seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Evenly, from 0 to below the bound.
    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Whether something happens that happens so often of a hundred times.
    fn is(&mut self, of_a_hundred: u64) -> bool {
        self.below(100) < of_a_hundred
    }

    fn milliseconds(&mut self, bound: u64) -> Duration {
        Duration::from_millis(self.below(bound))
    }
}

/// Says how to run a failing seed again.
struct Replay(u64);

impl Drop for Replay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let seed = self.0;
            eprintln!("again: TWOCAN_SEED={seed} cargo test --package twocan-sctp --test sctp seeds");
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "which seeds to run is asked here only")]
fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text}: no number")))
}

#[test]
fn every_seed_keeps_its_promises() {
    let seeds = match asked("TWOCAN_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..asked("TWOCAN_SEEDS").unwrap_or(SEEDS),
    };
    for seed in seeds {
        let _replay = Replay(seed);
        converse(seed);
    }
}

/// A message that is to be sent.
#[derive(Debug)]
struct Planned {
    at: Duration,
    stream: u16,
    length: usize,
    unordered: bool,
    reliability: Reliability,
}

fn path(dice: &mut Dice) -> Conditions {
    let rate = [0, 30_000, 250_000, 2_500_000][dice.below(4) as usize];
    let outage = dice.is(40).then(|| Outage {
        from: Duration::from_millis(50) + dice.milliseconds(3000),
        lasting: dice.milliseconds(8000),
    });
    Conditions {
        rate,
        delay: Duration::from_micros(100 + dice.below(150_000)),
        buffer: 3000 + dice.below(300_000),
        loss: if dice.is(60) { dice.below(250_000) } else { 0 },
        duplication: if dice.is(30) { dice.below(200_000) } else { 0 },
        reordering: if dice.is(50) { dice.below(500_000) } else { 0 },
        reordering_delay: dice.milliseconds(200),
        outage,
        ..Conditions::default()
    }
}

fn plan(dice: &mut Dice) -> Vec<Planned> {
    let longest = [60, 3000, 40_000, 120_000][dice.below(4) as usize];
    let span = 1 + dice.below(4000);
    let partial = dice.below(60);
    let mut plan: Vec<_> = (0..dice.below(60))
        .map(|_| Planned {
            at: dice.milliseconds(span),
            stream: dice.below(6) as u16,
            length: 1 + dice.below(longest) as usize,
            unordered: dice.is(40),
            reliability: match dice.is(partial) {
                false => Reliability::Reliable,
                true if dice.is(50) => Reliability::MaxRetransmits(dice.below(3) as u16),
                true => Reliability::MaxLifetime(dice.milliseconds(1000)),
            },
        })
        .collect();
    plan.sort_by_key(|message| message.at);
    plan
}

fn converse(seed: u64) {
    let mut dice = Dice(seed);
    // Room for the begun messages of all streams: with less an association may have to end (`OutOfResource`).
    let window = 1usize << (20 + dice.below(3));
    let both = Config {
        interleaving: dice.is(50),
        zero_checksum: dice.is(50),
        receive_window: window,
        piece_size: 32 << 10,
        packet_size: [600, 1160, 1400][dice.below(3) as usize],
        max_retransmissions: 1000,
        max_init_retransmissions: 100,
        ..config()
    };
    let paths = (path(&mut dice), path(&mut dice));
    let mut plans = [plan(&mut dice), plan(&mut dice)];
    let mut pair = Pair::with((both.clone(), both.clone()), paths, seed);
    pair.a.association.connect(pair.now);
    if dice.is(20) {
        pair.b.association.connect(pair.now);
    }
    let start = pair.now;
    let [mut from_a, mut from_b] = plans.each_ref().map(|plan| plan.iter().enumerate().peekable());
    // Everything is said at its time, whether there is an association already or not.
    loop {
        let due = [from_a.peek(), from_b.peek()].into_iter().flatten().map(|(_, message)| message.at).min();
        let Some(at) = due else { break };
        run(&mut pair, &both, start + at, |_| false);
        for (end, plan) in [(&mut pair.a, &mut from_a), (&mut pair.b, &mut from_b)] {
            while let Some((index, message)) = plan.next_if(|(_, message)| message.at <= at) {
                let options = Options { unordered: message.unordered, reliability: message.reliability };
                let bytes = content(index, message.length).into();
                end.association.send(pair.now, message.stream, index as u32, bytes, options).unwrap();
            }
        }
    }
    let [at_b, at_a] = plans.each_ref().map(|plan| Expected::of(plan));
    let is_done = |pair: &Pair| at_a.is_met(&pair.a) && at_b.is_met(&pair.b) && is_quiet(pair);
    let until = pair.now + PATIENCE;
    assert!(
        run(&mut pair, &both, until, is_done),
        "{paths:?}\n{:#?}\n{:#?}",
        pair.a.association,
        pair.b.association
    );
    let [from_a, from_b] = &mut plans;
    check(&pair.b.messages, from_a);
    check(&pair.a.messages, from_b);
    for end in [&pair.a, &pair.b] {
        assert!(!end.events.iter().any(|event| matches!(event, Event::Closed(_))));
    }
}

fn is_quiet(pair: &Pair) -> bool {
    [&pair.a, &pair.b].iter().all(|end| {
        let stats = end.association.stats();
        end.association.is_established() && stats.buffered == 0 && stats.in_flight == 0
    })
}

/// Runs on until then, or until something holds, and looks at every step whether limits and deadlines are kept.
fn run(pair: &mut Pair, both: &Config, until: Instant, is_done: impl Fn(&Pair) -> bool) -> bool {
    pair.run_until(until - pair.now, |pair| {
        for end in [&pair.a, &pair.b] {
            let (association, stats) = (&end.association, end.association.stats());
            assert!(stats.receive_window <= both.receive_window);
            assert!(stats.buffered <= both.send_buffer);
            assert!(stats.in_flight <= (both.max_in_flight + both.packet_size) as u64);
            let deadline = association.poll_timeout();
            // What is due was done, and who has something to do will be woken.
            assert!(deadline.is_none_or(|(time, _)| time > pair.now), "{deadline:?} at {:?}", pair.now);
            let waits = association.is_established() && (stats.buffered > 0 || stats.in_flight > 0);
            assert!(!waits || deadline.is_some(), "forgotten: {association:#?}");
        }
        let is_over = pair.next_wake_up().is_none() && !is_quiet(pair);
        assert!(!is_over, "nothing will ever happen: {:?} {:?}", pair.a.events, pair.b.events);
        is_done(pair)
    })
}

/// How many messages must come whatever the path does.
struct Expected(Vec<bool>);

impl Expected {
    fn of(plan: &[Planned]) -> Self {
        Self(plan.iter().map(|message| matches!(message.reliability, Reliability::Reliable)).collect())
    }

    fn is_met(&self, end: &End) -> bool {
        let whole = end.messages.iter().filter(|piece| piece.last);
        let reliable = whole.filter(|piece| self.0[piece.ppid as usize]).count();
        reliable >= self.0.iter().filter(|is_reliable| **is_reliable).count()
    }
}

fn content(index: usize, length: usize) -> Vec<u8> {
    (0..length).map(|place| (index * 31 + place / 7) as u8).collect()
}

/// Once each, whole, and in order where that was asked for.
fn check(received: &[ReceivedMessage], plan: &[Planned]) {
    let mut pieces: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    let mut last_ordered: BTreeMap<u16, u32> = BTreeMap::new();
    let mut seen = vec![false; plan.len()];
    for piece in received {
        let bytes = pieces.entry(piece.id).or_default();
        assert_eq!(bytes.is_empty(), piece.first);
        bytes.extend_from_slice(&piece.data);
        if !piece.last {
            continue;
        }
        let index = piece.ppid as usize;
        let planned = &plan[index];
        assert!(!seen[index], "message {index} came twice");
        seen[index] = true;
        assert_eq!((piece.stream, piece.unordered), (planned.stream, planned.unordered));
        assert!(*bytes == content(index, planned.length), "message {index} is another");
        if !planned.unordered
            && let Some(before) = last_ordered.insert(piece.stream, piece.ppid)
        {
            assert!(before < piece.ppid, "stream {}: {before} before {}", piece.stream, piece.ppid);
        }
    }
}
