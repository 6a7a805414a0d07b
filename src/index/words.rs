//! The words of human text: what one is, how it is folded, and its French stem.
//!
//! Elided articles (`l'`, `d'`, `qu'`…) are not words.

use std::collections::HashMap;

use ahash::RandomState;
use rorqual_schema::fold;
use rust_stemmers::{Algorithm, Stemmer};
use tantivy::tokenizer::Token;

/// What separates two runs of text, so that a phrase never spans both.
pub const RUN_SEPARATOR: char = '\u{1e}';

/// How far apart the words before and after a [`RUN_SEPARATOR`] stand: wider than any phrase step.
const RUN_GAP: usize = 100;

/// Elided forms that may stand before an apostrophe and are not words of their own.
const ELIDED: [&str; 14] = [
    "l", "d", "j", "m", "t", "s", "n", "c", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu", "quelqu",
];

/// A piece of a text.
enum Scanned<'t> {
    /// A word as written, and whether an apostrophe follows.
    Word(&'t str, bool),
    /// The end of a run.
    Gap,
}

/// Cuts a text into words as written.
fn scan<'t>(text: &'t str, mut visit: impl FnMut(Scanned<'t>)) {
    let mut rest = text;
    while let Some(start) =
        rest.find(|character: char| is_letter(character) || character == RUN_SEPARATOR)
    {
        rest = &rest[start..];
        if let Some(after) = rest.strip_prefix(RUN_SEPARATOR) {
            visit(Scanned::Gap);
            rest = after;
            continue;
        }
        let end = rest
            .find(|character: char| !is_word_part(character))
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        let apostrophe = after.starts_with(['\'', '\u{2019}', '\u{02bc}']);
        visit(Scanned::Word(word, apostrophe));
    }
}

/// Letters and digits.
fn is_letter(character: char) -> bool {
    match character.is_ascii() {
        true => character.is_ascii_alphanumeric(),
        false => character.is_alphanumeric(),
    }
}

/// Letters, digits and the combining marks that belong to the letter before them.
fn is_word_part(character: char) -> bool {
    is_letter(character) || ('\u{300}'..='\u{36f}').contains(&character)
}

/// The words of a text, folded, each with its position.
pub fn words(text: &str, mut visit: impl FnMut(usize, &str)) {
    let mut position = 0;
    scan(text, |piece| match piece {
        Scanned::Gap => position += RUN_GAP,
        Scanned::Word(word, apostrophe) => {
            let folded = fold(word);
            if apostrophe && ELIDED.contains(&folded.as_str()) {
                return;
            }
            for part in parts(&folded) {
                visit(position, part);
                position += 1;
            }
        }
    });
}

/// The words of a folded word: folding may open a ligature or a symbol into several, or leave none.
fn parts(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(' ').filter(|part| !part.is_empty())
}

/// The French stem of a folded word.
pub fn stem(stemmer: &Stemmer, folded: &str) -> String {
    stemmer.stem(folded).into_owned()
}

/// The stemmer of French.
pub fn french() -> Stemmer {
    Stemmer::create(Algorithm::French)
}

/// How many spellings a [`Lexicon`] remembers: several times what a national directory writes, some 40 MB.
const REMEMBERED: usize = 1 << 18;

/// What spellings come to. Directories repeat their words: each is folded and stemmed when it is first met.
pub struct Lexicon {
    stemmer: Stemmer,
    known: HashMap<Box<str>, Spelling, RandomState>,
    parts: Vec<Part>,
    most: usize,
}

/// What one word as written comes to.
#[derive(Clone, Copy)]
struct Spelling {
    /// Its parts, from `first` on.
    first: u32,
    count: u32,
    /// Whether it is no word before an apostrophe.
    elided: bool,
}

/// A word as the full text takes it.
pub struct Part {
    /// It, folded.
    pub word: Token,
    /// Its stem.
    pub stem: Token,
}

impl Default for Lexicon {
    fn default() -> Lexicon {
        Lexicon::remembering(REMEMBERED)
    }
}

impl Lexicon {
    /// A lexicon that forgets everything before it knows more than `most` spellings at the start of a text.
    fn remembering(most: usize) -> Lexicon {
        Lexicon {
            stemmer: french(),
            known: HashMap::default(),
            parts: Vec::new(),
            most,
        }
    }

    /// Replaces `found` by the words of a text: each its position and its number for [`Lexicon::part`], which holds until
    /// the next text.
    pub fn read(&mut self, text: &str, found: &mut Vec<(usize, u32)>) {
        found.clear();
        if self.known.len() > self.most {
            self.known.clear();
            self.parts.clear();
        }
        let mut position = 0;
        scan(text, |piece| match piece {
            Scanned::Gap => position += RUN_GAP,
            Scanned::Word(word, apostrophe) => {
                let spelling = match self.known.get(word) {
                    Some(spelling) => *spelling,
                    None => self.learn(word),
                };
                if apostrophe && spelling.elided {
                    return;
                }
                for number in spelling.first..spelling.first + spelling.count {
                    found.push((position, number));
                    position += 1;
                }
            }
        });
    }

    fn learn(&mut self, word: &str) -> Spelling {
        let folded = fold(word);
        let first = self.parts.len();
        for part in parts(&folded) {
            self.parts.push(Part {
                word: token(part.to_owned()),
                stem: token(stem(&self.stemmer, part)),
            });
        }
        let spelling = Spelling {
            first: first as u32,
            count: (self.parts.len() - first) as u32,
            elided: ELIDED.contains(&folded.as_str()),
        };
        self.known.insert(word.into(), spelling);
        spelling
    }

    /// A word by its number.
    pub fn part(&self, number: u32) -> Option<&Part> {
        self.parts.get(number as usize)
    }

    /// A word by its number, whose tokens may be placed.
    pub fn part_mut(&mut self, number: u32) -> Option<&mut Part> {
        self.parts.get_mut(number as usize)
    }
}

fn token(text: String) -> Token {
    Token {
        offset_to: text.len(),
        text,
        ..Token::default()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn collect(text: &str) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        words(text, |position, word| {
            found.push((position, word.to_owned()))
        });
        found
    }

    #[test]
    fn articles_before_an_apostrophe_are_not_words() {
        let texts: Vec<String> = collect("L\u{2019}hôpital d'Évreux, aujourd'hui")
            .into_iter()
            .map(|word| word.1)
            .collect();
        assert_eq!(texts, ["hopital", "evreux", "aujourd", "hui"]);
    }

    #[test]
    fn runs_of_text_are_far_apart() {
        assert_eq!(
            collect("un deux\u{1e}trois"),
            [(0, "un".into()), (1, "deux".into()), (102, "trois".into())]
        );
    }

    /// Texts of words that repeat, elide, fold into several or into none, joined by what joins words.
    fn text() -> impl Strategy<Value = String> {
        let word = prop_oneof![
            proptest::sample::select(vec![
                "l",
                "L",
                "d",
                "Qu",
                "quelqu",
                "hôpital",
                "HÔPITAL",
                "œuvre",
                "½",
                "ﬁn",
                "№",
                "cardiologies",
                "cardiologie",
                "e\u{301}te\u{301}",
                "\u{301}",
                "ß",
                "20",
                "Évreux",
            ])
            .prop_map(str::to_owned),
            "\\PC{0,6}",
        ];
        let between = proptest::sample::select(vec!["'", "\u{2019}", " ", ", ", "-", "\u{1e}", ""]);
        proptest::collection::vec((word, between), 0..30).prop_map(|pieces| {
            pieces.into_iter().fold(String::new(), |mut text, piece| {
                text.push_str(&piece.0);
                text.push_str(piece.1);
                text
            })
        })
    }

    proptest! {
        /// Whatever a lexicon has met before, and however little it remembers, it finds what reading anew finds.
        #[test]
        fn what_is_remembered_is_what_is_read_anew(
            texts in proptest::collection::vec(text(), 1..6),
            most in 0usize..20,
        ) {
            let mut lexicon = Lexicon::remembering(most);
            let mut found = Vec::new();
            for text in &texts {
                lexicon.read(text, &mut found);
                let known: Vec<_> = found
                    .iter()
                    .map(|&(position, number)| {
                        let part = lexicon.part(number).unwrap();
                        (position, part.word.text.clone(), part.stem.text.clone())
                    })
                    .collect();
                let anew: Vec<_> = collect(text)
                    .into_iter()
                    .map(|(position, word)| {
                        let stem = stem(&french(), &word);
                        (position, word, stem)
                    })
                    .collect();
                prop_assert_eq!(known, anew);
            }
        }
    }
}
