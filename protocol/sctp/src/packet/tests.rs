use super::*;

fn packet(chunk: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = vec![9; 5];
    let mut writer = PacketWriter::new(&mut bytes, 1200, (5000, 5001), 0x1234_5678);
    chunk(writer.buffer());
    writer.finish(false);
    bytes.split_off(5)
}

/// Writes, checks header and checksum, and says what is read back.
fn round_trip(chunk: impl FnOnce(&mut Vec<u8>)) -> String {
    let bytes = packet(chunk);
    assert_eq!(bytes.len() % 4, 0);
    let packet = Packet::parse(&bytes).unwrap();
    assert_eq!((packet.source_port, packet.destination_port), (5000, 5001));
    assert!(packet.has_valid_checksum(false));
    let text = format!("{packet:?}");
    text.strip_prefix("tag 0x12345678 | ").unwrap().to_owned()
}

const INIT: Init = Init {
    initiate_tag: 0x896c_dd1d,
    a_rwnd: 0x0050_0000,
    outbound_streams: 65535,
    inbound_streams: 65535,
    initial_tsn: 0xe079_651d,
    partial_reliability: true,
    reconfig: true,
    interleaving: false,
    padding: false,
    zero_checksum: false,
};

#[test]
fn every_chunk_is_read_as_it_was_written() {
    let data = Data {
        tsn: 7,
        stream: 1,
        ssn: 2,
        ppid: 51,
        immediate: true,
        unordered: false,
        begin: true,
        end: false,
        payload: b"hello",
    };
    assert_eq!(round_trip(|out| data.write(out)), "DATA 7 stream 1 ssn 2 BI ppid 51 5 bytes");
    let data = IData {
        tsn: 7,
        stream: 1,
        mid: 70_000,
        ppid_or_fsn: 3,
        immediate: false,
        unordered: true,
        begin: false,
        end: true,
        payload: b"hello",
    };
    assert_eq!(round_trip(|out| data.write(out)), "I-DATA 7 stream 1 mid 70000 EU fsn 3 5 bytes");
    assert_eq!(round_trip(|out| INIT.write(out)), "INIT 0x896cdd1d tsn 3766052125");
    let ack = InitAck { init: INIT, cookie: b"cookie" };
    assert_eq!(round_trip(|out| ack.write(out)), "INIT-ACK 0x896cdd1d tsn 3766052125");
    let blocks = [GapBlock { start: 2, end: 3 }, GapBlock { start: 5, end: 5 }];
    assert_eq!(
        round_trip(|out| Sack::write(out, (9, 1000), &blocks, &[8])),
        "SACK 9 window 1000 +2..3 +5..5 again 8"
    );
    assert_eq!(round_trip(|out| Heartbeat { info: b"abc" }.write(out)), "HEARTBEAT");
    assert_eq!(round_trip(|out| HeartbeatAck { info: b"abc" }.write(out)), "HEARTBEAT-ACK");
    let cause = Cause { code: Cause::USER_INITIATED, info: b"bye" };
    assert_eq!(round_trip(|out| Abort::write(out, true, cause)), "ABORT reflected cause 12 \"bye\"");
    assert_eq!(round_trip(|out| ErrorChunk::write(out, cause)), "ERROR cause 12 \"bye\"");
    assert_eq!(round_trip(|out| Shutdown { cumulative_tsn_ack: 4 }.write(out)), "SHUTDOWN 4");
    assert_eq!(round_trip(|out| ShutdownAck.write(out)), "SHUTDOWN-ACK");
    assert_eq!(round_trip(|out| ShutdownComplete { reflected: true }.write(out)), "SHUTDOWN-COMPLETE");
    assert_eq!(round_trip(|out| CookieEcho { cookie: b"cookie" }.write(out)), "COOKIE-ECHO");
    assert_eq!(round_trip(|out| CookieAck.write(out)), "COOKIE-ACK");
    assert_eq!(round_trip(|out| ForwardTsn::write(out, 5, [(1, 2)])), "FORWARD-TSN 5 stream 1 ssn 2");
    let skipped = SkippedMessage { stream: 1, unordered: true, mid: 2 };
    assert_eq!(round_trip(|out| IForwardTsn::write(out, 5, [skipped])), "I-FORWARD-TSN 5 stream 1 U mid 2");
    assert_eq!(round_trip(|out| Pad { length: 10 }.write(out)), "PAD 12");
}

#[test]
fn reconfig_parameters_are_read_as_they_were_written() {
    let streams = [1u16.to_be_bytes()];
    let reset = ReConfigParameter::OutgoingReset(OutgoingReset {
        request: 1,
        response: 2,
        last_assigned_tsn: 3,
        streams: StreamList::new(&streams),
    });
    let response =
        ReConfigParameter::Response(ReConfigResponse { request: 9, result: ReConfigResult::InProgress });
    for (first, second) in [
        (reset, Some(response)),
        (response, Some(reset)),
        (ReConfigParameter::TsnReset { request: 3 }, None),
        (ReConfigParameter::AddOutgoing(AddStreams { request: 3, count: 4 }), None),
        (ReConfigParameter::AddIncoming(AddStreams { request: 3, count: 4 }), None),
        (
            ReConfigParameter::IncomingReset(IncomingReset {
                request: 4,
                streams: StreamList::new(&streams),
            }),
            None,
        ),
    ] {
        let chunk = ReConfig { first, second };
        let bytes = packet(|out| chunk.write(out));
        let raw = Packet::parse(&bytes).unwrap().chunks().next().unwrap().unwrap();
        assert_eq!(ReConfig::parse(raw), Ok(chunk));
    }
}

#[test]
fn the_init_of_the_snap_draft_is_written_byte_for_byte() {
    let mut bytes = Vec::new();
    // The draft's example has RE-CONFIG and FORWARD-TSN as supported extensions.
    INIT.write(&mut bytes);
    let expected = [
        0x01, 0x00, 0x00, 0x1E, 0x89, 0x6C, 0xDD, 0x1D, 0x00, 0x50, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xE0,
        0x79, 0x65, 0x1D, 0xC0, 0x00, 0x00, 0x04, 0x80, 0x08, 0x00, 0x06, 0x82, 0xC0, 0x00, 0x00,
    ];
    assert_eq!(bytes, expected);
    assert_eq!(Init::parse_standalone(&bytes), Ok(INIT));
    assert_eq!(Init::parse_standalone(&bytes[..30]), Ok(INIT), "without padding, as in SDP");
}

#[test]
fn a_correct_checksum_may_be_zero() {
    // RFC 9653, figure 1.
    let init = Init {
        initiate_tag: 0xFCB7_5CCA,
        a_rwnd: 1500,
        outbound_streams: 1,
        inbound_streams: 1,
        initial_tsn: 0,
        partial_reliability: false,
        reconfig: false,
        interleaving: false,
        padding: false,
        zero_checksum: false,
    };
    let mut bytes = Vec::new();
    let mut writer = PacketWriter::new(&mut bytes, 1200, (5001, 5001), 0);
    init.write(writer.buffer());
    writer.finish(false);
    assert_eq!(bytes[8..12], [0; 4]);
    assert!(Packet::parse(&bytes).unwrap().has_valid_checksum(false));
}

#[test]
fn a_changed_packet_is_not_believed() {
    let mut bytes = packet(|out| CookieEcho { cookie: b"cookie" }.write(out));
    for position in 0..bytes.len() {
        bytes[position] ^= 0x10;
        assert!(!Packet::parse(&bytes).unwrap().has_valid_checksum(true), "byte {position}");
        bytes[position] ^= 0x10;
    }
}

#[test]
fn hostile_lengths_end_the_packet() {
    for (chunk, expected) in [
        (&[0, 3, 0, 3][..], "malformed"),
        (&[0, 3, 0, 200, 1, 2, 3, 4], "malformed"),
        (&[0, 3, 0, 8, 1, 2, 3, 4], "malformed"),
        (&[3, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 1, 255, 255, 0, 0], "malformed"),
        (&[1, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 1], "malformed"),
        (&[77, 0, 0, 4], "chunk 77 of 0 bytes"),
    ] {
        assert_eq!(round_trip(|out| out.extend_from_slice(chunk)), expected);
    }
    assert_eq!(Packet::parse(&[0; 11]), Err(Malformed));
}

#[test]
fn an_init_with_everything_is_read_as_it_was_written() {
    let init = Init { interleaving: true, padding: true, zero_checksum: true, ..INIT };
    let mut bytes = Vec::new();
    init.write(&mut bytes);
    assert_eq!(Init::parse_standalone(&bytes), Ok(init));
}
