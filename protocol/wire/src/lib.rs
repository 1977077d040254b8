//! What every protocol crate says in common.
