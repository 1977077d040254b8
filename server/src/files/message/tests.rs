use super::*;

const ID: Id = Id([0xab; 16]);

fn hex(text: &str, times: usize) -> String {
    text.repeat(times)
}

#[test]
fn messages_about_files_are_those_of_the_document() {
    let offer = Offer {
        id: ID,
        version: VERSION,
        name: "a.jpg".into(),
        size: 7,
        path: Some("photos/a.jpg".into()),
        batch: Some(ID),
        modified: None,
    };
    let id = hex("ab", 16);
    let digest = hex("cd", 32);
    for (message, text) in [
        (
            FileMessage::Batch { id: ID, version: 1, files: 2, folders: 0, bytes: 9, name: "photos".into() },
            format!(r#"{{"type":"file-batch","id":"{id}","version":1,"files":2,"bytes":9,"name":"photos"}}"#),
        ),
        (
            FileMessage::Offer(offer),
            format!(
                r#"{{"type":"file-offer","id":"{id}","version":1,"name":"a.jpg","size":7,"path":"photos/a.jpg","batch":"{id}"}}"#
            ),
        ),
        (
            FileMessage::Accept { id: ID, offset: 3, window: None },
            format!(r#"{{"type":"file-accept","id":"{id}","offset":3}}"#),
        ),
        (FileMessage::Decline { id: ID }, format!(r#"{{"type":"file-decline","id":"{id}"}}"#)),
        (
            FileMessage::Progress { id: ID, received: 5 },
            format!(r#"{{"type":"file-progress","id":"{id}","received":5}}"#),
        ),
        (
            FileMessage::End { id: ID, digest: [0xcd; 32] },
            format!(r#"{{"type":"file-end","id":"{id}","digest":"{digest}"}}"#),
        ),
        (FileMessage::Done { id: ID }, format!(r#"{{"type":"file-done","id":"{id}"}}"#)),
        (
            FileMessage::Cancel { id: ID, reason: "no".into() },
            format!(r#"{{"type":"file-cancel","id":"{id}","reason":"no"}}"#),
        ),
    ] {
        let control = Control::File(message);
        assert_eq!(control.to_json(), text);
        assert_eq!(Control::parse(&text), Some(control), "{text}");
    }
}

#[test]
fn what_is_none_of_ours_is_dropped() {
    let id = hex("ab", 16);
    let too_long = format!(r#"{{"type":"bye","pad":"{}"}}"#, "x".repeat(LONGEST));
    for text in [
        "",
        "{",
        "null",
        "[]",
        "7",
        r#"{"type":7}"#,
        r#"{"type":"else"}"#,
        r#"{"type":"file-else","id":"0"}"#,
        r#"{"type":"file-done"}"#,
        r#"{"type":"file-done","id":"ABABABABABABABABABABABABABABABAB"}"#,
        r#"{"type":"file-done","id":"+b+b+b+b+b+b+b+b+b+b+b+b+b+b+b+b"}"#,
        &format!(r#"{{"type":"file-accept","id":"{id}","offset":-1}}"#),
        &format!(r#"{{"type":"file-accept","id":"{id}","offset":1.5}}"#),
        &format!(r#"{{"type":"file-accept","id":"{id}","offset":9007199254740992}}"#),
        &format!(r#"{{"type":"file-offer","id":"{id}","version":1,"name":"a"}}"#),
        &format!(r#"{{"type":"file-offer","id":"{id}","version":1,"name":7,"size":1}}"#),
        &format!(r#"{{"type":"file-end","id":"{id}","digest":"00"}}"#),
        r#"{"type":"signal","data":{"connection":""}}"#,
        r#"{"type":"signal","data":{"connection":7}}"#,
        r#"{"type":"signal"}"#,
        &too_long,
    ] {
        assert_eq!(Control::parse(text), None, "{text}");
    }
}

#[test]
fn no_more_candidates_is_not_nothing() {
    let parse = |text: &str| Signal::parse(text.as_bytes()).map(|signal| signal.candidate);
    assert_eq!(parse(r#"{"connection":"a"}"#), Some(None));
    assert_eq!(parse(r#"{"connection":"a","candidate":null}"#), Some(Some(None)));
    let last = Signal { connection: "a".into(), candidate: Some(None), ..Signal::default() };
    assert_eq!(String::from_utf8(last.to_json()).unwrap(), r#"{"connection":"a","candidate":null}"#);
    let some =
        parse(r#"{"connection":"a","candidate":{"candidate":"candidate:1","sdpMid":"0","sdpMLineIndex":0}}"#);
    let candidate = some.unwrap().unwrap().unwrap();
    assert_eq!((candidate.sdp_mid.as_deref(), candidate.sdp_m_line_index), (Some("0"), Some(0)));
}

#[test]
fn words_of_others_cannot_move_the_cursor() {
    assert_eq!(shown("a\u{1b}[2Jb\u{202e}c\r\nd\u{feff}"), "a[2Jbcd");
    assert_eq!(shown(&"x".repeat(1_000)).len(), LONGEST_REASON);
    let state = Control::parse(r#"{"type":"state","name":"  Ada\u0007 "}"#);
    assert_eq!(state, Some(Control::State { name: Some("Ada".into()) }));
}
