//! What is taken from the heap: nothing for a packet while nothing changes. One test, since it counts for the process.

#![expect(clippy::disallowed_methods, reason = "virtual time begins somewhere")]

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use bytes::Bytes;
use peer::{MediaKind, MediaPacket, TransceiverId};
use rtp::codec::{Codec, PictureId, vp8};
use rtp::extension::{AudioLevel, ExtensionMap, Kind};
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
    came(now, number, bytes)
}

fn came(now: Instant, number: u64, bytes: Vec<u8>) -> MediaPacket {
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

fn main() {
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
    voices_take_nothing_either(now);
    drop(profiler);
}

/// Of so many voices, so many are forwarded; who is loud has their turn.
fn voices_take_nothing_either(mut now: Instant) {
    const VOICES: usize = 20;
    let mut room = Room::new(now);
    room.set_voices(NonZeroUsize::new(8));
    let mut extensions = ExtensionMap::default();
    extensions.insert(1, Kind::AudioLevel).unwrap();
    let (kind, source, codec) = (MediaKind::Audio, Source::Microphone, Codec::Opus);
    let offer = Offer { kind, source, codec, extensions, encodings: 1 };
    let people: Vec<_> = (0..VOICES).map(|_| room.join(now).unwrap()).collect();
    let publish = |owner| room.publish(now, owner, offer.clone()).unwrap();
    let voices: Vec<_> = people.iter().copied().map(publish).collect();
    for (receiver, voice) in people.iter().flat_map(|one| voices.iter().map(move |voice| (*one, *voice))) {
        room.subscribe(now, receiver, voice, Wish::default()).unwrap();
    }
    let (mut forwarded, mut taken) = (0, 0);
    for number in 0..5_000_u64 {
        now += Duration::from_millis(20);
        if room.poll_timeout().is_some_and(|(due, _)| due <= now) {
            room.handle_timeout(now);
        }
        while room.poll_event().is_some() {}
        for (at, voice) in voices.iter().enumerate() {
            let is_loud = (number / 50) as usize % VOICES == at;
            let packet = sound(now, number, if is_loud { 30 } else { 80 });
            let before = dhat::HeapStats::get();
            room.handle_packet(now, *voice, &packet, |_, _| forwarded += 1);
            if number > 0 {
                taken += dhat::HeapStats::get().total_blocks - before.total_blocks;
            }
        }
    }
    let people = VOICES as u64;
    assert_eq!((forwarded + room.left_out() * people, taken), (5_000 * people * people, 0));
    assert!(room.left_out() > 5_000 * (people - 9) && room.left_out() < 5_000 * (people - 8));
}

fn sound(now: Instant, number: u64, level: u8) -> MediaPacket {
    let mut extensions = ExtensionMap::default();
    extensions.insert(1, Kind::AudioLevel).unwrap();
    let fields = Fields {
        marker: false,
        payload_type: PayloadType::new(111).unwrap(),
        sequence_number: SequenceNumber(number as u16),
        timestamp: Timestamp(number as u32 * 960),
        ssrc: Ssrc(7),
    };
    let mut bytes = Vec::new();
    let mut writer = HeaderWriter::new(&mut bytes, &fields);
    assert!(writer.extension(&extensions, &AudioLevel { level, voice: true }));
    writer.finish().buffer().resize(80, 1);
    came(now, number, bytes)
}
