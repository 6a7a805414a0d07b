//! NDJSON, Bundles and single resources, well formed or not.

use super::*;

#[test]
fn lines_with_every_kind_of_end() {
    let text = "\u{feff}{\"a\":1}\r\n\n  \t\r\n {\"a\":2} \n\u{feff}{\"a\":3}\n{\"a\":4}";
    let items = read(text).unwrap();
    assert_eq!(
        brief(&items),
        ["1:{\"a\":1}", "4:{\"a\":2}", "5:{\"a\":3}", "6:{\"a\":4}"]
    );
    let sequences: Vec<u64> = items
        .iter()
        .map(|item| match item {
            Item::Record(record) => record.sequence,
            Item::Reject { sequence, .. } => *sequence,
        })
        .collect();
    assert_eq!(sequences, [0, 1, 2, 3]);
}

#[test]
fn nothing_in_nothing_out() {
    for text in ["", "\u{feff}", "\n\r\n  "] {
        assert_eq!(brief(&read(text).unwrap()), [""; 0]);
        assert_eq!(
            brief(&read_named("a.json", text.as_bytes()).unwrap()),
            [""; 0]
        );
    }
}

#[test]
fn damaged_lines_are_left_to_the_parser() {
    let text = b"{\"resourceType\":\"Task\",\"id\"\n\xFF\xFE?\nnull\n";
    let items = read_named("a.ndjson", text).unwrap();
    assert_eq!(items.len(), 3);
    // Without a telling name, the cut first line must not make the whole a document.
    let text = "{\"resourceType\":\"Task\",\"id\":\"a\n{\"resourceType\":\"Task\"}\n";
    assert_eq!(read(text).unwrap().len(), 2);
}

#[test]
fn a_pretty_bundle() {
    let expected = [
        r#"6/0:{ "id": "a", "t": "}]{[ \" \\" }"#,
        r#"10/1:{"entry": [{"resource": {}}]}"#,
        "11/2:!no-resource-in-entry",
        "12/3:!no-resource-in-entry",
    ];
    assert_eq!(brief(&read(PRETTY).unwrap()), expected);
    for name in ["b.json", "b.ndjson"] {
        assert_eq!(
            brief(&read_named(name, PRETTY.as_bytes()).unwrap()),
            expected
        );
    }
}

#[test]
fn bundles_on_one_line_with_keys_in_any_order() {
    for text in [
        r#"{"resourceType":"Bundle","entry":[{"resource":{"id":"a"}},{"resource":{"id":"b"}}]}"#,
        r#"{"entry":[{"resource":{"id":"a"}},{"resource":{"id":"b"}}],"resourceType":"Bundle"}"#,
        r#"{"entry":[{"resource":{"id":"a"},"x":1},{"x":"e","resource":{"id":"b"}}],"type":"x"}"#,
        r#"{"\u0065ntry":[{"r\u0065source":{"id":"a"}},{"resource":{"id":"b"}}]}"#,
    ] {
        let expected = [r#"1/0:{"id":"a"}"#, r#"1/1:{"id":"b"}"#];
        assert_eq!(brief(&read(text).unwrap()), expected, "{text}");
        assert_eq!(
            brief(&read_named("a.ndjson", text.as_bytes()).unwrap()),
            expected,
            "{text}"
        );
    }
    assert_eq!(
        brief(&read(r#"{"resourceType":"Bundle","entry":[]}"#).unwrap()),
        [""; 0]
    );
}

#[test]
fn a_bundle_on_each_line() {
    let text = "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{\"id\":\"a\"}}]}\n";
    assert_eq!(
        brief(&read_named("a.ndjson", text.repeat(2).as_bytes()).unwrap()),
        [r#"1/0:{"id":"a"}"#, r#"2/0:{"id":"a"}"#]
    );
}

#[test]
fn a_resource_alone_in_its_file() {
    let text = "{\n  \"id\": \"a\",\n  \"resourceType\": \"Task\",\n  \"entry\": [{}]\n}\n";
    let expected = format!("1:{}", text.trim_end());
    assert_eq!(
        brief(&read_named("a.json", text.as_bytes()).unwrap()),
        std::slice::from_ref(&expected)
    );
    assert_eq!(brief(&read(text).unwrap()), [expected]);
    // Cut short it is one bad record, not a failed build.
    let cut = &text.as_bytes()[..text.len() - 8];
    assert_eq!(read_named("a.json", cut).unwrap().len(), 1);
}

#[test]
fn ndjson_in_a_json_file() {
    let text =
        "{\"resourceType\":\"Task\",\"id\":\"a\"}\n{\"resourceType\":\"Task\",\"id\":\"b\"}\n";
    let items = read_named("a.json", text.as_bytes()).unwrap();
    assert_eq!(items.len(), 2);
    assert!(brief(&items)[1].starts_with("2:{"));
}

#[test]
fn a_cut_bundle_fails_wherever_it_is_cut() {
    let start = PRETTY.find("\"type\"").unwrap();
    let end = PRETTY.trim_end().len();
    for cut in start..end {
        match read_named("b.json", &PRETTY.as_bytes()[..cut]) {
            Err(InputError::TruncatedBundle { offset, .. }) => assert_eq!(offset, cut as u64),
            other => panic!("cut at {cut}: {other:?}"),
        }
    }
    let cut = PRETTY.find("\\\\").unwrap();
    let message = read(&PRETTY[..cut]).unwrap_err().to_string();
    assert!(
        message.contains("line 8") && message.contains("entry[0]"),
        "{message}"
    );
}

#[test]
fn a_bundle_that_cannot_be_followed_fails() {
    for (text, expected) in [
        (r#"{"resourceType":"Bundle" "entry":[]}"#, "',' or '}'"),
        (
            r#"{"resourceType":"Bundle","entry":[{"resource":}]}"#,
            "a value",
        ),
        (
            r#"{"resourceType":"Bundle","entry":[{"resource":{}}{}]}"#,
            "',' or ']'",
        ),
        (
            r#"{"resourceType":"Bundle","entry":{}}"#,
            "a list of entries",
        ),
        (r#"{"resourceType":"Bundle","entry":[{}],}"#, "a key"),
        (r#"{"resourceType":"Bundle","entry":[]}]"#, "document"),
    ] {
        let error = read(text).unwrap_err();
        let InputError::MalformedBundle { expected: said, .. } = &error else {
            panic!("{text}: {error}");
        };
        assert!(said.contains(expected), "{text}: {error}");
    }
    let error = read(r#"{"entry":[],"resourceType":"List"}"#).unwrap_err();
    assert!(error.to_string().contains("\"List\""), "{error}");
    assert!(matches!(
        read("[{}]"),
        Err(InputError::ArrayDocument { .. })
    ));
    assert!(matches!(
        read(b"\xFF\xFE{\0"),
        Err(InputError::Utf16 { .. })
    ));
}
