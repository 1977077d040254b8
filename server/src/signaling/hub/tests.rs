//! The hub from the outside: messages in, exact messages out.

mod drain;
mod errors;
mod joining;
mod limits;
mod live;
mod lobby;
mod media;
mod messages;
mod model;
mod passwords;
mod resuming;
mod topology;
mod world;
