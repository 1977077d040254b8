//! Whole stacks over loopback. Every call: who offers, whether candidates trickle, who closes.

use twocan_rivals::call::{self, Plan};
use twocan_rivals::{End, aiortc, node, ours, pion, str0m};

/// What of an end's closing passes between a stack and ours, by an alert of DTLS (`close_notify`).
#[derive(Clone, Copy)]
struct Closing {
    they_tell: bool,
    they_hear: bool,
}

/// Calls that a stack's own fault may prevent, one after the other.
const TRIES: usize = 10;

const BOTH: Closing = Closing { they_tell: true, they_hear: true };

/// The calls of one stack with ours.
#[track_caller]
fn calls(plan: &Plan, closing: Closing, mut theirs: impl FnMut() -> End) {
    for trickle in [true, false] {
        for they_offer in [true, false] {
            // Each closes once with each offerer.
            let closer = usize::from(trickle);
            let they_close = (closer == 0) == they_offer;
            let awaits_end = if they_close { closing.they_tell } else { closing.they_hear };
            let plan = Plan { trickle, awaits_end, ..*plan };
            let comes_about = |_| {
                let (mut us, mut them) = (ours::end(), theirs());
                println!("{}: {plan:?}, they offer: {they_offer}, closer {closer}", them.name());
                match they_offer {
                    true => call::run(&mut them, &mut us, &plan, closer),
                    false => call::run(&mut us, &mut them, &plan, closer),
                }
            };
            assert!((0..TRIES).any(comes_about), "a fault of their own every time");
        }
    }
}

/// The same, where the stack can be had.
#[track_caller]
fn calls_if_there(name: &str, plan: &Plan, closing: Closing, theirs: impl Fn() -> Result<End, String>) {
    match theirs() {
        Err(why) => println!("skipped: calls with {name}: {why}"),
        Ok(first) => {
            let mut first = Some(first);
            calls(plan, closing, || first.take().unwrap_or_else(|| theirs().expect("it was there")));
        }
    }
}

#[test]
fn we_call_ourselves() {
    calls(&Plan::default(), BOTH, ours::end);
}

#[test]
fn str0m_and_we_understand_each_other() {
    for dtls in ["1.2", "1.3"] {
        calls(&Plan { dtls, ..Plan::default() }, BOTH, str0m::end);
    }
}

#[test]
#[cfg(feature = "webrtc-rs")]
fn webrtc_rs_and_we_understand_each_other() {
    // It announces that it takes 65,536 bytes, and does not heed our alert.
    let plan = Plan { longest: 65_536, ..Plan::default() };
    calls(&plan, Closing { they_tell: true, they_hear: false }, twocan_rivals::webrtc_rs::end);
}

#[test]
#[cfg(not(feature = "webrtc-rs"))]
fn webrtc_rs_and_we_understand_each_other() {
    println!(
        "skipped: calls with webrtc-rs: cargo test --package twocan-rivals --features webrtc-rs webrtc_rs"
    );
}

#[test]
fn aiortc_and_we_understand_each_other() {
    calls_if_there("aiortc", &Plan::default(), BOTH, aiortc::end);
}

#[test]
fn pion_and_we_understand_each_other() {
    calls_if_there("Pion", &Plan::default(), BOTH, pion::end);
}

#[test]
fn libdatachannel_and_we_understand_each_other() {
    // Where it answered, it ended SCTP and no alert left it: not always, so that it is not waited for.
    let closing = Closing { they_tell: false, they_hear: true };
    // Where it is told an answer, and ICE has connected before it has kept that, it finds our certificate to be unknown, and closes.
    // Its sources know of this by now; what is released does not (node-datachannel 0.33.4).
    let plan = Plan { own_fault: Some("without ICE transport"), ..Plan::default() };
    calls_if_there("libdatachannel", &plan, closing, node::libdatachannel);
}

#[test]
fn werift_and_we_understand_each_other() {
    // It announces that it takes 65,536 bytes (a=max-message-size), and nobody may send it more (RFC 8841 §6.1).
    let plan = Plan { longest: 65_536, ..Plan::default() };
    // Two of its own ends find the end of the other by silence too.
    let closing = Closing { they_tell: false, they_hear: false };
    calls_if_there("werift", &plan, closing, node::werift);
}
