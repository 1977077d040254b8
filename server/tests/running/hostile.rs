//! Clients that mean ill: what they send is refused or dropped, what they hold is bounded and taken back, and two
//! who talk to each other meanwhile notice nothing.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tempfile::tempdir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
    time::timeout,
};

use crate::{
    client::{Client, eventually},
    program::{DEADLINE, Program},
};

/// Two who talk all the time may.
const TALKATIVE: [&str; 2] = ["--messages-per-second", "100000"];

/// Two who are in a call.
struct Pair {
    ada: Client,
    bob: Client,
    bob_is: Value,
    said: u64,
}

impl Pair {
    async fn meet(server: SocketAddr) -> Self {
        let (mut ada, _) = Client::join(server, json!({})).await;
        let (bob, joined) = Client::join(server, json!({"name": "Bob"})).await;
        assert_eq!(ada.next().await["type"], "peer_joined");
        Self { ada, bob, bob_is: joined["peer"].clone(), said: 0 }
    }

    /// Ada says something, and it is the next thing that Bob hears.
    async fn talk(&mut self) {
        self.said += 1;
        self.ada.send(&json!({"type": "signal", "to": self.bob_is, "data": self.said})).await;
        assert_eq!(self.bob.next().await["data"], self.said);
        self.bob.send(&json!({"type": "ping"})).await;
        assert_eq!(self.bob.next().await["type"], "pong");
    }
}

/// Sends bytes and reads until the server closes; what it said. It may close while it is still being spoken to.
async fn answer(server: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(server).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let mut answer = Vec::new();
    let speak = async {
        let _ = writer.write_all(bytes).await;
        let _ = writer.shutdown().await;
    };
    let listen = async {
        let _ = reader.read_to_end(&mut answer).await;
    };
    timeout(DEADLINE, async { tokio::join!(speak, listen) }).await.expect("the server ends it");
    answer
}

fn status(answer: &[u8]) -> Option<u16> {
    String::from_utf8_lossy(answer.get(9..12)?).parse().ok()
}

/// Xorshift: the same garbage in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    /// Changes, removes or repeats some bytes.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(6) {
            let at = self.below(bytes.len().max(1));
            match self.below(4) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at.min(bytes.len()), self.below(256) as u8),
                2 => bytes.extend_from_within(at.min(bytes.len())..),
                _ if bytes.is_empty() => {}
                _ => bytes[at] = self.below(256) as u8,
            }
        }
    }
}

#[tokio::test]
async fn requests_that_are_none() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &TALKATIVE);
    let mut pair = Pair::meet(server.http()).await;
    let long = "x".repeat(1 << 20);
    let headers: String = (0..20_000).map(|n| format!("X-{n}: {n}\r\n")).collect();
    for (what, request) in [
        ("a huge header", format!("GET / HTTP/1.1\r\nHost: a\r\nCookie: {long}\r\n\r\n")),
        ("many headers", format!("GET / HTTP/1.1\r\nHost: a\r\n{headers}\r\n")),
        ("a huge address", format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n")),
        ("a huge method", format!("{long} / HTTP/1.1\r\nHost: a\r\n\r\n")),
        ("a huge host", format!("GET / HTTP/1.1\r\nHost: {long}\r\n\r\n")),
        ("no request", "\0\0\0\0\r\n\r\n".into()),
        ("half a request line", "GET\r\n\r\n".into()),
        ("another version", "GET / HTTP/9.9\r\nHost: a\r\n\r\n".into()),
        ("a header without a name", "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n".into()),
        ("a zero byte in a header", "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n".into()),
        (
            "two lengths",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx".into(),
        ),
        ("a negative length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n".into()),
        ("HTTP/2 without being asked", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into()),
        ("another method", "DELETE /index.html HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".into()),
        (
            "half an upgrade",
            "GET /api/signaling HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: close\r\n\r\n"
                .into(),
        ),
        (
            "another subprotocol",
            upgrade_request("Sec-WebSocket-Protocol: twocan.v9, chat\r\nSec-WebSocket-Version: 13\r\n"),
        ),
        ("another version of WebSocket", upgrade_request("Sec-WebSocket-Version: 8\r\n")),
    ] {
        let answer = answer(server.http(), request.as_bytes()).await;
        // Where it closes before all is read, the answer may be lost.
        let refused = answer.is_empty() || status(&answer).is_some_and(|status| (400..500).contains(&status));
        assert!(refused, "{what}: {}", String::from_utf8_lossy(&answer[..answer.len().min(300)]));
        pair.talk().await;
    }
    let mut random = Random(0x5EED_0001);
    for _ in 0..500 {
        let mut request =
            b"GET /api/info HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody".to_vec();
        random.mutate(&mut request);
        answer(server.http(), &request).await;
    }
    pair.talk().await;
    assert_eq!(server.get("/healthz", &[]).body, "ok\n");
    assert_eq!(server.log(), "", "strangers do not fill the log");
}

fn upgrade_request(more: &str) -> String {
    format!(
        "GET /api/signaling HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
    )
}

/// A WebSocket frame as RFC 6455 §5.2 has it, its mask all zeros.
fn frame(first: u8, length: &[u8], payload: &[u8]) -> Vec<u8> {
    [&[first], length, &[0; 4], payload].concat()
}

/// A stream on which the server speaks WebSocket.
async fn upgraded(server: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(server).await.unwrap();
    let request = upgrade_request("Sec-WebSocket-Protocol: twocan.v1\r\nSec-WebSocket-Version: 13\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(DEADLINE, stream.read_u8()).await.unwrap().unwrap());
    }
    assert_eq!(status(&head), Some(101), "{}", String::from_utf8_lossy(&head));
    stream
}

/// Sends this after the upgrade, and waits until the server ends the connection.
async fn ended_by(server: SocketAddr, bytes: &[u8]) -> bool {
    let mut stream = upgraded(server).await;
    // The server may end it before all is written.
    let _ = stream.write_all(bytes).await;
    let mut rest = Vec::new();
    timeout(DEADLINE / 2, stream.read_to_end(&mut rest)).await.is_ok()
}

#[tokio::test]
async fn frames_that_are_none() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &TALKATIVE);
    let mut pair = Pair::meet(server.http()).await;
    let text = br#"{"type":"ping"}"#;
    let masked = |length: usize| [0x80 | u8::try_from(length).unwrap()];
    let whole = frame(0x81, &masked(text.len()), text);
    for (what, bytes) in [
        ("without a mask", [&[0x81, 0x02][..], b"{}"].concat()),
        ("with a reserved bit", frame(0xC1, &masked(2), b"{}")),
        ("of a reserved kind", frame(0x83, &masked(2), b"{}")),
        ("of a reserved control kind", frame(0x8B, &masked(2), b"{}")),
        ("a long ping", frame(0x89, &[0xFE, 0x01, 0x00], &[0; 256])),
        ("a ping in parts", frame(0x09, &masked(1), b"x")),
        ("a rest without a beginning", frame(0x80, &masked(2), b"{}")),
        ("a beginning after a beginning", [frame(0x01, &masked(1), b"{"), whole.clone()].concat()),
        ("text that is none", frame(0x81, &masked(2), &[0xC3, 0x28])),
        ("a close of one byte", frame(0x88, &masked(1), b"x")),
        ("a close with a forbidden code", frame(0x88, &masked(2), &[0x03, 0xED])),
        (
            "a length over all bounds",
            frame(0x81, &[0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], b"x"),
        ),
        ("a length with its first bit set", frame(0x82, &[0xFF; 9], b"x")),
        ("a gigabyte", frame(0x81, &[0xFF, 0, 0, 0, 0, 0x40, 0, 0, 0], b"x")),
        // Each part is small.
        (
            "parts without an end",
            [frame(0x01, &masked(1), b"x"), frame(0x00, &[0xFE, 0x80, 0x00], &[b'x'; 32_768]).repeat(12)]
                .concat(),
        ),
        ("HTTP after the upgrade", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec()),
    ] {
        assert!(ended_by(server.http(), &bytes).await, "{what}");
        pair.talk().await;
    }
    // These are allowed, and cost the sender only: no answer for each is kept.
    let mut stream = upgraded(server.http()).await;
    let floods =
        [frame(0x89, &masked(4), b"ping"), frame(0x01, &masked(0), b""), frame(0x00, &masked(0), b"")];
    stream.write_all(&floods[0].repeat(20_000)).await.unwrap();
    stream.write_all(&floods[1]).await.unwrap();
    stream.write_all(&floods[2].repeat(20_000)).await.unwrap();
    pair.talk().await;
    drop(stream);

    let mut random = Random(0x5EED_0002);
    let mut strangers = JoinSet::new();
    for _ in 0..300 {
        let mut bytes = whole.repeat(3);
        random.mutate(&mut bytes);
        let address = server.http();
        strangers.spawn(async move {
            let mut stream = upgraded(address).await;
            let _ = stream.write_all(&bytes).await;
        });
        if strangers.len() > 50 {
            strangers.join_next().await.unwrap().unwrap();
            pair.talk().await;
        }
    }
    while let Some(done) = strangers.join_next().await {
        done.unwrap();
    }
    pair.talk().await;
    // Nothing of them is left.
    eventually(|| server.get("/metrics", &[]).body.contains("twocan_signaling_connections 2\n")).await;
    assert_eq!(server.log(), "");
}

/// Kilobytes of memory that a process has.
#[cfg(target_os = "linux")]
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Bytes that wait in the system for each client of a port who reads too slowly.
#[cfg(target_os = "linux")]
fn unread(server: SocketAddr) -> Vec<u64> {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let port = format!(":{:04X}", server.port());
    let of_line = |line: &str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let waiting = u64::from_str_radix(fields.get(4)?.split(':').next()?, 16).ok()?;
        (fields.get(1)?.ends_with(&port) && waiting > 64 * 1024).then_some(waiting)
    };
    table.lines().filter_map(of_line).collect()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn hundreds_who_begin_and_do_not_go_on() {
    const EACH: usize = 150;
    const LIMIT: usize = 4 * EACH + 20;

    let data = tempdir().unwrap();
    let limit = LIMIT.to_string();
    let both = ["--https", "127.0.0.1:0", "--turns", "127.0.0.1:0"];
    let server =
        Program::start(&data, &[&both[..], &TALKATIVE, &["--connections-per-address", &limit]].concat());
    let (plain, secure) = (server.http(), server.port_after("TLS "));
    let mut pair = Pair::meet(plain).await;
    let before = resident(server.id());

    // A TLS record that promises 512 bytes of ClientHello; the beginning of a head; of an upgrade; and nothing.
    let hello = [&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xFC, 0x03, 0x03][..], &[7; 40]].concat();
    let pages = "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(400);
    let kinds = [
        (plain, b"".to_vec()),
        (plain, b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ".to_vec()),
        (secure, hello),
        // Pages that nobody reads, and then half a request.
        (plain, [pages.as_bytes(), b"GET /"].concat()),
    ];
    let mut held = Vec::new();
    for (address, bytes) in &kinds {
        for _ in 0..EACH {
            let stream = TcpStream::connect(address).await.unwrap();
            // A server that reads no more of what it cannot answer does not hold us up.
            let _ = stream.try_write(bytes);
            held.push(stream);
        }
        pair.talk().await;
    }
    // Of the pages that nobody reads the system gets a few only.
    eventually(|| unread(plain).len() >= EACH).await;
    assert!(unread(plain).iter().all(|bytes| *bytes < 1 << 20), "{:?}", unread(plain));
    // One address has its limit: more are shown the door, and nobody who is in.
    let mut more = Vec::new();
    for _ in 0..40 {
        more.push(TcpStream::connect(plain).await.unwrap());
    }
    let is_refused = |stream: &&TcpStream| match stream.try_read(&mut [0]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
    };
    eventually(|| more.iter().filter(is_refused).count() >= 20).await;
    pair.talk().await;
    let grown = resident(server.id()).saturating_sub(before);
    println!("{} KiB for each of {} clients that hold a connection", grown / held.len() as u64, held.len());
    assert!(grown < 150 * held.len() as u64, "{grown} KiB");

    // All who are waited for are given up, one after the other; those who talk go on.
    let mut waiting = JoinSet::new();
    for mut stream in held.drain(..3 * EACH).chain(more) {
        waiting.spawn(async move {
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
        });
    }
    let all_gone = async {
        while waiting.join_next().await.is_some() {
            if waiting.len() % 50 == 0 {
                pair.talk().await;
            }
        }
    };
    timeout(DEADLINE, all_gone).await.expect("the server gives them up");
    // There is place again.
    let mut client = Client::connect(plain).await;
    client.send(&json!({"type": "ping"})).await;
    assert_eq!(client.next().await["type"], "pong");
    pair.talk().await;
    assert_eq!(server.log(), "");
}
