//! What each section of a member's is for, and what of it is answered (RFC 3264 §6, RFC 9429 §5.3.1).

use peer::{Codec, Direction, PeerConnection};
use sdp::Description;

use super::connection::Refusal;
use crate::conference::Source;

/// What a member says of its sections.
pub(super) struct Plan<'a> {
    pub(super) offer: &'a Description,
    pub(super) publish: &'a [(Box<str>, Source)],
    pub(super) seats: &'a [Vec<Box<str>>],
}

impl Plan<'_> {
    /// What comes by a section.
    pub(super) fn source(&self, mid: &str) -> Option<Source> {
        self.publish.iter().find(|(known, _)| **known == *mid).map(|(_, source)| *source)
    }

    /// With what a section is played in step.
    fn seat(&self, mid: &str) -> Option<usize> {
        self.seats.iter().position(|seat| seat.iter().any(|known| **known == *mid))
    }
}

/// Has each section of a member's that is published received in one codec, the first that is offered or the one that it had,
/// and each that only receives sent to, in whatever codec both know.
pub(super) fn arrange(peer: &mut PeerConnection, plan: &Plan<'_>) -> Result<(), Refusal> {
    let mut all = Vec::new();
    for one in peer.transceivers() {
        let Some(mid) = one.mid() else { continue };
        let mut sections = plan.offer.sections();
        let is_own =
            |section: &sdp::Section<'_>| section.media.mid().is_some_and(|known| known.as_str() == mid);
        let Some(section) = sections.find(is_own) else { continue };
        let offered = section.direction();
        let (direction, codecs) = if offered.sends() && plan.source(mid).is_some() {
            let known = peer.media_capabilities().map_or(&[][..], |media| media.codecs(one.kind()));
            let offered: Vec<Codec> = section.media.codecs().iter().map(Codec::from).collect();
            let is_usable = |codec: &&Codec| {
                !codec.is_auxiliary() && known.iter().any(|capability| capability.codec.matches(codec))
            };
            let had = one.codec_preferences().first();
            let had =
                offered.iter().filter(is_usable).find(|codec| had.is_some_and(|had| had.matches(codec)));
            let codec = had.or_else(|| offered.iter().find(is_usable)).ok_or(Refusal::Codecs)?;
            (Direction::RecvOnly, vec![codec.clone()])
        } else if offered.receives() && !offered.sends() {
            (Direction::SendOnly, Vec::new())
        } else {
            (Direction::Inactive, Vec::new())
        };
        all.push((one.id(), direction, codecs, plan.seat(mid)));
    }
    for (id, direction, codecs, seat) in all {
        // They are known, and so are the codecs.
        let _ = peer.set_codec_preferences(id, codecs);
        let stream = seat.map(|seat| format!("seat-{seat}"));
        let _ = peer.set_streams(id, stream.as_deref().as_slice());
        let _ = peer.set_direction(id, direction);
    }
    Ok(())
}
