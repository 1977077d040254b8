//! What `getStats()` says of a known call (W3C webrtc-stats).

use std::time::Duration;

use twocan_peer::Kind;
use twocan_peer::stats::{
    DtlsRole, DtlsTransportState, IceRole, PeerConnectionStats, Stats, StatsReport, TransportStats,
};

use crate::world::{ADA, BOB, World};

const PATIENCE: Duration = Duration::from_secs(60);

/// The report in lines, an object in each; what depends on chance (the length of an ECDSA signature) is left out.
fn lines(report: &StatsReport) -> Vec<String> {
    let json = report.to_json(1_000_000.0);
    let objects = json.strip_prefix('{').and_then(|json| json.strip_suffix("}}")).unwrap();
    let object = |object: &str| {
        let members = object.split(',').filter(|member| {
            !["\"bytesSent\"", "\"bytesReceived\"", "\"fingerprint\"", "\"base64C"]
                .iter()
                .any(|chance| member.starts_with(chance) && !object.contains("data-channel"))
        });
        members.collect::<Vec<_>>().join(",")
    };
    objects.split("},").map(object).collect()
}

#[test]
fn a_known_call_gives_exactly_this_report() {
    let mut world = World::lan(1);
    let (ada, bob) = world.channel("chat \"1\"");
    let now = world.now;
    world.ends[ADA].peer.send_copy(now, ada, Kind::String, b"hello").unwrap();
    world.until(PATIENCE, |world| world.ends[BOB].messages.len() == 1);
    let now = world.now;
    world.ends[BOB].peer.send_copy(now, bob, Kind::Binary, b"hi").unwrap();
    world.pass(Duration::from_secs(1));
    let report = world.ends[ADA].peer.stats(world.now);
    let selected = report.stats.iter().find_map(|stats| match stats {
        Stats::CandidatePair(pair) => Some((pair.sent, pair.received)),
        _ => None,
    });
    assert_eq!(selected, Some(world.ends[ADA].peer.traffic()));
    assert_eq!(lines(&report), EXPECTED);
}

const EXPECTED: [&str; 8] = [
    r#""P":{"id":"P","type":"peer-connection","timestamp":1000000.0,"dataChannelsOpened":1,"dataChannelsClosed":0"#,
    concat!(
        r#""T":{"id":"T","type":"transport","timestamp":1000000.0,"packetsSent":5,"packetsReceived":4,"#,
        r#""iceRole":"controlling","iceLocalUsernameFragment":"dn5G4UTF","dtlsState":"connected","#,
        r#""iceState":"completed","selectedCandidatePairId":"CP2","localCertificateId":"CL","#,
        r#""remoteCertificateId":"CR","tlsVersion":"FEFC","dtlsCipher":"TLS_AES_128_GCM_SHA256","#,
        r#""dtlsRole":"server","srtpCipher":"SRTP_AEAD_AES_128_GCM","selectedCandidatePairChanges":1"#
    ),
    concat!(
        r#""CP2":{"id":"CP2","type":"candidate-pair","timestamp":1000000.0,"transportId":"T","localCandidateId":"L1","#,
        r#""remoteCandidateId":"R2","state":"succeeded","nominated":true,"packetsSent":5,"packetsReceived":4,"#,
        r#""lastPacketSentTimestamp":999001.0,"lastPacketReceivedTimestamp":999001.0,"totalRoundTripTime":0.004,"#,
        r#""currentRoundTripTime":0.002,"availableOutgoingBitrate":245328,"requestsReceived":1,"requestsSent":2,"#,
        r#""responsesReceived":2,"responsesSent":1,"consentRequestsSent":0"#
    ),
    concat!(
        r#""L1":{"id":"L1","type":"local-candidate","timestamp":1000000.0,"transportId":"T","address":"192.0.2.1","#,
        r#""port":5000,"protocol":"udp","candidateType":"host","priority":2130706175,"foundation":"1","#,
        r#""usernameFragment":"dn5G4UTF""#
    ),
    concat!(
        r#""R2":{"id":"R2","type":"remote-candidate","timestamp":1000000.0,"transportId":"T","address":"192.0.2.2","#,
        r#""port":5000,"protocol":"udp","candidateType":"host","priority":2130706175,"foundation":"1","#,
        r#""usernameFragment":"weoanRhE""#
    ),
    r#""CL":{"id":"CL","type":"certificate","timestamp":1000000.0,"fingerprintAlgorithm":"sha-256""#,
    r#""CR":{"id":"CR","type":"certificate","timestamp":1000000.0,"fingerprintAlgorithm":"sha-256""#,
    concat!(
        r#""D1":{"id":"D1","type":"data-channel","timestamp":1000000.0,"label":"chat \"1\"","protocol":"","#,
        r#""dataChannelIdentifier":1,"state":"open","messagesSent":1,"bytesSent":5,"messagesReceived":1,"#,
        r#""bytesReceived":2"#
    ),
];

fn transport(report: &StatsReport) -> &TransportStats {
    match report.get(TransportStats::ID) {
        Some(Stats::Transport(stats)) => stats,
        other => panic!("{other:?}"),
    }
}

#[test]
fn certificates_are_those_that_the_descriptions_name() {
    let mut world = World::lan(2);
    world.channel("chat");
    let reports = [ADA, BOB].map(|end| world.ends[end].peer.stats(world.now));
    let certificate = |end: usize, id: &str| match reports[end].get(id) {
        Some(Stats::Certificate(stats)) => stats.clone(),
        other => panic!("{other:?}"),
    };
    for end in [ADA, BOB] {
        let (ours, theirs) = (certificate(end, "CL"), certificate(1 - end, "CR"));
        assert_eq!(ours.base64_certificate, theirs.base64_certificate);
        let line = format!("a=fingerprint:{} {}", ours.fingerprint_algorithm, ours.fingerprint);
        let description = world.ends[end].peer.local_description().unwrap();
        assert!(description.sdp.lines().any(|own| own == line), "{line}");
    }
}

#[test]
fn before_there_is_anything_nothing_is_claimed() {
    let world = World::lan(3);
    let report = world.ends[ADA].peer.stats(world.now);
    let ids: Vec<&str> = report.stats.iter().map(Stats::id).collect();
    assert_eq!(ids, ["P", "T", "CL"]);
    let stats = transport(&report);
    assert_eq!((stats.ice_role, stats.dtls_role), (IceRole::Unknown, DtlsRole::Unknown));
    assert_eq!(stats.dtls_state, DtlsTransportState::New);
    assert_eq!((stats.tls_version, stats.remote_certificate_id), (None, None));
}

#[test]
fn what_is_closed_is_counted_and_gone() {
    let mut world = World::lan(4);
    let (ada, _) = world.channel("short");
    let now = world.now;
    world.ends[ADA].peer.close_channel(now, ada);
    world.pass(Duration::from_secs(1));
    for end in [ADA, BOB] {
        let report = world.ends[end].peer.stats(world.now);
        let counts = PeerConnectionStats { data_channels_opened: 1, data_channels_closed: 1 };
        assert_eq!(report.get(PeerConnectionStats::ID), Some(&Stats::PeerConnection(counts)));
        assert!(!report.stats.iter().any(|stats| stats.kind() == "data-channel"));
    }
    let now = world.now;
    world.ends[ADA].peer.close(now);
    world.pass(Duration::from_secs(1));
    let report = world.ends[BOB].peer.stats(world.now);
    assert_eq!(transport(&report).dtls_state, DtlsTransportState::Closed);
}

#[test]
fn somebody_else_at_the_other_end_is_a_failure() {
    let mut world = World::lan(5);
    world.swap_fingerprint = true;
    let now = world.now;
    world.ends[ADA].peer.create_data_channel(now, "secret", "", Default::default()).unwrap();
    world.pass(Duration::from_secs(1));
    let report = world.ends[ADA].peer.stats(world.now);
    assert_eq!(transport(&report).dtls_state, DtlsTransportState::Failed);
}
