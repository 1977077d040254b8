//! What saves round trips and no browser does by itself yet: SCTP's INIT in descriptions (SNAP,
//! draft-hancke-tsvwg-snap) and the handshake of DTLS in checks (SPED, draft-hancke-webrtc-sped), with the one other
//! stack that can do both.

use serde_json::json;
use twocan_interop::Browser::{Chromium, ChromiumAhead};
use twocan_interop::begin;

use super::{CHROMIUM_MOST, Call, scene};

/// Whether the page's own description and ours say SCTP's INIT.
const SAY_INIT: &str =
    "[peer.localDescription, peer.remoteDescription].map(({ sdp }) => /^a=sctp-init:/m.test(sdp))";

#[test]
fn chromium_and_we_save_round_trips_where_both_can() {
    let Some(_turn) = begin("SNAP and DTLS in STUN with Chromium", &[ChromiumAhead]) else { return };
    let mut scene = scene("rust-peer-ahead");
    for (browser, they_can) in [(ChromiumAhead, true), (Chromium, false)] {
        for they_offer in [true, false] {
            println!("{browser}, they offer: {they_offer}");
            let mut call = Call::begin(&mut scene, browser, true);
            call.connect(they_offer);
            call.talk(CHROMIUM_MOST);
            // Who answers an offer without it does not say it either.
            assert_eq!(call.page.eval(SAY_INIT), json!([they_can, they_can || !they_offer]));
            let stats = call.stats();
            println!("  in STUN: {}, INITs: {}", stats["dtlsInStun"], stats["sctpInits"]);
            // What Chromium has of ours it may also show by going on, plainly: it need not say so.
            let received = stats["dtlsInStun"][0].as_u64();
            assert_eq!(
                received > Some(0),
                they_can,
                "datagrams of the handshake in checks and answers: {stats}"
            );
            assert_eq!(stats["sctpInits"] == 0, they_can, "{stats}");
            scene.clear();
        }
    }
}
