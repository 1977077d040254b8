//! A table for what hostile peers fill.

use std::borrow::Borrow;
use std::error::Error;
use std::fmt;
use std::hash::Hash;

use foldhash::quality::FixedState;

#[expect(
    clippy::disallowed_types,
    reason = "seeded by the caller, and its order cannot be seen from outside"
)]
type Map<K, V> = std::collections::HashMap<K, V, FixedState>;

/// A hash table for what hostile peers fill: it has a bound, its hash is seeded by the caller, and
/// its order cannot be observed.
///
/// Not iterable on purpose: the same inputs must give the same bytes out, whatever the seed.
pub struct Table<K, V> {
    map: Map<K, V>,
    limit: usize,
}

/// The table holds as many entries as its limit allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the table is at its limit")
    }
}

impl Error for Full {}

impl<K: Eq + Hash, V> Table<K, V> {
    /// An empty table of at most `limit` entries. `seed` should be unpredictable to peers.
    pub fn new(limit: usize, seed: u64) -> Self {
        Self { map: Map::with_hasher(FixedState::with_seed(seed)), limit }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// Whether a new key would be refused.
    pub fn is_full(&self) -> bool {
        self.map.len() >= self.limit
    }

    /// The value of `key`.
    pub fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.map.get(key)
    }

    /// The value of `key`, to change it.
    pub fn get_mut<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.map.get_mut(key)
    }

    /// Sets the value of `key` and returns the one before. A new key is refused when the table is full.
    pub fn insert(&mut self, key: K, value: V) -> Result<Option<V>, Full> {
        if self.is_full() && !self.map.contains_key(&key) {
            return Err(Full);
        }
        Ok(self.map.insert(key, value))
    }

    /// Forgets `key` and returns its value.
    pub fn remove<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.map.remove(key)
    }
}

impl<K, V> fmt::Debug for Table<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("len", &self.map.len()).field("limit", &self.limit).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_table_refuses_new_keys_and_takes_known_ones() {
        let mut table = Table::new(2, 1);
        assert_eq!(table.insert("a", 1), Ok(None));
        assert_eq!(table.insert("b", 2), Ok(None));
        assert_eq!(table.insert("c", 3), Err(Full));
        assert_eq!(table.insert("a", 4), Ok(Some(1)));
        assert_eq!(table.remove("b"), Some(2));
        assert_eq!(table.insert("c", 3), Ok(None));
        assert_eq!(table.get("c"), Some(&3));
    }
}
