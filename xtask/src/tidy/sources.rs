//! Rules for single files.

use std::path::Path;

/// A source file longer than this must be split by what it is about.
const MAX_LINES: usize = 1000;

/// The pause between two looks at a condition, in milliseconds.
const MAX_PAUSE: u32 = 50;

/// Calls that a protocol crate, a room's forwarder, or the server's room machine must not make; clippy knows them too, but
/// only on the systems it runs for.
const BANNED: &[&str] = &[
    "Instant::now(",
    "SystemTime::now(",
    "thread::sleep(",
    "env::var(",
    "rand::fill(",
    "SystemRandom::new(",
];

/// The files that may have `unsafe`: where C is called, and a bench of io_uring.
const UNSAFE: &[&str] =
    &["room/media/src/codec/opus/sys.rs", "room/media/src/codec/vp8/shim.rs", "lab/bench/src/echo/uring.rs"];

pub(super) fn check(file: &Path, text: &str) -> Vec<String> {
    let path = file.to_string_lossy();
    let mut wrong = Vec::new();
    let mut report = |what: String| wrong.push(format!("{path}: {what}"));
    let is_source =
        matches!(file.extension().and_then(|ending| ending.to_str()), Some("rs" | "js" | "mjs" | "css"));
    // An example drives what it shows, as a test does.
    let is_test =
        ["/tests/", "/examples/"].iter().any(|folder| path.contains(folder)) || path.ends_with("/tests.rs");
    let lines = text.lines().count();
    if is_source && !is_test && lines > MAX_LINES {
        report(format!("{lines} lines; over {MAX_LINES} wants splitting by what it is about"));
    }
    if !path.ends_with(".rs") {
        return wrong;
    }
    for (index, line) in text.lines().enumerate() {
        let line_number = index + 1;
        if line.trim_start().starts_with("#[allow(") || line.trim_start().starts_with("#![allow(") {
            report(format!("line {line_number}: say `#[expect(…, reason = \"…\")]` instead of `allow`"));
        }
        if line.contains("(unsafe_code") && !UNSAFE.contains(&&*path) && !path.starts_with("xtask/") {
            report(format!("line {line_number}: `unsafe` is for where C is called: see ARCHITECTURE.md"));
        }
        if is_test && sleeps_long(line) {
            report(format!(
                "line {line_number}: a test polls a condition with a deadline; it does not sleep"
            ));
        }
    }
    if path.starts_with("protocol/") || path.starts_with("room/sfu/") {
        for what in protocol(&path, text, is_test) {
            report(what);
        }
    }
    if is_library(&path) && !has_example(text) {
        wrong.push(format!("{path}: a library's docs open with an example that runs"));
    }
    if path.starts_with("server/src/signaling/") && !is_test {
        wrong.extend(calls(text).map(|what| format!("{path}: {what}")));
    }
    wrong
}

/// Whether this is the front page of a crate that people depend on.
fn is_library(path: &str) -> bool {
    let published = ["protocol/", "peer/", "room/", "twocan/"].iter().any(|folder| path.starts_with(folder));
    published && path.ends_with("src/lib.rs")
}

/// Whether a block of code in the docs is one that the tests of docs run: what opens it says nothing else.
fn has_example(text: &str) -> bool {
    let fences = text.lines().filter(|line| line.starts_with("//! ```"));
    fences.step_by(2).any(|line| line == "//! ```")
}

/// Whether a line sleeps for longer than the pause between two looks at a condition.
fn sleeps_long(line: &str) -> bool {
    if !line.contains("thread::sleep(") && !line.contains("time::sleep(") {
        return false;
    }
    let pause = line.split("from_millis(").nth(1).and_then(|rest| rest.split(')').next());
    pause.and_then(|pause| pause.parse::<u32>().ok()).is_none_or(|pause| pause > MAX_PAUSE)
}

fn protocol(path: &str, text: &str, is_test: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    let docs: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
    if !is_test && docs.is_empty() && !path.contains("/examples/") {
        wrong.push("a module begins with `//!` docs that say what it is for".into());
    }
    // `wire` knows no protocol, and what a room does no standard says.
    let may_have_none = ["protocol/wire/", "room/"].iter().any(|folder| path.starts_with(folder));
    let names_its_source = ["RFC ", "draft-", "W3C"].iter().any(|source| docs.contains(source));
    if !is_test && !may_have_none && !names_its_source && !path.contains("/examples/") {
        wrong.push("its module docs name the RFC sections that it implements".into());
    }
    if !is_test {
        wrong.extend(calls(text));
    }
    wrong
}

/// The banned calls in a file of a pure state machine.
fn calls(text: &str) -> impl Iterator<Item = String> {
    // What stands behind the first `#[cfg(test)]` is tests.
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    let is_called =
        |banned: &str| code.lines().any(|line| line.contains(banned) && !line.trim_start().starts_with("//"));
    BANNED
        .iter()
        .filter(move |banned| is_called(banned))
        .map(|banned| format!("`{banned}…)`: time, randomness and configuration are arguments here"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_finds_its_breach() {
        let found = |path: &str, text: &str| check(Path::new(path), text).len();
        assert_eq!(found("protocol/stun/src/a.rs", "//! RFC 8489 §5\n"), 0);
        assert_eq!(found("protocol/stun/src/a.rs", "//! Nothing.\n"), 1);
        assert_eq!(found("protocol/stun/src/a.rs", "fn a() {}\n"), 2);
        assert_eq!(found("protocol/wire/src/a.rs", "//! Nothing.\n"), 0);
        assert_eq!(found("twocan/src/lib.rs", "//! Nothing.\n"), 1);
        assert_eq!(found("twocan/src/lib.rs", "//! ```\n//! ```\n"), 0);
        assert_eq!(found("twocan/src/lib.rs", "//! ```text\n//! ```\n"), 1);
        assert_eq!(found("twocan/src/lib.rs", "//! ```no_run\n//! ```\n//! ```\n//! ```\n"), 0);
        assert_eq!(found("protocol/stun/src/a.rs", "//! RFC 1\nlet a = Instant::now();\n"), 1);
        assert_eq!(found("server/src/signaling/hub.rs", "let a = Instant::now();\n"), 1);
        assert_eq!(found("server/src/clock.rs", "let a = Instant::now();\n"), 0);
        assert_eq!(found("server/src/a.rs", "#[allow(dead_code)]\n"), 1);
        assert_eq!(found("server/src/a.rs", "#![expect(unsafe_code, reason = \"speed\")]\n"), 1);
        assert_eq!(found("room/media/src/codec/vp8/shim.rs", "#![expect(unsafe_code)]\n"), 0);
        assert_eq!(found("server/tests/a.rs", "std::thread::sleep(x);\n"), 1);
        assert_eq!(found("server/tests/a.rs", "thread::sleep(Duration::from_millis(10));\n"), 0);
        assert_eq!(found("server/tests/a.rs", "thread::sleep(Duration::from_millis(51));\n"), 1);
        assert_eq!(found("server/src/a.rs", &"\n".repeat(1001)), 1);
        assert_eq!(found("server/src/a/tests.rs", &"\n".repeat(1001)), 0);
        assert_eq!(found("web/js/a.js", &"\n".repeat(1001)), 1);
    }
}
