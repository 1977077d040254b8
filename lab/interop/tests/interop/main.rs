//! Browsers call each other through the whole of twocan. One behaviour per file.

mod browsers;
mod call;
mod carrier;
mod devices;
mod direct;
mod encoded_files;
mod encrypted;
mod files;
mod folders;
mod forwarded;
mod live;
mod lobby;
mod nat;
mod relayed;
mod rust_peer;
mod screen;
mod sealed;
mod server_dies;
mod streamed_files;
mod streams;
mod terminal;
