//! Which section and which encoding a source belongs to (RFC 9143 §9.2, RFC 8852 §3.3).

use std::sync::Arc;

use rtp::extension::{ExtensionMap, Mid, RepairedRtpStreamId, RtpStreamId};
use rtp::{Header, Ssrc};

use crate::media::{Agreement, TransceiverId};

/// A section, as far as receiving needs it.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) transceiver: TransceiverId,
    pub(crate) mid: Box<str>,
    pub(crate) agreement: Arc<Agreement>,
}

/// What a source carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) transceiver: TransceiverId,
    pub(crate) encoding: usize,
    /// Whether it carries retransmissions of that, not that.
    pub(crate) repairs: bool,
}

/// All sections of a transport.
#[derive(Debug, Default)]
pub(crate) struct Sections {
    all: Vec<Section>,
    /// The numbers of header extensions: the same in all sections (RFC 9143 §7.4).
    pub(crate) extensions: ExtensionMap,
}

impl Sections {
    pub(crate) fn new(all: Vec<Section>) -> Self {
        let mut extensions = ExtensionMap::default();
        for (id, kind) in all.iter().flat_map(|section| section.agreement.extensions.iter()) {
            // The first meaning counts.
            let _ = extensions.insert(id, kind);
        }
        Self { all, extensions }
    }

    pub(crate) fn get(&self, transceiver: TransceiverId) -> Option<&Section> {
        self.all.iter().find(|section| section.transceiver == transceiver)
    }

    /// Where a packet of a source that is not known yet belongs.
    pub(crate) fn route(&self, header: Header<'_>) -> Option<Route> {
        let section = match header.read::<Mid<'_>>(&self.extensions) {
            Some(Mid(mid)) => self.all.iter().find(|section| section.mid.as_bytes() == mid),
            None => self.announced(header.ssrc()).or_else(|| self.only_with(header)),
        }?;
        let (_, repairs) = section.agreement.received(header.payload_type())?;
        let rids = &section.agreement.receive_rids;
        let place = |rid: &[u8]| rids.iter().position(|known| known.as_bytes() == rid);
        let named = match repairs {
            true => header
                .read::<RepairedRtpStreamId<'_>>(&self.extensions)
                .map(|RepairedRtpStreamId(rid)| place(rid)),
            false => header.read::<RtpStreamId<'_>>(&self.extensions).map(|RtpStreamId(rid)| place(rid)),
        };
        let encoding = match named {
            Some(place) => place?,
            // Of several it must be said which.
            None if rids.len() > 1 => return None,
            None => 0,
        };
        Some(Route { transceiver: section.transceiver, encoding, repairs })
    }

    /// The section in whose description a source is.
    fn announced(&self, ssrc: Ssrc) -> Option<&Section> {
        self.all.iter().find(|section| {
            let mut sources = section.agreement.sources.iter();
            sources.any(|source| source.ssrc == ssrc || source.retransmission == Some(ssrc))
        })
    }

    /// The only section that has a payload type.
    fn only_with(&self, header: Header<'_>) -> Option<&Section> {
        let mut with =
            self.all.iter().filter(|section| section.agreement.received(header.payload_type()).is_some());
        with.next().filter(|_| with.next().is_none())
    }
}
