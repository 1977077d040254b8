//! The structure of a stream: its templates, decode targets and chains (AV1's RTP payload format A.8.2,
//! `template_dependency_structure`; RFC 8285 carries it).

use super::bits::{BitReader, BitWriter};
use super::{
    DependencyFault, Differences, Indications, MAX_DECODE_TARGETS, MAX_SPATIAL, MAX_TEMPLATES, MAX_TEMPORAL,
};

/// What many frames of a stream have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// The spatial layer.
    pub spatial: u8,
    /// The temporal layer.
    pub temporal: u8,
    /// What such a frame is to each decode target.
    pub indications: Indications,
    /// How many frames back the frames are that it depends on; in a template each is 1 to 16.
    pub differences: Differences,
    /// For each chain, how many frames back its last one is: 0 to 15 in a template.
    pub chain_differences: [u8; MAX_DECODE_TARGETS],
}

/// The largest picture of a spatial layer, in pixels: 1 to 65,536 each way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "width and height")]
pub struct Resolution {
    pub width: u32,
    pub height: u32,
}

/// How the frames of a coded video sequence may depend on each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Structure {
    template_id_offset: u8,
    decode_targets: u8,
    chains: u8,
    /// By decode target; of meaning where there are chains.
    protected_by: [u8; MAX_DECODE_TARGETS],
    /// 1 to 64, in the order of their layers.
    templates: Vec<Template>,
    /// By spatial layer; either all have one or none has.
    resolutions: Vec<Resolution>,
    /// Spatial and temporal layer by decode target.
    layers: [(u8, u8); MAX_DECODE_TARGETS],
}

impl Structure {
    /// A structure of these parts.
    ///
    /// `template_id_offset` is the id of the first template: 0 to 63, and such that a stream's next structure has other
    /// ids than the one before. `protected_by` has the chain of each decode target, 1 to 32 of them; chains are numbered
    /// from 0 to `chains`, and where there are none it is the number of targets alone that counts. Templates stand in the
    /// order of spatial and then temporal layers. There is a resolution for each spatial layer, or none at all.
    pub fn new(
        template_id_offset: u8,
        protected_by: &[u8],
        chains: u8,
        templates: Vec<Template>,
        resolutions: Vec<Resolution>,
    ) -> Result<Self, DependencyFault> {
        let mut targets = [0; MAX_DECODE_TARGETS];
        let valid = 1..=MAX_DECODE_TARGETS;
        if !valid.contains(&protected_by.len()) || usize::from(chains) > protected_by.len() {
            return Err(DependencyFault::Chains);
        }
        if chains > 0 {
            targets[..protected_by.len()].copy_from_slice(protected_by);
        }
        let of_16 = |template: &Template| template.differences.as_slice().iter().all(|value| *value <= 16);
        if !templates.iter().all(of_16) {
            return Err(DependencyFault::Dependencies);
        }
        let mut structure = Self {
            template_id_offset: template_id_offset & 0x3F,
            decode_targets: protected_by.len() as u8,
            chains,
            protected_by: targets,
            templates,
            resolutions,
            layers: [(0, 0); MAX_DECODE_TARGETS],
        };
        structure.check()?;
        Ok(structure)
    }

    /// What both reading and making one must see to.
    fn check(&mut self) -> Result<(), DependencyFault> {
        if !(1..=MAX_TEMPLATES).contains(&self.templates.len()) {
            return Err(DependencyFault::Templates);
        }
        let first = &self.templates[0];
        let follow = self.templates.windows(2).all(|pair| next_layer(&pair[0], &pair[1]).is_some());
        let within =
            |template: &Template| template.spatial <= MAX_SPATIAL && template.temporal <= MAX_TEMPORAL;
        let resolutions = self.resolutions.len();
        let all = resolutions == 0 || resolutions == usize::from(self.max_spatial()) + 1;
        if (first.spatial, first.temporal) != (0, 0) || !follow || !self.templates.iter().all(within) || !all
        {
            return Err(DependencyFault::Layers);
        }
        let targets = &self.protected_by[..usize::from(self.decode_targets)];
        if self.chains > 0 && targets.iter().any(|chain| *chain >= self.chains) {
            return Err(DependencyFault::Chains);
        }
        for (target, layer) in self.layers.iter_mut().enumerate() {
            for template in &self.templates {
                if template.indications.get(target) != super::Indication::NotPresent {
                    *layer = (layer.0.max(template.spatial), layer.1.max(template.temporal));
                }
            }
        }
        Ok(())
    }

    /// How many decode targets there are: 1 to 32.
    pub fn decode_targets(&self) -> usize {
        usize::from(self.decode_targets)
    }

    /// A bit for each of them.
    pub fn all_targets(&self) -> u32 {
        u32::MAX >> (MAX_DECODE_TARGETS as u32 - u32::from(self.decode_targets))
    }

    /// The spatial and temporal layer of a decode target: the highest among its frames.
    pub fn layer(&self, target: usize) -> Option<(u8, u8)> {
        self.layers[..self.decode_targets()].get(target).copied()
    }

    /// The chain that protects a decode target.
    pub fn chain(&self, target: usize) -> Option<usize> {
        let chain = self.protected_by[..self.decode_targets()].get(target)?;
        (self.chains > 0).then_some(usize::from(*chain))
    }

    /// How many chains there are: 0 to 32, and no more than decode targets.
    pub fn chains(&self) -> usize {
        usize::from(self.chains)
    }

    /// The templates.
    pub fn templates(&self) -> &[Template] {
        &self.templates
    }

    /// The template of an id.
    #[inline]
    pub fn template(&self, id: u8) -> Option<&Template> {
        self.templates.get(usize::from(id.wrapping_sub(self.template_id_offset) & 0x3F))
    }

    /// The id of the template at an index.
    pub fn template_id(&self, index: u8) -> u8 {
        self.template_id_offset.wrapping_add(index) & 0x3F
    }

    /// The highest spatial layer.
    pub fn max_spatial(&self) -> u8 {
        self.templates.last().map_or(0, |template| template.spatial)
    }

    /// The largest picture of a spatial layer, where it is said.
    pub fn resolution(&self, spatial: u8) -> Option<Resolution> {
        self.resolutions.get(usize::from(spatial)).copied()
    }

    pub(super) fn read(reader: &mut BitReader<'_>) -> Result<Self, DependencyFault> {
        let template_id_offset = reader.f(6)? as u8;
        let decode_targets = reader.f(5)? as u8 + 1;
        let mut templates = Vec::new();
        let mut template = Template::default();
        loop {
            if templates.len() == MAX_TEMPLATES {
                return Err(DependencyFault::Templates);
            }
            templates.push(template);
            match reader.f(2)? {
                0 => {}
                1 => template.temporal += 1,
                2 => (template.spatial, template.temporal) = (template.spatial + 1, 0),
                _ => break,
            }
        }
        for template in &mut templates {
            template.indications = read_indications(reader, decode_targets)?;
        }
        for template in &mut templates {
            while reader.flag()? {
                template.differences.push(reader.f(4)? as u16 + 1)?;
            }
        }
        let chains = reader.ns(u32::from(decode_targets) + 1)? as u8;
        let mut protected_by = [0; MAX_DECODE_TARGETS];
        if chains > 0 {
            for chain in &mut protected_by[..usize::from(decode_targets)] {
                *chain = reader.ns(u32::from(chains))? as u8;
            }
            for template in &mut templates {
                for difference in &mut template.chain_differences[..usize::from(chains)] {
                    *difference = reader.f(4)? as u8;
                }
            }
        }
        let mut resolutions = Vec::new();
        if reader.flag()? {
            for _ in 0..=template.spatial.min(MAX_SPATIAL) {
                resolutions.push(Resolution { width: reader.f(16)? + 1, height: reader.f(16)? + 1 });
            }
        }
        let layers = [(0, 0); MAX_DECODE_TARGETS];
        let mut structure =
            Self { template_id_offset, decode_targets, chains, protected_by, templates, resolutions, layers };
        structure.check()?;
        Ok(structure)
    }

    pub(super) fn write(&self, writer: &mut BitWriter<'_>) {
        writer.f(6, u32::from(self.template_id_offset));
        writer.f(5, u32::from(self.decode_targets) - 1);
        for pair in self.templates.windows(2) {
            writer.f(2, next_layer(&pair[0], &pair[1]).unwrap_or(0));
        }
        writer.f(2, 3);
        for template in &self.templates {
            write_indications(writer, template.indications, self.decode_targets());
        }
        for template in &self.templates {
            for difference in template.differences.as_slice() {
                writer.flag(true);
                writer.f(4, u32::from(*difference) - 1);
            }
            writer.flag(false);
        }
        writer.ns(u32::from(self.decode_targets) + 1, u32::from(self.chains));
        if self.chains > 0 {
            for chain in &self.protected_by[..self.decode_targets()] {
                writer.ns(u32::from(self.chains), u32::from(*chain));
            }
            for template in &self.templates {
                for difference in &template.chain_differences[..self.chains()] {
                    writer.f(4, u32::from(*difference));
                }
            }
        }
        writer.flag(!self.resolutions.is_empty());
        for Resolution { width, height } in &self.resolutions {
            writer.f(16, width.saturating_sub(1));
            writer.f(16, height.saturating_sub(1));
        }
    }
}

/// `next_layer_idc` between two templates (Table A.2); none where the second cannot follow the first.
fn next_layer(one: &Template, next: &Template) -> Option<u32> {
    match (next.spatial.checked_sub(one.spatial)?, next.temporal.checked_sub(one.temporal)) {
        (0, Some(0)) => Some(0),
        (0, Some(1)) => Some(1),
        (1, _) if next.temporal == 0 => Some(2),
        _ => None,
    }
}

pub(super) fn read_indications(
    reader: &mut BitReader<'_>,
    targets: u8,
) -> Result<Indications, DependencyFault> {
    let mut indications = Indications::default();
    for target in 0..targets {
        indications.0 |= u64::from(reader.f(2)?) << (2 * target);
    }
    Ok(indications)
}

pub(super) fn write_indications(writer: &mut BitWriter<'_>, indications: Indications, targets: usize) {
    (0..targets).for_each(|target| writer.f(2, indications.get(target) as u32));
}
