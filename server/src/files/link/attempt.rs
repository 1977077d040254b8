//! The connection with one other person, and its control channel: made, described, used, and watched. Whom it is with
//! and what is done when it fails is decided in [`super`].

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use twocan::{
    Configuration, DataChannel, DataChannelOptions, IceTransportPolicy, PeerConnection, PeerConnectionState,
    SdpType, SessionDescription,
};

use super::super::message::{Candidate, Control, Description};
use super::super::session::IceServer;
use super::{Failure, Wake};

/// The control channel's label and number, the same in the web app.
const CONTROL_LABEL: &str = "twocan";
const CONTROL_STREAM: u16 = 0;

/// What pages show of this end.
const OWN_NAME: &str = "Terminal";

/// A connection that has not come about by then is made again.
const CONNECT_PATIENCE: Duration = Duration::from_secs(15);
/// How long a connection may be interrupted before a fresh one is made, by who makes the offers, and by the other.
const INTERRUPTED: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(8));
/// The same after it has failed.
const FAILED: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));

/// What is known about the network before anybody is met.
#[derive(Clone, Debug, Default)]
pub(crate) struct Network {
    /// Only the relay may be used.
    pub(crate) relay_only: bool,
    /// The server is on this computer, and so may the other end be.
    pub(crate) is_local: bool,
    /// How TLS to the relay is done, where not by the system's roots.
    pub(crate) tls: Option<Arc<rustls::ClientConfig>>,
}

/// The connection with one of them.
pub(super) struct Attempt {
    pub(super) peer: String,
    /// Whether the control channel is open.
    pub(super) is_open: bool,
    /// When it is given up.
    pub(super) deadline: Option<Instant>,
    connection: PeerConnection,
    control: DataChannel,
}

impl Attempt {
    pub(super) async fn begin(peer: &str, network: &Network, servers: &[IceServer]) -> Result<Self, Failure> {
        let machine = |error: twocan::Error| Failure::Machine(error.to_string());
        let connection = PeerConnection::new(configuration(network, servers)).await.map_err(machine)?;
        let options =
            DataChannelOptions { negotiated: Some(CONTROL_STREAM), ..DataChannelOptions::default() };
        let control = connection.create_data_channel(CONTROL_LABEL, options).await.map_err(machine)?;
        let deadline = Some(Instant::now() + CONNECT_PATIENCE);
        Ok(Self { peer: peer.to_owned(), is_open: false, deadline, connection, control })
    }

    /// Waits until there is something to handle. May be dropped and called again.
    pub(super) async fn wait(&mut self) -> Wake {
        let Self { connection, control, is_open, .. } = self;
        let said = async {
            if *is_open {
                return Wake::Control(control.recv().await);
            }
            match control.ready().await {
                Ok(()) => Wake::Opened,
                // The connection's own end is told beside.
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            // In order: what was said before the end is heard.
            biased;
            wake = said => wake,
            event = connection.next_event() => Wake::Peer(event),
        }
    }

    /// The control channel is open.
    pub(super) async fn opened(&mut self) {
        self.is_open = true;
        self.say(&Control::State { name: Some(OWN_NAME.to_owned()) }).await;
    }

    /// On the control channel. A closed one is noticed where it is read.
    pub(super) async fn say(&self, words: &Control) {
        let _ = self.control.send(words.to_json()).await;
    }

    /// A further data channel.
    pub(super) async fn open_channel(&self, label: &str) -> Option<DataChannel> {
        self.connection.create_data_channel(label, DataChannelOptions::default()).await.ok()
    }

    /// Nothing if none can be made: the attempt runs into its deadline.
    pub(super) async fn offer(&self) -> Option<Description> {
        self.connection.set_local_description(None).await.ok().map(Into::into)
    }

    /// Takes their description, and answers if it is an offer.
    pub(super) async fn take(&self, kind: SdpType, sdp: String) -> Option<Description> {
        self.connection.set_remote_description(SessionDescription { kind, sdp }).await.ok()?;
        if kind != SdpType::Offer {
            return None;
        }
        self.connection.set_local_description(None).await.ok().map(Into::into)
    }

    pub(super) async fn add_candidate(&self, candidate: Option<Candidate>) {
        // One that belongs to nothing here is none.
        let _ = self.connection.add_ice_candidate(candidate.map(Into::into)).await;
    }

    /// Sets how long to wait, by whether we make the offers, and whether somebody else could be turned to at once.
    pub(super) fn set_state(&mut self, state: PeerConnectionState, offers: bool, has_another: bool) {
        let by_role = |(offering, other): (Duration, Duration)| match (has_another, offers) {
            (true, _) => Duration::ZERO,
            (false, true) => offering,
            (false, false) => other,
        };
        match state {
            PeerConnectionState::Connected => self.deadline = None,
            PeerConnectionState::Disconnected => self.deadline = Some(Instant::now() + by_role(INTERRUPTED)),
            PeerConnectionState::Failed => self.deadline = Some(Instant::now() + by_role(FAILED)),
            _ => {}
        }
    }

    /// Says that we leave, and waits until the control channel is closed at both ends: so all that was said has arrived.
    pub(super) async fn leave(mut self) {
        self.say(&Control::Bye).await;
        // Not left to them: where both leave, each would wait for the other.
        self.control.close();
        let gone = async { while self.connection.next_event().await.is_some() {} };
        tokio::select! {
            () = self.control.closed() => {}
            () = gone => {}
        }
        self.close().await;
    }

    /// Closes the connection, and waits until the goodbye has been sent: the program may end then.
    pub(super) async fn close(self) {
        let Self { mut connection, control, .. } = self;
        drop(control);
        connection.close();
        while connection.next_event().await.is_some() {}
    }
}

fn configuration(network: &Network, servers: &[IceServer]) -> Configuration {
    let ice_servers = servers.iter().map(|server| twocan::IceServer {
        urls: server.urls.clone(),
        username: server.username.clone().unwrap_or_default(),
        credential: server.credential.clone().unwrap_or_default(),
    });
    let policy = if network.relay_only { IceTransportPolicy::Relay } else { IceTransportPolicy::All };
    Configuration {
        // Whoever calls with a camera has the wrong number.
        media: None,
        // One that is not understood is of no use, and no reason to give up.
        ice_servers: ice_servers.filter(|server| server.parse().is_ok()).collect(),
        ice_transport_policy: policy,
        include_loopback: network.is_local,
        tls: network.tls.clone(),
        ..Configuration::default()
    }
}

impl From<SessionDescription> for Description {
    fn from(description: SessionDescription) -> Self {
        Self { kind: description.kind.to_string(), sdp: description.sdp }
    }
}

impl From<Candidate> for twocan::IceCandidateInit {
    fn from(candidate: Candidate) -> Self {
        let Candidate { candidate, sdp_mid, sdp_m_line_index, username_fragment } = candidate;
        Self { candidate, sdp_mid, sdp_m_line_index, username_fragment }
    }
}

impl From<twocan::IceCandidateInit> for Candidate {
    fn from(candidate: twocan::IceCandidateInit) -> Self {
        let twocan::IceCandidateInit { candidate, sdp_mid, sdp_m_line_index, username_fragment } = candidate;
        Self { candidate, sdp_mid, sdp_m_line_index, username_fragment }
    }
}
