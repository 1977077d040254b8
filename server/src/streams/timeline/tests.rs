use super::*;

const SECOND: u64 = 1 << 32;

struct World {
    start: Instant,
    timeline: Timeline,
}

impl World {
    fn new(offset: u64) -> Self {
        Self { start: Instant::now(), timeline: Timeline::new(&[true, false], Duration::from_millis(offset)) }
    }

    fn at(&self, millis: u64) -> Instant {
        self.start + Duration::from_millis(millis)
    }

    /// A frame that was taken at `taken` by the sender's ticks, came at `arrived`, and says `captured`.
    fn put(&mut self, track: usize, taken: u64, arrived: u64, captured: Option<u64>) {
        self.put_dated(track, taken, arrived, captured.map(|millis| (millis, true)));
    }

    /// The same, where `captured` may be but a report's.
    fn put_dated(&mut self, track: usize, taken: u64, arrived: u64, captured: Option<(u64, bool)>) {
        let (codec, rate) = [(FrameCodec::Vp8, 90_u64), (FrameCodec::Opus, 48)][track];
        let frame = ReceivedFrame {
            codec,
            bytes: vec![1].into(),
            key: true,
            timestamp: 1_000_000 + taken * rate,
            captured: captured.map(|(millis, _)| NtpTime(SECOND * 1000 + SECOND * millis / 1000)),
            is_captured_exact: captured.is_some_and(|(_, is_exact)| is_exact),
            source: track as u32,
            arrived: self.at(arrived),
            lost: 0,
        };
        self.timeline.put(track, frame);
    }

    fn poll(&mut self, now: u64) -> Vec<(usize, u128)> {
        let now = self.at(now);
        std::iter::from_fn(|| self.timeline.poll(now))
            .map(|(track, time, _)| (track, time.as_millis()))
            .collect()
    }
}

#[test]
fn tracks_go_by_the_capturers_clock() {
    let mut world = World::new(0);
    // Sound comes at once, pictures half a second late; both were taken at the same time.
    world.put(1, 0, 10, Some(500));
    world.put(1, 20, 30, None);
    assert!(world.poll(100).is_empty());
    world.put(0, 0, 510, Some(510));
    // What was taken before the first picture is left out.
    assert_eq!(world.poll(510), [(1, 10), (0, 0)]);
    world.put(0, 40, 900, None);
    world.put(1, 40, 901, None);
    assert_eq!(world.poll(901), [(0, 40), (1, 30)]);
}

#[test]
fn a_clock_that_is_told_late_counts_from_the_beginning() {
    let mut world = World::new(0);
    world.put(0, 0, 0, None);
    world.put(1, 0, 0, Some(1000));
    assert!(world.poll(900).is_empty());
    world.put(0, 1000, 1000, Some(1960));
    // The first picture was captured at 960, sound at 1000.
    assert_eq!(world.poll(1000), [(0, 0), (1, 40), (0, 1000)]);
}

#[test]
fn without_a_clock_it_is_when_they_came() {
    let mut world = World::new(7000);
    world.put(0, 0, 100, None);
    world.put(1, 0, 160, None);
    assert!(world.poll(3099).is_empty());
    assert_eq!(world.poll(3100), [(0, 7000), (1, 7060)]);
}

#[test]
fn one_track_alone_is_enough_in_the_end() {
    let mut world = World::new(0);
    world.put(1, 0, 0, Some(0));
    assert!(world.poll(9999).is_empty());
    assert_eq!(world.poll(10_000), [(1, 0)]);
    // Pictures that come after all take the time at which they come.
    world.put(0, 0, 11_000, Some(99_999));
    assert_eq!(world.poll(11_000), [(0, 11_000)]);
}

#[test]
fn ticks_that_go_astray_begin_anew() {
    let mut world = World::new(0);
    world.put(0, 0, 0, Some(0));
    world.put(1, 0, 0, Some(0));
    assert_eq!(world.poll(0).len(), 2);
    world.put(0, 3_600_000, 40, None);
    world.put(0, 3_600_040, 80, None);
    // And never go back.
    world.put(0, 3_600_000, 81, None);
    assert_eq!(world.poll(81), [(0, 40), (0, 80), (0, 80)]);
}

#[test]
fn a_report_is_taken_where_the_capturer_says_nothing_better() {
    let frames = |world: &mut World| {
        world.put_dated(0, 0, 10, Some((500, true)));
        world.put_dated(1, 0, 11, Some((625, false)));
    };
    let mut world = World::new(0);
    frames(&mut world);
    assert!(world.poll(1_000).is_empty());
    world.put_dated(1, 1_000, 1_001, Some((1_500, true)));
    assert_eq!(world.poll(1_001), [(0, 0), (1, 0), (1, 1_000)]);
    let mut world = World::new(0);
    frames(&mut world);
    assert!(world.poll(1_400).is_empty());
    assert_eq!(world.timeline.poll_timeout(), Some(world.at(1_510)));
    assert_eq!(world.poll(1_510), [(0, 0), (1, 125)]);
}

#[test]
fn at_the_end_nothing_waits() {
    let mut world = World::new(0);
    world.timeline.end();
    world.put_dated(0, 0, 10, Some((500, true)));
    world.put_dated(1, 0, 11, Some((625, false)));
    assert!(world.poll(20).is_empty());
    world.timeline.end();
    assert_eq!(world.poll(20), [(0, 0), (1, 125)]);
}
