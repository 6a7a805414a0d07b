//! Full text: one tantivy segment per resource type, whose DocId is our ordinal.
//!
//! Two fields hold every word of the human text: `word`, folded, with positions (prefixes and phrases), and
//! `stem`, its French stem (whole words).

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tantivy::collector::DocSetCollector;
use tantivy::directory::error::OpenWriteError;
use tantivy::directory::{MmapDirectory, RamDirectory};
use tantivy::postings::{Postings as _, TermInfo};
use tantivy::query::{PhraseQuery, TermQuery};
use tantivy::schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{Token, TokenStream, Tokenizer, TokenizerManager};
use tantivy::{
    DocSet as _, Index, IndexSettings, InvertedIndexReader, ReloadPolicy, Searcher, SegmentReader,
    SingleSegmentIndexWriter, TERMINATED, TantivyDocument, TantivyError,
};

use super::generation::sync_directory;
use super::manifest::FileRecord;
use super::read_only::ReadOnlyDirectory;
use super::words::{Lexicon, french, stem};
use super::{FormatError, checksum_file};

const WORD: &str = "word";
const STEM: &str = "stem";

/// One text and its words, on their way into both fields.
#[derive(Default)]
struct Reading {
    lexicon: Lexicon,
    /// Position and number in the lexicon of each word.
    words: Vec<(usize, u32)>,
}

/// The tokenizer of one field: hands out what the writer has read, once for both fields.
#[derive(Clone)]
struct French {
    stemmed: bool,
    reading: Arc<Mutex<Reading>>,
}

struct Tokens<'a> {
    stemmed: bool,
    reading: MutexGuard<'a, Reading>,
    next: usize,
    /// The present word in the lexicon.
    number: u32,
    /// What stands for a word before there is one.
    none: Token,
}

impl Tokenizer for French {
    type TokenStream<'a> = Tokens<'a>;

    /// The text given is empty: its words are in the reading already.
    fn token_stream<'a>(&'a mut self, _: &'a str) -> Tokens<'a> {
        Tokens {
            stemmed: self.stemmed,
            reading: lock(&self.reading),
            next: 0,
            number: u32::MAX,
            none: Token::default(),
        }
    }
}

fn lock(reading: &Mutex<Reading>) -> MutexGuard<'_, Reading> {
    reading.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Words are handed out where they lie in the lexicon: nothing is copied.
impl TokenStream for Tokens<'_> {
    fn advance(&mut self) -> bool {
        let Some(&(position, number)) = self.reading.words.get(self.next) else {
            return false;
        };
        self.next += 1;
        self.number = number;
        self.token_mut().position = position;
        true
    }

    fn token(&self) -> &Token {
        match (self.reading.lexicon.part(self.number), self.stemmed) {
            (Some(part), true) => &part.stem,
            (Some(part), false) => &part.word,
            (None, _) => &self.none,
        }
    }

    fn token_mut(&mut self) -> &mut Token {
        match (self.reading.lexicon.part_mut(self.number), self.stemmed) {
            (Some(part), true) => &mut part.stem,
            (Some(part), false) => &mut part.word,
            (None, _) => &mut self.none,
        }
    }
}

/// The fields: `word`, then `stem`.
pub(super) fn schema() -> (Schema, Field, Field) {
    let mut builder = Schema::builder();
    let field = |name: &str, option| {
        TextOptions::default().set_indexing_options(
            TextFieldIndexing::default()
                .set_tokenizer(name)
                .set_index_option(option)
                .set_fieldnorms(true),
        )
    };
    let word = builder.add_text_field(WORD, field(WORD, IndexRecordOption::WithFreqsAndPositions));
    let stem = builder.add_text_field(STEM, field(STEM, IndexRecordOption::WithFreqs));
    (builder.build(), word, stem)
}

/// The tokenizers of both fields over one reading.
fn tokenizers(reading: &Arc<Mutex<Reading>>) -> TokenizerManager {
    let tokenizers = TokenizerManager::default();
    for (name, stemmed) in [(WORD, false), (STEM, true)] {
        let reading = reading.clone();
        tokenizers.register(name, French { stemmed, reading });
    }
    tokenizers
}

/// Writes the full text of one type, resource after resource in ordinal order.
pub struct TextWriter {
    path: PathBuf,
    writer: SingleSegmentIndexWriter,
    reading: Arc<Mutex<Reading>>,
    word: Field,
    stem: Field,
}

impl TextWriter {
    /// Creates the folder.
    ///
    /// # Errors
    /// [`FormatError::Io`], [`FormatError::Text`].
    pub fn create(path: &Path) -> Result<TextWriter, FormatError> {
        /// Memory that tantivy may use before it would have to split the segment: never reached here, since a
        /// single-segment writer keeps postings compressed.
        const BUDGET: usize = 1 << 30;
        std::fs::create_dir_all(path).map_err(|source| FormatError::io(path, source))?;
        let directory = MmapDirectory::open(path).map_err(|error| FormatError::Text {
            path: path.to_owned(),
            detail: error.to_string(),
        })?;
        TextWriter::over(directory, path, BUDGET)
    }

    /// A segment that is never a file.
    ///
    /// # Errors
    /// [`FormatError::Text`].
    pub fn in_memory() -> Result<TextWriter, FormatError> {
        /// The least that tantivy takes: its tables are sized by it, and these segments are small.
        const BUDGET: usize = 15_000_000;
        TextWriter::over(RamDirectory::create(), Path::new("memory"), BUDGET)
    }

    fn over(
        directory: impl Into<Box<dyn tantivy::Directory>>,
        path: &Path,
        budget: usize,
    ) -> Result<TextWriter, FormatError> {
        let (schema, word, stem) = schema();
        let failed = |error| unwritten(path, &error);
        // The tokenizers must be known before the segment writer looks them up.
        let reading = Arc::default();
        let writer = Index::builder()
            .schema(schema)
            .settings(IndexSettings::default())
            .tokenizers(tokenizers(&reading))
            .single_segment_index_writer(directory, budget)
            .map_err(failed)?;
        Ok(TextWriter {
            path: path.to_owned(),
            writer,
            reading,
            word,
            stem,
        })
    }

    /// Adds the text of the next ordinal: runs joined by [`RUN_SEPARATOR`].
    ///
    /// # Errors
    /// [`FormatError::Io`], [`FormatError::Text`].
    pub fn push(&mut self, text: &str) -> Result<(), FormatError> {
        {
            // Let go before the segment asks for the words.
            let mut reading = lock(&self.reading);
            let Reading { lexicon, words } = &mut *reading;
            lexicon.read(text, words);
        }
        let mut document = TantivyDocument::default();
        document.add_text(self.word, "");
        document.add_text(self.stem, "");
        self.writer
            .add_document(document)
            .map_err(|error| unwritten(&self.path, &error))
    }

    /// Bytes of memory that the segment takes until it is written.
    pub fn weight(&self) -> usize {
        self.writer.mem_usage()
    }

    /// Writes the segment.
    ///
    /// # Errors
    /// [`FormatError::Io`], [`FormatError::Text`].
    pub fn finish(self) -> Result<(), FormatError> {
        self.writer
            .finalize()
            .map(drop)
            .map_err(|error| unwritten(&self.path, &error))
    }
}

impl TextWriter {
    /// Ends a segment in memory and opens it.
    ///
    /// # Errors
    /// [`FormatError::Text`].
    pub fn into_index(self) -> Result<TextIndex, FormatError> {
        let index = self
            .writer
            .finalize()
            .map_err(|error| unwritten(&self.path, &error))?;
        TextIndex::of(index, &self.path)
    }
}

/// Syncs the files of a finished full-text folder and answers the record of each by name, without the locks that
/// tantivy leaves.
///
/// # Errors
/// [`FormatError::Io`].
pub fn seal_folder(folder: &Path) -> Result<Vec<(String, FileRecord)>, FormatError> {
    let io = |source| FormatError::io(folder, source);
    let mut records = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        let path = entry.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "lock")
        {
            std::fs::remove_file(&path).map_err(io)?;
            continue;
        }
        std::fs::File::open(&path)
            .and_then(|file| file.sync_all())
            .map_err(|source| FormatError::io(&path, source))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        records.push((name, checksum_file(&path)?));
    }
    sync_directory(folder)?;
    records.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(records)
}

/// Why text could not be written; what the system refused keeps its kind, so that a full disk is told as such.
pub(super) fn unwritten(path: &Path, error: &TantivyError) -> FormatError {
    match error {
        TantivyError::IoError(source)
        | TantivyError::OpenWriteError(OpenWriteError::IoError {
            io_error: source, ..
        }) => FormatError::io(path, std::io::Error::new(source.kind(), error.to_string())),
        // Some failures reach tantivy's errors as text only; the system's number is still in it.
        other => match system_error(&other.to_string()) {
            Some(source) => FormatError::io(path, source),
            None => FormatError::Text {
                path: path.to_owned(),
                detail: other.to_string(),
            },
        },
    }
}

/// The system's error that a text quotes as Rust prints it: `… (os error 28)`.
fn system_error(text: &str) -> Option<std::io::Error> {
    let (_, number) = text.rsplit_once("(os error ")?;
    let number = number.split(')').next()?.parse().ok()?;
    Some(std::io::Error::from_raw_os_error(number))
}

/// How a word of a text is what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// It has the same stem.
    Stem,
    /// It begins like that.
    Beginning,
}

/// An indexed word, and where it occurs.
#[derive(Debug)]
pub struct Term {
    /// Why it was found.
    pub way: Way,
    /// The word, or the stem, in UTF-8.
    pub word: Vec<u8>,
    /// Its occurrences, ascending by ordinal.
    pub occurrences: Vec<Occurrence>,
}

/// A word in the text of one resource.
#[derive(Clone, Copy, Debug)]
pub struct Occurrence {
    /// The resource.
    pub ordinal: u32,
    /// How often it is there.
    pub repeats: u32,
    /// How many words the whole text has: exact up to 40, rounded down to three significant bits beyond.
    pub length: u32,
}

type Visit<'v> = dyn FnMut(Way, &[u8], &SegmentReader, &InvertedIndexReader, &TermInfo) -> Result<(), FormatError>
    + 'v;

/// Opened full text of one type.
pub struct TextIndex {
    searcher: Searcher,
    word: Field,
    stem: Field,
    /// Sums of lengths, once they were asked for.
    word_total: OnceLock<u64>,
    stem_total: OnceLock<u64>,
}

impl TextIndex {
    /// Opens what [`TextWriter`] wrote.
    ///
    /// # Errors
    /// [`FormatError::Damaged`].
    pub fn open(path: &Path) -> Result<TextIndex, FormatError> {
        let failed = |error: TantivyError| FormatError::Damaged {
            path: path.to_owned(),
            detail: error.to_string(),
        };
        let directory = MmapDirectory::open(path).map_err(|error| FormatError::Damaged {
            path: path.to_owned(),
            detail: error.to_string(),
        })?;
        let index = Index::open(ReadOnlyDirectory::new(directory)).map_err(failed)?;
        TextIndex::of(index, path)
    }

    fn of(index: Index, path: &Path) -> Result<TextIndex, FormatError> {
        let failed = |error: TantivyError| FormatError::Damaged {
            path: path.to_owned(),
            detail: error.to_string(),
        };
        let word = index.schema().get_field(WORD).map_err(failed)?;
        let stem = index.schema().get_field(STEM).map_err(failed)?;
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()
            .map_err(failed)?;
        Ok(TextIndex {
            searcher: reader.searcher(),
            word,
            stem,
            word_total: OnceLock::new(),
            stem_total: OnceLock::new(),
        })
    }

    /// Its segments: one.
    pub(super) fn segments(&self) -> &[SegmentReader] {
        self.searcher.segment_readers()
    }

    /// How many resources the segment holds.
    pub fn len(&self) -> u64 {
        self.searcher.num_docs()
    }

    /// Whether the segment is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The ordinals in which a word occurs, ascending: as the same stem, or, from three letters on, as the beginning of a
    /// word.
    ///
    /// # Errors
    /// [`FormatError::Text`] when the segment cannot be read.
    pub fn word(&self, folded: &str) -> Result<Vec<u32>, FormatError> {
        let mut ordinals = Vec::new();
        self.each_term(folded, &mut |_, _, _, index, info| {
            let mut postings = index
                .read_postings_from_terminfo(info, IndexRecordOption::Basic)
                .map_err(failed_io)?;
            while postings.doc() != TERMINATED {
                ordinals.push(postings.doc());
                postings.advance();
            }
            Ok(())
        })?;
        ordinals.sort_unstable();
        ordinals.dedup();
        Ok(ordinals)
    }

    /// Where each indexed word occurs that [`TextIndex::word`] finds, by [`Way`] and word.
    ///
    /// # Errors
    /// [`FormatError::Text`] when the segment cannot be read.
    pub fn terms(&self, folded: &str) -> Result<Vec<Term>, FormatError> {
        let mut terms = Vec::new();
        self.each_term(folded, &mut |way, word, segment, index, info| {
            let lengths = segment
                .get_fieldnorms_reader(self.field(way))
                .map_err(failed)?;
            let mut postings = index
                .read_postings_from_terminfo(info, IndexRecordOption::WithFreqs)
                .map_err(failed_io)?;
            let mut occurrences = Vec::with_capacity(info.doc_freq as usize);
            while postings.doc() != TERMINATED {
                let ordinal = postings.doc();
                occurrences.push(Occurrence {
                    ordinal,
                    repeats: postings.term_freq(),
                    length: lengths.fieldnorm(ordinal),
                });
                postings.advance();
            }
            let word = word.to_vec();
            terms.push(Term {
                way,
                word,
                occurrences,
            });
            Ok(())
        })?;
        Ok(terms)
    }

    /// The sum of all lengths, each rounded as an [`Occurrence`] tells it.
    ///
    /// # Errors
    /// [`FormatError::Text`] when the segment cannot be read.
    pub fn total_length(&self, way: Way) -> Result<u64, FormatError> {
        let kept = match way {
            Way::Stem => &self.stem_total,
            Way::Beginning => &self.word_total,
        };
        if let Some(total) = kept.get() {
            return Ok(*total);
        }
        let total = self.length_of(way, 0..u32::try_from(self.len()).unwrap_or(u32::MAX))?;
        Ok(*kept.get_or_init(|| total))
    }

    /// The sum of the lengths of some resources, each rounded as an [`Occurrence`] tells it.
    ///
    /// # Errors
    /// [`FormatError::Text`] when the segment cannot be read.
    pub fn length_of(
        &self,
        way: Way,
        ordinals: impl Iterator<Item = u32>,
    ) -> Result<u64, FormatError> {
        let Some(segment) = self.searcher.segment_readers().first() else {
            return Ok(0);
        };
        let lengths = segment
            .get_fieldnorms_reader(self.field(way))
            .map_err(failed)?;
        let within = ordinals.filter(|ordinal| *ordinal < segment.max_doc());
        Ok(within
            .map(|ordinal| u64::from(lengths.fieldnorm(ordinal)))
            .sum())
    }

    fn field(&self, way: Way) -> Field {
        match way {
            Way::Stem => self.stem,
            Way::Beginning => self.word,
        }
    }

    /// Visits each indexed word that a word asked for finds, by way and word.
    fn each_term(&self, folded: &str, visit: &mut Visit<'_>) -> Result<(), FormatError> {
        const PREFIX_FROM: usize = 3;
        for segment in self.searcher.segment_readers() {
            let stems = segment.inverted_index(self.stem).map_err(failed)?;
            let stem = stem(&french(), folded);
            let term = tantivy::Term::from_field_text(self.stem, &stem);
            if let Some(info) = stems.get_term_info(&term).map_err(failed_io)? {
                visit(Way::Stem, stem.as_bytes(), segment, &stems, &info)?;
            }
            if folded.chars().count() >= PREFIX_FROM {
                let words = segment.inverted_index(self.word).map_err(failed)?;
                let mut terms = words
                    .terms()
                    .range()
                    .ge(folded)
                    .into_stream()
                    .map_err(failed_io)?;
                while terms.advance() && terms.key().starts_with(folded.as_bytes()) {
                    visit(Way::Beginning, terms.key(), segment, &words, terms.value())?;
                }
            }
        }
        Ok(())
    }

    /// The ordinals in which words stand one after the other.
    ///
    /// # Errors
    /// [`FormatError::Text`] when the segment cannot be read.
    pub fn phrase(&self, words: &[String]) -> Result<Vec<u32>, FormatError> {
        let terms: Vec<tantivy::Term> = words
            .iter()
            .map(|word| tantivy::Term::from_field_text(self.word, word))
            .collect();
        let found = match terms.as_slice() {
            [] => return Ok(Vec::new()),
            [term] => {
                let query = TermQuery::new(term.clone(), IndexRecordOption::Basic);
                self.searcher.search(&query, &DocSetCollector)
            }
            _ => self
                .searcher
                .search(&PhraseQuery::new(terms), &DocSetCollector),
        };
        let mut ordinals: Vec<u32> = found
            .map_err(failed)?
            .into_iter()
            .map(|address| address.doc_id)
            .collect();
        ordinals.sort_unstable();
        Ok(ordinals)
    }
}

fn failed(error: tantivy::TantivyError) -> FormatError {
    FormatError::Text {
        path: PathBuf::from(super::directory::TEXT),
        detail: error.to_string(),
    }
}

fn failed_io(error: std::io::Error) -> FormatError {
    FormatError::Text {
        path: PathBuf::from(super::directory::TEXT),
        detail: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_recognised_however_it_is_told() {
        let told = system_error("Internal error: 'No space left on device (os error 28)'").unwrap();
        assert_eq!(told.kind(), std::io::ErrorKind::StorageFull);
        assert!(system_error("Internal error: 'a worker panicked'").is_none());
    }

    #[test]
    fn opening_writes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = TextWriter::create(dir.path()).unwrap();
        writer.push("cardiologie").unwrap();
        writer.finish().unwrap();
        let names = || {
            let mut names: Vec<_> = std::fs::read_dir(dir.path())
                .unwrap()
                .map(|entry| entry.unwrap().file_name())
                .collect();
            names.sort();
            names
        };
        for entry in std::fs::read_dir(dir.path()).unwrap() {
            let path = entry.unwrap().path();
            if path
                .extension()
                .is_some_and(|extension| extension == "lock")
            {
                std::fs::remove_file(path).unwrap();
            }
        }
        let before = names();
        let index = TextIndex::open(dir.path()).unwrap();
        assert_eq!(index.word("cardio").unwrap().len(), 1);
        assert_eq!(names(), before);
    }

    #[test]
    fn a_segment_keeps_one_document_per_ordinal() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = TextWriter::create(dir.path()).unwrap();
        for text in ["cardiologie", "", "médecine"] {
            writer.push(text).unwrap();
        }
        writer.finish().unwrap();
        assert_eq!(TextIndex::open(dir.path()).unwrap().len(), 3);
    }
}
