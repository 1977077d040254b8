//! The rate under signs that are made up.

use super::*;

const MS: Micros = MILLISECOND;

/// A path without a queue that delivers what it is sent.
fn signs(rate: DataRate) -> Signs {
    Signs {
        usage: Usage::Normal,
        queue: 0,
        least_queue: 0,
        latest_queue: 0,
        variation: 0,
        delivered: Some(rate),
        delivered_long: Some(rate),
        sending: Some(rate),
        application: rate,
        sent: Some(rate),
        round_trip: 50 * MS,
        is_losing: false,
    }
}

/// The same with a queue that grows.
fn full(rate: DataRate, queue: Micros) -> Signs {
    Signs { usage: Usage::Over, queue, least_queue: queue, latest_queue: queue, ..signs(rate) }
}

fn kbps(kilobits: u64) -> DataRate {
    DataRate::from_kbps(kilobits)
}

/// Feedback twenty times a second.
fn run(control: &mut Control, from: Micros, milliseconds: i64, signs: impl Fn(DataRate) -> Signs) -> Micros {
    let steps = milliseconds / 50;
    for step in 1..=steps {
        let signs = signs(control.rate());
        control.update(from + step * 50 * MS, &signs);
    }
    from + steps * 50 * MS
}

#[test]
fn without_a_queue_the_rate_grows_but_not_beyond_what_was_tried() {
    let mut control = Control::new(0, kbps(300));
    run(&mut control, 0, 4000, signs);
    assert!(control.rate() > kbps(1000), "{}", control.rate());
    let mut control = Control::new(0, kbps(300));
    run(&mut control, 0, 4000, |_| signs(kbps(300)));
    assert_eq!(control.rate(), kbps(460));
}

#[test]
fn a_full_path_is_drained_and_then_filled_again() {
    let mut control = Control::new(0, kbps(2600));
    assert_eq!(control.update(50 * MS, &full(kbps(2500), 40 * MS)), Found::Full);
    assert!(control.is_draining());
    assert_eq!(control.rate(), kbps(2125));
    // The queue is gone.
    assert_eq!(control.update(300 * MS, &signs(kbps(2125))), Found::Nothing);
    assert_eq!(control.rate(), kbps(2450));
    // Near the capacity it grows by a packet for each response.
    run(&mut control, 300 * MS, 1000, signs);
    assert!((2500..2530).contains(&control.rate().as_kbps()), "{}", control.rate());
}

#[test]
fn a_long_queue_is_drained_faster() {
    let mut control = Control::new(0, kbps(2600));
    control.update(50 * MS, &Signs { sending: Some(kbps(2600)), ..full(kbps(600), 300 * MS) });
    assert_eq!(control.rate(), kbps(300));
}

#[test]
fn an_application_that_sends_little_does_not_lose_everything() {
    let mut control = Control::new(0, kbps(2000));
    control.update(50 * MS, &full(kbps(100), 150 * MS));
    assert_eq!(control.rate(), kbps(1250));
}

#[test]
fn a_packets_own_time_is_no_queue() {
    // 1,200 bytes take 32 ms at 300 kbit/s.
    let mut control = Control::new(0, kbps(300));
    assert_eq!(control.update(50 * MS, &full(kbps(300), 33 * MS)), Found::Nothing);
    assert_eq!(control.update(100 * MS, &full(kbps(300), 40 * MS)), Found::Full);
}

#[test]
fn a_queue_that_others_fill_is_left_to_loss() {
    let mut control = Control::new(0, kbps(1500));
    // It is longer and shorter by turns.
    let turn = std::cell::Cell::new(0);
    let queue = |rate| {
        turn.set(turn.get() + 1);
        Signs { usage: Usage::Normal, ..full(rate, 150 * MS + turn.get() % 3 * 10 * MS) }
    };
    let now = run(&mut control, 0, 2000, queue);
    assert!(control.is_contended());
    let before = control.rate();
    let now = run(&mut control, now, 2000, queue);
    assert!(control.rate() > before);
    let before = control.rate();
    // Several losses at once are one.
    let now = run(&mut control, now, 200, |rate| Signs { is_losing: true, ..queue(rate) });
    assert_eq!(control.rate().as_kbps(), before.scaled(CONTENDED_LOSS).as_kbps());
    run(&mut control, now, 50, signs);
    assert!(!control.is_contended());
}

/// The shortest of what jitters varies, and what was seen of it first was from before: but its delays vary from one to the next.
#[test]
fn a_longer_way_that_jitters_is_found_before_its_losses_are_taken_for_others() {
    let mut control = Control::new(0, kbps(2900));
    let queue = |now: Micros| 100 * MS + (now / MS * 7 % 11) * MS;
    let jitters = |now, variation, rate| Signs { variation, is_losing: true, ..full(rate, queue(now)) };
    let mut now = run(&mut control, 0, 400, |rate| full(rate, 25 * MS));
    for (variation, finds) in [(2 * MS, false), (8 * MS, true)] {
        let mut found = false;
        for _ in 0..60 {
            now += 50 * MS;
            let signs = jitters(now, variation, control.rate());
            let before = control.rate();
            if control.update(now, &signs) == Found::Longer {
                found = true;
                // None of the losses since was the others'.
                assert!(control.rate() > before.scaled(1.3), "{before} {}", control.rate());
                break;
            }
        }
        assert_eq!(found, finds, "{variation}");
    }
}

/// Of few packets less seems to arrive than was sent, and a moment later more: what does not make the queue longer is no sign of a
/// path that carries less still, nor does what is sent at the very least fill it.
#[test]
fn few_packets_do_not_hide_that_the_way_has_become_longer() {
    let mut control = Control::new(0, kbps(900));
    let mut found = Found::Nothing;
    for step in 1..60 {
        let least = control.rate().max(kbps(200));
        let delivered = Some(least.scaled(0.8));
        let signs = Signs { usage: Usage::Normal, delivered, variation: 5 * MS, ..full(least, 100 * MS) };
        found = control.update(step * 50 * MS, &signs);
        if found == Found::Longer {
            break;
        }
    }
    assert_eq!(found, Found::Longer);
    assert_eq!(control.rate(), kbps(765));
}

/// Who sends little sees little arrive: packets take no longer for that, and the queue is not gone.
#[test]
fn a_queue_is_not_gone_because_less_is_sent() {
    let mut control = Control::new(0, kbps(900));
    control.update(50 * MS, &full(kbps(600), 100 * MS));
    assert!(control.is_draining());
    // At this rate a packet of 1,200 bytes would take 120 ms.
    run(&mut control, 50 * MS, 100, |_| full(kbps(80), 100 * MS));
    assert!(control.is_draining());
}

/// Who sends more than it is told, for what is lost, fills it alone.
#[test]
fn who_does_not_do_as_it_is_told_finds_nobody_else() {
    let mut control = Control::new(0, kbps(2900));
    run(&mut control, 0, 3000, |_| Signs { usage: Usage::Normal, ..full(kbps(580), 180 * MS) });
    assert!(!control.is_contended());
    assert!(control.rate() < kbps(400), "{}", control.rate());
}

#[test]
fn a_way_that_became_longer_is_no_queue() {
    let mut control = Control::new(0, kbps(1500));
    let mut found = Vec::new();
    for step in 1..40 {
        let signs = Signs { usage: Usage::Normal, ..full(control.rate(), 60 * MS) };
        found.push(control.update(step * 50 * MS, &signs));
        if found.last() == Some(&Found::Longer) {
            break;
        }
    }
    assert_eq!(found.last(), Some(&Found::Longer), "{found:?}");
    assert_eq!(found.iter().filter(|found| **found == Found::Full).count(), 3);
    assert_eq!(control.rate(), kbps(1275));
}

#[test]
fn a_probe_counts_in_full_first_and_by_half_later() {
    let mut control = Control::new(0, kbps(300));
    control.on_probe(kbps(1000), true);
    assert_eq!(control.rate(), kbps(1000));
    control.update(50 * MS, &full(kbps(1000), 40 * MS));
    control.set(kbps(1000));
    control.on_probe(kbps(2000), true);
    assert_eq!(control.rate(), kbps(1500));
    control.on_probe(kbps(3000), false);
    assert_eq!(control.rate(), kbps(3000));
}

/// Half of what is sent arrives, and packets wait: no need to see whether the queue ever is empty.
#[test]
fn a_way_that_narrows_is_answered_at_once_and_by_what_arrives() {
    let narrow = |delivered, latest_queue| Signs {
        sent: Some(kbps(1900)),
        delivered: Some(kbps(delivered)),
        latest_queue: latest_queue * MS,
        ..signs(kbps(1900))
    };
    // The application was the limit until now.
    let mut control = Control::new(0, kbps(4000));
    assert_eq!(control.update(50 * MS, &narrow(1200, 60)), Found::Nothing, "the way may have become longer");
    assert_eq!(control.update(100 * MS, &narrow(900, 30)), Found::Nothing, "what varies may vary more");
    assert_eq!(control.update(150 * MS, &narrow(900, 60)), Found::Full);
    assert_eq!(control.rate(), kbps(765));
    // That was not all; where the queue is no longer than before, it was.
    assert_eq!(control.update(200 * MS, &narrow(600, 120)), Found::Full);
    assert_eq!(control.rate(), kbps(420));
    assert_eq!(control.update(250 * MS, &narrow(600, 120)), Found::Nothing);
    // What was the shortest queue before does not mean that it is gone.
    assert!(control.is_draining());
    assert_eq!(control.update(300 * MS, &narrow(600, 5)), Found::Nothing);
    assert!(!control.is_draining());
}

/// Who has found that others fill the queue knows that what arrives is what they leave.
#[test]
fn beside_others_no_way_narrows() {
    let mut control = Control::new(0, kbps(1500));
    let turn = std::cell::Cell::new(0);
    let queue = |rate| {
        turn.set(turn.get() + 1);
        Signs { usage: Usage::Normal, ..full(rate, 150 * MS + turn.get() % 3 * 10 * MS) }
    };
    let now = run(&mut control, 0, 2000, queue);
    let now = run(&mut control, now, 50, signs);
    assert!(!control.is_contended());
    let narrow =
        |rate: DataRate| Signs { delivered: Some(rate.scaled(0.5)), latest_queue: 100 * MS, ..signs(rate) };
    let before = control.rate();
    run(&mut control, now, 200, narrow);
    assert!(control.rate() >= before, "{}", control.rate());
    run(&mut control, now + REMEMBERED, 50, narrow);
    assert!(control.rate() < before.scaled(0.5), "{}", control.rate());
}
