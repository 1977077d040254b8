//! What is measured: the rows of the tables.

use std::time::Duration;

use netsim::Loss;

use super::path::Path;
use super::workload::Run;

/// What a cell tells of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Figure {
    /// Percent of the bottleneck.
    Goodput,
    /// Of small messages, in milliseconds: the median of round trips and what 95 of a hundred stay below, the same of
    /// one way.
    Latency,
    /// Percent of the bottleneck that the slower of two connections gets.
    SlowerShare,
}

/// A table.
pub(crate) struct Group {
    pub(crate) title: &'static str,
    pub(crate) figure: Figure,
    pub(crate) rows: Vec<Row>,
}

/// One line of it.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) run: Run,
    /// What ours are held to: at least, or for times at most.
    #[cfg_attr(not(test), expect(dead_code, reason = "tests hold the tables to it"))]
    pub(crate) target: u32,
}

impl Row {
    fn new(path: Path, condition: &str, target: u32) -> Self {
        let name = format!("{:>4} Mbit/s {:>3} ms  {condition}", path.megabits, path.round_trip.as_millis());
        Self { name, run: Run::new(path), target }
    }
}

/// A burst of ten datagrams on average, for each two thousand.
const BURSTS: Loss = Loss::Bursts { begin: 0.0005, end: 0.1 };

fn goodput() -> Vec<Row> {
    let mut rows = Vec::new();
    for megabits in [1000, 100] {
        for milliseconds in [20, 50, 100] {
            rows.push(Row::new(Path::new(megabits, milliseconds), "no loss", 90));
        }
        let path = Path::new(megabits, 50);
        rows.push(Row::new(path.loss(Loss::Random(0.001)), "0.1 % loss", 85));
        rows.push(Row::new(path.loss(Loss::Random(0.01)), "1 % loss", 80));
        rows.push(Row::new(Path::new(megabits, 100).loss(Loss::Random(0.01)), "1 % loss", 75));
        rows.push(Row::new(path.loss(BURSTS), "bursts of loss", 75));
        rows.push(Row::new(path.reordered(1.0), "1 % reordered", 90));
    }
    rows.push(Row::new(Path::new(10, 50).buffer(25), "buffer 1/4 BDP", 75));
    rows.push(Row::new(Path::new(10, 50).buffer(1000), "buffer 10 BDP", 90));
    rows
}

/// Small messages beside a bulk transfer.
fn latency() -> Vec<Row> {
    let limit = |path: &Path| path.round_trip.as_millis() as u32 * 6 / 5;
    let paths = [
        (Path::new(20, 50), "no loss"),
        (Path::new(100, 50), "no loss"),
        (Path::new(20, 50).loss(Loss::Random(0.01)), "1 % loss"),
        (Path::new(10, 50).buffer(25), "buffer 1/4 BDP"),
        (Path::new(10, 50).buffer(1000), "buffer 10 BDP"),
    ];
    let rows = paths.into_iter().map(|(path, condition)| {
        let row = Row::new(path, condition, limit(&path));
        Row { run: Run { has_small: true, ..row.run }, ..row }
    });
    rows.collect()
}

fn fairness() -> Vec<Row> {
    let rows = [(100, 20), (100, 50)].map(|(megabits, milliseconds)| {
        let row = Row::new(Path::new(megabits, milliseconds), "two at once", 30);
        let (lasting, settling) = (Duration::from_secs(20), Duration::from_secs(10));
        Row { run: Run { connections: 2, lasting, settling, ..row.run }, ..row }
    });
    rows.into()
}

pub(crate) fn groups() -> Vec<Group> {
    vec![
        Group {
            title: "Goodput: payload received in percent of the bottleneck, seconds 2 to 10 of a bulk transfer",
            figure: Figure::Goodput,
            rows: goodput(),
        },
        Group {
            title: "Messages of 100 bytes beside a bulk transfer, in ms: round trip, one way; each median/95th percentile",
            figure: Figure::Latency,
            rows: latency(),
        },
        Group {
            title: "Two connections of one stack: percent of the bottleneck that the slower one gets, seconds 10 to 20",
            figure: Figure::SlowerShare,
            rows: fairness(),
        },
    ]
}
