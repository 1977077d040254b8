//! Runs what is measured, and puts it into tables.

use std::fmt::{Display, Write as _};
use std::sync::Mutex;

use super::rows::{Figure, Group, Row};
use super::stack::Stack;
use super::workload::Measured;

/// Runs of which the median counts, where chance plays a part.
const SEEDS: u64 = 3;

/// Columns of a row's name.
pub(crate) const NAME_WIDTH: usize = 36;
/// Columns of a cell.
pub(crate) const CELL_WIDTH: usize = 20;

/// One cell of a table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    /// The figures that its group is about.
    Known(Vec<f64>),
    /// Why there are none.
    Failed(String),
}

impl Cell {
    fn of(figure: Figure, row: &Row, measured: &[Measured]) -> Self {
        let percent = |goodput: f64| goodput * 100.0 / row.run.path.rate() as f64;
        match figure {
            Figure::Goodput => Self::Known(vec![percent(measured[0].goodput)]),
            Figure::Latency if measured[0].round_trip.is_empty() => Self::Failed("no answer came".into()),
            Figure::Latency => {
                let times = [&measured[0].round_trip, &measured[0].one_way].map(|seconds| times(seconds));
                Self::Known(times.concat())
            }
            Figure::SlowerShare => {
                let least = measured.iter().map(|flow| flow.goodput).fold(f64::INFINITY, f64::min);
                Self::Known(vec![percent(least)])
            }
        }
    }

    /// Of each figure the median.
    fn median(cells: &[Self]) -> Self {
        let mut known = Vec::new();
        for cell in cells {
            match cell {
                Self::Known(figures) => known.push(figures),
                Self::Failed(_) => return cell.clone(),
            }
        }
        let count = known.iter().map(|figures| figures.len()).min().unwrap_or(0);
        let of = |place: usize| known.iter().map(|figures| figures[place]).collect::<Vec<_>>();
        Self::Known((0..count).map(|place| crate::stats::median(&of(place))).collect())
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Self::Known(figures) => match figures[..] {
                [figure] => format!("{figure:.1}"),
                [trip, slow_trip, way, slow_way] => {
                    format!("{trip:.0}/{slow_trip:.0} {way:.0}/{slow_way:.0}")
                }
                _ => "?".into(),
            },
            Self::Failed(_) => "-".into(),
        }
    }
}

/// Median and 95th percentile, in milliseconds.
fn times(seconds: &[f64]) -> Vec<f64> {
    let mut sorted = seconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    let slow = sorted.get(sorted.len() * 95 / 100).copied().unwrap_or(f64::NAN);
    vec![crate::stats::median(&sorted) * 1e3, slow * 1e3]
}

/// The cells of one row, for the stacks in their order.
pub(crate) type Cells = Vec<Cell>;

/// Measures a group, on as many threads; says on the way what is done.
pub(crate) fn measure(group: &Group, stacks: &[Stack], threads: usize) -> Vec<Cells> {
    let jobs = group.rows.iter().enumerate().flat_map(|(row, _)| (0..stacks.len()).map(move |at| (row, at)));
    let jobs = Mutex::new(jobs);
    let empty = vec![Cell::Failed("not run".into()); stacks.len()];
    let cells = Mutex::new(vec![empty; group.rows.len()]);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((row, at)) = next(&jobs) {
                    let cell = cell(group.figure, &group.rows[row], stacks[at]);
                    eprintln!("{}  {}: {}", group.rows[row].name, stacks[at].name(), cell.text());
                    if let Cell::Failed(why) = &cell {
                        eprintln!("    {why}");
                    }
                    if let Ok(mut cells) = cells.lock() {
                        cells[row][at] = cell;
                    }
                }
            });
        }
    });
    cells.into_inner().unwrap_or_default()
}

fn next<T>(jobs: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    jobs.lock().ok()?.next()
}

fn cell(figure: Figure, row: &Row, stack: Stack) -> Cell {
    let is_random = row.run.path.is_random() || figure != Figure::Goodput;
    let seeds = if is_random { SEEDS } else { 1 };
    let cells: Vec<_> = (1..=seeds)
        .map(|seed| match row.run.of(stack, seed) {
            Ok(measured) => Cell::of(figure, row, &measured),
            Err(why) => Cell::Failed(why),
        })
        .collect();
    Cell::median(&cells)
}

/// A group as text.
pub(crate) fn text(group: &Group, stacks: &[Stack], rows: &[Cells]) -> String {
    let mut text = format!("{}\n\n", group.title);
    text.push_str(&line("", stacks.iter().map(|stack| stack.name())));
    for (row, cells) in group.rows.iter().zip(rows) {
        text.push_str(&line(&row.name, cells.iter().map(Cell::text)));
    }
    text
}

/// A line of a table.
pub(crate) fn line(name: &str, cells: impl Iterator<Item = impl Display>) -> String {
    let mut line = format!("{name:<NAME_WIDTH$}");
    for cell in cells {
        let _ = write!(line, "{cell:>CELL_WIDTH$}");
    }
    line.push('\n');
    line
}
