//! Opus (RFC 6716), by libopus: sound of one or two channels, as numbers from -1 to 1, those of both channels in turn.

mod sys;

use bytes::Bytes;

use super::CodecError;

/// Samples of each channel in a second of what is decoded.
pub const RATE: u32 = 48_000;
/// Samples of each channel in a packet, at most: 120 ms at 48 kHz (RFC 6716 §3.2.5).
pub const MOST: usize = 5760;
/// Bytes of a packet, at most: three frames of 20 ms make its longest, of 60 ms (RFC 6716 §3.4).
const LONGEST_PACKET: usize = 3 * 1275 + 7;
/// What a packet is at most that need not be sent: there is nothing to hear.
const NOTHING: usize = 2;
/// Bits in a second, least and most.
const BITRATES: [u32; 2] = [6_000, 510_000];

/// How many signals there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    /// One.
    Mono,
    /// Left and right.
    Stereo,
}

impl Channels {
    /// 1 or 2.
    pub fn count(self) -> usize {
        match self {
            Self::Mono => 1,
            Self::Stereo => 2,
        }
    }
}

/// How many samples of each channel there are in a second, of what Opus takes (RFC 6716 §2.1.3); packets are the same for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleRate {
    /// 8 kHz.
    Narrow,
    /// 12 kHz.
    Medium,
    /// 16 kHz.
    Wide,
    /// 24 kHz.
    SuperWide,
    /// 48 kHz.
    Full,
}

impl SampleRate {
    /// Of so many hertz, if Opus takes that.
    pub fn from_hertz(hertz: u32) -> Option<Self> {
        [Self::Narrow, Self::Medium, Self::Wide, Self::SuperWide, Self::Full]
            .into_iter()
            .find(|rate| rate.hertz() == hertz)
    }

    /// In a second.
    pub fn hertz(self) -> u32 {
        match self {
            Self::Narrow => 8_000,
            Self::Medium => 12_000,
            Self::Wide => 16_000,
            Self::SuperWide => 24_000,
            Self::Full => 48_000,
        }
    }
}

/// What is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Somebody speaks: clear at few bits.
    Speech,
    /// Anything.
    Music,
}

/// How sound is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpusSettings {
    /// Of what comes.
    pub rate: SampleRate,
    /// Of what comes.
    pub channels: Channels,
    /// What is heard.
    pub content: Content,
    /// Bits in a second; between 6 and 510 kbit/s what is nearest is taken.
    pub bitrate: u32,
    /// Whether packets repeat the one before, roughly, as far as speech goes and there are bits for it: for
    /// [`OpusDecoder::recover`] (RFC 6716 §2.1.7).
    pub fec: bool,
    /// Of a hundred packets, how many are lost, by which the repetition goes.
    pub expected_loss: u8,
    /// Whether there are no packets, but one in 400 ms, while nothing is said (RFC 6716 §2.1.9).
    pub dtx: bool,
}

impl OpusSettings {
    /// For calls: 32 kbit/s, and what lost packets said in those that follow.
    pub fn speech(rate: SampleRate, channels: Channels) -> Self {
        let content = Content::Speech;
        Self { rate, channels, content, bitrate: 32_000, fec: true, expected_loss: 10, dtx: false }
    }

    /// For anything: 64 kbit/s for a channel.
    pub fn music(rate: SampleRate, channels: Channels) -> Self {
        let bitrate = 64_000 * channels.count() as u32;
        Self { rate, channels, content: Content::Music, bitrate, fec: false, expected_loss: 0, dtx: false }
    }
}

/// Sound into packets.
#[derive(Debug)]
pub struct OpusEncoder {
    inner: sys::Encoder,
    settings: OpusSettings,
}

impl OpusEncoder {
    /// Begins.
    ///
    /// # Errors
    /// If there is no memory.
    pub fn new(settings: OpusSettings) -> Result<Self, CodecError> {
        let mut inner = sys::Encoder::new(settings.rate, settings.channels, settings.content)?;
        inner.set(sys::Setting::Bitrate, clamp(settings.bitrate))?;
        inner.set(sys::Setting::Fec, settings.fec.into())?;
        inner.set(sys::Setting::ExpectedLoss, settings.expected_loss.min(100).into())?;
        inner.set(sys::Setting::Dtx, settings.dtx.into())?;
        Ok(Self { inner, settings })
    }

    /// From the next packet on, so many bits in a second; the nearest that there is.
    ///
    /// # Errors
    /// If libopus does not take it.
    pub fn set_bitrate(&mut self, bitrate: u32) -> Result<(), CodecError> {
        self.inner.set(sys::Setting::Bitrate, clamp(bitrate))
    }

    /// From the next packet on, how many packets of a hundred are lost.
    ///
    /// # Errors
    /// If libopus does not take it.
    pub fn set_expected_loss(&mut self, percent: u8) -> Result<(), CodecError> {
        self.inner.set(sys::Setting::ExpectedLoss, percent.min(100).into())
    }

    /// Encodes 2.5, 5, 10, 20, 40 or 60 ms. None where nothing is said and [`OpusSettings::dtx`] leaves it out.
    ///
    /// # Errors
    /// If it is none of these lengths, or libopus fails.
    pub fn encode(&mut self, samples: &[f32]) -> Result<Option<Bytes>, CodecError> {
        let OpusSettings { channels, rate, dtx, .. } = self.settings;
        let each = samples.len() / channels.count();
        let shortest = rate.hertz() as usize / 400;
        let is_length = [1, 2, 4, 8, 16, 24].iter().any(|count| count * shortest == each);
        if !is_length || each * channels.count() != samples.len() {
            return Err(CodecError::Length(samples.len()));
        }
        let mut packet = [0; LONGEST_PACKET];
        let packet = self.inner.encode(samples, each, &mut packet)?;
        Ok((packet.len() > NOTHING || !dtx).then(|| Bytes::copy_from_slice(packet)))
    }
}

fn clamp(bitrate: u32) -> i32 {
    let [least, most] = BITRATES;
    bitrate.clamp(least, most) as i32
}

/// Packets into sound, at [`RATE`].
#[derive(Debug)]
pub struct OpusDecoder {
    inner: sys::Decoder,
    channels: Channels,
}

impl OpusDecoder {
    /// Of so many channels, whatever packets have.
    ///
    /// # Errors
    /// If there is no memory.
    pub fn new(channels: Channels) -> Result<Self, CodecError> {
        Ok(Self { inner: sys::Decoder::new(channels)?, channels })
    }

    /// Decodes a packet to the beginning of `out`, which should have place for [`MOST`] samples of each channel. How many of each
    /// there are.
    ///
    /// # Errors
    /// If it is no packet, or has no place there.
    pub fn decode(&mut self, packet: &[u8], out: &mut [f32]) -> Result<usize, CodecError> {
        // Nothing at all would be the word that a packet is lost.
        if packet.is_empty() {
            return Err(CodecError::Malformed);
        }
        let place = (out.len() / self.channels.count()).min(MOST);
        self.inner.decode(packet, out, place, false)
    }

    /// Fills `out` with what may have been said in a packet that is lost: a multiple of 2.5 ms, up to 120 ms.
    ///
    /// # Errors
    /// If it is not so long.
    pub fn conceal(&mut self, out: &mut [f32]) -> Result<(), CodecError> {
        let each = self.whole(out)?;
        self.inner.decode(&[], out, each, false).map(drop)
    }

    /// Fills `out`, which is as long as the packet that is lost, with what the one behind it says of it; where that says nothing,
    /// as [`Self::conceal`] does. The packet itself is then to be decoded as well.
    ///
    /// # Errors
    /// If it is no packet, or `out` is not a multiple of 2.5 ms up to 120 ms.
    pub fn recover(&mut self, next: &[u8], out: &mut [f32]) -> Result<(), CodecError> {
        if next.is_empty() {
            return Err(CodecError::Malformed);
        }
        let each = self.whole(out)?;
        self.inner.decode(next, out, each, true).map(drop)
    }

    /// How many samples of each channel there are, if they are a multiple of 2.5 ms.
    fn whole(&self, out: &[f32]) -> Result<usize, CodecError> {
        let each = out.len() / self.channels.count();
        let is_whole = each.is_multiple_of(RATE as usize / 400) && each * self.channels.count() == out.len();
        (is_whole && (1..=MOST).contains(&each)).then_some(each).ok_or(CodecError::Length(out.len()))
    }
}
