//! Full-text questions: words and phrases out of the stored texts, written in another way or spoilt a little.

use super::Term;
use super::pick::Picker;
use crate::random::Random;
use crate::reference::words;

impl Picker<'_> {
    /// Words to search, mostly of the resource `at`; `None` when no word was drawn.
    pub fn content(&self, r: &mut Random, at: usize) -> Option<Term> {
        let mut parts = Vec::new();
        for _ in 0..*r.pick(&[1, 1, 1, 2, 2, 3]) {
            let kind = self.reference.resources[at].kind;
            let from = if r.chance(85) { at } else { self.any(r, kind)? };
            let runs = &self.reference.resources[from].runs;
            if runs.is_empty() {
                continue;
            }
            let run = r.pick(runs).replace('"', "");
            let tokens: Vec<&str> = run.split_whitespace().collect();
            if tokens.is_empty() {
                continue;
            }
            if r.chance(25) {
                let first = r.below(tokens.len());
                let length = 1 + r.below(tokens.len() - first);
                let mut phrase = tokens[first..first + length].join(" ");
                if r.chance(20) {
                    phrase = phrase.to_uppercase();
                }
                parts.push(format!("\"{phrase}\""));
            } else {
                let token = *r.pick(&tokens);
                parts.push(varied(r, token));
            }
        }
        let text = parts.join(" ");
        (!words(&text).is_empty()).then_some(Term::Content(text))
    }
}

fn varied(r: &mut Random, token: &str) -> String {
    let letters: Vec<char> = token.chars().collect();
    match r.below(10) {
        0 => token.to_uppercase(),
        1 => token.to_lowercase(),
        2 => format!("{token}s"),
        3 => format!("{token}x"),
        4..=6 => letters[..1 + r.below(letters.len())].iter().collect(),
        _ => token.to_owned(),
    }
}
