//! What two sections, an offered and an answered one, agree on (RFC 3264 §6, §7; RFC 8285 §6; RFC 8853 §5.3).

use rtp::extension::{ExtensionMap, Kind};
use rtp::{PayloadType, Ssrc};
use sdp::attribute::{Attribute, Direction, Feedback, RidDirection, SsrcSemantics};
use sdp::{Media, Section};

use super::codec::Codec;
use crate::limits;

/// What both ends of a section can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// Codecs that both have, in the order of the peer's description: what it would rather receive comes first.
    pub codecs: Vec<AgreedCodec>,
    /// Header extensions that both have.
    pub extensions: ExtensionMap,
    /// Which way media flows, seen from here.
    pub direction: Direction,
    /// Whether RTCP packets need not be compound (RFC 5506 §5).
    pub reduced_size: bool,
    /// Whether arrivals are told stream by stream (RFC 8888 §6).
    pub congestion_feedback: bool,
    /// Whether both read encrypted headers (RFC 9335 §4).
    pub cryptex: bool,
    /// Encodings that the peer takes; none without simulcast.
    pub send_rids: Vec<Box<str>>,
    /// Encodings that the peer sends; none without simulcast.
    pub receive_rids: Vec<Box<str>>,
    /// Sources that the peer has told.
    pub sources: Vec<RemoteSource>,
}

/// A codec that both ends have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgreedCodec {
    /// As the peer describes it: what it takes.
    pub codec: Codec,
    /// The number that we send it with.
    pub send: PayloadType,
    /// The number that the peer sends it with.
    pub receive: PayloadType,
    /// The number that we send retransmissions of it with.
    pub send_retransmission: Option<PayloadType>,
    /// The number that the peer sends retransmissions of it with.
    pub receive_retransmission: Option<PayloadType>,
    /// The feedback that both know.
    pub feedback: Vec<Feedback>,
}

/// A source that the peer has told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteSource {
    /// Its media.
    pub ssrc: Ssrc,
    /// Its retransmissions.
    pub retransmission: Option<Ssrc>,
}

impl AgreedCodec {
    /// Whether both ends know a kind of feedback.
    pub fn has(&self, feedback: &Feedback) -> bool {
        self.feedback.contains(feedback)
    }
}

impl Agreement {
    /// What our section and the peer's agree on.
    pub(crate) fn of(ours: Section<'_>, theirs: Section<'_>) -> Self {
        let both = [ours.media, theirs.media];
        Self {
            codecs: codecs(ours.media, theirs.media),
            extensions: extensions(ours, theirs),
            direction: ours.direction().and(theirs.direction().reversed()),
            reduced_size: both.iter().all(|media| media.attributes.has(&Attribute::RtcpReducedSize)),
            congestion_feedback: both.iter().all(|media| media.has_feedback_on_all(&Feedback::AckCcfb)),
            cryptex: ours.has_cryptex() && theirs.has_cryptex(),
            send_rids: rids(ours.media, theirs.media, RidDirection::Send),
            receive_rids: rids(ours.media, theirs.media, RidDirection::Recv),
            sources: sources(theirs.media),
        }
    }

    /// The codec that is sent: the first that is a codec of its own.
    pub fn preferred(&self) -> Option<&AgreedCodec> {
        self.codecs.iter().find(|agreed| !agreed.codec.is_auxiliary())
    }

    /// The codec that the peer sends with a number; true if it is a retransmission of it.
    pub fn received(&self, payload_type: PayloadType) -> Option<(&AgreedCodec, bool)> {
        self.codecs.iter().find_map(|agreed| {
            let is_own = agreed.receive == payload_type;
            let repeats = agreed.receive_retransmission == Some(payload_type);
            (is_own || repeats).then_some((agreed, repeats))
        })
    }
}

fn codecs(ours: &Media, theirs: &Media) -> Vec<AgreedCodec> {
    let (ours, theirs) = (ours.codecs(), theirs.codecs());
    let retransmission = |all: &[sdp::Codec<'_>], of: sdp::attribute::PayloadType| {
        let rtx = all.iter().find(|codec| codec.retransmits() == Some(of))?;
        PayloadType::new(rtx.payload_type.get())
    };
    let own: Vec<(Codec, &sdp::Codec<'_>)> =
        ours.iter().take(limits::CODECS).map(|codec| (Codec::from(codec), codec)).collect();
    let mut agreed: Vec<AgreedCodec> = Vec::new();
    for offered in theirs.iter().take(limits::CODECS).filter(|codec| !codec.is("rtx")) {
        let codec = Codec::from(offered);
        let Some((_, same)) = own.iter().find(|(own, _)| own.matches(&codec)) else { continue };
        let numbers =
            PayloadType::new(offered.payload_type.get()).zip(PayloadType::new(same.payload_type.get()));
        let Some((send, receive)) = numbers else { continue };
        let is_known = |agreed: &AgreedCodec| agreed.receive == receive || agreed.send == send;
        if agreed.iter().any(is_known) {
            continue;
        }
        let feedback = offered.feedback.iter().filter(|kind| same.has_feedback(kind));
        let mut kinds: Vec<Feedback> = Vec::new();
        feedback.for_each(|kind| {
            if !kinds.contains(kind) {
                kinds.push((*kind).clone());
            }
        });
        kinds.shrink_to_fit();
        agreed.push(AgreedCodec {
            codec,
            send,
            receive,
            send_retransmission: retransmission(&theirs, offered.payload_type),
            receive_retransmission: retransmission(&ours, same.payload_type),
            feedback: kinds,
        });
    }
    // They are kept as long as the connection is.
    agreed.shrink_to_fit();
    agreed
}

fn extensions(ours: Section<'_>, theirs: Section<'_>) -> ExtensionMap {
    let mut map = ExtensionMap::default();
    map.set_mixed(ours.has_extmap_allow_mixed() && theirs.has_extmap_allow_mixed());
    for extmap in ours.extmaps() {
        let is_known = theirs.extmaps().any(|other| other.id == extmap.id && other.uri == extmap.uri);
        let id = u8::try_from(extmap.id.get()).ok().filter(|_| is_known);
        if let Some((id, kind)) = id.zip(Kind::from_uri(&extmap.uri)) {
            // A number that has two meanings is refused when the description is read.
            let _ = map.insert(id, kind);
        }
    }
    map
}

/// The encodings that both know, in our order; `direction` is seen from here.
fn rids(ours: &Media, theirs: &Media, direction: RidDirection) -> Vec<Box<str>> {
    let Some((ours, theirs)) = ours.simulcast().zip(theirs.simulcast()) else { return Vec::new() };
    let theirs = theirs.streams(direction.reversed());
    let is_theirs =
        |id: &str| theirs.iter().any(|stream| stream.alternatives().any(|other| *other.rid == *id));
    let ours = ours.streams(direction).iter().map(|stream| stream.first().rid.as_str());
    ours.filter(|id| is_theirs(id)).take(limits::ENCODINGS).map(Into::into).collect()
}

/// The sources that a section tells, each with its retransmissions (RFC 5576 §4.2, RFC 4588 §8.3).
fn sources(media: &Media) -> Vec<RemoteSource> {
    let pairs: Vec<_> = media
        .ssrc_groups()
        .filter(|group| group.semantics == SsrcSemantics::FlowIdentification)
        .filter_map(|group| Some((*group.ssrcs.first()?, *group.ssrcs.get(1)?)))
        .collect();
    let is_repair = |ssrc| pairs.iter().any(|(_, repair)| *repair == ssrc);
    let ssrcs = media.ssrcs();
    let primary = ssrcs.into_iter().filter(|ssrc| !is_repair(*ssrc)).take(limits::ENCODINGS);
    primary
        .map(|ssrc| RemoteSource {
            ssrc: Ssrc(ssrc.0),
            retransmission: pairs
                .iter()
                .find(|(source, _)| *source == ssrc)
                .map(|(_, repair)| Ssrc(repair.0)),
        })
        .collect()
}
