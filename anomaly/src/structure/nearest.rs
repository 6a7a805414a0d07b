//! The known name nearest to one that is not known.

use strsim::normalized_damerau_levenshtein;

/// Below this a name is more confusing than none.
const NEAR_ENOUGH: f64 = 0.6;

/// The nearest of the candidates, whatever their case; of two equally near, the first in the order of the alphabet.
pub(crate) fn nearest<'c>(
    written: &str,
    candidates: impl Iterator<Item = &'c str>,
) -> Option<&'c str> {
    // Names are at most a few dozen letters; the cost of comparing a long text is not worth its answer.
    let written: String = written
        .chars()
        .take(80)
        .flat_map(char::to_lowercase)
        .collect();
    candidates
        .map(|name| {
            let likeness = normalized_damerau_levenshtein(&written, &name.to_lowercase());
            (likeness, name)
        })
        .filter(|(likeness, _)| *likeness >= NEAR_ENOUGH)
        .max_by(|(a, x), (b, y)| a.total_cmp(b).then(y.cmp(x)))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_finds_its_name_and_nonsense_finds_none() {
        let names = ["businessStatus", "status", "statusReason", "code"];
        for (written, near) in [
            ("bussinessStatus", Some("businessStatus")),
            ("STATUS", Some("status")),
            ("reasonStatus", None),
            ("xyzzy", None),
            ("", None),
        ] {
            assert_eq!(nearest(written, names.into_iter()), near, "{written}");
        }
        assert_eq!(nearest("ab", ["ac", "aa"].into_iter()), None);
        assert_eq!(nearest("abc", ["abe", "abd"].into_iter()), Some("abd"));
    }
}
