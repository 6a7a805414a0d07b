//! The nearest known names to one that is not known.

use strsim::{jaro_winkler, normalized_damerau_levenshtein};

/// Names that shape the result of any search.
pub(crate) const RESULT_PARAMETERS: [&str; 9] = [
    "_count",
    "_elements",
    "_format",
    "_include",
    "_pretty",
    "_revinclude",
    "_sort",
    "_summary",
    "_total",
];

/// Below this a name is more confusing than none.
const NEAR_ENOUGH: f64 = 0.72;
const AT_MOST: usize = 3;

/// The nearest of the candidates, best first; of two equally near, the shorter and then the first in order.
pub(crate) fn nearest<'c>(
    written: &str,
    candidates: impl Iterator<Item = std::borrow::Cow<'c, str>>,
) -> Vec<String> {
    // Names are at most a few dozen letters; the cost of comparing a long text is not worth its answer.
    let written: String = written
        .chars()
        .take(80)
        .flat_map(char::to_lowercase)
        .collect();
    let mut scored: Vec<(f64, String)> = candidates
        .map(|name| (likeness(&written, &name.to_lowercase()), name.into_owned()))
        .filter(|(score, _)| *score >= NEAR_ENOUGH)
        .collect();
    scored.sort_by(|(a, x), (b, y)| b.total_cmp(a).then(x.len().cmp(&y.len())).then(x.cmp(y)));
    scored.dedup_by(|(_, x), (_, y)| x == y);
    scored
        .into_iter()
        .map(|(_, name)| name)
        .take(AT_MOST)
        .collect()
}

fn likeness(written: &str, known: &str) -> f64 {
    let whole =
        |a: &str, b: &str| normalized_damerau_levenshtein(a, b).max(jaro_winkler(a, b) - 0.1);
    match known.rsplit_once('.') {
        // `near` on an offer means `location.near`: the last name alone counts, a little less.
        Some((_, last)) if !written.contains('.') => whole(written, last) - 0.05,
        _ => whole(written, known),
    }
}
