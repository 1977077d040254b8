//! Making sections of sound and pictures (RFC 9429 §5.2.1, §5.2.2, §5.3.1).

use std::num::{NonZeroU8, NonZeroU32};

use rtp::extension::Kind;
use sdp::attribute::{
    Attribute, Direction, Extmap, Feedback, Fmtp, Mid, Msid, PayloadType, Rid, RidDirection, RidId,
    RtcpFeedback, Rtpmap, Setup, Simulcast, SsrcAttribute, SsrcGroup, SsrcSemantics,
};
use sdp::{Media, Section};

use super::Ours;
use super::numbers::Numbers;
use crate::limits;
use crate::media::{Codec, CodecCapability, MediaCapabilities, MediaKind, Transceiver};

/// The capabilities that a transceiver uses, most wanted first. What goes with all codecs goes with those that are wanted.
fn wanted<'a>(all: &'a [CodecCapability], preferences: &[Codec]) -> Vec<&'a CodecCapability> {
    if preferences.is_empty() {
        return all.iter().collect();
    }
    let find = |codec: &Codec| all.iter().find(|capability| capability.codec.matches(codec));
    preferences.iter().filter_map(find).collect()
}

/// A section that offers what a transceiver would do.
pub(super) fn offered(
    transceiver: &Transceiver,
    mid: Mid,
    capabilities: &MediaCapabilities,
    numbers: &mut Numbers,
    ours: &Ours,
) -> Media {
    let kind = transceiver.kind();
    let mut media = begun(kind, mid)
        .with(Attribute::Direction(transceiver.direction()))
        .with(Attribute::ExtmapAllowMixed);
    for extension in capabilities.extensions(kind) {
        let uri = extension.kind.uri();
        if let Some((id, uri)) = numbers.extension(uri, extension.id).zip(uri.parse().ok()) {
            media = media.with(Extmap::new(id, uri));
        }
    }
    let mut opus = None;
    for capability in wanted(capabilities.codecs(kind), transceiver.codec_preferences()) {
        let mut codec = capability.codec.clone();
        if codec.is("red") {
            let Some(opus) = opus else { continue };
            codec.parameters = format!("{opus}/{opus}").into();
        }
        let Some(number) = numbers.payload_type(&codec, capability.payload_type) else { continue };
        if codec.is("opus") {
            opus = Some(number);
        }
        add_codec(&mut media, &codec, number, &capability.feedback);
        if let Some(wanted) = capability.retransmission {
            let repeats = retransmission(codec.clock_rate, number);
            if let Some(own) = numbers.payload_type(&repeats, wanted) {
                add_codec(&mut media, &repeats, own, &[]);
            }
        }
    }
    if capabilities.congestion_feedback {
        media = media.with(on_all(Feedback::AckCcfb));
    }
    if capabilities.cryptex {
        media = media.with(Attribute::Cryptex);
    }
    let rids: Vec<Box<str>> =
        transceiver.encodings().iter().filter_map(|encoding| encoding.init.rid.clone()).collect();
    media = with_rids(media, &rids, RidDirection::Send);
    ours.transport_in(with_sources(media, transceiver, ours), Setup::ActPass)
}

/// A section that answers an offered one with what a transceiver does; none if they have no codec in common.
pub(super) fn answered(
    transceiver: &Transceiver,
    section: Section<'_>,
    capabilities: &MediaCapabilities,
    ours: &Ours,
    setup: Setup,
) -> Option<Media> {
    let kind = transceiver.kind();
    let direction = section.direction().reversed().and(transceiver.direction());
    let mut media = begun(kind, section.media.mid()?.clone()).with(Attribute::Direction(direction));
    // RFC 8888 §6: of two kinds of feedback that say the same, one is answered.
    let by_stream = capabilities.congestion_feedback && section.media.has_feedback_on_all(&Feedback::AckCcfb);
    for extmap in section.extmaps() {
        if by_stream && extmap.uri == *Kind::TransportSequenceNumber.uri() {
            continue;
        }
        if capabilities.extensions(kind).iter().any(|known| extmap.uri == *known.kind.uri()) {
            media = media.with(Extmap::new(extmap.id, extmap.uri.clone()));
        }
    }
    if section.has_extmap_allow_mixed() {
        media = media.with(Attribute::ExtmapAllowMixed);
    }
    let offered = section.media.codecs();
    let mut common = common(capabilities.codecs(kind), &offered, transceiver.codec_preferences());
    if common.iter().all(|(capability, _)| capability.codec.is_auxiliary()) {
        return None;
    }
    common.dedup_by_key(|(_, codec)| codec.payload_type);
    for (capability, codec) in common {
        let number = codec.payload_type;
        let mut own = capability.codec.clone();
        if own.is("red") {
            own.parameters = Codec::from(codec).parameters;
        }
        let feedback: Vec<Feedback> =
            capability.feedback.iter().filter(|kind| codec.has_feedback(kind)).cloned().collect();
        let feedback: Vec<Feedback> =
            feedback.into_iter().filter(|kind| !by_stream || *kind != Feedback::TransportCc).collect();
        add_codec(&mut media, &own, number, &feedback);
        let repeats = offered.iter().find(|codec| codec.retransmits() == Some(number));
        if let Some(repeats) = repeats.filter(|_| capability.retransmission.is_some()) {
            add_codec(&mut media, &retransmission(own.clock_rate, number), repeats.payload_type, &[]);
        }
    }
    if by_stream {
        media = media.with(on_all(Feedback::AckCcfb));
    }
    if capabilities.cryptex && section.has_cryptex() {
        media = media.with(Attribute::Cryptex);
    }
    for (way, own) in [(RidDirection::Send, RidDirection::Recv), (RidDirection::Recv, RidDirection::Send)] {
        let rids = answered_rids(transceiver, section.media, way);
        media = with_rids(media, &rids, own);
    }
    if !section.media.attributes.has(&Attribute::RtcpReducedSize) {
        media.attributes.0.retain(|attribute| *attribute != Attribute::RtcpReducedSize);
    }
    Some(ours.transport_in(with_sources(media, transceiver, ours), setup))
}

/// Whether a section has a codec that can be used.
pub(super) fn is_usable(media: &Media, capabilities: &MediaCapabilities) -> bool {
    let Some(kind) = MediaKind::of(media) else { return false };
    // RFC 9429 §4.1.1: RTP and RTCP share a port, or there is no section.
    media.has_rtcp_mux()
        && common(capabilities.codecs(kind), &media.codecs(), &[])
            .iter()
            .any(|(capability, _)| !capability.codec.is_auxiliary())
}

/// What both have, in the order of preference, or else of the offer.
fn common<'a, 'b>(
    capabilities: &'a [CodecCapability],
    offered: &'b [sdp::Codec<'b>],
    preferences: &[Codec],
) -> Vec<(&'a CodecCapability, &'b sdp::Codec<'b>)> {
    let wanted = wanted(capabilities, preferences);
    let pairs: Vec<(&CodecCapability, &sdp::Codec<'_>)> = offered
        .iter()
        .take(limits::CODECS)
        .filter_map(|codec| {
            let own = Codec::from(codec);
            let same = wanted.iter().find(|capability| capability.codec.matches(&own))?;
            Some((*same, codec))
        })
        .collect();
    if preferences.is_empty() {
        return pairs;
    }
    let of = |wanted: &CodecCapability| pairs.iter().find(|(own, _)| std::ptr::eq(*own, wanted)).copied();
    wanted.into_iter().filter_map(of).collect()
}

/// The encodings of an offered section that are taken: the peer's all, and of ours those that it takes.
fn answered_rids(transceiver: &Transceiver, offered: &Media, way: RidDirection) -> Vec<Box<str>> {
    let streams = offered.simulcast().map_or(&[][..], |simulcast| simulcast.streams(way));
    let rids = streams.iter().map(|stream| stream.first().rid.as_str()).take(limits::ENCODINGS);
    let is_taken = |rid: &&str| match way {
        RidDirection::Send => true,
        RidDirection::Recv => transceiver.encodings().iter().any(|own| own.init.rid.as_deref() == Some(*rid)),
    };
    rids.filter(is_taken).map(Into::into).collect()
}

fn begun(kind: MediaKind, mid: Mid) -> Media {
    let kind = match kind {
        MediaKind::Audio => sdp::MediaKind::Audio,
        MediaKind::Video => sdp::MediaKind::Video,
    };
    Media::rtp(kind, mid).with(Attribute::RtcpReducedSize)
}

/// Feedback about all of a section.
fn on_all(feedback: Feedback) -> RtcpFeedback {
    RtcpFeedback { payload_type: None, feedback }
}

fn retransmission(clock_rate: u32, of: PayloadType) -> Codec {
    Codec { clock_rate, ..Codec::video("rtx", &format!("apt={}", of.get())) }
}

fn add_codec(media: &mut Media, codec: &Codec, payload_type: PayloadType, feedback: &[Feedback]) {
    let name = codec.name.parse().ok().zip(NonZeroU32::new(codec.clock_rate));
    let Some((encoding, clock_rate)) = name else { return };
    let channels = NonZeroU8::new(codec.channels).filter(|channels| channels.get() > 1);
    let parameters = codec.parameters.parse().ok().filter(|_| !codec.parameters.is_empty());
    let fmtp = parameters.map(|parameters| Fmtp { payload_type, parameters });
    media.add_codec(Rtpmap { payload_type, encoding, clock_rate, channels }, feedback, fmtp);
}

/// One encoding alone needs no name (RFC 8853 §5.1).
fn with_rids(mut media: Media, rids: &[Box<str>], direction: RidDirection) -> Media {
    let ids: Vec<RidId> = rids.iter().filter_map(|rid| rid.parse().ok()).collect();
    if ids.is_empty() {
        return media;
    }
    for id in &ids {
        media = media.with(Rid::new(id.clone(), direction));
    }
    let known = media.attributes.get::<Simulcast>().cloned();
    let mut simulcast = match direction {
        RidDirection::Send => Simulcast::sending(ids),
        RidDirection::Recv => Simulcast::receiving(ids),
    };
    if let Some(known) = known {
        // One line says both ways.
        simulcast.send.extend(known.send);
        simulcast.recv.extend(known.recv);
    }
    media.attributes.set(simulcast);
    media
}

/// The track, and the sources where they have no names (RFC 8830 §2, RFC 5576 §4; RFC 9429 §5.2.1).
fn with_sources(mut media: Media, transceiver: &Transceiver, ours: &Ours) -> Media {
    if !media.direction().unwrap_or_default().sends() {
        return media;
    }
    let track = transceiver.track().parse().ok();
    let no_stream: [Box<str>; 1] = ["-".into()];
    let streams = if transceiver.streams.is_empty() { &no_stream[..] } else { &transceiver.streams };
    for stream in streams {
        if let Ok(id) = stream.parse() {
            media = media.with(Msid { id, track: track.clone() });
        }
    }
    let [only] = transceiver.encodings() else { return media };
    if only.init.rid.is_some() {
        return media;
    }
    let repeats = media.codecs().iter().any(|codec| codec.is("rtx"));
    let sources = [only.ssrc, only.retransmission].map(|ssrc| sdp::attribute::Ssrc(ssrc.0));
    if repeats {
        let semantics = SsrcSemantics::FlowIdentification;
        media = media.with(SsrcGroup { semantics, ssrcs: sources.to_vec() });
    }
    for ssrc in sources.into_iter().take(if repeats { 2 } else { 1 }) {
        if let Some((name, value)) = "cname".parse().ok().zip(ours.cname.parse().ok()) {
            media = media.with(SsrcAttribute { ssrc, name, value: Some(value) });
        }
    }
    media
}

/// What the peer's section says of the track that it sends: the streams, and the track's name (RFC 8830 §2).
pub(super) fn remote_track(section: Section<'_>) -> Option<(Vec<Box<str>>, Box<str>)> {
    if !section.direction().sends() {
        return None;
    }
    let mut streams: Vec<Box<str>> = Vec::new();
    let mut track: Option<Box<str>> = None;
    for msid in section.media.msids().take(limits::STREAMS_OF_A_TRACK) {
        if let Some(stream) = msid.stream()
            && !streams.iter().any(|known| *stream == **known)
        {
            streams.push(stream.as_str().into());
        }
        track = track.or_else(|| msid.track.as_ref().map(|track| track.as_str().into()));
    }
    let unnamed = || section.media.mid().map_or_else(|| "".into(), |mid| mid.as_str().into());
    Some((streams, track.unwrap_or_else(unnamed)))
}

/// Both ends' wishes for a direction agree with what the descriptions in force say of it (W3C webrtc-pc §4.7.3).
pub(super) fn says(description: Option<&sdp::Description>, index: usize) -> Option<Direction> {
    let section = description?.section(index)?;
    (!section.media.is_rejected()).then(|| section.direction())
}
