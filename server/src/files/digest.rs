//! A file's checksum: the Merkle tree hash of RFC 9162 §2.1.1 with SHA-256 over blocks of 1 MiB, the last of which may be
//! shorter (`docs/files.md`). It grows while the bytes pass, and keeps one digest for each level of the tree.

use aws_lc_rs::digest::{Context, SHA256};

/// Bytes of file per leaf.
pub(crate) const LEAF: u64 = 1 << 20;

/// SHA-256's length.
pub(crate) type Digest = [u8; 32];

/// Domain separation of RFC 9162: a leaf can never pass for an inner node.
const LEAF_PREFIX: &[u8] = &[0];
const NODE_PREFIX: &[u8] = &[1];

/// The tree of the leaves so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct TreeHash {
    /// Full subtrees, largest first, no two of a size: how many leaves, and their hash.
    subtrees: Vec<(u64, Digest)>,
    leaves: u64,
}

impl TreeHash {
    /// How many leaves were added.
    pub(crate) fn leaves(&self) -> u64 {
        self.leaves
    }

    /// Adds the next block: 1 MiB, unless it is the file's last.
    pub(crate) fn add(&mut self, block: &[u8]) {
        let mut tree = (1, of(&[LEAF_PREFIX, block]));
        self.leaves += 1;
        while let Some(left) = self.subtrees.pop_if(|left| left.0 == tree.0) {
            tree = (left.0 + tree.0, of(&[NODE_PREFIX, &left.1, &tree.1]));
        }
        self.subtrees.push(tree);
    }

    /// The hash of all.
    pub(crate) fn finish(&self) -> Digest {
        let mut trees = self.subtrees.iter().rev();
        let Some((_, smallest)) = trees.next() else { return of(&[]) };
        trees.fold(*smallest, |right, (_, left)| of(&[NODE_PREFIX, left, &right]))
    }
}

fn of(parts: &[&[u8]]) -> Digest {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    // SHA-256 has 32 bytes.
    context.finish().as_ref().try_into().unwrap_or_default()
}

/// Hexadecimal.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or_default());
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the standard defines it, from the top down.
    fn by_definition(leaves: &[Vec<u8>]) -> Digest {
        match leaves {
            [] => of(&[]),
            [leaf] => of(&[LEAF_PREFIX, leaf]),
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                let (left, right) = leaves.split_at(split);
                of(&[NODE_PREFIX, &by_definition(left), &by_definition(right)])
            }
        }
    }

    #[test]
    fn it_is_the_standards_tree() {
        let leaves: Vec<Vec<u8>> = (0..70u8).map(|number| vec![number; 3]).collect();
        let mut hash = TreeHash::default();
        for (count, leaf) in leaves.iter().enumerate() {
            assert_eq!(hash.finish(), by_definition(&leaves[..count]), "{count} leaves");
            hash.add(leaf);
        }
        assert_eq!(hash.leaves(), 70);
        assert_eq!(
            to_hex(&TreeHash::default().finish()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
