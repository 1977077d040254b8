//! The work that is measured.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use stun::{Class, Method, Writer};
use turn::channel;

use super::client::{self, Flow, fresh_transaction};
use super::socket::LoadSocket;
use crate::process::Process;

/// Application data in a datagram, in bytes.
const PAYLOAD: usize = 1200;

/// Flows that saturate.
const FLOWS: usize = 8;

/// Datagrams under way in each direction of a flow when saturating.
const IN_FLIGHT: u64 = 64;

/// Before counting, so that everything is warm.
const WARM_UP: Duration = Duration::from_millis(300);

/// Nothing arrived for this long: what is still under way is lost.
const LOST_AFTER: Duration = Duration::from_millis(200);

pub(crate) struct Saturated {
    pub(crate) packets: u64,
    /// By how much the meter rose meanwhile.
    pub(crate) spent: f64,
    wall: Duration,
    lost: u64,
}

/// Reads what only ever rises: CPU time, for example.
pub(crate) type Meter<'m> = &'m dyn Fn() -> io::Result<f64>;

/// A server's CPU time so far, in microseconds.
pub(crate) fn cpu(server: &Process) -> impl Fn() -> io::Result<f64> {
    || Ok(server.cpu()?.as_secs_f64() * 1e6)
}

pub(crate) fn saturated_cost(server: &Process, address: SocketAddr, window: Duration) -> io::Result<f64> {
    saturated(&cpu(server), address, window)
}

pub(crate) fn saturated_rate(server: &Process, address: SocketAddr, window: Duration) -> io::Result<f64> {
    let run = saturate(&cpu(server), address, window, 1)?;
    if run.lost > 0 {
        eprintln!("  (lost {} of {} packets)", run.lost, run.packets);
    }
    Ok(run.packets as f64 / run.wall.as_secs_f64())
}

pub(crate) fn offloaded_cost(server: &Process, address: SocketAddr, window: Duration) -> io::Result<f64> {
    let run = saturate(&cpu(server), address, window, 16)?;
    Ok(run.spent / run.packets as f64)
}

/// What a meter shows for each packet, saturated.
pub(crate) fn saturated(meter: Meter<'_>, address: SocketAddr, window: Duration) -> io::Result<f64> {
    let run = saturate(meter, address, window, 1)?;
    Ok(run.spent / run.packets as f64)
}

/// Keeps a window of datagrams under way in both directions of every flow: as much as the server can do, and
/// nothing lost for want of a buffer.
fn saturate(meter: Meter<'_>, address: SocketAddr, window: Duration, burst: usize) -> io::Result<Saturated> {
    let flows = (0..FLOWS).map(|_| Flow::open(address)).collect::<io::Result<Vec<_>>>()?;
    let directions = flows
        .iter()
        .flat_map(|flow| {
            let header = channel::header(flow.channel, PAYLOAD as u16);
            let wrapped = [&header[..], &[0x55; PAYLOAD]].concat();
            [
                Direction::new(&flow.client, &flow.peer, &wrapped, burst),
                Direction::new(&flow.peer, &flow.client, &[0x55; PAYLOAD], burst),
            ]
        })
        .collect();
    saturate_directions(meter, directions, window)
}

/// The same, of any directions.
pub(crate) fn saturate_directions(
    meter: Meter<'_>,
    mut directions: Vec<Direction<'_>>,
    window: Duration,
) -> io::Result<Saturated> {
    let mut arena = vec![0; 4 << 16];
    let mut lost = 0;
    let mut drive = |until: Instant| {
        let mut received = 0;
        let mut last = Instant::now();
        while Instant::now() < until {
            let mut moved = 0;
            for direction in &mut directions {
                direction.fill()?;
                moved += direction.drain(&mut arena)?;
            }
            received += moved;
            if moved > 0 {
                last = Instant::now();
            } else if last.elapsed() > LOST_AFTER {
                lost += directions
                    .iter_mut()
                    .map(|direction| std::mem::take(&mut direction.under_way))
                    .sum::<u64>();
                last = Instant::now();
            }
        }
        Ok::<u64, io::Error>(received)
    };
    drive(Instant::now() + WARM_UP)?;
    let (before, start) = (meter()?, Instant::now());
    let packets = drive(start + window)?;
    let (wall, spent) = (start.elapsed(), meter()? - before);
    Ok(Saturated { packets, spent, wall, lost })
}

pub(crate) struct Direction<'f> {
    from: &'f LoadSocket,
    to: &'f LoadSocket,
    datagrams: Vec<u8>,
    segment: usize,
    burst: u64,
    under_way: u64,
}

impl<'f> Direction<'f> {
    pub(crate) fn new(from: &'f LoadSocket, to: &'f LoadSocket, datagram: &[u8], burst: usize) -> Self {
        let datagrams = datagram.repeat(burst);
        Self { from, to, datagrams, segment: datagram.len(), burst: burst as u64, under_way: 0 }
    }

    fn fill(&mut self) -> io::Result<()> {
        while self.under_way + self.burst <= IN_FLIGHT {
            if self.burst == 1 {
                self.from.send(&self.datagrams)?;
            } else {
                self.from.send_segments(&self.datagrams, self.segment)?;
            }
            self.under_way += self.burst;
        }
        Ok(())
    }

    fn drain(&mut self, arena: &mut [u8]) -> io::Result<u64> {
        let received = self.to.drain(arena)?;
        self.under_way = self.under_way.saturating_sub(received);
        Ok(received)
    }
}

/// 100 allocations, 100 packets a second in each direction of each, evenly spread.
pub(crate) fn paced_cost(server: &Process, address: SocketAddr, window: Duration) -> io::Result<f64> {
    paced(&cpu(server), address, window)
}

/// The same, by any meter.
pub(crate) fn paced(meter: Meter<'_>, address: SocketAddr, window: Duration) -> io::Result<f64> {
    let flows = (0..100).map(|_| Flow::open(address)).collect::<io::Result<Vec<_>>>()?;
    let wrapped =
        [&channel::header(channel::ChannelNumber::FIRST, PAYLOAD as u16)[..], &[0x55; PAYLOAD]].concat();
    let mut arena = vec![0; 4 << 16];
    let gap = Duration::from_secs(1) / (100 * 100 * 2);
    let mut run = |duration: Duration| {
        let start = Instant::now();
        let (mut sent, mut received) = (0_u32, 0);
        while start.elapsed() < duration {
            // Behind schedule, it catches up; ahead, it reads what came.
            while gap * sent <= start.elapsed() {
                let flow = &flows[sent as usize / 2 % flows.len()];
                if sent.is_multiple_of(2) {
                    flow.client.send(&wrapped)?;
                } else {
                    flow.peer.send(&wrapped[channel::HEADER_LEN..])?;
                }
                sent += 1;
            }
            let flow = &flows[sent as usize / 2 % flows.len()];
            received += flow.client.drain(&mut arena)? + flow.peer.drain(&mut arena)?;
        }
        let deadline = Instant::now() + LOST_AFTER;
        while received < u64::from(sent) && Instant::now() < deadline {
            for flow in &flows {
                received += flow.client.drain(&mut arena)? + flow.peer.drain(&mut arena)?;
            }
        }
        Ok::<u64, io::Error>(received)
    };
    run(WARM_UP)?;
    let before = meter()?;
    let received = run(window)?;
    Ok((meter()? - before) / received as f64)
}

/// Binding requests from 64 clients, a few of each under way.
pub(crate) fn binding_cost(server: &Process, address: SocketAddr, window: Duration) -> io::Result<f64> {
    bindings(&cpu(server), address, window)
}

/// The same, by any meter.
pub(crate) fn bindings(meter: Meter<'_>, address: SocketAddr, window: Duration) -> io::Result<f64> {
    let sockets = (0..64).map(|_| LoadSocket::new(address)).collect::<io::Result<Vec<_>>>()?;
    let mut request = Vec::new();
    Writer::new(&mut request, Class::Request, Method::BINDING, fresh_transaction());
    let mut directions: Vec<_> =
        sockets.iter().map(|socket| Direction::new(socket, socket, &request, 1)).collect();
    let mut arena = vec![0; 4 << 16];
    let mut drive = |until: Instant| {
        let mut answers = 0;
        let mut last = Instant::now();
        while Instant::now() < until {
            let mut moved = 0;
            for direction in &mut directions {
                while direction.under_way < 4 {
                    direction.from.send(&direction.datagrams)?;
                    direction.under_way += 1;
                }
                moved += direction.drain(&mut arena)?;
            }
            answers += moved;
            if moved > 0 {
                last = Instant::now();
            } else if last.elapsed() > LOST_AFTER {
                directions.iter_mut().for_each(|direction| direction.under_way = 0);
            }
        }
        Ok::<u64, io::Error>(answers)
    };
    drive(Instant::now() + WARM_UP)?;
    let before = meter()?;
    let answers = drive(Instant::now() + window)?;
    Ok((meter()? - before) / answers as f64)
}

/// Resident memory that 1,000 allocations add, each with a channel and some traffic.
pub(crate) fn memory(server: &Process, address: SocketAddr, _: Duration) -> io::Result<f64> {
    let before = server.memory()?;
    let flows = (0..1000).map(|_| Flow::open(address)).collect::<io::Result<Vec<_>>>()?;
    let wrapped =
        [&channel::header(channel::ChannelNumber::FIRST, PAYLOAD as u16)[..], &[0x55; PAYLOAD]].concat();
    let mut arena = vec![0; 4 << 16];
    for _ in 0..10 {
        for flow in &flows {
            flow.client.send(&wrapped)?;
            flow.peer.send(&wrapped[channel::HEADER_LEN..])?;
        }
        for flow in &flows {
            let (mut at_client, mut at_peer) = (0, 0);
            let deadline = Instant::now() + Duration::from_secs(2);
            while (at_client == 0 || at_peer == 0) && Instant::now() < deadline {
                at_client += flow.client.drain(&mut arena)?;
                at_peer += flow.peer.drain(&mut arena)?;
            }
        }
    }
    Ok(server.memory()?.saturating_sub(before) as f64 / 1024.0 / flows.len() as f64)
}

/// Allocations that are new to the server, challenge included, 64 under way at a time.
pub(crate) fn allocation_rate(_: &Process, address: SocketAddr, _: Duration) -> io::Result<f64> {
    let (wall, count) = allocate_many(address)?;
    Ok(count as f64 / wall.as_secs_f64())
}

/// The same, as what the server pays.
pub(crate) fn allocation_cost(server: &Process, address: SocketAddr, _: Duration) -> io::Result<f64> {
    let before = server.cpu()?;
    let (_, count) = allocate_many(address)?;
    Ok((server.cpu()? - before).as_secs_f64() * 1e6 / count as f64)
}

fn allocate_many(address: SocketAddr) -> io::Result<(Duration, usize)> {
    const COUNT: usize = 4000;
    const UNDER_WAY: usize = 64;
    const PATIENCE: Duration = Duration::from_secs(10);
    let sockets = (0..COUNT).map(|_| LoadSocket::new(address)).collect::<io::Result<Vec<_>>>()?;
    let mut buffer = [0; 1500];
    let mut session = None;
    // Answers come in the order of requests, so that the oldest is always the one to wait for.
    let mut waiting = VecDeque::new();
    let mut fresh = sockets.iter();
    let start = Instant::now();
    let mut done = 0;
    while done < COUNT {
        while waiting.len() < UNDER_WAY
            && let Some(socket) = fresh.next()
        {
            socket.send(&client::first_request())?;
            waiting.push_back((socket, false));
        }
        let Some((socket, challenged)) = waiting.pop_front() else { break };
        let length = socket.receive(&mut buffer, PATIENCE)?;
        if challenged {
            client::allocated(&buffer[..length])?;
            done += 1;
        } else {
            let session = client::challenged(&buffer[..length], &mut session)?;
            socket.send(&session.allocate())?;
            waiting.push_back((socket, true));
        }
    }
    Ok((start.elapsed(), COUNT))
}
