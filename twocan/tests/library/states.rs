//! What getters say once an answer or an event has come: states change before anybody is told.

use twocan::{MediaKind, SessionDescription, SignalingState, TransceiverInit};

use crate::media::connection;
use crate::within;

/// The driver is in another thread than who asks, which is when a getter could be late.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn states_are_as_told_at_once() {
    within(async {
        let ada = connection().await;
        ada.add_transceiver(MediaKind::Audio, TransceiverInit::default()).await.expect("made");
        for _ in 0..300 {
            ada.set_local_description(None).await.expect("an offer");
            assert_eq!(ada.signaling_state(), SignalingState::HaveLocalOffer);
            ada.set_local_description(Some(SessionDescription::rollback())).await.expect("taken back");
            assert_eq!(ada.signaling_state(), SignalingState::Stable);
        }
    })
    .await;
}
