//! Workers: parse each record, extract what the schema asks for, keep the body.

use std::path::{Path, PathBuf};

use rorqual::index::FormatError;
use rorqual::index::bodies::compressed;
use rorqual::index::deflated::{Deflater, Sum, continued};
use rorqual::index::directory::{DirectoryCollector, join_text};
use rorqual::index::runs::Run;
use rorqual_schema::{Extraction, Node, ResourceType, Schema, is_id, parse_date};

use crate::input::{Item, Origin, Record};
use crate::rejects::RejectReason;
use crate::resources::Resources;
use crate::spool::{Piece, Spool, SpoolWriter};

/// Where a resource is from. Of two versions of one age the later of these stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Provenance {
    /// The generation that is live while this one is built.
    Before,
    /// The extract.
    Extract,
    /// The log of anomalies.
    Log,
}

/// One resource, in order of arrival at a worker.
pub struct Resource<'r> {
    /// Its id.
    pub id: &'r str,
    /// `meta.lastUpdated` in microseconds since 1970 UTC; `i64::MIN` without one.
    pub updated: i64,
    /// Position in the whole input.
    pub sequence: u64,
    /// Where it is from.
    pub provenance: Provenance,
    /// Its text as received.
    pub body: Piece,
    /// The CRC-32 of that.
    pub checksum: u32,
    /// The same in compressed form.
    pub deflated: Compressed,
    /// Its human text.
    pub text: HumanText,
    /// The spool that holds its body.
    pub spool: u16,
}

impl Resource<'_> {
    /// Reads its body into `buffer`, replacing what it held.
    ///
    /// # Errors
    /// [`FormatError::Io`], [`FormatError::Altered`] when it is not what was read the first time.
    pub fn read_body(&self, spools: &[Spool], buffer: &mut Vec<u8>) -> Result<(), FormatError> {
        let spool = &spools[usize::from(self.spool)];
        spool.read(self.body, buffer)?;
        if continued(0, buffer) != self.checksum {
            return Err(FormatError::Altered {
                path: spool.path().to_owned(),
            });
        }
        Ok(())
    }
}

/// A body in compressed form.
#[derive(Clone, Copy)]
pub struct Compressed {
    /// Its record, as `bodies.deflate` has it.
    pub piece: Piece,
    /// The spool that holds them.
    pub spool: u16,
}

/// Where the human text of a resource is.
#[derive(Clone, Copy)]
pub enum HumanText {
    /// In a spool.
    Spooled {
        /// The text.
        piece: Piece,
        /// The spool that holds it.
        spool: u16,
    },
    /// In the full text of the live generation, at this ordinal: the resource has not changed since.
    Stored(u32),
}

/// A record that is no usable resource.
pub struct Reject {
    /// Position in the whole input.
    pub sequence: u64,
    /// Where it was read.
    pub origin: Origin,
    /// Its type, when that much could be read.
    pub kind: Option<ResourceType>,
    /// Why.
    pub reason: RejectReason,
    /// Its beginning.
    pub excerpt: Vec<u8>,
}

/// What one worker gathered.
pub struct Gathered {
    /// Values by resource type, in runs.
    pub runs: Vec<Vec<Run>>,
    /// Resources by type, in the order of the slots of the runs.
    pub resources: Vec<Resources>,
    /// Rejected records.
    pub rejects: Vec<Reject>,
    /// Bodies and texts.
    pub spool: Spool,
}

/// A worker at its task.
pub struct Gatherer<'s> {
    schema: &'s Schema,
    path: PathBuf,
    /// Values of the run that is being gathered, by type.
    directories: Vec<DirectoryCollector>,
    runs: Vec<Vec<Run>>,
    /// As many bytes may what was gathered take before it is sealed.
    room: usize,
    /// How many runs were sealed, and how many resources there are since.
    sealed: usize,
    since: usize,
    resources: Vec<Resources>,
    rejects: Vec<Reject>,
    spool: SpoolWriter,
    number: u16,
    held: Vec<Option<u16>>,
    provenance: Provenance,
    deflater: Deflater,
    text: String,
}

impl<'s> Gatherer<'s> {
    /// A worker that spools to `path`; whenever its values take more than `room` bytes it seals them as runs in files beside it.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn create(
        schema: &'s Schema,
        path: &Path,
        number: u16,
        room: usize,
    ) -> Result<Gatherer<'s>, FormatError> {
        Ok(Gatherer {
            schema,
            path: path.to_owned(),
            directories: ResourceType::ALL
                .iter()
                .map(|&kind| DirectoryCollector::new(schema, kind))
                .collect(),
            runs: ResourceType::ALL.iter().map(|_| Vec::new()).collect(),
            room,
            sealed: 0,
            since: 0,
            resources: ResourceType::ALL
                .iter()
                .map(|_| Resources::default())
                .collect(),
            rejects: Vec::new(),
            spool: SpoolWriter::create(path)?,
            number,
            held: Vec::new(),
            provenance: Provenance::Extract,
            deflater: Deflater::for_storage(),
            text: String::new(),
        })
    }

    /// Says where what is taken from now on is from; the extract when nothing is said.
    pub fn from(&mut self, provenance: Provenance) {
        self.provenance = provenance;
    }

    /// Says which spool each source of the input is, where it stays readable: a text that stands there is not spooled again.
    pub fn holding(&mut self, held: Vec<Option<u16>>) {
        self.held = held;
    }

    /// Takes a batch.
    ///
    /// # Errors
    /// [`FormatError::Io`] when the spool cannot be written; faults of a record become rejects.
    pub fn take(&mut self, batch: Vec<Item>) -> Result<(), FormatError> {
        for item in batch {
            match item {
                Item::Record(record) => self.record(record)?,
                Item::Reject {
                    sequence,
                    origin,
                    reason,
                    excerpt,
                } => {
                    self.rejects.push(Reject {
                        sequence,
                        origin,
                        kind: None,
                        reason,
                        excerpt,
                    });
                }
            }
        }
        Ok(())
    }

    fn record(&mut self, record: Record) -> Result<(), FormatError> {
        let node = match Node::parse(&record.bytes) {
            Ok(node) => node,
            Err(error) => {
                let reason = match std::str::from_utf8(&record.bytes) {
                    Err(utf8) => RejectReason::NotUtf8 {
                        offset: utf8.valid_up_to() as u64,
                    },
                    Ok(_) => RejectReason::NotJson {
                        offset: error.offset as u64,
                        detail: error.reason,
                    },
                };
                self.reject(record, None, reason);
                return Ok(());
            }
        };
        let (kind, id) = match identity(&node) {
            Ok(identity) => identity,
            Err((kind, reason)) => {
                drop(node);
                self.reject(record, kind, reason);
                return Ok(());
            }
        };
        self.values(kind, &node);
        join_text(self.schema, kind, &node, &mut self.text);
        let sum = Sum::of(&record.bytes);
        let deflated = compressed(&mut self.deflater, kind.name(), id, &record.bytes, sum)?;
        let deflated = self.spool.push(deflated)?;
        let held = record.held.and_then(|held| {
            let spool = self.held.get(held.source as usize).copied().flatten()?;
            Some((Piece::new(held.offset, record.bytes.len() as u32), spool))
        });
        let (body, spool) = match held {
            Some(held) => held,
            None => (self.spool.push(&record.bytes)?, self.number),
        };
        let text = self.spool.push(self.text.as_bytes())?;
        let resource = Resource {
            id,
            updated: updated(self.schema, &node),
            sequence: record.sequence,
            provenance: self.provenance,
            body,
            checksum: sum.checksum,
            deflated: Compressed {
                piece: deflated,
                spool: self.number,
            },
            text: HumanText::Spooled {
                piece: text,
                spool: self.number,
            },
            spool,
        };
        self.resources[kind.index()].push(&resource);
        self.make_room()
    }

    /// Takes a resource that is in spools already, plain and compressed, parsed as `node`. Those spools are to follow the
    /// workers' own, of which there are `workers`.
    ///
    /// # Errors
    /// [`FormatError::Io`] when the spool cannot be written.
    pub fn take_spooled(
        &mut self,
        kind: ResourceType,
        node: &Node<'_>,
        resource: &Resource<'_>,
        workers: u16,
    ) -> Result<(), FormatError> {
        self.values(kind, node);
        let text = match resource.text {
            HumanText::Spooled { piece, spool } => HumanText::Spooled {
                piece,
                spool: spool + workers,
            },
            HumanText::Stored(_) => {
                join_text(self.schema, kind, node, &mut self.text);
                HumanText::Spooled {
                    piece: self.spool.push(self.text.as_bytes())?,
                    spool: self.number,
                }
            }
        };
        self.resources[kind.index()].push(&Resource {
            text,
            spool: resource.spool + workers,
            deflated: Compressed {
                spool: resource.deflated.spool + workers,
                ..resource.deflated
            },
            ..*resource
        });
        self.make_room()
    }

    /// Notes the values of the next resource of a type.
    fn values(&mut self, kind: ResourceType, node: &Node<'_>) {
        let mut extraction = Extraction::new();
        self.schema.extract(kind, node, &mut extraction);
        self.directories[kind.index()].add(&extraction);
        self.since += 1;
    }

    /// Seals what was gathered when it takes more than its room.
    fn make_room(&mut self) -> Result<(), FormatError> {
        /// So often is looked at what it takes.
        const EVERY: usize = 64;
        let weight = || {
            let values = self.directories.iter().map(DirectoryCollector::weight);
            let rows = self.resources.iter().map(Resources::weight);
            values.sum::<usize>() + rows.sum::<usize>()
        };
        match self.since.is_multiple_of(EVERY) && weight() > self.room {
            true => self.seal(true),
            false => Ok(()),
        }
    }

    /// Seals what was gathered since the last run, in files or in memory.
    fn seal(&mut self, in_files: bool) -> Result<(), FormatError> {
        if in_files {
            let spool = &mut self.spool;
            self.resources
                .iter_mut()
                .try_for_each(|resources| resources.seal(spool))?;
        }
        let every = self.directories.iter_mut().zip(&mut self.runs);
        for ((directory, runs), kind) in every.zip(ResourceType::ALL) {
            if directory.is_empty() {
                continue;
            }
            let fresh = DirectoryCollector::new(self.schema, kind);
            let gathered = std::mem::replace(directory, fresh);
            let mut path = self.path.clone();
            path.as_mut_os_string()
                .push(format!("-run-{}-{}", self.sealed, kind.name()));
            let path = in_files.then_some(path);
            runs.push(Run::seal(self.schema, kind, &gathered, path.as_deref())?);
        }
        self.sealed += 1;
        self.since = 0;
        Ok(())
    }

    fn reject(&mut self, record: Record, kind: Option<ResourceType>, reason: RejectReason) {
        let mut excerpt = record.bytes;
        excerpt.truncate(crate::input::EXCERPT_BYTES);
        self.rejects.push(Reject {
            sequence: record.sequence,
            origin: record.origin,
            kind,
            reason,
            excerpt,
        });
    }

    /// Ends the work.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn finish(mut self) -> Result<Gathered, FormatError> {
        // Once files were needed, what is left makes room for what is written next.
        self.seal(self.sealed > 0)?;
        Ok(Gathered {
            runs: self.runs,
            resources: self.resources,
            rejects: self.rejects,
            spool: self.spool.finish()?,
        })
    }
}

/// `meta.lastUpdated` in microseconds since 1970 UTC; `i64::MIN` without one.
fn updated(schema: &Schema, node: &Node<'_>) -> i64 {
    node.get("meta")
        .and_then(|meta| meta.get("lastUpdated"))
        .and_then(Node::as_str)
        .and_then(|text| parse_date(text, schema.time_zone()).ok())
        .map_or(i64::MIN, |range| range.low)
}

/// The type and id of a resource, or why it has none.
fn identity<'n>(
    node: &'n Node<'_>,
) -> Result<(ResourceType, &'n str), (Option<ResourceType>, RejectReason)> {
    let found = match node {
        Node::Object(_) => None,
        Node::Array(_) => Some("an array"),
        Node::String(_) => Some("a string"),
        Node::Number(_) => Some("a number"),
        Node::Bool(_) => Some("true or false"),
        Node::Null => Some("null"),
    };
    if let Some(found) = found {
        return Err((None, RejectReason::NotAnObject { found }));
    }
    let name = node
        .get("resourceType")
        .and_then(Node::as_str)
        .ok_or((None, RejectReason::NoResourceType))?;
    let kind = ResourceType::from_name(name).ok_or_else(|| {
        (
            None,
            RejectReason::unknown_type(name, ResourceType::ALL.iter().map(|kind| kind.name())),
        )
    })?;
    let id = node
        .get("id")
        .and_then(Node::as_str)
        .ok_or((Some(kind), RejectReason::NoId))?;
    if !is_id(id) {
        return Err((Some(kind), RejectReason::BadId { id: id.to_owned() }));
    }
    Ok((kind, id))
}
