//! Which decode target of a stream gives which layers (AV1's RTP payload format A.4; RFC 8285 carries the descriptors).

use rtp::dependency::{MAX_SPATIAL, MAX_TEMPORAL, Reader};

const SPATIAL: usize = MAX_SPATIAL as usize + 1;
const TEMPORAL: usize = MAX_TEMPORAL as usize + 1;

/// The best decode target for each pair of spatial and temporal layer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Targets {
    best: [[u8; TEMPORAL]; SPATIAL],
    layers: [(u8, u8); rtp::dependency::MAX_DECODE_TARGETS],
    /// A bit for each that can be decoded.
    active: u32,
}

impl Targets {
    /// A structure has come, or other targets are active.
    pub(crate) fn update(&mut self, reader: &Reader, is_new: bool) {
        let active = reader.active_decode_targets();
        let Some(structure) = reader.structure() else { return };
        if !is_new && active == self.active {
            return;
        }
        self.active = active;
        let is_active = |target: &usize| active >> target & 1 == 1;
        let any = (0..structure.decode_targets()).any(|target| is_active(&target));
        for target in 0..structure.decode_targets() {
            self.layers[target] = structure.layer(target).unwrap_or_default();
        }
        for (spatial, row) in (0..).zip(&mut self.best) {
            for (temporal, best) in (0..).zip(row) {
                let fits = |target: &usize| {
                    let (s, t) = self.layers[*target];
                    s <= spatial && t <= temporal && (is_active(target) || !any)
                };
                let found = (0..structure.decode_targets()).filter(fits).max_by_key(|t| self.layers[*t]);
                // Less than the least there is cannot be had.
                let least = (0..structure.decode_targets()).min_by_key(|t| self.layers[*t]);
                *best = found.or(least).unwrap_or(0) as u8;
            }
        }
    }

    /// The best one that has no layers above these.
    pub(crate) fn best(&self, spatial: u8, temporal: u8) -> u8 {
        let (spatial, temporal) = (spatial.min(MAX_SPATIAL), temporal.min(MAX_TEMPORAL));
        self.best[usize::from(spatial)][usize::from(temporal)]
    }

    /// The highest spatial and temporal layer of a target.
    pub(crate) fn layers(&self, target: u8) -> (u8, u8) {
        self.layers.get(usize::from(target)).copied().unwrap_or_default()
    }
}
