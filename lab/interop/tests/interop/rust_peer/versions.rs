//! Either version of DTLS, in either role: whoever answers begins the handshake (RFC 8842 §5.3).

use natlab::INTERNET;
use serde_json::json;
use twocan_interop::Browser::{Chromium, Firefox};
use twocan_interop::begin;

use super::{Call, scene};

/// What Chromium says of its transport; Firefox does not.
const THEIRS: &str =
    "peer.getStats().then((report) => [...report.values()].find(({ type }) => type === 'transport'))";

#[test]
fn browsers_and_we_speak_either_version_of_dtls() {
    let Some(_turn) = begin("DTLS 1.2 and 1.3 with browsers", &[Chromium, Firefox]) else { return };
    let mut scene = scene("rust-peer-versions");
    for browser in [Chromium, Firefox] {
        for (version, code) in [("1.2", "FEFD"), ("1.3", "FEFC")] {
            for (they_offer, role, their_role) in [(true, "client", "server"), (false, "server", "client")] {
                println!("{browser}, DTLS {version}, they offer: {they_offer}");
                let begin = json!({ "only": version });
                let mut call = Call::told(&mut scene, ("ada", browser), INTERNET, true, begin);
                call.connect(they_offer);
                call.talk(50_000);
                let ours = call.stats();
                assert_eq!([&ours["tlsVersion"], &ours["dtlsRole"]], [code, role], "{ours}");
                if browser == Chromium {
                    let theirs = call.page.eval(THEIRS);
                    assert_eq!([&theirs["tlsVersion"], &theirs["dtlsRole"]], [code, their_role], "{theirs}");
                }
                scene.clear();
            }
        }
    }
}
