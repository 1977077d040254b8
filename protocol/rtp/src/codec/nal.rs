//! NAL units between start codes, as encoders of H.264 and H.265 give them (Annex B of both; RFC 6184 §5.3, RFC 7798
//! §4.4).

/// What stands before each of a frame's units.
pub(super) const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// The units of a frame, without start codes and the zeros around them. What comes before the first start code is none.
#[derive(Clone, Copy, Debug)]
pub struct NalUnits<'a> {
    /// Behind a start code, or empty.
    rest: &'a [u8],
}

impl<'a> NalUnits<'a> {
    /// Of a frame with start codes.
    pub fn new(frame: &'a [u8]) -> Self {
        Self { rest: find(frame).map_or(&[], |at| &frame[at + 3..]) }
    }
}

impl<'a> Iterator for NalUnits<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while !self.rest.is_empty() {
            let (mut unit, rest) = match find(self.rest) {
                Some(at) => (&self.rest[..at], &self.rest[at + 3..]),
                None => (self.rest, &[][..]),
            };
            self.rest = rest;
            // A unit's own last byte is never zero.
            while let [front @ .., 0] = unit {
                unit = front;
            }
            if !unit.is_empty() {
                return Some(unit);
            }
        }
        None
    }
}

/// Where the first start code of three bytes is.
fn find(bytes: &[u8]) -> Option<usize> {
    let mut at = 2;
    while let Some(byte) = bytes.get(at) {
        match *byte {
            1 if bytes[at - 2..at] == [0, 0] => return Some(at - 2),
            0 => at += 1,
            // No start code has this byte among its first two.
            _ => at += 3,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_what_lies_between_start_codes() {
        let units = |bytes: &[u8]| NalUnits::new(bytes).map(<[u8]>::to_vec).collect::<Vec<_>>();
        let frame = [0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 0, 3, 0, 0, 0, 0, 1, 0, 0, 1, 0x65, 1, 0, 1, 9];
        assert_eq!(units(&frame), [vec![0x67, 1, 2], vec![0x68, 0, 3], vec![0x65, 1, 0, 1, 9]]);
        assert_eq!(units(&[0x65, 1, 2]), Vec::<Vec<u8>>::new());
        assert_eq!(units(&[0, 0, 1]), Vec::<Vec<u8>>::new());
        assert_eq!(units(&[9, 0, 0, 1, 7]), [vec![7]]);
        assert_eq!(units(&[]), Vec::<Vec<u8>>::new());
    }
}
