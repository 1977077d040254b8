//! Who gets which layer of what, of all that goes to one receiver (RFC 7667 §3.7, RFC 8836 §2).
//!
//! Sound comes first. Then each video gets its least layer, in the order of priority and size, before any gets more; then
//! the more important ones are filled, those of one priority by turns. Who gets nothing is paused.
//!
//! It goes down at once, and up only where the estimate has been enough with something to spare for a while. The last
//! layer is not taken for a slip of the estimate; and where there is no video yet, the most important one begins whatever
//! the estimate says: with nothing to send nothing can be found out.

use std::cmp::Reverse;
use std::time::{Duration, Instant};

use crate::event::{Layer, Why};
use crate::levels::Level;
use crate::subscription::{Subscription, Wish};

/// The estimate must have been enough for more for so long.
pub(crate) const CONFIDENCE: Duration = Duration::from_secs(1);

/// Where nothing of it would be given, the most important video is, for so long.
pub(crate) const GRACE: Duration = Duration::from_secs(5);

/// The least that an estimate must be for the last layer to be kept: two thirds.
fn kept_with(rate: u64) -> u64 {
    rate - rate / 3
}

/// What must be left of an estimate when more is given: a tenth.
fn with_spare(bitrate: u64) -> u64 {
    bitrate - bitrate / 11
}

/// What an estimate must be for so much to be given.
pub(crate) fn with_margin(rate: u64) -> u64 {
    rate.saturating_add(rate / 10)
}

/// A subscription to video that wants its share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim<'a> {
    /// Those that it can use.
    pub(crate) levels: &'a [Level],
    /// Whether it can use all that there are.
    pub(crate) is_all: bool,
    pub(crate) wish: Wish,
    /// Whether it is given something now.
    pub(crate) has: bool,
    /// Whether it has just begun.
    pub(crate) is_young: bool,
}

/// What a claim gets.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Share {
    /// What fits the estimate, and what fits with something to spare.
    pub(crate) full: Option<usize>,
    pub(crate) spare: Option<usize>,
    /// Whether there is nothing to wait for.
    pub(crate) is_sure: bool,
}

/// Shares what the way carries, in bits per second; none: it is not known, and everything is given.
pub(crate) fn share(bitrate: Option<u64>, claims: &[Claim<'_>]) -> Vec<Share> {
    let Some(bitrate) = bitrate else {
        let best = |claim: &Claim<'_>| claim.levels.len().checked_sub(1);
        let all = |claim| Share { full: best(claim), spare: best(claim), is_sure: true };
        return claims.iter().map(all).collect();
    };
    let mut order: Vec<_> = (0..claims.len()).collect();
    let area =
        |wish: &Wish| wish.size.map_or(u32::MAX, |(width, height)| u32::from(width) * u32::from(height));
    order.sort_by_key(|at| claims.get(*at).map(|claim| Reverse((claim.wish.priority, area(&claim.wish)))));
    let full = fill(bitrate, claims, &order);
    let spare = fill(with_spare(bitrate), claims, &order);
    full.into_iter().zip(spare).map(|(full, spare)| Share { full, spare, is_sure: false }).collect()
}

/// What each gets of a bitrate.
fn fill(bitrate: u64, claims: &[Claim<'_>], order: &[usize]) -> Vec<Option<usize>> {
    let mut given = vec![None; claims.len()];
    let mut left = bitrate;
    for &at in order {
        let needed = |rate| if claims[at].has { kept_with(rate) } else { rate };
        if let Some(least) = claims[at].levels.first().filter(|level| needed(level.rate) <= left) {
            left = left.saturating_sub(least.rate);
            given[at] = Some(0);
        }
    }
    if let Some(&first) = order.first()
        && claims[first].is_young
        && given.iter().all(Option::is_none)
        && !claims[first].levels.is_empty()
    {
        given[first] = Some(0);
        return given;
    }
    for same in order.chunk_by(|a, b| claims[*a].wish.priority == claims[*b].wish.priority) {
        loop {
            let before = left;
            let mut is_done = true;
            for &at in same {
                let levels = claims[at].levels;
                let Some(now) = given[at] else { continue };
                let has = levels[now].rate;
                let better = levels.iter().enumerate().skip(now + 1);
                let Some((more, level)) = better.into_iter().find(|(_, level)| level.rate <= has + left)
                else {
                    continue;
                };
                // A better level may take less than a worse one.
                left = (has + left).saturating_sub(level.rate);
                given[at] = Some(more);
                is_done = false;
            }
            if is_done && before == left {
                break;
            }
        }
    }
    given
}

/// Gives a subscription its share of the levels that it can use, which may be all that there are.
pub(crate) fn grant(
    now: Instant,
    subscription: &mut Subscription,
    (levels, is_all): (&[Level], bool),
    share: Share,
) {
    let layer = |at: Option<usize>| at.and_then(|at| levels.get(at)).map(|level| level.layer);
    let (full, spare) = (layer(share.full), layer(share.spare));
    let ideal = if share.is_sure || subscription.is_new {
        spare
    } else if spare > subscription.ideal {
        let since = *subscription.better_since.get_or_insert(now);
        let is_confident = now.saturating_duration_since(since) >= CONFIDENCE;
        if is_confident { spare } else { subscription.ideal }
    } else {
        subscription.ideal.min(full)
    };
    if spare <= ideal {
        subscription.better_since = None;
    }
    let best = levels.last().map(|level| level.layer);
    let fitting = levels.iter().filter(|level| Some(level.layer) <= ideal);
    let live = fitting.filter(|level| level.is_live).map(|level| level.layer).max();
    // Where nothing of it comes, the sender is asked for it, and what comes now is forwarded as long.
    let granted = live.or(ideal);
    let why = match () {
        () if ideal < best => Why::Bandwidth,
        () if granted < ideal || is_all => Why::Source,
        () => Why::Wish,
    };
    subscription.is_new = false;
    subscription.began.get_or_insert(now);
    subscription.set_ideal(ideal);
    subscription.grant(granted, why);
}

/// Gives a subscription nothing.
pub(crate) fn pause(subscription: &mut Subscription, why: Why) {
    (subscription.is_new, subscription.ideal, subscription.better_since) = (true, None, None);
    subscription.began = None;
    subscription.grant(None, why);
}

/// Gives a subscription to sound all of it.
pub(crate) fn pass(subscription: &mut Subscription) {
    subscription.grant(Some(Layer::default()), Why::Source);
}

#[cfg(test)]
mod tests;
