//! Indents JSON text without reading its values, so that every digit stays as it was stored.

/// Gives the text two blanks of indentation for each level. The text must be well-formed JSON, as
/// all answers are; any other text comes back changed in its blanks only.
pub(super) fn indent<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    // Set after an opening bracket until something follows, so that an empty pair stays on its line.
    let mut opened = false;
    for &byte in pieces.into_iter().flatten() {
        if quoted {
            out.push(byte);
            quoted = escaped || byte != b'"';
            escaped = byte == b'\\' && !escaped;
            continue;
        }
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => continue,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if !std::mem::take(&mut opened) {
                    line(&mut out, depth);
                }
                out.push(byte);
                continue;
            }
            _ => {}
        }
        if std::mem::take(&mut opened) {
            line(&mut out, depth);
        }
        out.push(byte);
        match byte {
            b'"' => quoted = true,
            b'{' | b'[' => {
                depth += 1;
                opened = true;
            }
            b',' => line(&mut out, depth),
            b':' => out.push(b' '),
            _ => {}
        }
    }
    out.push(b'\n');
    out
}

fn line(out: &mut Vec<u8>, depth: usize) {
    out.push(b'\n');
    out.resize(out.len() + 2 * depth, b' ');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indented(pieces: &[&str]) -> String {
        String::from_utf8(indent(pieces.iter().map(|piece| piece.as_bytes()))).unwrap()
    }

    #[test]
    fn levels_are_indented_and_empty_pairs_stay_together() {
        assert_eq!(
            indented(&["{\"a\":[1,{\"b\":", "[]}],\"c\":{},\"d\":[ ]}"]),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    }\n  ],\n  \"c\": {},\n  \"d\": []\n}\n"
        );
    }

    #[test]
    fn strings_and_digits_stay_as_they_are() {
        let text = r#"{"a":"x{,\"}\\","b":1.50,"c":"\\","d":-0e2}"#;
        let pretty = indented(&[text]);
        for kept in [r#""x{,\"}\\""#, "1.50", r#""\\""#, "-0e2"] {
            assert!(pretty.contains(kept), "{pretty}");
        }
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(text), read(&pretty));
    }

    #[test]
    fn indenting_matches_an_independent_printer() {
        let value =
            serde_json::json!({"a": [1, [2, [], {"x": null}], "é\n"], "b": {"c": {}, "d": true}});
        let expected = serde_json::to_string_pretty(&value).unwrap() + "\n";
        assert_eq!(indented(&[&value.to_string()]), expected);
        assert_eq!(
            indented(&[&expected]),
            expected,
            "indenting twice changes nothing"
        );
    }
}
