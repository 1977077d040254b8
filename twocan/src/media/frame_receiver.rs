//! Whole frames as they come in: in order, repaired where that is possible, and beginning with a key frame (W3C
//! webrtc-encoded-transform has frames at the same place).

use std::time::{Duration, Instant};

use bytes::Bytes;
use peer::{MediaPacket, SenderClock, TransceiverId};
use rtp::codec::Codec;
use rtp::jitter::{JitterBuffer, JitterConfig, JitterCounters, JitterFrame};
use rtp::{NtpTime, Ssrc, Timestamp};

use super::transceiver::Transceiver;
use crate::driver::Command;

/// How often the sender's clock is asked for, before it is known and after.
const LOOK: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(1)];

/// A frame that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedFrame {
    /// What it is of.
    pub codec: Codec,
    /// As the codec's libraries take it: NAL units with start codes, OBUs with sizes.
    pub bytes: Bytes,
    /// Whether it depends on no other.
    pub key: bool,
    /// When its first sample was taken, in ticks of [`Codec::clock_rate`], which do not wrap around. It says something only
    /// beside other frames of the same source.
    pub timestamp: u64,
    /// The same by the clock of who captured it, or of who sent it: what all its tracks have in common. None where it was not
    /// told yet.
    pub captured: Option<NtpTime>,
    /// Whether `captured` is the capturer's own word; if not, it is of the server between, which may be some milliseconds
    /// off.
    pub is_captured_exact: bool,
    /// Where it came from: another number is another stream, whose timestamps have nothing to do with these.
    pub source: u32,
    /// When its last packet came.
    pub arrived: Instant,
    /// Packets that were given up since the frame before.
    pub lost: u64,
}

/// Receives the frames of a transceiver.
///
/// Packets are put in order; what is missing is waited for while it may be sent again, and given up then. Pictures that
/// cannot be decoded for that are left out until a key frame, which is asked for. Frames are handed out as soon as they are
/// whole: pacing is for whoever plays them.
#[derive(Debug)]
pub struct FrameReceiver {
    transceiver: Transceiver,
    encoding: usize,
    patience: Option<[Duration; 2]>,
    stream: Option<Stream>,
    clock: Option<SenderClock>,
    looked: Option<Instant>,
    /// Whether frames say when they were captured.
    is_exact: bool,
    /// Of streams that have ended.
    before: JitterCounters,
}

#[derive(Debug)]
struct Stream {
    source: Ssrc,
    buffer: JitterBuffer<Bytes>,
}

fn now() -> Instant {
    // tokio's, as the driver's is.
    tokio::time::Instant::now().into_std()
}

impl FrameReceiver {
    /// Takes over what a transceiver receives.
    pub fn new(transceiver: Transceiver) -> Self {
        Self {
            transceiver,
            encoding: 0,
            patience: None,
            stream: None,
            clock: None,
            looked: None,
            is_exact: false,
            before: JitterCounters::default(),
        }
    }

    /// Says how long what is missing is waited for, at least and at most: 20 ms to half a second, unless this is called. Who
    /// records waits long; who plays, not.
    #[must_use]
    pub fn patience(mut self, shortest: Duration, longest: Duration) -> Self {
        self.patience = Some([shortest, longest]);
        self
    }

    /// Takes another encoding: a place in the agreement's [`receive_rids`](crate::Agreement::receive_rids).
    #[must_use]
    pub fn encoding(mut self, encoding: usize) -> Self {
        self.encoding = encoding;
        self
    }

    /// Whose frames they are.
    pub fn id(&self) -> TransceiverId {
        self.transceiver.id()
    }

    /// The transceiver, to be asked and changed.
    pub fn transceiver(&self) -> &Transceiver {
        &self.transceiver
    }

    /// What happened so far.
    pub fn counters(&self) -> JitterCounters {
        let own = self.stream.as_ref().map(|stream| stream.buffer.counters()).unwrap_or_default();
        sum(self.before, own)
    }

    /// The next frame; none once the transceiver has ended. Cancelling it loses nothing.
    pub async fn recv_frame(&mut self) -> Option<ReceivedFrame> {
        loop {
            // Before a frame is taken: whoever cancels this loses none.
            self.look().await;
            let (now, mut deadline) = (now(), None);
            if let Some(Stream { source, buffer }) = &mut self.stream {
                if let Some(frame) = buffer.poll_frame(now) {
                    let (source, codec) = (*source, buffer.config().codec);
                    return Some(self.finish(source, codec, frame));
                }
                if buffer.poll_key_frame_request(now) {
                    // Where nothing can be asked any more, no more comes.
                    let _ = self.transceiver.receiver.request_key_frame(self.encoding).await;
                }
                deadline = buffer.poll_timeout();
            }
            let receiver = &mut self.transceiver.receiver;
            let packet = match deadline {
                None => receiver.recv_packet().await,
                Some(deadline) => tokio::select! {
                    packet = receiver.recv_packet() => packet,
                    () = tokio::time::sleep_until(deadline.into()) => continue,
                },
            };
            self.take(packet?);
        }
    }

    /// Puts a packet where it belongs; one that belongs nowhere is dropped.
    fn take(&mut self, packet: MediaPacket) {
        if packet.encoding != self.encoding {
            return;
        }
        let Some(agreement) = self.transceiver.sender.agreement() else { return };
        let Ok(read) = packet.read() else { return };
        let (source, payload_type) = (read.header().ssrc(), read.header().payload_type());
        let Some((agreed, false)) = agreement.received(payload_type) else { return };
        let codec = Codec::from_name(&agreed.codec.name).filter(|_| !agreed.codec.is_auxiliary());
        let is_known = self.stream.as_ref().is_some_and(|stream| {
            stream.source == source && codec.is_none_or(|codec| stream.buffer.config().codec == codec)
        });
        if !is_known {
            let Some(codec) = codec else { return };
            let patience = self.patience;
            let mut config = JitterConfig::new(codec, payload_type);
            config.extensions = agreement.extensions;
            config.repairs = agreed.has(&peer::Feedback::Nack);
            if let Some([shortest, longest]) = patience {
                (config.shortest, config.longest) = (shortest, longest);
            }
            if !config.repairs {
                // What is not asked for does not come later than what was overtaken.
                config.shortest = JitterConfig::new(codec, payload_type).shortest;
            }
            self.before = self.counters();
            self.stream = Some(Stream { source, buffer: JitterBuffer::new(config) });
            (self.clock, self.looked, self.is_exact) = (None, None, false);
        }
        if let Some(stream) = &mut self.stream {
            // What is of no use is counted there.
            let _ =
                stream.buffer.push(packet.arrived, packet.sequence_number, packet.is_repair, packet.bytes);
        }
    }

    fn finish(&mut self, source: Ssrc, codec: Codec, frame: JitterFrame) -> ReceivedFrame {
        self.is_exact = frame.captured.is_some();
        let told = self.clock.map(|clock| captured_at(clock, frame.timestamp, codec.clock_rate()));
        let captured = frame.captured.or(told);
        ReceivedFrame {
            codec,
            key: codec.is_audio() || frame.info.key,
            timestamp: frame.timestamp,
            captured,
            is_captured_exact: frame.captured.is_some(),
            source: source.0,
            arrived: frame.arrived,
            lost: frame.lost,
            bytes: frame.bytes.into(),
        }
    }

    /// Asks for the sender's clock from time to time, where frames do not say when they were captured.
    async fn look(&mut self) {
        let now = now();
        let [often, seldom] = LOOK;
        let again = if self.clock.is_some() { seldom } else { often };
        if self.is_exact || self.stream.is_none() || self.looked.is_some_and(|last| now < last + again) {
            return;
        }
        self.looked = Some(now);
        let (id, encoding) = (self.transceiver.id(), self.encoding);
        let commands = &self.transceiver.receiver.commands;
        let clock = commands.ask(|reply| Command::SenderClock(id, encoding, reply)).await;
        self.clock = clock.ok().flatten().or(self.clock);
    }
}

/// The moment of a timestamp by a sender's clock.
fn captured_at(clock: SenderClock, timestamp: u64, clock_rate: u32) -> NtpTime {
    let later = Timestamp(timestamp as u32).ahead_of(clock.timestamp);
    NtpTime(clock.ntp.0.wrapping_add_signed((i64::from(later) << 32) / i64::from(clock_rate.max(1))))
}

fn sum(one: JitterCounters, other: JitterCounters) -> JitterCounters {
    JitterCounters {
        frames: one.frames + other.frames,
        undecodable: one.undecodable + other.undecodable,
        lost: one.lost + other.lost,
        useless: one.useless + other.useless,
    }
}
