//! Ends of a connection to test with.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::dtls::{Certificate, Config, Connected, Dtls, Event, Failure, Fingerprint, FingerprintHash, Role};

/// Some time.
pub(crate) fn start() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "a test has to begin somewhere")]
    Instant::now()
}

pub(crate) fn certificate(seed: u8) -> Arc<Certificate> {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    Arc::new(Certificate::generate([seed; 32], now).unwrap())
}

/// An end, and what became of it.
pub(crate) struct End {
    pub(crate) dtls: Dtls,
    pub(crate) certificate: Arc<Certificate>,
    pub(crate) connected: Option<Box<Connected>>,
    pub(crate) data: Vec<Vec<u8>>,
    pub(crate) failure: Option<Failure>,
    pub(crate) is_closed: bool,
}

impl End {
    pub(crate) fn new(config: Config, role: Role, seed: u8, now: Instant) -> Self {
        Self::with_certificate(config, role, certificate(seed), seed, now)
    }

    pub(crate) fn with_certificate(
        config: Config,
        role: Role,
        certificate: Arc<Certificate>,
        seed: u8,
        now: Instant,
    ) -> Self {
        let dtls = Dtls::new(Arc::new(config), role, Arc::clone(&certificate), [seed; 32], now);
        Self { dtls, certificate, connected: None, data: Vec::new(), failure: None, is_closed: false }
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        self.certificate.fingerprint(FingerprintHash::Sha256)
    }

    /// Takes in a datagram, whatever it is.
    pub(crate) fn receive(&mut self, now: Instant, mut datagram: Vec<u8>) {
        if let Ok(plaintexts) = self.dtls.handle_datagram(now, &mut datagram) {
            self.data.extend(plaintexts.map(|range| datagram[range].to_vec()));
        }
        self.events();
    }

    /// All datagrams that it wants to send now.
    pub(crate) fn transmit(&mut self, now: Instant) -> Vec<Vec<u8>> {
        let mut datagrams = Vec::new();
        loop {
            let mut datagram = Vec::new();
            let Some(transmit) = self.dtls.poll_transmit(now, &mut datagram) else { break };
            assert_eq!(transmit.length, datagram.len());
            datagrams.push(datagram);
        }
        self.events();
        datagrams
    }

    pub(crate) fn seal(&mut self, plaintext: &[u8]) -> Vec<u8> {
        let mut buffer = vec![0; self.dtls.overhead().unwrap().header];
        buffer.extend(plaintext);
        self.dtls.seal(&mut buffer, 0).unwrap();
        buffer
    }

    pub(crate) fn events(&mut self) {
        while let Some(event) = self.dtls.poll_event() {
            assert!(!self.is_over(), "nothing comes after the end: {event:?}");
            match event {
                Event::Connected(connected) => {
                    assert!(self.connected.is_none() && self.data.is_empty());
                    self.connected = Some(connected);
                }
                Event::Data(data) => {
                    assert!(self.connected.is_some());
                    self.data.push(data);
                }
                Event::Closed => self.is_closed = true,
                Event::Failed(failure) => self.failure = Some(failure),
            }
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.is_closed || self.failure.is_some()
    }

    pub(crate) fn agreed(&self) -> &Connected {
        self.connected.as_ref().unwrap_or_else(|| panic!("not connected: {:?} {:?}", self.dtls, self.failure))
    }

    pub(crate) fn exported(&self) -> [u8; 60] {
        let mut out = [0; 60];
        self.dtls.export_keying_material(crate::dtls::SrtpProfile::EXPORT_LABEL, None, &mut out).unwrap();
        out
    }
}
