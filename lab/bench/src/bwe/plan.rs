//! The plans: what the path is like, and when.

use std::time::Duration;

use netsim::{Link, Loss};

/// What an application sends at most, in bits a second.
pub(crate) const MOST: u64 = 12_000_000;

/// One row of the table.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    pub(crate) lasting: Duration,
    /// The way there, from a time on: all flows share it.
    pub(crate) path: Vec<(Duration, Link)>,
    /// The way back.
    pub(crate) back: Link,
    /// From when on it is looked for the time to converge.
    pub(crate) from: Duration,
    /// The application's limits, from a time on.
    pub(crate) limits: Vec<(Duration, u64)>,
    /// The rates that there are to choose from, as with simulcast: none, any.
    pub(crate) sizes: &'static [u64],
    /// What flows beside the one that is measured.
    pub(crate) beside: Beside,
}

/// Who else is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beside {
    Nobody,
    /// A TCP flow, from ten seconds on.
    Reno,
    /// Another of the same stack, from ten seconds on.
    Same,
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn milliseconds(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// One way.
const DELAY: Duration = milliseconds(25);

/// A bottleneck with a queue of so many milliseconds.
fn link(kilobits: u64, queue: u64) -> Link {
    Link::of(DELAY).rate(kilobits * 1000, (kilobits * queue / 8) as usize)
}

/// Three sizes of a picture.
const SIZES: &[u64] = &[120_000, 350_000, 1_500_000];
/// What a shaper lets pass at once.
const BURST: usize = 16_000;

/// A way that is so much longer.
fn longer(link: Link, by: u64) -> Link {
    Link { delay: link.delay + milliseconds(by), ..link }
}

fn plan(name: &'static str, link: Link) -> Plan {
    Plan {
        name,
        lasting: seconds(60),
        path: vec![(Duration::ZERO, link)],
        back: Link::of(DELAY),
        from: Duration::ZERO,
        limits: Vec::new(),
        sizes: &[],
        beside: Beside::Nobody,
    }
}

fn lossy(name: &'static str, loss: Loss) -> Plan {
    let back = Link::of(DELAY).loss(loss);
    Plan { back, ..plan(name, link(2500, 200).loss(loss)) }
}

/// All of them.
pub(crate) fn plans() -> Vec<Plan> {
    let outage = link(2500, 200).loss(Loss::Random(1.0));
    vec![
        plan("constant 0.1 Mbit/s", link(100, 500)),
        plan("constant 0.3 Mbit/s", link(300, 300)),
        plan("constant 1 Mbit/s", link(1000, 200)),
        plan("constant 2.5 Mbit/s", link(2500, 200)),
        plan("constant 10 Mbit/s", link(10_000, 200)),
        Plan {
            path: vec![
                (seconds(0), link(2500, 300)),
                (seconds(20), link(600, 300)),
                (seconds(40), link(2500, 300)),
            ],
            from: seconds(40),
            ..plan("steps 2.5, 0.6, 2.5 Mbit/s", Link::default())
        },
        lossy("1 % lost", Loss::Random(0.01)),
        lossy("2 % lost", Loss::Random(0.02)),
        lossy("5 % lost", Loss::Random(0.05)),
        lossy("10 % lost", Loss::Random(0.10)),
        lossy("bursts of 5 lost, 2.4 %", Loss::Bursts { begin: 0.005, end: 0.2 }),
        Plan { beside: Beside::Reno, ..plan("beside TCP, queue 200 ms", link(2500, 200)) },
        Plan { beside: Beside::Reno, ..plan("beside TCP, queue 50 ms", link(2500, 50)) },
        Plan { beside: Beside::Same, ..plan("two of the same", link(2500, 200)) },
        plan("queue of 2 s, 1 Mbit/s", link(1000, 2000)),
        plan("queue of 20 ms", link(2500, 20)),
        plan(
            "10 % late by 10 ms",
            Link { reordered: 0.1, reordered_by: milliseconds(10), ..link(2500, 200) },
        ),
        plan("jitter of 30 ms", Link { jitter: milliseconds(30), ..link(2500, 200) }),
        Plan {
            path: vec![(seconds(0), link(2500, 200)), (seconds(30), outage), (seconds(32), link(2500, 200))],
            from: seconds(32),
            ..plan("outage of 2 s", Link::default())
        },
        Plan {
            path: vec![(seconds(0), link(2500, 200)), (seconds(30), longer(link(2500, 200), 60))],
            from: seconds(30),
            ..plan("way longer by 60 ms", Link::default())
        },
        Plan {
            back: longer(Link::of(DELAY), 125),
            ..plan("round trip of 300 ms", longer(link(2500, 200), 125))
        },
        Plan {
            limits: vec![(seconds(0), 300_000), (seconds(20), MOST)],
            from: seconds(20),
            ..plan("0.3 Mbit/s sent, then all", link(2500, 200))
        },
        plan("bursts of 16 KB pass", link(2500, 200).burst(BURST)),
        Plan { sizes: SIZES, ..plan("sizes, bursts, 0.6 Mbit/s", link(600, 200).burst(BURST)) },
        Plan {
            path: vec![
                (seconds(0), link(600, 200).burst(BURST)),
                (seconds(20), link(1700, 200).burst(BURST)),
            ],
            from: seconds(20),
            sizes: SIZES,
            ..plan("sizes, bursts, 0.6, 1.7 Mbit/s", Link::default())
        },
    ]
}

/// A call of so many bits a second over a way that carries far more: it becomes so much longer one way, jitters and loses so many
/// percent both ways, and is silent for two seconds.
#[cfg(test)]
pub(crate) fn far(delay: u64, jitter: u64, lost: u8, sent: u64) -> Plan {
    let loss = Loss::Random(f64::from(lost) / 100.0);
    let near = Link::of(milliseconds(2)).rate(50_000_000, 1_000_000);
    let bad = |link: Link| Link { jitter: milliseconds(jitter), ..longer(link, delay) }.loss(loss);
    Plan {
        lasting: seconds(30),
        path: vec![
            (seconds(0), near.clone()),
            (seconds(6), bad(near.clone())),
            (seconds(16), near.clone().loss(Loss::Random(1.0))),
            (seconds(18), bad(near)),
        ],
        back: bad(Link::of(milliseconds(2))),
        limits: vec![(seconds(0), sent)],
        sizes: &[40_000, 80_000, 150_000, 300_000, 450_000, 600_000],
        ..plan("far and bad", Link::default())
    }
}

/// A call with pictures of three sizes, over a way that for ten seconds carries its sound only.
#[cfg(test)]
pub(crate) fn wide_again() -> Plan {
    let wide = Link::of(DELAY).rate(50_000_000, 1_000_000);
    Plan {
        path: vec![
            (seconds(0), wide.clone()),
            (seconds(10), wide.clone().rate(60_000, 4_000)),
            (seconds(20), wide),
        ],
        limits: vec![(seconds(0), 600_000)],
        sizes: &[40_000, 200_000, 350_000, 600_000],
        ..plan("wide again", Link::default())
    }
}

impl Plan {
    /// Bits that the path could carry within this time.
    pub(crate) fn capacity(&self, from: Duration, to: Duration) -> f64 {
        let ends = self.path.iter().skip(1).map(|(at, _)| *at).chain([self.lasting]);
        let parts = self.path.iter().zip(ends).map(|((begins, link), ends)| {
            let (begins, ends) = ((*begins).max(from), ends.min(to));
            let rate = if link.loss == Loss::Random(1.0) { 0 } else { link.rate.unwrap_or(0) };
            rate as f64 * ends.saturating_sub(begins).as_secs_f64()
        });
        parts.sum()
    }
}
