//! Configuration: flags, environment variables and a TOML file, in this order of strength, and the
//! defaults behind them. `docs/configuration.md` is made from it.

mod file;
mod options;
mod values;

use std::{ffi::OsString, fmt};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

pub(crate) use options::Options;
pub(crate) use values::{AdminToken, Listen};

/// Calls between browsers: signaling server, STUN, TURN and web app in one binary.
#[derive(Parser)]
#[command(name = "twocan", version, max_term_width = 110, subcommand_required = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What the binary can do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the server: web app, signaling, STUN and TURN
    ///
    /// Every option is also an environment variable (TWOCAN_ and its name in capitals) and a key of the
    /// file that --config names. Without any the server works on this computer and its network.
    Serve(Box<Options>),
    /// Tell what NAT this machine is behind, and what that means for calls
    Nat(crate::nat::Options),
    /// Send files and folders to whoever gets the code, straight from here to there
    ///
    /// Prints a code and a link, and waits. The other side opens the link in a browser, or types
    /// `twocan receive CODE`. What is sent is sealed by the code: between two terminals no server can read or change it.
    Send(Box<crate::files::SendOptions>),
    /// Receive what somebody sends with `twocan send`, or from a browser
    Receive(Box<crate::files::ReceiveOptions>),
    /// Stream a file, standard input or a test picture into a room
    ///
    /// Nothing is encoded anew: what is in the file goes as it is, in its own time, to whoever watches. Any WHIP endpoint
    /// will do in place of a room.
    Publish(Box<crate::streams::PublishOptions>),
    /// Record what is streamed into a room
    ///
    /// Waits until somebody streams, and writes what comes as it is: .webm, .mkv, .mp4, .ivf or .ogg. Any WHEP endpoint will
    /// do in place of a room.
    Record(Box<crate::streams::RecordOptions>),
}

/// One line that says what to do.
#[derive(Debug)]
pub(crate) struct ConfigError(pub(crate) String);

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What the command line asks for.
pub(crate) enum Asked {
    /// To do something.
    Command(Command),
    /// For help or the version: text for standard output.
    Text(clap::Error),
}

/// Reads the command line, the environment, and the file that they name.
pub(crate) fn load(arguments: impl IntoIterator<Item = OsString>) -> Result<Asked, ConfigError> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let given = match Cli::command().try_get_matches_from(&arguments) {
        Ok(given) => given,
        Err(error) if is_answer(&error) => return Ok(Asked::Text(error)),
        Err(error) => return Err(ConfigError(one_line(&error, &arguments))),
    };
    let mut file = None;
    if let Some((name @ ("serve" | "send" | "receive" | "publish" | "record"), chosen)) = given.subcommand()
        && let Some(path) = chosen.get_one::<std::path::PathBuf>("config")
    {
        let from_file = file::as_arguments(path, &Cli::command(), name, chosen)?;
        arguments.extend(from_file.into_iter().map(OsString::from));
        file = Some(path.display().to_string());
    }
    let cli = Cli::command().try_get_matches_from(&arguments).and_then(|all| Cli::from_arg_matches(&all));
    match cli {
        Ok(cli) => Ok(Asked::Command(cli.command)),
        // The command line alone was good, so that what is wrong now is the file's.
        Err(error) => Err(ConfigError(match file {
            Some(file) => format!("{file}: {}", one_line(&error, &arguments)),
            None => one_line(&error, &arguments),
        })),
    }
}

fn is_answer(error: &clap::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    )
}

/// Clap's paragraphs as one line: what is wrong, its tip if it has one, and where to read on.
fn one_line(error: &clap::Error, arguments: &[OsString]) -> String {
    let text = error.render().to_string();
    let mut said = String::new();
    let lines = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
        .filter(|line| !line.is_empty());
    for line in lines {
        said.push_str(match said.chars().last() {
            None => "",
            // What follows is a list.
            Some(':') => " ",
            Some(_) => "; ",
        });
        said.push_str(line.trim_start_matches("error: ").trim_start_matches("tip: "));
    }
    let command = arguments.get(1).and_then(|name| name.to_str()).unwrap_or_default();
    if let Some(hint) = hint(error, command) {
        said = format!("{said}; {hint}");
    }
    match Cli::command().find_subcommand(command) {
        Some(_) => format!("{said} (see twocan help {command})"),
        None => format!("{said} (see twocan help)"),
    }
}

/// What to write in the place of what many write first.
fn hint(error: &clap::Error, command: &str) -> Option<&'static str> {
    let unknown = error.get(ContextKind::InvalidArg).filter(|_| error.kind() == ErrorKind::UnknownArgument);
    let is_place = matches!(unknown, Some(ContextValue::String(place)) if !place.starts_with('-'));
    let hint = match command {
        "publish" => "where to stream to is said by --to: twocan publish SOURCE --to ROOM",
        "record" => "the file to write is said by --output: twocan record ROOM --output FILE",
        _ => return None,
    };
    is_place.then_some(hint)
}

#[cfg(test)]
mod tests;
