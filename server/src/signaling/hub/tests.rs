//! The hub from the outside: messages in, exact messages out.

mod world;

mod joining;
