//! Where a file may go: what came over the wire, made into a path that stays inside the folder it is for.
//!
//! A path that tries to leave is refused; a name with characters that some system takes for more than a name is cleaned.
//! So a path of this type is relative, goes only downwards, and means the same on every system.

use std::fmt;
use std::path::PathBuf;

use super::message::is_unseen;

/// Folders deep, the name included.
const DEEPEST: usize = 64;

/// Bytes of a whole path.
const LONGEST: usize = 2_048;

/// Bytes of one part, so that our own endings still fit into the 255 that file systems take.
const LONGEST_PART: usize = 200;

/// Names that mean devices on Windows, whatever their ending.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// A relative path that only goes down. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SafePath(Vec<String>);

/// Why a path is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PathError {
    /// `..`, `.`, an empty part, or one that begins at the root: it wants out, or is not written by an honest sender.
    Outside,
    /// Deeper than 64 folders, or longer than 2,048 bytes.
    TooLong,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Outside => "its path leads out of the folder",
            Self::TooLong => "its path is too long",
        })
    }
}

impl SafePath {
    /// A path with `/` between its parts.
    pub(crate) fn parse(text: &str) -> Result<Self, PathError> {
        let parts: Vec<&str> = text.split('/').collect();
        if text.len() > LONGEST || parts.len() > DEEPEST {
            return Err(PathError::TooLong);
        }
        if parts.iter().any(|part| matches!(*part, "" | "." | "..")) || text.contains('\0') {
            return Err(PathError::Outside);
        }
        let cleaned = parts.iter().enumerate().map(|(depth, part)| clean(part, depth == 0));
        Ok(Self(cleaned.collect()))
    }

    /// A single name, of which only the last part counts, as the web app does it.
    pub(crate) fn from_name(name: &str) -> Self {
        let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
        Self(vec![clean(last, true)])
    }

    /// Its parts, outermost first.
    pub(crate) fn parts(&self) -> &[String] {
        &self.0
    }

    /// The last part.
    pub(crate) fn name(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }

    /// Relative, in this system's way.
    pub(crate) fn to_path(&self) -> PathBuf {
        self.0.iter().collect()
    }

    /// The same with another last part, of our own making.
    pub(crate) fn with_name(&self, name: String) -> Self {
        let mut parts = self.0.clone();
        if let Some(last) = parts.last_mut() {
            *last = name;
        }
        Self(parts)
    }
}

impl fmt::Display for SafePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

/// `a.txt`, `a (2).txt`, … where `number` is 1, 2, …
pub(crate) fn numbered(name: &str, number: u32) -> String {
    if number < 2 {
        return name.to_owned();
    }
    let (stem, ending) = split(name);
    format!("{stem} ({number}){ending}")
}

/// The ending has its dot; a name that begins with its only dot has none.
fn split(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= 17 => name.split_at(dot),
        _ => (name, ""),
    }
}

/// One part of a path, made harmless. The outermost is never hidden.
fn clean(part: &str, outermost: bool) -> String {
    let mut name: String = part
        .chars()
        .filter(|character| !is_unseen(*character))
        .map(|character| if r#"<>:"|?*\/"#.contains(character) { '_' } else { character })
        .collect();
    if name.len() > LONGEST_PART {
        let (stem, ending) = split(&name);
        let most = LONGEST_PART - ending.len();
        let cut = (0..=most).rev().find(|index| stem.is_char_boundary(*index)).unwrap_or_default();
        name = format!("{}{ending}", &stem[..cut]);
    }
    // Windows drops what stands at the end; a name of dots alone would be another one.
    name.truncate(
        name.trim_end_matches(|character: char| character == '.' || character.is_whitespace()).len(),
    );
    if outermost {
        name = name
            .trim_start_matches(|character: char| character == '.' || character.is_whitespace())
            .to_owned();
    }
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let numbered_device = ["com", "lpt"].iter().any(|device| {
        stem.strip_prefix(device).is_some_and(|rest| {
            let mut rest = rest.chars();
            matches!((rest.next(), rest.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
        })
    });
    if DEVICES.contains(&stem.as_str()) || numbered_device {
        name.insert(0, '_');
    }
    if name.is_empty() { "file".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Result<String, PathError> {
        SafePath::parse(text).map(|path| path.to_string())
    }

    #[test]
    fn paths_that_want_out_are_refused() {
        for outside in [
            "..",
            "../a",
            "a/../b",
            "a/..",
            "/etc/passwd",
            "a//b",
            "a/",
            "",
            ".",
            "./a",
            "a/./b",
            "a\0b",
            "/",
        ] {
            assert_eq!(parsed(outside), Err(PathError::Outside), "{outside:?}");
        }
        assert_eq!(parsed(&"a/".repeat(65)), Err(PathError::TooLong));
        assert_eq!(parsed(&"a".repeat(LONGEST + 1)), Err(PathError::TooLong));
    }

    #[test]
    fn names_are_names_on_every_system() {
        for (given, expected) in [
            ("photos/2024/a.jpg", "photos/2024/a.jpg"),
            ("project/.git/config", "project/.git/config"),
            (".ssh/authorized_keys", "ssh/authorized_keys"),
            (".bashrc", "bashrc"),
            ("C:\\Windows\\a", "C__Windows_a"),
            ("a/b:stream", "a/b_stream"),
            ("..\\..\\a", "_.._a"),
            ("con", "_con"),
            ("a/NUL.txt", "a/_NUL.txt"),
            ("COM1", "_COM1"),
            ("lpt9.a.b", "_lpt9.a.b"),
            ("com10", "com10"),
            ("console", "console"),
            ("a. . ", "a"),
            ("...", "file"),
            ("a/...", "a/file"),
            ("gpj.\u{202e}exe", "gpj.exe"),
            ("a\u{1b}[2J\r\n", "a[2J"),
            ("\u{200b}", "file"),
        ] {
            assert_eq!(parsed(given).as_deref(), Ok(expected), "{given:?}");
        }
        assert_eq!(SafePath::from_name("../../a/b\\c.txt").to_string(), "c.txt");
        assert_eq!(SafePath::from_name("..").to_string(), "file");
        let long = format!("{}.jpeg", "é".repeat(300));
        let cut = SafePath::from_name(&long).to_string();
        assert!(cut.len() <= LONGEST_PART && cut.ends_with("é.jpeg"), "{cut}");
    }

    #[test]
    fn a_taken_name_gets_a_number() {
        assert_eq!(numbered("a.txt", 1), "a.txt");
        assert_eq!(numbered("a.txt", 2), "a (2).txt");
        assert_eq!(numbered("a", 3), "a (3)");
        assert_eq!(numbered(".config", 2), ".config (2)");
        assert_eq!(numbered("a.not really an ending", 2), "a.not really an ending (2)");
    }

    proptest! {
        #[test]
        fn whatever_comes_stays_inside(text in any::<String>()) {
            for path in [SafePath::parse(&text).ok(), Some(SafePath::from_name(&text))].into_iter().flatten() {
                prop_assert!(!path.parts().is_empty());
                for component in path.to_path().components() {
                    prop_assert!(matches!(component, std::path::Component::Normal(_)));
                }
                for part in path.parts() {
                    prop_assert!(!part.is_empty() && part.len() <= LONGEST_PART + 4);
                    prop_assert!(!part.contains(['/', '\\', ':', '\0']) && part != ".." && part != ".");
                }
                // Clean once, clean for ever.
                prop_assert_eq!(SafePath::parse(&path.to_string()), Ok(path));
            }
        }

        #[test]
        fn dots_and_slashes_stay_inside(text in "[./\\\\a: ]{0,12}") {
            if let Ok(path) = SafePath::parse(&text) {
                prop_assert_eq!(SafePath::parse(&path.to_string()), Ok(path));
            }
        }
    }
}
