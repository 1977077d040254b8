//! The forwarder's rooms alone, without sockets and encryption: CPU time of each packet for each who may receive it. That
//! nothing is taken from the heap is a test (`room/sfu/tests/heap.rs`).

use std::hint::black_box;
use std::io;
use std::time::{Duration, Instant};

use ::sfu::{Offer, Room, Source, Wish};
use bytes::Bytes;
use nix::time::{ClockId, clock_gettime};
use peer::{MediaKind, MediaPacket, TransceiverId};
use rtp::codec::{Codec, PictureId, vp8};
use rtp::extension::ExtensionMap;
use rtp::{Fields, HeaderWriter, PayloadType, SequenceNumber, Ssrc, Timestamp};

use crate::stats::median;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many watch.
    #[arg(long, default_value = "1,50,500", value_delimiter = ',')]
    viewers: Vec<usize>,
    /// How often each measurement is repeated.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Packets that are forwarded in each, to all of them together.
    #[arg(long, default_value_t = 2_000_000)]
    packets: usize,
}

/// What is sent: temporal layers of its frames, in turn, and packets of a frame.
const LAYERS: [u8; 4] = [0, 2, 1, 2];
const PACKETS: usize = 8;
const PAYLOAD: usize = 1_100;

pub(crate) fn run(options: &Options) -> io::Result<()> {
    println!("ns of CPU time for each packet to each viewer, medians of {} rounds", options.rounds);
    println!("{:>8}{:>14}{:>22}", "viewers", "all of it", "two layers of three");
    for &viewers in &options.viewers {
        let mut figures: [Vec<f64>; 2] = Default::default();
        for _ in 0..options.rounds {
            for (temporal, figures) in [false, true].into_iter().zip(&mut figures) {
                figures.push(measure(options, viewers.max(1), temporal)?);
            }
        }
        println!("{viewers:>8}{:>14.1}{:>22.1}", median(&figures[0]), median(&figures[1]));
    }
    Ok(())
}

/// Nanoseconds for each packet that came and each viewer, those included that are left out.
fn measure(options: &Options, viewers: usize, leave_out: bool) -> io::Result<f64> {
    let mut now = Instant::now();
    let mut room = Room::new(now);
    let sender = room.join(now).map_err(io::Error::other)?;
    let (kind, source, codec) = (MediaKind::Video, Source::Camera, Codec::Vp8);
    let offer = Offer { kind, source, codec, extensions: ExtensionMap::default(), encodings: 1 };
    let publication = room.publish(now, sender, offer).map_err(io::Error::other)?;
    let mut receivers = Vec::new();
    for _ in 0..viewers {
        let receiver = room.join(now).map_err(io::Error::other)?;
        room.subscribe(now, receiver, publication, Wish::default()).map_err(io::Error::other)?;
        receivers.push(receiver);
    }
    let (mut number, mut forwarded) = (0, 0_usize);
    let mut pass = |room: &mut Room, now: &mut Instant, count: usize| -> io::Result<Duration> {
        let mut spent = Duration::ZERO;
        for _ in 0..count.div_ceil(PACKETS) {
            *now += Duration::from_millis(33);
            let frame: Vec<_> = (number..number + PACKETS).map(|number| packet(*now, number)).collect();
            number += PACKETS;
            let start = cpu()?;
            if room.poll_timeout().is_some_and(|(due, _)| due <= *now) {
                room.handle_timeout(*now);
            }
            while let Some(event) = room.poll_event() {
                black_box(event);
            }
            for packet in &frame {
                room.handle_packet(*now, publication, packet, |_, forward| {
                    forwarded += black_box(forward).payload.len().min(1);
                });
            }
            spent += cpu()? - start;
        }
        Ok(spent)
    };
    // Until its layers are known.
    pass(&mut room, &mut now, 60 * PACKETS)?;
    let whole = (PACKETS * (PAYLOAD + 60) * 8 * 1000 / 33) as u64;
    for receiver in receivers {
        room.set_bitrate(now, receiver, Some(if leave_out { whole * 3 / 4 } else { whole * 2 }));
    }
    pass(&mut room, &mut now, 60 * PACKETS)?;
    let count = options.packets.div_ceil(viewers);
    let spent = pass(&mut room, &mut now, count)?;
    Ok(spent.as_nanos() as f64 / (count.div_ceil(PACKETS) * PACKETS * viewers) as f64)
}

fn cpu() -> io::Result<Duration> {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?;
    Ok(Duration::new(time.tv_sec() as u64, time.tv_nsec() as u32))
}

fn packet(now: Instant, number: usize) -> MediaPacket {
    let (frame, index) = (number / PACKETS, number % PACKETS);
    let fields = Fields {
        marker: index + 1 == PACKETS,
        // Dynamic ones begin here.
        payload_type: PayloadType::new(96).unwrap_or_else(|| unreachable!("it has seven bits")),
        sequence_number: SequenceNumber(number as u16),
        timestamp: Timestamp((frame as u32).wrapping_mul(3000)),
        ssrc: Ssrc(7),
    };
    let descriptor = vp8::Descriptor {
        start: index == 0,
        picture_id: Some(PictureId { value: frame as u16 & 0x7FFF, long: true }),
        tl0_picture_index: Some((frame / LAYERS.len()) as u8),
        temporal: Some((LAYERS[frame % LAYERS.len()], frame % 4 < 3)),
        ..vp8::Descriptor::default()
    };
    let mut bytes = Vec::new();
    let mut writer = HeaderWriter::new(&mut bytes, &fields).finish();
    descriptor.write(writer.buffer());
    let length = writer.buffer().len();
    writer.buffer().resize(length + PAYLOAD, u8::from(frame > 0));
    let bytes = Bytes::from(bytes);
    // As bytes of a session's pool are.
    drop(bytes.clone());
    MediaPacket {
        transceiver: TransceiverId::default(),
        encoding: 0,
        sequence_number: (1 << 16) + number as u64,
        is_repair: false,
        arrived: now,
        bytes,
    }
}
