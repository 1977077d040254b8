//! The forwarder: one streams into a room, many watch; the server on one core, all of them on the other.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rtp::Timestamp;
use twocan::{
    Configuration, Direction, MediaKind, OutgoingPacket, PeerConnection, PeerConnectionState, Prefix,
    SessionDescription, Transceiver, TransceiverInit,
};

use crate::process::{LOAD_CORE, Process, pin};
use crate::stats::median;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many watch.
    #[arg(long, default_value = "50,500", value_delimiter = ',')]
    viewers: Vec<usize>,
    /// What is streamed, in kbit/s of pictures; sound comes beside it.
    #[arg(long, default_value_t = 2500)]
    kbps: u64,
    /// How often each measurement is repeated.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each measurement runs, in milliseconds.
    #[arg(long, default_value_t = 4000)]
    window: u64,
    /// The server to measure.
    #[arg(long, default_value = "target/release/twocan")]
    twocan: PathBuf,
}

/// Between two frames.
const FRAME: Duration = Duration::from_millis(33);
/// Bytes of a packet's payload.
const PAYLOAD: u64 = 1100;
/// At so many who watch it is looked how late packets come.
const WATCHED: usize = 10;

pub(crate) fn run(options: &Options) -> io::Result<()> {
    pin(LOAD_CORE)?;
    println!("{:>92} {:>19}", "sound, ms", "pictures, ms");
    println!(
        "{:>8} {:>14} {:>10} {:>12} {:>10} {:>13} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "viewers",
        "packets/CPU-s",
        "us/packet",
        "CPU/viewer",
        "sent/call",
        "KiB a viewer",
        "lost",
        "median",
        "99th",
        "median",
        "99th"
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for viewers in &options.viewers {
        let figures = runtime.block_on(measure(options, *viewers))?;
        let Figures { rates, shares, memory, batch, lost, delays: [sound, pictures] } = figures;
        let rate = median(&rates);
        println!(
            "{viewers:>8} {rate:>14.0} {:>10.2} {:>11.4}% {batch:>10.1} {memory:>13.1} {lost:>8.2}% {:>9.2} {:>9.2} {:>9.2} {:>9.2}",
            1e6 / rate,
            100.0 * median(&shares) / *viewers as f64,
            sound.at(0.5),
            sound.at(0.99),
            pictures.at(0.5),
            pictures.at(0.99),
        );
    }
    Ok(())
}

struct Figures {
    /// Packets forwarded for each second of the server's processor time, round by round.
    rates: Vec<f64>,
    /// Of the time, what the server spent on its processor.
    shares: Vec<f64>,
    /// KiB that a viewer takes.
    memory: f64,
    /// Datagrams in a system call.
    batch: f64,
    /// Of what was to come, in percent.
    lost: f64,
    /// From the one who streams to those who watch, with what both ends take for it: of sound, and of the last packet of
    /// each picture.
    delays: [Delays; 2],
}

/// How long packets took, in milliseconds.
#[derive(Default)]
struct Delays(Vec<f64>);

impl Delays {
    /// Of this part of them no longer than this.
    fn at(&self, part: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let place = (sorted.len() as f64 * part) as usize;
        sorted.get(place).or(sorted.last()).copied().unwrap_or(f64::NAN)
    }
}

async fn measure(options: &Options, viewers: usize) -> io::Result<Figures> {
    let folder = std::env::temp_dir().join(format!("twocan-bench-sfu-{}", std::process::id()));
    let arguments = [
        "serve",
        "--http",
        "127.0.0.1:0",
        "--https",
        "off",
        "--turns",
        "off",
        "--stun-turn",
        "off",
        "--log",
        "error",
        "--media-workers",
        "1",
        "--data-dir",
    ];
    let mut arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    arguments.push(folder.display().to_string());
    let (server, output) = Process::start_read(&options.twocan.display().to_string(), &arguments)?;
    let mut lines = BufReader::new(output).lines();
    let address = lines.find_map(|line| {
        let line = line.ok()?;
        let port =
            line.split("http://localhost:").nth(1)?.trim_end_matches('/').trim().parse::<u16>().ok()?;
        Some(SocketAddr::from(([127, 0, 0, 1], port)))
    });
    let address = address.ok_or_else(|| io::Error::other("the server does not say where it is"))?;

    let mut studio = End::connect(address, "whip", Direction::SendOnly).await?;
    let mut source = Source::new(&studio, options.kbps);
    let before = server.memory()?;
    let mut watching = Vec::new();
    for place in 0..viewers {
        let mut viewer = End::connect(address, "whep", Direction::RecvOnly).await?;
        if place % viewers.div_ceil(WATCHED) != 0 {
            // What comes is thrown away.
            viewer.media.iter_mut().for_each(|one| one.receiver.close());
        }
        watching.push(viewer);
        source.send_frame(&mut studio).await?;
    }
    source.run(&mut studio, &mut watching, Duration::from_secs(2)).await?;
    let memory = server.memory()?.saturating_sub(before) as f64 / 1024.0 / viewers as f64;
    let (mut rates, mut shares) = (Vec::new(), Vec::new());
    source.delays = Default::default();
    let (mut sent, mut forwarded, mut calls, mut datagrams) = (0, 0, 0, 0);
    for _ in 0..options.rounds {
        let (begun, cpu) = (Instant::now(), server.cpu()?);
        let (counters, own) = (Counters::of(address)?, source.sent);
        source.run(&mut studio, &mut watching, Duration::from_millis(options.window)).await?;
        let after = Counters::of(address)?;
        let spent = (server.cpu()? - cpu).as_secs_f64();
        shares.push(spent / begun.elapsed().as_secs_f64());
        let count = after.forwarded - counters.forwarded;
        rates.push(count as f64 / spent);
        forwarded += count;
        sent += source.sent - own;
        calls += after.sends - counters.sends;
        datagrams += after.datagrams - counters.datagrams;
    }
    let wanted = sent as f64 * viewers as f64;
    let lost = 100.0 * (1.0 - forwarded as f64 / wanted);
    drop(std::fs::remove_dir_all(folder));
    let batch = datagrams as f64 / calls as f64;
    Ok(Figures { rates, shares, memory, batch, lost, delays: source.delays })
}

/// What the server has counted.
struct Counters {
    forwarded: u64,
    sends: u64,
    datagrams: u64,
}

impl Counters {
    fn of(server: SocketAddr) -> io::Result<Self> {
        let page = ask(server, "GET", "/metrics", "")?;
        let value = |name: &str| {
            let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.and_then(|value| value.parse().ok()).unwrap_or(0)
        };
        Ok(Self {
            forwarded: value("twocan_media_forwarded_packets_total"),
            sends: value("twocan_media_sends_total"),
            datagrams: value("twocan_media_sent_datagrams_total"),
        })
    }
}

/// An HTTP request and its answer's body.
fn ask(server: SocketAddr, method: &str, path: &str, body: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(server)?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\nContent-Type: application/sdp\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    if !head.starts_with("HTTP/1.1 2") {
        return Err(io::Error::other(format!("{method} {path}: {head}\n{body}")));
    }
    Ok(body.to_owned())
}

/// Who streams, or watches.
struct End {
    peer: PeerConnection,
    media: Vec<Transceiver>,
}

impl End {
    async fn connect(server: SocketAddr, way: &str, direction: Direction) -> io::Result<Self> {
        let configuration = Configuration {
            include_loopback: true,
            ice_tcp: false,
            // What a program that has hundreds of these would take.
            receive_buffer: 1 << 20,
            send_buffer: 1 << 20,
            ..Configuration::default()
        };
        let mut peer = PeerConnection::new(configuration).await.map_err(io::Error::other)?;
        let mut media = Vec::new();
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let init = TransceiverInit { direction, ..TransceiverInit::default() };
            media.push(peer.add_transceiver(kind, init).await.map_err(io::Error::other)?);
        }
        let offer = peer.set_local_description(None).await.map_err(io::Error::other)?;
        let answer = ask(server, "POST", &format!("/{way}/bench"), &offer.sdp)?;
        peer.set_remote_description(SessionDescription::answer(answer)).await.map_err(io::Error::other)?;
        while peer.connection_state() != PeerConnectionState::Connected {
            peer.next_event().await.ok_or_else(|| io::Error::other("a connection does not come about"))?;
        }
        Ok(Self { peer, media })
    }

    /// Hears what happened, as an application would, and when packets came.
    fn hear(&mut self, begin: Instant, delays: &mut [Delays; 2]) {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        for (one, delays) in self.media.iter_mut().zip(delays) {
            let kind = one.kind();
            while let std::task::Poll::Ready(Some(packet)) =
                std::pin::pin!(one.receiver.recv_packet()).poll(&mut context)
            {
                let is_last = packet.read().is_ok_and(|packet| packet.header().marker());
                if let Some((_, left)) = packet.bytes.split_last_chunk::<8>()
                    && (kind == MediaKind::Audio || is_last)
                {
                    let left = begin + Duration::from_nanos(u64::from_be_bytes(*left));
                    let took = packet.arrived.saturating_duration_since(left);
                    delays.0.push(took.as_secs_f64() * 1000.0);
                }
            }
        }
        loop {
            let event = std::pin::pin!(self.peer.next_event());
            if event.poll(&mut context).is_pending() {
                return;
            }
        }
    }
}

/// What is streamed: frames of VP8 without pictures in them, and sound.
struct Source {
    video: rtp::PayloadType,
    audio: rtp::PayloadType,
    packets: u64,
    frame: u32,
    /// Packets so far.
    sent: u64,
    begin: Instant,
    delays: [Delays; 2],
}

impl Source {
    fn new(studio: &End, kbps: u64) -> Self {
        let codec = |at: usize| {
            let agreement = studio.media[at].sender.agreement();
            agreement.and_then(|agreement| agreement.preferred().map(|codec| codec.send))
        };
        let none = rtp::PayloadType::new(0).unwrap_or_else(|| unreachable!());
        Self {
            video: codec(1).unwrap_or(none),
            audio: codec(0).unwrap_or(none),
            packets: (kbps * 1000 / 8 / 30 / PAYLOAD).max(1),
            frame: 0,
            sent: 0,
            begin: Instant::now(),
            delays: Default::default(),
        }
    }

    async fn run(&mut self, studio: &mut End, viewers: &mut [End], time: Duration) -> io::Result<()> {
        let mut ticks = tokio::time::interval(FRAME);
        for _ in 0..time.as_millis() / FRAME.as_millis() {
            ticks.tick().await;
            self.send_frame(studio).await?;
            viewers.iter_mut().for_each(|viewer| viewer.hear(self.begin, &mut self.delays));
        }
        Ok(())
    }

    /// When a packet was made.
    fn now(&self) -> [u8; 8] {
        (self.begin.elapsed().as_nanos() as u64).to_be_bytes()
    }

    async fn send_frame(&mut self, studio: &mut End) -> io::Result<()> {
        studio.hear(self.begin, &mut self.delays);
        // A key frame every four seconds.
        let key = self.frame.is_multiple_of(120);
        let picture = (self.frame & 0x7FFF) as u16 | 0x8000;
        for place in 0..self.packets {
            let start = if place == 0 { 0x10 } else { 0 };
            let [high, low] = picture.to_be_bytes();
            let mut payload = vec![0x80 | start, 0x80, high, low, u8::from(!key)];
            payload.extend([0, 0, 0x9D, 0x01, 0x2A, 0x80, 0x02, 0xE0, 0x01]);
            payload.resize(PAYLOAD as usize - 8, 7);
            payload.extend(self.now());
            let packet = OutgoingPacket {
                payload_type: self.video,
                marker: place + 1 == self.packets,
                timestamp: Timestamp(self.frame.wrapping_mul(2970)),
                sequence_number: None,
                prefix: Prefix::default(),
                payload: payload.into(),
            };
            studio.media[1].sender.send_packet(0, packet).await.map_err(io::Error::other)?;
            self.sent += 1;
        }
        // Sound: 33 ms of it as well, in one packet.
        let packet = OutgoingPacket {
            payload_type: self.audio,
            marker: false,
            timestamp: Timestamp(self.frame.wrapping_mul(1584)),
            sequence_number: None,
            prefix: Prefix::default(),
            payload: [[0xFC; 92].as_slice(), &self.now()].concat().into(),
        };
        studio.media[0].sender.send_packet(0, packet).await.map_err(io::Error::other)?;
        self.sent += 1;
        self.frame += 1;
        Ok(())
    }
}
