//! Encoded by a program that this computer has: `vpxenc` or `ffmpeg` reads the file, and writes IVF into a pipe. It goes ahead of
//! what is due by what the pipe and [`crate::streams::source`] hold, and no further. Nobody can tell it anything while it runs.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;

use media::{Frame, FrameSource, ReadError, Track, Wishes};

use super::{HEAD, Raw, bitrate};
use crate::streams::source::Opened;

/// Bytes of the first line that are looked at.
const LINE: u64 = 256;
/// Pictures from one key frame to the next: whoever joins waits for one.
const KEY_FRAME_EVERY: &str = "60";

/// An encoder that runs, and what comes of it.
struct Encoding {
    frames: Box<dyn FrameSource>,
    child: Child,
    /// What it said last, once it has ended.
    last_words: Option<JoinHandle<String>>,
    name: &'static str,
}

/// Opens a file; none if it is encoded already.
pub(in crate::streams) fn open(path: &Path, _: &Arc<Wishes>) -> Result<Option<Opened>, ReadError> {
    let mut head = Vec::new();
    File::open(path)?.take(LINE).read_to_end(&mut head)?;
    match Raw::of(&head) {
        None => return Ok(None),
        Some(Raw::Sound) => return Err(sound()),
        Some(Raw::Pictures) => {}
    }
    let kilobits = (claimed_bitrate(&head) / 1000).to_string();
    // Not as an option, whatever the file is called.
    let path = std::path::absolute(path)?;
    for (name, arguments) in [("vpxenc", vpxenc(&kilobits)), ("ffmpeg", ffmpeg(&path, &kilobits))] {
        let mut command = Command::new(name);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if name == "vpxenc" {
            command.arg(&path);
        }
        match command.spawn() {
            Ok(child) => {
                let encoding = Encoding::begin(name, child)?;
                return Ok(Some(Opened::as_it_is(Box::new(encoding))));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io::Error::other(format!("{name} cannot be started: {error}")).into()),
        }
    }
    Err(io::Error::other(
        "its pictures are not encoded: build twocan with `--features media` (libvpx-dev and libopus-dev), or install vpxenc \
         (Debian's vpx-tools) or ffmpeg, which encodes them",
    )
    .into())
}

/// Opens what comes one byte after another.
pub(in crate::streams) fn open_stream(
    mut inner: impl io::Read + Send + 'static,
    _: &Arc<Wishes>,
) -> Result<Opened, ReadError> {
    let mut head = Vec::new();
    inner.by_ref().take(HEAD).read_to_end(&mut head)?;
    match Raw::of(&head) {
        None => media::open_stream(io::Cursor::new(head).chain(inner)).map(Opened::as_it_is),
        Some(Raw::Sound) => Err(sound()),
        Some(Raw::Pictures) => Err(ReadError::Unsupported(
            "its pictures are not encoded: build twocan with `--features media` (libvpx-dev and libopus-dev), or pipe them \
             through ffmpeg -i - -c:v libvpx -f matroska -"
                .to_owned(),
        )),
    }
}

fn sound() -> ReadError {
    ReadError::Unsupported(
        "its sound is not encoded: build twocan with `--features media` (libvpx-dev and libopus-dev), or make Opus of it, for \
         example with ffmpeg -i talk.wav -c:a libopus talk.opus"
            .to_owned(),
    )
}

fn vpxenc(kilobits: &str) -> Vec<String> {
    let target = format!("--target-bitrate={kilobits}");
    let distance = format!("--kf-max-dist={KEY_FRAME_EVERY}");
    let fixed = ["--quiet", "--codec=vp8", "--rt", "--passes=1", "--cpu-used=-8", "--end-usage=cbr"];
    let output = ["--lag-in-frames=0", "--error-resilient=1", "--ivf", "--output=-"];
    fixed.into_iter().map(str::to_owned).chain([target, distance]).chain(output.map(str::to_owned)).collect()
}

fn ffmpeg(path: &Path, kilobits: &str) -> Vec<String> {
    // Not as a protocol's name, whatever the file is called.
    let input = format!("file:{}", path.display());
    let rate = format!("{kilobits}k");
    let arguments = [
        &["-v", "error", "-nostdin", "-i", &input, "-an", "-c:v", "libvpx", "-deadline", "realtime"][..],
        &["-cpu-used", "8", "-b:v", &rate, "-maxrate", &rate, "-bufsize", &rate, "-lag-in-frames", "0"],
        &["-g", KEY_FRAME_EVERY, "-f", "ivf", "pipe:1"],
    ];
    arguments.concat().into_iter().map(str::to_owned).collect()
}

/// By the size and the rate that the first line says.
fn claimed_bitrate(head: &[u8]) -> u64 {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let (mut pixels, mut rate) = (1.0, 30.0);
    for field in String::from_utf8_lossy(line).split(' ').skip(1) {
        let (kind, value) = field.split_at_checked(1).unwrap_or_default();
        match kind {
            "W" | "H" => pixels *= value.parse::<u32>().map_or(0.0, f64::from),
            "F" => {
                let (over, under) = value.split_once(':').unwrap_or((value, "1"));
                if let (Ok(over), Ok(under @ 1..)) = (over.parse::<u32>(), under.parse::<u32>()) {
                    rate = f64::from(over) / f64::from(under);
                }
            }
            _ => {}
        }
    }
    bitrate(pixels, rate)
}

impl Encoding {
    fn begin(name: &'static str, mut child: Child) -> Result<Self, ReadError> {
        // Read all along, so that it never waits for somebody to hear it.
        let last_words = child.stderr.take().map(|said| std::thread::spawn(move || last_line(said)));
        let output = child.stdout.take().ok_or_else(|| io::Error::from(io::ErrorKind::BrokenPipe))?;
        match media::open_stream(output) {
            Ok(frames) => Ok(Self { frames, child, last_words, name }),
            Err(_) => Err(failed(name, &mut child, last_words).into()),
        }
    }
}

fn last_line(said: ChildStderr) -> String {
    let mut last = Vec::new();
    for line in BufReader::new(said).split(b'\n').map_while(Result::ok) {
        if !line.trim_ascii().is_empty() {
            last = line;
        }
    }
    String::from_utf8_lossy(&last).trim().to_owned()
}

/// It has closed its output; where it has not ended, it is made to.
fn failed(name: &str, child: &mut Child, last_words: Option<JoinHandle<String>>) -> io::Error {
    // It may have ended by itself.
    let _ = child.kill();
    let _ = child.wait();
    let words = last_words.and_then(|words| words.join().ok()).unwrap_or_default();
    let words = if words.is_empty() { "it said nothing" } else { &words };
    io::Error::other(format!("{name} could not encode it: {words}"))
}

impl FrameSource for Encoding {
    fn tracks(&self) -> &[Track] {
        self.frames.tracks()
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, ReadError> {
        let frame = self.frames.next_frame()?;
        if frame.is_none() && !self.child.wait()?.success() {
            return Err(failed(self.name, &mut self.child, self.last_words.take()).into());
        }
        Ok(frame)
    }
}

impl Drop for Encoding {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_says_how_large_pictures_are() {
        assert_eq!(claimed_bitrate(b"YUV4MPEG2 W1280 H720 F30:1 Ip A1:1 C420jpeg\nFRAME\n"), 1_935_360);
        assert_eq!(claimed_bitrate(b"YUV4MPEG2 W1280 H720 F60000:2000\n"), 1_935_360);
        assert_eq!(claimed_bitrate(b"YUV4MPEG2 W99999 H99999 F1:0 X\n"), 8_000_000);
        assert_eq!(claimed_bitrate(b"YUV4MPEG2 Wx H-1 F:\xFF"), 100_000);
    }
}
