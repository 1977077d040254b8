//! Recovering packets from repair packets (RFC 5109, FlexFEC-03), whatever they say.

use arbitrary::{Arbitrary, Unstructured};
use rtp::extension::{ExtensionMap, Kind};
use rtp::fec::{Format, Recovery};
use rtp::{Header, Ssrc};

const MEDIA: Ssrc = Ssrc(1);

/// What comes.
#[derive(Arbitrary)]
enum Piece<'a> {
    /// A packet of the stream: a number, the other fixed fields, the rest.
    Media(u8, [u8; 6], &'a [u8]),
    /// A repair packet whose first fields are in order.
    Repair([u8; 7], u8, &'a [u8]),
    /// Anything.
    Noise(&'a [u8]),
}

pub(super) fn run(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let Ok(flexible) = input.arbitrary::<bool>() else { return };
    let format = if flexible { Format::Flexfec03 } else { Format::Ulpfec };
    let mut recovery = Recovery::new(format, MEDIA);
    let mut map = ExtensionMap::default();
    map.insert(3, Kind::AbsSendTime).expect("it is free");
    map.insert(4, Kind::VideoTiming).expect("it is free");
    while !input.is_empty() {
        let Ok(piece) = Piece::arbitrary(&mut input) else { break };
        match piece {
            Piece::Media(number, [first, second, timestamp @ ..], rest) => {
                let mut packet = vec![first & 0x3F | 0x80, second, 0, number];
                packet.extend(timestamp);
                packet.extend(MEDIA.0.to_be_bytes());
                packet.extend(rest);
                recovery.receive_media(&packet, &map);
            }
            Piece::Repair([first, second, len, timestamp @ ..], base, rest) => {
                let mut payload = Vec::new();
                match format {
                    Format::Ulpfec => payload.extend([first & 0x7F, second, 0, base]),
                    Format::Flexfec03 => payload.extend([first & 0x3F, second, 0, len]),
                }
                payload.extend(timestamp);
                match format {
                    Format::Ulpfec => payload.extend([0, len]),
                    Format::Flexfec03 => payload.extend([1, 0, 0, 0, 0, 0, 0, 1, 0, base]),
                }
                payload.extend(rest);
                let _ = recovery.receive_repair(&payload);
            }
            Piece::Noise(noise) => {
                let _ = recovery.receive_repair(noise);
                recovery.receive_media(noise, &map);
            }
        }
        while let Some(packet) = recovery.poll_recovered() {
            assert_eq!(Header::parse(packet).expect("a packet came back").ssrc(), MEDIA);
        }
    }
}
