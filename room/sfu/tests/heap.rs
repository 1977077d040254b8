//! What is taken from the heap: nothing for a packet while nothing changes. One test, since it counts for the process.

#![expect(clippy::disallowed_methods, reason = "virtual time begins somewhere")]

use std::time::{Duration, Instant};

use bytes::Bytes;
use peer::{MediaKind, MediaPacket, TransceiverId};
use rtp::codec::{Codec, PictureId, vp8};
use rtp::extension::ExtensionMap;
use rtp::{Fields, HeaderWriter, PayloadType, SequenceNumber, Ssrc, Timestamp};
use twocan_sfu::{Offer, Room, Source, Wish};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Who watches.
const VIEWERS: usize = 500;
/// Of three temporal layers, of which the third is left out for every other viewer.
const LAYERS: [u8; 4] = [0, 2, 1, 2];
const PACKETS: u64 = 3;
const FRAMES: u64 = 200;

fn packet(now: Instant, number: u64) -> MediaPacket {
    let (frame, index) = (number / PACKETS, number % PACKETS);
    let fields = Fields {
        marker: index + 1 == PACKETS,
        payload_type: PayloadType::new(96).unwrap(),
        sequence_number: SequenceNumber(number as u16),
        timestamp: Timestamp(frame as u32 * 3000),
        ssrc: Ssrc(7),
    };
    let mut bytes = Vec::new();
    let descriptor = vp8::Descriptor {
        start: index == 0,
        picture_id: Some(PictureId { value: frame as u16 & 0x7FFF, long: true }),
        tl0_picture_index: Some((frame / 4) as u8),
        temporal: Some((LAYERS[frame as usize % 4], frame % 4 < 3)),
        ..vp8::Descriptor::default()
    };
    let mut writer = HeaderWriter::new(&mut bytes, &fields).finish();
    descriptor.write(writer.buffer());
    writer.buffer().resize(1_000, u8::from(frame > 0));
    let bytes = Bytes::from(bytes);
    // Bytes of a session's pool are shared from the beginning; these are once there is a second one.
    drop(bytes.clone());
    MediaPacket {
        transceiver: TransceiverId::default(),
        encoding: 0,
        sequence_number: (1 << 16) + number,
        is_repair: false,
        arrived: now,
        bytes,
    }
}

#[test]
fn packets_take_nothing_from_the_heap() {
    let mut now = Instant::now();
    let mut room = Room::new(now);
    let sender = room.join(now).unwrap();
    let (kind, source, codec) = (MediaKind::Video, Source::Camera, Codec::Vp8);
    let offer = Offer { kind, source, codec, extensions: ExtensionMap::default(), encodings: 1 };
    let publication = room.publish(now, sender, offer).unwrap();
    for viewer in 0..VIEWERS {
        let id = room.join(now).unwrap();
        room.subscribe(now, id, publication, Wish::default()).unwrap();
        // Two layers of three, or all.
        room.set_bitrate(now, id, (viewer % 2 == 0).then_some(600_000));
    }
    let mut run = |room: &mut Room, numbers: std::ops::Range<u64>| {
        let packets: Vec<_> = numbers
            .map(|number| {
                now += if number % PACKETS == 0 { Duration::from_millis(33) } else { Duration::ZERO };
                packet(now, number)
            })
            .collect();
        let mut forwarded = 0_u64;
        let mut taken = 0;
        for packet in &packets {
            if room.poll_timeout().is_some_and(|(due, _)| due <= packet.arrived) {
                room.handle_timeout(packet.arrived);
            }
            while room.poll_event().is_some() {}
            let before = dhat::HeapStats::get();
            room.handle_packet(packet.arrived, publication, packet, |_, forward| {
                forwarded += u64::from(!forward.payload.is_empty());
            });
            taken += dhat::HeapStats::get().total_blocks - before.total_blocks;
        }
        (forwarded, taken)
    };
    let profiler = dhat::Profiler::builder().testing().build();
    let first = FRAMES * PACKETS;
    run(&mut room, 0..first);
    let (forwarded, taken) = run(&mut room, first..2 * first);
    assert_eq!((forwarded, taken), (first * VIEWERS as u64 * 3 / 4, 0), "all of half, half of the others");
    drop(profiler);
}
