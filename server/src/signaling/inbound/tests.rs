use proptest::prelude::*;

use super::*;

fn refusal(text: &str) -> (Option<u64>, bool, ErrorCode) {
    let request = parse(text);
    let code = request.body.map(|body| format!("{body:?}")).unwrap_err().code;
    (request.id, request.counted, code)
}

#[test]
fn what_is_no_message() {
    for text in [
        "",
        "x",
        "[]",
        "1",
        "\"join\"",
        "null",
        "{}",
        "{\"type\":1}",
        "{\"type\":\"ping\"",
        "[{\"type\":\"ping\"}]",
    ] {
        assert_eq!(refusal(text), (None, true, ErrorCode::BadMessage), "{text}");
    }
}

#[test]
fn every_field_has_its_type() {
    for text in [
        r#"{"type":"join","room":"a","id":7}"#,
        r#"{"type":"join","room":1,"name":"a","id":7}"#,
        r#"{"type":"join","room":"a","name":"a","kind":"party","id":7}"#,
        r#"{"type":"join","room":"a","name":"a","received":-1,"id":7}"#,
        r#"{"type":"ping","received":"x","id":7}"#,
        r#"{"type":"ping","received":1.5,"id":7}"#,
    ] {
        assert_eq!(refusal(text), (Some(7), false, ErrorCode::BadMessage), "{text}");
    }
    for text in [
        r#"{"type":"signal","to":"a","id":7}"#,
        r#"{"type":"signal","data":1,"id":7}"#,
        r#"{"type":"signal","to":"a","to":"b","data":1,"id":7}"#,
        r#"{"type":"chat","text":["a"],"id":7}"#,
        r#"{"type":"presence","id":7}"#,
        r#"{"type":"invite","expires_in":"1d","id":7}"#,
    ] {
        assert_eq!(refusal(text), (Some(7), true, ErrorCode::BadMessage), "{text}");
    }
}

#[test]
fn an_id_is_an_integer_that_javascript_can_hold() {
    assert_eq!(parse(r#"{"type":"ping","id":9007199254740991}"#).id, Some(9_007_199_254_740_991));
    for bad in ["9007199254740992", "-1", "1.5", "\"1\"", "{}"] {
        let text = format!(r#"{{"type":"ping","id":{bad}}}"#);
        assert_eq!(refusal(&text), (None, false, ErrorCode::BadMessage), "{bad}");
    }
}

#[test]
fn unknown_types_are_told_apart_and_unknown_fields_ignored() {
    assert_eq!(refusal(r#"{"type":"dance","id":1}"#), (Some(1), true, ErrorCode::UnknownType));
    assert!(matches!(parse(r#" {"new":[{}],"type":"leave"}"#).body, Ok(Body::Leave)));
}

#[test]
fn data_is_kept_as_it_is_written() {
    let text = r#"{"type":"signal","to":"p","data":{"b" :  1.0,"a":"\u00e9"}}"#;
    match parse(text).body {
        Ok(Body::Signal(signal)) => assert_eq!(signal.data.get(), r#"{"b" :  1.0,"a":"\u00e9"}"#),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn anything_is_read_without_a_panic(text in "\\PC*") {
        let _ = parse(&text);
    }

    #[test]
    fn anything_json_like_is_read_without_a_panic(
        kind in "join|signal|chat|presence|next|invite|leave|ping|x",
        fields in proptest::collection::vec(("room|name|to|data|text|state|received|token|id|kind|role", "[-0-9\"{}\\[\\],:a-z]{0,6}"), 0..5),
    ) {
        let fields: String = fields.iter().map(|(key, value)| format!(",\"{key}\":{value}")).collect();
        let _ = parse(&format!("{{\"type\":\"{kind}\"{fields}}}"));
    }
}
