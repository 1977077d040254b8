//! libopus's functions, behind types that own what it makes. They are plain functions of numbers and pointers, and have been the
//! same since its first version, so that nothing needs to be compiled.
#![expect(unsafe_code, reason = "libopus is written in C")]

use std::ffi::c_int;
use std::ptr::NonNull;

use super::{Channels, Content, RATE, SampleRate};
use crate::codec::CodecError;

/// What C knows of an encoder.
#[repr(C)]
struct RawEncoder {
    _opaque: [u8; 0],
}

/// What C knows of a decoder.
#[repr(C)]
struct RawDecoder {
    _opaque: [u8; 0],
}

// SAFETY: as `opus.h` has them; `opus_int32` is 32 bits.
unsafe extern "C" {
    fn opus_encoder_create(
        rate: i32,
        channels: c_int,
        application: c_int,
        error: *mut c_int,
    ) -> Option<NonNull<RawEncoder>>;
    fn opus_encoder_destroy(encoder: NonNull<RawEncoder>);
    fn opus_encoder_ctl(encoder: NonNull<RawEncoder>, request: c_int, ...) -> c_int;
    fn opus_encode_float(
        encoder: NonNull<RawEncoder>,
        samples: *const f32,
        each: c_int,
        packet: *mut u8,
        most: i32,
    ) -> i32;
    fn opus_decoder_create(rate: i32, channels: c_int, error: *mut c_int) -> Option<NonNull<RawDecoder>>;
    fn opus_decoder_destroy(decoder: NonNull<RawDecoder>);
    fn opus_decode_float(
        decoder: NonNull<RawDecoder>,
        packet: *const u8,
        length: i32,
        samples: *mut f32,
        each: c_int,
        fec: c_int,
    ) -> c_int;
}

/// What an encoder can be told, by the numbers of `opus_defines.h`; each takes an `opus_int32`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Setting {
    Bitrate = 4002,
    Fec = 4012,
    ExpectedLoss = 4014,
    Dtx = 4016,
}

/// A count, or an error (`OPUS_*`).
fn check(result: c_int) -> Result<usize, CodecError> {
    match result {
        // The caller's place is too small.
        -2 => Err(CodecError::Length(0)),
        -4 => Err(CodecError::Malformed),
        -7 => Err(CodecError::Memory),
        _ => usize::try_from(result).map_err(|_| CodecError::Library(result)),
    }
}

/// Owns an encoder of libopus.
#[derive(Debug)]
pub(super) struct Encoder(NonNull<RawEncoder>);

// SAFETY: libopus keeps all that belongs to an encoder behind this pointer, and nothing that belongs to a thread; its functions
// are called by one thread at a time, as each takes `&mut self`.
unsafe impl Send for Encoder {}

impl Encoder {
    pub(super) fn new(rate: SampleRate, channels: Channels, content: Content) -> Result<Self, CodecError> {
        let application = match content {
            Content::Speech => 2048,
            Content::Music => 2049,
        };
        let mut error = 0;
        // SAFETY: the pointer is to a variable of ours.
        let made = unsafe {
            opus_encoder_create(rate.hertz() as i32, channels.count() as c_int, application, &raw mut error)
        };
        check(error)?;
        made.map(Self).ok_or(CodecError::Memory)
    }

    pub(super) fn set(&mut self, setting: Setting, value: i32) -> Result<(), CodecError> {
        // SAFETY: the encoder is ours, and each of these requests takes one `opus_int32`.
        check(unsafe { opus_encoder_ctl(self.0, setting as c_int, value) }).map(drop)
    }

    /// A packet of `each` samples of each channel, which `samples` has; it is at the beginning of `packet`.
    pub(super) fn encode<'a>(
        &mut self,
        samples: &[f32],
        each: usize,
        packet: &'a mut [u8],
    ) -> Result<&'a [u8], CodecError> {
        let most = i32::try_from(packet.len()).unwrap_or(i32::MAX);
        // SAFETY: the encoder is ours; it reads `each` samples of each channel, which the caller has counted, and writes no more
        // than `most` bytes.
        let length = check(unsafe {
            opus_encode_float(self.0, samples.as_ptr(), each as c_int, packet.as_mut_ptr(), most)
        })?;
        Ok(packet.get(..length).unwrap_or_default())
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: it is ours, and nobody uses it afterwards.
        unsafe { opus_encoder_destroy(self.0) };
    }
}

/// Owns a decoder of libopus.
#[derive(Debug)]
pub(super) struct Decoder {
    raw: NonNull<RawDecoder>,
    channels: usize,
}

// SAFETY: as for the encoder.
unsafe impl Send for Decoder {}

impl Decoder {
    pub(super) fn new(channels: Channels) -> Result<Self, CodecError> {
        let mut error = 0;
        let channels = channels.count();
        // SAFETY: the pointer is to a variable of ours.
        let made = unsafe { opus_decoder_create(RATE as i32, channels as c_int, &raw mut error) };
        check(error)?;
        Ok(Self { raw: made.ok_or(CodecError::Memory)?, channels })
    }

    /// Writes what a packet says, or where there is none what it may have said, or with `fec` what it says of the one before:
    /// `each` samples of each channel at most. How many of each there are.
    pub(super) fn decode(
        &mut self,
        packet: &[u8],
        out: &mut [f32],
        each: usize,
        fec: bool,
    ) -> Result<usize, CodecError> {
        if each == 0 || out.len() < each * self.channels {
            return Err(CodecError::Length(out.len()));
        }
        let length = i32::try_from(packet.len()).map_err(|_| CodecError::Malformed)?;
        let first = if packet.is_empty() { std::ptr::null() } else { packet.as_ptr() };
        // SAFETY: the decoder is ours; so many bytes of the packet are there, none behind a null pointer; it writes at most
        // `each` samples of each channel, for which there is place.
        let count = unsafe {
            opus_decode_float(self.raw, first, length, out.as_mut_ptr(), each as c_int, fec.into())
        };
        match check(count) {
            Err(CodecError::Length(_)) => Err(CodecError::Length(out.len())),
            other => other,
        }
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: it is ours, and nobody uses it afterwards.
        unsafe { opus_decoder_destroy(self.raw) };
    }
}
