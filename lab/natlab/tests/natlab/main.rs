//! What every NAT flavour, firewall and link of a lab promises, proven with datagrams. One promise per file.

mod filtering;
mod firewall;
mod hairpin;
mod lifecycle;
mod links;
mod mapping;
mod puppet;
