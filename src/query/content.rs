//! Full-text criteria: which resources hold all the words.

use super::criterion::ContentQuery;
use crate::index::FormatError;
use crate::index::text::TextIndex;

/// The ordinals in which every word and quoted text occurs, ascending.
///
/// # Errors
/// [`FormatError::Text`] when the full-text index cannot be read.
pub fn search(text: &TextIndex, query: &ContentQuery) -> Result<Vec<u32>, FormatError> {
    let mut left: Option<Vec<u32>> = None;
    let mut meet = |found: Vec<u32>| {
        left = Some(match left.take() {
            None => found,
            Some(left) => both(left, found),
        });
    };
    for word in &query.words {
        meet(text.word(word)?);
    }
    for phrase in &query.phrases {
        meet(text.phrase(phrase)?);
    }
    Ok(left.unwrap_or_default())
}

/// The ordinals of both lists, which are ascending.
fn both(mut left: Vec<u32>, right: Vec<u32>) -> Vec<u32> {
    let mut others = right.into_iter().peekable();
    left.retain(|ordinal| {
        while others.next_if(|other| other < ordinal).is_some() {}
        others.next_if_eq(ordinal).is_some()
    });
    left
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
        search(&index, &query).unwrap()
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
