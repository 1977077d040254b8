//! What a room has room for.

use std::time::Duration;

/// People in it at the same time.
pub const PARTICIPANTS: usize = 4096;

/// What one of them publishes.
pub const PUBLICATIONS: usize = 16;

/// What one of them subscribes to.
pub const SUBSCRIPTIONS: usize = 1024;

/// Simulcast encodings of a publication.
pub const ENCODINGS: usize = peer::limits::ENCODINGS;

/// A sender is not asked more often than this for a key frame of an encoding.
pub const KEY_FRAME_PAUSE: Duration = Duration::from_millis(300);

/// If none comes, it is asked again after this long.
pub const KEY_FRAME_PATIENCE: Duration = Duration::from_secs(1);

/// How often layers are chosen anew, as far as nothing else makes them be.
pub const ALLOCATION_PERIOD: Duration = Duration::from_millis(200);

/// What nobody watches any more may be switched off after this long.
pub const UNWATCHED: Duration = Duration::from_secs(3);

// `Wanted` has a bit for each encoding.
const _: () = assert!(ENCODINGS <= 8);
