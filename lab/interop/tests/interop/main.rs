//! Browsers call each other through the whole of twocan. One behaviour per file.

mod browsers;
