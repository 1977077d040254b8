//! Two peer connections over a simulated network, in virtual time. One behaviour per file.

mod channels;
mod descriptions;
mod paths;
mod rounds;
mod snap;
mod world;
