//! Parameters within chunks (RFC 9260 §3.2.1).

use wire::Reader;

use super::{Malformed, writer};

/// A parameter's type and value (RFC 9260 §3.2.1). Error causes have the same shape.
///
/// ```text
/// +-------------------------------+-------------------------------+
/// |        Parameter Type         |       Parameter Length        |
/// +-------------------------------+-------------------------------+
/// \                        Parameter Value                        \
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// The type. Its highest two bits say what to do where it is unknown.
    pub kind: u16,
    /// The value, without padding.
    pub value: &'a [u8],
}

impl Parameter<'_> {
    /// State Cookie (RFC 9260 §3.3.3).
    pub const STATE_COOKIE: u16 = 7;
    /// Unrecognized Parameter (RFC 9260 §3.3.3).
    pub const UNRECOGNIZED: u16 = 8;
    /// Supported Extensions (RFC 5061 §4.2.7).
    pub const SUPPORTED_EXTENSIONS: u16 = 0x8008;
    /// Forward-TSN-Supported (RFC 3758 §3.1).
    pub const FORWARD_TSN_SUPPORTED: u16 = 0xC000;
    /// Zero Checksum Acceptable (RFC 9653 §4).
    pub const ZERO_CHECKSUM_ACCEPTABLE: u16 = 0x8001;

    /// Appends the parameter, padded.
    pub fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.kind.to_be_bytes());
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(self.value);
        writer::set_length(out, start);
        writer::pad(out, start);
    }
}

/// The parameters of a chunk, in order. One that does not fit ends them with an error.
#[derive(Clone, Copy, Debug)]
pub struct Parameters<'a> {
    rest: &'a [u8],
}

impl<'a> Parameters<'a> {
    /// Reads parameters from these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }
}

impl<'a> Iterator for Parameters<'a> {
    type Item = Result<Parameter<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let mut reader = Reader::new(self.rest);
        let (Ok(kind), Ok(length)) = (reader.u16(), reader.u16()) else {
            self.rest = &[];
            return Some(Err(Malformed));
        };
        let length = usize::from(length);
        let Some(value) = self.rest.get(4..length) else {
            self.rest = &[];
            return Some(Err(Malformed));
        };
        self.rest = self.rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Ok(Parameter { kind, value }))
    }
}
