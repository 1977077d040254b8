use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Result<Candidate, ParseError> {
    text.parse()
}

#[test]
fn lines_of_browsers_and_standards_round_trip() {
    for line in [
        "candidate:1467250027 1 udp 2122260223 192.168.0.196 46243 typ host generation 0 ufrag EEtu network-id 3 network-cost 10",
        "candidate:0 1 udp 2122252543 3f1a9e2c-1111-4222-8333-444455556666.local 54321 typ host",
        "candidate:1 1 tcp 1518280447 10.0.0.1 9 typ host tcptype active generation 0",
        "candidate:3 1 udp 1685987071 93.184.216.34 49172 typ srflx raddr 10.0.1.1 rport 49171",
        "candidate:4 1 udp 41819902 10.1.1.1 3478 typ relay raddr 93.184.216.34 rport 49172",
        "candidate:5 2 udp 1 2001:db8::1 1 typ prflx raddr :: rport 9",
    ] {
        assert_eq!(parse(line).map(|candidate| candidate.to_string()).as_deref(), Ok(line));
    }
}

#[test]
fn case_prefix_and_order_do_not_matter() {
    let line = "a=candidate:1 1 UDP 2122260223 192.168.1.101 49170 typ host\r\n";
    let candidate = parse(line).unwrap();
    assert_eq!(candidate.transport, Transport::Udp);
    assert_eq!(candidate.address, Address::Ip("192.168.1.101:49170".parse().unwrap()));
    let swapped = parse("1 1 TCP 5 10.0.0.1 9 typ srflx tcptype passive rport 7 raddr 10.0.0.2 x y").unwrap();
    assert_eq!(swapped.transport, Transport::Tcp(TcpType::Passive));
    assert_eq!(swapped.related, Some(Address::Ip("10.0.0.2:7".parse().unwrap())));
    assert_eq!(swapped.extensions, [("x".into(), "y".into())]);
}

#[test]
fn an_error_says_what_is_wrong() {
    let good = ["1", "1", "udp", "5", "10.0.0.1", "9", "typ", "host"];
    let with = |position: usize, word: &str| {
        let mut words = good;
        words[position] = word;
        parse(&words.join(" ")).unwrap_err()
    };
    assert!(parse(&good.join(" ")).is_ok());
    assert_eq!(parse(""), Err(ParseError::Missing("foundation")));
    assert_eq!(parse(&good[..5].join(" ")), Err(ParseError::Missing("port")));
    assert_eq!(parse(&good[..7].join(" ")), Err(ParseError::Missing("type")));
    assert_eq!(with(0, "a-b"), ParseError::BadFoundation);
    assert_eq!(with(0, &"1".repeat(33)), ParseError::BadFoundation);
    assert_eq!(with(1, "0"), ParseError::BadComponent);
    assert_eq!(with(1, "257"), ParseError::BadComponent);
    assert_eq!(with(2, "sctp"), ParseError::UnknownTransport);
    assert_eq!(with(2, "tcp"), ParseError::NoTcpType);
    assert_eq!(with(3, "4294967296"), ParseError::BadPriority);
    assert_eq!(with(4, "fe80::1%eth0"), ParseError::BadAddress);
    assert_eq!(with(4, "ex ample"), ParseError::BadPort);
    assert_eq!(with(5, "65536"), ParseError::BadPort);
    assert_eq!(with(7, "magic"), ParseError::UnknownKind);
    assert_eq!(with(7, "host raddr 10.0.0.1"), ParseError::HalfRelated);
    assert_eq!(with(7, "host tcptype both"), ParseError::UnknownTcpType);
    assert_eq!(with(7, "host ufrag abc"), ParseError::BadUfrag);
    assert_eq!(with(7, "host lonely"), ParseError::ExtensionWithoutValue);
    assert_eq!(with(7, "host note a\r\na=setup:active"), ParseError::NotOneLine);
    assert_eq!(with(7, &format!("host{}", " a b".repeat(33))), ParseError::TooManyExtensions);
    assert_eq!(ParseError::Missing("port").to_string(), "the candidate ends before its port");
}

proptest! {
    #[test]
    fn no_text_panics_and_what_parses_round_trips(text in "(candidate:)?([a-z0-9.:+/ ]{0,12} ?){0,14}") {
        if let Ok(candidate) = parse(&text) {
            prop_assert_eq!(parse(&candidate.to_string()), Ok(candidate));
        }
    }

    #[test]
    fn near_misses_round_trip(
        priority: u32, port: u16, kind in "host|srflx|relay|prflx|none",
        tail in "( (raddr|rport|ufrag|generation|tcptype|cost) ([0-9]{1,4}|10\\.0\\.0\\.1|active|abcd)?){0,5}",
    ) {
        let line = format!("1 1 udp {priority} 10.0.0.1 {port} typ {kind}{tail}");
        if let Ok(candidate) = parse(&line) {
            prop_assert_eq!(parse(&candidate.to_string()), Ok(candidate));
        }
    }
}
