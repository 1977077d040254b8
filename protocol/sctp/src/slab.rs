//! Places for values that are found again by a small number (the messages of RFC 9260 §6.9 that are being
//! sent, the streams in use).

/// Values by index; free places are used again.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    places: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    pub(crate) fn insert(&mut self, value: T) -> u32 {
        if let Some(index) = self.free.pop() {
            self.places[index as usize] = Some(value);
            return index;
        }
        if self.places.is_empty() {
            // Mostly there is one, and `Vec` would begin with four.
            self.places.reserve_exact(1);
        }
        self.places.push(Some(value));
        u32::try_from(self.places.len() - 1).unwrap_or(u32::MAX)
    }

    #[inline]
    pub(crate) fn get(&self, index: u32) -> Option<&T> {
        self.places.get(index as usize)?.as_ref()
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        self.places.get_mut(index as usize)?.as_mut()
    }

    pub(crate) fn remove(&mut self, index: u32) -> Option<T> {
        let value = self.places.get_mut(index as usize)?.take()?;
        self.free.push(index);
        Some(value)
    }

    /// The places in use.
    pub(crate) fn indices(&self) -> impl Iterator<Item = u32> {
        let places = self.places.iter().zip(0..);
        places.filter(|(place, _)| place.is_some()).map(|(_, index)| index)
    }

    /// Gives back memory, where nothing is kept any more.
    pub(crate) fn shrink(&mut self) {
        if self.free.len() == self.places.len() {
            *self = Self::default();
        }
    }
}

/// Values by stream: an index of two bytes for each number up to the highest in use, and the values of
/// those that are in use.
#[derive(Debug)]
pub(crate) struct ByStream<T> {
    index: Vec<u16>,
    values: Vec<(u16, T)>,
}

/// What stands in the index for a stream that is not in use. 65,535 streams fit.
const NONE: u16 = u16::MAX;

impl<T> Default for ByStream<T> {
    fn default() -> Self {
        Self { index: Vec::new(), values: Vec::new() }
    }
}

impl<T> ByStream<T> {
    #[inline]
    pub(crate) fn get(&self, stream: u16) -> Option<&T> {
        let place = *self.index.get(usize::from(stream))?;
        self.values.get(usize::from(place)).map(|(_, value)| value)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, stream: u16) -> Option<&mut T> {
        let place = *self.index.get(usize::from(stream))?;
        self.values.get_mut(usize::from(place)).map(|(_, value)| value)
    }

    /// The stream's value, made where there is none.
    pub(crate) fn get_or_insert_with(&mut self, stream: u16, make: impl FnOnce() -> T) -> &mut T {
        let index = usize::from(stream);
        if self.index.len() <= index {
            self.index.resize(index + 1, NONE);
        }
        let mut place = usize::from(self.index[index]);
        if place >= self.values.len() {
            place = self.values.len();
            self.index[index] = u16::try_from(place).unwrap_or(NONE);
            if place == 0 {
                self.values.reserve_exact(1);
            }
            self.values.push((stream, make()));
        }
        &mut self.values[place].1
    }

    /// Forgets the stream.
    pub(crate) fn remove(&mut self, stream: u16) -> Option<T> {
        let place = std::mem::replace(self.index.get_mut(usize::from(stream))?, NONE);
        if usize::from(place) >= self.values.len() {
            return None;
        }
        let (_, value) = self.values.swap_remove(usize::from(place));
        if let Some((moved, _)) = self.values.get(usize::from(place)) {
            self.index[usize::from(*moved)] = place;
        }
        Some(value)
    }

    /// Every stream in use.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (u16, &mut T)> {
        self.values.iter_mut().map(|(stream, value)| (*stream, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_found_after_others_left() {
        let mut streams = ByStream::default();
        for stream in [5, 0, 65535, 9] {
            assert_eq!(*streams.get_or_insert_with(stream, || stream), stream);
        }
        assert_eq!(streams.remove(0), Some(0));
        assert_eq!(streams.remove(0), None);
        assert_eq!(streams.remove(1), None);
        for stream in [5, 65535, 9] {
            assert_eq!(streams.get(stream), Some(&stream));
        }
        assert_eq!(streams.get(0), None);
        assert_eq!(streams.iter_mut().count(), 3);
    }

    #[test]
    fn places_are_used_again() {
        let mut slab = Slab::default();
        let (a, b) = (slab.insert("a"), slab.insert("b"));
        assert_eq!(slab.remove(a), Some("a"));
        assert_eq!(slab.remove(a), None);
        assert_eq!(slab.insert("c"), a);
        assert_eq!((slab.get(a), slab.get(b)), (Some(&"c"), Some(&"b")));
    }
}
