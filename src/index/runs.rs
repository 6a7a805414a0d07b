//! Runs: what was gathered of one type, cut where memory ends.
//!
//! A run is a pack as [`super::gathered`] writes it, in memory while there is room and in a file when not: keys ascending,
//! rows by slot. What was kept of a live generation is one too. Nobody takes up a type whole: [`Runs`] merges the values of
//! one parameter when they are asked for, keys by a merge of those of each run, and lets them go again.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rorqual_schema::{Group, Parameter, ResourceType, Schema};

use super::FormatError;
use super::column::Collector;
use super::directory::{DirectoryCollector, group_name, parameter_name};
use super::gathered::{take_up, write_values};
use super::lines::LineCollector;
use super::pack::{Pack, PackWriter};

/// Where the values of one type are: of one parameter at a time, since all of them may not fit into memory.
pub trait Gathering {
    /// The values of a parameter, by its number in the schema.
    ///
    /// # Errors
    /// [`FormatError`] when they cannot be read.
    fn values(
        &self,
        number: usize,
        parameter: &Parameter,
    ) -> Result<Loaded<'_, Collector>, FormatError>;

    /// The lines of every group.
    ///
    /// # Errors
    /// [`FormatError`] when they cannot be read.
    fn lines(&self, groups: &[Group]) -> Result<Loaded<'_, Vec<LineCollector>>, FormatError>;
}

/// What was asked for: held anyway, or taken up for the one who asked.
pub enum Loaded<'a, T> {
    /// Held anyway.
    Held(&'a T),
    /// Taken up.
    Taken(T),
}

impl<T> Deref for Loaded<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Loaded::Held(held) => held,
            Loaded::Taken(taken) => taken,
        }
    }
}

/// A run.
pub struct Run {
    place: Place,
    slots: u32,
    /// How many lines it has of each group.
    lines: Vec<u32>,
}

enum Place {
    Memory(Arc<Pack>),
    File(PathBuf),
}

/// One run among others of its type.
pub(super) struct Part {
    /// Its sections.
    pub(super) pack: Arc<Pack>,
    /// Where its slots begin: of resources, or of lines.
    pub(super) shift: u32,
}

impl Run {
    /// Seals what was gathered of a type: in the file of `path`, which whoever gave it removes, or in memory.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn seal(
        schema: &Schema,
        kind: ResourceType,
        gathered: &DirectoryCollector,
        path: Option<&Path>,
    ) -> Result<Run, FormatError> {
        let mut pack = match path {
            Some(path) => PackWriter::passing(path)?,
            None => PackWriter::in_memory()?,
        };
        let same: Vec<u32> = (0..gathered.len()).collect();
        write_values(&mut pack, schema, kind, gathered, &same)?;
        let place = match path {
            Some(path) => {
                pack.finish()?;
                Place::File(path.to_owned())
            }
            None => Place::Memory(Arc::new(pack.into_pack()?)),
        };
        Ok(Run {
            place,
            slots: gathered.len(),
            lines: gathered.lines.iter().map(|of| of.len() as u32).collect(),
        })
    }

    /// What was kept of the `slots` resources of a type, in the file of a generation.
    ///
    /// # Errors
    /// [`FormatError`] when the file cannot be read or does not fit the schema.
    pub fn kept(
        path: &Path,
        schema: &Schema,
        kind: ResourceType,
        slots: u32,
    ) -> Result<Run, FormatError> {
        let pack = Pack::open(path)?;
        let owners = |group: &Group| {
            let owners = pack.column::<u32>(&format!("{}.owners", group_name(group)))?;
            Ok(owners.len() as u32)
        };
        Ok(Run {
            place: Place::File(path.to_owned()),
            slots,
            lines: schema
                .groups(kind)
                .iter()
                .map(owners)
                .collect::<Result<_, FormatError>>()?,
        })
    }

    /// Removes its file, if it has one.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn remove(self) -> Result<(), FormatError> {
        match self.place {
            Place::Memory(_) => Ok(()),
            Place::File(path) => {
                std::fs::remove_file(&path).map_err(|source| FormatError::io(&path, source))
            }
        }
    }

    /// A file is mapped for as long as it is read: what was read of it does not stay in memory.
    fn pack(&self) -> Result<Arc<Pack>, FormatError> {
        match &self.place {
            Place::Memory(pack) => Ok(pack.clone()),
            Place::File(path) => Pack::open(path).map(Arc::new),
        }
    }
}

/// All runs of one type, as if they were one. Slots of a run follow those of the runs before it.
#[derive(Default)]
pub struct Runs {
    runs: Vec<Run>,
}

impl Runs {
    /// Adds a run behind the others.
    pub fn push(&mut self, run: Run) {
        if run.slots > 0 {
            self.runs.push(run);
        }
    }

    /// How many resources there are.
    pub fn len(&self) -> u32 {
        self.runs.iter().map(|run| run.slots).sum()
    }

    /// Whether there is no resource.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Removes their files.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn remove(self) -> Result<(), FormatError> {
        self.runs.into_iter().try_for_each(Run::remove)
    }

    /// Each run, with where its slots begin: of resources, or of the lines of a group.
    fn parts(&self, group: Option<usize>) -> Result<Vec<Part>, FormatError> {
        let mut shift = 0;
        let part = |run: &Run| {
            let part = Part {
                pack: run.pack()?,
                shift,
            };
            shift += match group {
                Some(group) => run.lines.get(group).copied().unwrap_or(0),
                None => run.slots,
            };
            Ok(part)
        };
        self.runs.iter().map(part).collect()
    }
}

impl Gathering for Runs {
    fn values(
        &self,
        _: usize,
        parameter: &Parameter,
    ) -> Result<Loaded<'_, Collector>, FormatError> {
        let parts = self.parts(parameter.group)?;
        take_up(&parts, parameter, &parameter_name(parameter)).map(Loaded::Taken)
    }

    fn lines(&self, groups: &[Group]) -> Result<Loaded<'_, Vec<LineCollector>>, FormatError> {
        let mut lines: Vec<LineCollector> = groups.iter().map(|_| Default::default()).collect();
        for part in self.parts(None)? {
            let starts: Vec<u32> = lines.iter().map(|lines| lines.len() as u32).collect();
            for (lines, group) in lines.iter_mut().zip(groups) {
                let name = group_name(group);
                let parent = group.parent.and_then(|parent| starts.get(parent));
                lines.take_up(
                    &part.pack.column(&format!("{name}.owners"))?,
                    &part.pack.column(&format!("{name}.parents"))?,
                    part.shift,
                    parent.copied().unwrap_or(0),
                );
            }
        }
        Ok(Loaded::Taken(lines))
    }
}
