//! The signaling server: what an idle connection costs in memory, and a relayed message in CPU time.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    time::{Duration, Instant},
};

use futures_util::{SinkExt as _, StreamExt as _, stream::SplitSink, stream::SplitStream};
use serde_json::{Value, json};
use tokio::{net::TcpStream, task::JoinSet, time};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, client::IntoClientRequest as _, http::HeaderValue, protocol::WebSocketConfig},
};

use crate::process::{LOAD_CORE, Process, pin};

type Socket = WebSocketStream<TcpStream>;

/// What to measure, and how long.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The server to measure
    #[arg(long, default_value = "target/release/twocan")]
    twocan: PathBuf,
    /// Idle connections, two to a room
    #[arg(long, default_value_t = 10_000)]
    idle: usize,
    /// Messages per second to relay
    #[arg(long, default_value_t = 20_000)]
    rate: u32,
    /// Seconds to relay them
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

/// Connections that relay, two to a room.
const TALKERS: u32 = 200;

/// Each talker sends so many times a second, several messages at once: timers cost the load's core too.
const TICKS: u32 = 20;

/// Connections opened at the same time.
const OPENING: usize = 64;

/// About as long as an ICE candidate in `signal`.
const DATA_BYTES: usize = 250;

pub(crate) fn run(options: &Options) -> io::Result<()> {
    pin(LOAD_CORE)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let memory = idle_memory(options).await?;
        println!("| work | twocan | target |\n|---|---|---|");
        println!("| {} idle connections in rooms, KiB each | {memory:.1} | 20 |", options.idle);
        let Relayed { rate, cpu_share, micros } = relayed(options).await?;
        println!("| messages relayed per second | {rate:.0} | {} |", options.rate);
        println!("| cores that it took | {cpu_share:.2} | 1 |");
        println!("| CPU microseconds per message | {micros:.1} | {:.1} |", 1e6 / f64::from(options.rate));
        Ok(())
    })
}

/// KiB of resident memory that each idle connection adds.
async fn idle_memory(options: &Options) -> io::Result<f64> {
    let (server, address) = start(options).await?;
    // What the first ones need once, however many follow.
    let warm = open(address, 64, "warm").await?;
    let before = server.memory()?;
    let sockets = open(address, options.idle, "idle").await?;
    let after = server.memory()?;
    drop((warm, sockets));
    let count = u32::try_from(options.idle).map_err(io::Error::other)?;
    let added = u32::try_from(after.saturating_sub(before) / 1024).map_err(io::Error::other)?;
    Ok(f64::from(added) / f64::from(count))
}

struct Relayed {
    /// Per second, as received.
    rate: f64,
    /// CPU seconds per second.
    cpu_share: f64,
    /// CPU time per message received.
    micros: f64,
}

async fn relayed(options: &Options) -> io::Result<Relayed> {
    let (server, address) = start(options).await?;
    let talkers = open(address, TALKERS as usize, "talk").await?;
    let burst = options.rate / TALKERS / TICKS;
    let end = Instant::now() + Duration::from_secs(options.seconds);
    let (mut senders, mut receivers) = (JoinSet::new(), JoinSet::new());
    let (start, before) = (Instant::now(), server.cpu()?);
    for talker in talkers {
        let (sender, receiver) = talker.socket.split();
        let partner = talker.partner.ok_or_else(|| io::Error::other("a talker is alone"))?;
        senders.spawn(talk(sender, partner, burst, end));
        receivers.spawn(listen(receiver));
    }
    let mut sockets = Vec::new();
    while let Some(sender) = senders.join_next().await {
        // Kept: a dropped half would close the connection under its partner.
        sockets.push(sender.map_err(io::Error::other)??);
    }
    let took = start.elapsed().as_secs_f64();
    let mut received = 0;
    while let Some(count) = receivers.join_next().await {
        received += count.map_err(io::Error::other)??;
    }
    let cpu = (server.cpu()? - before).as_secs_f64();
    let received = f64::from(received);
    Ok(Relayed { rate: received / took, cpu_share: cpu / took, micros: cpu / received * 1e6 })
}

/// Sends until `end`, then says that it was the last.
async fn talk(
    mut sender: SplitSink<Socket, Message>,
    partner: String,
    burst: u32,
    end: Instant,
) -> io::Result<SplitSink<Socket, Message>> {
    let message = json!({"type": "signal", "to": partner, "data": "x".repeat(DATA_BYTES)}).to_string();
    let last = json!({"type": "signal", "to": partner, "data": "last"}).to_string();
    let mut ticks = time::interval(Duration::from_secs(1) / TICKS);
    ticks.set_missed_tick_behavior(time::MissedTickBehavior::Burst);
    while Instant::now() < end {
        ticks.tick().await;
        for _ in 0..burst {
            sender.feed(Message::text(message.as_str())).await.map_err(io::Error::other)?;
        }
        sender.flush().await.map_err(io::Error::other)?;
    }
    sender.send(Message::text(last)).await.map_err(io::Error::other)?;
    Ok(sender)
}

/// Counts until the partner has said that it was the last.
async fn listen(mut receiver: SplitStream<Socket>) -> io::Result<u32> {
    let mut count = 0;
    while let Some(message) = receiver.next().await {
        let message = message.map_err(io::Error::other)?;
        let text = message.to_text().map_err(io::Error::other)?;
        if text.starts_with(r#"{"type":"signal""#) {
            if text.ends_with(r#""last"}"#) {
                return Ok(count);
            }
            count += 1;
        } else if text.starts_with(r#"{"type":"error""#) {
            return Err(io::Error::other(text.to_owned()));
        }
    }
    Err(io::Error::other("the server closed a connection"))
}

/// Somebody in a room.
struct Person {
    socket: Socket,
    peer: String,
    /// The id of the other one in the room.
    partner: Option<String>,
}

/// Opens connections and joins rooms, two to each.
async fn open(address: SocketAddr, count: usize, rooms: &str) -> io::Result<Vec<Person>> {
    let mut opening = JoinSet::new();
    let mut people = Vec::with_capacity(count);
    for pair in 0..count.div_ceil(2) {
        if opening.len() >= OPENING {
            people.extend(opening.join_next().await.into_iter().flatten().collect::<Result<Vec<_>, _>>()?);
        }
        let room = format!("{rooms}{pair}");
        opening.spawn(async move {
            let mut first = join(address, &room).await?;
            let second = join(address, &room).await?;
            first.partner = Some(second.peer.clone());
            Ok::<_, io::Error>([first, second])
        });
    }
    let mut all: Vec<Person> = people.into_iter().flatten().collect();
    while let Some(pair) = opening.join_next().await {
        all.extend(pair.map_err(io::Error::other)??);
    }
    Ok(all)
}

async fn join(address: SocketAddr, room: &str) -> io::Result<Person> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(4096);
    let request = format!("ws://{address}/api/signaling").into_client_request();
    let mut request = request.map_err(io::Error::other)?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("twocan.v1"));
    let (mut socket, _) =
        client_async_with_config(request, stream, Some(config)).await.map_err(io::Error::other)?;
    let request = json!({"type": "join", "room": room, "name": "bench"}).to_string();
    socket.send(Message::text(request)).await.map_err(io::Error::other)?;
    while let Some(message) = socket.next().await {
        let message = message.map_err(io::Error::other)?;
        let text = message.to_text().map_err(io::Error::other)?;
        let value: Value = serde_json::from_str(text).map_err(io::Error::other)?;
        match (value["type"].as_str(), value["peer"].as_str()) {
            (Some("joined"), Some(peer)) => {
                let partner = value["peers"][0]["id"].as_str().map(str::to_owned);
                return Ok(Person { peer: peer.to_owned(), partner, socket });
            }
            (Some("error"), _) => return Err(io::Error::other(text.to_owned())),
            _ => {}
        }
    }
    Err(io::Error::other("the server closed a connection"))
}

async fn start(options: &Options) -> io::Result<(Process, SocketAddr)> {
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let folder = std::env::temp_dir().join("twocan-bench");
    let text = |text: &str| text.to_owned();
    let arguments = [
        text("serve"),
        text("--http"),
        address.to_string(),
        text("--https"),
        text("off"),
        text("--turns"),
        text("off"),
        text("--stun-turn"),
        text("off"),
        text("--connections-per-address"),
        text("1000000"),
        text("--messages-per-second"),
        text("1000000"),
        text("--data-dir"),
        folder.display().to_string(),
    ];
    let process = Process::start(&options.twocan.display().to_string(), &arguments)?;
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        if TcpStream::connect(address).await.is_ok() {
            return Ok((process, address));
        }
        time::sleep(Duration::from_millis(20)).await;
    }
    Err(io::Error::other(format!("no server answers at {address} after 20 s")))
}
