//! What each packet's frame is, by the structure that its stream brought (AV1's RTP payload format A.4 to A.8; RFC 8285
//! carries the descriptors).

use super::{
    DependencyFault, Descriptor, Differences, Indication, Indications, MAX_DECODE_TARGETS, Resolution,
    Structure,
};
use crate::number::SequenceNumber;

/// Reads the descriptors of one stream of packets.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    structure: Option<Box<Structure>>,
    /// A bit for each decode target.
    active: u32,
    /// The highest packet read, as [`SequenceNumber::expand`] has it.
    newest: Option<u64>,
    /// The packet that brought the structure.
    structure_at: u64,
    /// The packet that said last which targets are active.
    active_at: u64,
}

/// What a packet says about its frame, with its template filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Counts frames in decode order, and wraps around.
    pub number: u16,
    /// Whether the packet is the first of the frame.
    pub start: bool,
    /// Whether it is the last.
    pub end: bool,
    /// Whether the packet brought a structure: the first of a coded video sequence does.
    pub new_structure: bool,
    /// The spatial layer.
    pub spatial: u8,
    /// The temporal layer.
    pub temporal: u8,
    /// What the frame is to each decode target.
    pub indications: Indications,
    /// How many frames back the frames are that it depends on: none for a key frame.
    pub differences: Differences,
    /// For each chain, how many frames back its last one is; 0 where the chain begins here.
    pub chain_differences: [u8; MAX_DECODE_TARGETS],
    /// The largest picture of its spatial layer, where it is said.
    pub resolution: Option<Resolution>,
}

impl Reader {
    /// Nothing is known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The stream's structure, once it has come.
    pub fn structure(&self) -> Option<&Structure> {
        self.structure.as_deref()
    }

    /// A bit for each decode target that can be decoded now (A.4).
    pub fn active_decode_targets(&self) -> u32 {
        self.active
    }

    /// Reads the descriptor of the packet with this number. Packets may come late: what an older one says about structure
    /// and targets does not take the place of newer news. Takes from the heap only for a structure.
    pub fn read(&mut self, number: SequenceNumber, bytes: &[u8]) -> Result<Frame, DependencyFault> {
        let descriptor = Descriptor::parse(bytes, self.structure())?;
        let at = match self.newest {
            Some(newest) => number.expand(newest),
            // Far enough from zero for those that come late.
            None => u64::from(number.0) + (1 << 16),
        };
        let structure =
            descriptor.structure.as_deref().or(self.structure()).ok_or(DependencyFault::NoStructure)?;
        let frame = Frame::new(&descriptor, structure)?;
        let all = structure.all_targets();
        self.newest = self.newest.max(Some(at));
        let active = descriptor.active_decode_targets.or(descriptor.structure.is_some().then_some(all));
        if let Some(active) = active
            && at >= self.active_at.max(self.structure_at)
        {
            (self.active, self.active_at) = (active, at);
        }
        if let Some(structure) = descriptor.structure
            && at >= self.structure_at
        {
            (self.structure, self.structure_at) = (Some(structure), at);
        }
        Ok(frame)
    }

    /// Whether a frame belongs to a chain that protects an active decode target (A.6, `PartOfActiveChain`).
    pub fn is_in_active_chain(&self, frame: &Frame, chain: usize) -> bool {
        let Some(structure) = self.structure() else { return false };
        let protected = || (0..structure.decode_targets()).filter(|t| structure.chain(*t) == Some(chain));
        protected().any(|target| self.active >> target & 1 == 1)
            && protected().all(|target| {
                matches!(frame.indications.get(target), Indication::Switch | Indication::Required)
            })
    }
}

impl Frame {
    fn new(descriptor: &Descriptor, structure: &Structure) -> Result<Self, DependencyFault> {
        let template = structure.template(descriptor.template_id).ok_or(DependencyFault::UnknownTemplate)?;
        Ok(Self {
            number: descriptor.frame_number,
            start: descriptor.start,
            end: descriptor.end,
            new_structure: descriptor.structure.is_some(),
            spatial: template.spatial,
            temporal: template.temporal,
            indications: descriptor.indications.unwrap_or(template.indications),
            differences: descriptor.differences.unwrap_or(template.differences),
            chain_differences: descriptor.chain_differences.unwrap_or(template.chain_differences),
            resolution: structure.resolution(template.spatial),
        })
    }

    /// Whether it depends on no other frame.
    pub fn is_key(&self) -> bool {
        self.differences.as_slice().is_empty()
    }

    /// The numbers of the frames that it depends on.
    pub fn dependencies(&self) -> impl Iterator<Item = u16> + '_ {
        self.differences.as_slice().iter().map(|difference| self.number.wrapping_sub(*difference))
    }

    /// The number of a chain's last frame before this one; none where the chain begins with it.
    pub fn last_in_chain(&self, chain: usize) -> Option<u16> {
        let difference = self.chain_differences.get(chain).copied().filter(|difference| *difference > 0)?;
        Some(self.number.wrapping_sub(u16::from(difference)))
    }
}
