//! `twocan record`: writes what is streamed, as it comes.
//!
//! It waits until somebody streams, and for a while when they stop: whoever comes back goes on in the same file, at the time
//! that it is then.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use media::{Container, Frame, Track, WriteError};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, sleep_until};
use twocan::{Direction, FrameCodec, FrameReceiver, MediaKind, PeerConnectionState, ReceivedFrame};

use super::http::Client;
use super::options::RecordOptions;
use super::publish::advice;
use super::sealing::Opener;
use super::session::{Endpoint, Failure, Role, Session};
use super::timeline::Timeline;
use super::ui::{Ui, clock, exit, rate};
use super::writer::{self, Writer};
use super::{Attempts, Media, until_interrupted};

/// A packet is waited for so long: who records is in no hurry.
const PATIENCE: Duration = Duration::from_millis(1000);
/// Where nothing comes for so long, the session is asked for anew: that tells whether somebody streams.
const SILENCE: Duration = Duration::from_secs(5);
/// Frames that wait to be put on the line.
const WAITING: usize = 256;

/// How it ends.
enum Ending {
    /// As long as was asked for.
    Full,
    Interrupted,
    /// Nobody streams any more.
    Over,
    /// The stream goes on as something that has no place in the file.
    Changed(FrameCodec),
    Unwritable(WriteError),
    /// Nothing could be recorded: why, and what it is called.
    Usage(String),
    Failed(Failure),
}

/// A file, and which track of it each medium is.
struct Recording {
    writer: Writer,
    path: PathBuf,
    codecs: Vec<FrameCodec>,
}

struct Recorder<'a> {
    options: &'a RecordOptions,
    ui: &'a Ui,
    endpoint: Endpoint,
    media: Media,
    /// Where frames are encrypted from end to end.
    opener: Option<Opener>,
    told_sealed: bool,
    attempts: Attempts,
    session: Option<Watching>,
    recording: Option<Recording>,
    /// When the first frame came.
    begun: Option<Instant>,
    end: Duration,
    figures: Figures,
}

/// A session, and what comes of it.
struct Watching {
    session: Session,
    /// Which media come: of pictures, or not. A frame's track is its place here.
    are_pictures: Vec<bool>,
    frames: mpsc::Receiver<(usize, ReceivedFrame)>,
    timeline: Timeline,
    /// Ends with this.
    _tasks: JoinSet<()>,
    last: Instant,
}

#[derive(Default)]
struct Figures {
    frames: u64,
    pictures: u64,
    bytes: u64,
    lost: u64,
    /// As the line said last.
    told: (u64, u64),
    left_out: Vec<FrameCodec>,
}

/// Records until the end.
pub(super) async fn run(options: &RecordOptions, ui: &Ui) -> ExitCode {
    let uri = match options.from.endpoint(&options.common.server, "whep") {
        Ok(uri) => uri,
        Err(why) => return ui.fail(exit::USAGE, "usage", &why),
    };
    if let Some(path) = &options.output {
        if let Err(why) = container_of(path) {
            return ui.fail(exit::USAGE, "usage", &why);
        }
        if path.exists() && !options.overwrite {
            return ui.fail(exit::USAGE, "exists", &is_there(path));
        }
    }
    let client = Client::new(options.common.token.clone(), options.common.insecure);
    let mut recorder = Recorder {
        options,
        ui,
        endpoint: Endpoint { uri, client, role: Role::Watch, ice_servers: Vec::new() },
        media: vec![(MediaKind::Audio, Vec::new()), (MediaKind::Video, Vec::new())],
        opener: options.from.code.as_ref().map(Opener::new),
        told_sealed: false,
        attempts: Attempts::new(),
        session: None,
        recording: None,
        begun: None,
        end: Duration::ZERO,
        figures: Figures::default(),
    };
    let ending = tokio::select! {
        ending = recorder.record() => ending,
        () = until_interrupted() => Ending::Interrupted,
    };
    let ending = match ending {
        Ending::Interrupted => recorder.take_all().await.unwrap_or(ending),
        other => other,
    };
    recorder.finish(ending).await
}

fn is_there(path: &Path) -> String {
    format!("{} is there already: name another file with --output, or add --overwrite", path.display())
}

fn container_of(path: &Path) -> Result<Container, String> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let container = Container::from_extension(extension).filter(|container| *container != Container::AnnexB);
    container.ok_or_else(|| {
        format!("{}: give the file a name that ends in .webm, .mkv, .mp4, .ivf or .ogg", path.display())
    })
}

impl Recorder<'_> {
    async fn record(&mut self) -> Ending {
        self.attempts.begin(&self.endpoint, &self.media, Duration::ZERO);
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let step = match &mut self.session {
                Some(watching) => tokio::select! {
                    step = watching.next() => step,
                    _ = ticks.tick() => Step::Tick,
                },
                None => tokio::select! {
                    outcome = self.attempts.outcome() => Step::Outcome(outcome.map(Box::new)),
                    _ = ticks.tick() => Step::Tick,
                },
            };
            let ending = match step {
                Step::Frames => self.take().await,
                Step::Lost => self.lose().await,
                Step::Outcome(Ok(session)) => {
                    self.begin(*session);
                    None
                }
                Step::Outcome(Err(failure)) => self.retry(failure),
                Step::Tick => {
                    self.show();
                    let is_silent =
                        self.session.as_ref().is_some_and(|watching| watching.last.elapsed() >= SILENCE);
                    if is_silent { self.lose().await } else { None }
                }
            };
            if let Some(ending) = ending {
                return ending;
            }
        }
    }

    /// A session stands: each medium's frames are received by a task of its own.
    fn begin(&mut self, mut session: Session) {
        let (sender, frames) = mpsc::channel(WAITING);
        let mut tasks = JoinSet::new();
        let mut are_pictures = Vec::new();
        for one in std::mem::take(&mut session.media) {
            if one.current_direction() != Some(Direction::RecvOnly) {
                continue;
            }
            let track = are_pictures.len();
            are_pictures.push(one.kind() == MediaKind::Video);
            let mut receiver = FrameReceiver::new(one).patience(PATIENCE, PATIENCE);
            let (sender, opener) = (sender.clone(), self.opener.clone());
            tasks.spawn(async move {
                while let Some(mut frame) = receiver.recv_frame().await {
                    if let Some(opener) = &opener {
                        let Some(bytes) = opener.open(frame.codec, frame.bytes) else { continue };
                        frame.bytes = bytes;
                    }
                    if sender.send((track, frame)).await.is_err() {
                        return;
                    }
                }
            });
        }
        let offset = self.begun.map(|begun| begun.elapsed()).unwrap_or_default().max(self.end);
        let timeline = Timeline::new(&are_pictures, offset);
        session.ice_servers.clone_into(&mut self.endpoint.ice_servers);
        self.session =
            Some(Watching { session, are_pictures, frames, timeline, _tasks: tasks, last: Instant::now() });
        self.attempts.succeed();
        self.ui.tell("connected", json!({ "from": self.endpoint.uri.to_string() }), "Connected.");
    }

    /// Takes what is there, where nothing more comes.
    async fn take_all(&mut self) -> Option<Ending> {
        if let Some(watching) = &mut self.session {
            watching.timeline.end();
        }
        self.take().await
    }

    /// Takes what is ready to be written.
    async fn take(&mut self) -> Option<Ending> {
        let Some(watching) = &mut self.session else { return None };
        let mut ready = Vec::new();
        while let Some(one) = watching.timeline.poll(Instant::now().into_std()) {
            ready.push(one);
        }
        if ready.is_empty() {
            return None;
        }
        let kinds = watching.are_pictures.clone();
        if self.recording.is_none() {
            // Of pictures as their first frame describes them; of sound it may all have been before the beginning.
            let tracks = (0..kinds.len()).filter_map(|track| {
                let codec = watching.timeline.codec(track)?;
                match ready.iter().find(|(of, ..)| *of == track) {
                    Some((.., first)) => Some(Track::of_frame(codec, &first.bytes)),
                    None => codec.is_audio().then(|| Track::new(codec)),
                }
            });
            let tracks = tracks.collect();
            match self.create(tracks) {
                Ok(recording) => self.recording = Some(recording),
                Err(ending) => return Some(ending),
            }
        }
        for (track, time, frame) in ready {
            let is_picture = kinds.get(track).copied().unwrap_or_default();
            if let Some(ending) = self.write(is_picture, time, frame).await {
                return Some(ending);
            }
        }
        None
    }

    async fn write(&mut self, is_picture: bool, time: Duration, frame: ReceivedFrame) -> Option<Ending> {
        let recording = self.recording.as_ref()?;
        let Some(track) = recording.codecs.iter().position(|codec| codec.is_audio() != is_picture) else {
            self.leave_out(frame.codec);
            return None;
        };
        if recording.codecs.get(track) != Some(&frame.codec) {
            return Some(Ending::Changed(frame.codec));
        }
        if self.options.duration.is_some_and(|seconds| time >= Duration::from_secs(seconds)) {
            return Some(Ending::Full);
        }
        self.end = self.end.max(time);
        self.figures.frames += 1;
        self.figures.pictures += u64::from(is_picture);
        self.figures.bytes += frame.bytes.len() as u64;
        self.figures.lost += frame.lost;
        let frame = Frame { track, time, key: frame.key, bytes: frame.bytes };
        if recording.writer.write(frame).await {
            return None;
        }
        let recording = self.recording.take()?;
        recording.writer.finish().await.err().map(Ending::Unwritable)
    }

    /// What has no place in the file is told once.
    fn leave_out(&mut self, codec: FrameCodec) {
        if !self.figures.left_out.contains(&codec) {
            self.figures.left_out.push(codec);
            let name = codec.name();
            self.ui.tell(
                "left_out",
                json!({ "what": name }),
                &format!("Left out: {name}, which has no place in the file."),
            );
        }
    }

    /// Begins the file.
    fn create(&mut self, mut tracks: Vec<Track>) -> Result<Recording, Ending> {
        let container = match &self.options.output {
            Some(path) => container_of(path).map_err(Ending::Usage)?,
            None => usual(&tracks),
        };
        for track in tracks.extract_if(.., |track| !container.takes(track.codec)) {
            self.leave_out(track.codec);
        }
        // Pictures first, which is what players show.
        tracks.sort_by_key(|track| track.codec.is_audio());
        if tracks.is_empty() {
            return Err(Ending::Usage(
                "nothing that is streamed has a place in the file: name one that ends in .mkv, or .ogg for sound alone"
                    .to_owned(),
            ));
        }
        let path = self.options.output.clone().unwrap_or_else(|| self.usual_name(container));
        let file = writer::make(&path, self.options.overwrite).map_err(|error| {
            Ending::Usage(match error.kind() {
                std::io::ErrorKind::AlreadyExists => is_there(&path),
                _ => format!("{}: {error}: name a file that can be written with --output", path.display()),
            })
        })?;
        let writer = Writer::begin(file, container, &tracks).map_err(Ending::Unwritable)?;
        let codecs: Vec<FrameCodec> = tracks.iter().map(|track| track.codec).collect();
        self.begun.get_or_insert_with(Instant::now);
        let names: Vec<&str> = codecs.iter().map(|codec| codec.name()).collect();
        let shown = path.display().to_string();
        self.ui.tell(
            "recording",
            json!({ "path": shown, "codecs": names }),
            &format!("Recording {} into {shown}. Ctrl-C ends it.", names.join(" and ")),
        );
        Ok(Recording { writer, path, codecs })
    }

    fn usual_name(&self, container: Container) -> PathBuf {
        let extension = match container {
            Container::Mp4 => "mp4",
            Container::Ogg => "ogg",
            _ => "webm",
        };
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        format!("{}-{}.{extension}", self.options.from.name(), date(since.as_secs())).into()
    }

    /// Nothing comes any more: the session is asked for anew.
    async fn lose(&mut self) -> Option<Ending> {
        if let Some(ending) = self.take_all().await {
            return Some(ending);
        }
        let Watching { mut session, .. } = self.session.take()?;
        tokio::spawn(async move { session.leave().await });
        self.ui.tell("lost", json!({}), "Nothing comes any more: asking again …");
        self.attempts.begin(&self.endpoint, &self.media, Duration::ZERO);
        None
    }

    /// Whether to try again, and when.
    fn retry(&mut self, failure: Failure) -> Option<Ending> {
        let since = *self.attempts.since.get_or_insert_with(Instant::now);
        let has_begun = self.recording.is_some();
        let patience = self.options.common.patience();
        let (why, pause) = match &failure {
            Failure::Refused { .. } if has_begun => return Some(Ending::Over),
            Failure::Refused { .. } => return Some(Ending::Failed(failure)),
            Failure::Later { why, after, .. } => (why.clone(), *after),
            Failure::Unreachable(why) => (why.clone(), self.attempts.pause()),
        };
        // Before anything has come one waits for a streamer as long as it takes, and for a server not at all.
        if has_begun && since.elapsed() > patience {
            return Some(Ending::Over);
        }
        if !has_begun && matches!(failure, Failure::Unreachable(_)) {
            return Some(Ending::Failed(failure));
        }
        if self.attempts.last.as_ref() != Some(&failure) {
            let nobody = matches!(failure, Failure::Later { status: 404, .. });
            let text = match (nobody, has_begun) {
                (true, false) => "Nobody streams there yet: waiting. Ctrl-C ends it.".to_owned(),
                (true, true) => format!(
                    "Nobody streams any more: waiting up to {} s for it to go on …",
                    patience.as_secs()
                ),
                _ => format!("{why} Trying again …"),
            };
            self.ui.tell("waiting", json!({ "reason": why }), &text);
        }
        self.attempts.last = Some(failure);
        self.attempts.begin(&self.endpoint, &self.media, pause);
        None
    }

    /// What comes and cannot be opened is not recorded.
    fn tell_sealed(&mut self) {
        let refused = self.opener.as_ref().map_or(0, |opener| match opener.counts() {
            (0, refused) => refused,
            // Some are lost to others' forgeries, or came twice.
            _ => 0,
        });
        if refused > 0 && !std::mem::replace(&mut self.told_sealed, true) {
            self.ui.tell(
                "not_opened",
                json!({ "frames": refused }),
                "What is streamed there was not sealed with this code: compare it with the streamer's link.",
            );
        }
    }

    /// The line that changes.
    fn show(&mut self) {
        self.tell_sealed();
        if self.recording.is_none() {
            return;
        }
        let (bytes, pictures) = self.figures.told;
        let figures = &mut self.figures;
        let bitrate = (figures.bytes - bytes) * 8;
        let fps = figures.pictures - pictures;
        figures.told = (figures.bytes, figures.pictures);
        let size = indicatif::HumanBytes(figures.bytes);
        let lost = figures.lost;
        let text =
            format!("{} · {fps} fps · {} · {size} · {lost} packets lost", clock(self.end), rate(bitrate));
        let fields = json!({
            "seconds": self.end.as_secs_f64(),
            "fps": fps,
            "bitrate": bitrate,
            "bytes": figures.bytes,
            "lost": lost,
        });
        self.ui.progress(fields, text);
    }

    /// Ends the file, and says how it went.
    async fn finish(mut self, ending: Ending) -> ExitCode {
        if let Some(Watching { session, .. }) = &mut self.session {
            session.leave().await;
        }
        let ui = self.ui;
        ui.end();
        let path = match self.recording.take() {
            None => None,
            Some(Recording { writer, path, .. }) => {
                if let Err(error) = writer.finish().await {
                    return self.unwritable(&error);
                }
                Some(path)
            }
        };
        let what = match ending {
            Ending::Failed(Failure::Refused { why, status }) => {
                return ui.fail(
                    exit::REFUSED,
                    "refused",
                    &format!("the server refuses: {why}{}", advice(status)),
                );
            }
            Ending::Failed(Failure::Later { why, .. } | Failure::Unreachable(why)) => {
                return ui.fail(exit::FAILED, "unreachable", &why);
            }
            Ending::Usage(why) => return ui.fail(exit::USAGE, "usage", &why),
            Ending::Unwritable(error) => return self.unwritable(&error),
            Ending::Changed(codec) => {
                format!("The stream goes on in {}, for which another file is needed. ", codec.name())
            }
            Ending::Over => "The stream is over. ".to_owned(),
            Ending::Full | Ending::Interrupted => String::new(),
        };
        let Some(path) = path else {
            ui.tell("done", json!({ "path": null }), "Nothing was recorded.");
            return ExitCode::SUCCESS;
        };
        let shown = path.display().to_string();
        let Figures { frames, bytes, lost, .. } = self.figures;
        let seconds = self.end.as_secs_f64();
        let fields =
            json!({ "path": shown, "seconds": seconds, "frames": frames, "bytes": bytes, "lost": lost });
        let size = indicatif::HumanBytes(bytes);
        ui.result(
            "done",
            fields,
            &format!("{what}{shown}: {}, {frames} frames, {size}, {lost} packets lost.", clock(self.end)),
        );
        ExitCode::SUCCESS
    }

    fn unwritable(&self, error: &WriteError) -> ExitCode {
        if writer::is_full(error) {
            let why =
                format!("the disk is full ({error}): what was recorded before can be played; make room");
            return self.ui.fail(exit::UNFINISHED, "disk_full", &why);
        }
        self.ui.fail(exit::USAGE, "unwritable", &format!("the file cannot be written: {error}"))
    }
}

/// What happens next.
enum Step {
    /// Some may be ready.
    Frames,
    Lost,
    Outcome(Result<Box<Session>, Failure>),
    Tick,
}

impl Watching {
    /// Waits for frames, or for the end. Cancelling it loses nothing.
    async fn next(&mut self) -> Step {
        loop {
            let due = self.timeline.poll_timeout();
            tokio::select! {
                frame = self.frames.recv() => {
                    let Some((track, frame)) = frame else { return Step::Lost };
                    self.last = Instant::now();
                    self.timeline.put(track, frame);
                    return Step::Frames;
                }
                () = until(due), if !self.timeline.has_begun() => return Step::Frames,
                event = self.session.peer.next_event() => {
                    let state = self.session.peer.connection_state();
                    let is_over = matches!(state, PeerConnectionState::Failed | PeerConnectionState::Closed);
                    if event.is_none() || is_over {
                        return Step::Lost;
                    }
                }
            }
        }
    }
}

async fn until(deadline: Option<std::time::Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

/// The container that fits.
fn usual(tracks: &[Track]) -> Container {
    let has = |wanted: fn(FrameCodec) -> bool| tracks.iter().any(|track| wanted(track.codec));
    if has(|codec| matches!(codec, FrameCodec::H264 | FrameCodec::H265)) {
        Container::Mp4
    } else if has(|codec| !codec.is_audio()) {
        Container::WebM
    } else {
        Container::Ogg
    }
}

/// Year, month, day and time of a moment, in seconds since 1970, by UTC: a part of a name that sorts.
fn date(seconds: u64) -> String {
    let moment = time::OffsetDateTime::from_unix_timestamp(seconds.cast_signed());
    let moment = moment.unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    let (date, (hour, minute, second)) = (moment.date(), moment.time().as_hms());
    let (year, month, day) = (date.year(), u8::from(date.month()), date.day());
    format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_by_time() {
        assert_eq!(date(0), "19700101-000000");
        assert_eq!(date(1_795_000_000), "20261118-110640");
    }

    #[test]
    fn endings_say_what_is_written() {
        assert_eq!(container_of(Path::new("a.b.MP4")), Ok(Container::Mp4));
        assert!(container_of(Path::new("show.h264")).is_err());
        assert!(container_of(Path::new("show")).unwrap_err().contains(".webm"));
    }
}
