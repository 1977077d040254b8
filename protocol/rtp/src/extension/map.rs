//! Which local id means which extension (RFC 8285 §5).

use std::error::Error;
use std::fmt;

use super::Kind;

const KINDS: usize = Kind::ALL.len();
/// Ids below this one are looked up at once.
const LOW: usize = 16;

/// What offer and answer agreed about extensions: local ids from 1 to 255, and what each means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ExtensionMap {
    /// By kind; 0 for none.
    ids: [u8; KINDS],
    /// The same by id, for those that browsers give.
    low: [Option<Kind>; LOW],
    mixed: bool,
}

/// An id that no extension can have: 0, or one that another has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadId(pub u8);

impl fmt::Display for BadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "give the extension another id than {}: it is 0 or taken", self.0)
    }
}

impl Error for BadId {}

impl Default for ExtensionMap {
    /// Without any extension; both forms may be mixed.
    fn default() -> Self {
        Self { ids: [0; KINDS], low: [None; LOW], mixed: true }
    }
}

impl ExtensionMap {
    /// Has `id` mean `kind`, which had another id before or none.
    pub fn insert(&mut self, id: u8, kind: Kind) -> Result<(), BadId> {
        if id == 0 || self.kind(id).is_some_and(|taken| taken != kind) {
            return Err(BadId(id));
        }
        let before = usize::from(self.ids[kind as usize]);
        if let Some(low) = self.low.get_mut(before) {
            *low = None;
        }
        self.ids[kind as usize] = id;
        if let Some(low) = self.low.get_mut(usize::from(id)) {
            *low = Some(kind);
        }
        Ok(())
    }

    /// Says whether the other end reads packets of the two-byte form beside those of the one-byte form
    /// (`a=extmap-allow-mixed`). If not, what needs two bytes is left out.
    pub fn set_mixed(&mut self, mixed: bool) {
        self.mixed = mixed;
    }

    /// See [`ExtensionMap::set_mixed`].
    #[inline]
    pub fn is_mixed(&self) -> bool {
        self.mixed
    }

    /// The id of an extension.
    #[inline]
    pub fn id(&self, kind: Kind) -> Option<u8> {
        Some(self.ids[kind as usize]).filter(|id| *id != 0)
    }

    /// The extension of an id.
    #[inline]
    pub fn kind(&self, id: u8) -> Option<Kind> {
        if let Some(low) = self.low.get(usize::from(id)) {
            return *low;
        }
        Kind::ALL.iter().copied().find(|kind| self.ids[*kind as usize] == id)
    }

    /// Ids and extensions, in the order of [`Kind`].
    pub fn iter(&self) -> impl Iterator<Item = (u8, Kind)> + '_ {
        Kind::ALL.iter().filter_map(|kind| Some((self.id(*kind)?, *kind)))
    }
}

impl fmt::Debug for ExtensionMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_both_ways() {
        let mut map = ExtensionMap::default();
        assert_eq!(map.insert(0, Kind::Mid), Err(BadId(0)));
        assert_eq!(map.insert(3, Kind::Mid), Ok(()));
        assert_eq!(map.insert(3, Kind::AudioLevel), Err(BadId(3)));
        assert_eq!(map.insert(200, Kind::AudioLevel), Ok(()));
        assert_eq!(map.insert(200, Kind::ColorSpace), Err(BadId(200)));
        assert_eq!(map.kind(200), Some(Kind::AudioLevel));
        assert_eq!(map.insert(9, Kind::Mid), Ok(()));
        assert_eq!((map.kind(3), map.kind(9), map.id(Kind::Mid)), (None, Some(Kind::Mid), Some(9)));
        assert_eq!(map.kind(0), None);
        assert_eq!(map.iter().collect::<Vec<_>>(), [(200, Kind::AudioLevel), (9, Kind::Mid)]);
    }

    #[test]
    fn every_kind_is_found_by_its_uri() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_uri(kind.uri()), Some(*kind));
        }
        assert_eq!(Kind::from_uri("urn:example"), None);
    }
}
