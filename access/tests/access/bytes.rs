//! What is kept stays byte for byte; what the server must add is the tag and nothing else.

use rorqual_access::{Facts, RedactError, Redacted};
use rorqual_schema::{Node, ResourceType};

use crate::scene::{everything, redact_text, rules};

const TAG: &str =
    r#"{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}"#;

const OPEN_PLACE: &str = "documents.Location = 'always'\nrest = ['Location']\n";

/// Redacts a Location of which alias and telecom are hidden; `@` in what is expected stands for the tag.
fn check(given: &str, expected: &str) {
    let rules = rules(&format!(
        "{OPEN_PLACE}see.'Location.alias' = 'never'\nsee.'Location.telecom' = 'level = 1'"
    ));
    let expected = expected.replace('@', TAG);
    match redact_text(&rules, given, Facts::unattached(), &everything) {
        Redacted::Partial(bytes) => {
            assert_eq!(String::from_utf8(bytes).expect("UTF-8"), expected);
            let again = redact_text(&rules, &expected, Facts::unattached(), &everything);
            assert_eq!(again, Redacted::Whole, "{expected}");
        }
        Redacted::Whole => assert_eq!(given, expected),
        Redacted::Hidden => panic!("hidden: {given}"),
    }
}

#[test]
fn nothing_hidden_nothing_touched() {
    let text = " { \"resourceType\" : \"Location\",\n\"id\":\"1\" , \"x\":[ 1.50, -0.0, 1E+2, 12345678901234567890123 ],\t\"n\":\"caf\\u00e9 \\\"\\\\\" ,\"text\":{\"div\":\"<p/>\"}} \n";
    check(text, text);
}

#[test]
fn the_rest_keeps_its_bytes_wherever_the_cut_is() {
    // First, middle, last, and several in a row.
    check(
        r#"{"alias":["a"],"resourceType":"Location","id":"1","meta":{"tag":[]}}"#,
        r#"{"resourceType":"Location","id":"1","meta":{"tag":[@]}}"#,
    );
    check(
        r#"{"resourceType":"Location","id":"1","meta":{"versionId":"1"},"alias":["a"],"n":1.50}"#,
        r#"{"resourceType":"Location","id":"1","meta":{"versionId":"1","tag":[@]},"n":1.50}"#,
    );
    check(
        r#"{"resourceType":"Location","id":"1","alias":["a"]}"#,
        r#"{"resourceType":"Location","id":"1","meta":{"tag":[@]}}"#,
    );
    check(
        r#"{"resourceType":"Location","meta":{},"n":"caf\u00e9","telecom":[{"value":"1"}],"alias":[],"_alias":[null]}"#,
        r#"{"resourceType":"Location","meta":{"tag":[@]},"n":"caf\u00e9"}"#,
    );
    check(
        r#"{"resourceType":"Location","alias":["a"]}"#,
        r#"{"resourceType":"Location","meta":{"tag":[@]}}"#,
    );
    check(
        "{ \"resourceType\": \"Location\",\n  \"alias\": [\"x\"],\n  \"id\": \"1\",\n  \"n\": 1e3\n}\n",
        &"{ \"resourceType\": \"Location\",\n  \"id\": \"1\",\"meta\":{\"tag\":[@]},\n  \"n\": 1e3\n}\n".replace('@', TAG),
    );
}

#[test]
fn items_go_one_by_one() {
    let public = r#"{"value":"1","extension":[{"url":"https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-telecom-confidentiality-level","valueCode":"1"}]}"#;
    let wrap = |items: &str, tag: &str| {
        format!(
            r#"{{"resourceType":"Location","id":"1","meta":{{"tag":[ {{"code":"52"}}{tag} ]}},"telecom":[{items}],"z":0}}"#
        )
    };
    for (given, kept) in [
        (format!(r#"{{"value":"2"}}, {public}"#), public.to_owned()),
        (format!(r#"{public} , {{"value":"2"}}"#), public.to_owned()),
        (
            format!(r#"{public} , {{"value":"2"}},{{"value":"3"}} , {public}"#),
            format!("{public} , {public}"),
        ),
    ] {
        check(&wrap(&given, ""), &wrap(&kept, &format!(",{TAG}")));
    }
    check(&wrap(public, ""), &wrap(public, ""));
}

#[test]
fn the_tag_finds_its_place_in_any_meta() {
    for (meta, expected) in [
        (r#"{"tag":{"code":"x"}}"#, r#"{"tag":[{"code":"x"},@]}"#),
        (r#"{"tag":null}"#, r#"{"tag":[@]}"#),
        (
            r#"{ "tag" : [ ] , "source":"s"}"#,
            r#"{ "tag" : [@] , "source":"s"}"#,
        ),
        (r#"null"#, r#"{"tag":[@]}"#),
        (r#"{"tag":[@]}"#, r#"{"tag":[@]}"#),
    ] {
        let meta = meta.replace('@', TAG);
        check(
            &format!(r#"{{"resourceType":"Location","id":"1","meta":{meta},"alias":["a"],"n":1}}"#),
            &format!(r#"{{"resourceType":"Location","id":"1","meta":{expected},"n":1}}"#),
        );
    }
}

#[test]
fn narrative_and_contained_tell_too_much() {
    check(
        r#"{"resourceType":"Location","id":"1","text":{"div":"alias a"},"alias":["a"]}"#,
        r#"{"resourceType":"Location","id":"1","meta":{"tag":[@]}}"#,
    );
    check(
        r#"{"resourceType":"Location","id":"1","text":{"div":"x"},"contained":[{"resourceType":"Location","telecom":[]}],"n":1}"#,
        r#"{"resourceType":"Location","id":"1","meta":{"tag":[@]},"n":1}"#,
    );
    check(
        r#"{"resourceType":"Location","id":"1","text":{"div":"x"},"n":1}"#,
        r#"{"resourceType":"Location","id":"1","text":{"div":"x"},"n":1}"#,
    );
}

#[test]
fn what_is_left_empty_goes() {
    let rules = rules(&format!(
        "{OPEN_PLACE}see.\"Location.extension('ror-location-equipment').extension('nbInService')\" = 'never'"
    ));
    let url =
        "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-location-equipment";
    let given = format!(
        r#"{{"resourceType":"Location","id":"1","extension":[{{"url":"{url}","extension":[{{"url":"nbInService","valueInteger":1}}]}}],"n":{{}}}}"#
    );
    let expected =
        format!(r#"{{"resourceType":"Location","id":"1","meta":{{"tag":[{TAG}]}},"n":{{}}}}"#);
    let redacted = redact_text(&rules, &given, Facts::unattached(), &everything);
    assert_eq!(redacted, Redacted::Partial(expected.into_bytes()));
}

#[test]
fn text_tree_and_type_must_belong_together() {
    let rules = rules(OPEN_PLACE);
    let text = br#"{"resourceType":"Location","id":"1"}"#;
    let node = Node::parse(text).expect("JSON");
    let ask =
        |kind, text: &[u8], node| rules.redact(kind, text, node, Facts::unattached(), &everything);
    assert!(matches!(
        ask(ResourceType::Organization, text, &node),
        Err(RedactError::OtherType { .. })
    ));
    for other in [
        &b"{\"resourceType\":\"Location\"}"[..],
        b"{\"resourceType\":\"Location\",\"id\":\"1\"} x",
        b"{\"resourceType\":\"Location\",\"id\":1}",
        b"{\"resourceType\":\"Location\",\"id\":\"1",
        b"",
    ] {
        assert!(
            matches!(
                ask(ResourceType::Location, other, &node),
                Err(RedactError::OtherText { .. })
            ),
            "{other:?}"
        );
    }
}
