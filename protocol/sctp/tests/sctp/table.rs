//! Throughput over rate, round trip, loss and reordering, as a table that is checked in: what changes it
//! shows up as a diff. Written anew with `SCTP_TABLE=write cargo test --release -p twocan-sctp table`.
