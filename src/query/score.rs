//! How well a resource holds the words asked for: BM25 (Robertson and Walker 1994) over what a snapshot sees.
//!
//! A word counts by how rare it is among the resources that are seen, and nothing else: neither what was replaced, nor in
//! how many pieces the rest lies, nor, in a view, how much is written that the view hides.

use roaring::RoaringBitmap;
use rorqual_schema::ResourceType;

use super::criterion::{ContentQuery, Criterion, Test};
use crate::index::FormatError;
use crate::index::snapshot::{Part, Snapshot};
use crate::index::text::{Term, Way};

/// What each word of a quoted text adds to a score: as much as a fairly rare word that stands alone.
const PHRASE_WORD_WEIGHT: f32 = 4.0;
/// What a word that only begins as asked weighs beside one of the same stem.
const BEGINNING_WEIGHT: f32 = 0.8;
/// The usual constants of BM25: how soon repeats stop to count, and how much length does.
const K1: f32 = 1.2;
const B: f32 = 0.75;

/// Scores of matches, in (0,1].
#[derive(Debug, Default)]
pub struct Scores(Weights);

impl Scores {
    /// The score of a match.
    pub fn of(&self, ordinal: u32) -> Option<f32> {
        let at = self.0.binary_search_by_key(&ordinal, |row| row.0).ok()?;
        self.0.get(at).map(|row| row.1)
    }

    /// The scores of matches that are asked for in ascending order: quicker than each on its own.
    pub fn in_turn(&self) -> impl FnMut(u32) -> Option<f32> {
        let mut rest = self.0.as_slice();
        move |ordinal| {
            // Most often it is the next.
            if rest.first().is_some_and(|row| row.0 < ordinal) {
                rest = rest.get(1..).unwrap_or(&[]);
                if rest.first().is_some_and(|row| row.0 < ordinal) {
                    let before = rest.partition_point(|row| row.0 < ordinal);
                    rest = rest.get(before..).unwrap_or(&[]);
                }
            }
            rest.first().filter(|row| row.0 == ordinal).map(|row| row.1)
        }
    }
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
    let tests = match criterion {
        Criterion::And(parts) => parts.as_slice(),
        single => std::slice::from_ref(single),
    };
    let queries = tests.iter().filter_map(|part| match part {
        Criterion::Test {
            test: Test::Content(query),
            ..
        } => Some(query),
        _ => None,
    });
    let mut corpus: Option<Corpus<'_>> = None;
    let mut weights = Weights::new();
    for query in queries {
        let corpus = corpus.get_or_insert_with(|| Corpus::of(snapshot, kind));
        weights = either(weights, corpus.weigh(query)?);
    }
    let greatest = weights
        .iter()
        .map(|row| row.1)
        .fold(f32::MIN_POSITIVE, f32::max);
    for (_, weight) in &mut weights {
        *weight = (*weight / greatest).clamp(f32::MIN_POSITIVE, 1.0);
    }
    Ok(corpus.is_some().then_some(Scores(weights)))
}

/// The resources of one type that are seen.
struct Corpus<'s> {
    /// Each part, with the ordinals of its own that are not seen.
    parts: Vec<(Part<'s>, RoaringBitmap)>,
    documents: f32,
}

fn key((_, term): &(usize, Term)) -> (Way, &[u8]) {
    (term.way, &term.word)
}

/// Ordinals of a snapshot with their weights, ascending by ordinal.
type Weights = Vec<(u32, f32)>;

impl<'s> Corpus<'s> {
    fn of(snapshot: &'s Snapshot, kind: ResourceType) -> Self {
        let unseen = |part| (part, snapshot.unseen(kind, part));
        Corpus {
            parts: snapshot.parts(kind).map(unseen).collect(),
            documents: snapshot.len(kind) as f32,
        }
    }

    /// The weights of what holds all words and quoted texts.
    fn weigh(&self, query: &ContentQuery) -> Result<Weights, FormatError> {
        let mut left: Option<Weights> = None;
        for word in &query.words {
            left = Some(both(left, self.word(word)?));
        }
        for phrase in &query.phrases {
            left = Some(both(left, self.phrase(phrase)?));
        }
        Ok(left.unwrap_or_default())
    }

    fn word(&self, folded: &str) -> Result<Weights, FormatError> {
        let mut found: Vec<(usize, Term)> = Vec::new();
        for (number, (part, _)) in self.parts.iter().enumerate() {
            let terms = part.directory.text()?.terms(folded)?;
            found.extend(terms.into_iter().map(|term| (number, term)));
        }
        // A word may occur in several parts, and is as rare as in all of them together.
        if self.parts.len() > 1 {
            found.sort_by(|a, b| key(a).cmp(&key(b)));
        }
        let averages = [self.average(Way::Stem)?, self.average(Way::Beginning)?];
        let mut weights = Weights::new();
        for same in found.chunk_by(|a, b| key(a) == key(b)) {
            let (average, factor) = match same.first() {
                Some((_, term)) if term.way == Way::Stem => (averages[0], 1.0),
                _ => (averages[1], BEGINNING_WEIGHT),
            };
            let from = weights.len();
            for (number, term) in same {
                let Some((part, unseen)) = self.parts.get(*number) else {
                    continue;
                };
                for occurrence in &term.occurrences {
                    if unseen.is_empty() || !unseen.contains(occurrence.ordinal) {
                        let (repeats, length) =
                            (occurrence.repeats as f32, occurrence.length as f32);
                        let often = repeats * (K1 + 1.0)
                            / (repeats + K1 * (1.0 - B + B * length / average));
                        weights.push((part.start + occurrence.ordinal, often));
                    }
                }
            }
            let holding = (weights.len() - from) as f32;
            let rarity = ((self.documents - holding + 0.5) / (holding + 0.5) + 1.0).ln();
            for (_, weight) in weights.iter_mut().skip(from) {
                *weight *= rarity * factor;
            }
        }
        // Of several ways in which a word occurs the weightiest counts.
        // Each term's are ascending: a sort that merges runs has little to do.
        weights.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
        weights.dedup_by_key(|(ordinal, _)| *ordinal);
        Ok(weights)
    }

    fn phrase(&self, words: &[String]) -> Result<Weights, FormatError> {
        let weight = words.len() as f32 * PHRASE_WORD_WEIGHT;
        let mut weights = Weights::new();
        for (part, unseen) in &self.parts {
            let found = part.directory.text()?.phrase(words)?;
            let seen = found
                .into_iter()
                .filter(|ordinal| !unseen.contains(*ordinal));
            weights.extend(seen.map(|ordinal| (part.start + ordinal, weight)));
        }
        Ok(weights)
    }

    /// How many words a text has on average, one at least.
    fn average(&self, way: Way) -> Result<f32, FormatError> {
        let mut total = 0;
        for (part, unseen) in &self.parts {
            let text = part.directory.text()?;
            let hidden = text.length_of(way, unseen.iter())?;
            total += text.total_length(way)?.saturating_sub(hidden);
        }
        Ok((total as f32 / self.documents.max(1.0)).max(1.0))
    }
}

/// The ordinals of both lists, weights added.
fn both(left: Option<Weights>, right: Weights) -> Weights {
    let Some(left) = left else { return right };
    let mut out = Weights::with_capacity(left.len().min(right.len()));
    let mut others = right.into_iter().peekable();
    for (ordinal, weight) in left {
        while others.next_if(|(other, _)| *other < ordinal).is_some() {}
        if let Some((_, other)) = others.next_if(|(other, _)| *other == ordinal) {
            out.push((ordinal, weight + other));
        }
    }
    out
}

/// The ordinals of either list, weights added.
fn either(left: Weights, right: Weights) -> Weights {
    if left.is_empty() {
        return right;
    }
    let mut out = Weights::with_capacity(left.len() + right.len());
    let mut others = right.into_iter().peekable();
    for (ordinal, weight) in left {
        while let Some(other) = others.next_if(|(other, _)| *other < ordinal) {
            out.push(other);
        }
        let same = others.next_if(|(other, _)| *other == ordinal);
        out.push((ordinal, weight + same.map_or(0.0, |(_, other)| other)));
    }
    out.extend(others);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn ascending(rows: &BTreeMap<u32, u8>) -> Weights {
        rows.iter()
            .map(|(&ordinal, &weight)| (ordinal, f32::from(weight)))
            .collect()
    }

    proptest! {
        #[test]
        fn weights_of_two_texts_are_added(
            left in prop::collection::btree_map(0u32..60, any::<u8>(), 0..30),
            right in prop::collection::btree_map(0u32..60, any::<u8>(), 0..30),
            asked in prop::collection::btree_set(0u32..70, 0..40),
        ) {
            let sum = |ordinal: u32| match (left.get(&ordinal), right.get(&ordinal)) {
                (None, None) => None,
                (a, b) => Some([a, b].into_iter().flatten().map(|&weight| f32::from(weight)).sum::<f32>()),
            };
            let scores = Scores(either(ascending(&left), ascending(&right)));
            let mut in_turn = scores.in_turn();
            for ordinal in asked {
                prop_assert_eq!(in_turn(ordinal), sum(ordinal));
            }
            for ordinal in 0..70 {
                prop_assert_eq!(scores.of(ordinal), sum(ordinal));
            }
        }
    }
}
