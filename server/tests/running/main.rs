//! The binary itself, started as a person would start it, and spoken to over its sockets.

mod acme;
mod authority;
mod calls;
mod certificates;
mod client;
mod command_line;
mod crowd;
mod files;
mod hostile;
mod invitations;
mod over_tcp;
mod program;
mod raw_files;
mod recordings;
mod shared_port;
mod signaling;
mod spread;
mod stopping;
mod streams;
mod tampering;
mod terminal;
mod tls;
mod web;
