//! The options of `twocan publish` and `twocan record`.

use std::path::PathBuf;
use std::time::Duration;

use super::address::StreamAddress;
use crate::files::{DEFAULT_SERVER, ServerAddress};

const EXIT_CODES: &str = "Exit codes: 0 all was done, or Ctrl-C ended it in good order; 1 the network or the server does not let \
     it; 2 wrong usage, or a file that cannot be read or written; 3 refused: a token, a codec, a room that is taken; 5 \
     unfinished: the disk is full.";

const SOURCES: &str = "SOURCE is a file (IVF, WebM, Matroska, MP4, Ogg Opus, H.264, Y4M, WAV), - for standard input, or test for a picture \
     that moves and a beep on each second. What is encoded goes as it is: the pictures of a file must be VP8, VP9, AV1, H.264 or \
     H.265 without frames that are shown out of order, and its sound Opus.";

/// What becomes of files that nothing has encoded.
const ENCODED: &str = if cfg!(feature = "media") {
    "Y4M becomes VP8 as it is sent, of as many bits as the path carries, and WAV becomes Opus."
} else {
    "Y4M becomes VP8 where vpxenc or ffmpeg is there to encode it, and WAV needs a twocan that was built with --features media."
};

/// What both have.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Common {
    /// The twocan server where the room is
    #[arg(long, env = "TWOCAN_SERVER", value_name = "URL", default_value = DEFAULT_SERVER)]
    pub(crate) server: ServerAddress,
    /// What the server wants as `Authorization: Bearer TOKEN`
    #[arg(long, env = "TWOCAN_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// Take any certificate of the server
    #[arg(long, env = "TWOCAN_INSECURE")]
    pub(crate) insecure: bool,
    /// How many seconds a lost connection, or a stream that has broken off, may be away
    #[arg(long, env = "TWOCAN_PATIENCE", value_name = "SECONDS", default_value_t = 60)]
    pub(crate) patience: u64,
    /// Print one JSON object per line and event, for scripts
    #[arg(long, env = "TWOCAN_JSON")]
    pub(crate) json: bool,
    /// Read options from this TOML file; flags and environment variables win over it
    #[arg(long, env = "TWOCAN_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

impl Common {
    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(self.patience)
    }
}

/// What `twocan publish` can be told.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = format!("{SOURCES} {ENCODED}\n\n{EXIT_CODES}"))]
pub(crate) struct PublishOptions {
    /// A file, - for standard input, or test
    #[arg(value_name = "SOURCE")]
    pub(crate) source: PathBuf,
    /// A room, ROOM#CODE, its link, or the address of any WHIP endpoint
    #[arg(long, value_name = "ROOM|URL")]
    pub(crate) to: StreamAddress,
    /// Encrypt from end to end, by a new code that is printed in a link: the server cannot watch
    #[arg(long)]
    pub(crate) seal: bool,
    /// Begin again at the end of the file
    #[arg(long = "loop")]
    pub(crate) repeats: bool,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// What `twocan record` can be told.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct RecordOptions {
    /// A room, ROOM#CODE, its link, or the address of any WHEP endpoint
    #[arg(value_name = "ROOM|URL")]
    pub(crate) from: StreamAddress,
    /// The file to write: .webm, .mkv, .mp4, .ivf or .ogg [default: ROOM-DATE.webm, or .mp4 for H.264 and H.265]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// End after so many seconds of the stream
    #[arg(long, value_name = "SECONDS")]
    pub(crate) duration: Option<u64>,
    #[command(flatten)]
    pub(crate) common: Common,
}
