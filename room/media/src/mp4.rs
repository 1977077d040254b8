//! MP4 (ISO/IEC 14496-12; 14496-15 for H.264 and H.265; AOM's binding for AV1; Opus in ISOBMFF for Opus; the WebM project's
//! for VP8 and VP9).

mod boxes;
mod fragment;
mod read;
mod samples;
mod tracks;
mod write;

pub use read::Mp4Reader;
pub use write::Mp4Writer;

#[cfg(test)]
mod tests;
