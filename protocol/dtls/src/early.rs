//! Records that came before their time: before their keys, or before the connection was complete (RFC 9147 §4.2.1).
//! The network reorders; what the peer says first should not have to be said twice.

use crate::fault::Fault;

/// A peer sends about ten datagrams before it waits for an answer.
const MAX_RECORDS: usize = 32;
const MAX_BYTES: usize = 48 * 1024;

/// What is kept.
#[derive(Default)]
pub(crate) struct Early {
    sealed: Vec<Vec<u8>>,
    opened: Vec<Vec<u8>>,
    bytes: usize,
}

impl Early {
    /// Keeps a record whose keys are not known yet.
    pub(crate) fn keep_sealed(&mut self, record: &[u8]) -> Result<(), Fault> {
        self.make_room(record.len())?;
        self.sealed.push(record.to_vec());
        Ok(())
    }

    /// Keeps application data of a connection that is not complete yet.
    pub(crate) fn keep_opened(&mut self, plaintext: &[u8]) -> Result<(), Fault> {
        self.make_room(plaintext.len())?;
        self.opened.push(plaintext.to_vec());
        Ok(())
    }

    fn make_room(&mut self, length: usize) -> Result<(), Fault> {
        let is_full = self.sealed.len() + self.opened.len() >= MAX_RECORDS;
        if is_full || self.bytes + length > MAX_BYTES {
            return Err(Fault::EarlyFull);
        }
        self.bytes += length;
        Ok(())
    }

    /// Records to try again with new keys.
    pub(crate) fn take_sealed(&mut self) -> Vec<Vec<u8>> {
        let records = std::mem::take(&mut self.sealed);
        self.bytes -= records.iter().map(Vec::len).sum::<usize>();
        records
    }

    /// Data that may be handed out now.
    pub(crate) fn take_opened(&mut self) -> Vec<Vec<u8>> {
        let plaintexts = std::mem::take(&mut self.opened);
        self.bytes -= plaintexts.iter().map(Vec::len).sum::<usize>();
        plaintexts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded() {
        let mut early = Early::default();
        for _ in 0..MAX_RECORDS {
            assert_eq!(early.keep_sealed(&[1]), Ok(()));
        }
        assert_eq!(early.keep_opened(&[1]), Err(Fault::EarlyFull));
        assert_eq!(early.take_sealed().len(), MAX_RECORDS);
        assert_eq!(early.keep_opened(&[0; MAX_BYTES]), Ok(()));
        assert_eq!(early.keep_opened(&[0]), Err(Fault::EarlyFull));
        assert_eq!(early.take_opened().len(), 1);
        assert_eq!(early.bytes, 0);
    }
}
