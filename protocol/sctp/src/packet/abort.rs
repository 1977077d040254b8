//! ABORT and ERROR (RFC 9260 §3.3.7, §3.3.10).

use super::{Cause, Causes, Malformed, Parameters, RawChunk, writer};

/// An ABORT: the association ends now (RFC 9260 §3.3.7).
///
/// ```text
/// +---------------+-------------+-+-------------------------------+
/// |   Type = 6    |  Reserved   |T|            Length             |
/// +---------------+-------------+-+-------------------------------+
/// \                   zero or more Error Causes                   \
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Abort<'a> {
    /// The T bit: the verification tag is the one of the packet that is answered, reflected.
    pub reflected: bool,
    causes: &'a [u8],
}

impl<'a> Abort<'a> {
    /// The chunk's type.
    pub const KIND: u8 = 6;

    /// Reads the chunk.
    pub fn parse(raw: RawChunk<'a>) -> Result<Self, Malformed> {
        Ok(Self { reflected: raw.flags & 1 != 0, causes: raw.expect(Self::KIND)?.rest() })
    }

    /// Why.
    pub fn causes(&self) -> Causes<'a> {
        Causes(Parameters::new(self.causes))
    }

    /// Appends an ABORT with one cause.
    pub fn write(out: &mut Vec<u8>, reflected: bool, cause: Cause<'_>) {
        let start = writer::begin_chunk(out, Self::KIND, u8::from(reflected));
        cause.write(out);
        writer::end_chunk(out, start);
    }
}

/// An ERROR: something was not understood; the association goes on (RFC 9260 §3.3.10).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ErrorChunk<'a> {
    causes: &'a [u8],
}

impl<'a> ErrorChunk<'a> {
    /// The chunk's type.
    pub const KIND: u8 = 9;

    /// Reads the chunk.
    pub fn parse(raw: RawChunk<'a>) -> Result<Self, Malformed> {
        Ok(Self { causes: raw.expect(Self::KIND)?.rest() })
    }

    /// What was not understood.
    pub fn causes(&self) -> Causes<'a> {
        Causes(Parameters::new(self.causes))
    }

    /// Appends an ERROR with one cause.
    pub fn write(out: &mut Vec<u8>, cause: Cause<'_>) {
        let start = writer::begin_chunk(out, Self::KIND, 0);
        cause.write(out);
        writer::end_chunk(out, start);
    }
}

fn describe(f: &mut std::fmt::Formatter<'_>, name: &str, causes: Causes<'_>) -> std::fmt::Result {
    f.write_str(name)?;
    for cause in causes {
        match cause {
            Ok(Cause { code, info }) => write!(f, " cause {code} {:?}", String::from_utf8_lossy(info))?,
            Err(Malformed) => f.write_str(" malformed cause")?,
        }
    }
    Ok(())
}

impl std::fmt::Debug for Abort<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        describe(f, if self.reflected { "ABORT reflected" } else { "ABORT" }, self.causes())
    }
}

impl std::fmt::Debug for ErrorChunk<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        describe(f, "ERROR", self.causes())
    }
}
