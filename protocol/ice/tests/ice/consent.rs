//! Later (RFC 8445).
