//! What may be forwarded of a publication, from the least to the best, and what each takes.

use std::time::{Duration, Instant};

use rtp::dependency::Resolution;

use crate::encoding::{Encoding, LAYERS};
use crate::event::Layer;

/// An encoding of which nothing has come for so long does not come, if others do: it is switched off.
const SILENCE: Duration = Duration::from_millis(1500);

/// How much more an encoding of twice the width and height is taken to need, as long as it has not been seen.
const GROWTH: u64 = 3;

/// What the lowest encoding is taken to need until then, in bits per second.
pub(crate) const GUESS: u64 = 150_000;

/// So many temporal layers below the highest there is a quarter of the pictures: a smaller encoding that moves is better.
const CRAWLS: u8 = 2;

/// All layers that there are, be it as they may.
const ALL: u8 = u8::MAX;

/// A layer, with all that it depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Level {
    pub(crate) layer: Layer,
    /// Bits per second.
    pub(crate) rate: u64,
    /// What it shows, as far as that is known or can be guessed.
    pub(crate) size: Option<Resolution>,
    /// Whether its encoding comes.
    pub(crate) is_live: bool,
}

/// The levels of a publication in the order of [`Layer`]; `guess` is what the lowest one takes as long as nothing came.
pub(crate) fn measure(
    now: Instant,
    since: Duration,
    encodings: &mut [Encoding],
    guess: u64,
    levels: &mut Vec<Level>,
) {
    levels.clear();
    let newest = encodings.iter().filter_map(|encoding| encoding.last).max();
    let mut lower = None;
    for at in 0..encodings.len() {
        let sizes: [_; LAYERS] = std::array::from_fn(|spatial| size(encodings, at, spatial));
        let encoding = &mut encodings[at];
        let rates = encoding.measure(now, since);
        let is_live = is_live(encoding.last, newest);
        let before = levels.len();
        if is_live {
            let slowest = if at == 0 { 0 } else { (encoding.temporal + 1).saturating_sub(CRAWLS) };
            for spatial in 0..=usize::from(encoding.spatial).min(LAYERS - 1) {
                for temporal in usize::from(slowest)..=usize::from(encoding.temporal).min(LAYERS - 1) {
                    let below = rates[..=spatial].iter().flat_map(|row| &row[..=temporal]);
                    let rate = below.fold(0_u64, |sum, rate| sum.saturating_add(*rate));
                    let layer = Layer { encoding: at, spatial: spatial as u8, temporal: temporal as u8 };
                    levels.push(Level { layer, rate, size: sizes[spatial], is_live });
                }
            }
        } else {
            let rate = match encoding.known_rate {
                0 => lower.map_or(guess, |lower: u64| lower.saturating_mul(GROWTH)),
                known => known,
            };
            let layer = Layer { encoding: at, ..Layer::default() };
            let size = sizes[usize::from(encoding.spatial).min(LAYERS - 1)];
            levels.push(Level { layer, rate, size, is_live });
        }
        // The best of an encoding is all of it, whatever layers it will turn out to have.
        let (spatial, temporal) = (encoding.spatial, encoding.temporal);
        for Level { layer, .. } in &mut levels[before..] {
            layer.spatial = if layer.spatial >= spatial || !is_live { ALL } else { layer.spatial };
            layer.temporal = if layer.temporal >= temporal || !is_live { ALL } else { layer.temporal };
        }
        if let Some(last) = levels.last_mut() {
            lower = Some(last.rate);
        }
    }
}

fn is_live(last: Option<Instant>, newest: Option<Instant>) -> bool {
    last.zip(newest).is_some_and(|(last, newest)| newest.saturating_duration_since(last) < SILENCE)
}

/// The size of a layer: if it is not known, each encoding is taken to be twice as wide and high as the one below.
fn size(encodings: &[Encoding], at: usize, spatial: usize) -> Option<Resolution> {
    if let Some(known) = encodings.get(at)?.sizes.get(spatial).copied().flatten() {
        return Some(known);
    }
    let whole = |encoding: &Encoding| encoding.sizes.iter().rev().find_map(|size| *size);
    let (other, known) = encodings.iter().enumerate().rev().find_map(|(i, one)| Some((i, whole(one)?)))?;
    let scale = |pixels: u32| match at.checked_sub(other) {
        Some(steps) => pixels << steps.min(8),
        None => pixels >> (other - at).min(8),
    };
    Some(Resolution { width: scale(known.width).max(1), height: scale(known.height).max(1) })
}

/// How many of the levels a receiver can use that shows them this large: up to the first that fills its width or height.
pub(crate) fn useful(levels: &[Level], size: Option<(u16, u16)>) -> usize {
    let Some((width, height)) = size else { return levels.len() };
    let fills = |level: &Level| {
        let fills = |size: Resolution| size.width >= u32::from(width) || size.height >= u32::from(height);
        level.size.is_some_and(fills)
    };
    let Some(first) = levels.iter().position(fills) else { return levels.len() };
    // With all its temporal layers.
    let key = |level: &Level| (level.layer.encoding, level.layer.spatial, level.size);
    let same = levels.get(first).map(key);
    first + levels.iter().skip(first).take_while(|level| Some(key(level)) == same).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(encoding: usize, temporal: u8, width: u32) -> Level {
        let size = Some(Resolution { width, height: width / 2 });
        Level { layer: Layer { encoding, spatial: ALL, temporal }, rate: 0, size, is_live: true }
    }

    #[test]
    fn no_more_is_useful_than_what_fills_the_picture() {
        let levels = [level(0, 0, 320), level(0, ALL, 320), level(1, 0, 640), level(1, ALL, 640)];
        assert_eq!(useful(&levels, None), 4);
        assert_eq!(useful(&levels, Some((300, 300))), 2);
        assert_eq!(useful(&levels, Some((1000, 150))), 2, "it has bars above and below");
        assert_eq!(useful(&levels, Some((321, 161))), 4);
        assert_eq!(useful(&levels, Some((4000, 4000))), 4);
        assert_eq!(useful(&[], Some((1, 1))), 0);
    }

    #[test]
    fn a_quarter_of_the_pictures_is_no_level_but_of_the_smallest() {
        let now = crate::tests::start();
        let mut encodings = [2, 2, 1].map(|temporal| {
            let mut encoding = Encoding::default();
            (encoding.temporal, encoding.last) = (temporal, Some(now));
            encoding
        });
        let mut levels = Vec::new();
        measure(now, Duration::ZERO, &mut encodings, GUESS, &mut levels);
        let layers: Vec<_> =
            levels.iter().map(|level| (level.layer.encoding, level.layer.temporal)).collect();
        assert_eq!(layers, [(0, 0), (0, 1), (0, ALL), (1, 1), (1, ALL), (2, 0), (2, ALL)]);
    }

    #[test]
    fn sizes_are_guessed_from_others() {
        let mut encodings = [Encoding::default(), Encoding::default(), Encoding::default()];
        assert_eq!(size(&encodings, 2, 0), None);
        encodings[1].sizes[0] = Some(Resolution { width: 640, height: 360 });
        let widths = [0, 1, 2].map(|at| size(&encodings, at, 0).unwrap().width);
        assert_eq!(widths, [320, 640, 1280]);
    }
}
