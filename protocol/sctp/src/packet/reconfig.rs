//! RE-CONFIG: a request to reset or add streams, or the answer (RFC 6525 §3.1).

use super::{Malformed, Parameters, RawChunk, ReConfigParameter, writer};

/// A RE-CONFIG chunk (RFC 6525 §3.1): one or two parameters.
///
/// ```text
/// +---------------+---------------+-------------------------------+
/// |  Type = 130   |  Chunk Flags  |         Chunk Length          |
/// +---------------+---------------+-------------------------------+
/// \                  Re-configuration Parameter                   \
/// +---------------------------------------------------------------+
/// \             Re-configuration Parameter (optional)             \
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReConfig<'a> {
    /// The first parameter.
    pub first: ReConfigParameter<'a>,
    /// The second, where there is one.
    pub second: Option<ReConfigParameter<'a>>,
}

impl<'a> ReConfig<'a> {
    /// The chunk's type.
    pub const KIND: u8 = 130;

    /// Reads the chunk. More than two parameters are malformed.
    pub fn parse(raw: RawChunk<'a>) -> Result<Self, Malformed> {
        let mut parameters = Parameters::new(raw.expect(Self::KIND)?.rest());
        let first = ReConfigParameter::parse(parameters.next().ok_or(Malformed)??)?;
        let second = match parameters.next() {
            Some(parameter) => Some(ReConfigParameter::parse(parameter?)?),
            None => None,
        };
        if parameters.next().is_some() { Err(Malformed) } else { Ok(Self { first, second }) }
    }

    /// Appends the chunk.
    pub fn write(&self, out: &mut Vec<u8>) {
        let start = writer::begin_chunk(out, Self::KIND, 0);
        let mut padding = self.first.write(out);
        if let Some(second) = &self.second {
            padding = second.write(out);
        }
        // The chunk's length leaves out the padding of its last parameter (RFC 9260 §3.2).
        out.truncate(out.len() - padding);
        writer::end_chunk(out, start);
    }
}
