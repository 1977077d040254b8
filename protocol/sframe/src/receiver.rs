//! Frames on their way in: RFC 9605 §4.4.4, §9.3.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use zeroize::Zeroizing;

use crate::cipher::Cipher;
use crate::fault::Fault;
use crate::header::Header;
use crate::key::KeyError;
use crate::sender::MAX_METADATA_LEN;
use crate::suite::CipherSuite;

/// Keys that are kept at once: about 750 KiB.
pub const MAX_KEYS: usize = 1024;

/// Frames may come out of order, as sound, pictures and their layers share a counter: the last 960 are told apart.
type ReplayWindow = wire::ReplayWindow<16>;

/// Decrypts what others send.
pub struct Receiver {
    suite: CipherSuite,
    keys: BTreeMap<u64, Known>,
    shared: Option<Zeroizing<Vec<u8>>>,
    allows_replay: bool,
    associated: Vec<u8>,
}

struct Known {
    cipher: Cipher,
    window: ReplayWindow,
}

/// A frame that was decrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Which key it was encrypted with, and as its how-manieth: who sent it, if keys are told to one sender each.
    pub header: Header,
    /// Where the plaintext lies in the frame.
    pub plaintext: Range<usize>,
}

impl Receiver {
    /// One without keys.
    pub fn new(suite: CipherSuite) -> Self {
        Self { suite, keys: BTreeMap::new(), shared: None, allows_replay: false, associated: Vec::new() }
    }

    /// Adds the key of this number, or puts it in the place of the one before. At most [`MAX_KEYS`].
    pub fn insert_key(&mut self, kid: u64, base_key: &[u8]) -> Result<(), InsertError> {
        if base_key.is_empty() {
            return Err(InsertError::Key(KeyError));
        }
        if self.keys.len() >= MAX_KEYS && !self.keys.contains_key(&kid) {
            return Err(InsertError::Full);
        }
        let cipher = Cipher::new(self.suite, kid, base_key).map_err(|_| InsertError::Key(KeyError))?;
        self.keys.insert(kid, Known { cipher, window: ReplayWindow::new() });
        Ok(())
    }

    /// Forgets a key: as soon as its sender has another, and frames that were under way have come.
    pub fn remove_key(&mut self, kid: u64) {
        self.keys.remove(&kid);
    }

    /// Sets a base key that all senders share, each with a KID of its own: keys of numbers that are not known are made of
    /// it as frames come (RFC 9605 §5.2), and kept once one is authentic. `None` forgets it, and not what was made of it.
    pub fn set_shared_key(&mut self, base_key: Option<&[u8]>) {
        self.shared = base_key.filter(|key| !key.is_empty()).map(|key| Zeroizing::new(key.to_vec()));
    }

    /// Whether frames may come again: where a server sends old ones to those who join. At first they may not.
    pub fn allow_replay(&mut self, allow: bool) {
        self.allows_replay = allow;
    }

    /// Decrypts a frame in place. After a fault its bytes are of no use.
    pub fn decrypt(&mut self, frame: &mut [u8], metadata: &[u8]) -> Result<Opened, Fault> {
        let (header, header_len) = Header::parse(frame).map_err(|_| Fault::Truncated)?;
        if metadata.len() > MAX_METADATA_LEN {
            return Err(Fault::Forged);
        }
        let end = frame.len().checked_sub(self.suite.tag_len()).filter(|end| *end >= header_len);
        let end = end.ok_or(Fault::Truncated)?;
        let (front, rest) = frame.split_at_mut(header_len);
        let (body, tag) = rest.split_at_mut(end - header_len);
        self.associated.clear();
        self.associated.extend_from_slice(front);
        self.associated.extend_from_slice(metadata);
        if let Some(known) = self.keys.get_mut(&header.kid) {
            let opened = known.cipher.open(header.counter, &self.associated, body, tag);
            opened.map_err(|_| Fault::Forged)?;
            // Only now, so that nobody learns from the time it takes what came before.
            if !self.allows_replay && known.window.is_seen(header.counter) {
                return Err(Fault::Replayed);
            }
            known.window.note(header.counter);
        } else {
            let base_key = self.shared.as_ref().ok_or(Fault::UnknownKey)?;
            if self.keys.len() >= MAX_KEYS {
                return Err(Fault::TooManyKeys);
            }
            let cipher = Cipher::new(self.suite, header.kid, base_key).map_err(|_| Fault::UnknownKey)?;
            cipher.open(header.counter, &self.associated, body, tag).map_err(|_| Fault::Forged)?;
            let mut window = ReplayWindow::new();
            window.note(header.counter);
            self.keys.insert(header.kid, Known { cipher, window });
        }
        Ok(Opened { header, plaintext: header_len..end })
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<&u64> = self.keys.keys().collect();
        f.debug_struct("Receiver").field("suite", &self.suite).field("keys", &keys).finish_non_exhaustive()
    }
}

/// Why a key was not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InsertError {
    /// There are [`MAX_KEYS`]: remove those whose senders are gone.
    Full,
    /// It is none.
    Key(KeyError),
}

impl fmt::Display for InsertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("there are 1,024 keys; remove those whose senders are gone"),
            Self::Key(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for InsertError {}
