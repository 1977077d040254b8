//! Media over TCP (RFC 6544), for those who get no UDP through.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tempfile::tempdir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use twocan::Direction;

use crate::program::{Answer, DEADLINE, Program};
use crate::streams::{End, SDP, flows};

/// An answer with candidates of TCP alone, at another port if one is given.
fn by_tcp(mut answer: Answer, port: Option<u16>) -> Answer {
    let mut lines: Vec<String> = Vec::new();
    for line in answer.body.lines() {
        let mut words: Vec<String> = line.split(' ').map(ToOwned::to_owned).collect();
        if line.starts_with("a=candidate:") {
            if !words[2].eq_ignore_ascii_case("tcp") {
                continue;
            }
            assert!(line.contains("typ host tcptype passive"), "{line}");
            if let Some(port) = port {
                words[5] = port.to_string();
            }
        }
        lines.push(words.join(" "));
    }
    assert!(lines.iter().any(|line| line.starts_with("a=candidate:")), "{}", answer.body);
    answer.body = lines.join("\r\n") + "\r\n";
    answer
}

async fn streams_over_tcp(more: &[&str]) {
    let data = tempdir().unwrap();
    let server = Program::start(&data, more);
    let (mut studio, mut viewer) = (End::new(Direction::SendOnly).await, End::new(Direction::RecvOnly).await);
    let answer = server.ask("POST", "/whip/show", &[SDP], &studio.offer().await);
    studio.follow(&by_tcp(answer, None)).await;
    let answer = server.ask("POST", "/whep/show", &[SDP], &viewer.offer().await);
    viewer.follow(&by_tcp(answer, None)).await;
    flows(&studio, &mut viewer, &mut (1..)).await;
    let metrics = server.get("/metrics", &[]).body;
    assert!(!metrics.contains("twocan_media_tcp_connections 0\n"), "{metrics}");
    assert!(metrics.contains("twocan_media_received_datagrams_total 0\n"), "{metrics}");
    viewer.peer.close();
    studio.peer.close();
    let over = async {
        while !server.get("/metrics", &[]).body.contains("twocan_media_tcp_connections 0\n") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(DEADLINE, over).await.unwrap();
}

#[tokio::test]
async fn it_goes_by_the_port_of_http() {
    streams_over_tcp(&["--media-workers", "2"]).await;
}

#[tokio::test]
async fn and_by_a_port_of_its_own() {
    streams_over_tcp(&["--media", "127.0.0.1:0", "--media-workers", "2"]).await;
}

/// Carries a connection; while it is told to, nothing that the server sends.
async fn carry(listener: TcpListener, server: SocketAddr, stalls: Arc<AtomicBool>) {
    let (near, _) = listener.accept().await.unwrap();
    let far = TcpStream::connect(server).await.unwrap();
    let ((mut near_in, mut near_out), (mut far_in, mut far_out)) = (near.into_split(), far.into_split());
    tokio::spawn(async move { tokio::io::copy(&mut near_in, &mut far_out).await });
    let mut buffer = [0; 4096];
    loop {
        while stalls.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let Ok(count @ 1..) = far_in.read(&mut buffer).await else { return };
        if near_out.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn one_who_takes_nothing_holds_up_nobody() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &[]);
    let mut studio = End::new(Direction::SendOnly).await;
    studio.follow(&server.ask("POST", "/whip/show", &[SDP], &studio.offer().await)).await;
    let (mut viewer, mut slow) = (End::new(Direction::RecvOnly).await, End::new(Direction::RecvOnly).await);
    viewer.follow(&server.ask("POST", "/whep/show", &[SDP], &viewer.offer().await)).await;

    let way = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, stalls) = (way.local_addr().unwrap().port(), Arc::new(AtomicBool::new(false)));
    tokio::spawn(carry(way, server.http(), Arc::clone(&stalls)));
    let answer = server.ask("POST", "/whep/show", &[SDP], &slow.offer().await);
    slow.follow(&by_tcp(answer, Some(port))).await;
    let mut numbers = 1..;
    flows(&studio, &mut slow, &mut numbers).await;

    stalls.store(true, Ordering::Relaxed);
    let is_blocked = || !server.get("/metrics", &[]).body.contains("twocan_media_tcp_blocked_total 0\n");
    let held_up = async {
        while !is_blocked() {
            for _ in 0..200 {
                studio.send_long(1_000, numbers.next().unwrap()).await;
            }
            flows(&studio, &mut viewer, &mut numbers).await;
        }
    };
    timeout(DEADLINE, held_up).await.unwrap();
    stalls.store(false, Ordering::Relaxed);
    flows(&studio, &mut slow, &mut numbers).await;
}

#[test]
fn what_is_no_check_for_anybody_here_is_cut_off() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &[]);
    let stranger = {
        let mut check =
            b"\x00\x01\x00\x10\x21\x12\xa4\x42abcdefghijkl\x00\x06\x00\x09nobo:you!\0\0\0".to_vec();
        check.splice(..0, [0, check.len() as u8]);
        check
    };
    for bytes in [&b"\x00\x04abcd"[..], b"\x00\x00", b"\x08\xff", &stranger] {
        let mut stream = std::net::TcpStream::connect(server.http()).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(bytes).unwrap();
        let mut rest = Vec::new();
        // Closed in one way or the other.
        let _ = stream.read_to_end(&mut rest);
        assert_eq!(rest, b"");
    }
    assert_eq!(server.get("/healthz", &[]).body, "ok\n");
}
