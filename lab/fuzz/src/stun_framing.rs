//! Cutting a stream into frames (RFC 8489 §6.2.2, RFC 8656 §12.5): the same frames however the bytes
//! arrive, and never more kept than one frame.

use arbitrary::Unstructured;
use stun::framing::{Deframer, MAX_FRAME_LEN, NotStun, frame};

pub(super) fn run(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let Ok(cuts) = input.arbitrary::<[u8; 8]>() else { return };
    let stream = input.take_rest();
    let whole = frames(&[stream]);

    let (mut rest, mut pieces) = (stream, Vec::new());
    for cut in cuts.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, more) = rest.split_at((usize::from(*cut) + 1).min(rest.len()));
        pieces.push(piece);
        rest = more;
    }
    assert_eq!(whole, frames(&pieces));

    // The frames are the stream itself, without padding, up to where it ends or goes wrong.
    let mut position = 0;
    for found in &whole.0 {
        let next = frame(&stream[position..]).ok().flatten().expect("a frame was found here");
        assert_eq!(found, &stream[position..position + next.length]);
        position += next.padded;
    }
}

fn frames(pieces: &[&[u8]]) -> (Vec<Vec<u8>>, Result<(), NotStun>) {
    let (mut deframer, mut frames) = (Deframer::default(), Vec::new());
    let end = pieces.iter().try_for_each(|piece| {
        deframer.push(piece, |frame| frames.push(frame.to_vec()))?;
        assert!(deframer.pending() <= MAX_FRAME_LEN + 3);
        Ok(())
    });
    (frames, end)
}
