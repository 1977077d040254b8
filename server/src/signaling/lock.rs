//! A room's password, kept only as a keyed hash.

use aws_lc_rs::{constant_time, hmac};
use serde::{Deserialize, Serialize};

use super::{keys::Keys, names::RoomName};

/// The hash of a password in one room: equal passwords of different rooms look different.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Lock([u8; 16]);

impl Lock {
    pub(crate) fn new(keys: &Keys, room: &RoomName, password: &str) -> Self {
        let mut context = hmac::Context::with_key(&keys.lock);
        context.update(room.as_str().as_bytes());
        // No room name contains a zero byte, so that name and password cannot run into each other.
        context.update(&[0]);
        context.update(password.as_bytes());
        let mut lock = [0; 16];
        lock.copy_from_slice(&context.sign().as_ref()[..16]);
        Self(lock)
    }

    /// Compares in constant time.
    pub(crate) fn opens(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_password_in_the_same_room_opens() {
        let keys = Keys::new(b"secret", None);
        let room = |name| RoomName::parse(name, 64).unwrap();
        let lock = Lock::new(&keys, &room("tea"), "milk");
        assert!(lock.opens(&Lock::new(&keys, &room("tea"), "milk")));
        assert!(!lock.opens(&Lock::new(&keys, &room("tea"), "milk ")));
        assert!(!lock.opens(&Lock::new(&keys, &room("te"), "amilk")));
        assert!(!lock.opens(&Lock::new(&Keys::new(b"other", None), &room("tea"), "milk")));
    }
}
