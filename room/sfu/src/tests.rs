//! What tests send into a room, and what they check of what comes out (RFC 3550 §5.1, RFC 7741 §4.2).

use std::time::{Duration, Instant};

use bytes::Bytes;
use peer::{MediaKind, MediaPacket, TransceiverId};
use rtp::codec::{Codec, PictureId, vp8};
use rtp::extension::{AudioLevel, ExtensionMap, Kind};
use rtp::{Fields, HeaderWriter, PayloadType, SequenceNumber, Ssrc, Timestamp};

use crate::{Event, Forward, Offer, ParticipantId, PublicationId, Room, Source, SubscriptionId, Wish};

#[expect(clippy::disallowed_methods, reason = "any instant will do to count from")]
pub(crate) fn start() -> Instant {
    Instant::now()
}

pub(crate) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// What tests agree on.
pub(crate) fn extensions() -> ExtensionMap {
    let mut map = ExtensionMap::default();
    map.insert(1, Kind::AudioLevel).unwrap();
    map.insert(2, Kind::DependencyDescriptor).unwrap();
    map.insert(3, Kind::VideoLayersAllocation).unwrap();
    map
}

pub(crate) fn offer(codec: Codec, encodings: usize) -> Offer {
    let (kind, source) = match codec.is_audio() {
        true => (MediaKind::Audio, Source::Microphone),
        false => (MediaKind::Video, Source::Camera),
    };
    Offer { kind, source, codec, extensions: extensions(), encodings }
}

/// A room with a sender and a receiver of what is published first.
pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) room: Room,
    pub(crate) sender: ParticipantId,
    pub(crate) receiver: ParticipantId,
    pub(crate) publication: PublicationId,
    pub(crate) subscription: SubscriptionId,
}

impl World {
    pub(crate) fn new(offer: Offer, wish: Wish) -> Self {
        let now = start();
        let mut room = Room::new(now);
        let (sender, receiver) = (room.join(now).unwrap(), room.join(now).unwrap());
        let publication = room.publish(now, sender, offer).unwrap();
        let subscription = room.subscribe(now, receiver, publication, wish).unwrap();
        Self { now, room, sender, receiver, publication, subscription }
    }

    /// What the subscription gets of a packet.
    pub(crate) fn give(&mut self, packet: &MediaPacket) -> Option<Forward> {
        let mut given = None;
        let mut packet = packet.clone();
        packet.arrived = self.now;
        self.room.handle_packet(self.now, self.publication, &packet, |id, forward| {
            if id == self.subscription {
                assert!(given.replace(forward).is_none());
            }
        });
        given
    }

    /// Takes events, all but those that `keep` does not want.
    pub(crate) fn events(&mut self, keep: impl Fn(&Event) -> bool) -> Vec<Event> {
        std::iter::from_fn(|| self.room.poll_event()).filter(keep).collect()
    }

    /// Lets time pass, with all that is due meanwhile.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some((due, _)) = self.room.poll_timeout().filter(|(due, _)| *due <= end) {
            self.now = self.now.max(due);
            self.room.handle_timeout(self.now);
        }
        self.now = end;
    }
}

/// One source: an encoding of VP8, or sound.
#[derive(Clone, Debug)]
pub(crate) struct Feed {
    pub(crate) encoding: usize,
    pub(crate) ssrc: u32,
    pub(crate) number: u64,
    pub(crate) timestamp: u32,
    pub(crate) picture: u16,
    pub(crate) tl0: u8,
    /// Width and height that its key frames say.
    pub(crate) size: (u16, u16),
    /// Bytes of a packet.
    pub(crate) length: usize,
}

impl Feed {
    pub(crate) fn new(encoding: usize) -> Self {
        let odd = encoding as u32 + 1;
        Self {
            encoding,
            ssrc: odd * 1111,
            number: 65_536 + u64::from(odd * 10_001),
            timestamp: odd.wrapping_mul(1_234_567_891),
            picture: 100 * odd as u16,
            tl0: 70 * odd as u8,
            size: (320 << encoding, 180 << encoding),
            length: 100,
        }
    }

    pub(crate) fn packet(&mut self, marker: bool, payload: &[u8], level: Option<u8>) -> MediaPacket {
        self.packet_with(marker, payload, |writer| {
            if let Some(level) = level {
                writer.extension(&extensions(), &AudioLevel { level, voice: true });
            }
        })
    }

    pub(crate) fn packet_with(
        &mut self,
        marker: bool,
        payload: &[u8],
        extend: impl FnOnce(&mut HeaderWriter<'_>),
    ) -> MediaPacket {
        let mut bytes = Vec::new();
        let fields = Fields {
            marker,
            payload_type: PayloadType::new(96).unwrap(),
            sequence_number: SequenceNumber(self.number as u16),
            timestamp: Timestamp(self.timestamp),
            ssrc: Ssrc(self.ssrc),
        };
        let mut writer = HeaderWriter::new(&mut bytes, &fields);
        extend(&mut writer);
        writer.finish().buffer().extend_from_slice(payload);
        let sequence_number = self.number;
        self.number += 1;
        MediaPacket {
            transceiver: TransceiverId::default(),
            encoding: self.encoding,
            sequence_number,
            is_repair: false,
            arrived: start(),
            bytes: Bytes::from(bytes),
        }
    }

    /// The next frame of VP8, in so many packets; `ticks` after the last one.
    pub(crate) fn frame(
        &mut self,
        ticks: u32,
        key: bool,
        temporal: (u8, bool),
        packets: usize,
    ) -> Vec<MediaPacket> {
        self.timestamp = self.timestamp.wrapping_add(ticks);
        self.picture = self.picture.wrapping_add(1) & 0x7FFF;
        self.tl0 = self.tl0.wrapping_add(u8::from(temporal.0 == 0));
        let all = 0..packets;
        all.map(|index| {
            let descriptor = vp8::Descriptor {
                start: index == 0,
                picture_id: Some(PictureId { value: self.picture, long: true }),
                tl0_picture_index: Some(self.tl0),
                temporal: Some(temporal),
                ..vp8::Descriptor::default()
            };
            let mut payload = Vec::new();
            descriptor.write(&mut payload);
            let head = payload.len();
            if key && index == 0 {
                payload.extend([0, 0, 0, 0x9D, 0x01, 0x2A]);
                payload.extend(self.size.0.to_le_bytes());
                payload.extend(self.size.1.to_le_bytes());
            }
            let filler = if key { 0 } else { 1 };
            payload.resize((head + self.length).max(payload.len()), filler);
            self.packet(index + 1 == packets, &payload, None)
        })
        .collect()
    }

    /// A frame of one packet, 33 ms after the last one.
    pub(crate) fn simple(&mut self, key: bool) -> MediaPacket {
        self.frame(3000, key, (0, false), 1).remove(0)
    }

    /// 20 ms of sound.
    pub(crate) fn sound(&mut self, level: u8) -> MediaPacket {
        self.timestamp = self.timestamp.wrapping_add(960);
        self.packet(false, &[0xF8, 1, 2, 3], Some(level))
    }

    /// Nothing but padding.
    pub(crate) fn padding(&mut self) -> MediaPacket {
        self.packet(false, &[], None)
    }
}

/// The descriptor of VP8 that is forwarded.
pub(crate) fn descriptor(forward: &Forward) -> vp8::Descriptor {
    let payload = [&forward.prefix, &forward.payload[..]].concat();
    vp8::Descriptor::parse(&payload).unwrap().0
}
