use super::*;

fn other(text: &str) -> bool {
    matches!(text.parse(), Ok(Attribute::Other(_)))
}

#[test]
fn flags_have_no_value() {
    assert_eq!("rtcp-mux".parse(), Ok(Attribute::RtcpMux));
    assert_eq!("rtcp-mux ".parse(), Ok(Attribute::RtcpMux));
    assert!(other("rtcp-mux:x"));
    assert_eq!("recvonly ".parse(), Ok(Attribute::Direction(Direction::RecvOnly)));
    assert!(other("recvonly:x"));
}

#[test]
fn harmless_spaces_do_not_matter() {
    assert_eq!("setup: actpass ".parse(), Ok(Attribute::Setup(Setup::ActPass)));
    let extmap: Attribute = "extmap: 1 a".parse().unwrap();
    assert_eq!(extmap.to_string(), "extmap:1 a");
}

#[test]
fn what_a_peer_relies_upon_must_be_well_formed() {
    for text in [
        "ice-ufrag:a",
        "ice-pwd:short",
        "setup:both",
        "fingerprint:sha-256 00",
        "rtpmap:300 x/1",
        "extmap:0 x",
        "mid:",
        "sctp-port:99999",
        "max-message-size:x",
        "candidate:x",
        "rtcp:1 IN IP7 X",
    ] {
        assert!(text.parse::<Attribute>().is_err(), "{text}");
    }
    let (name, why) = Attribute::read("setup:both").unwrap_err();
    assert_eq!((name, why.0), ("a=setup", "active, passive, actpass or holdconn"));
}

#[test]
fn what_it_can_do_without_is_kept() {
    for text in [
        "simulcast: send rid=1,4;2;3 paused=4 recv rid=c",
        "ssrc:5000",
        "fmtp:300 x=y",
        "rid:ë send",
        "ptime:x",
        "rtpmap:96 AppleLossless",
        "sctpmap:5000 webrtc-datachannel 1024",
        "crypto:1 AES_CM_128_HMAC_SHA1_80 inline:FvLcvU2P3ZWmQxgPAgcDu7Zl9vftYElFOjEzhWs5",
        "imageattr:97 send [x=1280,y=720]",
        "framerate:29.97",
        "x",
        "x:",
        "x: y ",
    ] {
        let attribute: Attribute = text.parse().unwrap();
        assert!(matches!(attribute, Attribute::Other(_)), "{text}");
        assert_eq!(attribute.to_string(), text);
    }
}

#[test]
fn a_name_is_a_token() {
    for text in ["", ":", ":x", "a b", "a b:c", "ë:x", "x:a\rb"] {
        assert!(text.parse::<Attribute>().is_err(), "{text:?}");
    }
}

#[test]
fn an_attribute_is_small() {
    assert!(size_of::<Attribute>() <= 80, "{} bytes", size_of::<Attribute>());
}
