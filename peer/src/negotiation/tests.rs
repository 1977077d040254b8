//! Exchanges between two ends, description by description (RFC 9429 §5).

use sdp::attribute::{Attribute, Fingerprint, HashFunction, SctpInit, Setup};
use sdp::{Description, MediaKind};

use super::{Negotiation, Ours, SignalingState, Theirs};
use crate::description::{SdpType, SessionDescription};
use crate::error::DescriptionError;

fn ours(name: &str) -> Ours {
    Ours {
        credentials: ice::Credentials {
            ufrag: format!("{name}ufrag").parse().unwrap(),
            password: format!("{name}passwordpasswordpassword").parse().unwrap(),
        },
        fingerprints: vec![Fingerprint::new(HashFunction::Sha256, [7; 32]).unwrap()],
        setup: None,
        max_message_size: 262_144,
        sctp_init: Some(SctpInit::new([1; 30]).unwrap()),
        renomination: true,
        sped: true,
        lite: false,
        cname: "cname".into(),
    }
}

struct End {
    negotiation: Negotiation,
    ours: Ours,
}

impl End {
    fn new(name: &str) -> Self {
        Self { negotiation: Negotiation::new(1 << 40), ours: ours(name) }
    }

    fn offer(&mut self) -> SessionDescription {
        let offer = SessionDescription::offer(self.negotiation.create_offer(&self.ours).unwrap());
        self.negotiation.set_local(&offer).unwrap();
        offer
    }

    fn answer(&mut self) -> SessionDescription {
        let answer = SessionDescription::answer(self.negotiation.create_answer(&self.ours).unwrap());
        self.negotiation.set_local(&answer).unwrap();
        answer
    }

    fn hear(&mut self, description: &SessionDescription) -> Result<Option<Theirs>, DescriptionError> {
        let (read, theirs) = self.negotiation.read_remote(description)?;
        self.negotiation.set_remote(description, read)?;
        Ok(theirs)
    }

    /// Whether both sides' descriptions in force have data channels.
    fn has_data(&self) -> bool {
        [&self.negotiation.local, &self.negotiation.remote].into_iter().all(|side| {
            side.current
                .as_ref()
                .is_some_and(|applied| applied.description().media.iter().any(super::is_data))
        })
    }

    fn state(&self) -> SignalingState {
        self.negotiation.state()
    }
}

fn pair() -> (End, End) {
    let (mut ada, bob) = (End::new("ada"), End::new("bob"));
    ada.negotiation.wants_data = true;
    (ada, bob)
}

/// RFC 9429 §5.2.1, §5.3.1.
#[test]
fn offers_and_answers_say_which_ice_they_speak() {
    let (mut ada, mut bob) = pair();
    let theirs = bob.hear(&ada.offer()).unwrap().unwrap();
    let ours = ada.hear(&bob.answer()).unwrap().unwrap();
    assert!(theirs.parameters.ice2 && theirs.parameters.renomination);
    assert!(ours.parameters.ice2 && ours.parameters.renomination);
}

/// draft-hancke-webrtc-sped §5.1, §5.2.
#[test]
fn that_checks_may_carry_the_handshake_is_offered_and_answered_where_it_was_offered() {
    for (ada_can, bob_can) in [(true, true), (true, false), (false, true), (false, false)] {
        let (mut ada, mut bob) = pair();
        (ada.ours.sped, bob.ours.sped) = (ada_can, bob_can);
        assert_eq!(bob.hear(&ada.offer()).unwrap().unwrap().sped, ada_can);
        assert_eq!(ada.hear(&bob.answer()).unwrap().unwrap().sped, ada_can && bob_can);
    }
}

#[test]
fn data_channels_are_offered_and_accepted() {
    let (mut ada, mut bob) = pair();
    assert!(ada.negotiation.is_needed() && !bob.negotiation.is_needed());
    let theirs = bob.hear(&ada.offer()).unwrap().unwrap();
    assert_eq!(theirs.parameters.credentials, ada.ours.credentials);
    assert_eq!((theirs.setup, theirs.max_message_size), (Setup::ActPass, Some(262_144)));
    let theirs = ada.hear(&bob.answer()).unwrap().unwrap();
    assert_eq!(theirs.setup, Setup::Active);
    assert_eq!((ada.state(), bob.state()), (SignalingState::Stable, SignalingState::Stable));
    assert!(ada.has_data() && bob.has_data());
    assert!(!ada.negotiation.is_needed());
    assert_eq!(
        ada.negotiation.transport_section().map(|(index, mid)| (index, mid.to_string())),
        Some((0, "0".into()))
    );
}

#[test]
fn a_settled_role_stays_whatever_is_offered() {
    let (mut ada, mut bob) = pair();
    bob.hear(&ada.offer()).unwrap();
    ada.hear(&bob.answer()).unwrap();
    (ada.ours.setup, bob.ours.setup) = (Some(Setup::Passive), Some(Setup::Active));
    ada.hear(&bob.offer()).unwrap();
    let theirs = bob.hear(&ada.answer()).unwrap().unwrap();
    assert_eq!(theirs.setup, Setup::Passive);
}

#[test]
fn sound_and_pictures_are_refused_and_the_rest_is_taken() {
    let mut bob = End::new("bob");
    let mut ada = End::new("ada");
    ada.negotiation.wants_data = true;
    let mut offer: Description = ada.offer().sdp.parse().unwrap();
    let audio = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n\
                 a=mid:a\r\na=rtpmap:111 opus/48000/2\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdabcdabcdabcdabcdabcd\r\n";
    let audio: Description = audio.parse().unwrap();
    offer.media.insert(0, audio.media[0].clone());
    offer.attributes.set(sdp::attribute::Group::bundle(["a".parse().unwrap(), "0".parse().unwrap()]));
    bob.hear(&SessionDescription::offer(offer.to_string())).unwrap();
    let answer: Description = bob.answer().sdp.parse().unwrap();
    assert_eq!(answer.media.iter().map(|media| media.port).collect::<Vec<_>>(), [0, 9]);
    let group = answer.bundle_groups().next().unwrap();
    assert_eq!(group.mids, ["0".parse::<sdp::attribute::Mid>().unwrap()]);
}

#[test]
fn what_is_not_bundled_is_taken_as_the_policy_says() {
    use crate::config::BundlePolicy::{Balanced, MaxBundle, MaxCompat};
    // Whether the data channels of an offer are taken that comes after a section of pictures, alone or bundled, or after
    // one of the same kind that is of no use; or that have no transport of their own.
    let taken = |policy, change: &dyn Fn(&mut Description)| {
        let (mut ada, mut bob) = pair();
        bob.negotiation.bundle_policy = policy;
        let mut offer: Description = ada.offer().sdp.parse().unwrap();
        let other = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:v\r\n";
        offer.media.insert(0, other.parse::<Description>().unwrap().media[0].clone());
        change(&mut offer);
        let theirs = bob.hear(&SessionDescription::offer(offer.to_string())).unwrap();
        let answer: Description = bob.answer().sdp.parse().unwrap();
        assert_eq!(answer.media[1].is_rejected(), theirs.is_none());
        theirs.is_some()
    };
    let alone = |_: &mut Description| {};
    let mids = || ["v".parse().unwrap(), "0".parse().unwrap()];
    let bundled = |offer: &mut Description| offer.attributes.set(sdp::attribute::Group::bundle(mids()));
    let second = |offer: &mut Description| offer.media[0].kind = MediaKind::Application;
    let bundle_only = |offer: &mut Description| {
        bundled(offer);
        offer.media[1].port = 0;
        offer.media[1].attributes.push(Attribute::BundleOnly);
    };
    let policies = [Balanced, MaxCompat, MaxBundle];
    let all = |change: &dyn Fn(&mut Description)| policies.map(|policy| taken(policy, change));
    assert_eq!(all(&alone), [true, true, false]);
    assert_eq!(all(&bundled), [true, true, true]);
    assert_eq!(all(&second), [false, true, false]);
    assert_eq!(all(&bundle_only), [false; 3]);
}

#[test]
fn what_was_rejected_stays_in_its_place() {
    let (mut ada, mut bob) = (End::new("ada"), End::new("bob"));
    let video =
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:v\r\n";
    bob.hear(&SessionDescription::offer(video)).unwrap();
    bob.answer();
    bob.negotiation.wants_data = true;
    assert!(bob.negotiation.is_needed());
    let offer: Description = bob.offer().sdp.parse().unwrap();
    assert_eq!(offer.media.len(), 2);
    assert!(offer.media[0].is_rejected());
    assert_eq!(offer.media[1].mid().unwrap().to_string(), "1");
    assert!(matches!(ada.hear(&SessionDescription::offer(offer.to_string())), Ok(Some(_))));
}

#[test]
fn glare_is_an_error_and_a_rollback_mends_it() {
    let (mut ada, mut bob) = pair();
    bob.negotiation.wants_data = true;
    let (from_ada, from_bob) = (ada.offer(), bob.offer());
    let error = ada.hear(&from_bob).unwrap_err();
    assert_eq!(error.name(), "InvalidStateError");
    assert_eq!(error.to_string(), "an offer does not belong into the state have-local-offer");
    bob.negotiation.set_local(&SessionDescription::rollback()).unwrap();
    assert_eq!(bob.state(), SignalingState::Stable);
    assert!(bob.negotiation.is_needed(), "what it wanted is still not there");
    bob.hear(&from_ada).unwrap();
    ada.hear(&bob.answer()).unwrap();
    assert!(!bob.negotiation.is_needed());
}

#[test]
fn provisional_answers_come_before_the_final_one() {
    let (mut ada, mut bob) = pair();
    bob.hear(&ada.offer()).unwrap();
    let sdp = bob.negotiation.create_answer(&bob.ours).unwrap();
    let provisional = SessionDescription { kind: SdpType::Pranswer, sdp };
    bob.negotiation.set_local(&provisional).unwrap();
    assert_eq!(bob.state(), SignalingState::HaveLocalPranswer);
    ada.hear(&provisional).unwrap();
    assert_eq!(ada.state(), SignalingState::HaveRemotePranswer);
    assert!(!ada.has_data());
    ada.hear(&bob.answer()).unwrap();
    assert!(ada.has_data() && bob.has_data());
}

#[test]
fn what_does_not_fit_is_refused_with_the_names_of_the_standard() {
    let (mut ada, mut bob) = pair();
    let offer = ada.offer();
    let cases = [
        (SessionDescription::answer(offer.sdp.clone()), "InvalidStateError"),
        (SessionDescription::offer("v=1"), "RTCError (sdp-syntax-error)"),
        (SessionDescription::offer(offer.sdp.replace("a=setup:actpass\r\n", "")), "InvalidAccessError"),
        (SessionDescription::offer(offer.sdp.replace("a=ice-ufrag:adaufrag\r\n", "")), "InvalidAccessError"),
        (SessionDescription::rollback(), "InvalidStateError"),
    ];
    for (description, name) in cases {
        assert_eq!(bob.hear(&description).unwrap_err().name(), name, "{description:?}");
        assert_eq!(bob.state(), SignalingState::Stable);
    }
    bob.hear(&offer).unwrap();
    let mut answer = bob.answer();
    answer.sdp = answer.sdp.replace("a=mid:0", "a=mid:other");
    assert_eq!(ada.hear(&answer).unwrap_err().name(), "InvalidAccessError");
    let changed = SessionDescription::offer(offer.sdp.replace("262144", "1"));
    assert_eq!(ada.negotiation.set_local(&changed), Err(DescriptionError::Modified));
    ada.negotiation.close();
    assert_eq!(ada.hear(&offer), Err(DescriptionError::Closed));
}

#[test]
fn each_description_that_is_made_has_a_version_of_its_own() {
    let (mut ada, _) = pair();
    let version = |text: &str| text.parse::<Description>().unwrap().origin.session_version;
    let first = ada.negotiation.create_offer(&ada.ours).unwrap();
    let second = ada.negotiation.create_offer(&ada.ours).unwrap();
    assert_eq!(version(&second), version(&first) + 1);
}
