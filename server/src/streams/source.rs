//! Where frames come from: a file, standard input, or the test picture, read on a thread of their own, and put in the order of
//! their times.

use std::collections::VecDeque;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use media::{Frame, FrameSource, ReadError, Track, Wishes};
use tokio::sync::{mpsc, oneshot};

use super::raw;

/// Frames that are read ahead; and that are made ahead, where a key frame may be wanted soon.
const AHEAD: usize = 64;
const MADE_AHEAD: usize = 2;
/// Frames of one track that wait for those of the other: a second of sound, or two of pictures.
const UNEVEN: usize = 64;
/// What separates the last frame from the first one, where a file begins again.
const SEAM: Duration = Duration::from_millis(20);

/// Bits in a second of pictures that are made, before it is known what the path carries: what its estimate begins with.
const START: u64 = 300_000;

/// What is typed for the test picture, and for standard input.
const TEST: &str = "test";
pub(super) const STANDARD_INPUT: &str = "-";

/// What is in a source.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) tracks: Vec<Track>,
    pub(super) left_out: Vec<String>,
    /// Whether its pictures are made as they are sent, with key frames for whoever wants one.
    pub(super) is_made: bool,
    /// Bits in a second that they have at most, where they follow what the path carries.
    pub(super) most: Option<u64>,
}

/// A source that is open.
pub(super) struct Opened {
    pub(super) frames: Box<dyn FrameSource>,
    /// As in [`Contents`].
    pub(super) is_made: bool,
    pub(super) most: Option<u64>,
}

impl Opened {
    /// Whose frames come as they are, whatever is wanted.
    pub(super) fn as_it_is(frames: Box<dyn FrameSource>) -> Self {
        Self { frames, is_made: false, most: None }
    }
}

type Frames = mpsc::Receiver<Result<Frame, String>>;

/// A source that is being read.
#[derive(Debug)]
pub(super) struct Source {
    frames: Frames,
    merge: Merge,
    wishes: Arc<Wishes>,
}

impl Source {
    /// Opens it; an error says what to do.
    pub(super) async fn open(path: &Path, repeats: bool) -> Result<(Contents, Self), String> {
        let (contents, told) = oneshot::channel();
        let wishes = Arc::<Wishes>::default();
        wishes.set_bitrate(START);
        let (path, heeded) = (path.to_owned(), Arc::clone(&wishes));
        // A thread that nobody waits for: it may hang on a pipe for ever.
        std::thread::spawn(move || read(&path, repeats, &heeded, contents));
        let (contents, frames) = told.await.map_err(|_| "the source could not be read".to_owned())??;
        let merge = Merge::new(contents.tracks.len());
        Ok((contents, Self { frames, merge, wishes }))
    }

    /// Asks for a key frame, where one can be made.
    pub(super) fn want_key_frame(&self) {
        self.wishes.want_key_frame();
    }

    /// Asks for pictures of so many bits in a second, where they are made.
    pub(super) fn set_bitrate(&self, bitrate: u64) {
        self.wishes.set_bitrate(bitrate);
    }

    /// The next frame, in the order of their times; none at the end. Cancelling it loses nothing.
    pub(super) async fn next(&mut self) -> Result<Option<Frame>, String> {
        loop {
            if let Some(frame) = self.merge.poll() {
                return Ok(Some(frame));
            }
            if self.merge.is_over {
                return Ok(None);
            }
            match self.frames.recv().await {
                Some(Ok(frame)) => self.merge.put(frame),
                Some(Err(why)) => return Err(why),
                None => self.merge.is_over = true,
            }
        }
    }
}

fn open(path: &Path, wishes: &Arc<Wishes>) -> Result<Opened, ReadError> {
    match path.to_str() {
        Some(STANDARD_INPUT) => raw::open_stream(std::io::stdin(), wishes),
        Some(TEST) => {
            let frames = Box::new(media::Pattern::new(Arc::clone(wishes)));
            Ok(Opened { frames, is_made: true, most: None })
        }
        _ => match raw::open(path, wishes)? {
            Some(encoded) => Ok(encoded),
            None => media::open(BufReader::new(File::open(path)?)).map(Opened::as_it_is),
        },
    }
}

/// Reads to the end, and again from the beginning where that is wanted.
fn read(
    path: &Path,
    repeats: bool,
    wishes: &Arc<Wishes>,
    contents: oneshot::Sender<Result<(Contents, Frames), String>>,
) {
    let words = |error: ReadError| format!("{}: {error}", path.display());
    let Opened { frames: mut source, is_made, most } = match open(path, wishes) {
        Ok(opened) => opened,
        Err(error) => return drop(contents.send(Err(words(error)))),
    };
    let (tracks, left_out) = (source.tracks().to_vec(), source.left_out().to_vec());
    let (frames, receiver) = mpsc::channel(if is_made { MADE_AHEAD } else { AHEAD });
    // Whoever has gone wants no frames.
    if contents.send(Ok((Contents { tracks, left_out, is_made, most }, receiver))).is_err() {
        return;
    }
    let (mut offset, mut end) = (Duration::ZERO, None);
    loop {
        match source.next_frame() {
            Ok(Some(mut frame)) => {
                frame.time += offset;
                end = end.max(Some(frame.time));
                if frames.blocking_send(Ok(frame)).is_err() {
                    return;
                }
            }
            // A file without a frame would begin again for ever.
            Ok(None) if repeats && end.is_some_and(|end| end >= offset) => {
                offset = end.unwrap_or_default() + SEAM;
                source = match open(path, wishes) {
                    Ok(opened) => opened.frames,
                    Err(error) => return drop(frames.blocking_send(Err(words(error)))),
                };
            }
            Ok(None) => return,
            Err(error) => return drop(frames.blocking_send(Err(words(error)))),
        }
    }
}

/// Puts the frames of tracks, which files interleave by the second, in the order of their times.
#[derive(Debug)]
struct Merge {
    tracks: Vec<VecDeque<Frame>>,
    is_over: bool,
}

impl Merge {
    fn new(tracks: usize) -> Self {
        Self { tracks: (0..tracks).map(|_| VecDeque::new()).collect(), is_over: false }
    }

    fn put(&mut self, frame: Frame) {
        if let Some(track) = self.tracks.get_mut(frame.track) {
            track.push_back(frame);
        }
    }

    /// The next one, if it is certain that none before it comes, or it has been waited for long enough.
    fn poll(&mut self) -> Option<Frame> {
        let is_certain = self.is_over || self.tracks.iter().all(|track| !track.is_empty());
        if !is_certain && self.tracks.iter().all(|track| track.len() < UNEVEN) {
            return None;
        }
        let first = self.tracks.iter_mut().filter(|track| !track.is_empty());
        first.min_by_key(|track| track.front().map(|frame| frame.time))?.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(track: usize, millis: u64) -> Frame {
        Frame { track, time: Duration::from_millis(millis), key: true, bytes: vec![1].into() }
    }

    fn times(merge: &mut Merge) -> Vec<u128> {
        std::iter::from_fn(|| merge.poll()).map(|frame| frame.time.as_millis()).collect()
    }

    #[test]
    fn frames_come_in_the_order_of_their_times() {
        let mut merge = Merge::new(2);
        for millis in [0, 40, 80] {
            merge.put(frame(0, millis));
        }
        assert!(times(&mut merge).is_empty(), "sound may come before any of them");
        for millis in [0, 20, 40, 60] {
            merge.put(frame(1, millis));
        }
        assert_eq!(times(&mut merge), [0, 0, 20, 40, 40, 60]);
        merge.is_over = true;
        assert_eq!(times(&mut merge), [80]);
    }

    #[test]
    fn a_track_that_is_over_holds_up_nobody() {
        let mut merge = Merge::new(2);
        for at in 0..UNEVEN as u64 + 10 {
            merge.put(frame(0, at));
        }
        assert_eq!(times(&mut merge).len(), 11);
    }
}
