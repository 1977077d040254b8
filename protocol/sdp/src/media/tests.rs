use crate::attribute::{Attribute, Direction, Feedback, Mid, Rtpmap, Ssrc, SsrcAttribute};
use crate::{Description, Media, MediaKind, Protocol};

fn media(lines: &str) -> Media {
    let text = format!("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n{lines}");
    text.parse::<Description>().unwrap().media.remove(0)
}

#[test]
fn port_0_rejects_unless_it_is_bundled() {
    assert!(media("m=audio 0 RTP/AVP 0\r\n").is_rejected());
    assert!(!media("m=audio 0 RTP/AVP 0\r\na=bundle-only\r\n").is_rejected());
    assert!(!media("m=audio 9 RTP/AVP 0\r\n").is_rejected());
}

#[test]
fn old_descriptions_of_data_channels_give_the_port_as_format() {
    let old = media("m=application 9 DTLS/SCTP 5001\r\na=sctpmap:5001 webrtc-datachannel 1024\r\n");
    assert_eq!(old.sctp_port().unwrap().0, 5001);
    assert!(old.protocol.is_sctp() && !old.protocol.is_rtp());
    assert_eq!(old.attributes.other("sctpmap").unwrap().value(), Some("5001 webrtc-datachannel 1024"));
    let new = media("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=sctp-port:5000\r\n");
    assert_eq!((new.sctp_port().unwrap().0, new.max_message_size().limit()), (5000, Some(65_536)));
    assert_eq!(media("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n").sctp_port(), None);
}

#[test]
fn encodings_named_twice_count_for_nothing() {
    let media = media("m=video 9 RTP/AVP 96\r\na=rid:a send\r\na=rid:b send\r\na=rid:a recv\r\n");
    assert_eq!(media.rids().iter().map(|rid| &*rid.id).collect::<Vec<_>>(), ["b"]);
}

#[test]
fn sources_are_listed_once() {
    let media =
        media("m=video 9 RTP/AVP 96\r\na=ssrc:2 cname:x\r\na=ssrc:1 cname:y\r\na=ssrc:2 msid:a b\r\n");
    assert_eq!(media.ssrcs(), [Ssrc(2), Ssrc(1)]);
    assert_eq!(media.ssrc_attribute(Ssrc(2), "msid"), Some("a b"));
    assert_eq!(media.ssrc_attribute(Ssrc(1), "msid"), None);
    assert_eq!(media.attributes.all::<SsrcAttribute>().count(), 3);
}

#[test]
fn either_form_of_multiplexing_counts() {
    for line in ["rtcp-mux", "rtcp-mux-only"] {
        assert!(media(&format!("m=video 9 RTP/AVP 96\r\na={line}\r\n")).has_rtcp_mux());
    }
    assert!(!media("m=video 9 RTP/AVP 96\r\na=rtcp-rsize\r\n").has_rtcp_mux());
}

#[test]
fn a_section_is_made_with_its_codecs() {
    let mut media = Media::rtp(MediaKind::Audio, "a".parse().unwrap()).with(Direction::RecvOnly);
    let opus: Rtpmap = "111 opus/48000/2".parse().unwrap();
    let fmtp = "0 useinbandfec=1".parse().unwrap();
    media.add_codec(opus, &[Feedback::TransportCc, Feedback::Nack], Some(fmtp));
    media.add_codec("0 PCMU/8000".parse().unwrap(), &[], None);
    let text = "m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\nc=IN IP4 0.0.0.0\r\na=mid:a\r\na=rtcp-mux\r\na=recvonly\r\n\
        a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\na=rtcp-fb:111 nack\r\n\
        a=fmtp:111 useinbandfec=1\r\na=rtpmap:0 PCMU/8000\r\n";
    assert_eq!(media.to_string(), text);
    assert_eq!(media.codecs()[0].parameter("useinbandfec"), Some("1"));
    assert_eq!(media, self::media(text));
}

#[test]
fn a_rejection_keeps_what_tells_the_section() {
    let offered = media(
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 192.0.2.1\r\na=mid:v\r\na=rtpmap:96 VP8/90000\r\n\
         a=ice-ufrag:abcd\r\n",
    );
    let rejected = offered.rejected();
    assert!(rejected.is_rejected());
    assert_eq!((&rejected.kind, &rejected.protocol), (&MediaKind::Video, &Protocol::UdpTlsRtpSavpf));
    assert_eq!(rejected.formats, offered.formats);
    assert_eq!(rejected.attributes.0, [Attribute::Mid("v".parse::<Mid>().unwrap())]);
}
