//! What the test picture shows, in squares of 16 pixels.

use std::time::Duration;

use super::vp8::Color;

/// Squares: 1280x720 pixels.
pub(super) const COLUMNS: usize = 80;
pub(super) const ROWS: usize = 45;

/// Ten digits and a colon, of three squares by five: each row's three bits.
const DIGITS: [[u8; 5]; 11] = [
    [7, 5, 5, 5, 7],
    [2, 6, 2, 2, 7],
    [7, 1, 7, 4, 7],
    [7, 1, 7, 1, 7],
    [5, 5, 7, 1, 1],
    [7, 4, 7, 1, 7],
    [7, 4, 7, 5, 7],
    [7, 1, 1, 2, 2],
    [7, 5, 7, 5, 7],
    [7, 5, 7, 1, 7],
    [0, 2, 0, 2, 0],
];

/// White, yellow, cyan, green, magenta, red, blue, black (ITU-R BT.601, at three quarters).
const BARS: [[u8; 3]; 8] = [
    [180, 128, 128],
    [162, 44, 142],
    [131, 156, 44],
    [112, 72, 58],
    [84, 184, 198],
    [65, 100, 212],
    [35, 212, 114],
    [16, 128, 128],
];

/// Behind everything.
const BACKGROUND: Color = Color([48, 128, 128]);
const DIM: Color = Color([80, 128, 128]);

/// A frame with its number and time.
pub(super) fn draw(number: u32, time: Duration) -> Vec<Color> {
    let mut canvas = vec![BACKGROUND; COLUMNS * ROWS];
    let millis = time.as_millis();
    let (hours, minutes, seconds) = (millis / 3_600_000 % 100, millis / 60_000 % 60, millis / 1000 % 60);
    let clock = format!("{hours:02}:{minutes:02}:{seconds:02}:{:03}", millis % 1000);
    text(&mut canvas, &clock, (16, 8), Color::WHITE);
    text(&mut canvas, &format!("{:08}", number % 100_000_000), (24, 16), DIM);
    // A column that goes from left to right, once in 80 frames.
    let column = number as usize % COLUMNS;
    (23..29).for_each(|row| put(&mut canvas, (column, row), Color::WHITE));
    // The beep's field.
    let light = if millis % 1000 < 100 { Color::WHITE } else { Color::BLACK };
    for row in 1..6 {
        (1..9).for_each(|column| put(&mut canvas, (column, row), light));
    }
    for row in 34..ROWS {
        for column in 0..COLUMNS {
            put(&mut canvas, (column, row), Color(BARS[column * BARS.len() / COLUMNS]));
        }
    }
    canvas
}

fn put(canvas: &mut [Color], (column, row): (usize, usize), color: Color) {
    if let Some(square) = canvas.get_mut(row * COLUMNS + column) {
        *square = color;
    }
}

fn text(canvas: &mut [Color], text: &str, (left, top): (usize, usize), color: Color) {
    for (at, letter) in text.bytes().enumerate() {
        let place = if letter == b':' { 10 } else { usize::from(letter.wrapping_sub(b'0')) };
        let Some(digit) = DIGITS.get(place) else { continue };
        for (row, bits) in digit.iter().enumerate() {
            for column in (0..3).filter(|column| bits >> (2 - column) & 1 == 1) {
                put(canvas, (left + at * 4 + column, top + row), color);
            }
        }
    }
}
