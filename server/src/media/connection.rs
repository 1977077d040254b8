//! Making a connection of an offer (RFC 9725 §4.2, draft-ietf-wish-whep §4.2), and changing its ICE (RFC 9725 §4.3).

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use peer::{
    Codec, Configuration, DescriptionError, Direction, Event, IceCandidateInit, MediaCapabilities, MediaKind,
    PeerConnection, SessionDescription, TransceiverId,
};
use sdp::attribute::{Attribute, Attributes, Candidate, Password, Ufrag};
use sdp::{Description, Fragment, Media};

use super::sections::{Plan, arrange};

/// Why an offer, or a change, was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The description cannot be used.
    Description(String),
    /// Its media have no codec in common with what this server forwards, or with what is sent in the room.
    Codecs,
    /// Nobody sends into the room.
    Nobody,
    /// It has a password.
    Locked,
    /// Somebody sends into it already.
    Taken,
    /// As many as there may be.
    Full,
    /// There is no such connection.
    Unknown,
    /// The change is about another ICE session than the present one.
    OtherSession,
    /// The change cannot be read.
    Fragment(String),
    /// The server is about to end.
    Stopping,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Description(why) => write!(f, "The offer cannot be used: {why}."),
            Self::Codecs => f.write_str(
                "No codec in common: offer Opus, and one of VP8, H.264, VP9, AV1 or H.265; a viewer needs the one that is sent.",
            ),
            Self::Nobody => f.write_str("Nobody sends into this room yet: try again in a moment."),
            Self::Locked => {
                f.write_str("This room has a password, which programs cannot give: this server's token would do.")
            }
            Self::Taken => f.write_str("Somebody sends into this room already: stop that first, or take another room."),
            Self::Full => f.write_str("This server has as many connections as it may have: try again later."),
            Self::Unknown => f.write_str("There is no such session: it has ended, or was never there."),
            Self::OtherSession => {
                f.write_str("The change is about another ICE session: take the ETag of the last answer.")
            }
            Self::Fragment(why) => write!(f, "The fragment cannot be used: {why}."),
            Self::Stopping => f.write_str("The server is stopping: try again in a moment."),
        }
    }
}

impl From<DescriptionError> for Refusal {
    fn from(error: DescriptionError) -> Self {
        Self::Description(error.to_string())
    }
}

/// What all connections of a worker have in common.
pub(super) struct Common {
    pub(super) certificate: Arc<dtls::Certificate>,
    pub(super) media: Arc<MediaCapabilities>,
    /// What they tell of this host: where each is reached, and by which socket.
    pub(super) candidates: Vec<ice::LocalCandidate>,
}

/// What is forwarded: all of it but redundancy, which is for two ends to agree on.
pub(super) fn capabilities() -> MediaCapabilities {
    let mut media = MediaCapabilities::default();
    media.audio.retain(|capability| !capability.codec.is_auxiliary());
    media
}

impl Common {
    /// A connection that has heard an offer, and is not answered yet.
    pub(super) fn hear(&self, now: Instant, sdp: String) -> Result<PeerConnection, Refusal> {
        let mut seed = [0; 32];
        aws_lc_rs::rand::fill(&mut seed).map_err(|_| Refusal::Full)?;
        let mut configuration = Configuration::new(Arc::clone(&self.certificate), seed);
        configuration.media = Some(Arc::clone(&self.media));
        configuration.ice_lite = true;
        // Those who have less lose some of the first second, and everybody else need not wait for a good picture.
        configuration.start_bitrate = 1_000_000;
        configuration.unix_time =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        // Nobody sends data here.
        (configuration.send_buffer, configuration.receive_window) = (1 << 16, 1 << 16);
        let mut peer = PeerConnection::new(now, configuration);
        peer.set_remote_description(now, &SessionDescription::offer(sdp))?;
        Ok(peer)
    }

    /// Answers a further offer of a member's over the connection that there is; where it cannot be used, all stays as it is.
    pub(super) fn answer_again(
        &self,
        now: Instant,
        peer: &mut PeerConnection,
        sdp: String,
        plan: &Plan<'_>,
    ) -> Result<String, Refusal> {
        peer.set_remote_description(now, &SessionDescription::offer(sdp))?;
        let answer = arrange(peer, plan).and_then(|()| self.answer(now, peer));
        if answer.is_err() {
            // There is an offer to take back.
            let _ = peer.set_remote_description(now, &SessionDescription::rollback());
        }
        answer
    }

    /// Answers, with all our addresses in it.
    pub(super) fn answer(&self, now: Instant, peer: &mut PeerConnection) -> Result<String, Refusal> {
        let answer = peer.create_answer()?;
        peer.set_local_description(now, &answer)?;
        while let Some(event) = peer.poll_event() {
            if event == Event::Gather {
                for candidate in &self.candidates {
                    // One that says nothing new is not told.
                    let _ = peer.add_local_candidate(now, candidate.clone());
                }
                peer.end_of_local_candidates(now);
            }
        }
        peer.local_description().map(|description| description.sdp).ok_or(Refusal::Codecs)
    }
}

/// Our addresses as candidates, at the ports that are listened on, over UDP and over TCP (RFC 6544 §4.5: whoever checks
/// opens the connections).
pub(super) fn candidates(
    (listening, tcp): (&[SocketAddr], &[SocketAddr]),
    locals: &[std::net::IpAddr],
    public: &[std::net::IpAddr],
) -> Vec<ice::LocalCandidate> {
    let mut all = Vec::new();
    let over_udp = listening.iter().map(|listener| (listener, false));
    for (listener, is_tcp) in over_udp.chain(tcp.iter().map(|listener| (listener, true))) {
        let candidate = |base| match is_tcp {
            true => ice::LocalCandidate::tcp(base, ice::TcpType::Passive),
            false => ice::LocalCandidate::host(base),
        };
        let of_family = |ip: &&std::net::IpAddr| ip.is_ipv4() == listener.is_ipv4();
        let bases: Vec<SocketAddr> = match listener.ip().is_unspecified() {
            true => locals.iter().filter(of_family).map(|ip| SocketAddr::new(*ip, listener.port())).collect(),
            false => vec![*listener],
        };
        // Behind a NAT that maps address to address, the world sees the public one.
        let beyond: Vec<&std::net::IpAddr> =
            public.iter().filter(of_family).filter(|ip| !locals.contains(ip)).collect();
        for base in bases {
            all.push(candidate(base));
        }
        let outward = crate::relay::default_source(listener.is_ipv6());
        for ip in beyond {
            if let Some(source) = outward {
                let base = SocketAddr::new(source, listener.port());
                all.push(candidate(base).advertised(*ip));
            }
        }
    }
    all
}

/// What the peer has described.
fn remote(peer: &PeerConnection) -> Option<Description> {
    peer.remote_description()?.sdp.parse().ok()
}

/// What a transceiver is offered in a description, as far as it is known here.
fn offered(peer: &PeerConnection, remote: Option<&Description>, id: TransceiverId) -> Vec<Codec> {
    let read = || {
        let one = peer.transceiver(id)?;
        let mut sections = remote?.media.iter();
        let section = sections.find(|media| media.mid().map(sdp::attribute::Mid::as_str) == one.mid())?;
        let known = peer.media_capabilities()?.codecs(one.kind());
        let is_known = |codec: &Codec| {
            !codec.is_auxiliary() && known.iter().any(|capability| capability.codec.matches(codec))
        };
        Some(section.codecs().iter().map(Codec::from).filter(is_known).collect())
    };
    read().unwrap_or_default()
}

/// Has each medium of a publisher received in one codec: the first that is offered.
pub(super) fn receive_all(peer: &mut PeerConnection) -> Result<(), Refusal> {
    let all: Vec<TransceiverId> = peer.transceivers().map(peer::Transceiver::id).collect();
    let (remote, mut any) = (remote(peer), false);
    for id in all {
        let Some(codec) = offered(peer, remote.as_ref(), id).into_iter().next() else { continue };
        any |= peer.set_codec_preferences(id, vec![codec]).is_ok();
        // They were made to receive.
        let _ = peer.set_direction(id, Direction::RecvOnly);
    }
    if any { Ok(()) } else { Err(Refusal::Codecs) }
}

/// Has a viewer's transceivers send what is published: one of each kind, in the codec that it is published in.
///
/// # Errors
/// If there is a medium that the viewer wants and would get nothing of.
pub(super) fn send_what_is(
    peer: &mut PeerConnection,
    published: &[(MediaKind, Codec)],
) -> Result<(), Refusal> {
    let all: Vec<(TransceiverId, MediaKind)> =
        peer.transceivers().map(|one| (one.id(), one.kind())).collect();
    let (remote, mut left) = (remote(peer), published.to_vec());
    for (id, kind) in &all {
        let theirs = offered(peer, remote.as_ref(), *id);
        // Of those that would do, the one that says the same.
        let fitting = |codec: &Codec| {
            let same = theirs.iter().find(|theirs| codec.matches(theirs));
            same.or_else(|| theirs.iter().find(|theirs| codec.goes_to(theirs))).cloned()
        };
        let found = left.iter().enumerate().filter(|(_, (of, _))| of == kind);
        let found = found.filter_map(|(at, (_, codec))| Some((at, fitting(codec)?))).next();
        let taken = found.map(|(at, codec)| {
            left.remove(at);
            // It is known.
            let _ = peer.set_codec_preferences(*id, vec![codec]);
        });
        let direction = if taken.is_some() { Direction::SendOnly } else { Direction::Inactive };
        let _ = peer.set_direction(*id, direction);
    }
    let gets_all = [MediaKind::Audio, MediaKind::Video].into_iter().all(|kind| {
        let count = |media: &[(MediaKind, Codec)]| media.iter().filter(|(of, _)| *of == kind).count();
        all.iter().all(|(_, of)| *of != kind) || count(published) == 0 || count(&left) < count(published)
    });
    if gets_all && left.len() < published.len() { Ok(()) } else { Err(Refusal::Codecs) }
}

/// Takes candidates, or new credentials of the peer's, for which it makes new ones of ours: what the answer says then, and
/// our new fragment.
pub(super) fn patch(
    now: Instant,
    peer: &mut PeerConnection,
    tag: Option<&str>,
    text: &str,
    common: &Common,
) -> Result<Option<(String, String)>, Refusal> {
    let unread = |why: sdp::ParseError| Refusal::Fragment(why.to_string());
    let fragment: Fragment = text.parse().map_err(unread)?;
    let mut remote: Description =
        peer.remote_description().ok_or(Refusal::Unknown)?.sdp.parse().map_err(unread)?;
    let theirs = credentials(&fragment);
    let before = remote.sections().find_map(|section| {
        section.ice_credentials().map(|known| (known.ufrag.clone(), known.password.clone()))
    });
    let restart = theirs.filter(|theirs| before.as_ref() != Some(theirs));
    let own = peer.ice().credentials().ufrag.as_str();
    // RFC 9725 §4.3.3: a restart is for whatever session there is; anything else names its own.
    let is_present = tag.is_none_or(|tag| tag == own || (restart.is_some() && tag == "*"));
    if !is_present {
        return Err(Refusal::OtherSession);
    }
    let Some((ufrag, password)) = restart else {
        // We answer checks only, and need no candidates to do so; those that can be read are taken all the same.
        for candidate in fragment.media.iter().flat_map(Media::candidates) {
            let candidate = format!("candidate:{candidate}");
            let init =
                IceCandidateInit { candidate, sdp_m_line_index: Some(0), ..IceCandidateInit::default() };
            let _ = peer.add_ice_candidate(now, Some(&init));
        }
        return Ok(None);
    };
    for media in &mut remote.media {
        media.attributes.set(ufrag.clone());
        media.attributes.set(password.clone());
        media.attributes.remove::<Candidate>();
    }
    peer.set_remote_description(now, &SessionDescription::offer(remote.to_string()))?;
    let answer: Description = common.answer(now, peer)?.parse().map_err(unread)?;
    let section = answer.sections().find(|section| !section.media.is_rejected()).ok_or(Refusal::Codecs)?;
    let own = section.ice_credentials().ok_or(Refusal::Codecs)?;
    let mut media = section.media.mid().cloned().into_iter().fold(Fragment::pseudo_media(), Media::with);
    media = section.media.candidates().cloned().fold(media, Media::with).with(Attribute::EndOfCandidates);
    let attributes = [Attribute::from(own.ufrag.clone()), Attribute::from(own.password.clone())];
    let said = Fragment { attributes: Attributes(attributes.to_vec()), media: vec![media] };
    Ok(Some((said.to_string(), own.ufrag.to_string())))
}

/// The credentials of a fragment, from whichever level.
fn credentials(fragment: &Fragment) -> Option<(Ufrag, Password)> {
    let levels =
        std::iter::once(&fragment.attributes).chain(fragment.media.iter().map(|media| &media.attributes));
    levels
        .into_iter()
        .find_map(|level| Some((level.get::<Ufrag>()?.clone(), level.get::<Password>()?.clone())))
}
