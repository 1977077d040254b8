use std::{fmt::Write as _, fs, path::PathBuf};

use super::*;

/// Loads `serve` with these arguments and a file of this text; the environment is left alone.
fn load_with(arguments: &[&str], file: Option<&str>) -> Result<Options, String> {
    let mut all: Vec<OsString> = ["twocan", "serve"].iter().chain(arguments).map(OsString::from).collect();
    let file = file.map(|text| {
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        fs::write(&path, text).unwrap();
        all.push(format!("--config={}", path.display()).into());
        path
    });
    let asked = load(all);
    match asked {
        Ok(Asked::Command(Command::Serve(options))) => Ok(*options),
        Ok(Asked::Command(_)) => panic!("another command"),
        Ok(Asked::Text(text)) => Err(text.to_string()),
        Err(ConfigError(line)) => Err(match &file {
            Some(path) => line.replace(&path.display().to_string(), "FILE"),
            None => line,
        }),
    }
}

#[test]
fn the_defaults() {
    let options = load_with(&[], None).unwrap();
    assert_eq!(options.http, Listen::At("localhost".into(), 8080));
    assert_eq!(options.https, Listen::Everywhere(8443));
    assert_eq!(options.stun_turn, [Listen::Everywhere(3478)]);
    assert_eq!(options.turns, Listen::Everywhere(5349));
    assert_eq!(options.turn_realm.0, "twocan");
    assert_eq!(options.turn_credential_seconds, 3_600);
}

#[test]
fn the_file_is_weaker_than_a_flag_and_stronger_than_a_default() {
    let file = "http = 9000\nhttps = \"off\"\nturn-user = [\"ada:one\", \"bob:two\"]\n\
                invitation-required = true\nstun-turn = \"127.0.0.1:0\"\n";
    let options = load_with(&["--http", "[::1]:7000"], Some(file)).unwrap();
    assert_eq!(options.http, Listen::At("::1".into(), 7000));
    assert_eq!(options.https, Listen::Off);
    assert_eq!(options.turn_user.len(), 2);
    assert_eq!(options.stun_turn, [Listen::At("127.0.0.1".into(), 0)]);
    assert!(options.invitation_required);
}

#[test]
fn repeated_flags_add_up() {
    let options = load_with(
        &[
            "--public-ip=192.0.2.1",
            "--public-ip",
            "2001:db8::1",
            "--allow-peer=10.0.0.0/8",
            "--allow-peer=::1",
        ],
        None,
    )
    .unwrap();
    assert_eq!((options.public_ip.len(), options.allow_peer.len()), (2, 2));
}

#[test]
fn what_is_wrong_is_told_in_one_line() {
    let cases: [(&[&str], Option<&str>, &str); 12] = [
        (&["--htp", "80"], None, "unexpected argument '--htp' found; a similar argument exists: '--http'"),
        (&["--http", "nowhere"], None, "give host:port, :port, a port, or off"),
        (&["--workers", "0"], None, "invalid value '0' for '--workers <N>'"),
        (&["--tls-cert", "x.pem"], None, "--tls-key <FILE>"),
        (&["--turn-realm", "a-realm-too-long"], None, "a realm is 1 to 12 bytes"),
        (&["--turn-user", "ada"], None, "give NAME:PASSWORD"),
        (&["--allow-peer", "ten/8"], None, "give an address range"),
        (&["--config", "/nonexistent/x.toml"], None, "name an existing, readable file with --config"),
        (&[], Some("htp = 80"), "FILE: there is no key htp; the nearest one is http"),
        (&[], Some("a = 1\nb = \n"), "FILE, line 2:"),
        (&[], Some("http = [80]"), "FILE: http takes text in quotes, or a number"),
        (&[], Some("https = \"somewhere\""), "FILE: invalid value 'somewhere' for '--https <ADDR>'"),
    ];
    for (arguments, file, expected) in cases {
        let line = load_with(arguments, file).unwrap_err();
        assert!(line.contains(expected), "{arguments:?} {file:?} gave: {line}");
        assert_eq!(line.lines().count(), 1, "{line}");
    }
}

#[test]
fn what_is_wrong_names_the_command_whose_help_says_more() {
    let cases: [(&[&str], &str); 5] = [
        (
            &["publish", "test"],
            "the following required arguments were not provided: --to <ROOM|URL> (see twocan help publish)",
        ),
        (
            &["publish", "test", "show"],
            "unexpected argument 'show' found; where to stream to is said by --to: \
             twocan publish SOURCE --to ROOM (see twocan help publish)",
        ),
        (
            &["record", "show", "show.webm"],
            "unexpected argument 'show.webm' found; the file to write is said by --output: \
             twocan record ROOM --output FILE (see twocan help record)",
        ),
        (&["publish", "test", "--to", "show", "--lop"], "a similar argument exists: '--loop'"),
        (&["publisch"], "a similar subcommand exists: 'publish' (see twocan help)"),
    ];
    for (arguments, expected) in cases {
        let all = std::iter::once("twocan").chain(arguments.iter().copied()).map(OsString::from);
        let Err(ConfigError(line)) = load(all) else { panic!("{arguments:?} is not wrong") };
        assert!(line.contains(expected), "{arguments:?} gave: {line}");
    }
}

#[test]
fn every_option_has_a_variable_and_words() {
    let command = Cli::command();
    let serve = command.find_subcommand("serve").unwrap();
    for argument in serve.get_arguments().filter(|argument| argument.get_id() != "help") {
        let name = argument.get_long().unwrap();
        let variable = format!("TWOCAN_{}", name.replace('-', "_").to_uppercase());
        assert_eq!(argument.get_env().and_then(|env| env.to_str()), Some(&*variable), "--{name}");
        assert!(argument.get_help().is_some(), "--{name}");
    }
}

/// The document is what the options say. `UPDATE_DOCS=1 cargo test -p twocan-server` writes it anew.
#[test]
fn the_document_lists_every_option() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    let made = document();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == made, "docs/configuration.md is stale: run UPDATE_DOCS=1 cargo test -p twocan-server");
}

fn document() -> String {
    let mut text = String::from(include_str!("introduction.md"));
    let command = Cli::command();
    let serve = command.find_subcommand("serve").unwrap();
    let shown =
        || serve.get_arguments().filter(|argument| !argument.is_hide_set() && argument.get_id() != "help");
    let mut headings: Vec<&str> = Vec::new();
    for heading in shown().filter_map(clap::Arg::get_help_heading) {
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    for heading in headings {
        let _ = write!(
            text,
            "\n## {heading}\n\n| key and flag | value | default | what it does |\n|---|---|---|---|\n"
        );
        for argument in shown().filter(|argument| argument.get_help_heading() == Some(heading)) {
            let (help, default) = words(argument);
            let value = argument.get_value_names().map_or("–", |names| names[0].as_str());
            let value =
                if argument.get_action().takes_values() { format!("`{value}`") } else { "–".to_owned() };
            let name = argument.get_long().unwrap();
            let _ = writeln!(text, "| `{name}` | {value} | {default} | {help} |");
        }
    }
    text
}

/// What an option does, and its default.
fn words(argument: &clap::Arg) -> (String, String) {
    let help = argument.get_help().unwrap().to_string();
    if let Some((help, default)) = help.split_once(" [default: ") {
        return (help.to_owned(), default.trim_end_matches(']').to_owned());
    }
    let defaults: Vec<_> =
        argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    let none = if argument.get_action().takes_values() { "none" } else { "off" };
    let default = if defaults.is_empty() { none.to_owned() } else { format!("`{}`", defaults.join(",")) };
    (help, default)
}
