//! The binary itself, started as a person would start it, and spoken to over its sockets.

mod client;
mod command_line;
mod program;
mod shared_port;
mod signaling;
mod stopping;
mod web;
