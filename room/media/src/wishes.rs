//! What those who watch, and the network, want of whoever makes frames while they are made.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Wishes of one side, which the other, on a thread of its own as a rule, looks at before each frame.
#[derive(Debug, Default)]
pub struct Wishes {
    key_frame: AtomicBool,
    /// 0 where nobody has said.
    bitrate: AtomicU64,
}

impl Wishes {
    /// The next picture is to be a key frame.
    pub fn want_key_frame(&self) {
        self.key_frame.store(true, Ordering::Relaxed);
    }

    /// Whether it is; from now on no more.
    pub fn take_key_frame(&self) -> bool {
        self.key_frame.swap(false, Ordering::Relaxed)
    }

    /// Pictures may have so many bits in a second.
    pub fn set_bitrate(&self, bitrate: u64) {
        self.bitrate.store(bitrate.max(1), Ordering::Relaxed);
    }

    /// How many they may have; none before anybody has said.
    pub fn bitrate(&self) -> Option<u64> {
        Some(self.bitrate.load(Ordering::Relaxed)).filter(|bitrate| *bitrate > 0)
    }
}
