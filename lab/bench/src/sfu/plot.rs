//! What a viewer costs, over how many there are, as a picture.

use std::fmt::Write as _;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 320.0;
/// Room for what is written beside the axes.
const LEFT: f64 = 64.0;
const BELOW: f64 = 48.0;
const ABOVE: f64 = 36.0;

/// An SVG of points: viewers, and microseconds of the server's processor that each takes in a second.
pub(super) fn svg(points: &[(usize, f64)]) -> String {
    let most = points.iter().map(|(viewers, _)| *viewers as f64).fold(1.0, f64::max);
    let step = step(points.iter().map(|(_, cost)| *cost).fold(1.0, f64::max) / 4.0);
    let highest = step * 5.0;
    let x = |viewers: f64| LEFT + viewers / most * (WIDTH - LEFT - 24.0);
    let y = |cost: f64| HEIGHT - BELOW - cost / highest * (HEIGHT - BELOW - ABOVE);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"20\">µs of processor time for each viewer and second</text>\n"
    );
    // Writing into a string does not fail.
    for place in 0..=5 {
        let cost = step * f64::from(place);
        let (right, at) = (x(most), y(cost));
        let _ = writeln!(
            text,
            "<path d=\"M{LEFT} {at:.1}H{right:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{cost:.0}</text>",
            LEFT - 6.0,
            at + 4.0
        );
    }
    let line: Vec<String> =
        points.iter().map(|(viewers, cost)| format!("{:.1} {:.1}", x(*viewers as f64), y(*cost))).collect();
    let _ =
        writeln!(text, "<path d=\"M{}\" fill=\"none\" stroke=\"#06c\" stroke-width=\"2\"/>", line.join("L"));
    for (viewers, cost) in points {
        let (at, bottom) = (x(*viewers as f64), HEIGHT - BELOW + 18.0);
        let _ = writeln!(
            text,
            "<circle cx=\"{at:.1}\" cy=\"{:.1}\" r=\"4\" fill=\"#06c\"/>\
             <text x=\"{at:.1}\" y=\"{bottom:.1}\" text-anchor=\"middle\">{viewers}</text>",
            y(*cost)
        );
    }
    let _ = writeln!(
        text,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">viewers</text>\n</svg>",
        x(most),
        HEIGHT - 10.0
    );
    text
}

/// A round number that is not less.
fn step(least: f64) -> f64 {
    let power = 10_f64.powf(least.max(1.0).log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|digit| digit * power).find(|step| *step >= least).unwrap_or(least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_points_are_within_the_picture() {
        let text = svg(&[(50, 800.0), (2000, 610.0)]);
        assert_eq!(text.matches("<circle").count(), 2);
        let numbers = |name: &str| {
            let start = format!("{name}=\"");
            let all = text.split(start.as_str()).skip(1);
            all.filter_map(|rest| rest.split('"').next()?.parse::<f64>().ok()).collect::<Vec<_>>()
        };
        assert!(numbers(" cx").iter().all(|x| (LEFT..=WIDTH).contains(x)));
        assert!(numbers(" cy").iter().all(|y| (ABOVE..=HEIGHT - BELOW).contains(y)));
    }

    #[test]
    fn steps_are_round() {
        let steps = [0.3, 1.0, 3.0, 152.0, 600.0].map(step);
        assert_eq!(steps.map(|step| step as u32), [1, 1, 5, 200, 1000]);
    }
}
