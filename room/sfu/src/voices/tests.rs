use super::*;
use crate::tests::{ms, start};

/// How loud speech is, and what a quiet room is.
const SPEECH: u32 = 95;
const NOISE: u32 = 50;
const NOBODY: [u32; 0] = [];

/// Voices of which each is somebody else's, unless it is said whose.
struct World {
    now: Instant,
    voices: Voices,
}

impl World {
    fn new(most: usize) -> Self {
        let mut voices = Voices::default();
        voices.set_most(NonZeroUsize::new(most));
        Self { now: start(), voices }
    }

    fn says(&mut self, who: u32, decibels: u32) -> bool {
        self.sends(who, who, decibels)
    }

    fn sends(&mut self, who: u32, publication: u32, decibels: u32) -> bool {
        let before = self.voices.left_out;
        let admitted = self.voices.admit(self.now, PublicationId(publication), ParticipantId(who), decibels);
        assert!(self.voices.most.is_none_or(|most| self.voices.places.len() <= most.get()));
        assert_eq!(self.voices.has(PublicationId(publication)), admitted);
        assert_eq!(self.voices.left_out - before, u64::from(!admitted));
        admitted
    }

    /// All of these send packets of 20 ms for a while; who of them was left out of any.
    fn talk(&mut self, time: u64, all: &[(u32, u32)]) -> Vec<u32> {
        let mut left_out = Vec::new();
        for _ in 0..time / 20 {
            self.now += ms(20);
            for (who, decibels) in all {
                if !self.says(*who, *decibels) && !left_out.contains(who) {
                    left_out.push(*who);
                }
            }
        }
        left_out
    }
}

#[test]
fn all_are_forwarded_where_there_are_no_more_than_places() {
    let mut world = World::new(3);
    assert_eq!(world.talk(2_000, &[(1, 0), (2, NOISE), (3, SPEECH)]), NOBODY);
    assert_eq!(world.talk(2_000, &[(3, 0), (2, SPEECH), (1, 127)]), NOBODY);
    let mut world = World::new(0);
    let many: Vec<_> = (0..100).map(|who| (who, SPEECH)).collect();
    assert_eq!(world.talk(200, &many), NOBODY, "there is no limit");
}

#[test]
fn the_first_syllable_goes_through() {
    let mut world = World::new(2);
    assert_eq!(world.talk(1_000, &[(1, NOISE), (2, SPEECH), (3, NOISE)]), [3]);
    assert!(world.says(3, SPEECH), "with the packet that brings it");
    assert!(world.says(2, SPEECH));
    assert!(!world.says(1, NOISE), "the quietest has given way");
    // Who pauses for a breath keeps the place, and who pauses for longer gives way.
    assert_eq!(world.talk(400, &[(2, NOISE), (3, SPEECH), (1, NOISE + 20)]), [1]);
    assert_eq!(world.talk(600, &[(2, NOISE), (3, SPEECH)]), NOBODY);
    assert!(world.says(1, NOISE + 30));
}

#[test]
fn who_begins_must_be_louder_by_a_margin() {
    let mut world = World::new(1);
    assert_eq!(world.talk(1_000, &[(1, 60)]), NOBODY);
    assert!(!world.says(2, 65));
    assert!(world.says(2, 66));
}

#[test]
fn a_place_is_kept_for_a_while() {
    let mut world = World::new(1);
    assert_eq!(world.talk(1_000, &[(1, NOISE)]), NOBODY);
    assert!(world.says(2, 80));
    assert_eq!(world.talk(280, &[(2, 80), (3, 120)]), [3], "it was just taken");
    world.now += ms(20);
    assert!(world.says(3, 120));
    // And is kept through pauses between words.
    assert_eq!(world.talk(200, &[(3, 0), (1, NOISE)]), [1]);
}

#[test]
fn who_is_silent_gives_way_to_any_voice_and_silence_to_nobody() {
    let mut world = World::new(1);
    assert!(world.says(1, 0));
    assert!(!world.says(2, 0));
    assert!(world.says(2, 1), "there is no margin to silence, nor anything to keep");
    assert!(world.says(2, NOISE));
    assert_eq!(world.talk(280, &[(2, 0), (1, 0)]), [1]);
    assert!(!world.says(1, 1), "it was a pause until now");
    world.now += ms(20);
    assert!(!world.says(1, 0));
    assert!(world.says(1, 1));
    // Who sends nothing is silent as well.
    assert_eq!(world.talk(1_000, &[(1, SPEECH)]), NOBODY);
    assert!(!world.says(2, NOISE));
    world.now += HANGOVER;
    assert!(world.says(2, NOISE));
}

#[test]
fn whoever_claims_to_be_the_loudest_takes_one_place() {
    let mut world = World::new(3);
    // Three microphones of somebody's, as long as nobody else is there.
    for publication in [10, 11, 12] {
        assert!(world.sends(1, publication, 127));
    }
    assert!(
        world.says(2, NOISE) && world.says(3, NOISE),
        "those who have no place take what is a second one"
    );
    let mut heard = [0; 3];
    for _ in 0..100 {
        world.now += ms(20);
        assert!(world.says(2, NOISE) && world.says(3, NOISE));
        for (publication, heard) in (10..).zip(&mut heard) {
            *heard += u32::from(world.sends(1, publication, 127));
        }
    }
    assert_eq!(heard, [100, 0, 0]);
    // The others speak one after the other, in the two places that are left.
    assert_eq!(world.talk(1_000, &[(2, SPEECH), (3, NOISE)]), NOBODY);
    assert!(world.says(4, SPEECH) && world.says(2, SPEECH) && world.sends(1, 10, 127));
    assert!(!world.says(3, NOISE));
}

#[test]
fn a_place_is_free_again_when_nothing_comes_of_it_any_more() {
    let mut world = World::new(2);
    assert_eq!(world.talk(100, &[(1, SPEECH), (2, SPEECH), (3, NOISE)]), [3]);
    world.voices.forget(PublicationId(1));
    assert!(world.says(3, 0));
    assert!(world.says(1, SPEECH) && !world.says(3, NOISE));
}
