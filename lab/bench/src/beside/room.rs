//! A room in which all send and all watch: everybody sends sound and pictures in three sizes, and gets what each of the others
//! sends, of a few in full and of most as thumbnails. Whose, each says to the server in the server's own way.
//!
//! Servers take turns, each with a new process. Who sends does so at moments of its own, as people who do not know of each other
//! do. Packets are counted where they arrive, processor time is the server's.

mod bare;
mod camera;
mod guest;
mod line;
mod livekit;
mod ours;
mod pion;
mod socket;

use std::io;
use std::time::{Duration, Instant};

use twocan::MediaKind;

use self::camera::{PICTURE, SOUND};
use self::guest::Guest;
use self::line::Sent;
use super::Options;
use super::server::{Server, Stack};
use crate::stats::median;

/// How long a step on the way into the room may take.
const STEP: Duration = Duration::from_secs(30);
/// How long everything flows before it is measured: until estimates have grown.
const WARM: Duration = Duration::from_secs(8);
/// What the thread that only forwards is called among the servers.
const BARE: &str = "bare";
/// Between two looks at what has come while nothing is sent.
const LOOK: Duration = Duration::from_millis(5);

/// What of another one is wished for.
#[derive(Clone, Copy)]
struct Wish<'a> {
    name: &'a str,
    /// How the server calls that one, where it gives names.
    id: &'a str,
    size: Size,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Size {
    Thumbnail,
    Full,
}

pub(super) fn run(options: &Options, people: usize, stacks: &[Stack]) -> io::Result<()> {
    let full = options.full.min(people - 1);
    println!(
        "each of {people} sends sound and three sizes of pictures, and gets the others: {full} in full, {} as thumbnails",
        people - 1 - full
    );
    if options.voices > 0 {
        println!(
            "ours forwards {} of the sounds at a time, and no more are wished for of it",
            options.voices
        );
    }
    println!(
        "{:>8} {:>11} {:>14} {:>10} {:>8} {:>8} {:>9} {:>24} {:>8}",
        "server",
        "packets/s",
        "packets/CPU-s",
        "us/packet",
        "of ours",
        "CPU",
        "arrived",
        "small/middle/full/none",
        "KiB each"
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut all: Vec<Vec<Figures>> = stacks.iter().map(|_| Vec::new()).collect();
    let mut alone = Vec::new();
    for round in 0..options.rounds {
        for (stack, figures) in stacks.iter().zip(&mut all) {
            match runtime.block_on(measure(options, *stack, people, full)) {
                Ok(one) => {
                    if options.each {
                        print!("{:>3}.", round + 1);
                        one.print(stack.name(), None);
                    }
                    figures.push(one);
                }
                // One that does not bear it is told of, and the others go on.
                Err(why) => println!("{:>8} {why}", stack.name()),
            }
        }
        if options.bare {
            let one = bare::measure(people, full, Duration::from_millis(options.window))?;
            if options.each {
                print!("{:>3}.", round + 1);
                one.print(BARE, None);
            }
            alone.push(one);
        }
    }
    let medians: Vec<Figures> = all.iter().map(|rounds| Figures::median(rounds)).collect();
    let ours = stacks.iter().position(|stack| *stack == Stack::Twocan).map(|place| medians[place].cost);
    for (stack, figures) in stacks.iter().zip(&medians) {
        figures.print(stack.name(), ours);
    }
    if options.bare {
        Figures::median(&alone).print(BARE, ours);
    }
    Ok(())
}

/// Of one turn.
struct Figures {
    /// Packets that went to the server, and that arrived, for each second.
    sent: f64,
    rate: f64,
    /// Microseconds of the server's processor for each of them.
    cost: f64,
    /// Of the time, what the server spent on its core.
    share: f64,
    /// Of what was wished for, what arrived.
    arrived: f64,
    /// Videos that came as thumbnails, in the middle size, in full, and not at all.
    sizes: [f64; 4],
    /// KiB of the server's memory for each who is there; not a number where none is measured.
    memory: f64,
}

impl Figures {
    fn median(rounds: &[Self]) -> Self {
        let of = |figure: &dyn Fn(&Self) -> f64| median(&rounds.iter().map(figure).collect::<Vec<f64>>());
        Self {
            sent: of(&|one| one.sent),
            rate: of(&|one| one.rate),
            cost: of(&|one| one.cost),
            share: of(&|one| one.share),
            arrived: of(&|one| one.arrived),
            sizes: [0, 1, 2, 3].map(|size| of(&|one| one.sizes[size])),
            memory: of(&|one| one.memory),
        }
    }

    fn print(&self, name: &str, ours: Option<f64>) {
        let [small, middle, full, none] = self.sizes;
        let of_ours = ours.map_or_else(String::new, |ours| format!("{:.2}", self.cost / ours));
        let memory = if self.memory.is_nan() { "-".to_owned() } else { format!("{:.0}", self.memory) };
        println!(
            "{name:>8} {:>8.0} {:>11.0} {:>14.0} {:>10.2} {of_ours:>8} {:>7.1}% {:>8.1}% {:>24} {memory:>8}",
            self.sent,
            self.rate,
            1e6 / self.cost,
            self.cost,
            100.0 * self.share,
            100.0 * self.arrived,
            format!("{small:.0}/{middle:.0}/{full:.0}/{none:.0}"),
        );
    }
}

async fn measure(options: &Options, stack: Stack, people: usize, full: usize) -> io::Result<Figures> {
    let server = Server::start(stack, &options.twocan, options.voices)?;
    let before = server.process.memory()?;
    let mut room = Room { guests: Vec::new() };
    for place in 0..people {
        room.guests.push(Guest::enter(&server, place, people - 1).await?);
        room.until("let in", Guest::is_in).await?;
    }
    for place in 0..people {
        room.guests[place].publish(&server).await?;
        let name = room.guests[place].name.clone();
        room.until("connected", |guest| guest.name != name || guest.is_publishing()).await?;
    }
    // Who watches asks for what is there.
    room.send(Duration::from_secs(1)).await?;
    room.until("told of the others", Guest::sees_all).await?;
    let names: Vec<(String, String)> =
        room.guests.iter().map(|guest| (guest.name.clone(), guest.id().to_owned())).collect();
    for place in 0..people {
        let wish = |away: usize| {
            let (name, id) = &names[(place + away) % people];
            Wish { name, id, size: if away <= full { Size::Full } else { Size::Thumbnail } }
        };
        let wishes: Vec<Wish<'_>> = (1..people).map(wish).collect();
        room.guests[place].watch(&server, &wishes).await?;
        room.send(2 * PICTURE).await?;
    }
    room.until("shown the others", Guest::is_watching).await?;
    room.send(WARM).await?;
    let memory = server.process.memory()?.saturating_sub(before) as f64 / 1024.0 / people as f64;
    let (frames, sent, arrived) = (room.frames(), room.sent().await?, room.arrived().await?);
    let (begun, cpu) = (Instant::now(), server.process.cpu()?);
    room.send(Duration::from_millis(options.window)).await?;
    let (took, cpu) = (begun.elapsed().as_secs_f64(), (server.process.cpu()? - cpu).as_secs_f64());
    let sent: Vec<Sent> = room.sent().await?.iter().zip(&sent).map(|(now, then)| now.since(then)).collect();
    let arrived = room.arrived().await?.since(&arrived);
    let pictures: u64 = (0..people)
        .flat_map(|place| (1..people).map(move |away| (away, (place + away) % people)))
        .map(|(away, whose)| sent[whose].layers[if away <= full { 2 } else { 0 }])
        .sum();
    // All are equally loud, and send equally many: some of them are forwarded, to all the others.
    let voices = match (stack, usize::from(options.voices)) {
        (Stack::Twocan, voices @ 1..) => voices.min(people),
        _ => people,
    };
    let sounds = sent.iter().map(|one| one.sound).sum::<u64>() as f64 * (people - 1) as f64;
    let wished = pictures as f64 + sounds * voices as f64 / people as f64;
    let frames = (room.frames() - frames) as f64;
    let total: u64 = arrived.0.iter().map(|(_, _, packets)| packets).sum();
    Ok(Figures {
        sent: sent.iter().map(Sent::all).sum::<u64>() as f64 / took,
        rate: total as f64 / took,
        cost: 1e6 * cpu / total as f64,
        share: cpu / took,
        arrived: total as f64 / wished,
        sizes: arrived.sizes(frames, people * (people - 1)),
        memory,
    })
}

struct Room {
    guests: Vec<Guest>,
}

impl Room {
    /// Until it is so of everybody.
    async fn until(&mut self, what: &str, is_so: impl Fn(&Guest) -> bool) -> io::Result<()> {
        let begun = Instant::now();
        loop {
            for guest in &mut self.guests {
                guest.hear().await?;
            }
            let waiting = self.guests.iter().find(|guest| !is_so(guest));
            let Some(waiting) = waiting else { return Ok(()) };
            if begun.elapsed() > STEP {
                return Err(io::Error::other(format!("{} is not {what}", waiting.name)));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// All send for so long, each at moments of its own.
    async fn send(&mut self, time: Duration) -> io::Result<()> {
        let begun = Instant::now();
        let people = self.guests.len() as u32;
        let mut due: Vec<(Duration, Duration)> = (0..people)
            .map(|place| (PICTURE * place / people, SOUND * ((7 * place) % people) / people))
            .collect();
        loop {
            let next = due.iter().map(|(picture, sound)| *picture.min(sound)).min().unwrap_or(time);
            if next >= time {
                return Ok(());
            }
            tokio::time::sleep_until((begun + next).into()).await;
            let now = begun.elapsed();
            for (guest, (picture, sound)) in self.guests.iter_mut().zip(&mut due) {
                if *sound <= now {
                    *sound += SOUND;
                    if let Some(camera) = &mut guest.camera {
                        camera.send_sound().await?;
                    }
                }
                if *picture <= now {
                    *picture += PICTURE;
                    guest.hear().await?;
                    if let Some(camera) = &mut guest.camera {
                        camera.send_picture().await?;
                    }
                }
            }
        }
    }

    async fn sent(&self) -> io::Result<Vec<Sent>> {
        let mut all = Vec::new();
        for guest in &self.guests {
            all.push(guest.sent().await?);
        }
        Ok(all)
    }

    /// Pictures that one of them has sent so far; the others have sent as many.
    fn frames(&self) -> u64 {
        self.guests.first().and_then(|guest| guest.camera.as_ref()).map_or(0, |camera| camera.frames)
    }

    async fn arrived(&self) -> io::Result<Arrived> {
        let mut all = Vec::new();
        for guest in &self.guests {
            for one in guest.arrived().await? {
                all.push((format!("{} {}", guest.name, one.mid.unwrap_or_default()), one.kind, one.packets));
            }
        }
        Ok(Arrived(all))
    }
}

/// Packets of each medium of each who receives.
struct Arrived(Vec<(String, MediaKind, u64)>);

impl Arrived {
    fn since(mut self, then: &Self) -> Self {
        for (medium, _, packets) in &mut self.0 {
            let before = then.0.iter().find(|(known, _, _)| known == medium);
            *packets -= before.map_or(0, |(_, _, packets)| *packets).min(*packets);
        }
        self
    }

    /// How many videos came in which size: by their packets for each picture, which are 1 to 2, 2 to 3, and 4 to 11.
    fn sizes(&self, frames: f64, videos: usize) -> [f64; 4] {
        let mut sizes = [0.0; 4];
        for (_, kind, packets) in &self.0 {
            if *kind == MediaKind::Video && *packets > 0 {
                let size = match *packets as f64 / frames {
                    few if few < 1.5 => 0,
                    some if some < 4.0 => 1,
                    _ => 2,
                };
                sizes[size] += 1.0;
            }
        }
        sizes[3] = videos as f64 - sizes[0] - sizes[1] - sizes[2];
        sizes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn videos_are_told_apart_by_their_packets_for_each_picture() {
        let arrived = |counts: [u64; 4]| {
            let one = |(place, packets): (usize, u64)| (format!("guest {place}"), MediaKind::Video, packets);
            let mut all: Vec<_> = counts.into_iter().enumerate().map(one).collect();
            all.push(("guest sound".into(), MediaKind::Audio, 5000));
            Arrived(all)
        };
        let window = arrived([1120, 240, 700, 50]).since(&arrived([1000, 0, 0, 50]));
        assert_eq!(window.sizes(100.0, 5).map(|count| count as usize), [1, 1, 1, 2]);
    }
}
