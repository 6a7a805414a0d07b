//! Full text made from other full texts: the documents of a generation that stay and those that are new, without a word
//! being read again.
//!
//! Each term's occurrences are taken from every source, renumbered and written in order, through the same serializers of
//! tantivy that a build uses.

use std::path::Path;

use tantivy::columnar::ColumnarWriter;
use tantivy::directory::{FileSlice, TerminatingWrite as _};
use tantivy::fieldnorm::{FieldNormReader, FieldNormsSerializer};
use tantivy::index::{IndexMeta, SegmentComponent};
use tantivy::postings::{FieldSerializer, InvertedIndexSerializer, Postings as _};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::store::StoreWriter;
use tantivy::termdict::TermStreamer;
use tantivy::{
    Directory as _, DocSet as _, Index, InvertedIndexReader, SegmentReader, TERMINATED,
    TantivyDocument, TantivyError,
};

use super::FormatError;
use super::text::{TextIndex, schema, unwritten};

/// Some documents of a new full text.
pub struct TextSource<'a> {
    /// Where they are.
    pub text: &'a TextIndex,
    /// The ordinal of each in the new full text, `u32::MAX` for one that is left out.
    pub places: &'a [u32],
}

impl TextSource<'_> {
    fn place(&self, document: u32) -> Option<u32> {
        let place = self.places.get(document as usize).copied();
        place.filter(|&place| place != u32::MAX)
    }
}

/// Writes into `path` the full text of `count` resources, each of which is in one of the sources.
///
/// # Errors
/// [`FormatError::Io`], [`FormatError::Text`].
pub fn merge(path: &Path, sources: &[TextSource<'_>], count: u32) -> Result<(), FormatError> {
    std::fs::create_dir_all(path).map_err(|source| FormatError::io(path, source))?;
    write(path, sources, count).map_err(|error| unwritten(path, &error))
}

fn write(path: &Path, sources: &[TextSource<'_>], count: u32) -> Result<(), TantivyError> {
    let (schema, word, stem) = schema();
    let index = Index::create_in_dir(path, schema.clone())?;
    let segment = index.new_segment().with_max_doc(count);
    let mut norms =
        FieldNormsSerializer::from_write(segment.open_write(SegmentComponent::FieldNorms)?)?;
    let mut serializer = InvertedIndexSerializer::open(&segment)?;
    for (field, positions) in [(word, true), (stem, false)] {
        let mut lengths = vec![0u8; count as usize];
        let mut readers = Vec::new();
        for source in sources {
            for segment in source.text.segments() {
                copy_lengths(source, segment, field, &mut lengths)?;
                readers.push((source, segment.inverted_index(field)?));
            }
        }
        norms.serialize_field(field, &lengths)?;
        let lengths = FieldNormReader::open(FileSlice::from(lengths))?;
        let mut tokens = 0;
        for (source, reader) in &readers {
            tokens += tokens_kept(source, reader)?;
        }
        if tokens == 0 {
            // A field without a word is left out, as a build leaves it out.
            continue;
        }
        let mut out = serializer.new_field(field, tokens, Some(lengths))?;
        write_terms(&readers, positions, &mut out)?;
        out.close()?;
    }
    serializer.close()?;
    norms.close()?;
    // Nothing is stored and there are no columns, but a segment has both files.
    let mut columns = segment.open_write(SegmentComponent::FastFields)?;
    ColumnarWriter::default().serialize(count, None, &mut columns)?;
    columns.terminate()?;
    let settings = index.settings();
    let (compression, block) = (settings.docstore_compression, settings.docstore_blocksize);
    let store = segment.open_write(SegmentComponent::Store)?;
    let mut store = StoreWriter::new(store, compression, block, false)?;
    let nothing = TantivyDocument::default();
    for _ in 0..count {
        store.store(&nothing, &schema)?;
    }
    store.close()?;
    let meta = IndexMeta {
        segments: vec![segment.meta().clone()],
        ..index.load_metas()?
    };
    let meta = serde_json::to_vec_pretty(&meta)
        .map_err(|error| TantivyError::InternalError(error.to_string()))?;
    // The name under which tantivy keeps it.
    index
        .directory()
        .atomic_write(Path::new("meta.json"), &meta)?;
    Ok(())
}

/// Takes over the lengths of a source's documents.
fn copy_lengths(
    source: &TextSource<'_>,
    segment: &SegmentReader,
    field: Field,
    lengths: &mut [u8],
) -> Result<(), TantivyError> {
    let known = segment.get_fieldnorms_reader(field)?;
    for document in 0..segment.max_doc() {
        let place = source.place(document);
        if let Some(length) = place.and_then(|place| lengths.get_mut(place as usize)) {
            *length = known.fieldnorm_id(document);
        }
    }
    Ok(())
}

/// How many words the documents that stay have: lengths are kept rounded, so the occurrences are counted.
fn tokens_kept(source: &TextSource<'_>, reader: &InvertedIndexReader) -> Result<u64, TantivyError> {
    if source.places.iter().all(|&place| place != u32::MAX) {
        return Ok(reader.total_num_tokens());
    }
    let mut tokens = 0;
    let mut terms = reader.terms().stream()?;
    while terms.advance() {
        let mut found =
            reader.read_postings_from_terminfo(terms.value(), IndexRecordOption::WithFreqs)?;
        while found.doc() != TERMINATED {
            if source.place(found.doc()).is_some() {
                tokens += u64::from(found.term_freq());
            }
            found.advance();
        }
    }
    Ok(tokens)
}

/// One document that holds the present term.
#[derive(Clone, Copy)]
struct Occurrence {
    ordinal: u32,
    repeats: u32,
    /// Where its positions start, when they are kept.
    start: u32,
}

/// Writes every term that some document still holds.
fn write_terms(
    readers: &[(&TextSource<'_>, std::sync::Arc<InvertedIndexReader>)],
    positions: bool,
    out: &mut FieldSerializer<'_>,
) -> Result<(), TantivyError> {
    let option = match positions {
        true => IndexRecordOption::WithFreqsAndPositions,
        false => IndexRecordOption::WithFreqs,
    };
    let mut streams: Vec<(TermStreamer<'_>, bool)> = Vec::new();
    for (_, reader) in readers {
        let mut stream = reader.terms().stream()?;
        let more = stream.advance();
        streams.push((stream, more));
    }
    let (mut term, mut places) = (Vec::new(), Vec::new());
    let mut found: Vec<Occurrence> = Vec::new();
    loop {
        let live = streams.iter().filter(|(_, more)| *more);
        let Some(least) = live.map(|(stream, _)| stream.key()).min() else {
            return Ok(());
        };
        term.clear();
        term.extend_from_slice(least);
        found.clear();
        places.clear();
        for ((stream, more), (source, reader)) in streams.iter_mut().zip(readers) {
            if !*more || stream.key() != term {
                continue;
            }
            let mut postings = reader.read_postings_from_terminfo(stream.value(), option)?;
            while postings.doc() != TERMINATED {
                if let Some(ordinal) = source.place(postings.doc()) {
                    found.push(Occurrence {
                        ordinal,
                        repeats: postings.term_freq(),
                        start: places.len() as u32,
                    });
                    if positions {
                        let start = places.len();
                        postings.append_positions_with_offset(0, &mut places);
                        to_steps(&mut places[start..]);
                    }
                }
                postings.advance();
            }
            *more = stream.advance();
        }
        if found.is_empty() {
            continue;
        }
        if !found.is_sorted_by_key(|one| one.ordinal) {
            found.sort_unstable_by_key(|one| one.ordinal);
        }
        out.new_term(&term, found.len() as u32, true)?;
        for one in &found {
            let own = match positions {
                true => &places[one.start as usize..(one.start + one.repeats) as usize],
                false => &[],
            };
            out.write_doc(one.ordinal, one.repeats, own);
        }
        out.close_term()?;
    }
}

/// Ascending positions become the steps between them.
fn to_steps(positions: &mut [u32]) {
    let mut before = 0;
    for position in positions {
        let here = *position;
        *position = here - before;
        before = here;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::index::text::TextWriter;

    fn index(texts: &[&String]) -> TextIndex {
        let mut writer = TextWriter::in_memory().unwrap();
        for text in texts {
            writer.push(text).unwrap();
        }
        writer.into_index().unwrap()
    }

    fn text() -> impl Strategy<Value = String> {
        let word = proptest::sample::select(vec![
            "soin",
            "soins",
            "urgence",
            "urgences",
            "nuit",
            "pédiatrie",
            "accueil",
            "\u{1e}",
        ]);
        proptest::collection::vec(word, 0..12).prop_map(|words| words.join(" "))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Documents of two full texts, shuffled, some left out, are found as if they had been written in that order.
        #[test]
        fn a_merged_text_answers_as_one_written_at_once(
            texts in proptest::collection::vec((text(), 0u8..3, any::<u32>()), 0..150),
        ) {
            let (mut parts, mut places) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
            let mut order: Vec<usize> = (0..texts.len()).filter(|&at| texts[at].1 != 2).collect();
            order.sort_by_key(|&at| texts[at].2);
            for (at, (text, part, _)) in texts.iter().enumerate() {
                // Some of the first source are left out.
                let part = usize::from(*part % 2);
                let place = order.iter().position(|&other| other == at);
                parts[part].push(text);
                places[part].push(place.map_or(u32::MAX, |place| place as u32));
            }
            let sources = [index(&parts[0]), index(&parts[1])];
            let sources: Vec<_> = sources
                .iter()
                .zip(&places)
                .map(|(text, places)| TextSource { text, places })
                .collect();
            let dir = tempfile::tempdir().unwrap();
            merge(dir.path(), &sources, order.len() as u32).unwrap();
            let merged = TextIndex::open(dir.path()).unwrap();
            let at_once: Vec<&String> = order.iter().map(|&at| &texts[at].0).collect();
            let at_once = index(&at_once);
            prop_assert_eq!(merged.len(), at_once.len());
            for word in ["soin", "urgences", "nui", "pediatrie", "accueil", "absent"] {
                prop_assert_eq!(merged.word(word).unwrap(), at_once.word(word).unwrap());
            }
            for phrase in [["soin", "soins"], ["urgence", "nuit"], ["nuit", "nuit"]] {
                let phrase = phrase.map(str::to_owned);
                prop_assert_eq!(merged.phrase(&phrase).unwrap(), at_once.phrase(&phrase).unwrap());
            }
        }
    }
}
