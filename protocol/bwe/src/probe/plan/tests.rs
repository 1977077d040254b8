//! When probes come.

use super::*;

fn kbps(kilobits: u64) -> DataRate {
    DataRate::from_kbps(kilobits)
}

fn view(seconds: f64, target: u64) -> View {
    View {
        now: (seconds * SECOND as f64) as Micros,
        target: kbps(target),
        wanted: kbps(4000),
        max: kbps(100_000),
        is_heard: true,
        is_congested: false,
        queue: 0,
        is_application_limited: false,
    }
}

fn rates(planner: &mut Planner, view: &View) -> Vec<u64> {
    std::iter::from_fn(|| planner.poll(view)).map(|probe| probe.rate.as_kbps()).collect()
}

/// One that has made its first probes, without a result.
fn begun() -> Planner {
    let mut planner = Planner::new(kbps(300));
    assert_eq!(rates(&mut planner, &view(0.0, 300)), [900, 1800]);
    planner
}

/// The newest probe has found something; whether it is believed.
fn found(planner: &mut Planner, now: Micros, rate: u64, is_full: bool, target: u64) -> bool {
    let measured = Measured { id: ProbeId(planner.next_id), rate: kbps(rate), is_full, bytes: 2000 };
    planner.on_measured(now, measured, kbps(target), 100_000)
}

/// The same of one of 60,000 bytes.
fn found_long(planner: &mut Planner, now: Micros, rate: u64, is_full: bool, target: u64) -> bool {
    let measured = Measured { id: ProbeId(planner.next_id), rate: kbps(rate), is_full, bytes: 60_000 };
    planner.on_measured(now, measured, kbps(target), 158_000)
}

#[test]
fn a_probe_that_goes_through_asks_for_another() {
    let mut planner = begun();
    assert!(found(&mut planner, 100_000, 900, false, 300));
    assert!(found(&mut planner, 150_000, 1800, false, 900));
    assert_eq!(rates(&mut planner, &view(0.2, 1800)), [3600]);
    // Half as much again as is wanted is enough.
    assert!(found(&mut planner, 250_000, 3600, false, 1800));
    assert_eq!(rates(&mut planner, &view(0.3, 3600)), [6000]);
    assert!(found(&mut planner, 350_000, 6000, false, 3600));
    assert_eq!(rates(&mut planner, &view(0.4, 6000)), []);
}

#[test]
fn what_found_nothing_makes_the_next_wait() {
    let mut planner = begun();
    let times: Vec<u32> = (1..300)
        .filter(|tenth| !rates(&mut planner, &view(f64::from(*tenth) / 10.0, 1000)).is_empty())
        .collect();
    // Each waits a second for its result, and then four seconds or five.
    assert_eq!(times, [50, 110, 170, 230, 290]);
}

#[test]
fn no_probe_while_there_is_congestion_or_nothing_is_heard() {
    let mut planner = begun();
    assert_eq!(rates(&mut planner, &view(1.0, 1000)), []);
    for bad in [
        View { is_congested: true, ..view(10.0, 1000) },
        View { queue: QUEUE + 1, ..view(11.0, 1000) },
        View { is_heard: false, ..view(12.0, 1000) },
        view(13.0, 4000),
    ] {
        assert_eq!(rates(&mut planner, &bad), []);
        assert!(planner.next_at() > bad.now);
    }
    assert_eq!(rates(&mut planner, &view(14.0, 1000)), [1500]);
}

#[test]
fn more_that_is_wanted_is_probed_for_at_once() {
    let mut planner = begun();
    assert_eq!(rates(&mut planner, &view(1.5, 1000)), []);
    let more = View { wanted: kbps(8000), ..view(1.6, 1000) };
    assert_eq!(rates(&mut planner, &more), [8000, 12_000]);
}

#[test]
fn the_first_probes_are_made_once_more_is_wanted_than_there_is() {
    let mut planner = Planner::new(kbps(1000));
    let silent = View { is_heard: false, ..view(0.0, 1000) };
    let next_to_nothing = View { wanted: kbps(47), ..silent };
    assert_eq!(rates(&mut planner, &next_to_nothing), []);
    assert!(planner.next_at() > next_to_nothing.now);
    let picture = View { wanted: kbps(3200), ..silent };
    assert_eq!(rates(&mut planner, &picture), [3000, 4800]);
}

#[test]
fn what_was_wanted_while_it_was_no_time_to_probe_is_probed_for_later() {
    for bad in [
        View { is_heard: false, ..view(1.5, 1000) },
        View { is_congested: true, ..view(1.5, 1000) },
        View { queue: QUEUE + 1, ..view(1.5, 1000) },
    ] {
        let mut planner = begun();
        let more = |view: View| View { wanted: kbps(8000), ..view };
        assert_eq!(rates(&mut planner, &more(bad)), []);
        assert_eq!(rates(&mut planner, &more(view(1.6, 1000))), [8000, 12_000]);
        // Once, until it has less meanwhile.
        assert!(found(&mut planner, 1_700_000, 1500, true, 1000));
        assert_eq!(rates(&mut planner, &more(view(1.8, 1500))), []);
        assert_eq!(rates(&mut planner, &View { wanted: kbps(2000), ..view(1.9, 1500) }), []);
        assert_eq!(rates(&mut planner, &more(view(2.0, 1500))), [8000, 12_000]);
    }
}

#[test]
fn where_the_rate_fell_from_is_tried_again() {
    let mut planner = begun();
    planner.on_decrease(1_500_000, kbps(3000), kbps(500));
    assert_eq!(rates(&mut planner, &view(2.0, 500)), []);
    assert_eq!(rates(&mut planner, &view(5.1, 500)), [2550]);
    planner.on_recovery(6_000_000, kbps(2000));
    assert_eq!(rates(&mut planner, &view(6.0, 500)), [2000]);
}

#[test]
fn small_probes_have_small_packets() {
    let mut planner = Planner::new(kbps(300));
    let probe = planner.poll(&view(0.0, 100)).unwrap();
    assert_eq!((probe.size, probe.packets), (DataSize::from_bytes(1000), 5));
}

/// One that believed 1.8 Mbit/s, and heard of 20,000 bytes more until the path was found to carry a third.
fn deceived() -> Planner {
    let mut planner = begun();
    assert!(found(&mut planner, 100_000, 1800, false, 300));
    assert!(planner.on_full(kbps(600), kbps(1500), 118_000));
    planner.on_decrease(400_000, DataRate::ZERO, kbps(500));
    planner
}

#[test]
fn what_a_short_probe_found_wrongly_is_believed_of_a_longer_one_only() {
    let mut planner = deceived();
    assert_eq!(planner.least_bytes, 2 * LEAST_BURST);
    // Nor is what it fell from worth a try.
    let probe = planner.poll(&view(3.0, 500)).unwrap();
    assert_eq!((probe.rate, probe.size.as_bytes()), (kbps(750), 1406));
    let mut sizes = Vec::new();
    let mut now = 3.1;
    let mut bytes = probe.size.as_bytes();
    loop {
        let measured = Measured { id: ProbeId(planner.next_id), rate: kbps(750), is_full: false, bytes };
        if planner.on_measured((now * SECOND as f64) as Micros, measured, kbps(500), 200_000) {
            break;
        }
        bytes = planner.poll(&view(now, 500)).unwrap().size.as_bytes();
        sizes.push(bytes);
        now += 0.3;
    }
    assert_eq!(sizes, [5624, 22_496, 2 * LEAST_BURST]);
}

#[test]
fn it_learns_from_being_deceived_again_and_forgets_on_another_path() {
    let mut planner = deceived();
    // What is sent is no more than before: nothing is tried.
    assert!(found_long(&mut planner, SECOND, 1000, true, 500));
    (1..9).for_each(|second| planner.on_sent(second * SECOND, kbps(500), 100_000 + 10_000 * second as u64));
    assert!(!planner.on_full(kbps(900), kbps(1000), 200_000), "that is about it");
    assert!(!planner.on_full(kbps(350), kbps(350), 200_000), "no more was sent");
    assert!(planner.on_full(kbps(600), kbps(1000), 200_000));
    assert_eq!(planner.least_bytes, MOST_BYTES, "twice as much as did not suffice");
    assert!(!planner.on_full(kbps(600), kbps(1000), 200_000), "it is known");
    planner.on_new_path();
    assert_eq!(planner.least_bytes, 0);
    // Long enough at more than before: then it was true.
    assert!(found(&mut planner, 10 * SECOND, 1000, true, 500), "no burst is known of that path");
    planner.on_sent(11 * SECOND, kbps(900), 300_000);
    planner.on_sent(12 * SECOND + 1, kbps(900), 400_000);
    assert!(!planner.on_full(kbps(600), kbps(1000), 500_000));
}

#[test]
fn no_longer_probe_where_the_short_one_leaves_a_queue() {
    let mut planner = deceived();
    assert_eq!(rates(&mut planner, &view(3.0, 500)), [750]);
    assert!(!found(&mut planner, 3_100_000, 750, false, 500));
    assert_eq!(rates(&mut planner, &View { queue: QUEUE + 1, ..view(3.1, 500) }), []);
    assert_eq!(rates(&mut planner, &view(3.2, 500)), []);
}

#[test]
fn the_end_of_what_a_burst_let_pass_is_not_what_the_path_carries() {
    let mut planner = deceived();
    assert_eq!(rates(&mut planner, &view(3.0, 500)), [750]);
    // 700 of 750 kbit/s came through, most of it in the burst: as much is tried for longer.
    assert!(!found(&mut planner, 3_100_000, 700, true, 500));
    let longer = planner.poll(&view(3.1, 500)).unwrap();
    assert_eq!((longer.rate, longer.size.as_bytes()), (kbps(700), 8000));
    // What finds no more than there is need not be longer to be the end of it.
    assert!(!found(&mut planner, 3_200_000, 530, true, 500));
    assert_eq!(rates(&mut planner, &view(3.3, 500)), []);
    // Beyond the burst it is what the path carries.
    assert_eq!(rates(&mut planner, &view(9.0, 500)), [750]);
    assert!(found_long(&mut planner, 9_500_000, 580, true, 500));
}

#[test]
fn what_comes_of_an_older_short_probe_while_another_is_awaited_is_not_believed() {
    let mut planner = deceived();
    let old = planner.poll(&view(3.0, 500)).unwrap();
    assert!(!found(&mut planner, 3_100_000, 750, false, 500));
    assert_eq!(rates(&mut planner, &view(3.1, 500)), [750]);
    for is_full in [false, true] {
        let late = Measured { id: old.id, rate: kbps(740), is_full, bytes: 2200 };
        assert!(!planner.on_measured(3_200_000, late, kbps(500), 100_000));
    }
    assert!(found_long(&mut planner, 3_900_000, 750, false, 500));
}

#[test]
fn a_longer_probe_that_the_target_has_overtaken_leaves_the_next_one_short() {
    let mut planner = deceived();
    assert_eq!(rates(&mut planner, &view(3.0, 500)), [750]);
    assert!(!found(&mut planner, 3_100_000, 700, true, 500));
    assert_eq!(rates(&mut planner, &view(3.2, 720)), []);
    let next = planner.poll(&view(9.0, 720)).unwrap();
    assert_eq!((next.rate, next.size.as_bytes()), (kbps(1080), 2025));
}
