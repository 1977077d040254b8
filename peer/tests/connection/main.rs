//! Two peer connections over a simulated network, in virtual time. One behaviour per file.

mod bursts;
mod channels;
mod descriptions;
mod flow;
mod forks;
mod luck;
mod media;
mod narrow;
mod nats;
mod paths;
mod pipes;
mod properties;
mod relays;
mod rounds;
mod server;
mod snap;
mod stats;
mod streams;
mod world;
