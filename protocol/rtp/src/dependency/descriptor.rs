//! One packet's descriptor as it is written (AV1's RTP payload format A.8.2, `dependency_descriptor`; RFC 8285 carries
//! it).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |S|E|template id|         frame number          |T|A|I|F|C|  structure, mask, custom fields
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::bits::{BitReader, BitWriter};
use super::structure::{read_indications, write_indications};
use super::{DependencyFault, Differences, Indications, MAX_DECODE_TARGETS, Structure, Template};

/// Bytes of a descriptor that names a template and says no more.
const PLAIN_LEN: usize = 3;

/// What a packet says about its frame: a template, and what is different from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// Whether the packet is the first of its frame.
    pub start: bool,
    /// Whether it is the last.
    pub end: bool,
    /// 0 to 63.
    pub template_id: u8,
    /// Counts frames in decode order, and wraps around.
    pub frame_number: u16,
    /// A new structure, in the first packet of a coded video sequence.
    pub structure: Option<Box<Structure>>,
    /// A bit for each decode target that can be decoded, where that changes.
    pub active_decode_targets: Option<u32>,
    /// In place of the template's.
    pub indications: Option<Indications>,
    /// In place of the template's.
    pub differences: Option<Differences>,
    /// In place of the template's, of any value.
    pub chain_differences: Option<[u8; MAX_DECODE_TARGETS]>,
}

impl Descriptor {
    /// Reads a descriptor's bytes. `known` is the stream's structure, which one in the descriptor takes the place of.
    /// Takes from the heap only for a structure.
    pub fn parse(bytes: &[u8], known: Option<&Structure>) -> Result<Self, DependencyFault> {
        let mut reader = BitReader::new(bytes);
        let (start, end) = (reader.flag()?, reader.flag()?);
        let (template_id, frame_number) = (reader.f(6)? as u8, reader.f(16)? as u16);
        let mut descriptor = Self {
            start,
            end,
            template_id,
            frame_number,
            structure: None,
            active_decode_targets: None,
            indications: None,
            differences: None,
            chain_differences: None,
        };
        if bytes.len() == PLAIN_LEN {
            return Ok(descriptor);
        }
        let (has_structure, has_active) = (reader.flag()?, reader.flag()?);
        let (custom_indications, custom_differences) = (reader.flag()?, reader.flag()?);
        let custom_chains = reader.flag()?;
        if has_structure {
            descriptor.structure = Some(Box::new(Structure::read(&mut reader)?));
        }
        let structure = descriptor.structure.as_deref().or(known).ok_or(DependencyFault::NoStructure)?;
        let (targets, chains) = (structure.decode_targets(), structure.chains());
        if has_active {
            descriptor.active_decode_targets = Some(reader.f(targets as u32)?);
        }
        if custom_indications {
            descriptor.indications = Some(read_indications(&mut reader, targets as u8)?);
        }
        if custom_differences {
            let mut differences = Differences::default();
            while let nibbles @ 1.. = reader.f(2)? {
                differences.push(reader.f(4 * nibbles)? as u16 + 1)?;
            }
            descriptor.differences = Some(differences);
        }
        if custom_chains {
            let mut differences = [0; MAX_DECODE_TARGETS];
            for difference in &mut differences[..chains] {
                *difference = reader.f(8)? as u8;
            }
            descriptor.chain_differences = Some(differences);
        }
        Ok(descriptor)
    }

    /// A descriptor of a frame that is like a template but for what it is given: what equals the template's is not said.
    /// Used by whoever sends frames whose dependencies it knows.
    pub fn new(structure: &Structure, template_id: u8, frame_number: u16, frame: &Template) -> Option<Self> {
        let template = structure.template(template_id)?;
        let chains = structure.chains();
        let same_chains = frame.chain_differences[..chains] == template.chain_differences[..chains];
        Some(Self {
            start: true,
            end: true,
            template_id,
            frame_number,
            structure: None,
            active_decode_targets: None,
            indications: Some(frame.indications).filter(|own| *own != template.indications),
            differences: Some(frame.differences).filter(|own| *own != template.differences),
            chain_differences: (!same_chains).then_some(frame.chain_differences),
        })
    }

    /// Appends the descriptor's bytes. `known` is the stream's structure, which counts where the descriptor brings none.
    pub fn write(&self, known: &Structure, out: &mut Vec<u8>) {
        let structure = self.structure.as_deref().unwrap_or(known);
        let mut writer = BitWriter::new(out);
        writer.flag(self.start);
        writer.flag(self.end);
        writer.f(6, u32::from(self.template_id));
        writer.f(16, u32::from(self.frame_number));
        let flags = [
            self.structure.is_some(),
            self.active_decode_targets.is_some(),
            self.indications.is_some(),
            self.differences.is_some(),
            self.chain_differences.is_some(),
        ];
        if flags == [false; 5] {
            return;
        }
        flags.into_iter().for_each(|flag| writer.flag(flag));
        if let Some(structure) = &self.structure {
            structure.write(&mut writer);
        }
        if let Some(active) = self.active_decode_targets {
            writer.f(structure.decode_targets() as u32, active);
        }
        if let Some(indications) = self.indications {
            write_indications(&mut writer, indications, structure.decode_targets());
        }
        if let Some(differences) = &self.differences {
            for difference in differences.as_slice() {
                let value = u32::from(*difference) - 1;
                let nibbles = (u32::BITS - value.leading_zeros()).div_ceil(4).max(1);
                writer.f(2, nibbles);
                writer.f(4 * nibbles, value);
            }
            writer.f(2, 0);
        }
        if let Some(differences) = &self.chain_differences {
            for difference in &differences[..structure.chains()] {
                writer.f(8, u32::from(*difference));
            }
        }
    }
}
