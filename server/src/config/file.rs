//! The configuration file: TOML, its keys the options' names. Its values are handed to the same parsers
//! as the flags, so that no value is good in one place and bad in the other.

use std::{fs, path::Path};

use clap::{ArgAction, ArgMatches, Command, parser::ValueSource};
use toml::{Table, Value};

use super::ConfigError;

/// Further arguments, `--key=value`, that say what the file at `path` says, leaving out what flags or
/// environment variables have set.
pub(super) fn as_arguments(
    path: &Path,
    all: &Command,
    name: &str,
    given: &ArgMatches,
) -> Result<Vec<String>, ConfigError> {
    let command = all.find_subcommand(name).unwrap_or(all);
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|error| {
        ConfigError(format!("{shown}: {error}: name an existing, readable file with --config"))
    })?;
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        let before = |span: std::ops::Range<usize>| text.bytes().take(span.start);
        let line = error.span().map_or(1, |span| before(span).filter(|byte| *byte == b'\n').count() + 1);
        let why = error.message().lines().next().unwrap_or("is not TOML").to_owned();
        ConfigError(format!("{shown}, line {line}: {why}"))
    })?;
    let mut arguments = Vec::new();
    for (key, value) in &table {
        let option = command.get_arguments().find(|argument| argument.get_long() == Some(key));
        let Some(option) = option.filter(|_| key != "config" && key != "help") else {
            // One file serves all commands.
            if ["serve", "send", "receive", "publish", "record"].iter().any(|other| has_key(all, other, key))
            {
                continue;
            }
            return Err(unknown_key(path, key, command));
        };
        let source = given.value_source(option.get_id().as_str());
        if matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable)) {
            continue;
        }
        let repeats = matches!(option.get_action(), ArgAction::Append);
        let is_switch = matches!(option.get_action(), ArgAction::SetTrue);
        match value {
            Value::Boolean(on) if is_switch => {
                if *on {
                    arguments.push(format!("--{key}"));
                }
            }
            _ if is_switch => {
                return Err(ConfigError(format!("{shown}: {key} is true or false, without quotes")));
            }
            Value::Array(values) if repeats => {
                for value in values {
                    arguments.push(format!("--{key}={}", plain(path, key, value)?));
                }
            }
            value => arguments.push(format!("--{key}={}", plain(path, key, value)?)),
        }
    }
    Ok(arguments)
}

fn has_key(all: &Command, command: &str, key: &str) -> bool {
    let options = all.find_subcommand(command).into_iter().flat_map(Command::get_arguments);
    !matches!(key, "config" | "help") && options.filter_map(clap::Arg::get_long).any(|known| known == key)
}

fn plain(path: &Path, key: &str, value: &Value) -> Result<String, ConfigError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        _ => {
            let shown = path.display();
            Err(ConfigError(format!("{shown}: {key} takes text in quotes, or a number")))
        }
    }
}

fn unknown_key(path: &Path, key: &str, command: &Command) -> ConfigError {
    let nearest = command
        .get_arguments()
        .filter(|argument| !argument.is_hide_set())
        .filter_map(|argument| argument.get_long())
        .filter(|known| !matches!(*known, "config" | "help"))
        .max_by(|a, b| strsim::jaro_winkler(a, key).total_cmp(&strsim::jaro_winkler(b, key)));
    let shown = path.display();
    ConfigError(match nearest {
        Some(nearest) => format!("{shown}: there is no key {key}; the nearest one is {nearest}"),
        None => format!("{shown}: there is no key {key}"),
    })
}
