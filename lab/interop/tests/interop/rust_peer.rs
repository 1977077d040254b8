//! Data channels between real browsers and our own peer connection, through a NAT.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use natlab::{INTERNET, Lab, Nat, Running};
use twocan_interop::Browser::{Chromium, Firefox};
use twocan_interop::{Scene, begin};

/// The example `echo` of the crate `twocan`, in the lab's internet.
struct Echo {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Echo {
    fn start(lab: &Running) -> Self {
        let mut child = lab
            .command(INTERNET, program())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("echo starts");
        let input = child.stdin.take().expect("an input");
        let output = BufReader::new(child.stdout.take().expect("an output"));
        Self { child, input, output }
    }

    /// Its answer to a browser's offer, as JSON.
    fn answer(&mut self, offer: &str) -> String {
        writeln!(self.input, "{offer}").expect("it listens");
        let mut answer = String::new();
        self.output.read_line(&mut answer).expect("it answers");
        answer
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Beside this test's own folder: examples are built with the tests.
fn program() -> PathBuf {
    let own = std::env::current_exe().expect("this test has a path");
    let target = own.ancestors().nth(2).expect("TARGET/debug/deps/interop-HASH");
    let program = target.join("examples/echo");
    assert!(program.exists(), "{} is missing: cargo build --package twocan --examples", program.display());
    program
}

const OFFER: &str = "(async () => {
    globalThis.peer = new RTCPeerConnection();
    globalThis.heard = [];
    globalThis.channel = peer.createDataChannel('echo');
    channel.binaryType = 'arraybuffer';
    channel.onmessage = ({ data }) => heard.push(typeof data === 'string' ? data : data.byteLength);
    channel.onopen = () => {
        channel.send('hello');
        channel.send('');
        channel.send(new Uint8Array(200000));
    };
    await peer.setLocalDescription();
    while (peer.iceGatheringState !== 'complete') await new Promise((go) => setTimeout(go, 20));
    return JSON.stringify(peer.localDescription);
})()";

/// Eight megabytes there and back, with a bound on what waits.
const FLOOD: &str = "(async () => {
    heard.length = 0;
    for (let count = 0; count < 128; count += 1) {
        while (channel.bufferedAmount > 1e6) await new Promise((go) => setTimeout(go, 1));
        channel.send(new Uint8Array(65536));
    }
    return true;
})()";

#[test]
fn browsers_hear_the_echo_of_all_they_say() {
    let Some(_turn) = begin("our peer connection and browsers", &[Chromium, Firefox]) else { return };
    for (name, browser) in [("rust-peer-chromium", Chromium), ("rust-peer-firefox", Firefox)] {
        let mut scene = Scene::without_server(name, Lab::new().client("ada", Nat::PortRestricted));
        let page = scene.page("ada", browser);
        page.goto_own("<title>echo</title>");
        let offer = page.eval(OFFER);
        let mut echo = Echo::start(scene.lab());
        let answer = echo.answer(offer.as_str().expect("an offer"));
        page.eval(&format!("peer.setRemoteDescription({answer})"));
        page.wait("heard.length === 3");
        assert_eq!(page.eval("heard"), serde_json::json!(["hello", "", 200_000]));
        page.eval(FLOOD);
        page.wait("heard.length === 128 && heard.every((length) => length === 65536)");
        assert_eq!(page.eval("peer.connectionState"), "connected");
    }
}
