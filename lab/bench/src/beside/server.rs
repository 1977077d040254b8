//! The servers: how each is built and started, and what it is asked over HTTP.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::process::Process;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Stack {
    Twocan,
    Pion,
    Livekit,
}

impl Stack {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Twocan => "twocan",
            Self::Pion => "Pion",
            Self::Livekit => "LiveKit",
        }
    }
}

/// A server that listens.
pub(super) struct Server {
    pub(super) process: Process,
    pub(super) stack: Stack,
    pub(super) address: SocketAddr,
    folder: PathBuf,
}

/// LiveKit's only user, and what it signs with.
const KEY: &str = "bench";
const SECRET: &str = "not a secret, as nobody else is there";

/// How long a server may take to listen.
const STARTING: Duration = Duration::from_secs(20);

/// Builds what is not ours: once, after which Go knows itself what is up to date.
pub(super) fn prepare(stack: Stack) -> Result<(), String> {
    let (folder, package) = match stack {
        Stack::Twocan => return Ok(()),
        Stack::Pion => ("pion", "."),
        Stack::Livekit => ("livekit", "github.com/livekit/livekit-server/cmd/server"),
    };
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rivals").join(folder);
    let mut build = Command::new("go");
    // No other toolchain than the one that is here.
    build
        .args(["build", "-o"])
        .arg(program(stack))
        .arg(package)
        .current_dir(source)
        .env("GOTOOLCHAIN", "local");
    let output = build.output().map_err(|why| format!("go: {why}: install Go, of https://go.dev"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("go build: {}", String::from_utf8_lossy(&output.stderr).trim())),
    }
}

/// Beside this program.
fn program(stack: Stack) -> PathBuf {
    let name = if stack == Stack::Pion { "pion-bench" } else { "livekit-server" };
    std::env::current_exe().unwrap_or_default().with_file_name(name)
}

impl Server {
    /// Of ours, so many voices of a room are forwarded at a time; 0: all.
    pub(super) fn start(stack: Stack, twocan: &Path, voices: u16) -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("twocan-bench-beside-{}", std::process::id()));
        let own = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<String>>();
        match stack {
            Stack::Livekit => Self::livekit(folder),
            Stack::Pion => Self::that_says(stack, &program(stack), &own(&["sfu"]), folder),
            Stack::Twocan => {
                let mut arguments =
                    own(&["serve", "--http", "127.0.0.1:0", "--https", "off", "--turns", "off"]);
                arguments.extend(own(&["--stun-turn", "off", "--log", "error", "--media-workers", "1"]));
                arguments.extend(["--media-voices".to_owned(), voices.to_string()]);
                arguments.extend(["--data-dir".to_owned(), folder.display().to_string()]);
                Self::that_says(stack, twocan, &arguments, folder)
            }
        }
    }

    /// One that says where it listens.
    fn that_says(stack: Stack, program: &Path, arguments: &[String], folder: PathBuf) -> io::Result<Self> {
        let (process, output) = Process::start_read(&program.display().to_string(), arguments)?;
        let address = BufReader::new(output).lines().find_map(|line| {
            let line = line.ok()?;
            let port = line.split("http://localhost:").nth(1)?.trim_end_matches('/').trim().parse().ok()?;
            Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        });
        let address = address.ok_or_else(|| io::Error::other("the server does not say where it is"))?;
        Ok(Self { process, stack, address, folder })
    }

    /// One that is told where to listen, and has all peers at one UDP port, as ours.
    fn livekit(folder: PathBuf) -> io::Result<Self> {
        let free = |port: io::Result<SocketAddr>| port.map(|address| address.port());
        let port = free(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr())?;
        let media = free(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr())?;
        let configuration = json!({
            "port": port,
            "bind_addresses": ["127.0.0.1"],
            "rtc": {
                "udp_port": media,
                "tcp_port": 0,
                "node_ip": "127.0.0.1",
                "use_external_ip": false,
                "enable_loopback_candidate": true,
                "interfaces": { "includes": ["lo"] },
            },
            "keys": { KEY: SECRET },
            "logging": { "level": "error" },
        });
        let arguments = ["--config-body".to_owned(), configuration.to_string()];
        let process = Process::start(&program(Stack::Livekit).display().to_string(), &arguments)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            if begun.elapsed() > STARTING {
                return Err(io::Error::other("LiveKit does not listen"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(Self { process, stack: Stack::Livekit, address, folder })
    }

    /// The answer to the offer of one who sends, or watches.
    pub(super) fn answer(&self, name: &str, sends: bool, offer: &str) -> io::Result<String> {
        if self.stack != Stack::Livekit {
            return self.post(if sends { "/whip/bench" } else { "/whep/bench" }, "", offer);
        }
        let mut headers = format!("Authorization: Bearer {}\r\n", token(name, sends, !sends));
        if !sends {
            // The answer waits until these are there.
            let wanted = json!({ "studio": ["synthesized-microphone", "synthesized-camera"] });
            let wanted = json!({ "subscribedParticipantTrackNames": wanted });
            headers.push_str(&format!("X-LiveKit-ClientInfo: {wanted}\r\n"));
        }
        self.post("/whip/v1", &headers, offer)
    }

    pub(super) fn post(&self, path: &str, headers: &str, body: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(STARTING))?;
        let (address, length) = (self.address, body.len());
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/sdp\r\n{headers}\
             Content-Length: {length}\r\n\r\n{body}"
        )?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        if !head.starts_with("HTTP/1.1 2") {
            return Err(io::Error::other(format!("{path}: {head}\n{body}")));
        }
        if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
            return unchunked(body).ok_or_else(|| io::Error::other(format!("{path}: {body}")));
        }
        Ok(body.to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ours leaves its data there, the others nothing.
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// RFC 9112 §7.1.
fn unchunked(mut body: &str) -> Option<String> {
    let mut whole = String::new();
    loop {
        let (length, rest) = body.split_once("\r\n")?;
        let length = usize::from_str_radix(length.trim(), 16).ok()?;
        if length == 0 {
            return Some(whole);
        }
        whole.push_str(rest.get(..length)?);
        body = rest.get(length..)?.strip_prefix("\r\n")?;
    }
}

/// Who may do what in the room, signed (RFC 7519, HS256).
pub(super) fn token(name: &str, sends: bool, watches: bool) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let grant = json!({ "room": "bench", "roomJoin": true, "canPublish": sends, "canSubscribe": watches });
    let claims = json!({ "iss": KEY, "sub": name, "nbf": now - 60, "exp": now + 3600, "video": grant });
    let head = json!({ "alg": "HS256", "typ": "JWT" });
    let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&head), part(&claims));
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signature = hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_put_together() {
        assert_eq!(unchunked("3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n").as_deref(), Some("abc0123456789"));
        assert_eq!(unchunked("5\r\nabc\r\n0\r\n\r\n"), None);
    }
}
