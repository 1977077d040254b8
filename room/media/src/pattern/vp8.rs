//! VP8 (RFC 6386) of pictures that are made of flat squares of 16x16 pixels, and of nothing else: enough for a test picture, and
//! without loss.
//!
//! A macroblock is a square. One that is as it was refers to the last frame; any other is predicted from those above and to the
//! left (§12.3), which are flat as well, and the difference is one coefficient of each plane: the rest of the transform is
//! zeros. There is no loop filter, as it would blur the edges.

use super::bools::Bools;
use super::updates;

/// A square's luma, and its two chromas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color(pub [u8; 3]);

impl Color {
    /// As dark as can be.
    pub const BLACK: Self = Self([16, 128, 128]);
    /// As bright as can be.
    pub const WHITE: Self = Self([235, 128, 128]);
}

/// Probabilities of a block's first token by how many neighbours have coefficients, and of the one behind it by how large the
/// first was: 1, or more (§13.5, bands 0 and 1).
struct Tokens {
    first: [[u8; 11]; 3],
    /// That there is none behind it.
    end: [u8; 2],
}

/// Blocks of the second-order transform (type 1).
const SECOND: Tokens = Tokens {
    first: [
        [198, 35, 237, 223, 193, 187, 162, 160, 145, 155, 62],
        [131, 45, 198, 221, 172, 176, 220, 157, 252, 221, 1],
        [68, 47, 146, 208, 149, 167, 221, 162, 255, 223, 128],
    ],
    end: [184, 81],
};
/// Blocks of chroma (type 2).
const CHROMA: Tokens = Tokens {
    first: [
        [253, 9, 248, 251, 207, 208, 255, 192, 128, 128, 128],
        [175, 13, 224, 243, 193, 185, 249, 198, 255, 255, 128],
        [73, 17, 171, 221, 161, 179, 236, 167, 255, 234, 128],
    ],
    end: [239, 155],
};
/// That there is nothing in a block of luma, whose first coefficient is in the second-order one (type 0, band 1).
const LUMA_END: u8 = 253;

/// Tokens of ranges of values: the first value, and the extra bits' probabilities (§13.2).
const CATEGORIES: [(u32, &[u8]); 6] = [
    (5, &[159]),
    (7, &[165, 145]),
    (11, &[173, 148, 140]),
    (19, &[176, 155, 140, 135]),
    (35, &[180, 157, 141, 134, 130]),
    (67, &[254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129]),
];

/// That a macroblock is where it was, by how many of its neighbours refer to another frame (§18.3).
const UNMOVED: [u8; 6] = [7, 14, 135, 60, 159, 234];

/// Encodes pictures of flat squares.
#[derive(Clone, Debug)]
pub struct FlatVp8 {
    columns: usize,
    rows: usize,
    /// What decoders have; nothing before the first frame.
    last: Option<Vec<Color>>,
}

/// What a macroblock leaves to those beside it: whether it has coefficients of each kind.
#[derive(Clone, Copy, Debug, Default)]
struct Context {
    second: bool,
    chroma: [bool; 2],
    is_inter: bool,
}

impl FlatVp8 {
    /// Of so many squares; at most 1,023 each way.
    pub fn new(columns: usize, rows: usize) -> Self {
        Self { columns: columns.clamp(1, 1023), rows: rows.clamp(1, 1023), last: None }
    }

    /// Width and height, in pixels.
    pub fn size(&self) -> (u32, u32) {
        (self.columns as u32 * 16, self.rows as u32 * 16)
    }

    /// The next frame: its squares, row by row; black where there are too few. The first one is a key frame in any case.
    pub fn encode(&mut self, squares: &[Color], is_key: bool) -> Vec<u8> {
        let count = self.columns * self.rows;
        let squares: Vec<Color> =
            squares.iter().copied().chain(std::iter::repeat(Color::BLACK)).take(count).collect();
        let last = self.last.take().filter(|_| !is_key);
        let mut modes = Bools::new();
        let mut tokens = Bools::new();
        write_header(&mut modes, last.is_none());
        // Above each column, and to the left.
        let mut above = vec![Context::default(); self.columns];
        let mut corner;
        for row in 0..self.rows {
            let mut left = Context::default();
            corner = Context::default();
            for (column, over) in above.iter_mut().enumerate() {
                let at = row * self.columns + column;
                let color = squares[at];
                let is_same = last.as_ref().is_some_and(|last| last[at] == color);
                let context = if is_same {
                    let known = 2 * usize::from(over.is_inter)
                        + 2 * usize::from(left.is_inter)
                        + usize::from(corner.is_inter);
                    write_same(&mut modes, known);
                    Context { is_inter: true, ..Context::default() }
                } else {
                    let near = |near: bool, before: usize| near.then(|| squares[at - before]);
                    let predicted = predict(near(row > 0, self.columns), near(column > 0, 1));
                    write_intra(&mut modes, last.is_none());
                    write_difference(&mut tokens, (color, predicted), (*over, left))
                };
                (corner, left, *over) = (*over, context, context);
            }
        }
        let frame = self.put_together(&modes.finish(), &tokens.finish(), last.is_none());
        self.last = Some(squares);
        frame
    }

    /// §9.1: what stands before the two partitions.
    fn put_together(&self, modes: &[u8], tokens: &[u8], is_key: bool) -> Vec<u8> {
        // It is shown, and of version 0.
        let tag = (modes.len() as u32) << 5 | 1 << 4 | u32::from(!is_key);
        let mut frame = tag.to_le_bytes()[..3].to_vec();
        if is_key {
            let (width, height) = self.size();
            frame.extend([0x9D, 0x01, 0x2A]);
            frame.extend((width as u16).to_le_bytes());
            frame.extend((height as u16).to_le_bytes());
        }
        frame.extend_from_slice(modes);
        frame.extend_from_slice(tokens);
        frame
    }
}

/// §12.2, §12.3: the mean of what is above and to the left, as far as there is something.
fn predict(above: Option<Color>, left: Option<Color>) -> Color {
    let Color(above_or_left) = above.or(left).unwrap_or(Color([128; 3]));
    let Color(left_or_above) = left.or(above).unwrap_or(Color([128; 3]));
    let mean =
        |plane: usize| (u32::from(above_or_left[plane]) + u32::from(left_or_above[plane])).div_ceil(2) as u8;
    Color([mean(0), mean(1), mean(2)])
}

/// §9.2 to §9.11, §19.2.
fn write_header(bools: &mut Bools, is_key: bool) {
    if is_key {
        // Colour space, and that pixels are to be clamped.
        bools.literal(0, 2);
    }
    // No segments; the filter's type, strength and sharpness, none of which there is, and no changes of it.
    bools.literal(0, 1 + 1 + 6 + 3 + 1);
    // One partition of tokens. The finest quantizer, for all planes.
    bools.literal(0, 2);
    bools.literal(0, 7 + 5);
    if !is_key {
        // Neither the golden nor the alternative frame is changed, and no signs of vectors.
        bools.literal(0, 1 + 1 + 2 + 2 + 1 + 1);
    }
    // Probabilities go on to the next frame.
    bools.literal(1, 1);
    if !is_key {
        // And so does the picture.
        bools.literal(1, 1);
    }
    updates::of_tokens().for_each(|probability| bools.put(false, probability));
    // Macroblocks say whether they have coefficients.
    bools.literal(1, 1);
    bools.literal(u32::from(has_none(is_key)), 8);
    if !is_key {
        bools.literal(u32::from(IS_INTRA), 8);
        // That it is the last frame, and not the golden one or the other.
        bools.literal(255, 8);
        bools.literal(128, 8);
        // Modes' probabilities stay.
        bools.literal(0, 2);
        updates::OF_VECTORS.iter().flatten().for_each(|probability| bools.put(false, *probability));
    }
}

/// The probability that a macroblock has coefficients: in most of a frame nothing happens.
const fn has_none(is_key: bool) -> u8 {
    if is_key { 250 } else { 20 }
}

/// The probability that it refers to no other frame.
const IS_INTRA: u8 = 20;

/// A macroblock as it was.
fn write_same(modes: &mut Bools, known: usize) {
    modes.put(true, has_none(false));
    modes.put(true, IS_INTRA);
    modes.put(false, 255);
    modes.put(false, UNMOVED[known]);
}

/// A macroblock that is predicted by the mean (`DC_PRED`), luma and chroma (§11.2, §16.1).
fn write_intra(modes: &mut Bools, is_key: bool) {
    modes.put(false, has_none(is_key));
    if is_key {
        modes.put(true, 145);
        modes.put(false, 156);
        modes.put(false, 163);
        modes.put(false, 142);
    } else {
        modes.put(false, IS_INTRA);
        modes.put(false, 112);
        modes.put(false, 162);
    }
}

/// What is to be added to the prediction: at the finest quantizer, eight for each step of luma, as the transforms go by eight
/// twice and the quantizer is eight; two for each of chroma, with one transform and a quantizer of four (§14).
fn write_difference(
    tokens: &mut Bools,
    (color, predicted): (Color, Color),
    (above, left): (Context, Context),
) -> Context {
    let difference = |plane: usize| i32::from(color.0[plane]) - i32::from(predicted.0[plane]);
    let neighbours = usize::from(above.second) + usize::from(left.second);
    let second = write_block(tokens, &SECOND, neighbours, 8 * difference(0));
    // Sixteen blocks of luma, of which no neighbour has any coefficient either.
    (0..16).for_each(|_| tokens.put(false, LUMA_END));
    let mut chroma = [false; 2];
    for (plane, has_some) in chroma.iter_mut().enumerate() {
        let value = 2 * difference(plane + 1);
        // Four blocks: each has the neighbours' or its own plane's before it.
        *has_some = value != 0;
        let (over, beside) = (above.chroma[plane], left.chroma[plane]);
        for [up, across] in [[over, beside], [over, *has_some], [*has_some, beside], [*has_some; 2]] {
            write_block(tokens, &CHROMA, usize::from(up) + usize::from(across), value);
        }
    }
    Context { second, chroma, is_inter: false }
}

/// A block of one coefficient, or of none (§13.2, §13.3); whether it has one.
fn write_block(tokens: &mut Bools, of: &Tokens, neighbours: usize, value: i32) -> bool {
    let probabilities = of.first[neighbours];
    let size = value.unsigned_abs();
    tokens.put(size != 0, probabilities[0]);
    if size == 0 {
        return false;
    }
    tokens.put(true, probabilities[1]);
    tokens.put(size > 1, probabilities[2]);
    if size > 1 {
        write_size(tokens, probabilities, size);
    }
    tokens.put(value < 0, 128);
    tokens.put(false, of.end[usize::from(size > 1)]);
    true
}

/// More than one.
fn write_size(tokens: &mut Bools, probabilities: [u8; 11], size: u32) {
    tokens.put(size > 4, probabilities[3]);
    if size <= 4 {
        tokens.put(size > 2, probabilities[4]);
        if size > 2 {
            tokens.put(size == 4, probabilities[5]);
        }
        return;
    }
    let category = CATEGORIES.iter().rposition(|(from, _)| *from <= size).unwrap_or(0);
    tokens.put(category > 1, probabilities[6]);
    match category {
        0 | 1 => tokens.put(category == 1, probabilities[7]),
        _ => {
            tokens.put(category > 3, probabilities[8]);
            let low = if category > 3 { 10 } else { 9 };
            tokens.put(category % 2 == 1, probabilities[low]);
        }
    }
    let (from, extra) = CATEGORIES[category];
    for (at, probability) in extra.iter().enumerate() {
        tokens.put((size - from) >> (extra.len() - 1 - at) & 1 == 1, *probability);
    }
}
