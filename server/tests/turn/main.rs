//! The relay of the running binary: conformance on the wire (RFC 8656), and what hostile clients cannot do.

mod conformance;
mod hostile;
mod program;
