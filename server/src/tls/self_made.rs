//! A certificate of our own making, so that phones and laptops on the same network get a secure context,
//! which cameras need. Browsers warn of it once; kept, so that they do not warn again.

use std::{
    fmt::Write as _,
    fs,
    net::IpAddr,
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use rustls::{
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};
use time::OffsetDateTime;

use super::{local_addresses, machine_name, provider};
use crate::{config::ConfigError, serve::write_private};

const DAY: u64 = 24 * 3600;

/// The longest that Apple's systems accept is 825 days, the usual of browsers 398.
const LIFE: u64 = 397 * DAY;

/// Renewed so long before its end.
const RENEW_BEFORE: u64 = 30 * DAY;

/// Names and addresses in one certificate, those of former networks among them.
const MOST_NAMES: usize = 64;

/// A clock that is a day behind is still within the certificate's time.
const EARLIER: u64 = 2 * DAY;

/// Makes and keeps the certificate.
pub(super) struct Maker {
    public: Vec<IpAddr>,
    file: Option<PathBuf>,
    /// Of the certificate that is in use.
    label: Label,
}

/// What decides whether a certificate is still the right one. Written above it, into the same file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Label {
    names: Vec<String>,
    /// Seconds of the Unix epoch.
    expires: u64,
}

impl Maker {
    pub(super) fn new(public: Vec<IpAddr>, file: Option<PathBuf>) -> Self {
        Self { public, file, label: Label::default() }
    }

    /// The kept certificate if it is still right, else a new one.
    pub(super) fn current(&mut self) -> Result<CertifiedKey, ConfigError> {
        let wanted = self.names();
        if let Some((label, key)) = self.kept()
            && label.is_good_for(&wanted, seconds_now())
        {
            self.label = label;
            return Ok(key);
        }
        self.make(wanted)
    }

    /// A new certificate, if the old one is no longer right.
    pub(super) fn renewed(&mut self) -> Result<Option<CertifiedKey>, ConfigError> {
        let wanted = self.names();
        if self.label.is_good_for(&wanted, seconds_now()) {
            return Ok(None);
        }
        self.make(wanted).map(Some)
    }

    /// Everything by which this machine may be called.
    fn names(&self) -> Vec<String> {
        let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        if let Some(name) = machine_name() {
            // What phones on the same network find it by (RFC 6762).
            let local = name.split('.').next().map(|label| format!("{label}.local"));
            names.extend(local.into_iter().chain([name]));
        }
        names.extend(local_addresses().iter().chain(&self.public).map(IpAddr::to_string));
        names.sort();
        names.dedup();
        names
    }

    fn kept(&self) -> Option<(Label, CertifiedKey)> {
        let text = fs::read_to_string(self.file.as_ref()?).ok()?;
        let label = Label::read(&text)?;
        Some((label, parse(&text).ok()?))
    }

    fn make(&mut self, mut names: Vec<String>) -> Result<CertifiedKey, ConfigError> {
        // A laptop that goes back and forth between networks keeps one certificate for all of them.
        let before = self.kept().map(|(label, _)| label.names).unwrap_or_default();
        names.extend(before.into_iter().take(MOST_NAMES.saturating_sub(names.len())));
        names.sort();
        names.dedup();
        let label = Label { names, expires: seconds_now() + LIFE };
        let pem = generate(&label).map_err(|error| {
            ConfigError(format!(
                "a certificate cannot be made: {error}: give one with --tls-cert and --tls-key"
            ))
        })?;
        let text = label.write() + &pem;
        if let Some(file) = &self.file
            && let Err(error) = write_private(file, &text)
        {
            tracing::warn!("cannot keep {}: {error}; browsers will warn again", file.display());
        }
        self.label = label;
        parse(&text).map_err(|error| ConfigError(format!("a certificate cannot be made: {error}")))
    }
}

impl Label {
    /// A certificate for more names than needed is right too: an address may be away for a while.
    fn is_good_for(&self, wanted: &[String], now: u64) -> bool {
        now + RENEW_BEFORE < self.expires && wanted.iter().all(|name| self.names.contains(name))
    }

    fn write(&self) -> String {
        format!("names: {}\nexpires: {}\n", self.names.join(" "), self.expires)
    }

    fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let names = lines.next()?.strip_prefix("names: ")?.split(' ').map(str::to_owned).collect();
        let expires = lines.next()?.strip_prefix("expires: ")?.parse().ok()?;
        Some(Self { names, expires })
    }
}

fn generate(label: &Label) -> Result<String, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(label.names.clone())?;
    params.distinguished_name.push(DnType::CommonName, "twocan on this network");
    params.not_before = date(label.expires.saturating_sub(LIFE + EARLIER));
    params.not_after = date(label.expires);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let mut text = params.self_signed(&key)?.pem();
    let _ = write!(text, "{}", key.serialize_pem());
    Ok(text)
}

fn parse(text: &str) -> Result<CertifiedKey, String> {
    let certificate =
        CertificateDer::from_pem_slice(text.as_bytes()).map_err(|error| format!("{error:?}"))?;
    let key = PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|error| format!("{error:?}"))?;
    CertifiedKey::from_der(vec![certificate], key, &provider()).map_err(|error| error.to_string())
}

fn date(seconds: u64) -> OffsetDateTime {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_until_names_or_time_run_out() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("self-made.pem");
        let mut maker = Maker::new(Vec::new(), Some(file.clone()));
        let first = maker.current().unwrap();
        assert!(maker.renewed().unwrap().is_none());

        let again = Maker::new(Vec::new(), Some(file.clone())).current().unwrap();
        assert_eq!(first.cert, again.cert);

        let mut moved = Maker::new(vec!["203.0.113.7".parse().unwrap()], Some(file.clone()));
        let other = moved.current().unwrap();
        assert_ne!(first.cert, other.cert, "a new address wants a new certificate");

        let back = Maker::new(Vec::new(), Some(file.clone())).current().unwrap();
        assert_eq!(other.cert, back.cert, "the new one has the old names too");

        moved.label.expires = seconds_now() + RENEW_BEFORE - 1;
        assert!(moved.renewed().unwrap().is_some(), "it nears its end");

        fs::write(&file, "nonsense").unwrap();
        assert!(Maker::new(Vec::new(), Some(file.clone())).current().is_ok());
    }
}
