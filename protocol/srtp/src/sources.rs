//! What is known of each source: the cryptographic contexts of RFC 3711 §3.2.3.

/// States by SSRC, up to a limit. Packets come in runs of one source, so the last one is looked at first; else it is
/// found by halving, which takes a dozen steps among the most there may be.
#[derive(Debug)]
pub(crate) struct Sources<S> {
    /// SSRCs in ascending order, each with the place of its state.
    order: Vec<(u32, u32)>,
    states: Vec<Entry<S>>,
    last: (u32, u32),
    limit: usize,
}

/// A source's state, behind its SSRC: who has kept the place finds both at once.
#[derive(Debug)]
#[repr(C)]
struct Entry<S> {
    ssrc: u32,
    state: S,
}

/// There are as many sources as may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl<S> Sources<S> {
    /// None yet, and never more than `limit`.
    pub(crate) fn new(limit: usize) -> Self {
        Self { order: Vec::new(), states: Vec::new(), last: (0, u32::MAX), limit }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.states.len() >= self.limit
    }

    /// The place of a source's state.
    #[inline]
    fn place(&mut self, ssrc: u32) -> Option<usize> {
        if self.last.0 != ssrc || self.last.1 == u32::MAX {
            let found = self.order.binary_search_by_key(&ssrc, |(ssrc, _)| *ssrc).ok()?;
            self.last = self.order[found];
        }
        usize::try_from(self.last.1).ok()
    }

    /// A source's state, to change it.
    #[inline]
    pub(crate) fn find(&mut self, ssrc: u32) -> Option<&mut S> {
        let place = self.place(ssrc)?;
        self.states.get_mut(place).map(|entry| &mut entry.state)
    }

    /// The same, where `kept` is its place if it was ever found with that.
    #[inline]
    pub(crate) fn find_near(&mut self, ssrc: u32, kept: &mut u32) -> Option<&mut S> {
        let mut place = usize::try_from(*kept).ok()?;
        if self.states.get(place).is_none_or(|entry| entry.ssrc != ssrc) {
            place = self.place(ssrc)?;
            *kept = u32::try_from(place).ok()?;
        }
        self.states.get_mut(place).map(|entry| &mut entry.state)
    }

    /// A source's state, to read it.
    pub(crate) fn get(&self, ssrc: u32) -> Option<&S> {
        let found = self.order.binary_search_by_key(&ssrc, |(ssrc, _)| *ssrc).ok()?;
        self.states.get(usize::try_from(self.order[found].1).ok()?).map(|entry| &entry.state)
    }

    /// Notes a source; one that is known gets this state.
    pub(crate) fn insert(&mut self, ssrc: u32, state: S) -> Result<(), Full> {
        match self.order.binary_search_by_key(&ssrc, |(ssrc, _)| *ssrc) {
            Ok(_) => {
                if let Some(known) = self.find(ssrc) {
                    *known = state;
                }
            }
            Err(_) if self.is_full() => return Err(Full),
            Err(place) => {
                let slot = u32::try_from(self.states.len()).map_err(|_| Full)?;
                self.order.insert(place, (ssrc, slot));
                self.states.push(Entry { ssrc, state });
                self.last = (ssrc, slot);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_found_whatever_their_order() {
        let mut sources = Sources::new(3);
        assert_eq!(sources.find(0), None);
        assert_eq!(sources.insert(u32::MAX, 'a'), Ok(()));
        assert_eq!(sources.insert(0, 'b'), Ok(()));
        assert_eq!(sources.insert(7, 'c'), Ok(()));
        assert_eq!(sources.insert(8, 'd'), Err(Full));
        assert_eq!(sources.insert(0, 'e'), Ok(()));
        let states = [u32::MAX, 0, 7, 8].map(|ssrc| sources.find(ssrc).copied());
        assert_eq!(states, [Some('a'), Some('e'), Some('c'), None]);
        assert_eq!((sources.get(0), sources.get(8)), (Some(&'e'), None));
        let mut kept = u32::MAX;
        for (ssrc, state, place) in [(7, 'c', 2), (7, 'c', 2), (0, 'e', 1), (u32::MAX, 'a', 0)] {
            assert_eq!(sources.find_near(ssrc, &mut kept).copied(), Some(state));
            assert_eq!(kept, place);
        }
        assert_eq!(sources.find_near(8, &mut kept), None);
    }
}
