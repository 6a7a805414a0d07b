//! Values of `_content`: words and quoted phrases.

use super::leaf::malformed;
use crate::index::words::words;
use crate::query::criterion::ContentQuery;
use crate::query::error::Fault;
use rorqual_schema::unescape;

/// Words of one `_content`.
const MAXIMUM_WORDS: usize = 50;

/// Reads the words and phrases to search.
pub(super) fn query(name: &str, text: &str) -> Result<ContentQuery, Fault> {
    let plain = unescape(text);
    let mut query = ContentQuery::default();
    let mut count = 0;
    for (place, part) in plain.split('"').enumerate() {
        let mut found: Vec<String> = Vec::new();
        words(part, |_, word| found.push(word.to_owned()));
        count += found.len();
        // Quotes come in pairs: what stands between two of them has an odd place.
        if place % 2 == 1 {
            if !found.is_empty() && !query.phrases.contains(&found) {
                query.phrases.push(found);
            }
        } else {
            for word in found {
                if !query.words.contains(&word) {
                    query.words.push(word);
                }
            }
        }
        if count > MAXIMUM_WORDS {
            return Err(Fault::TooCostly {
                parameter: Some(name.to_owned()),
                what: "words",
                got: count,
                limit: MAXIMUM_WORDS,
            });
        }
    }
    if plain.matches('"').count() % 2 == 1 {
        return Err(malformed(name, text, "a quotation mark is not closed"));
    }
    if query.words.is_empty() && query.phrases.is_empty() {
        let fault = "no word is left to search; write at least one with a letter or a digit";
        return Err(malformed(name, text, fault));
    }
    Ok(query)
}
