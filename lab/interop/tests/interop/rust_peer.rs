//! Calls between real browsers and our own peer connection, through a NAT: offered, restarted and closed by either.

use natlab::{INTERNET, Lab, Nat};
use serde_json::{Value, json};
use twocan_interop::Browser::{Chromium, Firefox};
use twocan_interop::{Browser, Page, Scene, begin, begin_alone};

mod ahead;
mod media;
mod names;
mod nats;
mod network;
mod peer;
mod versions;

use peer::Peer;

/// Chromium's `max-message-size`, which it also keeps to as a sender.
const CHROMIUM_MOST: usize = 262_144;
/// Firefox has no limit of its own.
const SEVERAL_MEGABYTES: usize = 6_000_000;

/// The page's end: what it makes, hears and is told lies in `globalThis`.
const PAGE: &str = "(async () => {
    globalThis.peer = new RTCPeerConnection({ iceServers: SERVERS });
    globalThis.said = [];
    globalThis.heard = [];
    globalThis.ended = [];
    globalThis.pattern = (length) => {
        const bytes = new Uint8Array(length);
        for (let byte = 0; byte < length; byte += 1) bytes[byte] = (byte * 31) >> 3;
        return bytes;
    };
    globalThis.adopt = (made) => {
        globalThis.channel = made;
        channel.binaryType = 'arraybuffer';
        channel.onclose = () => ended.push('channel');
        channel.onmessage = ({ data }) => {
            if (typeof data === 'string') return heard.push(data);
            const bytes = new Uint8Array(data);
            const wanted = pattern(bytes.length);
            heard.push(bytes.every((byte, index) => byte === wanted[index]) ? bytes.length : 'damaged');
        };
    };
    peer.ondatachannel = ({ channel }) => adopt(channel);
    peer.onicecandidate = ({ candidate }) => said.push({ candidate: candidate?.toJSON() ?? null });
    globalThis.describe = async (trickle, options) => {
        await peer.setLocalDescription(options ? await peer.createOffer(options) : undefined);
        if (!trickle) {
            while (peer.iceGatheringState !== 'complete') await new Promise((go) => setTimeout(go, 10));
            said.length = 0;
        }
        said.unshift({ description: peer.localDescription.toJSON() });
    };
    return true;
})()";

/// A page and our peer, in a call.
struct Call {
    page: Page,
    ours: Peer,
    trickle: bool,
    /// The page's candidates are lost on the way, or ours.
    loses: [bool; 2],
}

impl Call {
    fn begin(scene: &mut Scene, browser: Browser, trickle: bool) -> Self {
        Self::between(scene, ("ada", browser), INTERNET, &json!([]), trickle)
    }

    fn between(scene: &mut Scene, who: (&str, Browser), ours: &str, servers: &Value, trickle: bool) -> Self {
        Self::told(scene, who, ours, trickle, json!({ "servers": servers }))
    }

    /// Our peer is told all of `begin`.
    fn told(
        scene: &mut Scene,
        (client, browser): (&str, Browser),
        ours: &str,
        trickle: bool,
        mut begin: Value,
    ) -> Self {
        let none = json!([]);
        let servers = begin.get("servers").unwrap_or(&none);
        let page = scene.page(client, browser);
        page.goto_own("<title>peer</title>");
        page.eval(&PAGE.replace("SERVERS", &servers.to_string()));
        let mut ours = Peer::trusting(scene.lab(), ours, &scene.authority());
        begin["trickle"] = trickle.into();
        ours.tell(&json!({ "begin": begin }));
        Self { page, ours, trickle, loses: [false; 2] }
    }

    /// Carries descriptions and candidates until `is_so`.
    #[track_caller]
    fn signal_until(&mut self, what: &str, mut is_so: impl FnMut(&mut Self) -> bool) {
        let end = std::time::Instant::now() + twocan_interop::DEADLINE;
        while !is_so(self) {
            assert!(
                std::time::Instant::now() < end,
                "it never comes about that {what}: {:#?}",
                self.ours.log()
            );
            for line in self.page.eval("said.splice(0)").as_array().into_iter().flatten() {
                if !(self.loses[0] && line["candidate"].is_object()) {
                    self.ours.tell(line);
                }
            }
            while let Some(line) = self.ours.signal() {
                if !(self.loses[1] && line["candidate"].is_object()) {
                    self.give(&line);
                }
            }
        }
    }

    fn give(&self, line: &Value) {
        if let Some(description) = line.get("description") {
            let trickle = self.trickle;
            let answer = if description["type"] == "offer" {
                format!("await describe({trickle});")
            } else {
                String::new()
            };
            self.page.eval(&format!(
                "(async () => {{ await peer.setRemoteDescription({description}); {answer} }})()"
            ));
        } else {
            // Firefox wants no `null` for a section, Chromium none for the end.
            let candidate = &line["candidate"];
            let given = if candidate.is_null() { String::new() } else { candidate.to_string() };
            self.page.eval(&format!("peer.addIceCandidate({given})"));
        }
    }

    #[track_caller]
    fn connect(&mut self, they_offer: bool) {
        if they_offer {
            let trickle = self.trickle;
            self.page.eval(&format!("(adopt(peer.createDataChannel('chat')), describe({trickle}))"));
        } else {
            self.ours.tell(&json!({ "offer": "chat" }));
        }
        self.signal_until("both are open", |call| {
            call.ours.has("open") && call.page.eval("globalThis.channel?.readyState === 'open'") == true
        });
    }

    /// Our transport's statistics.
    #[track_caller]
    fn stats(&mut self) -> Value {
        self.ours.tell(&json!({ "stats": true }));
        self.ours.expect("stats")
    }

    /// Text and bytes both ways.
    #[track_caller]
    fn talk(&mut self, longest: usize) {
        self.page
            .eval(&format!("(channel.send('hello'), channel.send(pattern({longest})), heard.length = 0)"));
        assert_eq!(self.ours.expect("text"), "hello");
        assert_eq!(self.ours.expect_line("bytes"), json!({ "bytes": longest, "good": true }));
        self.ours.tell(&json!({ "text": "hello" }));
        self.ours.tell(&json!({ "bytes": longest }));
        self.page.wait("heard.length === 2");
        assert_eq!(self.page.eval("heard.splice(0)"), json!(["hello", longest]));
    }
}

fn longest(browser: Browser) -> usize {
    match browser {
        Firefox => SEVERAL_MEGABYTES,
        _ => CHROMIUM_MOST,
    }
}

fn scene(name: &str) -> Scene {
    Scene::without_server(name, Lab::new().client("ada", Nat::PortRestricted))
}

#[test]
fn browsers_and_we_call_each_other() {
    let Some(_turn) = begin("our peer connection and browsers", &[Chromium, Firefox]) else { return };
    let mut scene = scene("rust-peer");
    for browser in [Chromium, Firefox] {
        for (they_offer, trickle) in [(true, true), (false, true), (true, false), (false, false)] {
            println!("{browser}, they offer: {they_offer}, trickle: {trickle}");
            let mut call = Call::begin(&mut scene, browser, trickle);
            call.connect(they_offer);
            call.talk(longest(browser));
            // Each closes: the channel, then the connection.
            if trickle {
                call.page.eval("channel.close()");
                assert_eq!(call.ours.expect("closed"), "channel");
                call.page.eval("peer.close()");
                assert_eq!(call.ours.expect("closed"), "connection");
            } else {
                call.ours.tell(&json!({ "close": "channel" }));
                call.page.wait("ended.length === 1");
                call.ours.tell(&json!({ "close": "connection" }));
                call.page.wait(
                    "['closed', 'failed', 'disconnected'].includes(peer.connectionState) || \
                                peer.sctp.state === 'closed'",
                );
            }
            scene.clear();
        }
    }
}

#[test]
fn ice_restarts_from_either_side_and_offers_may_meet() {
    let Some(_turn) = begin("ICE restarts between our peer connection and browsers", &[Chromium, Firefox])
    else {
        return;
    };
    let mut scene = scene("rust-peer-restart");
    for browser in [Chromium, Firefox] {
        println!("{browser}");
        let mut call = Call::begin(&mut scene, browser, true);
        call.connect(true);
        let fragment = "/a=ice-ufrag:(\\S+)/.exec(peer.localDescription.sdp)[1] + \
                        /a=ice-ufrag:(\\S+)/.exec(peer.remoteDescription.sdp)[1]";
        let stable = "peer.signalingState === 'stable'";
        let mut known = call.page.eval(fragment);
        for step in ["they", "we", "both, and they insist", "both, and they yield"] {
            println!("  {step}");
            match step {
                "they" => drop(call.page.eval("describe(true, { iceRestart: true })")),
                "we" => call.ours.tell(&json!({ "restart": true })),
                "both, and they insist" => {
                    // Ours is lost on the way, whole: up to the end of its candidates.
                    call.ours.tell(&json!({ "restart": true }));
                    call.ours.drop_description();
                    call.page.eval("describe(true, { iceRestart: true })");
                }
                _ => {
                    // Theirs is.
                    call.page.eval("describe(false, { iceRestart: true }).then(() => said.length = 0)");
                    call.ours.tell(&json!({ "restart": true }));
                }
            }
            let page = call.page.clone();
            call.signal_until("there are new credentials", |_| {
                page.eval(stable) == true && {
                    let now = page.eval(fragment);
                    now != known
                }
            });
            known = call.page.eval(fragment);
            call.signal_until("the path is there again", |call| {
                call.page
                    .eval("said.length === 0 && ['connected', 'completed'].includes(peer.iceConnectionState)")
                    == true
            });
            call.talk(1000);
        }
        scene.clear();
    }
}

/// Eight megabytes from the browser, with a bound on what waits.
const FLOOD: &str = "(async () => {
    for (let count = 0; count < 128; count += 1) {
        while (channel.bufferedAmount > 1e6) await new Promise((go) => setTimeout(go, 1));
        channel.send(pattern(65536));
    }
    return true;
})()";

#[test]
fn what_browsers_flood_us_with_arrives_in_full() {
    let Some(_turn) = begin_alone("floods from browsers", &[Chromium, Firefox]) else { return };
    let mut scene = scene("rust-peer-flood");
    for browser in [Chromium, Firefox] {
        let mut call = Call::begin(&mut scene, browser, true);
        call.connect(true);
        call.page.eval(FLOOD);
        for _ in 0..128 {
            assert_eq!(call.ours.expect_line("bytes"), json!({ "bytes": 65_536, "good": true }));
        }
        scene.clear();
    }
}
