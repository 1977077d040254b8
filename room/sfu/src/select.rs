//! Which layers of an encoding are forwarded: temporal ones (RFC 7741 §4.2, RFC 9628 §4.2) and spatial ones, by the
//! dependency descriptor where there is one (AV1's RTP payload format A.4).
//!
//! Down one goes between two frames; up only where the codec says that nothing is missing there.

use rtp::codec::Codec;
use rtp::dependency::{Frame, Indication};

use crate::seen::Seen;

/// The layers that are forwarded now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    pub(crate) spatial: u8,
    pub(crate) temporal: u8,
    /// The decode target, where packets have descriptors.
    target: u8,
}

impl Selector {
    /// Whether a packet is forwarded where these layers are wanted, and then whether it ends the picture.
    pub(crate) fn admit(&mut self, seen: &Seen<'_>, spatial: u8, temporal: u8) -> Option<bool> {
        match &seen.frame {
            Some(frame) => self.admit_frame(seen, frame, spatial, temporal),
            None => self.admit_payload(seen, spatial, temporal),
        }
    }

    fn admit_frame(&mut self, seen: &Seen<'_>, frame: &Frame, spatial: u8, temporal: u8) -> Option<bool> {
        let best = seen.targets.best(spatial, temporal);
        let indication = |target: u8| frame.indications.get(usize::from(target));
        // Who can decode the frame that is a switch can decode what follows; and who had the frames of the target until
        // now can decode those.
        let is_switch =
            || indication(best) == Indication::Switch && indication(self.target) != Indication::NotPresent;
        if frame.start && !seen.is_late && (seen.begins || best != self.target && is_switch()) {
            self.target = best;
            (self.spatial, self.temporal) = seen.targets.layers(best);
        }
        let is_last = seen.marker || frame.end && frame.spatial >= self.spatial;
        (indication(self.target) != Indication::NotPresent).then_some(is_last)
    }

    fn admit_payload(&mut self, seen: &Seen<'_>, spatial: u8, temporal: u8) -> Option<bool> {
        let info = &seen.info;
        let (s, t) = (info.spatial.unwrap_or(0), info.temporal.unwrap_or(0));
        if info.start && !seen.is_late {
            if seen.begins {
                (self.spatial, self.temporal) = (spatial, temporal);
            } else if s == 0 {
                self.spatial = self.spatial.min(spatial);
                self.temporal = self.temporal.min(temporal);
            }
            self.climb(seen, t, temporal);
        }
        let is_last = seen.marker || info.end && s == self.spatial;
        (s <= self.spatial && t <= self.temporal).then_some(is_last)
    }

    /// Takes a temporal layer more where this frame, of layer `layer`, allows it.
    fn climb(&mut self, seen: &Seen<'_>, layer: u8, wanted: u8) {
        if wanted <= self.temporal || !seen.info.switching_point {
            return;
        }
        match seen.codec {
            // A frame that depends on the lowest layer alone (Y): those of its layer may be had from it on. Of higher
            // ones nothing is known.
            Codec::Vp8 if layer == self.temporal + 1 => self.temporal = layer,
            // What comes after it depends on none of the higher layers before it (U).
            Codec::Vp9 if layer <= self.temporal => self.temporal = wanted,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
