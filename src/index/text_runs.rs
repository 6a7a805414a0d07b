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
        if self.places.len() >= LEAST && self.writer.weight() > self.empty.saturating_add(self.room)
        {
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::index::text::seal_folder;

    /// The files of a full text by their kind: tantivy's names are random.
    fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
        seal_folder(folder).unwrap();
        let entries = fs::read_dir(folder).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .filter_map(|path| {
                let kind = path.extension()?.to_str()?.to_owned();
                (kind != "json").then(|| (kind, fs::read(&path).unwrap()))
            })
            .collect()
    }

    fn text(ordinal: u32) -> String {
        format!(
            "Centre {} de soins numéro {ordinal}\u{1e}les {} horaires",
            ordinal % 7,
            ordinal % 3
        )
    }

    #[test]
    fn runs_come_to_the_full_text_written_in_one_go() {
        const COUNT: u32 = 700;
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, room: usize, stored: Option<(&TextIndex, u32)>| {
            let folder = dir.path().join(name);
            let first = stored.map_or(0, |(_, first)| first);
            let mut runs = TextRuns::begin(&folder, room, stored.is_some()).unwrap();
            for ordinal in first..COUNT {
                runs.push(ordinal, &text(ordinal)).unwrap();
            }
            let sealed = runs.sealed.len();
            let places: Vec<u32> = (0..first).collect();
            let stored = stored.map(|(text, _)| TextSource {
                text,
                places: &places,
            });
            runs.finish(stored, COUNT).unwrap();
            (sealed, files(&folder))
        };
        let (sealed, whole) = write("whole", usize::MAX, None);
        assert_eq!(sealed, 0);
        assert!(whole.len() >= 4);
        let (sealed, cut) = write("cut", 0, None);
        assert!(sealed > 5, "{sealed}");
        assert!(cut == whole);
        // The first documents are stored elsewhere, as in a delta.
        let stored = dir.path().join("stored");
        let mut writer = TextWriter::create(&stored).unwrap();
        (0..300).for_each(|ordinal| writer.push(&text(ordinal)).unwrap());
        writer.finish().unwrap();
        let stored = TextIndex::open(&stored).unwrap();
        for (name, room) in [("joined", usize::MAX), ("joined-cut", 0)] {
            let (sealed, joined) = write(name, room, Some((&stored, 300)));
            assert_eq!(sealed > 0, room == 0);
            assert!(joined == whole, "{name}");
        }
        // Nothing but what was asked for is left.
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 5);
    }
}
