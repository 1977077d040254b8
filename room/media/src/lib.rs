//! Media as files have it: frames out of IVF, Ogg, WebM, Matroska, MP4 and H.264's own byte stream, and into IVF, Ogg, WebM and
//! MP4; a test picture with a beep; and out of Y4M and WAV what nothing has encoded yet. No codec's library is needed for any of
//! it: what encodes and decodes is the module `codec`, which is there with the cargo feature of that name.
//!
//! A room's crate: no clock, no runtime, no network; what is read and written is whatever implements [`std::io::Read`] and
//! [`std::io::Write`]. Files are hostile: nothing is believed of a length but what comes, no frame and no table has more than
//! 16 MiB, and what is cut off at the end counts as far as it is whole.
//!
//! ```
//! use std::io::Cursor;
//! use std::time::Duration;
//!
//! use twocan_media::{Container, Frame, Track, create, open};
//! use rtp::codec::Codec;
//!
//! let frame = Frame { track: 0, time: Duration::ZERO, key: true, bytes: vec![0xFC; 60].into() };
//! let mut file = Cursor::new(Vec::new());
//! let mut sink = create(Container::WebM, &mut file, &[Track::new(Codec::Opus)])?;
//! sink.write_frame(&frame)?;
//! sink.finish()?;
//! drop(sink);
//!
//! let mut source = open(Cursor::new(file.into_inner()))?;
//! assert_eq!(source.tracks()[0].codec, Codec::Opus);
//! assert_eq!(source.next_frame()?, Some(frame));
//! assert_eq!(source.next_frame()?, None);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod annexb;
mod bits;
#[cfg(feature = "codec")]
pub mod codec;
mod container;
mod fault;
mod form;
mod frame;
mod input;
mod ivf;
mod mp4;
mod ogg;
mod pattern;
pub mod picture;
mod stream;
pub mod wav;
mod webm;
mod wishes;
pub mod y4m;

pub use annexb::AnnexBReader;
pub use container::{Container, FrameSink, FrameSource, create, open, open_stream};
pub use fault::{ReadError, WriteError};
pub use frame::{Frame, Track};
pub use ivf::{IvfReader, IvfWriter};
pub use mp4::{Mp4Reader, Mp4Writer};
pub use ogg::{OggReader, OggWriter};
pub use pattern::{Color, FlatVp8, Pattern};
pub use picture::{I420, I420Buffer};
pub use wav::WavReader;
pub use webm::{WebMReader, WebMWriter};
pub use wishes::Wishes;
pub use y4m::Y4mReader;
