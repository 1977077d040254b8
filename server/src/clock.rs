//! The one place where the server reads the clocks for its state machines.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::signaling::Now;

/// This moment.
pub(crate) fn now() -> Now {
    // A clock before 1970 is wrong anyway; 0 makes every signed expiry hold and none pass.
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Now { instant: Instant::now(), unix }
}
