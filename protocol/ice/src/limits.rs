//! How much an agent holds at most, whatever the peer does (RFC 8445 §6.1.2.5 wants such limits, §19.2 says
//! why: candidates of others are a way to aim checks at a third party).

/// Local candidates that the caller may add per generation.
pub const LOCAL_CANDIDATES: usize = 64;
/// Local candidates learnt from answers, per generation; further ones are counted as their base.
pub const LOCAL_PEER_REFLEXIVE: usize = 16;
/// Remote candidates per generation, those learnt from checks included.
pub const REMOTE_CANDIDATES: usize = 64;
/// Remote candidates learnt from checks, per generation.
pub const REMOTE_PEER_REFLEXIVE: usize = 16;
/// Pairs per generation. A new one takes the place of the least one that is not in use, or is left out.
pub const PAIRS: usize = 128;
/// Outstanding transactions.
pub const CHECKS: usize = 256;
/// Names being resolved at once.
pub const RESOLVES: usize = 16;
/// TCP connections being opened at once.
pub const CONNECTS: usize = 8;
/// Answers waiting to be sent; requests beyond are dropped.
pub const ANSWERS: usize = 64;
/// Checks remembered that came before the peer's credentials.
pub const EARLY_CHECKS: usize = 16;
/// Attributes that are remembered of one of them.
pub const EARLY_EMBEDDED: usize = 4;
/// Events waiting to be taken. Beyond it what peers embed is dropped; other events come in bounded number.
pub const EVENTS: usize = 256;
/// Bytes of one embedded attribute.
pub const EMBEDDED_LEN: usize = 1200;
/// Checks that may be sent at once before pacing sets in, for those that answer the peer's checks.
pub const TRIGGERED_BURST: u32 = 10;
/// Checks that may be sent at once before pacing sets in.
pub const ORDINARY_BURST: u32 = 5;
/// Most agents have no more candidates and pairs than this: for so many, memory is taken one by one.
pub(crate) const FEW: usize = 4;
