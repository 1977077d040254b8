//! Replays a corpus that other people's fuzzers grew. It is not part of this repository: the test says so
//! where it is absent.

use std::fs;
use std::path::Path;

use stun::{Message, Writer};
use twocan_stun as stun;

#[test]
fn the_stun_corpus_of_libwebrtc_is_read_and_rewritten() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/vectors/libwebrtc-fuzz-corpora/stun-corpus");
    let Ok(entries) = fs::read_dir(&folder) else {
        println!("skipped: no corpus at {}", folder.display());
        return;
    };
    let (mut read, mut files) = (0, 0);
    for entry in entries {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        files += 1;
        let Ok(message) = Message::parse(&bytes) else { continue };
        read += 1;
        // What counts in it, written again, says the same.
        let mut rewritten = Vec::new();
        let mut writer =
            Writer::new(&mut rewritten, message.class(), message.method(), message.transaction());
        for attribute in message.attributes() {
            writer.add_raw(attribute.kind, attribute.value);
        }
        let again = Message::parse(&rewritten).unwrap();
        let parts = |message: &Message<'_>| {
            let attributes = message.attributes().map(|raw| (raw.kind, raw.value.to_vec()));
            (message.class(), message.method(), message.transaction(), attributes.collect::<Vec<_>>())
        };
        assert_eq!(parts(&message), parts(&again), "{}", path.display());
    }
    println!("{read} of {files} files are messages");
    assert!(read > 0, "no file of {} is a message", folder.display());
}
