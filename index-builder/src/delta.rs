//! A delta: the live generation, what has changed since, and what is withdrawn.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use rorqual::access::POLICY;
use rorqual::index::bodies::{BODIES, DEFLATED, SPANS, length_before};
use rorqual::index::directory::{PACK, TEXT};
use rorqual::index::gathered::{GATHERED, KeptResources, read_resources};
use rorqual::index::generation::{Generation, sync_directory};
use rorqual::index::link::share_file;
use rorqual::index::manifest::{FileRecord, Manifest};
use rorqual::index::overlay::WRITTEN;
use rorqual::index::pack::Pack;
use rorqual::index::runs::Run;
use rorqual::index::spans::{Spans, TakenSpans};
use rorqual::index::{FormatError, checksum_file};
use rorqual_schema::{ResourceType, Schema, is_id};

use crate::gather::{Compressed, HumanText, Provenance, Resource};
use crate::resources::Resources;
use crate::spool::{Piece, Spool, SpoolWriter};

/// Why a delta cannot be applied. The live generation is untouched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeltaError {
    /// Nothing is live yet.
    #[error("{path} holds no index to apply a delta to; build one with --extract", path = index.display())]
    NoLive {
        /// The index directory.
        index: PathBuf,
    },
    /// The live generation cannot be the start of a delta.
    #[error(
        "a delta cannot start from the live index {generation}: {why}; rebuild it with --extract"
    )]
    Unfit {
        /// The live generation.
        generation: String,
        /// What is in the way.
        why: String,
    },
    /// The list of withdrawn ids cannot be read.
    #[error("{path}: {source}; check that the file of --withdrawn exists and is readable", path = path.display())]
    WithdrawnUnread {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A line of the list names no resource.
    #[error("{path}, line {line}: {text:?} is no resource; write one Type/id a line, such as HealthcareService/123", path = path.display())]
    WithdrawnLine {
        /// The file.
        path: PathBuf,
        /// Its line, from 1.
        line: u64,
        /// The line, or its beginning.
        text: String,
    },
    /// A line of the list names an anomaly.
    #[error("{path}, line {line}: anomalies are never withdrawn; remove the line", path = path.display())]
    WithdrawnAnomaly {
        /// The file.
        path: PathBuf,
        /// Its line, from 1.
        line: u64,
    },
}

/// The ids that are withdrawn, by type.
pub type Withdrawn = Vec<HashSet<Box<str>>>;

/// Nothing withdrawn.
pub fn none_withdrawn() -> Withdrawn {
    vec![HashSet::new(); ResourceType::COUNT]
}

/// Reads a list of withdrawn ids: one `Type/id` a line; empty lines count for nothing.
///
/// # Errors
/// [`DeltaError`].
pub fn read_withdrawn(path: &Path) -> Result<Withdrawn, DeltaError> {
    const SHOWN: usize = 80;
    let text = fs::read(path).map_err(|source| DeltaError::WithdrawnUnread {
        path: path.to_owned(),
        source,
    })?;
    let text = String::from_utf8_lossy(&text);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut withdrawn = none_withdrawn();
    for (name, line) in text.lines().map(str::trim).zip(1..) {
        if name.is_empty() {
            continue;
        }
        let read = name
            .split_once('/')
            .and_then(|(kind, id)| Some((ResourceType::from_name(kind)?, id)))
            .filter(|(_, id)| is_id(id));
        let Some((kind, id)) = read else {
            return Err(DeltaError::WithdrawnLine {
                path: path.to_owned(),
                line,
                text: name.chars().take(SHOWN).collect(),
            });
        };
        if kind == WRITTEN {
            return Err(DeltaError::WithdrawnAnomaly {
                path: path.to_owned(),
                line,
            });
        }
        withdrawn[kind.index()].insert(id.into());
    }
    Ok(withdrawn)
}

/// The live generation that a delta starts from.
pub struct Live {
    /// Its id.
    pub id: String,
    path: PathBuf,
    manifest: Manifest,
}

/// What is taken up of the live generation.
pub struct TakenUp {
    /// Values by type; none of anomalies, which every build carries over by itself.
    pub runs: Vec<Vec<Run>>,
    /// Resources by type.
    pub resources: Vec<Resources>,
    /// Their bodies, plain and compressed.
    pub spools: Vec<Spool>,
}

/// What is taken up of one type.
struct OfType {
    kind: ResourceType,
    known: KeptResources,
    run: Run,
    offsets: Vec<u64>,
    bodies: Spool,
    deflated: Vec<(u64, u32)>,
    blocks: Spool,
}

impl Live {
    /// The live generation of an index directory, if a delta can start from it.
    ///
    /// # Errors
    /// [`DeltaError`] when there is none or it does not fit, [`FormatError`] when it cannot be read.
    pub fn find(index: &Path, schema: &Schema) -> Result<Live, crate::BuildError> {
        let id = match Generation::current(index) {
            Err(FormatError::NoGeneration { .. }) => {
                return Err(DeltaError::NoLive {
                    index: index.to_owned(),
                }
                .into());
            }
            other => other?,
        };
        let path = Generation::path_of(index, &id);
        let unfit = |why: &str| DeltaError::Unfit {
            generation: id.clone(),
            why: why.to_owned(),
        };
        let manifest = match Manifest::read(&path) {
            Err(FormatError::Version { .. }) => {
                return Err(unfit("another release wrote it").into());
            }
            other => other?,
        };
        if manifest.schema_digest != schema.digest() {
            let why = "its search parameters or its time zone are others than those asked for now (--schema, --time-zone)";
            return Err(unfit(why).into());
        }
        let missing = |kind: &ResourceType| {
            *kind != WRITTEN && !manifest.files.contains_key(&file(*kind, GATHERED))
        };
        if ResourceType::ALL.iter().any(missing) {
            return Err(unfit("it was built without what deltas start from").into());
        }
        Ok(Live { id, path, manifest })
    }

    /// The access policy that its views were built by.
    pub fn policy(&self) -> Option<PathBuf> {
        let policy = self.path.join(POLICY);
        policy.exists().then_some(policy)
    }

    /// Its full text of a type.
    ///
    /// # Errors
    /// As [`Live::sound`].
    pub fn text(&self, kind: ResourceType) -> Result<PathBuf, FormatError> {
        self.sound(&format!("{}/", file(kind, TEXT)))
    }

    /// The place of a file, or of a folder when the name ends with a slash, that is to be copied from. Read whole first: what
    /// is not as it was written must not become the next generation with a checksum of its own.
    ///
    /// # Errors
    /// [`FormatError::Damaged`] when it is not as it was written.
    pub fn sound(&self, name: &str) -> Result<PathBuf, FormatError> {
        let below = |known: &str| known == name || name.ends_with('/') && known.starts_with(name);
        for (known, record) in self.manifest.files.iter().filter(|(known, _)| below(known)) {
            let path = self.path.join(known);
            if checksum_file(&path)? != *record {
                return Err(FormatError::Damaged {
                    path,
                    detail: "it does not match its checksum".to_owned(),
                });
            }
        }
        Ok(self.path.join(name))
    }

    /// Where the members of its resources of a type are; `None` when that has to be found out anew.
    ///
    /// # Errors
    /// [`FormatError`] when the file is not as it was written.
    pub fn spans(&self, kind: ResourceType) -> Result<Option<TakenSpans>, FormatError> {
        let path = self.sound(&file(kind, SPANS))?;
        let count = self.manifest.counts.get(kind.name()).copied().unwrap_or(0);
        let spans = Spans::open(&Pack::open(&path)?, count as usize)?;
        Ok(TakenSpans::new(spans))
    }

    /// Makes files of this generation files of the next one, in `built`, and answers their records; a name that ends with a
    /// slash stands for the files of that folder. They keep the checksums they were written with: damage is not hidden.
    ///
    /// # Errors
    /// [`FormatError`] when a file is missing or cannot be linked nor copied.
    pub fn share(
        &self,
        names: &[String],
        built: &Path,
    ) -> Result<Vec<(String, FileRecord)>, FormatError> {
        let named = |name: &String, asked: &String| match asked.ends_with('/') {
            true => name.starts_with(asked),
            false => name == asked,
        };
        let mut folders = BTreeSet::new();
        let mut shared = Vec::new();
        for (name, record) in &self.manifest.files {
            if !names.iter().any(|asked| named(name, asked)) {
                continue;
            }
            let to = built.join(name);
            if let Some(folder) = to.parent() {
                fs::create_dir_all(folder).map_err(|source| FormatError::io(folder, source))?;
                folders.insert(folder.to_owned());
            }
            share_file(&self.path.join(name), &to)?;
            shared.push((name.clone(), record.clone()));
        }
        folders
            .iter()
            .try_for_each(|folder| sync_directory(folder))?;
        Ok(shared)
    }

    /// Takes up what the build of this generation gathered; spools are numbered from `first` on. What is known of its resources
    /// goes to a file of `staging` where it takes more than `room` bytes.
    ///
    /// # Errors
    /// [`crate::BuildError`] when a file is damaged or cannot be read.
    pub fn take_up(
        &self,
        schema: &Schema,
        first: u16,
        staging: &Path,
        room: usize,
    ) -> Result<TakenUp, crate::BuildError> {
        let of_types: Vec<Result<OfType, FormatError>> = std::thread::scope(|scope| {
            let kinds = ResourceType::ALL
                .into_iter()
                .filter(|kind| *kind != WRITTEN);
            let readers: Vec<_> = kinds
                .map(|kind| scope.spawn(move || self.of_type(schema, kind)))
                .collect();
            readers
                .into_iter()
                .map(|reader| reader.join().map_err(|_| crate::BuildError::Worker))
                .collect::<Result<_, _>>()
        })?;
        let mut taken = TakenUp {
            runs: ResourceType::ALL.iter().map(|_| Vec::new()).collect(),
            resources: ResourceType::ALL
                .iter()
                .map(|_| Resources::default())
                .collect(),
            spools: Vec::new(),
        };
        let mut rows = SpoolWriter::create(&staging.join("live-resources"))?;
        for of_type in of_types {
            let of_type = of_type?;
            let at = of_type.kind.index();
            let spool = first + taken.spools.len() as u16;
            taken.resources[at] = of_type.resources(spool, &mut rows, room)?;
            taken.runs[at].push(of_type.run);
            taken.spools.extend([of_type.bodies, of_type.blocks]);
        }
        rows.finish()?;
        Ok(taken)
    }

    fn of_type(&self, schema: &Schema, kind: ResourceType) -> Result<OfType, FormatError> {
        let name = file(kind, GATHERED);
        let place = self.path.join(&name);
        let damaged = |detail: &str| FormatError::Damaged {
            path: place.clone(),
            detail: detail.to_owned(),
        };
        let gathered = self.sound(&name)?;
        let known = read_resources(&gathered)?;
        let run = Run::kept(&gathered, schema, kind, known.ids.len() as u32)?;
        let pack = Pack::open(&self.sound(&file(kind, PACK))?)?;
        let offsets = pack.column::<u64>("bodies.offsets")?.to_vec();
        let ends = pack.column::<u64>("deflated.offsets")?;
        let checksums = pack.column::<u32>("deflated.checksums")?;
        let ends = ends.iter().skip(1).copied();
        let deflated: Vec<(u64, u32)> = ends.zip(checksums.iter().copied()).collect();
        let counts = [
            offsets.len().saturating_sub(1),
            known.updated.len(),
            deflated.len(),
        ];
        if counts != [known.ids.len(); 3] {
            return Err(damaged(
                "it holds another number of resources than the index",
            ));
        }
        Ok(OfType {
            kind,
            known,
            run,
            offsets,
            bodies: Spool::open(&self.path.join(file(kind, BODIES)))?,
            deflated,
            blocks: Spool::open(&self.path.join(file(kind, DEFLATED)))?,
        })
    }
}

impl OfType {
    /// The resources, by ordinal; their bodies are in `spool`, and compressed in the one after it.
    fn resources(
        &self,
        spool: u16,
        rows: &mut SpoolWriter,
        room: usize,
    ) -> Result<Resources, FormatError> {
        let mut end = 0;
        let compressed = self.deflated.iter().map(move |&(to, checksum)| {
            let start = std::mem::replace(&mut end, to);
            let compressed = Compressed {
                piece: Piece::new(start, to.saturating_sub(start) as u32),
                spool: spool + 1,
            };
            (checksum, compressed)
        });
        let bounds = self.offsets.iter().zip(self.offsets.iter().skip(1));
        let known = self.known.ids.iter().zip(&self.known.updated);
        let known = known.zip(bounds).zip(compressed).zip(0u32..);
        let mut resources = Resources::default();
        for ((((id, &updated), (&start, &end)), (checksum, deflated)), ordinal) in known {
            let before = length_before(self.kind.name(), id) as u64;
            resources.push(&Resource {
                id,
                updated,
                sequence: u64::from(ordinal),
                provenance: Provenance::Before,
                body: Piece::new(start + before, end.saturating_sub(start + before) as u32),
                checksum,
                deflated,
                text: HumanText::Stored(ordinal),
                spool,
            });
            if resources.weight() > room {
                resources.seal(rows)?;
            }
        }
        Ok(resources)
    }
}

fn file(kind: ResourceType, name: &str) -> String {
    format!("{}/{name}", kind.name())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn listed(text: &str) -> Result<Withdrawn, DeltaError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("withdrawn.txt");
        fs::write(&path, text).unwrap();
        read_withdrawn(&path)
    }

    #[test]
    fn a_list_has_one_resource_a_line() {
        let read =
            listed("\u{feff}Location/a-1\r\n\n  HealthcareService/7 \nLocation/a-1\n").unwrap();
        assert_eq!(read.iter().map(HashSet::len).sum::<usize>(), 2);
        assert!(read[ResourceType::Location.index()].contains("a-1"));
    }

    #[test]
    fn a_line_that_names_nothing_is_told_with_its_number() {
        for text in [
            "Location/a\nPatient/b",
            "Location/a\nb",
            "Location/a\nLocation/",
            "\nLocation/é",
        ] {
            let error = listed(text).unwrap_err();
            assert!(
                matches!(error, DeltaError::WithdrawnLine { line: 2, .. }),
                "{error}"
            );
        }
        let error = listed("Task/1").unwrap_err();
        assert!(
            matches!(error, DeltaError::WithdrawnAnomaly { line: 1, .. }),
            "{error}"
        );
    }
}
