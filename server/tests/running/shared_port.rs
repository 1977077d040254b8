//! HTTPS and TURN over TLS on one port, told apart by ALPN or by the first bytes.

use std::{fs, net::SocketAddr};

use tempfile::{TempDir, tempdir};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::client::TlsStream;

use crate::{
    program::{Answer, DEADLINE, Program},
    tls,
};

/// A Binding request (RFC 8489 §5) with the transaction id `abcdefghijkl`.
const BINDING: &[u8] = b"\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl";

/// Connects, trusting the server's self-made certificate and no other.
async fn connect(data: &TempDir, server: SocketAddr, alpn: Option<&[u8]>) -> TlsStream<TcpStream> {
    let pem = fs::read(data.path().join("self-made.pem")).unwrap();
    tls::connect(&pem, server, "localhost", alpn).await.unwrap()
}

async fn binds(mut stream: TlsStream<TcpStream>) {
    stream.write_all(BINDING).await.unwrap();
    let mut answer = [0; 20];
    timeout(DEADLINE, stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(answer[..2], [0x01, 0x01], "a Binding success response");
    assert_eq!(&answer[8..], b"abcdefghijkl");
}

pub(crate) async fn is_healthy(mut stream: TlsStream<TcpStream>) {
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut text = String::new();
    // Servers may end without TLS's own goodbye.
    let _ = timeout(DEADLINE, stream.read_to_string(&mut text)).await.unwrap();
    assert_eq!(Answer::parse(&text).body, "ok\n");
}

#[tokio::test]
async fn one_port_speaks_both() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &["--https", "127.0.0.1:0", "--turns", "127.0.0.1:0"]);
    let address = server.port_after("TLS ");
    for alpn in [Some(&b"stun.turn"[..]), None] {
        binds(connect(&data, address, alpn).await).await;
    }
    for alpn in [Some(&b"http/1.1"[..]), None] {
        is_healthy(connect(&data, address, alpn).await).await;
    }
}

#[tokio::test]
async fn plain_ports_speak_one_each() {
    let data = tempdir().unwrap();
    let server = Program::start(&data, &["--stun-turn", "127.0.0.1:0", "--stun-alternate", "off"]);
    let mut stream = TcpStream::connect(server.port_after("TCP ")).await.unwrap();
    stream.write_all(BINDING).await.unwrap();
    let mut answer = [0; 20];
    timeout(DEADLINE, stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(answer[..2], [0x01, 0x01]);
}
