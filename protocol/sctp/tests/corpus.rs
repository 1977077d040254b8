//! Packets of other implementations (RFC 9260 §3): libwebrtc's seed corpus for its SCTP parser, read from
//! `../shared/vectors` beside the project, where it is there.

use std::path::Path;
use std::time::Instant;

use twocan_sctp::packet::Packet;
use twocan_sctp::{Association, Config};

const EXPECTED: &[(&str, &str)] = &[
    ("cookie-ack-sack.bin", "COOKIE-ACK | SACK"),
    ("cookie-echo-data-data-data.bin", "COOKIE-ECHO | DATA | DATA | DATA"),
    // Cut off in the middle of its padding.
    ("cookie-echo-data-data.bin", "COOKIE-ECHO | malformed"),
    ("cookie-echo-data.bin", "COOKIE-ECHO | malformed"),
    ("data-fragment1.bin", "DATA"),
    ("forward-tsn.bin", "FORWARD-TSN"),
    ("heartbeat-ack.bin", "HEARTBEAT-ACK"),
    ("heartbeat.bin", "HEARTBEAT"),
    ("init-ack.bin", "INIT-ACK"),
    ("init.bin", "INIT"),
    ("re-config.bin", "RE-CONFIG"),
    ("sack-data.bin", "SACK | DATA"),
    ("sack-gap-ack-1.bin", "SACK"),
];

#[test]
fn packets_of_others_are_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let folder = ["../shared", "shared"]
        .map(|shared| root.join(shared).join("vectors/libwebrtc-fuzz-corpora/sctp-packet-corpus"))
        .into_iter()
        .find(|folder| folder.is_dir());
    let Some(folder) = folder else {
        println!("skipped: ../shared/vectors/libwebrtc-fuzz-corpora is not there");
        return;
    };
    for (name, expected) in EXPECTED {
        let bytes = std::fs::read(folder.join(name)).unwrap();
        let text = format!("{:?}", Packet::parse(&bytes).unwrap());
        let names: Vec<&str> =
            text.split(" | ").skip(1).map(|chunk| chunk.split(' ').next().unwrap()).collect();
        assert_eq!(names.join(" | "), *expected, "{name}: {text}");
        survives(&bytes);
    }
}

/// Neither the packet nor anything near it upsets an association.
fn survives(bytes: &[u8]) {
    #[expect(clippy::disallowed_methods, reason = "any instant will do to count from")]
    let now = Instant::now();
    let mut association = Association::new(now, Config::default(), 1);
    association.connect(now);
    let mut buffer = Vec::new();
    for place in 0..bytes.len() {
        let mut changed = bytes.to_vec();
        changed[place] ^= 0xA5;
        let _ = association.handle_packet(now, &changed);
        let _ = association.handle_packet(now, &changed[..place]);
        while association.poll_transmit(now, &mut buffer).is_some() {
            buffer.clear();
        }
    }
}
