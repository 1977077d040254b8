//! The Rust side of `shim.c`: each function of it once, behind types that own what libvpx makes.
#![expect(unsafe_code, reason = "libvpx is written in C")]

use std::ptr::NonNull;

use crate::codec::CodecError;
use crate::picture::{I420, Plane};

/// As in `shim.c`, where each field is told.
#[repr(C)]
pub(super) struct Settings {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) duration: u32,
    pub(super) kilobits: u32,
    pub(super) key_interval: u32,
    pub(super) threads: u32,
    pub(super) speed: i32,
    pub(super) drop_below: u32,
}

/// As in `shim.c`.
#[repr(C)]
struct Picture {
    width: u32,
    height: u32,
    planes: [*const u8; 3],
    strides: [u32; 3],
}

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

// SAFETY: these are the functions of shim.c, with the types that they have there.
unsafe extern "C" {
    fn twocan_vp8_encoder_new(settings: *const Settings, made: *mut Option<NonNull<RawEncoder>>) -> i32;
    fn twocan_vp8_encoder_free(encoder: NonNull<RawEncoder>);
    fn twocan_vp8_encoder_set_kilobits(encoder: NonNull<RawEncoder>, kilobits: u32) -> i32;
    fn twocan_vp8_encode(
        encoder: NonNull<RawEncoder>,
        picture: *const Picture,
        ticks: i64,
        duration: u32,
        is_key: i32,
        frame: *mut *const u8,
        length: *mut usize,
        is_key_frame: *mut i32,
    ) -> i32;
    fn twocan_vp8_decoder_new(threads: u32, made: *mut Option<NonNull<RawDecoder>>) -> i32;
    fn twocan_vp8_decoder_free(decoder: NonNull<RawDecoder>);
    fn twocan_vp8_decode(
        decoder: NonNull<RawDecoder>,
        frame: *const u8,
        length: u32,
        picture: *mut Picture,
    ) -> i32;
}

/// `vpx_codec_err_t`.
fn check(error: i32) -> Result<(), CodecError> {
    match error {
        0 => Ok(()),
        2 => Err(CodecError::Memory),
        // Of no version that there is, with a feature that there is not, damaged.
        5..=7 => Err(CodecError::Malformed),
        other => Err(CodecError::Library(other)),
    }
}

/// Owns an encoder of libvpx.
#[derive(Debug)]
pub(super) struct Encoder(NonNull<RawEncoder>);

// SAFETY: libvpx keeps all that belongs to an encoder behind this pointer, and nothing that belongs to a thread; its functions
// are called by one thread at a time, as each takes `&mut self`.
unsafe impl Send for Encoder {}

impl Encoder {
    pub(super) fn new(settings: &Settings) -> Result<Self, CodecError> {
        let mut made = None;
        // SAFETY: both pointers are to what lives until the function returns.
        check(unsafe { twocan_vp8_encoder_new(settings, &raw mut made) })?;
        made.map(Self).ok_or(CodecError::Memory)
    }

    pub(super) fn set_kilobits(&mut self, kilobits: u32) -> Result<(), CodecError> {
        // SAFETY: the encoder is ours, and not freed before we are dropped.
        check(unsafe { twocan_vp8_encoder_set_kilobits(self.0, kilobits) })
    }

    /// A frame, and whether it is a key frame; it lies in the encoder. The picture has the size of the settings.
    pub(super) fn encode(
        &mut self,
        picture: &I420<'_>,
        ticks: i64,
        duration: u32,
        is_key: bool,
    ) -> Result<Option<(&[u8], bool)>, CodecError> {
        let (width, height) = (picture.width(), picture.height());
        let planes = picture.planes().map(|plane| plane.bytes.as_ptr());
        let mut strides = [0; 3];
        for (stride, plane) in strides.iter_mut().zip(picture.planes()) {
            // They are C's signed numbers there.
            let fits = i32::try_from(plane.stride).map_err(|_| CodecError::Size { width, height })?;
            *stride = fits.unsigned_abs();
        }
        let picture = Picture { width, height, planes, strides };
        let (mut frame, mut length, mut is_key_frame) = (std::ptr::null(), 0, 0);
        // SAFETY: the encoder is ours. An `I420` has as many bytes behind each plane's pointer as its size and strides need,
        // which is all that libvpx reads, before the function returns; the others are pointers to variables of ours.
        check(unsafe {
            twocan_vp8_encode(
                self.0,
                &raw const picture,
                ticks,
                duration,
                is_key.into(),
                &raw mut frame,
                &raw mut length,
                &raw mut is_key_frame,
            )
        })?;
        if length == 0 || frame.is_null() {
            return Ok(None);
        }
        // SAFETY: libvpx says that so many bytes are there, and leaves them until the encoder is used again, for which
        // whoever does it must give this borrow back.
        let bytes = unsafe { std::slice::from_raw_parts(frame, length) };
        Ok(Some((bytes, is_key_frame != 0)))
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: it is ours, and nobody uses it afterwards.
        unsafe { twocan_vp8_encoder_free(self.0) };
    }
}

/// Owns a decoder of libvpx.
#[derive(Debug)]
pub(super) struct Decoder(NonNull<RawDecoder>);

// SAFETY: as for the encoder.
unsafe impl Send for Decoder {}

impl Decoder {
    pub(super) fn new(threads: u32) -> Result<Self, CodecError> {
        let mut made = None;
        // SAFETY: the pointer is to what lives until the function returns.
        check(unsafe { twocan_vp8_decoder_new(threads, &raw mut made) })?;
        made.map(Self).ok_or(CodecError::Memory)
    }

    /// A picture, which lies in the decoder.
    pub(super) fn decode(&mut self, frame: &[u8]) -> Result<Option<I420<'_>>, CodecError> {
        let length = u32::try_from(frame.len()).map_err(|_| CodecError::Malformed)?;
        let mut picture = Picture { width: 0, height: 0, planes: [std::ptr::null(); 3], strides: [0; 3] };
        // SAFETY: the decoder is ours; so many bytes of the frame are there, and libvpx does not keep them; the picture is a
        // variable of ours.
        check(unsafe { twocan_vp8_decode(self.0, frame.as_ptr(), length, &raw mut picture) })?;
        let Picture { width, height, planes: [y, u, v], strides: [y_stride, u_stride, v_stride] } = picture;
        if width == 0 || height == 0 || [y, u, v].iter().any(|plane| plane.is_null()) {
            return Ok(None);
        }
        let plane = |first: *const u8, stride: u32, width: u32, height: u32| {
            let stride = stride as usize;
            let length = stride * (height as usize - 1) + width as usize;
            // SAFETY: libvpx says that there are so many rows of so many pixels, a stride apart, and leaves them until the
            // decoder is used again, for which whoever does it must give this borrow back.
            Plane { bytes: unsafe { std::slice::from_raw_parts(first, length) }, stride }
        };
        let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
        let planes = [
            plane(y, y_stride, width, height),
            plane(u, u_stride, half_width, half_height),
            plane(v, v_stride, half_width, half_height),
        ];
        I420::new(width, height, planes).ok_or(CodecError::Malformed).map(Some)
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: it is ours, and nobody uses it afterwards.
        unsafe { twocan_vp8_decoder_free(self.0) };
    }
}
