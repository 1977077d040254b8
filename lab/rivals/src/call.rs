//! What two ends have to do with each other.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{DEADLINE, End};

/// How they are introduced.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Whether candidates follow the description one by one, or come in it.
    pub trickle: bool,
    /// The version of DTLS where a stack can choose: `1.2` or `1.3`.
    pub dtls: &'static str,
    /// Bytes of the longest message.
    pub longest: usize,
    /// Whether the channel is closed before the connection.
    pub closes_channel: bool,
    /// Whether the other end is to learn at once that the connection was closed, or only by silence, which takes half a
    /// minute (RFC 7675 §5.1) and is not waited for.
    pub awaits_end: bool,
    /// What a stack says where it did not connect for a known fault of its own, by chance: the call is made again.
    pub own_fault: Option<&'static str>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            trickle: true,
            dtls: "1.2",
            longest: 250_000,
            closes_channel: true,
            awaits_end: true,
            own_fault: None,
        }
    }
}

/// A whole call: `a` offers, both send text and bytes, and `closer` (0 or 1) closes. Whether it came about: it is to be made
/// again where a stack's [own fault](Plan::own_fault) was in the way.
///
/// # Panics
/// If anything else is not as it should be.
#[track_caller]
pub fn run(a: &mut End, b: &mut End, plan: &Plan, closer: usize) -> bool {
    if !connect(a, b, plan) {
        return false;
    }
    for (from, to) in [(0, 1), (1, 0)] {
        let ends = [&mut *a, &mut *b];
        ends[from].tell(json!({ "text": "hello" }));
        assert_eq!(ends[to].expect("text"), "hello");
        // Shorter than a packet, and of many.
        for length in [1, 1000, plan.longest] {
            ends[from].tell(json!({ "bytes": length }));
            let deadline = Instant::now() + DEADLINE;
            let heard = loop {
                // One that cannot send says so itself: the other would wait in vain.
                if let Some(line) = ends[from].hear(Instant::now()) {
                    assert!(line.get("error").is_none(), "{}: {}", ends[from].name(), line["error"]);
                }
                let Some(line) = ends[to].hear(Instant::now() + Duration::from_millis(5)) else {
                    let names = [ends[from].name(), ends[to].name()];
                    assert!(Instant::now() < deadline, "{length} bytes never came, from and to {names:?}");
                    continue;
                };
                if line.get("bytes").is_some() {
                    break line;
                }
                assert!(line.get("error").is_none(), "{}: {}", ends[to].name(), line["error"]);
            };
            assert_eq!(heard, json!({ "bytes": length, "good": true }), "from {}", ends[from].name());
        }
    }
    let ends = [a, b];
    if plan.closes_channel {
        ends[closer].tell(json!({ "close": "channel" }));
        assert_eq!(ends[1 - closer].expect("closed"), "channel");
    }
    ends[closer].tell(json!({ "close": "connection" }));
    if !plan.awaits_end {
        return true;
    }
    loop {
        // A channel goes with its connection.
        match ends[1 - closer].expect("closed").as_str() {
            Some("connection") => return true,
            Some("channel") => {}
            other => panic!("{other:?} closed"),
        }
    }
}

/// Introduces two ends until the channel is open at both; false where a stack's own fault was in the way.
///
/// # Panics
/// If that does not come about for any other reason.
#[track_caller]
fn connect(a: &mut End, b: &mut End, plan: &Plan) -> bool {
    for end in [&mut *a, &mut *b] {
        end.tell(json!({ "begin": { "trickle": plan.trickle, "dtls": plan.dtls } }));
    }
    a.tell(json!({ "offer": "chat" }));
    let ends = [a, b];
    let (mut open, mut described) = ([false, false], [false, false]);
    // Candidates that came before the description they belong to.
    let mut early: [Vec<Value>; 2] = [Vec::new(), Vec::new()];
    let deadline = Instant::now() + DEADLINE;
    while open != [true, true] {
        assert!(
            Instant::now() < deadline,
            "{} and {} do not connect: open {open:?}",
            ends[0].name(),
            ends[1].name()
        );
        for from in [0, 1] {
            let to = 1 - from;
            let Some(line) = ends[from].hear(Instant::now() + Duration::from_millis(5)) else { continue };
            if let Some(error) = line.get("error") {
                let is_known =
                    plan.own_fault.zip(error.as_str()).is_some_and(|(known, error)| error.contains(known));
                assert!(is_known, "{}: {error}", ends[from].name());
                return false;
            }
            if line.get("description").is_some() {
                ends[to].tell(line);
                described[from] = true;
                for line in early[from].drain(..) {
                    ends[to].tell(line);
                }
            } else if line.get("candidate").is_some() {
                match described[from] {
                    true => ends[to].tell(line),
                    false => early[from].push(line),
                }
            } else if line.get("open").is_some() {
                assert_eq!(line["open"], "chat");
                open[from] = true;
            }
        }
    }
    true
}
