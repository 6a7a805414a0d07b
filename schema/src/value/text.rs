//! Folding: the form in which texts are compared.

use std::borrow::Cow;

use super::text_table::{LATIN, LATIN_ADDITIONAL};
use crate::json::Node;

/// Folds a text for comparison: lower case, no accents, ligatures spelled out, typographic and plain
/// apostrophes and hyphens turned into blanks, runs of blanks made one, ends trimmed.
///
/// Folding twice changes nothing, and a prefix of a text folds to a prefix of its folded form.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    // A blank is written only before the next letter: runs collapse and the ends are trimmed in one pass.
    let mut blank = false;
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            write_blank(&mut folded, &mut blank);
            folded.push(c.to_ascii_lowercase());
        } else if is_blank(c) {
            blank = true;
        } else if c.is_ascii() {
            write_blank(&mut folded, &mut blank);
            folded.push(c);
        } else {
            fold_beyond_ascii(c, &mut folded, &mut blank);
        }
    }
    folded
}

fn write_blank(folded: &mut String, blank: &mut bool) {
    if *blank && !folded.is_empty() {
        folded.push(' ');
    }
    *blank = false;
}

fn fold_beyond_ascii(c: char, folded: &mut String, blank: &mut bool) {
    if is_dropped(c) {
        return;
    }
    let code = c as usize;
    let known = match code {
        0xC0..=0x24F => LATIN.get(code - 0xC0).copied(),
        0x1E00..=0x1EFF => LATIN_ADDITIONAL.get(code - 0x1E00).copied(),
        _ => spelled_out(c),
    };
    match known {
        Some(spelling) => {
            for letter in spelling.chars() {
                if letter == ' ' {
                    *blank = true;
                } else {
                    write_blank(folded, blank);
                    folded.push(letter);
                }
            }
        }
        None => {
            for letter in c.to_lowercase().filter(|letter| !is_dropped(*letter)) {
                write_blank(folded, blank);
                folded.push(letter);
            }
        }
    }
}

/// Letters outside the tables whose plain spelling differs.
fn spelled_out(c: char) -> Option<&'static str> {
    Some(match c {
        'ª' => "a",
        'º' => "o",
        'ﬀ' => "ff",
        'ﬁ' => "fi",
        'ﬂ' => "fl",
        'ﬃ' => "ffi",
        'ﬄ' => "ffl",
        'ﬅ' | 'ﬆ' => "st",
        'K' => "k",
        'Å' => "a",
        '№' => "no",
        '…' => "...",
        _ => return None,
    })
}

fn is_blank(c: char) -> bool {
    matches!(c, '\'' | '-' | '`' | '´' | 'ʹ'..='ʿ' | 'ˈ' | '‐'..='―' | '‘'..='‛' | '′' | '‵' | '−' | '﹘' | '﹣' | '－' | '＇')
        || c.is_whitespace()
}

/// Combining marks (the accents of decomposed text) and characters that have no width.
fn is_dropped(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}' | '\u{AD}' | '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
}

/// The parts of a HumanName or an Address that R4 searches as strings.
const NAMED_PARTS: [&str; 11] = [
    "text",
    "family",
    "given",
    "prefix",
    "suffix",
    "line",
    "city",
    "district",
    "state",
    "country",
    "postalCode",
];

/// Reads the texts of one element: a string, or the parts of a HumanName or an Address.
pub(crate) fn read_strings<'a>(node: &'a Node<'a>, emit: &mut dyn FnMut(Cow<'a, str>)) {
    match node {
        Node::String(text) if !text.trim().is_empty() => emit(Cow::Borrowed(text)),
        Node::Array(items) => items.iter().for_each(|item| read_strings(item, emit)),
        Node::Object(members) => {
            for (name, value) in members {
                if NAMED_PARTS.contains(&name.as_ref()) && value.as_object().is_none() {
                    read_strings(value, emit);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::fold;

    #[test]
    fn french_texts_fold_to_plain_letters() {
        assert_eq!(
            fold("Hôpital  de l’Œuvre – Saint-Étienne "),
            "hopital de l oeuvre saint etienne"
        );
        assert_eq!(fold("CÆSAR ŒDÈME straße"), "caesar oedeme strasse");
        assert_eq!(fold("e\u{301}te\u{301}"), "ete");
        assert_eq!(fold("L'Haÿ-les-Roses"), "l hay les roses");
        assert_eq!(fold("\u{a0}a\t\n b--c"), "a b c");
        assert_eq!(fold("52/900301 (HC)"), "52/900301 (hc)");
        assert_eq!(fold("Ệ Ñ ç İ"), "e n c i");
        assert_eq!(fold("- '"), "");
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,24}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn a_prefix_folds_to_a_prefix(text in "[\\PC \\-'’éŒÆß]{0,16}", more in "[\\PC \\-'’éŒÆß]{0,16}") {
            let longer = format!("{text}{more}");
            prop_assert!(fold(&longer).starts_with(&fold(&text)));
        }

        #[test]
        fn no_letter_of_latin_keeps_an_accent(c in proptest::char::range('À', 'ɏ')) {
            let folded = fold(&c.to_string());
            prop_assert_eq!(fold(&folded), folded.clone());
            prop_assert!(!folded.chars().any(char::is_uppercase));
        }
    }
}
