//! A certificate from an ACME authority, from the first question to the restart.

use std::{fs, net::SocketAddr, sync::atomic::Ordering};

use tempfile::{TempDir, tempdir};

use crate::{
    authority::{Authority, DOMAIN},
    client::eventually_async,
    program::Program,
    tls,
};

fn start(data: &TempDir, authority: &Authority) -> (Program, SocketAddr) {
    let root = data.path().join("root.pem");
    fs::write(&root, authority.root()).unwrap();
    let server = Program::start(
        data,
        &[
            &["--https", "127.0.0.1:0", "--turns", "127.0.0.1:0"][..],
            &["--acme-domain", DOMAIN, "--acme-email", "ops@talk.test"],
            &["--acme-directory", &authority.directory(), "--acme-ca", root.to_str().unwrap()],
        ]
        .concat(),
    );
    let address = server.port_after("TLS ");
    (server, address)
}

/// Whether the server shows a certificate of this authority's for the domain.
async fn is_certified(authority: &Authority, server: SocketAddr) -> bool {
    tls::connect(authority.root().as_bytes(), server, DOMAIN, None).await.is_ok()
}

#[tokio::test]
async fn a_certificate_is_obtained_shown_and_kept() {
    let authority = Authority::start().await;
    let data = tempdir().unwrap();
    let (server, address) = start(&data, &authority);
    assert!(server.banner.contains("https://talk.test\n"), "{}", server.banner);
    authority.domain_leads_to(address);
    eventually_async(async || is_certified(&authority, address).await).await;
    let stream = tls::connect(authority.root().as_bytes(), address, DOMAIN, None).await.unwrap();
    crate::shared_port::is_healthy(stream).await;
    assert_eq!(authority.issued.load(Ordering::SeqCst), 1);
    eventually_async(async || fs::read_dir(data.path().join("acme")).unwrap().count() == 2).await;
    assert_eq!(server.log(), "");
    server.kill();

    // The kept one again: nobody is asked.
    authority.set_open(false);
    let (server, address) = start(&data, &authority);
    eventually_async(async || is_certified(&authority, address).await).await;
    assert_eq!(authority.issued.load(Ordering::SeqCst), 1);
    assert_eq!(server.log(), "");
}

#[tokio::test]
async fn an_authority_that_refuses_is_told_of_and_asked_again() {
    let authority = Authority::start().await;
    authority.set_open(false);
    let data = tempdir().unwrap();
    let (server, address) = start(&data, &authority);
    authority.domain_leads_to(address);
    eventually_async(async || server.log().contains("the certificate authority gives no certificate")).await;
    assert!(server.log().contains("the domain must lead here"), "{}", server.log());
    assert!(authority.refused.load(Ordering::SeqCst) >= 1);
    assert!(!is_certified(&authority, address).await);
    // Everything else works meanwhile.
    assert_eq!(server.get("/healthz", &[]).body, "ok\n");
    authority.set_open(true);
    eventually_async(async || is_certified(&authority, address).await).await;
}

#[tokio::test]
async fn an_authority_that_is_not_there_stops_nothing() {
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let data = tempdir().unwrap();
    let directory = format!("https://localhost:{}/directory", gone.port());
    let server = Program::start(
        &data,
        &["--https", "127.0.0.1:0", "--acme-domain", DOMAIN, "--acme-directory", &directory],
    );
    eventually_async(async || server.log().contains("the certificate authority gives no certificate")).await;
    assert_eq!(server.get("/healthz", &[]).body, "ok\n");
}
