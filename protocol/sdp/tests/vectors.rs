//! Other people's descriptions. They are not part of this repository: the tests say so where they are absent.

use std::fs;
use std::path::{Path, PathBuf};

use twocan_sdp::Description;

/// Files whose authors say themselves that they are wrong, and the lines that are.
const WRONG: &[(&str, &[(usize, &str)])] = &[
    // Comments, which session descriptions do not have.
    (
        "mozilla-webrtc-sdp/03.sdp",
        &[(1, "not a line"), (2, "not a line"), (3, "not a line"), (4, "not a line")],
    ),
    // The same, and a fingerprint of the wrong length.
    (
        "mozilla-webrtc-sdp/08.sdp",
        &[(1, "not a line"), (2, "not a line"), (3, "not a line"), (51, "a=fingerprint")],
    ),
    // Comments again.
    ("mozilla-webrtc-sdp/11.sdp", &[(1, "not a line"), (2, "not a line"), (3, "not a line")]),
    // A network that there is not, and a line that there is not.
    ("sdp-transform/invalid.sdp", &[(7, "a=rtcp"), (10, "no such line")]),
];

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors").join(folder);
    let Ok(entries) = fs::read_dir(&folder) else {
        println!("skipped: no vectors at {}", folder.display());
        return Vec::new();
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            files.push(path);
        }
    }
    files.retain(|path| path.extension().is_some_and(|own| own == ending));
    files.sort();
    files
}

/// Reads it as it is meant to be read, and writes it: the same bytes come back if they are canonical, and the
/// same description in any case.
fn survives(name: &str, text: &str) -> Description {
    let wrong = WRONG.iter().find(|(file, _)| *file == name).map_or(&[][..], |(_, lines)| *lines);
    let (description, faults) = Description::salvage(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let found: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(faults.len(), wrong.len(), "{name}: {found:?}");
    for (fault, (line, words)) in faults.iter().zip(wrong) {
        assert!(fault.line == *line && fault.reason.to_string().contains(words), "{name}: {found:?}");
    }
    assert_eq!(text.parse(), faults.into_iter().next().map_or(Ok(description.clone()), Err), "{name}");
    assert_eq!(description.to_string().parse(), Ok(description.clone()), "{name}");
    description
}

#[test]
fn everybody_s_descriptions_are_read_and_written() {
    let (mut same, mut read) = (0, 0);
    for path in files("sdp", "sdp") {
        let name = path.components().rev().take(2).map(|part| part.as_os_str().to_str().unwrap());
        let name = name.collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("/");
        let text = fs::read_to_string(&path).unwrap();
        let description = survives(&name, &text);
        read += 1;
        let is_browser = name.starts_with("browsers/");
        let written = description.to_string();
        assert!(!is_browser || written == text, "{name} is not written byte for byte");
        // Line ends aside.
        same += usize::from(written.lines().eq(text.lines()));
    }
    println!("{read} descriptions, {same} of them written line for line");
    assert!(read == 0 || read > 70);
}

#[test]
fn a_fuzzer_s_corpus_is_borne() {
    let (mut read, mut tried) = (0, 0);
    for path in files("libwebrtc-fuzz-corpora/sdp-corpus", "sdp") {
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        tried += 1;
        if let Ok(description) = text.parse::<Description>() {
            read += 1;
            assert_eq!(description.to_string().parse(), Ok(description), "{}", path.display());
        }
        let _ = Description::salvage(&text);
    }
    println!("{read} of {tried} files are descriptions");
    assert!(tried == 0 || read > 20);
}
