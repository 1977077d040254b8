//! Reading SCTP packets and writing them again (RFC 9260 §3, RFC 8260, 3758, 6525, 8899): they say the same.

use sctp::packet::{
    Abort, Cause, Causes, Chunk, ErrorChunk, ForwardTsn, IForwardTsn, Init, Packet, PacketWriter, Sack,
};

/// Room for whatever was read.
const SIZE: usize = 70_000;

pub(super) fn run(bytes: &[u8]) {
    // Alone, as `sctp-init` in SDP has it.
    if let Ok(init) = Init::parse_standalone(bytes) {
        let mut written = Vec::new();
        init.write(&mut written);
        assert_eq!(Init::parse_standalone(&written), Ok(init));
    }
    let Ok(packet) = Packet::parse(bytes) else { return };
    let _ = (packet.has_valid_checksum(false), packet.has_valid_checksum(true), format!("{packet:?}"));
    let (once, said) = rewrite(&packet);
    let again = Packet::parse(&once).expect("a packet was written");
    assert!(again.has_valid_checksum(false), "the checksum is that of the packet");
    assert_eq!(again.verification_tag, packet.verification_tag);
    let (twice, said_again) = rewrite(&again);
    assert_eq!(said, said_again);
    assert_eq!(once, twice);
}

/// The packet of those chunks that can be written, and what they say.
fn rewrite(packet: &Packet<'_>) -> (Vec<u8>, Vec<String>) {
    let mut buffer = Vec::new();
    let ports = (packet.source_port, packet.destination_port);
    let mut writer = PacketWriter::new(&mut buffer, SIZE, ports, packet.verification_tag);
    let mut said = Vec::new();
    for raw in packet.chunks() {
        let Ok(chunk) = raw.and_then(Chunk::parse) else { continue };
        if write(&chunk, writer.buffer()) {
            said.push(format!("{chunk:?}"));
        }
    }
    assert_eq!(writer.is_empty(), said.is_empty());
    writer.finish(false);
    (buffer, said)
}

fn write(chunk: &Chunk<'_>, out: &mut Vec<u8>) -> bool {
    match chunk {
        Chunk::Data(data) => data.write(out),
        Chunk::IData(data) => data.write(out),
        Chunk::Init(init) => init.write(out),
        Chunk::InitAck(ack) => ack.write(out),
        Chunk::Sack(sack) => {
            let (blocks, duplicates): (Vec<_>, Vec<_>) =
                (sack.gap_blocks().collect(), sack.duplicates().collect());
            Sack::write(out, (sack.cumulative_tsn_ack, sack.a_rwnd), &blocks, &duplicates);
        }
        Chunk::Heartbeat(heartbeat) => heartbeat.write(out),
        Chunk::HeartbeatAck(ack) => ack.write(out),
        Chunk::Shutdown(shutdown) => shutdown.write(out),
        Chunk::ShutdownAck(ack) => ack.write(out),
        Chunk::ShutdownComplete(complete) => complete.write(out),
        Chunk::CookieEcho(echo) => echo.write(out),
        Chunk::CookieAck(ack) => ack.write(out),
        Chunk::ForwardTsn(forward) => ForwardTsn::write(out, forward.new_cumulative_tsn, forward.skipped()),
        Chunk::IForwardTsn(forward) => IForwardTsn::write(out, forward.new_cumulative_tsn, forward.skipped()),
        Chunk::ReConfig(reconfig) => reconfig.write(out),
        Chunk::Abort(abort) => match single(abort.causes()) {
            Some(cause) => Abort::write(out, abort.reflected, cause),
            None => return false,
        },
        Chunk::Error(error) => match single(error.causes()) {
            Some(cause) => ErrorChunk::write(out, cause),
            None => return false,
        },
        // Padding is written in whole words; of the unknown nothing is written.
        Chunk::Pad(_) | Chunk::Unknown(_) => return false,
    }
    true
}

/// What ended it: ABORT and ERROR are written with one cause, and read with any number.
fn single(causes: Causes<'_>) -> Option<Cause<'_>> {
    let causes: Vec<_> = causes.collect();
    match causes[..] {
        [Ok(cause)] => Some(cause),
        _ => None,
    }
}
