//! Full text: one tantivy segment per resource type, whose DocId is our ordinal.
//!
//! Two fields hold every word of the human text: `word`, folded, with positions (prefixes and phrases), and
//! `stem`, its French stem (whole words). Elided articles (`l'`, `d'`, `qu'`…) are not words.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rorqual_schema::fold;
use rust_stemmers::{Algorithm, Stemmer};
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
use super::{FormatError, checksum_file};

const WORD: &str = "word";
const STEM: &str = "stem";

/// What separates two runs of text, so that a phrase never spans both.
pub const RUN_SEPARATOR: char = '\u{1e}';

/// Elided forms that may stand before an apostrophe and are not words of their own.
const ELIDED: [&str; 14] = [
    "l", "d", "j", "m", "t", "s", "n", "c", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu", "quelqu",
];

/// The words of a text, folded, each with its position.
pub fn words(text: &str, mut visit: impl FnMut(usize, &str)) {
    let mut position = 0;
    let mut rest = text;
    while let Some(start) =
        rest.find(|character: char| character.is_alphanumeric() || character == RUN_SEPARATOR)
    {
        rest = &rest[start..];
        if let Some(after) = rest.strip_prefix(RUN_SEPARATOR) {
            // A gap wider than any phrase step.
            position += 100;
            rest = after;
            continue;
        }
        let end = rest
            .find(|character: char| !is_word_part(character))
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        let folded = fold(word);
        let elided =
            after.starts_with(['\'', '\u{2019}', '\u{02bc}']) && ELIDED.contains(&folded.as_str());
        if !elided && !folded.is_empty() {
            // Folding may open a ligature or a symbol into several words.
            for part in folded.split(' ').filter(|part| !part.is_empty()) {
                visit(position, part);
                position += 1;
            }
        }
    }
}

/// Letters, digits and the combining marks that belong to the letter before them.
fn is_word_part(character: char) -> bool {
    character.is_alphanumeric() || ('\u{300}'..='\u{36f}').contains(&character)
}

/// The French stem of a folded word.
pub fn stem(stemmer: &Stemmer, folded: &str) -> String {
    stemmer.stem(folded).into_owned()
}

/// The stemmer of French.
pub fn french() -> Stemmer {
    Stemmer::create(Algorithm::French)
}

/// The tokenizer behind both fields.
#[derive(Clone)]
struct French {
    stemmed: bool,
    tokens: Vec<Token>,
}

struct Tokens<'a> {
    tokens: &'a [Token],
    next: usize,
    current: Token,
}

impl Tokenizer for French {
    type TokenStream<'a> = Tokens<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Tokens<'a> {
        let stemmer = self.stemmed.then(french);
        self.tokens.clear();
        let tokens = &mut self.tokens;
        words(text, |position, word| {
            let text = stemmer
                .as_ref()
                .map_or_else(|| word.to_owned(), |stemmer| stem(stemmer, word));
            tokens.push(Token {
                offset_from: 0,
                offset_to: text.len(),
                position,
                text,
                position_length: 1,
            });
        });
        Tokens {
            tokens: &self.tokens,
            next: 0,
            current: Token::default(),
        }
    }
}

impl TokenStream for Tokens<'_> {
    fn advance(&mut self) -> bool {
        let Some(token) = self.tokens.get(self.next) else {
            return false;
        };
        self.current.clone_from(token);
        self.next += 1;
        true
    }

    fn token(&self) -> &Token {
        &self.current
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.current
    }
}

fn schema() -> (Schema, Field, Field) {
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

fn register(tokenizers: &TokenizerManager) {
    tokenizers.register(
        WORD,
        French {
            stemmed: false,
            tokens: Vec::new(),
        },
    );
    tokenizers.register(
        STEM,
        French {
            stemmed: true,
            tokens: Vec::new(),
        },
    );
}

/// Writes the full text of one type, resource after resource in ordinal order.
pub struct TextWriter {
    path: PathBuf,
    writer: SingleSegmentIndexWriter,
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
        let tokenizers = TokenizerManager::default();
        register(&tokenizers);
        let writer = Index::builder()
            .schema(schema)
            .settings(IndexSettings::default())
            .tokenizers(tokenizers)
            .single_segment_index_writer(directory, budget)
            .map_err(failed)?;
        Ok(TextWriter {
            path: path.to_owned(),
            writer,
            word,
            stem,
        })
    }

    /// Adds the text of the next ordinal: runs joined by [`RUN_SEPARATOR`].
    ///
    /// # Errors
    /// [`FormatError::Io`], [`FormatError::Text`].
    pub fn push(&mut self, text: &str) -> Result<(), FormatError> {
        let mut document = TantivyDocument::default();
        document.add_text(self.word, text);
        document.add_text(self.stem, text);
        self.writer
            .add_document(document)
            .map_err(|error| unwritten(&self.path, &error))
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
fn unwritten(path: &Path, error: &TantivyError) -> FormatError {
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
        register(index.tokenizers());
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
