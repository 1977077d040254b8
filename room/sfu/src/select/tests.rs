use peer::MediaPacket;
use rtp::codec::{PictureId, vp9};
use rtp::dependency::{Descriptor, Differences, Indications, MAX_DECODE_TARGETS, Structure, Template};
use rtp::extension::Kind;

use super::*;
use crate::encoding::Encoding;
use crate::event::{Layer, Why};
use crate::id::{ParticipantId, SubscriptionId};
use crate::rewrite::Forward;
use crate::subscription::{Subscription, Wish};
use crate::tests::{Feed, descriptor, extensions, ms};

/// One encoding and one who receives it.
struct Pair {
    codec: Codec,
    encoding: Encoding,
    subscription: Subscription,
}

impl Pair {
    fn new(codec: Codec, spatial: u8, temporal: u8) -> Self {
        let subscription = Subscription::new(SubscriptionId(0), ParticipantId(0), Wish::default());
        let mut pair = Self { codec, encoding: Encoding::default(), subscription };
        pair.want(spatial, temporal);
        pair
    }

    fn want(&mut self, spatial: u8, temporal: u8) {
        self.subscription.grant(Some(Layer { encoding: 0, spatial, temporal }), Why::Bandwidth);
    }

    fn give(&mut self, packet: &MediaPacket) -> Option<Forward> {
        let seen = self.encoding.read(ms(0), packet, self.codec, &extensions()).unwrap();
        self.subscription.take(&seen)
    }

    /// Which of these frames of VP8 come through: a key frame where the layer is none.
    fn vp8(&mut self, feed: &mut Feed, frames: &[Option<(u8, bool)>]) -> Vec<Forward> {
        let mut all = Vec::new();
        for frame in frames {
            let packets = feed.frame(1500, frame.is_none(), frame.unwrap_or((0, false)), 2);
            all.extend(packets.iter().filter_map(|packet| self.give(packet)));
        }
        all
    }
}

/// Numbers of what was forwarded have no gap, and pictures count by one.
fn is_continuous(all: &[Forward]) {
    for pair in all.windows(2) {
        assert_eq!(pair[1].sequence_number, pair[0].sequence_number + 1);
        let picture = |forward| descriptor(forward).picture_id.unwrap();
        let step = picture(&pair[1]).ahead_of(picture(&pair[0]));
        assert_eq!(step, i16::from(pair[0].marker));
    }
}

#[test]
fn temporal_layers_of_vp8_are_left_out_and_come_back_where_they_may() {
    let mut pair = Pair::new(Codec::Vp8, 0, 0);
    let mut feed = Feed::new(0);
    let (t0, t1, t2) = (Some((0, false)), Some((1, false)), Some((2, false)));
    let (sync1, sync2) = (Some((1, true)), Some((2, true)));
    let temporal = |all: &[Forward]| -> Vec<_> {
        all.iter().filter(|one| one.marker).map(|one| descriptor(one).temporal.unwrap().0).collect()
    };
    let mut all = pair.vp8(&mut feed, &[None, sync2, sync1, t2, t0, t2, t1, t2]);
    assert_eq!(temporal(&all), [0, 0]);
    pair.want(0, 2);
    // A frame of the highest layer depends on the lowest alone; those of the middle one do not yet.
    let more = pair.vp8(&mut feed, &[t0, sync2, t1, t2, t0, sync2, sync1, t2, t0, t2, t1, sync2, t0, t2]);
    assert_eq!(temporal(&more), [0, 0, 1, 0, 1, 2, 0, 2]);
    all.extend(more);
    pair.want(0, 1);
    let more = pair.vp8(&mut feed, &[t2, t1, t2, t0, t2, t1]);
    assert_eq!(temporal(&more), [1, 0, 1]);
    all.extend(more);
    is_continuous(&all);
}

#[test]
fn a_late_packet_of_a_layer_that_was_left_out_stays_out() {
    let mut pair = Pair::new(Codec::Vp8, 0, 0);
    let mut feed = Feed::new(0);
    pair.vp8(&mut feed, &[None]);
    let left_out = feed.frame(1500, false, (1, false), 2);
    let kept = feed.frame(1500, false, (0, false), 2);
    assert_eq!(pair.give(&left_out[0]), None);
    let numbers = [&kept[1], &kept[0], &left_out[1]]
        .map(|packet| pair.give(packet).map(|forward| forward.sequence_number));
    assert_eq!(numbers, [Some((1 << 16) + 4), Some((1 << 16) + 3), None]);
}

/// Two spatial and two temporal layers of VP9, each frame one packet.
fn vp9(feed: &mut Feed, key: bool, temporal: u8, up: bool) -> [MediaPacket; 2] {
    feed.timestamp += 1500;
    feed.picture += 1;
    feed.tl0 += u8::from(temporal == 0);
    [0, 1].map(|spatial| {
        let descriptor = vp9::Descriptor {
            picture_id: Some(PictureId { value: feed.picture, long: true }),
            inter_predicted: !key,
            layers: Some(vp9::Layers {
                temporal,
                switching_point: up,
                spatial,
                inter_layer: spatial > 0,
                tl0_picture_index: Some(feed.tl0),
            }),
            start: true,
            end: true,
            ..vp9::Descriptor::default()
        };
        let mut payload = Vec::new();
        descriptor.write(&mut payload);
        payload.push(1);
        feed.packet(spatial == 1, &payload, None)
    })
}

#[test]
fn layers_of_vp9_are_chosen_by_its_descriptor() {
    let mut pair = Pair::new(Codec::Vp9, 0, 0);
    let mut feed = Feed::new(0);
    let mut give = |pair: &mut Pair, key, temporal, up| {
        vp9(&mut feed, key, temporal, up).map(|packet| pair.give(&packet).map(|forward| forward.marker))
    };
    assert_eq!(give(&mut pair, true, 0, true), [Some(true), None], "the last of its picture");
    assert_eq!(give(&mut pair, false, 1, false), [None, None]);
    pair.want(1, 1);
    assert_eq!(give(&mut pair, false, 1, false), [None, None]);
    assert_eq!(give(&mut pair, false, 0, true), [Some(true), None], "a key frame is needed for the other");
    assert_eq!(pair.subscription.waits_for(std::slice::from_ref(&pair.encoding), false), Some(0));
    assert_eq!(give(&mut pair, false, 1, false), [Some(true), None]);
    assert_eq!(give(&mut pair, true, 0, true), [Some(false), Some(true)]);
    pair.want(0, 1);
    assert_eq!(give(&mut pair, false, 1, false), [Some(true), None]);
}

fn template(spatial: u8, temporal: u8, targets: &str, differences: &[u16]) -> Template {
    let indications = Indications::new(targets.chars().map(|symbol| match symbol {
        '-' => Indication::NotPresent,
        'D' => Indication::Discardable,
        'S' => Indication::Switch,
        _ => Indication::Required,
    }));
    let differences = Differences::new(differences).unwrap();
    Template { spatial, temporal, indications, differences, chain_differences: [0; MAX_DECODE_TARGETS] }
}

/// L2T2 in the manner of A.10, or L2T2_KEY. Decode targets: S1T1, S1T0, S0T1, S0T0.
fn structure(key: bool) -> Structure {
    let templates = vec![
        template(0, 0, "SSSS", &[]),
        template(0, 0, if key { "--SS" } else { "RRSS" }, &[4]),
        template(0, 1, if key { "--D-" } else { "R-D-" }, &[2]),
        template(1, 0, "SS--", &[1]),
        template(1, 0, "SS--", if key { &[4] } else { &[4, 1] }),
        template(1, 1, "D---", if key { &[2] } else { &[2, 1] }),
    ];
    Structure::new(0, &[0; 4], 0, templates, vec![]).unwrap()
}

/// The frames of a picture: key or not, which temporal layer.
fn av1(feed: &mut Feed, structure: &Structure, key: bool, temporal: u8) -> [MediaPacket; 2] {
    feed.timestamp += 1500;
    [0, 1].map(|spatial: u8| {
        feed.picture += 1;
        let template_id = match (spatial, temporal) {
            (0, 0) => u8::from(!key),
            (0, _) => 2,
            (_, 0) => 4 - u8::from(key),
            _ => 5,
        };
        let is_first = key && spatial == 0;
        let descriptor = Descriptor {
            start: true,
            end: true,
            template_id,
            frame_number: feed.picture,
            structure: is_first.then(|| Box::new(structure.clone())),
            active_decode_targets: None,
            indications: None,
            differences: None,
            chain_differences: None,
        };
        let mut bytes = Vec::new();
        descriptor.write(structure, &mut bytes);
        // One OBU, a frame; the first packet of a sequence says so.
        let payload = [if is_first { 0x18 } else { 0x10 }, 6 << 3, 1];
        feed.packet_with(spatial == 1, &payload, |writer| {
            assert!(writer.raw_extension(&extensions(), Kind::DependencyDescriptor, &bytes));
        })
    })
}

#[test]
fn decode_targets_of_av1_are_chosen_by_the_dependency_descriptor() {
    let structure = structure(false);
    let mut pair = Pair::new(Codec::Av1, 0, 0);
    let mut feed = Feed::new(0);
    let mut give = |pair: &mut Pair, key, temporal| {
        let packets = av1(&mut feed, &structure, key, temporal);
        packets.map(|packet| pair.give(&packet).map(|forward| forward.marker))
    };
    assert_eq!(give(&mut pair, false, 0), [None, None].map(|none: Option<bool>| none));
    assert_eq!(give(&mut pair, true, 0), [Some(true), None]);
    assert_eq!(give(&mut pair, false, 1), [None, None]);
    pair.want(1, 1);
    // What of the upper layer depends on earlier frames of it is of no use.
    assert_eq!(give(&mut pair, false, 1), [None, None]);
    assert_eq!(give(&mut pair, false, 0), [Some(true), None]);
    assert_eq!(give(&mut pair, true, 0), [Some(false), Some(true)]);
    assert_eq!(give(&mut pair, false, 1), [Some(false), Some(true)]);
    pair.want(0, 1);
    assert_eq!(give(&mut pair, false, 1), [Some(false), Some(true)], "it is no switch");
    assert_eq!(give(&mut pair, false, 0), [Some(true), None]);
    assert_eq!(give(&mut pair, false, 1), [Some(true), None]);
}

#[test]
fn where_lower_layers_are_not_received_a_key_frame_leads_down() {
    let structure = structure(true);
    let mut pair = Pair::new(Codec::Av1, 1, 1);
    let mut feed = Feed::new(0);
    let mut give = |pair: &mut Pair, key, temporal| {
        let packets = av1(&mut feed, &structure, key, temporal);
        packets.map(|packet| pair.give(&packet).and_then(|forward| forward.frame_number))
    };
    let key = give(&mut pair, true, 0).map(Option::unwrap);
    assert_eq!(key[1], key[0] + 1);
    assert_eq!(give(&mut pair, false, 0), [None, Some(key[0] + 3)], "frames keep their distance");
    pair.want(0, 1);
    assert_eq!(give(&mut pair, false, 0), [None, Some(key[0] + 5)]);
    let waits = |has_waited| pair.subscription.waits_for(std::slice::from_ref(&pair.encoding), has_waited);
    assert_eq!((waits(false), waits(true)), (None, Some(0)));
    assert_eq!(give(&mut pair, true, 0), [Some(key[0] + 6), None]);
}
