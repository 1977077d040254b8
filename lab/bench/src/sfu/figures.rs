//! What a measurement came to.

use super::delays::{Delays, Spread};
use super::transit::Transit;
use crate::stats::median;

pub(super) struct Figures {
    /// Packets forwarded for each second of the server's processor time, round by round.
    pub(super) rates: Vec<f64>,
    /// Of the time, what the server spent on its processor.
    pub(super) shares: Vec<f64>,
    /// KiB that a viewer takes.
    pub(super) memory: f64,
    /// Datagrams in a system call.
    pub(super) batch: f64,
    /// Of what was to come, in percent.
    pub(super) lost: f64,
    /// With what clients take for it.
    pub(super) delays: [Delays; 2],
    /// Without; or why that is not known.
    pub(super) transit: Result<Transit, String>,
    /// Of a core, what each media worker took.
    pub(super) threads: Vec<f64>,
}

impl Figures {
    pub(super) fn print(&self, viewers: usize) {
        let (rate, share) = (median(&self.rates), median(&self.shares));
        println!(
            "{viewers:>8} {rate:>14.0} {:>10.2} {:>11.4}% {:>9.1}% {:>10.1} {:>13.1} {:>8.2}%",
            1e6 / rate,
            100.0 * share / viewers as f64,
            100.0 * share,
            self.batch,
            self.memory,
            self.lost,
        );
        if self.threads.len() > 1 {
            let shares: Vec<String> =
                self.threads.iter().map(|share| format!("{:.0}%", 100.0 * share)).collect();
            println!("{:>8} of a core: {}", "workers", shares.join(", "));
        }
        println!(
            "{:>8} {:<41} {:>8} {:>8} {:>8} {:>8} {:>9}",
            "", "ms late", "median", "99th", "99.9th", "longest", "of"
        );
        match &self.transit {
            Ok(transit) => {
                tell("in the server", &transit.took);
                tell("of that, until the first has it", &transit.first);
                if transit.unknown > 0 {
                    println!("{:>8} {} packets came from where nobody looked", "", transit.unknown);
                }
            }
            Err(error) => println!(
                "{:>8} in the server: not known ({error}); it takes root, or CAP_NET_RAW and CAP_NET_ADMIN",
                ""
            ),
        }
        let [sound, pictures] = &self.delays;
        tell("with clients", [&sound.took, &pictures.took]);
    }
}

fn tell<'a>(what: &str, spreads: impl IntoIterator<Item = &'a Spread>) {
    for (spread, kind) in spreads.into_iter().zip(["sound", "pictures"]) {
        let [median, most, nearly_all, longest] = [0.5, 0.99, 0.999, 1.0].map(|part| spread.at(part));
        let what = format!("{what}, {kind}");
        let count = spread.count();
        println!(
            "{:>8} {what:<41} {median:>8.3} {most:>8.3} {nearly_all:>8.3} {longest:>8.3} {count:>9}",
            ""
        );
    }
}
