//! A certificate authority of the lab's own, which the browsers are told to trust.
//!
//! Clicking a warning away would do for pages, but not for TURN over TLS: there a browser has nobody to ask,
//! and Firefox does not even try a name that no authority vouches for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use natlab::SERVER;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, KeyUsagePurpose};
use tempfile::TempDir;

use crate::NAME;

/// The authority's certificate, and the server's with its key: three PEM files.
#[derive(Debug)]
pub(crate) struct Authority {
    folder: TempDir,
}

impl Authority {
    pub(crate) fn new() -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("twocan-interop-ca-").tempdir();
        let folder = folder.map_err(|why| format!("no folder for certificates: {why}"))?;
        let authority = Self { folder };
        authority.make().map_err(|why| format!("no certificates: {why}"))?;
        Ok(authority)
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("server.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.folder.path().join("server-key.pem")
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("root.pem")
    }

    fn make(&self) -> Result<(), Box<dyn std::error::Error>> {
        let root_key = KeyPair::generate()?;
        let mut root = CertificateParams::default();
        root.distinguished_name.push(DnType::CommonName, "twocan's lab");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let root = root.self_signed(&root_key)?;

        let key = KeyPair::generate()?;
        let mut server = CertificateParams::new([NAME.to_owned(), SERVER.to_string()])?;
        server.distinguished_name.push(DnType::CommonName, NAME);
        let server = server.signed_by(&key, &root, &root_key)?;

        fs::write(self.root(), root.pem())?;
        fs::write(self.certificate(), server.pem())?;
        fs::write(self.key(), key.serialize_pem())?;
        Ok(())
    }

    /// Makes the browser with the home and profile folder `profile` trust the authority.
    pub(crate) fn install(&self, profile: &Path) -> Result<(), String> {
        // Firefox keeps its own store in the profile; Chromium asks the user's.
        for store in [profile.to_owned(), profile.join(".pki/nssdb")] {
            fs::create_dir_all(&store).map_err(|why| format!("no certificate store: {why}"))?;
            let store = format!("sql:{}", store.display());
            certutil(&["-N", "-d", &store, "--empty-password"])?;
            let root = self.root();
            certutil(&["-A", "-d", &store, "-n", "lab", "-t", "C,,", "-i", &root.to_string_lossy()])?;
        }
        Ok(())
    }
}

fn certutil(arguments: &[&str]) -> Result<(), String> {
    match Command::new("certutil").args(arguments).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("certutil: {}", String::from_utf8_lossy(&output.stderr).trim())),
        Err(why) => Err(format!("certutil did not run: {why}")),
    }
}
