//! Pictures as encoders take them and decoders give them: I420, which is a plane of luma, and two of chroma with a quarter of its
//! pixels (ITU-T H.273's 4:2:0, 8 bits).

/// Pixels of a side, at most.
pub const LONGEST_SIDE: u32 = 16_384;

/// One plane of a picture that lies somewhere.
#[derive(Clone, Copy, Debug)]
pub struct Plane<'a> {
    /// Row behind row.
    pub bytes: &'a [u8],
    /// Bytes from the beginning of a row to that of the next.
    pub stride: usize,
}

impl<'a> Plane<'a> {
    /// The rows' pixels, without what lies between them.
    fn rows(self, width: usize, height: usize) -> impl Iterator<Item = &'a [u8]> {
        self.bytes.chunks(self.stride.max(1)).take(height).map(move |row| row.get(..width).unwrap_or(row))
    }
}

/// A picture that lies somewhere: in a decoder, or in an [`I420Buffer`].
#[derive(Clone, Copy, Debug)]
pub struct I420<'a> {
    width: u32,
    height: u32,
    planes: [Plane<'a>; 3],
}

/// Width and height of each plane; none if there is no such picture.
fn sides(width: u32, height: u32) -> Option<[(usize, usize); 3]> {
    let is_one = |side| (1..=LONGEST_SIDE).contains(&side);
    let half = |side: u32| side.div_ceil(2) as usize;
    let chroma = (half(width), half(height));
    (is_one(width) && is_one(height)).then_some([(width as usize, height as usize), chroma, chroma])
}

impl<'a> I420<'a> {
    /// Luma and the two chromas, whose sides are half as long, rounded up. None if a side is 0 or longer than
    /// [`LONGEST_SIDE`], a row longer than its stride, or a plane ends too early.
    pub fn new(width: u32, height: u32, planes: [Plane<'a>; 3]) -> Option<Self> {
        let fits = |(plane, (width, height)): (&Plane<'_>, (usize, usize))| {
            let needs = plane.stride.checked_mul(height - 1).and_then(|rows| rows.checked_add(width));
            plane.stride >= width && needs.is_some_and(|needs| plane.bytes.len() >= needs)
        };
        let sides = sides(width, height)?;
        planes.iter().zip(sides).all(fits).then_some(Self { width, height, planes })
    }

    /// In pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// In pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Luma, and the two chromas.
    pub fn planes(&self) -> &[Plane<'a>; 3] {
        &self.planes
    }

    /// The rows of luma, then those of each chroma, without what lies between them.
    pub fn rows(&self) -> impl Iterator<Item = &'a [u8]> {
        let sides = sides(self.width, self.height).unwrap_or_default();
        self.planes.into_iter().zip(sides).flat_map(|(plane, (width, height))| plane.rows(width, height))
    }
}

/// A picture with memory of its own, plane behind plane without gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct I420Buffer {
    width: u32,
    height: u32,
    bytes: Vec<u8>,
}

impl I420Buffer {
    /// A green one. None if a side is 0 or longer than [`LONGEST_SIDE`].
    pub fn new(width: u32, height: u32) -> Option<Self> {
        Some(Self { width, height, bytes: vec![0; Self::len(width, height)?] })
    }

    /// Bytes of such a picture; none if there is none.
    pub fn len(width: u32, height: u32) -> Option<usize> {
        Some(sides(width, height)?.iter().map(|(width, height)| width * height).sum())
    }

    /// To be read.
    pub fn picture(&self) -> I420<'_> {
        let (width, height) = (self.width, self.height);
        of_bytes(width, height, &self.bytes)
    }

    /// Luma and the two chromas, to be drawn into.
    pub fn planes_mut(&mut self) -> [&mut [u8]; 3] {
        let [luma, chroma, _] = sides(self.width, self.height).unwrap_or_default();
        let (luma, chromas) = self.bytes.split_at_mut(luma.0 * luma.1);
        let (first, second) = chromas.split_at_mut(chroma.0 * chroma.1);
        [luma, first, second]
    }
}

/// A picture without gaps. `bytes` are as many as [`I420Buffer::len`] says, of sides that it takes.
pub(crate) fn of_bytes(width: u32, height: u32, bytes: &[u8]) -> I420<'_> {
    let [luma, chroma, _] = sides(width, height).unwrap_or_default();
    let (y, rest) = bytes.split_at_checked(luma.0 * luma.1).unwrap_or_default();
    let (u, v) = rest.split_at_checked(chroma.0 * chroma.1).unwrap_or_default();
    let planes = [(y, luma.0), (u, chroma.0), (v, chroma.0)].map(|(bytes, stride)| Plane { bytes, stride });
    I420 { width, height, planes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_there_is_a_picture() {
        let bytes = [7; 9 + 4 + 4];
        let plane = |len: usize, stride| Plane { bytes: &bytes[..len], stride };
        let small = |y, u, v| I420::new(3, 3, [y, u, v]).is_some();
        assert!(small(plane(9, 3), plane(4, 2), plane(4, 2)));
        // The last row needs no gap behind it.
        assert!(small(plane(13, 5), plane(4, 2), plane(5, 3)));
        assert!(!small(plane(8, 3), plane(4, 2), plane(4, 2)));
        assert!(!small(plane(9, 2), plane(4, 2), plane(4, 2)));
        assert!(!small(plane(9, 3), plane(4, 2), plane(3, 2)));
        assert!(!small(plane(9, 3), plane(4, usize::MAX), plane(4, 2)));
        assert!(I420::new(0, 3, [plane(9, 3); 3]).is_none());
        assert!(I420Buffer::new(1, LONGEST_SIDE + 1).is_none());
    }

    #[test]
    fn rows_leave_gaps_out() {
        let bytes: Vec<u8> = (0..40).collect();
        let plane = |at: usize, stride| Plane { bytes: &bytes[at..], stride };
        let picture = I420::new(3, 2, [plane(0, 10), plane(20, 4), plane(30, 2)]).unwrap();
        let rows: Vec<&[u8]> = picture.rows().collect();
        assert_eq!(rows, [&[0, 1, 2][..], &[10, 11, 12], &[20, 21], &[30, 31]]);
        let mut own = I420Buffer::new(3, 2).unwrap();
        own.planes_mut()
            .map(|plane| plane.len())
            .into_iter()
            .zip([6, 2, 2])
            .for_each(|(a, b)| assert_eq!(a, b));
        assert_eq!(own.picture().rows().count(), 4);
    }
}
