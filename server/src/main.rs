//! The `twocan` binary.

fn main() {}
