//! Taking descriptions into force, and back (RFC 9429 §5.5 to §5.7, §5.9 to §5.11; W3C webrtc-pc §4.4.1.5).

use std::sync::Arc;

use sdp::attribute::{Attribute, IceOptions, Setup};
use sdp::{Description, Media, Section};

use super::state::Whose;
use super::{Applied, Negotiation, Ours, Side, SignalingState, Theirs, is_bundled, is_data};
use crate::description::{SdpType, SessionDescription};
use crate::error::DescriptionError;
use crate::limits;

impl Negotiation {
    /// Takes one of our descriptions into force, which must be the last one that was made.
    pub(crate) fn set_local(&mut self, given: &SessionDescription) -> Result<(), DescriptionError> {
        let next = self.next_state(Whose::Ours, given.kind)?;
        let made = match given.kind {
            SdpType::Offer => self.last_offer.as_ref(),
            _ => self.last_answer.as_ref(),
        };
        // RFC 9429 §5.4: nothing may be changed.
        if given.kind != SdpType::Rollback && made != Some(&given.sdp) {
            return Err(DescriptionError::Modified);
        }
        let description = match given.kind {
            SdpType::Rollback => None,
            // One that is set again, as another type, has to be read.
            kind => match self.made.take_if(|(of, _)| (*of == SdpType::Offer) == (kind == SdpType::Offer)) {
                Some((_, made)) => Some(made),
                None => Some(Arc::new(given.sdp.parse::<Description>()?)),
            },
        };
        self.enter(next);
        settle(&mut self.local, &mut self.remote, given, description);
        self.forget_made(given.kind);
        match given.kind {
            SdpType::Offer => self.take_places(),
            SdpType::Rollback => self.take_back(),
            kind => self.agree(kind),
        }
        Ok(())
    }

    /// Reads one of the peer's descriptions and says what it says of its transport, before anything changes: none if it
    /// has no section that is used.
    pub(crate) fn read_remote(
        &self,
        given: &SessionDescription,
    ) -> Result<(Option<Description>, Option<Theirs>), DescriptionError> {
        self.next_state(Whose::Theirs, given.kind)?;
        if given.kind == SdpType::Rollback {
            return Ok((None, None));
        }
        let description = given.sdp.parse::<Description>()?;
        if description.media.len() > limits::SECTIONS {
            return Err(DescriptionError::TooManySections);
        }
        self.check_sections(given.kind, &description)?;
        let used = self.used(given.kind, &description);
        let first = used.iter().position(|is_used| *is_used);
        let mut theirs = first.and_then(|first| description.section(first)).map(theirs).transpose()?;
        if let Some(theirs) = &mut theirs
            && let Some(data) = description.media.iter().find(|media| is_data(media))
        {
            theirs.max_message_size = data.max_message_size().limit();
            theirs.sctp_init = data.sctp_init().cloned();
        }
        Ok((Some(description), theirs))
    }

    /// Takes what [`read_remote`](Self::read_remote) has read of it into force.
    pub(crate) fn set_remote(
        &mut self,
        given: &SessionDescription,
        description: Option<Description>,
    ) -> Result<(), DescriptionError> {
        let kind = given.kind;
        let next = self.next_state(Whose::Theirs, kind)?;
        self.enter(next);
        settle(&mut self.remote, &mut self.local, given, description.map(Arc::new));
        self.forget_made(kind);
        match kind {
            SdpType::Rollback => self.take_back(),
            kind => self.hear_sections(kind),
        }
        if matches!(kind, SdpType::Answer | SdpType::Pranswer) {
            self.agree(kind);
        }
        Ok(())
    }

    /// Which sections of a description of the peer's count: those that share the transport of the first.
    pub(super) fn used(&self, kind: SdpType, description: &Description) -> Vec<bool> {
        if kind == SdpType::Offer {
            return self.accepted(description);
        }
        let first = description.media.iter().find(|media| self.is_used(media));
        let counts = |media: &Media| {
            self.is_used(media)
                && first
                    .is_some_and(|first| std::ptr::eq(first, media) || is_bundled(description, media, first))
        };
        description.media.iter().map(counts).collect()
    }

    /// What was made is of no use once an answer ends the exchange (W3C webrtc-pc §4.4.1.5: both are set to "").
    fn forget_made(&mut self, kind: SdpType) {
        if kind == SdpType::Answer {
            (self.last_offer, self.last_answer, self.made) = (None, None, None);
        }
    }

    fn next_state(&self, whose: Whose, kind: SdpType) -> Result<SignalingState, DescriptionError> {
        if self.state == SignalingState::Closed {
            return Err(DescriptionError::Closed);
        }
        self.state.after(whose, kind).ok_or(DescriptionError::WrongState { kind, state: self.state })
    }

    /// RFC 9429 §5.10, §5.11: an answer has the offer's sections, an offer those there are and perhaps more.
    fn check_sections(&self, kind: SdpType, description: &Description) -> Result<(), DescriptionError> {
        let known = match kind {
            SdpType::Offer => self.latest_sections(),
            _ => self.local.pending.as_ref().map(Applied::description),
        };
        let known = known.as_ref().map_or(&[][..], |known| &known.media);
        match kind {
            SdpType::Offer if description.media.len() < known.len() => {
                return Err(DescriptionError::Sections("an offer must have all the sections there were"));
            }
            SdpType::Answer | SdpType::Pranswer if description.media.len() != known.len() => {
                return Err(DescriptionError::Sections("an answer must have as many as its offer"));
            }
            _ => {}
        }
        let same = |(ours, theirs): (&Media, &Media)| {
            // A section of an offer that was rejected may be used for something else.
            (kind == SdpType::Offer && ours.is_rejected())
                || (ours.kind == theirs.kind && (theirs.is_rejected() || ours.mid() == theirs.mid()))
        };
        if !known.iter().zip(&description.media).all(same) {
            return Err(DescriptionError::Sections("they have other names or kinds, or another order"));
        }
        Ok(())
    }
}

/// Moves a description to where it belongs.
fn settle(
    side: &mut Side,
    other: &mut Side,
    given: &SessionDescription,
    description: Option<Arc<Description>>,
) {
    let SessionDescription { kind, sdp } = given;
    match (*kind, description) {
        (SdpType::Rollback, _) => {
            side.pending = None;
            other.pending = None;
        }
        (SdpType::Answer, Some(description)) => {
            side.current = Some(Applied::new(*kind, sdp, description));
            side.pending = None;
            other.current = other.pending.take();
        }
        (kind, Some(description)) => side.pending = Some(Applied::new(kind, sdp, description)),
        (_, None) => {}
    }
}

/// What a section says of the peer's end.
fn theirs(section: Section<'_>) -> Result<Theirs, DescriptionError> {
    let credentials = section.ice_credentials().ok_or(DescriptionError::Missing("ICE credentials"))?;
    let parse = || {
        Some(ice::Credentials {
            ufrag: credentials.ufrag.parse().ok()?,
            password: credentials.password.parse().ok()?,
        })
    };
    let parameters = ice::RemoteParameters {
        credentials: parse().ok_or(DescriptionError::Unsupported("these ICE credentials"))?,
        lite: section.session.is_ice_lite(),
        renomination: section.has_ice_option("renomination"),
        ice2: section.has_ice_option(IceOptions::ICE2),
    };
    let fingerprints: Vec<_> = section.fingerprints().cloned().collect();
    if fingerprints.is_empty() {
        return Err(DescriptionError::Missing("fingerprint"));
    }
    // RFC 8122 §4 leaves "active" to offers that say nothing; WebRTC's always do (RFC 9429 §5.2.1).
    let setup = section.setup().ok_or(DescriptionError::Missing("setup"))?;
    if setup == Setup::HoldConn {
        return Err(DescriptionError::Unsupported("a connection on hold"));
    }
    Ok(Theirs {
        parameters,
        fingerprints,
        setup,
        // What the section of data channels says, if there is one.
        max_message_size: None,
        sctp_init: None,
        candidates: candidates(section),
        end_of_candidates: section.is_end_of_candidates(),
        sped: section.has_ice_option(IceOptions::SPED),
    })
}

/// What is of no known kind is skipped (RFC 8839 §5.1).
fn candidates(section: Section<'_>) -> Vec<ice::Candidate> {
    let candidate = |text: &sdp::attribute::Candidate| format!("candidate:{text}").parse().ok();
    section.media.candidates().filter_map(candidate).collect()
}

impl Ours {
    /// Puts our end's transport into a section, with our DTLS role.
    pub(super) fn transport_in(&self, media: Media, setup: Setup) -> Media {
        let media = self.credentials_in(media.with(setup));
        self.fingerprints.iter().cloned().fold(media, Media::with)
    }

    /// Puts our end's ICE into a section.
    fn credentials_in(&self, media: Media) -> Media {
        // RFC 9429 §5.2.1 has the first two.
        let mut options = vec![IceOptions::TRICKLE, IceOptions::ICE2];
        options.extend(self.renomination.then_some("renomination"));
        options.extend(self.sped.then_some(IceOptions::SPED));
        let tags = options.iter().filter_map(|tag| tag.parse().ok()).collect();
        // Ours are made of ice-chars.
        let ice::Credentials { ufrag, password } = &self.credentials;
        let ufrag = ufrag.as_str().parse().map(Attribute::IceUfrag);
        let password = password.as_str().parse().map(Attribute::IcePwd);
        ufrag.into_iter().chain(password).fold(media, Media::with).with(IceOptions { tags })
    }
}
