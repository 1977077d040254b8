//! Sound and pictures between browsers and our own peer connection, which sends back what it gets.

use serde_json::json;
use twocan_interop::Browser::{Chromium, Firefox};
use twocan_interop::{Browser, Scene, begin_alone};

use super::{Call, INTERNET, scene};

/// The page's end of media: a camera and a microphone, and what comes back of them.
const MEDIA: &str = "(async () => {
    document.body.innerHTML = '<video id=echo autoplay muted playsinline></video><audio id=sound autoplay></audio>';
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    peer.ontrack = ({ track }) => {
        document.querySelector(track.kind === 'video' ? '#echo' : '#sound').srcObject = new MediaStream([track]);
    };
    for (const track of stream.getTracks()) {
        const sender = peer.addTrack(track, stream);
        const one = peer.getTransceivers().find((one) => one.sender === sender);
        if (track.kind === 'video') {
            const all = RTCRtpReceiver.getCapabilities('video').codecs;
            const wanted = all.filter(({ mimeType }) => mimeType === 'video/CODEC');
            one.setCodecPreferences([...wanted, ...all.filter(({ mimeType }) => mimeType === 'video/rtx')]);
        }
    }
    return describe(true);
})()";

/// The statistics of a kind, of pictures.
const STATS: &str = "(async () => [...(await peer.getStats()).values()]
    .filter(({ type, kind }) => type === 'KIND' && kind === 'video')[0] ?? null)()";

fn echoed(scene: &mut Scene, browser: Browser, codec: &str) -> Call {
    let mut call = Call::told(scene, ("ada", browser), INTERNET, true, json!({ "echo": true }));
    call.page.eval(&MEDIA.replace("CODEC", codec));
    call.signal_until("pictures come back", |call| call.page.eval("lab.seen('#echo').frames > 20") == true);
    call
}

#[test]
fn browsers_see_and_hear_themselves_through_us() {
    let Some(_turn) = begin_alone("sound and pictures through our peer connection", &[Chromium, Firefox])
    else {
        return;
    };
    let mut scene = scene("rust-peer-media");
    for (browser, codec) in
        [(Chromium, "VP8"), (Chromium, "VP9"), (Chromium, "H264"), (Chromium, "AV1"), (Firefox, "VP8")]
    {
        println!("{browser}, {codec}");
        let call = echoed(&mut scene, browser, codec);
        assert_eq!(call.page.eval("lab.seen('#echo').source"), call.page.source());
        call.page.wait("lab.heard().then((levels) => Math.max(...levels) > 0.01)");
        // Our reports tell the browser how long the way is.
        let remote = STATS.replace("KIND", "remote-inbound-rtp");
        call.page.wait(&format!("{remote}.then((stats) => stats?.roundTripTime !== undefined)"));
        let inbound = call.page.eval(&STATS.replace("KIND", "inbound-rtp"));
        assert!(inbound["framesDecoded"].as_u64() > Some(20), "{inbound}");
        scene.clear();
    }
}
