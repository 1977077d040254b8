//! The options of `twocan send` and `twocan receive`.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Duration;

use super::address::{Invitation, ServerAddress};
use super::code::Code;
use super::question::Existing;

/// Where a server of one's own serves without being told.
pub(crate) const DEFAULT_SERVER: &str = "http://localhost:8080";

const EXIT_CODES: &str = "Exit codes: 0 all has arrived and is checked; 1 the network or this computer does not let it; \
     2 wrong usage; 3 declined, or some files did not arrive; 4 what came through the server was not sealed with this \
     code: nothing was sent; 5 unfinished, can be gone on with; 130 stopped by Ctrl-C, can be gone on with.";

/// What both have.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Common {
    /// The twocan server by which the two find each other
    #[arg(long, env = "TWOCAN_SERVER", value_name = "URL", default_value = DEFAULT_SERVER)]
    pub(crate) server: ServerAddress,
    /// Take any certificate of the server: what is sent stays sealed by the code all the same
    #[arg(long, env = "TWOCAN_INSECURE")]
    pub(crate) insecure: bool,
    /// A signed invitation, where the server admits only with one
    #[arg(long, env = "TWOCAN_INVITATION", value_name = "JWT")]
    pub(crate) invitation: Option<String>,
    /// Send through the server's relay only, so that the other side does not learn this computer's addresses
    #[arg(long, env = "TWOCAN_RELAY_ONLY")]
    pub(crate) relay_only: bool,
    /// How many seconds to wait for a lost connection to come back
    #[arg(long, env = "TWOCAN_PATIENCE", value_name = "SECONDS", default_value_t = 600)]
    pub(crate) patience: u64,
    /// Print one JSON object per line and event, for scripts; asks nothing
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

/// What `twocan send` can be told.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct SendOptions {
    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Go on with a transfer under its code, after this side had stopped
    #[arg(long, value_name = "CODE")]
    pub(crate) code: Option<Code>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// What `twocan receive` can be told.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct ReceiveOptions {
    /// The code that the sender shows, or the whole link, which names the server too
    #[arg(value_name = "CODE")]
    pub(crate) from: Invitation,
    /// The folder to put the files into
    #[arg(long, short, env = "TWOCAN_OUTPUT", value_name = "DIR", default_value = ".")]
    pub(crate) output: PathBuf,
    /// What to do with a file whose name is taken [default: ask in a terminal, else keep-both]
    #[arg(long, env = "TWOCAN_EXISTING", value_name = "WHAT", value_enum)]
    pub(crate) existing: Option<Existing>,
    /// Ask nothing: take what is offered, and keep both where a name is taken
    #[arg(long, short)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) common: Common,
}

impl ReceiveOptions {
    /// Whether somebody is there who can be asked.
    pub(crate) fn can_ask(&self) -> bool {
        !self.yes && !self.common.json && std::io::stdin().is_terminal()
    }

    /// What becomes of a file whose name is taken: never lost unless somebody says so.
    pub(crate) fn existing(&self) -> Existing {
        self.existing.unwrap_or(if self.can_ask() { Existing::Ask } else { Existing::KeepBoth })
    }
}
