//! One session of WHIP (RFC 9725) or WHEP (draft-ietf-wish-whep): an offer, its answer, restarts of ICE, and the end.

use std::time::Duration;

use hyper::http::header::{CONTENT_TYPE, ETAG, IF_MATCH, LINK, LOCATION, RETRY_AFTER};
use hyper::http::{Method, StatusCode, Uri};
use tokio::time::{Instant, timeout, timeout_at};
use twocan::{
    Codec, Configuration, Direction, IceServer, MediaKind, PeerConnection, PeerConnectionState, PeerEvent,
    SessionDescription, Transceiver, TransceiverInit,
};

use super::http::{Answer, Client, resolve};
use super::{links, restart};

const SDP: &str = "application/sdp";
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";

/// How long this computer's addresses are waited for: what comes later is learnt by checks.
const GATHERING: Duration = Duration::from_millis(500);
/// How long a connection may take to come about.
const CONNECTING: Duration = Duration::from_secs(15);
/// And how long a goodbye may, or a request that nothing is to wait for.
const LEAVING: Duration = Duration::from_secs(2);

/// Which way media goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Publish,
    Watch,
}

/// Why there is no session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It may be there before long.
    Later { status: u16, why: String, after: Duration },
    /// Asking again is of no use.
    Refused { status: u16, why: String },
    /// The server, or a path to it, is not there for the moment.
    Unreachable(String),
}

/// Where sessions are asked for.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    pub(super) uri: Uri,
    pub(super) client: Client,
    pub(super) role: Role,
    /// What an earlier answer named.
    pub(super) ice_servers: Vec<IceServer>,
}

/// One that is connected.
pub(super) struct Session {
    pub(super) peer: PeerConnection,
    /// Of those media that both want.
    pub(super) media: Vec<Transceiver>,
    pub(super) ice_servers: Vec<IceServer>,
    client: Client,
    location: Option<Uri>,
    answer: String,
}

impl Endpoint {
    /// Whether it is on this computer.
    fn is_local(&self) -> bool {
        let host = self.uri.host().unwrap_or_default().trim_matches(['[', ']']);
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Asks for a session of these media, each in one of its codecs, or any where there are none; waits until it is connected.
    pub(super) async fn open(&self, media: &[(MediaKind, Vec<Codec>)]) -> Result<Session, Failure> {
        let configuration = Configuration {
            include_loopback: self.is_local(),
            ice_servers: self.ice_servers.clone(),
            ..Configuration::default()
        };
        let own = |error: twocan::Error| Failure::Refused { status: 0, why: error.to_string() };
        let mut peer = PeerConnection::new(configuration).await.map_err(own)?;
        let direction = if self.role == Role::Publish { Direction::SendOnly } else { Direction::RecvOnly };
        let mut all = Vec::new();
        for (kind, codecs) in media {
            let init =
                TransceiverInit { direction, streams: vec!["twocan".into()], ..TransceiverInit::default() };
            let one = peer.add_transceiver(*kind, init).await.map_err(own)?;
            if !codecs.is_empty() {
                one.set_codec_preferences(codecs.clone()).await.map_err(own)?;
            }
            all.push(one);
        }
        peer.set_local_description(None).await.map_err(own)?;
        gather(&mut peer).await;
        let offer = peer.local_description().await.ok_or_else(|| own(twocan::Error::Closed))?;
        let asked = self.client.ask(Method::POST, &self.uri, &[(CONTENT_TYPE, SDP)], &offer.sdp).await;
        let answer = asked.map_err(Failure::Unreachable)?;
        if answer.status != StatusCode::CREATED {
            return Err(refusal(&answer));
        }
        let location = answer.header(LOCATION).and_then(|location| resolve(&answer.uri, location));
        let links = answer.headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
        let ice_servers = links::ice_servers(links);
        let mut session = Session {
            peer,
            media: all,
            ice_servers,
            client: self.client.clone(),
            location,
            answer: answer.body,
        };
        match session.begin().await {
            Ok(()) => Ok(session),
            Err(failure) => {
                session.leave().await;
                Err(failure)
            }
        }
    }
}

/// Waits until all addresses are known, but not for long.
async fn gather(peer: &mut PeerConnection) {
    let all = async {
        while let Some(event) = peer.next_event().await {
            if matches!(event, PeerEvent::IceCandidate(None)) {
                return;
            }
        }
    };
    // Those that come later are not needed: our checks tell the server where we are.
    let _ = timeout(GATHERING, all).await;
}

fn refusal(answer: &Answer) -> Failure {
    let (status, why) = (answer.status.as_u16(), answer.problem());
    let after = answer.header(RETRY_AFTER).and_then(|value| value.trim().parse().ok());
    let after = Duration::from_secs(after.unwrap_or(3_u64).clamp(1, 30));
    match status {
        // Nobody sends yet; somebody sends already; too much is asked, or the server is about to stop.
        404 | 409 | 429 | 500..=599 => Failure::Later { status, why, after },
        _ => Failure::Refused { status, why },
    }
}

impl Session {
    /// Takes the answer, and waits until it is connected.
    async fn begin(&mut self) -> Result<(), Failure> {
        let description = SessionDescription::answer(self.answer.clone());
        self.peer.set_remote_description(description).await.map_err(|error| Failure::Refused {
            status: 201,
            why: format!("the server's answer cannot be used: {error}"),
        })?;
        for mut one in std::mem::take(&mut self.media) {
            // A section that is rejected ends.
            let is_agreed = timeout(CONNECTING, one.agreed()).await.is_ok_and(|agreed| agreed.is_ok());
            let direction = one.current_direction().filter(|_| is_agreed);
            if direction.is_some_and(|direction| direction.sends() || direction.receives()) {
                self.media.push(one);
            }
        }
        if self.media.is_empty() {
            return Err(Failure::Refused { status: 201, why: "the server takes none of it".to_owned() });
        }
        let deadline = Instant::now() + CONNECTING;
        loop {
            match self.peer.connection_state() {
                PeerConnectionState::Connected => return Ok(()),
                PeerConnectionState::Failed | PeerConnectionState::Closed => break,
                _ => {}
            }
            match timeout_at(deadline, self.peer.next_event()).await {
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break,
            }
        }
        Err(Failure::Unreachable(
            "no way to the server's media was found: a firewall may block UDP, on the number that HTTPS has"
                .to_owned(),
        ))
    }

    /// Looks for a new path under new credentials; the session stays. False where the server knows no such session any more, or
    /// does not do that: then only another session helps.
    pub(super) async fn restart(&mut self) -> bool {
        self.peer.restart_ice();
        let Some(location) = self.location.clone() else { return false };
        let Ok(offer) = self.peer.set_local_description(None).await else { return false };
        let Some(fragment) = restart::fragment(&offer.sdp) else { return false };
        let headers = [(CONTENT_TYPE, FRAGMENT), (IF_MATCH, "*")];
        let asked = self.client.ask(Method::PATCH, &location, &headers, &fragment);
        // The network may be away altogether, and come back.
        let Ok(Ok(answer)) = timeout(LEAVING, asked).await else { return true };
        if answer.status != StatusCode::OK || answer.header(ETAG).is_none() {
            return false;
        }
        let Some(next) = restart::answer(&self.answer, &answer.body) else { return false };
        self.answer.clone_from(&next);
        self.peer.set_remote_description(SessionDescription::answer(next)).await.is_ok()
    }

    /// Ends it, and tells the server.
    pub(super) async fn leave(&mut self) {
        if let Some(location) = self.location.take() {
            // A server that is not there notices by itself.
            let _ = timeout(LEAVING, self.client.ask(Method::DELETE, &location, &[], "")).await;
        }
        self.peer.close();
    }
}
