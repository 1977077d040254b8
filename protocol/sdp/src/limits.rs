//! What is read at most: a description comes from a stranger (RFC 8866 §7).
//!
//! Reading takes memory in proportion to the text and time nearly so; with these bounds a description holds at
//! most a few megabytes.

/// Bytes of a description. Browsers' offers have 3,000 to 8,000 bytes per media section at most.
pub const MAX_BYTES: usize = 1 << 20;

/// Lines of a description, empty ones included.
pub const MAX_LINES: usize = 20_000;

/// Media sections of a description.
pub const MAX_SECTIONS: usize = 1_000;

/// Lines that [`Description::salvage`](crate::Description::salvage) leaves out before it gives up.
pub const MAX_FAULTS: usize = 100;
