//! Records on their way in, of whatever epoch (RFC 9147 §4.2, §4.5).

use crate::crypto::aead::FORGERY_LIMIT;
use crate::fault::Fault;
use crate::record::NotOpened;
use crate::record::{header13, protection12, protection13};

/// The keys to open with.
#[derive(Default)]
pub(crate) struct Reading {
    pub(crate) dtls12: Option<Box<protection12::Opener>>,
    /// Epoch 2 of DTLS 1.3.
    pub(crate) handshake: Option<Box<protection13::Opener>>,
    /// The present epoch of application data.
    pub(crate) application: Option<Box<protection13::Opener>>,
    /// The one before it: its records may still be on their way.
    pub(crate) previous: Option<Box<protection13::Opener>>,
    /// Something protected was opened: nothing in the clear is believed any more.
    pub(crate) has_opened: bool,
    forgeries: u64,
}

impl Reading {
    /// The keys of the latest epoch that has these low bits (RFC 9147 §4.2.2).
    #[inline]
    pub(crate) fn opener13(&mut self, header: &header13::Header) -> Option<&mut protection13::Opener> {
        let matches = |opener: &&mut Box<protection13::Opener>| opener.epoch() & 3 == u64::from(header.epoch);
        let found = self.application.as_mut().filter(matches);
        let found = match found {
            Some(opener) => Some(opener),
            None => [&mut self.previous, &mut self.handshake].into_iter().flatten().find(matches),
        };
        found.map(|opener| &mut **opener)
    }

    /// Notes a record that was not opened.
    pub(crate) fn note(&mut self, failure: NotOpened) -> Fault {
        match failure {
            NotOpened::Forged => {
                self.forgeries += 1;
                Fault::Forged
            }
            NotOpened::Replayed => Fault::Replayed,
            NotOpened::Empty => Fault::EmptyRecord,
        }
    }

    /// Whether the keys have seen more forgeries than they are good for (RFC 9147 §4.5.3).
    pub(crate) fn is_worn(&self) -> bool {
        self.forgeries > FORGERY_LIMIT
    }
}
