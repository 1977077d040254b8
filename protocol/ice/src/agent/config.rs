//! How an agent behaves (the parameters that RFC 8445 §14, RFC 7675 §5.1 and RFC 8863 §4 leave open).

use std::time::Duration;

use crate::credentials::Credentials;

/// Who decides which pair is used (RFC 8445 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// We do; in WebRTC, whoever offers first.
    Controlling,
    /// The peer does.
    Controlled,
}

impl Role {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Controlling => Self::Controlled,
            Self::Controlled => Self::Controlling,
        }
    }
}

/// How an agent behaves. Make one with [`new`](Self::new) and change what should differ.
#[derive(Clone, Debug)]
pub struct Config {
    /// Fresh and secret randomness. The same seed with the same inputs gives the same bytes out.
    pub seed: [u8; 32],
    /// Who decides, as far as signaling knows. A conflict repairs itself.
    pub role: Role,
    /// Answers checks and sends none (RFC 8445 §2.5): for hosts that everybody can reach.
    pub lite: bool,
    /// Our credentials; made from the seed when `None`.
    pub credentials: Option<Credentials>,
    /// Ta, at least 5 ms: how much time each check takes from those that follow.
    pub pacing: Duration,
    /// RTO, at least 500 ms: how long to wait for an answer before a check is repeated for the first time.
    pub rto: Duration,
    /// Rc: how often a check is sent in all.
    pub requests: u32,
    /// How long after the credentials are known failure must wait, for checks that may still come in
    /// (RFC 8863), and for candidates whose end nobody announces.
    pub patience: Duration,
    /// How long a valid pair waits for a better one that is being checked before it is nominated: four times
    /// that if it is relayed; a fifth if it is the best one known, and more may come. Data does not wait.
    pub nomination_patience: Duration,
    /// Whether to ask for consent (RFC 7675) on the pair in use. Where not, keepalives are sent
    /// (RFC 8445 §11), and nobody notices when the peer is gone.
    pub consent: bool,
    /// Whether our description says `renomination` among its `ice-options`.
    pub renomination: bool,
}

impl Config {
    /// A full agent with the standards' timing, that can renominate.
    pub fn new(role: Role, seed: [u8; 32]) -> Self {
        Self {
            seed,
            role,
            lite: false,
            credentials: None,
            pacing: MIN_PACING,
            rto: MIN_RTO,
            requests: 7,
            patience: Duration::from_millis(39_500),
            nomination_patience: Duration::from_millis(250),
            consent: true,
            renomination: true,
        }
    }
}

/// RFC 8445 §14.1.
pub(super) const MIN_PACING: Duration = Duration::from_millis(5);
/// RFC 8445 §14.3.
pub(super) const MIN_RTO: Duration = Duration::from_millis(500);

/// What the peer's description says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteParameters {
    /// `ice-ufrag` and `ice-pwd`.
    pub credentials: Credentials,
    /// `ice-lite`.
    pub lite: bool,
    /// `renomination` among its `ice-options`.
    pub renomination: bool,
    /// `ice2` among its `ice-options`: it nominates a pair when it means it (RFC 8445 §10).
    pub ice2: bool,
}

impl RemoteParameters {
    /// A full agent without options.
    pub fn new(credentials: Credentials) -> Self {
        Self { credentials, lite: false, renomination: false, ice2: false }
    }
}
