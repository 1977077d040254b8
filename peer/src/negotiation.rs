//! Offer and answer (RFC 9429, W3C webrtc-pc §4.4): where the exchange stands, and which sections there are.
//!
//! Pure bookkeeping: it says what a description should say and what one means. What follows for transports is
//! the peer connection's to do.

use sdp::attribute::{Attribute, Fingerprint, Group, IceOptions, MaxMessageSize, Mid, SctpInit, Setup};
use sdp::{Description, Media, MediaKind, Origin};

use crate::config::BundlePolicy;
use crate::description::SdpType;
use crate::error::DescriptionError;
use crate::limits;

mod apply;
mod state;
#[cfg(test)]
mod tests;

pub use state::SignalingState;

/// What descriptions say of our end.
#[derive(Clone, Debug)]
pub(crate) struct Ours {
    pub(crate) credentials: ice::Credentials,
    pub(crate) fingerprints: Vec<Fingerprint>,
    /// Our DTLS role, once it is settled.
    pub(crate) setup: Option<Setup>,
    pub(crate) max_message_size: u64,
    /// Our association's INIT, unless the association does without SNAP.
    pub(crate) sctp_init: Option<SctpInit>,
    pub(crate) renomination: bool,
    /// Checks may carry the handshake of DTLS.
    pub(crate) sped: bool,
    pub(crate) lite: bool,
}

/// What a description says of the peer's end of the one transport.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Theirs {
    pub(crate) parameters: ice::RemoteParameters,
    pub(crate) fingerprints: Vec<Fingerprint>,
    pub(crate) setup: Setup,
    pub(crate) max_message_size: Option<u64>,
    pub(crate) sctp_init: Option<SctpInit>,
    pub(crate) candidates: Vec<ice::Candidate>,
    pub(crate) end_of_candidates: bool,
    /// Its checks may carry the handshake of DTLS.
    pub(crate) sped: bool,
}

/// A description in force or proposed, with what it was sent or received as.
#[derive(Clone, Debug)]
pub(crate) struct Applied {
    pub(crate) kind: SdpType,
    pub(crate) description: Description,
}

/// One side's descriptions.
#[derive(Debug, Default)]
pub(crate) struct Side {
    pub(crate) current: Option<Applied>,
    pub(crate) pending: Option<Applied>,
}

impl Side {
    /// The one that counts: pending before current.
    pub(crate) fn latest(&self) -> Option<&Applied> {
        self.pending.as_ref().or(self.current.as_ref())
    }
}

/// The exchange of offers and answers.
#[derive(Debug)]
pub(crate) struct Negotiation {
    state: SignalingState,
    origin: Origin,
    pub(crate) local: Side,
    pub(crate) remote: Side,
    last_offer: Option<String>,
    last_answer: Option<String>,
    /// The one that was made last, until it is set.
    made: Option<(SdpType, Description)>,
    /// Whether this end wants data channels.
    pub(crate) wants_data: bool,
    /// Which sections of an offer may have a transport of their own. In ours it changes nothing: of the sections that are
    /// not rejected the one of data channels is the first, of all and of its kind.
    pub(crate) bundle_policy: BundlePolicy,
}

impl Negotiation {
    /// `session_id` is random.
    pub(crate) fn new(session_id: u64) -> Self {
        Self {
            state: SignalingState::Stable,
            // Below 2^63: RFC 9429 §5.2.1.
            origin: Origin { session_version: 0, ..Origin::new(session_id >> 1) },
            local: Side::default(),
            remote: Side::default(),
            last_offer: None,
            last_answer: None,
            made: None,
            wants_data: false,
            bundle_policy: BundlePolicy::Balanced,
        }
    }

    pub(crate) fn state(&self) -> SignalingState {
        self.state
    }

    pub(crate) fn close(&mut self) {
        self.state = SignalingState::Closed;
    }

    /// Whether our latest description says our association's INIT.
    pub(crate) fn says_sctp_init(&self) -> bool {
        let latest = self.local.latest();
        latest.is_some_and(|latest| latest.description.media.iter().any(|media| media.sctp_init().is_some()))
    }

    /// The present place and name of the section of data channels that both sides know, if it is not rejected.
    pub(crate) fn data_section(&self) -> Option<(u16, &Mid)> {
        let latest = self.latest_sections()?;
        let (index, media) = latest.media.iter().enumerate().find(|(_, media)| is_data(media))?;
        Some((u16::try_from(index).ok()?, media.mid()?))
    }

    /// Makes an offer (RFC 9429 §5.2).
    pub(crate) fn create_offer(&mut self, ours: &Ours) -> Result<String, DescriptionError> {
        match self.state {
            SignalingState::Stable | SignalingState::HaveLocalOffer => {}
            SignalingState::Closed => return Err(DescriptionError::Closed),
            state => return Err(DescriptionError::WrongState { kind: SdpType::Offer, state }),
        }
        let known = self.latest_sections();
        let mut media: Vec<Media> =
            known.map_or_else(Vec::new, |known| known.media.iter().map(|media| again(media, ours)).collect());
        if self.wants_data
            && !media.iter().any(is_data)
            && let Some(mid) = free_mid(&media)
        {
            media.push(data_section(mid, Setup::ActPass, ours));
        }
        if media.len() > limits::SECTIONS {
            return Err(DescriptionError::TooManySections);
        }
        let mids: Vec<Mid> =
            media.iter().filter(|media| !media.is_rejected()).filter_map(Media::mid).cloned().collect();
        let text =
            self.describe(SdpType::Offer, media, (!mids.is_empty()).then(|| Group::bundle(mids)), ours);
        self.last_offer = Some(text.clone());
        Ok(text)
    }

    /// Makes an answer (RFC 9429 §5.3).
    pub(crate) fn create_answer(&mut self, ours: &Ours) -> Result<String, DescriptionError> {
        match self.state {
            SignalingState::HaveRemoteOffer | SignalingState::HaveLocalPranswer => {}
            SignalingState::Closed => return Err(DescriptionError::Closed),
            state => return Err(DescriptionError::NoOffer(state)),
        }
        let Some(offer) = self.remote.pending.as_ref() else {
            return Err(DescriptionError::NoOffer(self.state));
        };
        let mut answered_data = false;
        let mut media = Vec::new();
        for section in offer.description.sections() {
            // One association for all data channels: a second section has none.
            let accept = !answered_data && self.takes(&offer.description, section.media);
            let mid = section.media.mid().cloned();
            media.push(match mid {
                Some(mid) if accept => {
                    answered_data = true;
                    let setup = answer_setup(section.setup(), ours.setup);
                    // What the offer does not say is not answered (draft-hancke-tsvwg-snap §5.2, §5.4;
                    // draft-hancke-webrtc-sped §5.2).
                    let mut ours = ours.clone();
                    ours.sctp_init.take_if(|_| section.media.sctp_init().is_none());
                    ours.sped &= section.has_ice_option(IceOptions::SPED);
                    data_section(mid, setup, &ours)
                }
                _ => section.media.rejected(),
            });
        }
        let accepted: Vec<Mid> =
            media.iter().filter(|media| !media.is_rejected()).filter_map(Media::mid).cloned().collect();
        let group = offer
            .description
            .bundle_groups()
            .find(|group| accepted.iter().any(|mid| group.has(mid)))
            .map(|group| Group::bundle(accepted.into_iter().filter(|mid| group.has(mid))));
        let text = self.describe(SdpType::Answer, media, group, ours);
        self.last_answer = Some(text.clone());
        Ok(text)
    }

    /// Whether a section of the peer's offer carries data channels in a way that we take (RFC 9429 §5.3.1).
    fn takes(&self, offer: &Description, media: &Media) -> bool {
        let first = match self.bundle_policy {
            BundlePolicy::MaxCompat => Some(media),
            BundlePolicy::Balanced => offer.media.iter().find(|other| other.kind == media.kind),
            BundlePolicy::MaxBundle => offer.media.first(),
        };
        let goes_with = |first: &Media| {
            let both = media.mid().zip(first.mid());
            std::ptr::eq(first, media)
                || both.is_some_and(|(own, first)| {
                    offer.bundle_groups().any(|group| group.has(own) && group.has(first))
                })
        };
        // Where the transport is another section's, which is not taken, this one cannot be either (RFC 9143 §7.3.3).
        is_data(media) && !media.is_bundle_only() && first.is_some_and(goes_with)
    }

    /// Whether an offer would change anything (W3C webrtc-pc §4.7.3, "check if negotiation is needed").
    pub(crate) fn is_needed(&self) -> bool {
        let Some(current) = &self.local.current else { return self.wants_data };
        self.wants_data && !current.description.media.iter().any(is_data)
    }

    fn describe(&mut self, kind: SdpType, media: Vec<Media>, group: Option<Group>, ours: &Ours) -> String {
        self.origin = self.origin.next();
        let mut description = Description::new(self.origin.clone());
        if let Some(group) = group {
            description = description.with(group);
        }
        if ours.lite {
            description = description.with(Attribute::IceLite);
        }
        description.media = media;
        let text = description.to_string();
        description.media.shrink_to_fit();
        description.media.iter_mut().for_each(|media| media.attributes.0.shrink_to_fit());
        self.made = Some((kind, description));
        text
    }

    /// The sections by which their order is fixed: those of the description that changed them last.
    fn latest_sections(&self) -> Option<&Description> {
        let local = self.local.latest().map(|applied| &applied.description);
        let remote = self.remote.latest().map(|applied| &applied.description);
        match (local, remote) {
            // Sections are only ever added.
            (Some(local), Some(remote)) if remote.media.len() > local.media.len() => Some(remote),
            (Some(local), _) => Some(local),
            (None, remote) => remote,
        }
    }
}

/// Whether a section carries data channels, and is not rejected.
pub(crate) fn is_data(media: &Media) -> bool {
    media.kind == MediaKind::Application
        && media.protocol.is_sctp()
        && !media.is_rejected()
        && media.mid().is_some()
}

/// A known section in another offer: ours stays ours, and what was rejected stays so.
fn again(media: &Media, ours: &Ours) -> Media {
    match media.mid() {
        Some(mid) if is_data(media) => data_section(mid.clone(), Setup::ActPass, ours),
        _ => media.rejected(),
    }
}

/// Our section of data channels (RFC 9429 §5.2.1, RFC 8841 §4).
fn data_section(mid: Mid, setup: Setup, ours: &Ours) -> Media {
    let media = Media::data_channels(mid).with(MaxMessageSize(ours.max_message_size)).with(setup);
    let mut media = ours.credentials_in(media);
    for fingerprint in &ours.fingerprints {
        media = media.with(fingerprint.clone());
    }
    match &ours.sctp_init {
        Some(init) => media.with(init.clone()),
        None => media,
    }
}

/// Our role: the one that is settled, as long as the offer leaves it to us (RFC 8842 §5.3).
fn answer_setup(offered: Option<Setup>, settled: Option<Setup>) -> Setup {
    match (offered.unwrap_or(Setup::ActPass), settled) {
        (Setup::ActPass, Some(settled)) => settled,
        (offered, _) => offered.answer(),
    }
}

/// A name that no section has: numbers, as browsers give. Of one number more than there are sections, one is free.
fn free_mid(media: &[Media]) -> Option<Mid> {
    let taken = |mid: &Mid| media.iter().any(|media| media.mid() == Some(mid));
    let numbers = media.len()..=2 * media.len();
    numbers.filter_map(|number| number.to_string().parse().ok()).find(|mid| !taken(mid))
}
