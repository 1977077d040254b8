//! Two agents in a simulated network, in virtual time: what RFC 8445 and its companions promise, asked as
//! wiring diagrams.

mod answers;
mod choices;
mod consent;
mod hostile;
mod lan;
mod lite;
mod names;
mod nat;
mod nats;
mod network;
mod pair;
mod properties;
mod restart;
mod rolls;
mod side;
mod tcp;
mod wire_format;
