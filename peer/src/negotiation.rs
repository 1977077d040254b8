//! Offer and answer (RFC 9429, W3C webrtc-pc §4.4): where the exchange stands, and which sections there are.
//!
//! Pure bookkeeping: it says what a description should say and what one means. What follows for transports is
//! the peer connection's to do.

use std::fmt::Write as _;
use std::sync::Arc;

use sdp::attribute::{Attribute, Fingerprint, Group, IceOptions, MaxMessageSize, Mid, SctpInit, Setup};
use sdp::{Description, Media, MediaKind, Origin};

use crate::config::BundlePolicy;
use crate::description::SdpType;
use crate::error::DescriptionError;
use crate::limits;
use crate::media::{MediaCapabilities, Place, Transceiver, TransceiverId, Transceivers};

mod applied;
mod apply;
mod folded;
mod numbers;
mod sections;
mod state;
#[cfg(test)]
mod tests;
mod transceivers;

use applied::{Applied, Side};
use numbers::Numbers;
pub use state::SignalingState;
pub(crate) use transceivers::TrackChange;

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
    /// What all our sources are known by (RFC 8834 §4.9).
    pub(crate) cname: Box<str>,
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
    made: Option<(SdpType, Arc<Description>)>,
    /// Whether this end wants data channels.
    pub(crate) wants_data: bool,
    /// Which sections of an offer may have a transport of their own. There is one here, so that all must share it.
    pub(crate) bundle_policy: BundlePolicy,
    /// What sound and pictures can be; none: sections of them are rejected.
    pub(crate) capabilities: Option<Arc<MediaCapabilities>>,
    pub(crate) transceivers: Transceivers,
    /// Where the offer that was made last places those that had no place.
    plan: Vec<(TransceiverId, Place)>,
    /// The transceivers as they were before the exchange that is under way.
    saved: Option<Box<Transceivers>>,
    changes: Vec<TrackChange>,
    /// What sources are numbered from.
    ssrcs: u32,
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
            capabilities: None,
            transceivers: Transceivers::default(),
            plan: Vec::new(),
            saved: None,
            changes: Vec::new(),
            ssrcs: session_id as u32,
        }
    }

    pub(crate) fn state(&self) -> SignalingState {
        self.state
    }

    /// What all our sources are known by: no more than the description's own number (RFC 7022 §4.2).
    pub(crate) fn cname(&self) -> Box<str> {
        format!("{:x}", self.origin.session_id).into()
    }

    /// The connection has come about: it will hardly need its descriptions soon.
    pub(crate) fn fold(&mut self) {
        self.local.fold();
        self.remote.fold();
    }

    /// They are needed, and more than once.
    fn unfold(&mut self) {
        self.local.unfold();
        self.remote.unfold();
    }

    pub(crate) fn close(&mut self) {
        self.state = SignalingState::Closed;
    }

    /// Whether our latest description says our association's INIT.
    pub(crate) fn says_sctp_init(&self) -> bool {
        let latest = self.local.latest();
        latest
            .is_some_and(|latest| latest.description().media.iter().any(|media| media.sctp_init().is_some()))
    }

    /// Whether both sides' latest descriptions have data channels.
    pub(crate) fn has_data(&self) -> bool {
        [&self.local, &self.remote]
            .into_iter()
            .all(|side| side.latest().is_some_and(|applied| applied.description().media.iter().any(is_data)))
    }

    /// The present place and name of the section whose transport all others share, if any is not rejected.
    pub(crate) fn transport_section(&self) -> Option<(u16, Mid)> {
        let latest = self.latest_sections()?;
        let (index, media) = latest.media.iter().enumerate().find(|(_, media)| self.is_used(media))?;
        Some((u16::try_from(index).ok()?, media.mid()?.clone()))
    }

    /// Makes an offer (RFC 9429 §5.2).
    pub(crate) fn create_offer(&mut self, ours: &Ours) -> Result<String, DescriptionError> {
        match self.state {
            SignalingState::Stable | SignalingState::HaveLocalOffer => {}
            SignalingState::Closed => return Err(DescriptionError::Closed),
            state => return Err(DescriptionError::WrongState { kind: SdpType::Offer, state }),
        }
        self.unfold();
        let (media, plan) = self.offered_sections(ours);
        if media.len() > limits::SECTIONS {
            return Err(DescriptionError::TooManySections);
        }
        let mids: Vec<Mid> =
            media.iter().filter(|media| !media.is_rejected()).filter_map(Media::mid).cloned().collect();
        let text =
            self.describe(SdpType::Offer, media, (!mids.is_empty()).then(|| Group::bundle(mids)), ours);
        self.last_offer = Some(text.clone());
        self.plan = plan;
        Ok(text)
    }

    /// The sections of an offer: those that are known in their places, then those of new transceivers, which take the
    /// places of what was rejected first, and that of data channels; and where transceivers that had no place get one.
    fn offered_sections(&self, ours: &Ours) -> (Vec<Media>, Vec<(TransceiverId, Place)>) {
        let known = self.latest_sections();
        let known = known.as_ref().map_or(&[][..], |known| &known.media);
        let in_force = [&self.remote, &self.local].into_iter().filter_map(Side::latest);
        let mut numbers = Numbers::of(in_force.map(Applied::description));
        let mut mids: Vec<Mid> = known.iter().filter_map(Media::mid).cloned().collect();
        let mut new = self.transceivers.iter().filter(|one| one.place.is_none() && !one.is_ending());
        let (mut media, mut plan) = (Vec::with_capacity(known.len()), Vec::new());
        let offer = |one: &Transceiver, mid: Mid, numbers: &mut Numbers| {
            let capabilities = self.capabilities.as_ref()?;
            Some(sections::offered(one, mid, capabilities, numbers, ours))
        };
        let mut place = |index, numbers: &mut Numbers| {
            let one = new.next()?;
            let mid = free_mid(&mids)?;
            mids.push(mid.clone());
            let section = offer(one, mid.clone(), numbers)?;
            plan.push((one.id(), Place { index, mid }));
            Some(section)
        };
        for (index, section) in known.iter().enumerate() {
            media.push(match (self.transceivers.at(index), section.mid()) {
                (Some(one), Some(mid)) if !one.is_ending() => {
                    offer(one, mid.clone(), &mut numbers).unwrap_or_else(|| section.rejected())
                }
                (Some(_), _) => section.rejected(),
                (None, Some(mid)) if is_data(section) => data_section(mid.clone(), Setup::ActPass, ours),
                (None, _) if !section.is_rejected() => section.rejected(),
                (None, _) => place(index, &mut numbers).unwrap_or_else(|| section.rejected()),
            });
        }
        while let Some(section) = place(media.len(), &mut numbers) {
            media.push(self.perhaps_bundle_only(section, media.is_empty()));
        }
        if self.wants_data
            && !media.iter().any(is_data)
            && let Some(mid) = free_mid(&mids)
        {
            let section = data_section(mid, Setup::ActPass, ours);
            media.push(self.perhaps_bundle_only(section, media.is_empty()));
        }
        (media, plan)
    }

    /// RFC 9429 §5.2.1: what is offered for the first time, and not alone.
    fn perhaps_bundle_only(&self, mut section: Media, is_first: bool) -> Media {
        if is_first || self.bundle_policy != BundlePolicy::MaxBundle {
            return section;
        }
        section.port = 0;
        section.with(Attribute::BundleOnly)
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
        let offer = offer.description();
        let accepted = self.accepted(&offer);
        let mut media = Vec::with_capacity(accepted.len());
        for (section, is_accepted) in offer.sections().zip(accepted) {
            let answer = section.media.mid().filter(|_| is_accepted).cloned().and_then(|mid| {
                let setup = answer_setup(section.setup(), ours.setup);
                // What the offer does not say is not answered (draft-hancke-tsvwg-snap §5.2, §5.4;
                // draft-hancke-webrtc-sped §5.2).
                let mut ours = ours.clone();
                ours.sctp_init.take_if(|_| section.media.sctp_init().is_none());
                ours.sped &= section.has_ice_option(IceOptions::SPED);
                if is_data(section.media) {
                    return Some(data_section(mid, setup, &ours));
                }
                let capabilities = self.capabilities.as_ref()?;
                sections::answered(self.transceivers.at(section.index)?, section, capabilities, &ours, setup)
            });
            media.push(answer.unwrap_or_else(|| section.media.rejected()));
        }
        let accepted: Vec<Mid> =
            media.iter().filter(|media| !media.is_rejected()).filter_map(Media::mid).cloned().collect();
        let group = offer
            .bundle_groups()
            .find(|group| accepted.iter().any(|mid| group.has(mid)))
            .map(|group| Group::bundle(accepted.into_iter().filter(|mid| group.has(mid))));
        let text = self.describe(SdpType::Answer, media, group, ours);
        self.last_answer = Some(text.clone());
        Ok(text)
    }

    /// Which sections of the peer's offer are taken: those that are of use and share one transport (RFC 9429 §5.3.1).
    pub(super) fn accepted(&self, offer: &Description) -> Vec<bool> {
        let mut transport: Option<&Media> = None;
        let mut has_data = false;
        let sections = offer.media.iter().enumerate();
        sections
            .map(|(index, media)| {
                let shares = match transport {
                    None => !media.is_bundle_only() && self.may_begin(offer, media),
                    Some(first) => is_bundled(offer, media, first),
                };
                // One association for all data channels: a second section has none.
                let is_useful = if is_data(media) { !has_data } else { self.is_useful(index, media) };
                let is_accepted = shares && is_useful && media.mid().is_some() && !media.is_rejected();
                if is_accepted {
                    has_data |= is_data(media);
                    transport.get_or_insert(media);
                }
                is_accepted
            })
            .collect()
    }

    /// Whether the policy lets a section have the transport: where that is another section's, which is not taken, this one
    /// cannot be either (RFC 9143 §7.3.3).
    fn may_begin(&self, offer: &Description, media: &Media) -> bool {
        let mut offered = offer.media.iter().filter(|other| !other.is_rejected());
        let first = match self.bundle_policy {
            BundlePolicy::MaxCompat => Some(media),
            BundlePolicy::Balanced => offered.find(|other| other.kind == media.kind),
            BundlePolicy::MaxBundle => offered.next(),
        };
        first.is_some_and(|first| std::ptr::eq(first, media) || is_bundled(offer, media, first))
    }

    /// Whether there is something to say in a section of sound or pictures of the peer's.
    fn is_useful(&self, index: usize, media: &Media) -> bool {
        let Some(capabilities) = &self.capabilities else { return false };
        let is_ending = self.transceivers.at(index).is_some_and(Transceiver::is_ending);
        !is_ending && sections::is_usable(media, capabilities)
    }

    /// Whether a section that both sides know is in use.
    fn is_used(&self, media: &Media) -> bool {
        let is_media = crate::media::MediaKind::of(media).is_some() && self.capabilities.is_some();
        is_data(media) || (is_media && media.mid().is_some() && !media.is_rejected())
    }

    /// Whether an offer would change anything (W3C webrtc-pc §4.7.3, "check if negotiation is needed").
    pub(crate) fn is_needed(&mut self) -> bool {
        self.unfold();
        let current = self.local.current.as_ref();
        let has_data = current.is_some_and(|current| current.description().media.iter().any(is_data));
        (self.wants_data && !has_data) || self.transceivers.iter().any(|one| self.is_news(one))
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
        let mut text = String::with_capacity(1024);
        // It takes all that is written.
        let _ = write!(text, "{description}");
        text.shrink_to_fit();
        description.media.shrink_to_fit();
        description.media.iter_mut().for_each(|media| media.attributes.0.shrink_to_fit());
        self.made = Some((kind, Arc::new(description)));
        text
    }

    /// The sections by which their order is fixed: those of the description that changed them last.
    fn latest_sections(&self) -> Option<Arc<Description>> {
        let local = self.local.latest().map(Applied::description);
        let remote = self.remote.latest().map(Applied::description);
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

/// Whether two sections of a description share a transport.
pub(crate) fn is_bundled(description: &Description, media: &Media, other: &Media) -> bool {
    let both = media.mid().zip(other.mid());
    both.is_some_and(|(own, other)| {
        description.bundle_groups().any(|group| group.has(own) && group.has(other))
    })
}

/// Our section of data channels (RFC 9429 §5.2.1, RFC 8841 §4).
fn data_section(mid: Mid, setup: Setup, ours: &Ours) -> Media {
    let media = Media::data_channels(mid).with(MaxMessageSize(ours.max_message_size));
    let media = ours.transport_in(media, setup);
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

/// A name that no section has: numbers, as browsers give. Of one number more than there are names, one is free.
fn free_mid(taken: &[Mid]) -> Option<Mid> {
    let numbers = taken.len()..=2 * taken.len();
    numbers.filter_map(|number| number.to_string().parse().ok()).find(|mid| !taken.contains(mid))
}
