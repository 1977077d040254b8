//! What is in a room has numbers, of which none is given twice.

macro_rules! ids {
    ($($(#[doc = $text:literal])+ $name:ident,)*) => {
        $(
            $(#[doc = $text])+
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
            pub struct $name(pub(crate) u32);
        )*
    };
}

ids! {
    /// Somebody in a room.
    ParticipantId,
    /// A track that somebody sends into a room.
    PublicationId,
    /// Somebody's wish for a publication.
    SubscriptionId,
}

/// What has numbers, in their order.
#[derive(Debug)]
pub(crate) struct Roll<T> {
    next: u32,
    entries: Vec<(u32, T)>,
    limit: usize,
}

impl<T> Roll<T> {
    pub(crate) fn new(limit: usize) -> Self {
        Self { next: 0, entries: Vec::new(), limit }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.entries.len() >= self.limit || self.next == u32::MAX
    }

    /// Its number. Whoever asks has looked whether there is room.
    pub(crate) fn push(&mut self, value: T) -> u32 {
        let number = self.next;
        self.next = number.saturating_add(1);
        self.entries.push((number, value));
        number
    }

    fn position(&self, number: u32) -> Option<usize> {
        self.entries.binary_search_by_key(&number, |(known, _)| *known).ok()
    }

    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        self.entries.get(self.position(number)?).map(|(_, value)| value)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        let at = self.position(number)?;
        self.entries.get_mut(at).map(|(_, value)| value)
    }

    pub(crate) fn remove(&mut self, number: u32) -> Option<T> {
        let at = self.position(number)?;
        Some(self.entries.remove(at).1)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All numbers.
    pub(crate) fn numbers(&self) -> Vec<u32> {
        self.entries.iter().map(|(number, _)| *number).collect()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (u32, &mut T)> {
        self.entries.iter_mut().map(|(number, value)| (*number, value))
    }
}
