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
    let mut planner = Planner::new();
    assert_eq!(rates(&mut planner, &view(0.0, 300)), [900, 1800]);
    planner
}

fn measured(rate: u64, is_full: bool) -> Measured {
    Measured { rate: kbps(rate), is_full }
}

#[test]
fn a_probe_that_goes_through_asks_for_another() {
    let mut planner = begun();
    planner.on_measured(100_000, measured(900, false), kbps(300));
    planner.on_measured(150_000, measured(1800, false), kbps(900));
    assert_eq!(rates(&mut planner, &view(0.2, 1800)), [3600]);
    // Half as much again as is wanted is enough.
    planner.on_measured(250_000, measured(3600, false), kbps(1800));
    assert_eq!(rates(&mut planner, &view(0.3, 3600)), [6000]);
    planner.on_measured(350_000, measured(6000, false), kbps(3600));
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
    let mut planner = Planner::new();
    let probe = planner.poll(&view(0.0, 100)).unwrap();
    assert_eq!((probe.size, probe.packets), (DataSize::from_bytes(1000), 5));
}
