//! Descriptions of all kinds, each valid (RFC 8866 §9 and the standards of its attributes).

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::sdp::attribute::*;
use crate::sdp::{
    Address, Bandwidth, Description, Family, Malformed, Media, Origin, Text, Timing, Token, Word,
};

/// Values of a type that are written as the pattern says.
fn spelled<T: FromStr<Err = Malformed> + std::fmt::Debug>(pattern: &'static str) -> impl Strategy<Value = T> {
    pattern.prop_map(|text: String| text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}")))
}

fn text() -> impl Strategy<Value = Text> {
    spelled("[^\\r\\n\\x00]{0,20}")
}

fn word() -> impl Strategy<Value = Word> {
    spelled("[!-~é]{1,12}")
}

fn token() -> impl Strategy<Value = Token> {
    spelled("[a-zA-Z0-9!#$%&'*+.^_`{|}~-]{1,12}")
}

fn mid() -> impl Strategy<Value = Mid> {
    spelled("[!-~]{1,12}")
}

fn rid_id() -> impl Strategy<Value = RidId> {
    spelled("[a-zA-Z0-9_-]{1,12}")
}

fn payload_type() -> impl Strategy<Value = PayloadType> {
    (0..128_u8).prop_map(|number| PayloadType::new(number).unwrap())
}

fn direction() -> impl Strategy<Value = Direction> {
    any::<(bool, bool)>().prop_map(|(sends, receives)| Direction::new(sends, receives))
}

fn address() -> impl Strategy<Value = Address> {
    let family = prop_oneof![Just(Family::Ip4), Just(Family::Ip6)];
    let named = (family, word()).prop_map(|(family, host)| Address { family, host });
    prop_oneof![any::<IpAddr>().prop_map(Address::from), named]
}

/// Attributes that may stand more than once, whatever the others are.
fn repeatable() -> BoxedStrategy<Attribute> {
    let candidate = "[A-Za-z0-9+/]{1,32} [12] (udp|TCP) [0-9]{1,9} [0-9a-f:.]{1,20} [0-9]{1,5} typ (host|srflx|relay)( [a-z0-9-]{1,9} [0-9]{1,9}){0,3}";
    let group = (spelled("BUNDLE|LS|FID|DUP|[A-Z]{1,5}"), vec(mid(), 0..4));
    let feedback =
        spelled("nack|nack pli|ccm fir|transport-cc|goog-remb|ack ccfb|trr-int [0-9]{1,4}|x [ -~]{0,9}!");
    let remote = (1..257_u16, word(), any::<u16>()).prop_map(|(component, host, port)| RemoteCandidate {
        component,
        host,
        port,
    });
    prop_oneof![
        prop::sample::select(&[
            Attribute::IceLite,
            Attribute::IceMismatch,
            Attribute::EndOfCandidates,
            Attribute::BundleOnly,
            Attribute::ExtmapAllowMixed,
            Attribute::RtcpMux,
            Attribute::RtcpMuxOnly,
            Attribute::RtcpReducedSize,
        ][..]),
        spelled::<Candidate>(candidate).prop_map_into(),
        vec(remote, 0..3).prop_map(|candidates| RemoteCandidates { candidates }.into()),
        vec(word(), 0..3).prop_map(|tags| IceOptions { tags }.into()),
        spelled::<Fingerprint>("(SHA-1 [0-9a-f]{2}(:[0-9A-F]{2}){19}|sha-256 [0-9A-F]{2}(:[0-9A-F]{2}){31}|x-Y [0-9A-F]{2}(:[0-9A-F]{2}){0,9})").prop_map_into(),
        group.prop_map(|(semantics, mids)| Group { semantics, mids }.into()),
        (any::<u16>(), option::of(address())).prop_map(|(port, address)| Rtcp { port, address }.into()),
        (payload_type(), text())
            .prop_map(|(payload_type, parameters)| Fmtp { payload_type, parameters }.into()),
        (option::of(payload_type()), feedback)
            .prop_map(|(payload_type, feedback)| RtcpFeedback { payload_type, feedback }.into()),
        rid().prop_map_into(),
        (vec(stream(), 0..4), vec(stream(), 0..4)).prop_map(|(send, recv)| Simulcast { send, recv }.into()),
        (any::<u32>(), token(), option::of(text()))
            .prop_map(|(ssrc, name, value)| SsrcAttribute { ssrc: Ssrc(ssrc), name, value }.into()),
        (spelled("FID|FEC|FEC-FR|SIM|[A-Z]{1,5}"), vec(any::<u32>().prop_map(Ssrc), 0..4))
            .prop_map(|(semantics, ssrcs)| SsrcGroup { semantics, ssrcs }.into()),
        (word(), option::of(word())).prop_map(|(id, track)| Msid { id, track }.into()),
        text().prop_map(|text| MsidSemantic(text).into()),
        vec(word(), 0..4).prop_map(|formats| RtcpXr { formats }.into()),
        time().prop_map(|time| PacketTime(time).into()),
        time().prop_map(|time| MaxPacketTime(time).into()),
        vec(token(), 0..3).prop_map(|kinds| Content { kinds }.into()),
        spelled::<Label>("[a-z0-9{}-]{1,9}").prop_map_into(),
        // Unknown, or known and malformed.
        (token(), option::of(text())).prop_filter_map("malformed", |(name, value)| {
            let text = value.map_or(name.to_string(), |value| format!("{name}:{value}"));
            text.parse().ok()
        }),
        prop::sample::select(&["ssrc:5000", "ptime:x", "simulcast: send rid=1", "rtpmap:1 x", "sctpmap:5000"][..])
            .prop_map(|text| text.parse().unwrap()),
    ]
    .boxed()
}

/// Attributes that may stand once, or whose number may.
fn single() -> BoxedStrategy<Attribute> {
    let extension = prop_oneof![1..=256_u16, 4096..=4351_u16].prop_map(|id| ExtensionId::new(id).unwrap());
    let codec = spelled::<Rtpmap>("(0|[1-9][0-9]|12[0-7]) [A-Za-z0-9.-]{1,9}/[1-9][0-9]{0,8}(/[1-9])?");
    prop_oneof![
        spelled::<Ufrag>("[a-zA-Z0-9+/]{4,20}").prop_map_into(),
        spelled::<Password>("[a-zA-Z0-9+/]{22,40}").prop_map_into(),
        any::<u32>().prop_map(|milliseconds| IcePacing(milliseconds).into()),
        spelled::<Setup>("active|passive|actpass|holdconn").prop_map_into(),
        spelled::<TlsId>("[a-zA-Z0-9+/_-]{20,40}").prop_map_into(),
        any::<u16>().prop_map(|port| SctpPort(port).into()),
        any::<u64>().prop_map(|size| MaxMessageSize(size).into()),
        vec(any::<u8>(), 20..60).prop_map(|chunk| SctpInit::new(chunk).unwrap().into()),
        direction().prop_map_into(),
        codec.prop_map_into(),
        (extension, option::of(direction()), word(), option::of(text()))
            .prop_map(|(id, direction, uri, attributes)| Extmap { id, direction, uri, attributes }.into()),
    ]
    .boxed()
}

fn rid() -> impl Strategy<Value = Rid> {
    let direction = prop_oneof![Just(RidDirection::Send), Just(RidDirection::Recv)];
    let restrictions = vec(spelled("(max-width|max-fps|depend|x)(=[0-9a-z,.=]{0,6})?"), 0..3);
    (rid_id(), direction, vec(payload_type(), 0..3), restrictions).prop_map(
        |(id, direction, payload_types, restrictions)| Rid { id, direction, payload_types, restrictions },
    )
}

fn stream() -> impl Strategy<Value = SimulcastStream> {
    let alternative =
        || (rid_id(), any::<bool>()).prop_map(|(rid, paused)| SimulcastAlternative { rid, paused });
    (alternative(), vec(alternative(), 0..3)).prop_map(|(first, others)| SimulcastStream::new(first, others))
}

fn time() -> impl Strategy<Value = Duration> {
    (0..10_000_000_000_u64).prop_map(Duration::from_nanos)
}

/// Any attribute.
pub(crate) fn attribute() -> impl Strategy<Value = Attribute> {
    prop_oneof![single(), repeatable(), mid().prop_map_into()]
}

/// The attributes of a level: of those that may be there once, one.
fn attributes() -> impl Strategy<Value = Attributes> {
    let single = single().prop_map(|attribute| (attribute, true));
    let repeatable = repeatable().prop_map(|attribute| (attribute, false));
    vec(prop_oneof![single, repeatable], 0..20).prop_map(|all| {
        let mut seen = BTreeSet::new();
        let key = |attribute: &Attribute| match attribute {
            Attribute::Rtpmap(rtpmap) => format!("rtpmap {}", rtpmap.payload_type),
            Attribute::Extmap(extmap) => format!("extmap {}", extmap.id),
            Attribute::Direction(_) => "direction".into(),
            other => other.name().into(),
        };
        let all = all.into_iter().filter(|(attribute, is_single)| !is_single || seen.insert(key(attribute)));
        all.map(|(attribute, _)| attribute).collect()
    })
}

fn bandwidth() -> impl Strategy<Value = Bandwidth> {
    (spelled("AS|CT|TIAS|X-[A-Z]{1,5}"), any::<u64>()).prop_map(|(kind, value)| Bandwidth { kind, value })
}

fn timing() -> impl Strategy<Value = Timing> {
    let repeats = vec(spelled("[1-9][0-9]{0,9}[dhms]?( [0-9]{1,9}[dhms]?){2,4}"), 0..3);
    let zones =
        option::of(spelled("[1-9][0-9]{9} -?[0-9]{1,5}[dhms]?( [1-9][0-9]{9} -?[0-9]{1,5}[dhms]?){0,2}"));
    (any::<u64>(), any::<u64>(), repeats, zones).prop_map(|(start, stop, repeats, zones)| Timing {
        start,
        stop,
        repeats,
        zones,
    })
}

fn media() -> impl Strategy<Value = Media> {
    let rtp =
        (spelled("UDP/TLS/RTP/SAVPF|RTP/AVP|TCP/DTLS/RTP/SAVPF"), vec(payload_type().prop_map_into(), 0..6));
    let other = (spelled("UDP/DTLS/SCTP|DTLS/SCTP|TCP|x/y"), vec(word(), 0..3));
    let line = (
        spelled("audio|video|application|x"),
        any::<u16>(),
        option::of(any::<u16>()),
        prop_oneof![rtp, other],
    );
    let lines =
        (option::of(text()), vec(address(), 0..3), vec(bandwidth(), 0..2), option::of(text()), attributes());
    (line, lines).prop_map(|((kind, port, port_count, (protocol, formats)), lines)| {
        let (information, connections, bandwidths, key, attributes) = lines;
        Media {
            kind,
            port,
            port_count,
            protocol,
            formats,
            information,
            connections,
            bandwidths,
            key,
            attributes,
        }
    })
}

/// Any description whose lines go together.
pub(crate) fn description() -> impl Strategy<Value = Description> {
    let origin = (word(), any::<u64>(), any::<u64>(), address()).prop_map(
        |(username, session_id, session_version, address)| Origin {
            username,
            session_id,
            session_version,
            address,
        },
    );
    let first =
        (origin, text(), option::of(text()), option::of(text()), vec(text(), 0..2), vec(text(), 0..2));
    let second = (
        option::of(address()),
        vec(bandwidth(), 0..2),
        vec(timing(), 0..3),
        option::of(text()),
        attributes(),
    );
    (first, second, vec((media(), any::<bool>()), 0..4)).prop_map(|(first, second, sections)| {
        let (origin, name, information, uri, emails, phones) = first;
        let (connection, bandwidths, times, key, attributes) = second;
        let named = sections.into_iter().enumerate().map(|(index, (media, has_mid))| match has_mid {
            true => media.with(index.to_string().parse::<Mid>().unwrap()),
            false => media,
        });
        Description {
            origin,
            name,
            information,
            uri,
            emails,
            phones,
            connection,
            bandwidths,
            times,
            key,
            attributes,
            media: named.collect(),
        }
    })
}
