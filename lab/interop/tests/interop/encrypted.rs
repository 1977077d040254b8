//! Frames encrypted from end to end (RFC 9605) in a browser's transforms: each codec's pictures come through to whoever
//! has the passphrase, and to nobody else.

use natlab::{Lab, Nat};
use serde_json::json;
use twocan_interop::Browser::{Chromium, Firefox};
use twocan_interop::{Page, Scene, begin};

/// Two connections of one page, each with a worker of its own: `loop(codec, ours, theirs)`.
const LOOP: &str = "void (window.loop = async (codec, ours, theirs) => {
    const { keyFromPassphrase } = await import('/js/sframe.js');
    const makeWorker = async (passphrase) => {
        const worker = new Worker('/js/sframe/worker.js', { type: 'module' });
        const answer = new Promise((resolve) => { worker.onmessage = resolve; });
        worker.postMessage({ action: 'share', baseKey: await keyFromPassphrase(passphrase, 'kitchen') });
        await answer;
        return worker;
    };
    const workers = [await makeWorker(ours), await makeWorker(theirs)];
    const options = (track, direction) => ({ direction, codec: track.kind === 'video' ? codec : 'audio/opus' });
    const [from, to] = [new RTCPeerConnection(), new RTCPeerConnection()];
    from.onicecandidate = ({ candidate }) => candidate && to.addIceCandidate(candidate);
    to.onicecandidate = ({ candidate }) => candidate && from.addIceCandidate(candidate);
    const video = document.createElement('video');
    Object.assign(video, { autoplay: true, muted: true, srcObject: new MediaStream() });
    document.body.append(video);
    to.ontrack = ({ receiver, track }) => {
        receiver.transform = new RTCRtpScriptTransform(workers[1], options(track, 'receive'));
        video.srcObject.addTrack(track);
    };
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    for (const track of stream.getTracks()) {
        const made = from.addTransceiver(track, { direction: 'sendonly' });
        made.sender.transform = new RTCRtpScriptTransform(workers[0], options(track, 'send'));
        const codecs = RTCRtpSender.getCapabilities(track.kind).codecs;
        if (track.kind === 'video') made.setCodecPreferences(codecs.filter(({ mimeType }) => mimeType === codec));
    }
    await from.setLocalDescription();
    await to.setRemoteDescription(from.localDescription);
    await to.setLocalDescription();
    await from.setRemoteDescription(to.localDescription);
    const count = (worker) => new Promise((resolve) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.postMessage({ action: 'count' });
    });
    window.counted = async () => {
        const reports = [...(await to.getStats()).values()].filter(({ type }) => type === 'inbound-rtp');
        const decoded = reports.find(({ kind }) => kind === 'video')?.framesDecoded ?? 0;
        return { decoded, sender: await count(workers[0]), receiver: await count(workers[1]) };
    };
    window.unloop = () => {
        for (const end of [from, to]) end.close();
        for (const worker of workers) worker.terminate();
        for (const track of stream.getTracks()) track.stop();
        video.remove();
    };
})";

#[test]
fn frames_open_with_their_passphrase_only() {
    let Some(_turn) = begin("frames encrypted from end to end", &[Chromium, Firefox]) else { return };
    let lab = Lab::new().client("ada", Nat::None).client("bob", Nat::None);
    let mut scene = Scene::new("encrypted", lab);
    for (client, browser, codecs) in [
        ("ada", Chromium, &["video/VP8", "video/VP9", "video/H264"][..]),
        ("bob", Firefox, &["video/VP8", "video/VP9"]),
    ] {
        let page = scene.visit(client, browser, "/check");
        page.eval(LOOP);
        for codec in codecs {
            call(&page, codec, "two cans", "two cans");
            page.wait("counted().then(({ decoded }) => decoded > 30)");
            page.eval("unloop()");
        }
        call(&page, "video/VP8", "two cans", "a string");
        page.wait("counted().then(({ receiver }) => receiver.dropped.forged > 50)");
        let counted = page.eval("counted()");
        assert_eq!((&counted["decoded"], &counted["receiver"]["received"]), (&json!(0), &json!(0)));
        page.eval("unloop()");
        // What would have to be sent in the clear is not sent.
        if page.eval(
            "RTCRtpSender.getCapabilities('video').codecs.some(({ mimeType }) => mimeType === 'video/AV1')",
        ) == true
        {
            call(&page, "video/AV1", "two cans", "two cans");
            page.wait("counted().then(({ sender }) => sender.dropped['not-encrypted'] > 10)");
            assert_eq!(page.eval("counted()")["decoded"], 0);
            page.eval("unloop()");
        }
    }
}

fn call(page: &Page, codec: &str, ours: &str, theirs: &str) {
    page.eval(&format!("loop({}, {}, {})", json!(codec), json!(ours), json!(theirs)));
}
