//! Ours in a call with everybody else: offered by them and by us, data both ways, closed by either.

mod dcsctp;
mod film;
mod media;
mod stacks;
mod streams;
