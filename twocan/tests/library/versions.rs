//! Which version of DTLS is spoken.

use std::ops::RangeInclusive;

use twocan::DtlsVersion::{Dtls12, Dtls13};
use twocan::stats::{Stats, TransportStats};
use twocan::{Configuration, DataChannelOptions, DtlsVersion, Error, PeerConnection, PeerEvent};

use crate::pair::Pair;
use crate::within;

async fn end(versions: RangeInclusive<DtlsVersion>) -> Result<PeerConnection, Error> {
    let configuration =
        Configuration { include_loopback: true, dtls_versions: versions, ..Configuration::default() };
    PeerConnection::new(configuration).await
}

async fn version(peer: &PeerConnection) -> Option<&'static str> {
    let report = peer.get_stats().await.expect("open");
    match report.get(TransportStats::ID) {
        Some(Stats::Transport(transport)) => transport.tls_version,
        _ => None,
    }
}

#[tokio::test]
async fn the_newest_version_that_both_speak_is_used() {
    within(async {
        for (ada, bob, spoken) in [
            (Dtls12..=Dtls13, Dtls12..=Dtls13, "FEFC"),
            (Dtls12..=Dtls13, Dtls12..=Dtls12, "FEFD"),
            (Dtls12..=Dtls12, Dtls12..=Dtls13, "FEFD"),
            (Dtls13..=Dtls13, Dtls12..=Dtls13, "FEFC"),
            (Dtls12..=Dtls13, Dtls13..=Dtls13, "FEFC"),
        ] {
            let (ada, bob) = (end(ada).await.expect("sockets"), end(bob).await.expect("sockets"));
            let pair = Pair::between(ada, bob, DataChannelOptions::default(), |_| true).await;
            assert_eq!([version(&pair.ada).await, version(&pair.bob).await], [Some(spoken); 2]);
        }
    })
    .await;
}

#[tokio::test]
async fn ends_without_a_version_in_common_fail_and_say_so() {
    within(async {
        for (older, newer) in [(Dtls12, Dtls13), (Dtls13, Dtls12)] {
            let mut ada = end(older..=older).await.expect("sockets");
            let mut bob = end(newer..=newer).await.expect("sockets");
            let _channel =
                ada.create_data_channel("", DataChannelOptions::default()).await.expect("a channel");
            let offer = ada.set_local_description(None).await.expect("an offer");
            bob.set_remote_description(offer).await.expect("taken");
            let answer = bob.set_local_description(None).await.expect("an answer");
            ada.set_remote_description(answer).await.expect("taken");
            let mut failed = [false, false];
            while failed != [true, true] {
                let (from, event) = tokio::select! {
                    Some(event) = ada.next_event() => (0, event),
                    Some(event) = bob.next_event() => (1, event),
                };
                match event {
                    // Whoever has failed takes none any more.
                    PeerEvent::IceCandidate(candidate) => {
                        let _ = [&bob, &ada][from].add_ice_candidate(candidate).await;
                    }
                    PeerEvent::Failed(_) => failed[from] = true,
                    _ => {}
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn no_version_is_an_error_that_says_what_to_do() {
    let error = end(Dtls13..=Dtls12).await.expect_err("none is left").to_string();
    assert_eq!(error, "no version of DTLS is left: have `dtls_versions` begin with the lesser one");
}
