//! Live streams through the server: in by WHIP, out by WHEP.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use natlab::{Lab, Nat};
use serde_json::json;
use twocan_interop::Browser::{self, Chromium, Firefox};
use twocan_interop::{DEADLINE, NAME, Page, Scene, begin, begin_alone};

/// Streams the page's camera and microphone into a room; the status of the answer.
pub(crate) const PUBLISH: &str = "(async () => {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    globalThis.peer = new RTCPeerConnection();
    for (const track of stream.getTracks()) {
        const one = peer.addTransceiver(track, { direction: 'sendonly', streams: [stream] });
        if (track.kind === 'video') {
            const all = RTCRtpReceiver.getCapabilities('video').codecs;
            const wanted = all.filter(({ mimeType }) => mimeType === 'video/CODEC');
            one.setCodecPreferences([...wanted, ...all.filter(({ mimeType }) => mimeType === 'video/rtx')]);
        }
    }
    return exchange('/whip/ROOM');
})()";

/// Watches a room; the status of the answer.
const WATCH: &str = "(async () => {
    document.body.innerHTML = '<video id=show autoplay muted playsinline></video><audio id=sound autoplay></audio>';
    globalThis.peer = new RTCPeerConnection();
    peer.ontrack = ({ track }) => {
        document.querySelector(track.kind === 'video' ? '#show' : '#sound').srcObject = new MediaStream([track]);
    };
    for (const kind of ['audio', 'video']) peer.addTransceiver(kind, { direction: 'recvonly' });
    return exchange('/whep/ROOM');
})()";

const EXCHANGE: &str = "globalThis.exchange = async (url) => {
    await peer.setLocalDescription();
    const headers = { 'content-type': 'application/sdp' };
    const response = await fetch(url, { method: 'POST', headers, body: peer.localDescription.sdp });
    const body = await response.text();
    if (response.status !== 201) return response.status;
    globalThis.session = response.headers.get('location');
    await peer.setRemoteDescription({ type: 'answer', sdp: body });
    return response.status;
}";

pub(crate) fn open(scene: &mut Scene, client: &str, browser: Browser) -> Page {
    let page = scene.page(client, browser);
    page.goto(&format!("https://{NAME}/check"));
    page.eval(EXCHANGE);
    page
}

pub(crate) fn watch(scene: &mut Scene, client: &str, browser: Browser) -> Page {
    watch_room(scene, client, browser, "show")
}

pub(crate) fn watch_room(scene: &mut Scene, client: &str, browser: Browser, room: &str) -> Page {
    let page = open(scene, client, browser);
    assert_eq!(page.eval(&WATCH.replace("ROOM", room)), 201);
    page
}

fn sees(page: &Page, publisher: &Page) {
    page.wait("lab.seen('#show').frames > 20");
    assert_eq!(page.eval("lab.seen('#show').source"), publisher.source());
    page.wait("lab.heard().then((levels) => Math.max(...levels) > 0.01)");
}

#[test]
fn one_streams_and_others_watch_through_the_server() {
    let Some(_turn) = begin("streams through the server", &[Chromium, Firefox]) else { return };
    let lab = Lab::new().client("studio", Nat::PortRestricted).client("home", Nat::Symmetric);
    let mut scene = Scene::new("streams", lab);
    let early = open(&mut scene, "home", Chromium);
    assert_eq!(early.eval(&WATCH.replace("ROOM", "show")), 404, "nobody streams yet");
    for (publisher, codec, viewer) in
        [(Chromium, "VP8", Firefox), (Chromium, "H264", Chromium), (Firefox, "VP8", Chromium)]
    {
        println!("{publisher}, {codec}, {viewer}");
        let studio = open(&mut scene, "studio", publisher);
        assert_eq!(studio.eval(&PUBLISH.replace("CODEC", codec).replace("ROOM", "show")), 201);
        studio.wait("peer.connectionState === 'connected'");
        let home = watch(&mut scene, "home", viewer);
        sees(&home, &studio);
        // Whoever ends it ends it for the server, too.
        assert_eq!(studio.eval("fetch(session, { method: 'DELETE' }).then(({ status }) => status)"), 200);
        studio.wait("['closed', 'failed', 'disconnected'].includes(peer.connectionState)");
        assert_eq!(studio.eval("fetch(session, { method: 'DELETE' }).then(({ status }) => status)"), 404);
        scene.clear();
    }
}

/// How the page's media come and go: the transport of the pair that is in use.
const TRANSPORT: &str = "peer.getStats().then((stats) => {
    const all = [...stats.values()];
    const used = all.find(({ type, selectedCandidatePairId }) => type === 'transport' && selectedCandidatePairId);
    const pair = stats.get(used?.selectedCandidatePairId)
        ?? all.find(({ type, selected }) => type === 'candidate-pair' && selected);
    const { protocol, candidateType } = stats.get(pair?.remoteCandidateId) ?? {};
    return `${candidateType} ${protocol}`;
})";

#[test]
fn whoever_has_nothing_but_https_watches_over_tcp() {
    let Some(_turn) = begin("streams over TCP", &[Chromium]) else { return };
    let lab = Lab::new().client("studio", Nat::PortRestricted.udp_blocked());
    let lab = lab.client("home", Nat::PortRestricted.only_tcp_443());
    let mut scene = Scene::new("streams-tcp", lab);
    let studio = open(&mut scene, "studio", Chromium);
    assert_eq!(studio.eval(&PUBLISH.replace("CODEC", "VP8").replace("ROOM", "show")), 201);
    studio.wait("peer.connectionState === 'connected'");
    let home = watch(&mut scene, "home", Chromium);
    // No relay was named: there is no other way.
    sees(&home, &studio);
    for page in [&studio, &home] {
        assert_eq!(page.eval(TRANSPORT), "host tcp");
    }
}

/// GStreamer, until it is dropped: it ends when nobody holds its standard input.
struct Gstreamer(Child);

impl Gstreamer {
    fn publish(scene: &Scene, client: &str, codec: &str) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/driver/gstreamer.py");
        let mut command = scene.lab().command(client, PYTHON);
        command.args([script, codec, &format!("https://{NAME}/whip/{codec}")]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("Python starts");
        let said = child.stdout.take().expect("a pipe");
        let this = Self(child);
        let (told, lines) = mpsc::channel();
        std::thread::spawn(move || {
            let lines = BufReader::new(said).lines().map_while(Result::ok);
            // Nobody listens any more once it is connected.
            lines.for_each(|line| drop(told.send(line)));
        });
        let mut said = Vec::new();
        while said.last().is_none_or(|line| line != "connected") {
            said.push(lines.recv_timeout(DEADLINE).unwrap_or_else(|_| panic!("GStreamer said {said:?}")));
        }
        this
    }
}

impl Drop for Gstreamer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The system's own, which has the system's packages.
const PYTHON: &str = "/usr/bin/python3";

/// Why GStreamer cannot be driven here.
fn gstreamer_missing() -> Option<&'static str> {
    let check = "import gi; gi.require_version('GstWebRTC', '1.0'); from gi.repository import Gst; Gst.init(None); \
                 assert all(map(Gst.ElementFactory.find, ['webrtcbin', 'nicesink', 'vp8enc', 'openh264enc']))";
    let found = Command::new(PYTHON).args(["-c", check]).stderr(Stdio::null()).status();
    let help = "GStreamer is missing: apt-get install python3-gst-1.0 gir1.2-gst-plugins-bad-1.0 gstreamer1.0-nice \
                gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad";
    (!found.is_ok_and(|status| status.success())).then_some(help)
}

/// Its certificates are of RSA, and it checks its peer before it has an answer.
#[test]
fn gstreamer_streams_in() {
    let what = "GStreamer streams through the server";
    let Some(_turn) = begin(what, &[Chromium]) else { return };
    if let Some(why) = gstreamer_missing() {
        return twocan_interop::note_skipped(what, why);
    }
    let lab = Lab::new().client("studio", Nat::PortRestricted).client("home", Nat::None);
    let mut scene = Scene::new("streams-gstreamer", lab);
    for codec in ["vp8", "h264"] {
        let _gstreamer = Gstreamer::publish(&scene, "studio", codec);
        let home = open(&mut scene, "home", Chromium);
        assert_eq!(home.eval(&WATCH.replace("ROOM", codec)), 201);
        home.wait("document.querySelector('#show').getVideoPlaybackQuality().totalVideoFrames > 20");
        home.wait("lab.heard().then((levels) => Math.max(...levels) > 0.01)");
        // Whoever opens the room's page sees it, too.
        let page = scene.visit("home", Chromium, &format!("/live/{codec}?name=bob&join=1"));
        page.wait(
            "document.querySelector('[data-testid=tile] video')?.getVideoPlaybackQuality().totalVideoFrames > 20",
        );
        page.close();
    }
}

#[test]
fn a_session_survives_a_restart_of_ice() {
    let Some(_turn) = begin("a stream whose ICE restarts", &[Chromium]) else { return };
    let lab = Lab::new().client("studio", Nat::PortRestricted).client("home", Nat::None);
    let mut scene = Scene::new("streams-restart", lab);
    let studio = open(&mut scene, "studio", Chromium);
    assert_eq!(studio.eval(&PUBLISH.replace("CODEC", "VP8").replace("ROOM", "show")), 201);
    let home = watch(&mut scene, "home", Chromium);
    sees(&home, &studio);
    let restart = "(async () => {
        const offer = await peer.createOffer({ iceRestart: true });
        await peer.setLocalDescription(offer);
        const [, ufrag] = /a=ice-ufrag:(\\S+)/.exec(offer.sdp);
        const [, password] = /a=ice-pwd:(\\S+)/.exec(offer.sdp);
        const headers = { 'content-type': 'application/trickle-ice-sdpfrag', 'if-match': '*' };
        const body = `a=ice-ufrag:${ufrag}\\r\\na=ice-pwd:${password}\\r\\n`;
        const response = await fetch(session, { method: 'PATCH', headers, body });
        const text = await response.text();
        const said = (name) => new RegExp(`a=${name}:(\\\\S+)`).exec(text)[1];
        const sdp = peer.remoteDescription.sdp
            .replace(/a=ice-ufrag:\\S+/g, `a=ice-ufrag:${said('ice-ufrag')}`)
            .replace(/a=ice-pwd:\\S+/g, `a=ice-pwd:${said('ice-pwd')}`);
        await peer.setRemoteDescription({ type: 'answer', sdp });
        return response.status;
    })()";
    let pair = "(async () => { const all = await peer.getStats();
        const transport = [...all.values()].find(({ type }) => type === 'transport');
        return transport.iceLocalUsernameFragment; })()";
    let before = studio.eval(pair);
    assert_eq!(studio.eval(restart), json!(200));
    studio.wait(&format!("{pair}.then((now) => now !== {before})"));
    studio.wait("['connected', 'completed'].includes(peer.iceConnectionState)");
    home.eval("lab.reset()");
    home.wait("lab.seen('#show').frames > 20");
}

/// Streams a large picture in three sizes, with a strip of noise in it, so that each takes what it may.
const SIMULCAST: &str = "(async () => {
    const camera = document.createElement('video');
    camera.srcObject = await navigator.mediaDevices.getUserMedia({ video: true });
    camera.muted = true;
    await camera.play();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [960, 540];
    const context = canvas.getContext('2d');
    const noise = context.createImageData(960, 24);
    setInterval(() => {
        context.drawImage(camera, 0, 0, 960, 540);
        for (let at = 0; at < noise.data.length; at += 1) noise.data[at] = at % 4 === 3 ? 255 : Math.random() * 255;
        context.putImageData(noise, 0, 516);
    }, 50);
    const [track] = canvas.captureStream(20).getVideoTracks();
    globalThis.peer = new RTCPeerConnection();
    const sendEncodings = [
        { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 120_000 },
        { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 400_000 },
        { rid: 'f', maxBitrate: 1_500_000 },
    ];
    peer.addTransceiver(track, { direction: 'sendonly', sendEncodings });
    return exchange('/whip/show');
})()";

#[test]
fn each_viewer_gets_the_size_that_its_way_bears() {
    let Some(_turn) = begin_alone("simulcast through the server", &[Chromium]) else { return };
    let lab = Lab::new()
        .client("studio", Nat::None)
        .client("home", Nat::None)
        .client("far", Nat::PortRestricted.kilobits_per_second(600));
    let mut scene = Scene::new("streams-simulcast", lab);
    let studio = open(&mut scene, "studio", Chromium);
    assert_eq!(studio.eval(SIMULCAST), 201);
    // Half of the largest one's pictures would take more than the narrow way has, too.
    studio.wait(
        "peer.getStats().then((all) => [...all.values()].some(({ rid, targetBitrate }) =>
            rid === 'f' && targetBitrate > 1_400_000))",
    );
    let home = watch(&mut scene, "home", Chromium);
    let far = watch(&mut scene, "far", Chromium);
    let width = "document.querySelector('#show')?.videoWidth";
    home.wait(&format!("{width} === 960"));
    far.wait("lab.seen('#show').frames > 10");
    // It goes on there, in a size that fits: four tenths of the way are the middle one's.
    far.eval("lab.reset()");
    far.wait("lab.seen('#show').frames > 60");
    let got = far.eval(width);
    assert!(got == 240 || got == 480, "{got} wide over 600 kbit/s");
    // Nor does it try the largest one again and again, though the way lets 16 KB pass at any rate.
    far.eval(&format!(
        "(globalThis.widest = 0, setInterval(() => {{ widest = Math.max(widest, {width}); }}, 50))"
    ));
    far.wait("lab.seen('#show').frames > 150");
    let widest = far.eval("widest");
    assert!(widest == 240 || widest == 480, "{widest} wide over 600 kbit/s");
    assert_eq!(home.eval(width), 960);
    home.eval("lab.reset()");
    home.wait("lab.seen('#show').frames > 40");
}
