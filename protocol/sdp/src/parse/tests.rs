use crate::attribute::{Attribute, Mid};
use crate::limits::{MAX_BYTES, MAX_FAULTS, MAX_LINES, MAX_SECTIONS};
use crate::{Description, ParseError, Reason};

const SESSION: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";

fn error(text: &str) -> ParseError {
    text.parse::<Description>().expect_err(text)
}

/// Refuses the last line, and names it.
fn refused(lines: &str, words: &str) {
    let text = format!("{SESSION}{lines}");
    let error = error(&text);
    assert_eq!((error.line, &*error.text), (text.lines().count(), text.lines().last().unwrap()), "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

fn accepted(lines: &str) -> Description {
    format!("{SESSION}{lines}").parse().unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn what_must_be_there_is_missed() {
    for (text, line, what) in [
        ("", 1, "v=0"),
        ("o=- 1 1 IN IP4 a\ns=-\n", 2, "v=0"),
        ("v=0\ns=-\n", 2, "o="),
        ("v=0\no=- 1 1 IN IP4 a\nt=0 0\nm=audio 9 RTP/AVP 0\na=mid:0\n", 3, "s="),
    ] {
        let error = error(text);
        assert_eq!((error.line, error.reason), (line, Reason::Missing(what)), "{text:?}");
    }
}

#[test]
fn a_version_comes_first_and_is_0() {
    assert!(error("v=1\n").to_string().contains("expected 0"));
    assert!(error("s=-\nv=0\n").to_string().contains("as the first line"));
    refused("v=0\r\n", "as the first line");
}

#[test]
fn what_may_be_said_once_is_refused_twice() {
    refused("s=x\r\n", "s= is given twice");
    refused("c=IN IP4 a\r\nc=IN IP4 a\r\n", "c= is given twice");
    refused("m=audio 9 RTP/AVP 0\r\ni=a\r\ni=b\r\n", "i= is given twice");
    for attribute in [
        "ice-ufrag:abcd",
        "ice-pwd:0123456789012345678901",
        "ice-pacing:5",
        "setup:active",
        "tls-id:01234567890123456789",
        "mid:0",
        "sctp-port:5000",
        "max-message-size:1",
        "sctp-init:AQAAHols3R0AUAAA/////+B5ZR3AAAAEgAgABoLA",
    ] {
        let name = attribute.split(':').next().unwrap();
        refused(&format!("a={attribute}\r\na={attribute}\r\n"), &format!("a={name} is given twice"));
        let in_section = format!("m=audio 9 RTP/AVP 0\r\na={attribute}\r\na=x\r\na={attribute}\r\n");
        refused(&in_section, &format!("a={name} is given twice"));
        accepted(&format!("a={attribute}\r\nm=audio 9 RTP/AVP 0\r\na={attribute}\r\n"));
    }
    refused("a=sendonly\r\na=inactive\r\n", "is given twice");
}

#[test]
fn two_sections_have_two_names() {
    let sections = "m=audio 9 RTP/AVP 0\r\na=mid:a\r\nm=audio 9 RTP/AVP 0\r\na=mid:";
    refused(&format!("{sections}a\r\n"), "the a=mid of another section is given twice");
    let description = accepted(&format!("{sections}b\r\n"));
    let section = description.section_of(&"b".parse::<Mid>().unwrap()).unwrap();
    assert_eq!(section.index, 1);
}

#[test]
fn a_number_has_one_meaning_in_a_section() {
    let audio = "m=audio 9 RTP/AVP 96\r\n";
    refused(&format!("{audio}a=rtpmap:96 a/1\r\na=x\r\na=rtpmap:96 b/1\r\n"), "a=rtpmap is given twice");
    refused(&format!("{audio}a=extmap:1 a\r\na=extmap:1 b\r\n"), "a=extmap is given twice");
    refused(&format!("{audio}a=extmap:256 a\r\na=extmap:256 b\r\n"), "a=extmap is given twice");
    // The same twice is harmless, and another section is another matter.
    accepted(&format!("{audio}a=rtpmap:96 a/1\r\na=rtpmap:96 a/1\r\n{audio}a=rtpmap:96 b/1\r\n"));
    accepted(&format!("{audio}a=extmap:1 a\r\na=extmap:1 a\r\n{audio}a=extmap:1 b\r\n"));
    // RFC 8285 §7's own example.
    accepted(&format!("{audio}a=extmap:4096 URI-gps-string\r\na=extmap:4096 URI-gps-binary\r\n"));
}

#[test]
fn lines_of_the_wrong_kind_or_place_are_refused() {
    refused("f=x\r\n", "no such line here: expected one of v= o=");
    refused("m=audio 9 RTP/AVP 0\r\nt=0 0\r\n", "no such line here: expected one of i= c= b= k= a= m=");
    for line in [";", "x", "=", "A=x", "aa=x", "ë=x", "a"] {
        refused(&format!("{line}\r\n"), "not a line");
    }
    let error = error("v=0\no=- 1 1 IN IP4 a\ns=-\nr=1 1 1\n");
    assert!(error.to_string().contains("expected a line t= before it"), "{error}");
    refused("r=1 1 1\r\nz=1 1\r\nz=1 1\r\n", "z= is given twice");
}

#[test]
fn absurd_sections_are_refused() {
    for line in [
        "audio 65536 RTP/AVP 0",
        "audio -1 RTP/AVP 0",
        "audio 9/x RTP/AVP 0",
        "audio 9 RTP/AVP 128",
        "audio 9 RTP/AVP x",
        "audio 9 RTP//AVP 0",
        "audio 9",
        "",
    ] {
        refused(&format!("m={line}\r\n"), "bad m=: expected");
    }
    accepted("m=application 9 UDP/BFCP *\r\nm=audio 9/65535 RTP/AVP\r\nm=application 9 DTLS/SCTP 5000\r\n");
}

#[test]
fn no_line_hides_in_another() {
    for line in ["s=x\ra=setup:active", "a=x:y\ra=mid:0", "i=\0", "a=mid:0\ra=x", "c=IN IP4 a\rb"] {
        let text = format!("v=0\r\no=- 1 1 IN IP4 a\r\n{line}\r\ns=-\r\n");
        assert!(text.parse::<Description>().is_err(), "{text:?}");
    }
}

#[test]
fn limits_are_kept() {
    let too_much = |text: &str, what: &str| {
        let error = error(text);
        assert!(matches!(error.reason, Reason::TooMuch { what: own, .. } if own == what), "{error}");
    };
    too_much(&format!("{SESSION}i={}", "x".repeat(MAX_BYTES)), "bytes");
    too_much(&format!("{SESSION}{}", "\n".repeat(MAX_LINES)), "lines");
    let section = "m=audio 0 RTP/AVP 0\r\n";
    too_much(&format!("{SESSION}{}", section.repeat(MAX_SECTIONS + 1)), "media sections");
    assert_eq!(accepted(&section.repeat(MAX_SECTIONS)).media.len(), MAX_SECTIONS);
}

#[test]
fn what_can_be_read_is_salvaged() {
    let text = format!("; comment\n{SESSION}a=setup:both\r\na=x\r\nm=audio 9 RTP/AVP 0\r\na=mid:\r\na=y\r\n");
    let (description, faults) = Description::salvage(&text).unwrap();
    assert_eq!(faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [1, 6, 9]);
    assert_eq!(description.attributes.iter().map(Attribute::name).collect::<Vec<_>>(), ["x"]);
    assert_eq!(description.media[0].attributes.iter().map(Attribute::name).collect::<Vec<_>>(), ["y"]);
    assert_eq!(text.parse::<Description>(), Err(faults[0].clone()));
}

#[test]
fn what_cannot_be_salvaged_is_refused() {
    let mut text = format!("{SESSION}m=x\r\na=mid:0\r\n");
    assert_eq!(Description::salvage(&text).unwrap_err().line, 5);
    text = format!("{SESSION}{}", ";\n".repeat(MAX_FAULTS));
    assert_eq!(Description::salvage(&text).unwrap().1.len(), MAX_FAULTS);
    text.push(';');
    assert_eq!(Description::salvage(&text).unwrap_err().line, 5 + MAX_FAULTS);
    assert_eq!(Description::salvage("nothing").unwrap_err().reason, Reason::Missing("v=0"));
}

/// As tutorials write them: one section on a public port, candidates of all kinds, no WebRTC attributes.
#[test]
fn a_plain_offer_with_candidates_of_every_kind_is_read_and_comes_back() {
    let lines = [
        "v=0",
        "o=- 423904492236154649 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "m=audio 49170 RTP/AVP 0",
        "c=IN IP4 192.168.1.101",
        "a=rtpmap:0 PCMU/8000",
        "a=ice-options:trickle",
        "a=candidate:1 1 UDP 2122260223 192.168.1.101 49170 typ host",
        "a=candidate:3 1 UDP 1685987071 93.184.216.34 49172 typ srflx raddr 10.0.1.1 rport 49171",
        "a=candidate:4 1 UDP 41819902 10.1.1.1 3478 typ relay raddr 93.184.216.34 rport 49172",
    ];
    let text: String = lines.iter().flat_map(|line| [line, "\r\n"]).collect();
    let description: Description = text.parse().unwrap_or_else(|error| panic!("{error}"));
    let candidates: Vec<String> = description.media[0].candidates().map(ToString::to_string).collect();
    assert_eq!(candidates.len(), 3);
    assert!(candidates[2].ends_with("typ relay raddr 93.184.216.34 rport 49172"), "{candidates:?}");
    assert_eq!(description.to_string(), text);
}
