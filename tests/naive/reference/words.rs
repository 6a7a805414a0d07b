//! Full text: the words of a text, and whether the words and quoted phrases asked for occur.

use super::folding::fold;
use rust_stemmers::{Algorithm, Stemmer};

/// Articles and conjunctions that lose their vowel before an apostrophe, and are no words there.
const ELIDED: &[&str] = &[
    "l", "d", "j", "m", "t", "s", "n", "c", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu", "quelqu",
];

/// A word of a stored text.
pub struct Word {
    folded: String,
    stem: String,
}

/// The words of a run of text.
pub fn read(run: &str) -> Vec<Word> {
    let words = words(run).into_iter();
    words
        .map(|folded| Word {
            stem: stem(&folded),
            folded,
        })
        .collect()
}

/// The words of a text, folded.
pub fn words(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let mut out = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        if !letters[at].is_alphanumeric() {
            at += 1;
            continue;
        }
        let start = at;
        while at < letters.len()
            && (letters[at].is_alphanumeric() || ('\u{300}'..='\u{36f}').contains(&letters[at]))
        {
            at += 1;
        }
        let folded = fold(&letters[start..at].iter().collect::<String>());
        let apostrophe = matches!(letters.get(at), Some('\'' | '\u{2019}' | '\u{2bc}'));
        if !(apostrophe && ELIDED.contains(&folded.as_str())) {
            out.push(folded);
        }
    }
    out
}

fn stem(folded: &str) -> String {
    Stemmer::create(Algorithm::French).stem(folded).into_owned()
}

/// Whether every word of the text asked for occurs in some run, and every quoted part within one run.
pub fn occurs(runs: &[Vec<Word>], asked: &str) -> bool {
    asked.split('"').enumerate().all(|(place, part)| {
        let wanted = words(part);
        if place % 2 == 1 {
            wanted.is_empty() || runs.iter().any(|run| has_phrase(run, &wanted))
        } else {
            wanted.iter().all(|word| has_word(runs, word))
        }
    })
}

fn has_phrase(run: &[Word], wanted: &[String]) -> bool {
    run.windows(wanted.len()).any(|window| {
        let mut pairs = window.iter().zip(wanted);
        pairs.all(|(word, wanted)| word.folded == *wanted)
    })
}

fn has_word(runs: &[Vec<Word>], wanted: &str) -> bool {
    let long = wanted.chars().count() >= 3;
    let all = || runs.iter().flatten();
    if long && all().any(|word| word.folded.starts_with(wanted)) {
        return true;
    }
    let stem = stem(wanted);
    all().any(|word| word.stem == stem)
}

#[cfg(test)]
mod tests {
    use super::{occurs, read, words};

    #[test]
    fn words_are_found_by_stem_by_beginning_and_by_phrase() {
        assert_eq!(
            words("L\u{2019}Œuvre d'Évreux, aujourd'hui"),
            ["oeuvre", "evreux", "aujourd", "hui"]
        );
        let runs = [read("Unité de soins intensifs"), read("Cardiologie")];
        for found in ["soin", "INTENS cardio", "\"de soins\" unités", "\"\" unité"] {
            assert!(occurs(&runs, found), "{found}");
        }
        for missed in [
            "so",
            "chirurgie",
            "\"soin\"",
            "\"intensifs cardiologie\"",
            "ca",
        ] {
            assert!(!occurs(&runs, missed), "{missed}");
        }
    }
}
