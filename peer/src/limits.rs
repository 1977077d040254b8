//! What a peer can make this end keep.

/// Sections in a description.
pub const SECTIONS: usize = 128;

/// Candidates that wait for the answer that their generation begins with.
pub const WAITING_CANDIDATES: usize = 64;
