//! The full text of one type, written in one go, or, where it would take too much memory, in runs that are merged at the end.

use std::fs;
use std::path::{Path, PathBuf};

use super::FormatError;
use super::text::{TextIndex, TextWriter};
use super::text_merge::{TextSource, merge};

/// A full text being written.
pub struct TextRuns {
    folder: PathBuf,
    room: usize,
    /// What a writer takes that has nothing yet.
    empty: usize,
    /// Runs that are written, each with the ordinals of its documents.
    sealed: Vec<(TextIndex, Vec<u32>)>,
    /// Whether the run that is being written is not in a file.
    in_memory: bool,
    writer: TextWriter,
    /// The ordinals of the documents that `writer` has.
    places: Vec<u32>,
}

impl TextRuns {
    /// Begins the full text of `folder`; a run is sealed whenever it takes more than `room` bytes of memory. `merged` says that
    /// it will be merged with what is stored elsewhere: then a single run need not be written.
    ///
    /// # Errors
    /// [`FormatError::Io`], [`FormatError::Text`].
    pub fn begin(folder: &Path, room: usize, merged: bool) -> Result<TextRuns, FormatError> {
        let writer = match merged {
            true => TextWriter::in_memory()?,
            false => TextWriter::create(folder)?,
        };
        Ok(TextRuns {
            empty: writer.weight(),
            folder: folder.to_owned(),
            room,
            sealed: Vec::new(),
            in_memory: merged,
            writer,
            places: Vec::new(),
        })
    }

    /// Adds the text of an ordinal; ordinals ascend.
    ///
    /// # Errors
    /// [`FormatError::Io`], [`FormatError::Text`].
    pub fn push(&mut self, ordinal: u32, text: &str) -> Result<(), FormatError> {
        /// A run has no fewer documents, however little memory there is: each is a folder of files.
        const LEAST: usize = 64;
        if self.places.len() >= LEAST && self.writer.weight() > self.empty + self.room {
            self.seal()?;
        }
        self.writer.push(text)?;
        self.places.push(ordinal);
        Ok(())
    }

    /// Ends a run and begins the next.
    fn seal(&mut self) -> Result<(), FormatError> {
        let number = self.sealed.len();
        let (own, next) = (
            run_folder(&self.folder, number),
            run_folder(&self.folder, number + 1),
        );
        let writer = std::mem::replace(&mut self.writer, TextWriter::create(&next)?);
        let text = match self.in_memory {
            true => writer.into_index()?,
            false => {
                writer.finish()?;
                // The first run was begun as the whole.
                if number == 0 {
                    fs::rename(&self.folder, &own)
                        .map_err(|source| FormatError::io(&self.folder, source))?;
                }
                TextIndex::open(&own)?
            }
        };
        self.in_memory = false;
        let places = std::mem::take(&mut self.places);
        self.sealed.push((text, places));
        Ok(())
    }

    /// Writes the full text of `count` resources: those pushed, and those of `stored`.
    ///
    /// # Errors
    /// [`FormatError::Io`], [`FormatError::Text`].
    pub fn finish(self, stored: Option<TextSource<'_>>, count: u32) -> Result<(), FormatError> {
        if stored.is_none() && self.sealed.is_empty() {
            return self.writer.finish();
        }
        let TextRuns {
            folder,
            mut sealed,
            writer,
            places,
            ..
        } = self;
        sealed.push((writer.into_index()?, places));
        let runs = sealed
            .iter()
            .map(|(text, places)| TextSource { text, places });
        let sources: Vec<TextSource<'_>> = stored.into_iter().chain(runs).collect();
        merge(&folder, &sources, count)?;
        drop(sources);
        let folders = (0..sealed.len())
            .map(|number| run_folder(&folder, number))
            .collect::<Vec<_>>();
        drop(sealed);
        folders
            .iter()
            .filter(|folder| folder.exists())
            .try_for_each(|folder| {
                fs::remove_dir_all(folder).map_err(|source| FormatError::io(folder, source))
            })
    }
}

/// The folder of a run, beside that of the whole.
fn run_folder(folder: &Path, number: usize) -> PathBuf {
    let mut run = folder.to_owned();
    run.as_mut_os_string().push(format!("-run-{number}"));
    run
}
