use std::time::Instant;

/// Where virtual time starts.
pub(super) fn start() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "any instant will do to count from")]
    Instant::now()
}
