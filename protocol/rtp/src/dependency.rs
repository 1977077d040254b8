//! What a frame depends on: the Dependency Descriptor, a header extension (RFC 8285) that the RTP payload format for AV1
//! describes in its Appendix A and that browsers send with other codecs as well.
//!
//! A stream's first packet carries a [`Structure`]: templates of frames, the decode targets that a receiver may choose
//! from, and the chains that protect them. Later packets name a template, most of them in three bytes. A [`Reader`] keeps
//! a stream's structure and says what each packet's frame is; a forwarder that drops layers writes a [`Descriptor`] anew
//! with the decode targets that are left.

mod bits;
mod descriptor;
mod reader;
mod structure;

pub use descriptor::Descriptor;
pub use reader::{Frame, Reader};
pub use structure::{Resolution, Structure, Template};

use std::fmt;

/// Decode targets and chains of a structure: at most so many of each.
pub const MAX_DECODE_TARGETS: usize = 32;
/// Templates of a structure: ids have six bits.
pub const MAX_TEMPLATES: usize = 64;
/// Frames that one frame may depend on. AV1 has seven references.
pub const MAX_DEPENDENCIES: usize = 16;
/// The highest spatial layer (AV1 gives it two bits).
pub const MAX_SPATIAL: u8 = 3;
/// The highest temporal layer (AV1 gives it three bits).
pub const MAX_TEMPORAL: u8 = 7;

wire::faults! {
    /// Why a descriptor says nothing about its packet.
    pub enum DependencyFault {
        /// It ends before its fields do.
        Truncated => "dependency_truncated",
        /// No structure has come yet that would explain it.
        NoStructure => "dependency_no_structure",
        /// Its template is not one of the structure's: the packet is older or newer than the structure.
        UnknownTemplate => "dependency_unknown_template",
        /// Its structure has more templates than there are ids.
        Templates => "dependency_templates",
        /// It has more spatial or temporal layers than a video can have.
        Layers => "dependency_layers",
        /// A frame or template depends on more frames than a frame can.
        Dependencies => "dependency_dependencies",
        /// A decode target is protected by a chain that does not exist, or there are more chains than targets.
        Chains => "dependency_chains",
    }
}

/// What a frame is to a decode target (Table A.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Indication {
    /// It does not belong to it.
    NotPresent,
    /// It belongs to it, and no other frame of it depends on this one.
    Discardable,
    /// It belongs to it, and whoever decodes it can decode all later frames of it.
    Switch,
    /// It belongs to it, and is neither of these.
    Required,
}

/// An indication for each decode target.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Indications(u64);

/// How many frames back the frames are that one depends on: each 1 to 4096, and at most [`MAX_DEPENDENCIES`] of them.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Differences {
    values: [u16; MAX_DEPENDENCIES],
    len: u8,
}

impl Indications {
    /// In the order of decode targets; those beyond [`MAX_DECODE_TARGETS`] are left out.
    pub fn new(indications: impl IntoIterator<Item = Indication>) -> Self {
        let mut all = Self::default();
        (0..MAX_DECODE_TARGETS).zip(indications).for_each(|(target, indication)| all.set(target, indication));
        all
    }

    fn set(&mut self, target: usize, indication: Indication) {
        self.0 |= (indication as u64) << (2 * target);
    }

    /// What the frame is to a decode target.
    #[inline]
    pub fn get(self, target: usize) -> Indication {
        let shift = 2 * target.min(MAX_DECODE_TARGETS) as u32;
        match self.0.checked_shr(shift).unwrap_or(0) & 0x03 {
            0 => Indication::NotPresent,
            1 => Indication::Discardable,
            2 => Indication::Switch,
            _ => Indication::Required,
        }
    }
}

impl Differences {
    /// None where there are too many, or one of them is not in 1 to 4096.
    pub fn new(values: &[u16]) -> Option<Self> {
        values.iter().try_fold(Self::default(), |mut all, value| {
            all.push((1..=4096).contains(value).then_some(*value)?).ok()?;
            Some(all)
        })
    }

    fn push(&mut self, value: u16) -> Result<(), DependencyFault> {
        *self.values.get_mut(usize::from(self.len)).ok_or(DependencyFault::Dependencies)? = value;
        self.len += 1;
        Ok(())
    }

    /// The values.
    #[inline]
    pub fn as_slice(&self) -> &[u16] {
        &self.values[..usize::from(self.len)]
    }
}

impl fmt::Debug for Indications {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (0..MAX_DECODE_TARGETS).try_for_each(|target| {
            f.write_str(match self.get(target) {
                Indication::NotPresent => "-",
                Indication::Discardable => "D",
                Indication::Switch => "S",
                Indication::Required => "R",
            })
        })
    }
}

impl fmt::Debug for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_slice().fmt(f)
    }
}

#[cfg(test)]
mod tests;
