//! The nearest known name to one that is not known.

/// Below this likeness a name is more confusing than none.
const NEAR_ENOUGH: f64 = 0.72;

/// The known name nearest to the one written, when one is near.
pub(crate) fn nearest<'c>(written: &str, known: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    // A name has a few dozen letters; the cost of comparing a long text is not worth its answer.
    let written: String = written
        .chars()
        .take(120)
        .flat_map(char::to_lowercase)
        .collect();
    let likeness = |name: &str| {
        let name = name.to_lowercase();
        strsim::normalized_damerau_levenshtein(&written, &name)
            .max(strsim::jaro_winkler(&written, &name) - 0.1)
    };
    known
        .map(|name| (likeness(name), name))
        .filter(|(score, _)| *score >= NEAR_ENOUGH)
        .max_by(|(a, x), (b, y)| a.total_cmp(b).then(y.cmp(x)))
        .map(|(_, name)| name)
}

/// ` (did you mean …?)`, or nothing.
pub(crate) fn did_you_mean<'c>(written: &str, known: impl Iterator<Item = &'c str>) -> String {
    nearest(written, known).map_or_else(String::new, |name| format!(" (did you mean `{name}`?)"))
}
