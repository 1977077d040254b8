//! Whole stacks over loopback. Every call: who offers, whether candidates trickle, who closes.

use twocan_rivals::call::{self, Plan};
use twocan_rivals::{End, aiortc, node, ours, pion, str0m};

/// The calls of one stack with ours.
#[track_caller]
fn calls(plan: &Plan, mut theirs: impl FnMut() -> End) {
    for trickle in [true, false] {
        for they_offer in [true, false] {
            let plan = Plan { trickle, ..*plan };
            let (mut us, mut them) = (ours::end(), theirs());
            // Each closes once with each offerer.
            let closer = usize::from(trickle);
            println!("{}: {plan:?}, they offer: {they_offer}, closer {closer}", them.name());
            match they_offer {
                true => call::run(&mut them, &mut us, &plan, closer),
                false => call::run(&mut us, &mut them, &plan, closer),
            }
        }
    }
}

/// The same, where the stack can be had.
#[track_caller]
fn calls_if_there(name: &str, plan: &Plan, theirs: impl Fn() -> Result<End, String>) {
    match theirs() {
        Err(why) => println!("skipped: calls with {name}: {why}"),
        Ok(first) => {
            let mut first = Some(first);
            calls(plan, || first.take().unwrap_or_else(|| theirs().expect("it was there")));
        }
    }
}

#[test]
fn we_call_ourselves() {
    calls(&Plan::default(), ours::end);
}

#[test]
fn str0m_and_we_understand_each_other() {
    for dtls in ["1.2", "1.3"] {
        calls(&Plan { dtls, ..Plan::default() }, str0m::end);
    }
}

#[test]
fn aiortc_and_we_understand_each_other() {
    calls_if_there("aiortc", &Plan::default(), aiortc::end);
}

#[test]
fn pion_and_we_understand_each_other() {
    calls_if_there("Pion", &Plan::default(), pion::end);
}

#[test]
fn libdatachannel_and_we_understand_each_other() {
    calls_if_there("libdatachannel", &Plan::default(), node::libdatachannel);
}

#[test]
fn werift_and_we_understand_each_other() {
    // It announces that it takes 65,536 bytes (a=max-message-size), and nobody may send it more (RFC 8841 §6.1).
    let plan = Plan { longest: 65_536, ..Plan::default() };
    calls_if_there("werift", &plan, node::werift);
}
