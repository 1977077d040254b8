//! Records on their way out, of whatever epoch (RFC 9147 §4.2, §6.1).

use crate::crypto::aead::TAG_LEN;
use crate::record::content_type::ContentType;
use crate::record::{Exhausted, MAX_SEQUENCE, RecordNumber, header12, header13, protection12, protection13};

/// Which epoch is which in DTLS 1.3 (RFC 9147 §6.1).
pub(crate) const HANDSHAKE_EPOCH: u64 = 2;
/// The first epoch of application data in DTLS 1.3.
pub(crate) const APPLICATION_EPOCH: u64 = 3;

/// The keys to seal with.
#[derive(Default)]
pub(crate) enum Sealers {
    #[default]
    None,
    Dtls12(Box<protection12::Sealer>),
    Dtls13 {
        /// Only until the handshake's last flight is acknowledged.
        handshake: Option<Box<protection13::Sealer>>,
        application: Option<Box<protection13::Sealer>>,
    },
}

/// Numbers and seals records.
#[derive(Default)]
pub(crate) struct Writing {
    /// The next record in the clear.
    plain: u64,
    pub(crate) sealers: Sealers,
}

impl Writing {
    /// The epoch of whatever is sent now.
    pub(crate) fn epoch(&self) -> u64 {
        match &self.sealers {
            Sealers::None => 0,
            Sealers::Dtls12(_) => protection12::EPOCH.into(),
            Sealers::Dtls13 { application: Some(sealer), .. } => sealer.epoch(),
            Sealers::Dtls13 { .. } => HANDSHAKE_EPOCH,
        }
    }

    /// What a record of `epoch` has beside its content, in bytes.
    pub(crate) fn overhead(&self, epoch: u64) -> usize {
        match &self.sealers {
            _ if epoch == 0 => header12::HEADER_LEN,
            Sealers::Dtls12(sealer) => sealer.header_len() + TAG_LEN,
            _ => header13::HEADER_LEN + protection13::TRAILER_LEN,
        }
    }

    /// Appends a record whose content `write` appends.
    pub(crate) fn put(
        &mut self,
        epoch: u64,
        content_type: ContentType,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<RecordNumber, Exhausted> {
        let start = out.len();
        let sequence = match self.sealer(epoch) {
            Some(Sealer::Plain(next)) => put_plain(next, content_type, out, write),
            Some(Sealer::Dtls12(sealer)) => {
                out.resize(start + sealer.header_len(), 0);
                write(out);
                sealer.seal(content_type, out, start)
            }
            Some(Sealer::Dtls13(sealer)) => {
                out.resize(start + header13::HEADER_LEN, 0);
                write(out);
                sealer.seal(content_type, out, start)
            }
            None => Err(Exhausted),
        };
        if sequence.is_err() {
            out.truncate(start);
        }
        sequence.map(|sequence| RecordNumber { epoch, sequence })
    }

    fn sealer(&mut self, epoch: u64) -> Option<Sealer<'_>> {
        if epoch == 0 {
            return Some(Sealer::Plain(&mut self.plain));
        }
        match &mut self.sealers {
            Sealers::None => None,
            Sealers::Dtls12(sealer) => Some(Sealer::Dtls12(sealer)),
            Sealers::Dtls13 { handshake, application } => [handshake, application]
                .into_iter()
                .flatten()
                .find(|sealer| sealer.epoch() == epoch)
                .map(|sealer| Sealer::Dtls13(sealer)),
        }
    }
}

enum Sealer<'a> {
    Plain(&'a mut u64),
    Dtls12(&'a mut protection12::Sealer),
    Dtls13(&'a mut protection13::Sealer),
}

fn put_plain(
    next: &mut u64,
    content_type: ContentType,
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>),
) -> Result<u64, Exhausted> {
    let (start, sequence) = (out.len(), *next);
    out.resize(start + header12::HEADER_LEN, 0);
    write(out);
    let length = u16::try_from(out.len() - start - header12::HEADER_LEN).map_err(|_| Exhausted)?;
    if sequence > MAX_SEQUENCE {
        return Err(Exhausted);
    }
    let header = header12::Header { content_type, epoch: 0, sequence, length };
    out[start..start + header12::HEADER_LEN].copy_from_slice(&header.bytes());
    *next += 1;
    Ok(sequence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_in_the_clear_are_numbered() {
        let mut writing = Writing::default();
        let mut out = Vec::new();
        for sequence in 0..2 {
            let number = writing.put(0, ContentType::Alert, &mut out, |out| out.extend([1, 0])).unwrap();
            assert_eq!(number, RecordNumber { epoch: 0, sequence });
        }
        assert_eq!(out.len(), 2 * (writing.overhead(0) + 2));
        assert_eq!(out[..13], [21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
        assert_eq!(writing.put(2, ContentType::Alert, &mut out, |_| ()), Err(Exhausted));
        assert_eq!(out.len(), 30);
    }
}
