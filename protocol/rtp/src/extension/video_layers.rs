//! What bitrate, size and frame rate each layer of a video has: an extension that no RFC describes (RFC 8285 carries it),
//! libwebrtc does.
//!
//! ```text
//!                           +-+-+-+-+-+-+-+-+
//!                           |RID| NS| sl_bm |
//!                           +-+-+-+-+-+-+-+-+
//! Spatial layers by stream  |sl0_bm |sl1_bm |
//!   where sl_bm is 0        |sl2_bm |sl3_bm |
//!                           +-+-+-+-+-+-+-+-+
//! Temporal layers - 1       |#tl|#tl|#tl|#tl|
//!   per spatial layer       :               :
//!                           +-+-+-+-+-+-+-+-+
//! Kilobits per second       |    leb128     |
//!   per temporal layer      :      ...      :
//!                           +-+-+-+-+-+-+-+-+
//! Per spatial layer,        |   width - 1   |  16 bits
//!   optional                |  height - 1   |  16 bits
//!                           | max framerate |
//!                           +-+-+-+-+-+-+-+-+
//! ```

use wire::Reader;

use super::{Extension, Kind};
use crate::leb128;

/// Streams, spatial layers of a stream, and temporal layers of a spatial layer: at most four of each.
const MAX: usize = 4;

/// What a sender means to send, over all streams of a track.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VideoLayersAllocation {
    /// Which of the streams this came on: 0 to 3.
    pub stream: u8,
    /// How many there are: 1 to 4.
    pub streams: u8,
    /// By stream and spatial layer; none of them where nothing is sent.
    pub layers: [[Option<SpatialLayer>; MAX]; MAX],
}

/// A spatial layer that is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpatialLayer {
    /// How many temporal layers there are: 1 to 4.
    pub temporal_layers: u8,
    /// Kilobits per second that it takes to receive each temporal layer with all that it depends on.
    pub bitrates: [u32; MAX],
    /// Said for all layers or for none.
    pub size: Option<LayerSize>,
}

/// How large a layer's pictures are, and how many of them come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerSize {
    /// In pixels: 1 to 65,536.
    pub width: u32,
    /// In pixels: 1 to 65,536.
    pub height: u32,
    /// Per second.
    pub max_framerate: u8,
}

impl VideoLayersAllocation {
    /// The layers that are sent, with stream and spatial id.
    pub fn active(&self) -> impl Iterator<Item = (u8, u8, &SpatialLayer)> {
        let streams = (0..).zip(&self.layers).take(usize::from(self.streams));
        streams.flat_map(|(stream, layers)| {
            (0..).zip(layers).filter_map(move |(spatial, layer)| Some((stream, spatial, layer.as_ref()?)))
        })
    }

    fn active_mut(&mut self) -> impl Iterator<Item = &mut SpatialLayer> {
        self.layers.iter_mut().flatten().flatten()
    }

    /// A bit for each spatial layer of a stream.
    fn mask(&self, stream: usize) -> u8 {
        let layers = (0..).zip(self.layers.get(stream).into_iter().flatten());
        layers.fold(0, |mask, (spatial, layer)| mask | u8::from(layer.is_some()) << spatial)
    }
}

impl<'a> Extension<'a> for VideoLayersAllocation {
    const KIND: Kind = Kind::VideoLayersAllocation;

    fn parse(bytes: &'a [u8]) -> Option<Self> {
        if bytes == [0] {
            return Some(Self { streams: 1, ..Self::default() });
        }
        let mut reader = Reader::new(bytes);
        let first = reader.u8().ok()?;
        let (stream, streams, shared) = (first >> 6, (first >> 4 & 0x03) + 1, first & 0x0F);
        let mut masks = [shared; MAX];
        if shared == 0 {
            for pair in masks[..usize::from(streams).next_multiple_of(2)].chunks_exact_mut(2) {
                let byte = reader.u8().ok()?;
                pair.copy_from_slice(&[byte >> 4, byte & 0x0F]);
            }
        }
        let mut all = Self { stream, streams, layers: Default::default() };
        let none = SpatialLayer { temporal_layers: 0, bitrates: [0; MAX], size: None };
        for (layers, mask) in all.layers.iter_mut().zip(masks).take(usize::from(streams)) {
            for (spatial, layer) in (0..).zip(layers) {
                *layer = (mask >> spatial & 1 == 1).then_some(none);
            }
        }
        let mut counts = 0;
        for (index, layer) in all.active_mut().enumerate() {
            if index % MAX == 0 {
                counts = reader.u8().ok()?;
            }
            layer.temporal_layers = (counts >> (6 - 2 * (index % MAX)) & 0x03) + 1;
        }
        for layer in all.active_mut() {
            for bitrate in &mut layer.bitrates[..usize::from(layer.temporal_layers)] {
                *bitrate = leb128::read(&mut reader)?;
            }
        }
        if !reader.is_empty() {
            for layer in all.active_mut() {
                let (width, height) = (reader.u16().ok()?, reader.u16().ok()?);
                let (width, height) = (u32::from(width) + 1, u32::from(height) + 1);
                layer.size = Some(LayerSize { width, height, max_framerate: reader.u8().ok()? });
            }
        }
        // However it was said: nothing is sent, and of that there is one kind.
        if all.active().next().is_none() { Self::parse(&[0]) } else { Some(all) }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let streams = self.streams.clamp(1, MAX as u8);
        if self.active().next().is_none() {
            out.push(0);
            return;
        }
        let masks: [u8; MAX] = std::array::from_fn(|stream| self.mask(stream));
        let used = &masks[..usize::from(streams)];
        let shared = if used.iter().all(|mask| *mask == used[0]) { used[0] } else { 0 };
        out.push((self.stream & 0x03) << 6 | (streams - 1) << 4 | shared);
        if shared == 0 {
            for pair in masks[..used.len().next_multiple_of(2)].chunks_exact(2) {
                // A stream that is not there has no layers.
                out.push(pair[0] << 4 | pair[1]);
            }
        }
        for (index, (_, _, layer)) in self.active().enumerate() {
            if index % MAX == 0 {
                out.push(0);
            }
            if let Some(counts) = out.last_mut() {
                *counts |= (layer.temporal_layers.clamp(1, 4) - 1) << (6 - 2 * (index % MAX));
            }
        }
        for (_, _, layer) in self.active() {
            for bitrate in &layer.bitrates[..usize::from(layer.temporal_layers.clamp(1, 4))] {
                leb128::write(*bitrate, out);
            }
        }
        if self.active().all(|(_, _, layer)| layer.size.is_some()) {
            for size in self.active().filter_map(|(_, _, layer)| layer.size) {
                let minus_one = |pixels: u32| pixels.saturating_sub(1).min(0xFFFF) as u16;
                out.extend_from_slice(&minus_one(size.width).to_be_bytes());
                out.extend_from_slice(&minus_one(size.height).to_be_bytes());
                out.push(size.max_framerate);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two streams of one spatial layer, two temporal layers each, as Chromium sends simulcast.
    const SIMULCAST: [u8; 17] =
        [0x51, 0x50, 100, 0xC8, 0x01, 0xF4, 0x03, 0xE8, 0x07, 0x01, 0x3F, 0x00, 0xB3, 30, 0x02, 0x7F, 0x01];

    #[test]
    fn simulcast_is_read_and_written() {
        let mut bytes = SIMULCAST.to_vec();
        bytes.extend([0x67, 30]);
        let all = VideoLayersAllocation::parse(&bytes).unwrap();
        assert_eq!((all.stream, all.streams), (1, 2));
        let active: Vec<_> = all.active().map(|(stream, spatial, layer)| (stream, spatial, *layer)).collect();
        let layer = |bitrates, width, height| SpatialLayer {
            temporal_layers: 2,
            bitrates,
            size: Some(LayerSize { width, height, max_framerate: 30 }),
        };
        assert_eq!(active[0], (0, 0, layer([100, 200, 0, 0], 320, 180)));
        assert_eq!(active[1], (1, 0, layer([500, 1000, 0, 0], 640, 360)));
        let mut written = Vec::new();
        all.write(&mut written);
        assert_eq!(written, bytes);
        assert_eq!(VideoLayersAllocation::parse(&bytes[..18]), None, "a size is cut off");
    }

    #[test]
    fn streams_may_differ_and_nothing_may_be_sent() {
        let layer = SpatialLayer { temporal_layers: 3, bitrates: [1, 2, 300, 0], size: None };
        let mut all = VideoLayersAllocation { stream: 2, streams: 3, layers: Default::default() };
        all.layers[0][0] = Some(layer);
        all.layers[2] = [Some(layer), Some(layer), None, Some(layer)];
        let mut written = Vec::new();
        all.write(&mut written);
        assert_eq!(written[..5], [0xA0, 0x10, 0xB0, 0b1010_1010, 1]);
        assert_eq!(VideoLayersAllocation::parse(&written), Some(all));

        assert_eq!(VideoLayersAllocation::parse(&[0]).map(|none| none.active().count()), Some(0));
        assert_eq!(VideoLayersAllocation::parse(&[]), None);
    }
}
