//! The operator's certificate, exchanged on disk while the server runs.

use std::{fs, net::SocketAddr, path::Path};

use tempfile::tempdir;

use crate::{client::eventually_async, program::Program, tls};

/// A certificate and its key, PEM.
struct Pair {
    certificate: String,
    key: String,
}

impl Pair {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        Self { certificate: made.cert.pem(), key: made.key_pair.serialize_pem() }
    }

    fn write(&self, folder: &Path) {
        fs::write(folder.join("cert.pem"), &self.certificate).unwrap();
        fs::write(folder.join("key.pem"), &self.key).unwrap();
    }

    /// Whether the server shows this one.
    async fn is_shown_at(&self, server: SocketAddr) -> bool {
        tls::connect(self.certificate.as_bytes(), server, "localhost", None).await.is_ok()
    }
}

#[tokio::test]
async fn a_new_one_is_served_without_a_restart_and_a_broken_one_is_not() {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (first, second, third) = (Pair::new(), Pair::new(), Pair::new());
    first.write(folder.path());
    let (certificate, key) = (path("cert.pem"), path("key.pem"));
    let files = ["--tls-cert", &certificate, "--tls-key", &key];
    let both = ["--https", "127.0.0.1:0", "--turns", "127.0.0.1:0"];
    let server = Program::start(&folder, &[&files[..], &both].concat());
    let address = server.port_after("TLS ");
    assert!(first.is_shown_at(address).await);

    second.write(folder.path());
    eventually_async(async || second.is_shown_at(address).await).await;
    assert!(!first.is_shown_at(address).await);
    assert_eq!(server.log(), "", "a good exchange is nothing to warn of");

    fs::write(&certificate, "nonsense").unwrap();
    let refused = || server.log().matches("the old certificate stays: ").count();
    eventually_async(async || refused() == 1).await;
    assert!(server.log().contains("there is no certificate in it"), "{}", server.log());
    assert!(second.is_shown_at(address).await);

    // Half of a pair: as where somebody is about to write the other half.
    fs::write(&certificate, &third.certificate).unwrap();
    eventually_async(async || refused() == 2).await;
    assert!(server.log().contains("does not belong to the certificate"), "{}", server.log());
    assert!(second.is_shown_at(address).await);

    // The other half comes with the time of the one before, as `cp -p` may leave it.
    let before = fs::metadata(&key).unwrap();
    fs::write(&key, &third.key).unwrap();
    fs::File::options().write(true).open(&key).unwrap().set_modified(before.modified().unwrap()).unwrap();
    assert_eq!(fs::metadata(&key).unwrap().len(), before.len());
    eventually_async(async || third.is_shown_at(address).await).await;
    assert_eq!(refused(), 2, "each fault is told once: {}", server.log());
}
