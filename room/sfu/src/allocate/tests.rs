use proptest::prelude::*;

use super::*;
use crate::event::Layer;

/// Three encodings of these rates.
fn levels(rates: [u64; 3]) -> Vec<Level> {
    let layer = |encoding| Layer { encoding, spatial: u8::MAX, temporal: u8::MAX };
    let all = rates.into_iter().enumerate();
    all.map(|(at, rate)| Level { layer: layer(at), rate, size: None, is_live: true }).collect()
}

fn claim(levels: &[Level], priority: u8, size: Option<(u16, u16)>) -> Claim<'_> {
    let wish = Wish { size, priority, paused: false };
    Claim { levels, is_all: true, wish, has: false, is_young: false }
}

fn shares(bitrate: u64, claims: &[Claim<'_>]) -> Vec<Option<usize>> {
    share(Some(bitrate), claims).iter().map(|share| share.full).collect()
}

#[test]
fn everybody_gets_something_before_anybody_gets_more() {
    let levels = levels([100, 300, 900]);
    let claims = [
        claim(&levels, 0, Some((10, 10))),
        claim(&levels, 1, Some((10, 10))),
        claim(&levels, 0, Some((20, 20))),
    ];
    assert_eq!(shares(99, &claims), [None, None, None]);
    assert_eq!(shares(100, &claims), [None, Some(0), None], "the most important one");
    assert_eq!(shares(200, &claims), [None, Some(0), Some(0)], "then the largest");
    assert_eq!(shares(300, &claims), [Some(0), Some(0), Some(0)]);
    assert_eq!(shares(500, &claims), [Some(0), Some(1), Some(0)]);
    assert_eq!(shares(1_100, &claims), [Some(0), Some(2), Some(0)]);
    assert_eq!(shares(1_300, &claims), [Some(0), Some(2), Some(1)]);
    assert_eq!(shares(1_500, &claims), [Some(1), Some(2), Some(1)], "by turns");
    assert_eq!(shares(2_700, &claims), [Some(2), Some(2), Some(2)]);
}

#[test]
fn a_better_level_may_take_less() {
    let levels = levels([400, 300, 900]);
    assert_eq!(shares(400, &[claim(&levels, 0, None)]), [Some(1)]);
    assert_eq!(share(None, &[claim(&levels, 0, None)])[0].full, Some(2));
    assert_eq!(share(Some(5), &[claim(&[], 0, None)])[0].full, None);
}

#[test]
fn the_last_layer_is_not_taken_for_a_slip() {
    let levels = levels([300, 600, 900]);
    let has = Claim { has: true, ..claim(&levels, 0, None) };
    assert_eq!(shares(200, &[has]), [Some(0)]);
    assert_eq!(shares(199, &[has]), [None]);
    assert_eq!(shares(500, &[has, has]), [Some(0), Some(0)]);
    assert_eq!(shares(899, &[has]), [Some(1)], "better ones are");
}

#[test]
fn something_must_be_sent_to_find_out_what_can_be() {
    let levels = levels([300, 600, 900]);
    let young = |priority| Claim { is_young: true, ..claim(&levels, priority, None) };
    assert_eq!(shares(10, &[young(0), young(1)]), [None, Some(0)]);
    assert_eq!(shares(300, &[young(0), young(1)]), [None, Some(0)]);
    assert_eq!(shares(10, &[claim(&[], 2, None), claim(&levels, 0, None)]), [None, None]);
}

#[test]
fn more_needs_something_to_spare() {
    let levels = levels([100, 300, 1_000]);
    let at = |bitrate| share(Some(bitrate), &[claim(&levels, 0, None)])[0];
    assert_eq!((at(1_000).full, at(1_000).spare), (Some(2), Some(1)));
    assert_eq!((at(1_100).full, at(1_100).spare), (Some(2), Some(2)));
    assert_eq!(with_margin(1_000), 1_100);
}

proptest! {
    #[test]
    fn no_more_is_given_than_there_is(
        bitrate in 0_u64..5_000,
        all in proptest::collection::vec((proptest::array::uniform3(0_u64..1_000), 0_u8..3, 0_usize..=3), 0..12),
    ) {
        let sorted = |mut rates: [u64; 3]| {
            rates.sort_unstable();
            rates
        };
        let levels: Vec<_> = all.iter().map(|(rates, ..)| levels(sorted(*rates))).collect();
        let claims: Vec<_> =
            all.iter().zip(&levels).map(|((_, priority, count), levels)| claim(&levels[..*count], *priority, None)).collect();
        let given = shares(bitrate, &claims);
        let rates = claims.iter().zip(&given).filter_map(|(claim, at)| Some(claim.levels[(*at)?].rate));
        let left = bitrate.checked_sub(rates.sum());
        prop_assert!(left.is_some(), "{:?}", given);
        for (claim, at) in claims.iter().zip(&given) {
            let has = at.map_or(0, |at| claim.levels[at].rate);
            let mut better = claim.levels.iter().skip(at.map_or(0, |at| at + 1));
            if at.is_none() {
                continue;
            }
            prop_assert!(!better.any(|level| Some(level.rate) <= left.map(|left| left + has)), "something is left over");
        }
    }
}
