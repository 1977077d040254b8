//! ACK: RFC 9147 §7.

use wire::Reader;

use crate::codec::{self, Malformed};
use crate::record::RecordNumber;

const ENTRY_LEN: usize = 16;

/// Reads which records arrived.
pub(crate) fn parse(body: &[u8]) -> Result<impl Iterator<Item = RecordNumber>, Malformed> {
    let mut reader = Reader::new(body);
    let mut numbers = Reader::new(codec::vector16(&mut reader)?);
    codec::end(reader)?;
    if !numbers.rest().len().is_multiple_of(ENTRY_LEN) {
        return Err(Malformed);
    }
    Ok(std::iter::from_fn(move || {
        Some(RecordNumber { epoch: numbers.u64().ok()?, sequence: numbers.u64().ok()? })
    }))
}

/// Appends an acknowledgement of these records, which may be none.
pub(crate) fn write(out: &mut Vec<u8>, numbers: &[RecordNumber]) {
    codec::put_vector16(out, |out| {
        for number in numbers {
            out.extend_from_slice(&number.epoch.to_be_bytes());
            out.extend_from_slice(&number.sequence.to_be_bytes());
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        let numbers = [RecordNumber { epoch: 2, sequence: 0 }, RecordNumber { epoch: 2, sequence: 7 }];
        let mut out = Vec::new();
        write(&mut out, &numbers);
        assert_eq!(out.len(), 34);
        assert!(parse(&out).unwrap().eq(numbers));
        assert_eq!(parse(&[0, 0]).unwrap().count(), 0);
        assert!(parse(&[0, 3, 1, 1, 1]).is_err());
        assert!(parse(&out[..33]).is_err());
    }
}
