//! The nearest of some known names to one that was written.

/// The known name fewest edits away from `written`, letters compared without case; `None` when even
/// that one is too far to have been meant (more than a quarter of its length, or 2).
pub(super) fn nearest<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // A long text is nobody's slip, and its distance would cost.
    if written.len() > 64 {
        return None;
    }
    known
        .into_iter()
        .map(|name| (distance(written, name), name))
        .filter(|(edits, name)| *edits <= (name.len() / 4).max(2))
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, name)| name)
}

/// Number of letters to insert, delete or replace to go from `a` to `b`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().flat_map(char::to_lowercase).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().flat_map(char::to_lowercase).enumerate() {
        let mut diagonal = i;
        let mut before = i + 1;
        if let Some(first) = row.first_mut() {
            *first = before;
        }
        for (cell, right) in row.iter_mut().skip(1).zip(&b) {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = *cell;
            before = replaced.min(diagonal + 1).min(before + 1);
            *cell = before;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_levenshtein() {
        for (a, b, edits) in [
            ("", "", 0),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("Été", "été", 0),
            ("ab", "ba", 2),
        ] {
            assert_eq!(distance(a, b), edits, "{a} {b}");
            assert_eq!(distance(b, a), edits, "{b} {a}");
        }
    }

    #[test]
    fn slips_find_their_name_and_strangers_none() {
        let known = ["HealthcareService", "Location", "Task"];
        assert_eq!(
            nearest("Healthcareservice", known),
            Some("HealthcareService")
        );
        assert_eq!(
            nearest("HealthCareServices", known),
            Some("HealthcareService")
        );
        assert_eq!(nearest("locations", known), Some("Location"));
        assert_eq!(nearest("Immunization", known), None);
    }
}
