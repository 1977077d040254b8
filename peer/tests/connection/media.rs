//! Sections of sound and pictures, negotiated (RFC 9429 §5, W3C webrtc-pc §5).

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use twocan_peer::{
    Codec, Configuration, Direction, EncodingInit, Event, Feedback, MediaCapabilities, MediaKind,
    PeerConnection, SessionDescription, SignalingState, TransceiverId, TransceiverInit,
};

fn certificate(seed: u8) -> Arc<dtls::Certificate> {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    Arc::new(dtls::Certificate::generate([seed; 32], now).unwrap())
}

struct End {
    peer: PeerConnection,
    now: Instant,
}

impl End {
    #[expect(clippy::disallowed_methods, reason = "any instant will do to count from")]
    fn new(seed: u8) -> Self {
        let mut configuration = Configuration::new(certificate(seed), [seed; 32]);
        configuration.media = Some(Arc::new(MediaCapabilities::default()));
        let now = Instant::now();
        Self { peer: PeerConnection::new(now, configuration), now }
    }

    fn make(&mut self) -> SessionDescription {
        self.peer.set_local_description_implicitly(self.now).unwrap()
    }

    fn hear(&mut self, description: &SessionDescription) {
        self.peer.set_remote_description(self.now, description).unwrap();
    }

    /// Tracks that came, and that went.
    fn tracks(&mut self) -> (Vec<TransceiverId>, Vec<TransceiverId>) {
        let (mut came, mut went) = (Vec::new(), Vec::new());
        while let Some(event) = self.peer.poll_event() {
            match event {
                Event::Track(id) => came.push(id),
                Event::TrackRemoved(id) => went.push(id),
                _ => {}
            }
        }
        (came, went)
    }

    fn needs_negotiation(&mut self) -> bool {
        std::iter::from_fn(|| self.peer.poll_event()).any(|event| event == Event::NegotiationNeeded)
    }

    fn directions(&self) -> Vec<Option<Direction>> {
        self.peer.transceivers().map(twocan_peer::Transceiver::current_direction).collect()
    }
}

/// One exchange; the offer and the answer.
fn exchange(from: &mut End, to: &mut End) -> (SessionDescription, SessionDescription) {
    let offer = from.make();
    to.hear(&offer);
    let answer = to.make();
    from.hear(&answer);
    assert_eq!(from.peer.signaling_state(), SignalingState::Stable);
    (offer, answer)
}

fn parse(description: &SessionDescription) -> sdp::Description {
    description.sdp.parse().unwrap()
}

#[test]
fn tracks_of_both_ends_share_sections() {
    let (mut ada, mut bob) = (End::new(1), End::new(2));
    let sound = ada.peer.add_track(MediaKind::Audio, "voice", &["ada"]).unwrap();
    let picture = ada.peer.add_track(MediaKind::Video, "camera", &["ada"]).unwrap();
    assert!(ada.needs_negotiation());
    let own = bob.peer.add_track(MediaKind::Video, "screen", &["bob"]).unwrap();
    let (offer, answer) = exchange(&mut ada, &mut bob);

    let offered = parse(&offer);
    assert_eq!(offered.media.len(), 2);
    assert_eq!(offered.bundle_groups().next().unwrap().mids.len(), 2);
    assert_eq!(parse(&answer).media.len(), 2);
    assert_eq!(ada.directions(), [Some(Direction::SendOnly), Some(Direction::SendRecv)]);
    // Bob's came to the section that fits, and another was made for the voice.
    assert_eq!(bob.peer.transceiver(own).unwrap().mid(), ada.peer.transceiver(picture).unwrap().mid());
    assert_eq!(bob.directions(), [Some(Direction::SendRecv), Some(Direction::RecvOnly)]);

    let (came, went) = ada.tracks();
    assert_eq!((came, went), (vec![picture], vec![]));
    let remote = ada.peer.transceiver(picture).unwrap().remote_track();
    assert_eq!(remote, Some(("screen", &["bob".into()][..])));
    assert_eq!(ada.peer.transceiver(sound).unwrap().remote_track(), None);
    assert_eq!(bob.tracks().0.len(), 2);

    let agreed = bob.peer.transceiver(own).unwrap().agreement().unwrap();
    let first = agreed.preferred().unwrap();
    assert!(first.codec.is("VP8") && first.has(&Feedback::NackPli));
    // Of two kinds of feedback that say the same, one is agreed on.
    assert!(agreed.congestion_feedback && !first.has(&Feedback::TransportCc) && agreed.cryptex);
    assert!(
        offer.sdp.contains("a=rtcp-fb:96 transport-cc\r\n") && offer.sdp.contains("a=rtcp-fb:* ack ccfb\r\n")
    );
    assert!(!answer.sdp.contains("transport-cc\r\n") && answer.sdp.contains("a=rtcp-fb:* ack ccfb\r\n"));
    assert_eq!(first.send_retransmission.map(rtp::PayloadType::number), Some(97));
    assert_eq!(agreed.sources.len(), 1);
    let encoding = &ada.peer.transceiver(picture).unwrap().encodings()[0];
    assert_eq!(agreed.sources[0].ssrc, encoding.ssrc);
    assert_eq!(agreed.sources[0].retransmission, Some(encoding.retransmission));
    assert!(agreed.extensions.id(rtp::extension::Kind::Mid).is_some());
    assert!(agreed.reduced_size);
    assert!(!ada.needs_negotiation() && !bob.needs_negotiation());
}

#[test]
fn channels_come_behind_and_share_the_transport() {
    let (mut ada, mut bob) = (End::new(1), End::new(2));
    ada.peer.create_data_channel(ada.now, "chat", "", twocan_peer::ChannelOptions::default()).unwrap();
    ada.peer.add_transceiver(MediaKind::Audio, TransceiverInit::default()).unwrap();
    let (offer, answer) = exchange(&mut ada, &mut bob);
    for description in [parse(&offer), parse(&answer)] {
        let kinds: Vec<_> = description.media.iter().map(|media| media.kind.as_str()).collect();
        assert_eq!(kinds, ["audio", "application"]);
        assert!(description.media.iter().all(|media| !media.is_rejected()));
        assert_eq!(description.bundle_groups().next().unwrap().mids.len(), 2);
    }
    // One that comes later stands behind what is there.
    ada.peer.add_transceiver(MediaKind::Video, TransceiverInit::default()).unwrap();
    let (offer, _) = exchange(&mut ada, &mut bob);
    let kinds: Vec<_> = parse(&offer).media.iter().map(|media| media.kind.as_str().to_owned()).collect();
    assert_eq!(kinds, ["audio", "application", "video"]);
}

#[test]
fn without_capabilities_media_is_rejected_and_channels_are_taken() {
    let mut ada = End::new(1);
    let configuration = Configuration::new(certificate(2), [2; 32]);
    let mut bob = End { peer: PeerConnection::new(ada.now, configuration), now: ada.now };
    let sound = ada.peer.add_transceiver(MediaKind::Audio, TransceiverInit::default()).unwrap();
    ada.peer.create_data_channel(ada.now, "chat", "", twocan_peer::ChannelOptions::default()).unwrap();
    let (_, answer) = exchange(&mut ada, &mut bob);
    assert_eq!(parse(&answer).media.iter().map(sdp::Media::is_rejected).collect::<Vec<_>>(), [true, false]);
    // Its transceiver has ended with that.
    assert!(ada.peer.transceiver(sound).is_none());
    assert!(bob.peer.add_track(MediaKind::Audio, "voice", &[]).is_err());
}

#[test]
fn a_direction_changes_with_the_next_exchange() {
    let (mut ada, mut bob) = (End::new(1), End::new(2));
    let id = ada.peer.add_transceiver(MediaKind::Audio, TransceiverInit::default()).unwrap();
    exchange(&mut ada, &mut bob);
    let other = bob.peer.transceivers().next().unwrap().id();
    assert_eq!(bob.tracks().0, [other]);
    ada.needs_negotiation();
    ada.peer.set_direction(id, Direction::Inactive).unwrap();
    assert!(ada.needs_negotiation());
    exchange(&mut ada, &mut bob);
    assert_eq!(
        (ada.directions(), bob.directions()),
        (vec![Some(Direction::Inactive)], vec![Some(Direction::Inactive)])
    );
    assert_eq!(bob.tracks().1, [other]);
    // The other end may ask for more than is sent, and gets what both want.
    bob.peer.set_direction(other, Direction::SendRecv).unwrap();
    ada.peer.set_direction(id, Direction::RecvOnly).unwrap();
    exchange(&mut bob, &mut ada);
    assert_eq!(ada.directions(), [Some(Direction::RecvOnly)]);
    assert_eq!(ada.tracks().0, [id]);
    assert!(!ada.needs_negotiation() && !bob.needs_negotiation());
}

#[test]
fn a_stopped_transceiver_leaves_its_section_to_the_next() {
    let (mut ada, mut bob) = (End::new(1), End::new(2));
    let sound = ada.peer.add_transceiver(MediaKind::Audio, TransceiverInit::default()).unwrap();
    let picture = ada.peer.add_transceiver(MediaKind::Video, TransceiverInit::default()).unwrap();
    exchange(&mut ada, &mut bob);
    ada.peer.stop_transceiver(picture);
    ada.peer.stop_transceiver(picture);
    assert!(ada.needs_negotiation());
    let (offer, answer) = exchange(&mut ada, &mut bob);
    assert!(parse(&offer).media[1].is_rejected() && parse(&answer).media[1].is_rejected());
    assert_eq!((ada.peer.transceivers().count(), bob.peer.transceivers().count()), (1, 1));
    assert!(ada.peer.transceiver(picture).is_none());
    let old = parse(&offer).media[1].mid().unwrap().clone();

    let third = bob.peer.add_transceiver(MediaKind::Audio, TransceiverInit::default()).unwrap();
    let (offer, _) = exchange(&mut bob, &mut ada);
    let offered = parse(&offer);
    assert_eq!(offered.media.len(), 2);
    assert_ne!(*offered.media[1].mid().unwrap(), old);
    assert_eq!(offered.media[1].kind, sdp::MediaKind::Audio);
    assert_eq!(
        bob.peer.transceiver(third).unwrap().mid(),
        offered.media[1].mid().map(sdp::attribute::Mid::as_str)
    );
    assert_eq!(ada.peer.transceivers().count(), 2);
    assert!(ada.peer.transceiver(sound).is_some());
    // Even the last one: the section that others share the transport of.
    ada.peer.stop_transceiver(sound);
    let (_, answer) = exchange(&mut ada, &mut bob);
    assert_eq!(parse(&answer).media.iter().map(sdp::Media::is_rejected).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn glare_is_mended_by_a_rollback_and_nothing_is_lost() {
    let (mut ada, mut bob) = (End::new(1), End::new(2));
    ada.peer.add_track(MediaKind::Audio, "ada", &[]).unwrap();
    bob.peer.add_track(MediaKind::Audio, "bob", &[]).unwrap();
    bob.peer.add_transceiver(MediaKind::Video, TransceiverInit::default()).unwrap();
    let (from_ada, _) = (ada.make(), bob.make());
    assert!(bob.peer.transceivers().all(|one| one.mid().is_some()));
    bob.hear(&from_ada);
    // The track has gone to Ada's section; the video waits again.
    let mids: Vec<_> = bob.peer.transceivers().map(|one| one.mid().map(str::to_owned)).collect();
    assert_eq!(mids, [Some("0".to_owned()), None]);
    let answer = bob.make();
    ada.hear(&answer);
    assert!(bob.needs_negotiation());
    exchange(&mut bob, &mut ada);
    assert_eq!(ada.directions(), [Some(Direction::SendRecv), Some(Direction::RecvOnly)]);

    // An offer of the peer's that is taken back takes its transceivers along.
    bob.peer.add_transceiver(MediaKind::Video, TransceiverInit::default()).unwrap();
    let offer = bob.make();
    ada.tracks();
    ada.hear(&offer);
    assert_eq!((ada.peer.transceivers().count(), ada.tracks().0.len()), (3, 1));
    ada.hear(&SessionDescription::rollback());
    assert_eq!((ada.peer.transceivers().count(), ada.directions().len()), (2, 2));
}

#[test]
fn encodings_with_names_are_offered_and_those_that_are_taken_are_sent() {
    let (mut ada, mut bob) = (End::new(1), End::new(2));
    let encodings = ["q", "h", "f"].map(EncodingInit::named).to_vec();
    let init = TransceiverInit { direction: Direction::SendOnly, encodings, ..TransceiverInit::default() };
    let id = ada.peer.add_transceiver(MediaKind::Video, init.clone()).unwrap();
    let offer = ada.make();
    bob.hear(&offer);
    let mut answer = bob.make();
    let parsed = parse(&answer);
    assert_eq!(parsed.media[0].rids().len(), 3);
    assert_eq!(parsed.media[0].simulcast().unwrap().recv.len(), 3);
    let other = bob.peer.transceivers().next().unwrap();
    assert_eq!(*other.agreement().unwrap().receive_rids, ["q".into(), "h".into(), "f".into()]);
    answer.sdp = answer.sdp.replace("a=simulcast:recv q;h;f", "a=simulcast:recv q;f");
    assert!(answer.sdp.contains("recv q;f"));
    ada.hear(&answer);
    let rids = |end: &End| -> Vec<Option<Box<str>>> {
        let encodings = end.peer.transceiver(id).unwrap().encodings();
        encodings.iter().map(|encoding| encoding.init.rid.clone()).collect()
    };
    assert_eq!(rids(&ada), [Some("q".into()), Some("f".into())]);

    // Somebody who knows no simulcast gets the first, without a name.
    let mut ada = End::new(1);
    let id = ada.peer.add_transceiver(MediaKind::Video, init).unwrap();
    let offer = ada.make();
    let plain: String =
        offer.sdp.split_inclusive('\n').filter(|line| !line.starts_with("a=simulcast")).collect();
    let mut bob = End::new(3);
    bob.hear(&SessionDescription::offer(plain));
    ada.hear(&bob.make());
    let encodings = ada.peer.transceiver(id).unwrap().encodings();
    assert_eq!((encodings.len(), &encodings[0].init.rid), (1, &None));
}

#[test]
fn a_forwarder_that_offers_to_receive_encodings_gets_them() {
    let (mut ada, mut bob) = (End::new(1), End::new(2));
    ada.peer.add_transceiver(MediaKind::Video, TransceiverInit::default()).unwrap();
    let mut offer = ada.make();
    offer.sdp.push_str("a=rid:a recv\r\na=rid:b recv\r\na=simulcast:recv a;b\r\n");
    bob.hear(&offer);
    let one = bob.peer.transceivers().next().unwrap();
    assert_eq!(one.encodings().len(), 2);
    let id = one.id();
    bob.peer.set_direction(id, Direction::SendRecv).unwrap();
    let answer = parse(&bob.make());
    assert_eq!(answer.media[0].simulcast().unwrap().send.len(), 2);
}

#[test]
fn preferences_choose_the_codec_of_both_ways() {
    let (mut ada, mut bob) = (End::new(1), End::new(2));
    let id = ada.peer.add_transceiver(MediaKind::Video, TransceiverInit::default()).unwrap();
    assert!(ada.peer.set_codec_preferences(id, vec![Codec::video("Theora", "")]).is_err());
    let wanted = vec![Codec::video("AV1", ""), Codec::video("VP8", "")];
    ada.peer.set_codec_preferences(id, wanted).unwrap();
    let (offer, _) = exchange(&mut ada, &mut bob);
    let codecs = parse(&offer);
    let names: Vec<_> = codecs.media[0].codecs().iter().map(|codec| codec.name.to_owned()).collect();
    assert_eq!(names, ["AV1", "rtx", "VP8", "rtx"]);
    for end in [&ada, &bob] {
        let agreed = end.peer.transceivers().next().unwrap().agreement().unwrap();
        assert!(agreed.preferred().unwrap().codec.is("AV1"));
    }
    // The answerer may prefer another order.
    let other = bob.peer.transceivers().next().unwrap().id();
    bob.peer.set_codec_preferences(other, vec![Codec::video("VP8", "")]).unwrap();
    exchange(&mut ada, &mut bob);
    let agreed = ada.peer.transceiver(id).unwrap().agreement().unwrap();
    assert!(agreed.preferred().unwrap().codec.is("VP8"));
}

/// Offers of real browsers are answered, and what is offered back then keeps their numbers.
#[test]
fn browsers_offers_are_answered_with_their_numbers() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/vectors/sdp/browsers");
    for name in ["chromium-156-offer", "firefox-153-offer", "chromium-156-ccfb-offer"] {
        // What is not laid beside the project is not there to be read.
        let Ok(text) = std::fs::read_to_string(format!("{folder}/{name}.sdp")) else { continue };
        let mut end = End::new(1);
        end.hear(&SessionDescription::offer(text.replace('\n', "\r\n").replace("\r\r", "\r")));
        for id in end.peer.transceivers().map(twocan_peer::Transceiver::id).collect::<Vec<_>>() {
            end.peer.set_direction(id, Direction::SendRecv).unwrap();
        }
        let answer = parse(&end.make());
        assert!(answer.media.iter().all(|media| !media.is_rejected()), "{name}: {answer}");
        let offered: sdp::Description = text.parse().unwrap();
        for (ours, theirs) in answer.media.iter().zip(&offered.media) {
            let theirs = theirs.codecs();
            for codec in ours.codecs() {
                let same = theirs.iter().find(|other| other.payload_type == codec.payload_type).unwrap();
                assert!(same.is(codec.name), "{name}: {codec:?} {same:?}");
            }
        }
        let pictures = end.peer.transceivers().find(|one| one.kind() == MediaKind::Video).unwrap();
        let agreed = pictures.agreement().unwrap();
        let preferred = agreed.preferred().unwrap();
        assert!(preferred.codec.is("VP8") && preferred.receive_retransmission.is_some(), "{name}");
        assert!(preferred.has(&Feedback::TransportCc), "{name}");
        assert!(agreed.extensions.id(rtp::extension::Kind::Mid).is_some(), "{name}");
        let again = parse(&end.make());
        for (before, after) in answer.media.iter().zip(&again.media) {
            for codec in before.codecs() {
                let after = after.codecs();
                let same = after.iter().find(|other| other.payload_type == codec.payload_type).unwrap();
                assert!(same.is(codec.name), "{name}: {codec:?} {same:?}");
            }
        }
    }
}
