//! The picture of `docs/data-channels.md`: goodput over loss, latency beside bulk.

use std::fmt::Write as _;

use super::rows::{Figure, Group};
use super::stack::Stack;
use super::table::{Cell, Cells};

const WIDTH: u32 = 860;
const HEIGHT: u32 = 340;
/// The rectangle of each panel: left, top, width, height.
const LEFT: (f64, f64, f64, f64) = (50.0, 60.0, 260.0, 220.0);
const RIGHT: (f64, f64, f64, f64) = (530.0, 60.0, 280.0, 220.0);

/// Readable on white and on black.
const STYLE: &str = "
  text { font: 13px system-ui, sans-serif; fill: #333 }
  .title { font-weight: 600 }
  .axis { stroke: #999; stroke-width: 1 }
  .line { fill: none; stroke-width: 2 }
  .s0 { stroke: #0b6; fill: #0b6 } .s1 { stroke: #c60; fill: #c60 } .s2 { stroke: #36c; fill: #36c }
  .s3 { stroke: #5a8; fill: #5a8 } .s4 { stroke: #a3a; fill: #a3a }
  polyline { fill: none !important }
  @media (prefers-color-scheme: dark) { text { fill: #ddd } .axis { stroke: #777 } }
";

/// Draws what the tables hold; nothing where a row that it needs was not measured.
pub(crate) fn draw(measured: &[(Group, Vec<Cells>)], stacks: &[Stack]) -> Option<String> {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-label=\"Goodput over loss, and latency beside a bulk transfer\">\n<style>{STYLE}</style>\n"
    );
    let losses = [("no loss", "0"), ("0.1 % loss", "0.1 %"), ("1 % loss", "1 %")];
    let rows: Option<Vec<_>> = losses
        .iter()
        .map(|(condition, _)| row(measured, Figure::Goodput, &format!("1000 Mbit/s  50 ms  {condition}")))
        .collect();
    goodput(&mut svg, stacks, &rows?, &losses.map(|(_, label)| label));
    latency(&mut svg, stacks, row(measured, Figure::Latency, "20 Mbit/s  50 ms  no loss")?);
    svg.push_str("</svg>\n");
    Some(svg)
}

fn row<'a>(measured: &'a [(Group, Vec<Cells>)], figure: Figure, name: &str) -> Option<&'a Cells> {
    let (group, cells) = measured.iter().find(|(group, _)| group.figure == figure)?;
    let place = group.rows.iter().position(|row| row.name.trim() == name)?;
    cells.get(place)
}

fn goodput(svg: &mut String, stacks: &[Stack], rows: &[&Cells], labels: &[&str]) {
    let (left, top, width, height) = LEFT;
    let x = |place: usize| left + width * place as f64 / (rows.len() - 1) as f64;
    let y = |percent: f64| top + height * (1.0 - percent / 100.0);
    title(svg, left, "Goodput, % of 1 Gbit/s at 50 ms, over random loss");
    for percent in [0, 50, 100] {
        let at = y(f64::from(percent));
        let _ = writeln!(svg, "<path class=\"axis\" d=\"M{left} {at:.1}h{width}\"/>");
        let _ = writeln!(
            svg,
            "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{percent}</text>",
            left - 6.0,
            at + 4.0
        );
    }
    for (place, label) in labels.iter().enumerate() {
        let _ = writeln!(
            svg,
            "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{label}</text>",
            x(place),
            top + height + 20.0
        );
    }
    let mut ends = Vec::new();
    for (index, stack) in stacks.iter().enumerate() {
        let known = rows.iter().enumerate().filter_map(|(place, cells)| Some((place, cells[index].first()?)));
        let points: Vec<_> = known.map(|(place, percent)| (x(place), y(percent))).collect();
        let text: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = writeln!(svg, "<polyline class=\"line s{index}\" points=\"{}\"/>", text.join(" "));
        for (x, y) in &points {
            let _ = writeln!(svg, "<circle class=\"s{index}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>");
        }
        ends.extend(points.last().map(|(_, y)| (*y, stack.name())));
    }
    // Names stand apart even where lines end together.
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut free = top;
    for (at, name) in ends {
        free = free.max(at + 4.0);
        let _ = writeln!(svg, "<text x=\"{:.0}\" y=\"{free:.0}\">{name}</text>", left + width + 10.0);
        free += 15.0;
    }
}

fn latency(svg: &mut String, stacks: &[Stack], cells: &Cells) {
    let (left, top, width, height) = RIGHT;
    title(svg, left - 100.0, "Round trip of small messages beside bulk, ms, at 20 Mbit/s and 50 ms");
    let most = cells.iter().filter_map(slow).fold(100.0, f64::max);
    let step = height / stacks.len() as f64;
    for (index, (stack, cell)) in stacks.iter().zip(cells).enumerate() {
        let at = top + step * (index as f64 + 0.5);
        let _ = writeln!(
            svg,
            "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{}</text>",
            left - 8.0,
            at + 4.0,
            stack.name()
        );
        let (Some(median), Some(slow)) = (cell.first(), slow(cell)) else { continue };
        let (bar, line) = (width * median / most, width * slow / most);
        let _ = writeln!(
            svg,
            "<rect class=\"s{index}\" x=\"{left}\" y=\"{:.1}\" width=\"{bar:.1}\" height=\"16\"/>",
            at - 8.0
        );
        let _ = writeln!(svg, "<path class=\"line s{index}\" d=\"M{left} {at:.1}h{line:.1}\"/>");
        let _ =
            writeln!(svg, "<text x=\"{:.0}\" y=\"{:.0}\">{median:.0}</text>", left + line + 6.0, at + 4.0);
    }
    let _ = writeln!(
        svg,
        "<text x=\"{left}\" y=\"{:.0}\">bar: median; line: 95th percentile</text>",
        top + height + 20.0
    );
}

/// The 95th percentile of round trips.
fn slow(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Known(figures) => figures.get(1).copied(),
        Cell::Failed(_) => None,
    }
}

fn title(svg: &mut String, left: f64, text: &str) {
    let _ = writeln!(svg, "<text class=\"title\" x=\"{:.0}\" y=\"30\">{text}</text>", left - 40.0);
}
