//! Two peer connections on this machine with a data channel between them.

use twocan::{Configuration, DataChannel, DataChannelOptions, PeerConnection, PeerEvent};

pub(crate) struct Pair {
    pub(crate) ours: DataChannel,
    pub(crate) theirs: DataChannel,
    pub(crate) ada: PeerConnection,
    pub(crate) bob: PeerConnection,
}

impl Pair {
    pub(crate) async fn new(configuration: Configuration) -> Self {
        Self::with(configuration, DataChannelOptions::default()).await
    }

    pub(crate) async fn with(configuration: Configuration, options: DataChannelOptions) -> Self {
        let configuration = Configuration { include_loopback: true, ..configuration };
        let ada = PeerConnection::new(configuration.clone()).await.expect("sockets");
        let bob = PeerConnection::new(configuration).await.expect("sockets");
        Self::between(ada, bob, options, |_| true).await
    }

    /// Only candidates that are wanted are told.
    pub(crate) async fn between(
        mut ada: PeerConnection,
        mut bob: PeerConnection,
        options: DataChannelOptions,
        wants: impl Fn(&str) -> bool,
    ) -> Self {
        let wants = |candidate: &Option<twocan::IceCandidateInit>| {
            candidate.as_ref().is_none_or(|candidate| wants(&candidate.candidate))
        };
        let ours = ada.create_data_channel("pair", options).await.expect("a channel");
        let offer = ada.set_local_description(None).await.expect("an offer");
        bob.set_remote_description(offer).await.expect("taken");
        let answer = bob.set_local_description(None).await.expect("an answer");
        ada.set_remote_description(answer).await.expect("taken");
        let theirs = loop {
            tokio::select! {
                Some(event) = ada.next_event() => match event {
                    PeerEvent::IceCandidate(candidate) if wants(&candidate) => {
                        bob.add_ice_candidate(candidate).await.expect("taken");
                    }
                    _ => {}
                },
                Some(event) = bob.next_event() => match event {
                    PeerEvent::IceCandidate(candidate) if wants(&candidate) => {
                        ada.add_ice_candidate(candidate).await.expect("taken");
                    }
                    PeerEvent::DataChannel(channel) => break channel,
                    _ => {}
                },
            }
        };
        ours.ready().await.expect("open");
        Self { ours, theirs, ada, bob }
    }
}
