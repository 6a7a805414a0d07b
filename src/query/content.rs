//! Full-text criteria: which resources hold all the words, and how well.

use std::collections::HashMap;

use rorqual_schema::ResourceType;

use super::criterion::{ContentQuery, Criterion, Test};
use super::order::Scores;
use crate::index::FormatError;
use crate::index::snapshot::Snapshot;
use crate::index::text::TextIndex;

/// What each word of a quoted text adds to a score: as much as a fairly rare word that stands alone.
const PHRASE_WORD_WEIGHT: f32 = 4.0;

/// The ordinals in which every word and quoted text occurs, with the sum of their weights, ascending by ordinal.
///
/// # Errors
/// [`FormatError::Text`] when the full-text index cannot be read.
pub fn search(text: &TextIndex, query: &ContentQuery) -> Result<Vec<(u32, f32)>, FormatError> {
    let mut left: Option<Vec<(u32, f32)>> = None;
    for word in &query.words {
        left = Some(both(left, text.word(word)?));
    }
    for phrase in &query.phrases {
        let weight = phrase.len() as f32 * PHRASE_WORD_WEIGHT;
        let found = text
            .phrase(phrase)?
            .into_iter()
            .map(|ordinal| (ordinal, weight))
            .collect();
        left = Some(both(left, found));
    }
    Ok(left.unwrap_or_default())
}

/// The ordinals of both lists, weights added.
fn both(left: Option<Vec<(u32, f32)>>, right: Vec<(u32, f32)>) -> Vec<(u32, f32)> {
    let Some(left) = left else { return right };
    let mut out = Vec::with_capacity(left.len().min(right.len()));
    let mut others = right.into_iter().peekable();
    for (ordinal, weight) in left {
        while others.next_if(|(other, _)| *other < ordinal).is_some() {}
        if let Some((_, other)) = others.next_if(|(other, _)| *other == ordinal) {
            out.push((ordinal, weight + other));
        }
    }
    out
}

/// Scores of the full-text criteria that stand at the top of a search: weights over the greatest one, so in (0,1].
///
/// # Errors
/// [`FormatError::Text`] when the full-text index cannot be read.
pub fn scores(
    snapshot: &Snapshot,
    kind: ResourceType,
    criterion: &Criterion,
) -> Result<Option<Scores>, FormatError> {
    let parts = match criterion {
        Criterion::And(parts) => parts.as_slice(),
        single => std::slice::from_ref(single),
    };
    let mut weights: HashMap<u32, f32, ahash::RandomState> = HashMap::default();
    let mut any = false;
    for part in parts {
        if let Criterion::Test {
            test: Test::Content(query),
            ..
        } = part
        {
            any = true;
            for part in snapshot.parts(kind) {
                for (ordinal, weight) in search(part.directory.text()?, query)? {
                    let ordinal = part.start + ordinal;
                    if snapshot.sees(kind, ordinal) {
                        *weights.entry(ordinal).or_default() += weight;
                    }
                }
            }
        }
    }
    let greatest = weights.values().copied().fold(f32::MIN_POSITIVE, f32::max);
    weights
        .values_mut()
        .for_each(|weight| *weight = (*weight / greatest).clamp(f32::MIN_POSITIVE, 1.0));
    Ok(any.then_some(weights))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::text::TextWriter;

    fn ordinals(query: ContentQuery) -> Vec<u32> {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = TextWriter::create(dir.path()).unwrap();
        for text in [
            "Consultation de cardiologie",
            "Unité de soins intensifs cardiologiques de l\u{2019}hôpital",
            "Chirurgie du c\u{153}ur",
            "Soins de suite\u{1e}intensifs",
        ] {
            writer.push(text).unwrap();
        }
        writer.finish().unwrap();
        let index = TextIndex::open(dir.path()).unwrap();
        search(&index, &query)
            .unwrap()
            .into_iter()
            .map(|hit| hit.0)
            .collect()
    }

    fn words(words: &[&str]) -> ContentQuery {
        ContentQuery {
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            phrases: Vec::new(),
        }
    }

    #[test]
    fn every_word_must_occur_as_a_stem_or_a_beginning() {
        assert_eq!(ordinals(words(&["cardio"])), [0, 1]);
        // Cardiologie and cardiologique have one stem; a cardiopathie is another word, and begins none of these.
        assert_eq!(ordinals(words(&["cardiologique"])), [0, 1]);
        assert_eq!(ordinals(words(&["cardiopathie"])), Vec::<u32>::new());
        assert_eq!(ordinals(words(&["soin", "hopitaux"])), [1]);
        assert_eq!(ordinals(words(&["coeur"])), [2]);
        assert_eq!(ordinals(words(&["ca"])), Vec::<u32>::new());
    }

    #[test]
    fn a_quoted_text_stands_word_for_word_in_one_run() {
        let phrase = |text: &[&str]| ContentQuery {
            words: Vec::new(),
            phrases: vec![words(text).words],
        };
        assert_eq!(ordinals(phrase(&["soins", "intensifs"])), [1]);
        assert_eq!(ordinals(phrase(&["cardiologie"])), [0]);
    }
}
