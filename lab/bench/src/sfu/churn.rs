//! Viewers who come and go while others stay: what a join costs, and whether those who stay notice.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use twocan::Direction;

use super::WATCHED;
use super::delays::Delays;
use super::end::{Counters, End};
use super::stage::{Stage, room_name};

/// What those who stay see, with and without others who come and go.
pub(super) fn run(
    stage: &mut Stage,
    runtime: &tokio::runtime::Runtime,
    each_second: usize,
    time: Duration,
) -> io::Result<()> {
    let quiet = watch(stage, runtime, time)?;
    println!("those who stay, ms:{:>22} {:>9} {:>9} {:>9}", "median", "99th", "99.9th", "longest");
    tell("without others", &stage.delays);
    let (is_over, joined) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let others = {
        let (server, is_over, joined) = (stage.address, Arc::clone(&is_over), Arc::clone(&joined));
        thread::spawn(move || come_and_go(server, each_second, (&is_over, &joined)))
    };
    // Until as many leave as come.
    watch(stage, runtime, Duration::from_millis(1500))?;
    let before = joined.load(Ordering::Relaxed);
    let busy = watch(stage, runtime, time)?;
    let joins = joined.load(Ordering::Relaxed) - before;
    is_over.store(true, Ordering::Relaxed);
    others.join().map_err(|_| io::Error::other("those who come and go have failed"))??;
    tell(&format!("{each_second} a second come and go"), &stage.delays);
    // What those who came were sent is not the joins' cost.
    let forwarding = quiet.cpu * (busy.forwarded as f64 / quiet.forwarded as f64);
    println!(
        "{joins} joins in {:.1} s; {:.2} ms of the server's processor each, its leaving included",
        time.as_secs_f64(),
        (busy.cpu - forwarding) * 1000.0 / joins as f64,
    );
    Ok(())
}

/// What the server did in that time.
struct Work {
    cpu: f64,
    forwarded: u64,
}

fn watch(stage: &mut Stage, runtime: &tokio::runtime::Runtime, time: Duration) -> io::Result<Work> {
    stage.delays = Default::default();
    let (cpu, counters) = (stage.server.cpu()?, Counters::of(stage.address)?);
    runtime.block_on(stage.run(time))?;
    Ok(Work {
        cpu: (stage.server.cpu()? - cpu).as_secs_f64(),
        forwarded: Counters::of(stage.address)?.forwarded - counters.forwarded,
    })
}

fn tell(title: &str, delays: &[Delays; 2]) {
    for (delays, kind) in delays.iter().zip(["sound", "pictures"]) {
        for (spread, what) in [(&delays.took, "late by"), (&delays.gaps, "gaps beyond what was to be")] {
            let [median, most, nearly_all, longest] = [0.5, 0.99, 0.999, 1.0].map(|part| spread.at(part));
            println!(
                "  {title}, {kind} {what}: {median:.2} {most:.2} {nearly_all:.2} {longest:.2} (of {WATCHED})"
            );
        }
    }
}

/// So many a second come, and each stays for a second.
fn come_and_go(
    server: SocketAddr,
    each_second: usize,
    (is_over, joined): (&AtomicBool, &AtomicUsize),
) -> io::Result<()> {
    // Those who stay are not to be held up by what these do on the same core.
    let thread = nix::unistd::gettid().to_string();
    Command::new("renice").args(["-n", "19", "-p", &thread]).output()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut present = VecDeque::new();
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / each_second.max(1) as u32);
        while !is_over.load(Ordering::Relaxed) {
            ticks.tick().await;
            let mut one = End::connect(server, &room_name(0), Direction::RecvOnly).await?;
            one.throw_away();
            present.push_back(one);
            joined.fetch_add(1, Ordering::Relaxed);
            if present.len() > each_second {
                present.pop_front();
            }
        }
        Ok(())
    })
}
