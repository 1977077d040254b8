//! Two ends and a link between them, in virtual time (RFC 9260, RFC 8831).

mod channels;
mod data;
mod handshake;
mod link;
mod pair;
mod probing;
mod properties;
mod reliability;
mod resets;
mod seeds;
mod shutdown;
mod table;
