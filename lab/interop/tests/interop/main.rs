//! Browsers call each other through the whole of twocan. One behaviour per file.

mod browsers;
mod call;
mod files;
mod live;
mod lobby;
mod screen;
mod server_dies;
