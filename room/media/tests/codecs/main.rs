//! Codecs, there and back: what is decoded is what was encoded, nearly; and decoders bear whatever comes.
#![cfg(feature = "codec")]

mod files;
mod sound;
mod vp8;
