//! From the paths of the command line to the list of sources to read.

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use super::compression::Compression;
use super::error::InputError;
use super::shape::Shape;

/// One thing to read: a file, a pipe, or standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub(super) place: Place,
    pub(super) label: Arc<str>,
    pub(super) size: Option<u64>,
    pub(super) named: Named,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    StandardInput,
    Path(PathBuf),
}

/// What a file name promises about the content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) shape: Option<Shape>,
    pub(super) compression: Option<Compression>,
}

impl Source {
    /// Its path, when it can be read again: pipes and standard input cannot.
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::Path(path) => self.size.map(|_| path.as_path()),
            Place::StandardInput => None,
        }
    }

    /// The path as given, or `standard input`.
    pub fn name(&self) -> &str {
        &self.label
    }

    /// Bytes as stored; `None` for standard input and pipes.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    fn standard_input() -> Self {
        Source {
            place: Place::StandardInput,
            label: Arc::from("standard input"),
            size: None,
            named: Named::default(),
        }
    }
}

/// Something found among the inputs that is not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ignored {
    /// Its path.
    pub path: String,
    /// Why it is left out.
    pub why: &'static str,
}

/// The sources of one build, checked and in reading order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inputs {
    pub(super) sources: Vec<Source>,
    pub(super) ignored: Vec<Ignored>,
    seen: HashSet<PathBuf>,
}

impl Inputs {
    /// Checks `paths` and lists what they hold, in the order given.
    ///
    /// `-` is standard input. A folder stands for the files of a known kind directly in it, in the order
    /// of their names. Every regular file is opened once here, so that one which may not be read fails
    /// the build at once rather than hours into it.
    ///
    /// # Errors
    /// No path at all, a path that cannot be opened, a file of unknown kind named explicitly, a folder
    /// with nothing to read, or `-` twice.
    pub fn discover(paths: &[PathBuf]) -> Result<Inputs, InputError> {
        if paths.is_empty() {
            return Err(InputError::NoInput);
        }
        let mut inputs = Inputs::default();
        for path in paths {
            if path.as_os_str() == "-" {
                if inputs
                    .sources
                    .iter()
                    .any(|source| source.place == Place::StandardInput)
                {
                    return Err(InputError::RepeatedStandardInput);
                }
                inputs.sources.push(Source::standard_input());
                continue;
            }
            let metadata = fs::metadata(path).map_err(|error| unreadable(path, error))?;
            if metadata.is_dir() {
                inputs.add_folder(path)?;
            } else if metadata.is_file() {
                let named =
                    kind_of(path).ok_or_else(|| InputError::UnknownKind { input: label(path) })?;
                inputs.add_file(path, named)?;
            } else {
                // A pipe or a device has no telling name, and opening it here would consume it.
                inputs.sources.push(Source {
                    place: Place::Path(path.clone()),
                    label: Arc::from(label(path)),
                    size: None,
                    named: Named::default(),
                });
            }
        }
        Ok(inputs)
    }

    /// What will be read, in order.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// What was found and will not be read.
    pub fn ignored(&self) -> &[Ignored] {
        &self.ignored
    }

    /// Bytes as stored of all sources; `None` when one of them is standard input or a pipe.
    pub fn total_bytes(&self) -> Option<u64> {
        self.sources.iter().map(Source::size).sum()
    }

    fn add_folder(&mut self, folder: &Path) -> Result<(), InputError> {
        let mut paths = fs::read_dir(folder)
            .and_then(|entries| {
                entries
                    .map(|entry| entry.map(|entry| entry.path()))
                    .collect::<Result<Vec<_>, _>>()
            })
            .map_err(|error| unreadable(folder, error))?;
        paths.sort();
        let mut empty = true;
        for path in paths {
            let known = kind_of(&path).filter(|named| named.shape.is_some());
            let Some(named) = known else {
                self.ignore(&path, "not a kind of file that is read");
                continue;
            };
            let metadata = fs::metadata(&path).map_err(|error| unreadable(&path, error))?;
            if metadata.is_file() {
                empty = false;
                self.add_file(&path, named)?;
            } else {
                self.ignore(&path, "not a regular file; name it by itself to read it");
            }
        }
        if empty {
            return Err(InputError::NothingToRead {
                input: label(folder),
            });
        }
        Ok(())
    }

    fn add_file(&mut self, path: &Path, named: Named) -> Result<(), InputError> {
        let size = File::open(path)
            .and_then(|file| file.metadata())
            .map_err(|error| unreadable(path, error))?
            .len();
        let real = fs::canonicalize(path).map_err(|error| unreadable(path, error))?;
        if !self.seen.insert(real) {
            self.ignore(path, "given more than once; read once");
            return Ok(());
        }
        self.sources.push(Source {
            place: Place::Path(path.to_owned()),
            label: Arc::from(label(path)),
            size: Some(size),
            named,
        });
        Ok(())
    }

    fn ignore(&mut self, path: &Path, why: &'static str) {
        self.ignored.push(Ignored {
            path: label(path),
            why,
        });
    }
}

/// What the name of a file promises, `None` when it is not one that is read.
fn kind_of(path: &Path) -> Option<Named> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    if name.starts_with('.') {
        return None;
    }
    let suffixes = [
        (".gz", Compression::Gzip),
        (".gzip", Compression::Gzip),
        (".zst", Compression::Zstd),
        (".zstd", Compression::Zstd),
    ];
    let (stem, compression) = suffixes
        .iter()
        .find_map(|(suffix, kind)| Some((name.strip_suffix(suffix)?, Some(*kind))))
        .unwrap_or((name.as_str(), None));
    let shape = match stem.rsplit_once('.').map(|(_, extension)| extension) {
        Some("ndjson" | "jsonl") => Some(Shape::Ndjson),
        Some("json") => Some(Shape::Documents),
        _ => None,
    };
    (shape.is_some() || compression.is_some()).then_some(Named { shape, compression })
}

fn unreadable(path: &Path, error: std::io::Error) -> InputError {
    InputError::Unreadable {
        input: label(path),
        error,
    }
}

fn label(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
