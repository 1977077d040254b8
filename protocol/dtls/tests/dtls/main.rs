//! Whole connections: of two of our ends over a bad network, of one of ours with other people's implementations, and
//! of one of ours with somebody who means ill.

use twocan_dtls as dtls;

mod agreement;
mod early;
mod ends;
mod fingerprints;
mod hostile;
mod link;
mod others;
mod sameness;
mod weather;
