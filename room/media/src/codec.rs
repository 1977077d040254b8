//! Codecs, by the system's own libraries: VP8 (RFC 6386) by libvpx, Opus (RFC 6716) by libopus. They are the cargo feature
//! `codec`.
//!
//! What is decoded is lent, not copied: a picture of [`Vp8Decoder::decode`] lies where libvpx has it, and can be given to a scaler
//! or to [`Vp8Encoder::encode`] as it is; sound is written to where the caller wants it. Nothing here has a clock or a thread: who
//! encodes in time, and how much, is for the caller to say.
//!
//! Frames to be decoded are hostile. libvpx and libopus are fuzzed by those who make them; what they leave to the caller is
//! bounded here: how large a picture may be ([`Vp8Decoder::new`]), how long a packet's sound ([`opus::MOST`]).
//!
//! The one place in the house where C is called, and so the one with `unsafe`: `vp8/shim.rs` and `opus/sys.rs`, nowhere else.
//! libvpx's structs differ from version to version, so `vp8/shim.c` is compiled against the headers that are there; libopus has
//! plain functions.

mod encoded;
mod fault;
pub mod opus;
mod vp8;

pub use encoded::{EncodedPictures, EncodedSound};
pub use fault::CodecError;
pub use opus::{OpusDecoder, OpusEncoder};
pub use vp8::{Vp8Decoder, Vp8Encoder, Vp8Settings};
