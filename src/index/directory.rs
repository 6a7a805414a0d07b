//! Everything stored of one resource type: gathered while building, opened for searching.
//!
//! Files of a type's folder: `index.pack` (parameters as `p.<code>…`, groups as `g.<group>…` with the same
//! parameters at the level of lines as `g.<group>.<code>…`, and body offsets), `bodies.dat`, `bodies.deflate`, `text/`.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use roaring::RoaringBitmap;
use rorqual_schema::{
    Extraction, Group, Hop, Node, Parameter, ParameterType, ResourceType, Schema,
};

use super::FormatError;
use super::bodies::{BODIES, Bodies};
use super::column::{Collector, ParameterIndex, Values};
use super::interner::Places;
use super::lines::{LineCollector, LineIndex};
use super::pack::{Pack, PackWriter};
use super::postings::row_starts;
use super::reference::Edge;
use super::runs::{Gathering, Loaded};
use super::text::{TextIndex, TextWriter};
use super::token::TokenIndex;
use super::words::RUN_SEPARATOR;

/// Name of the pack in a type's folder.
pub const PACK: &str = "index.pack";
/// Name of the full-text folder in a type's folder.
pub const TEXT: &str = "text";

pub(super) fn located(parameter: &Parameter) -> bool {
    parameter.kind == ParameterType::Special && parameter.expression.is_some()
}

pub(super) fn parameter_name(parameter: &Parameter) -> String {
    format!("p.{}", parameter.code)
}

pub(super) fn group_name(group: &Group) -> String {
    format!("g.{}", group.name)
}

fn line_name(group: &Group, parameter: &Parameter) -> String {
    format!("g.{}.{}", group.name, parameter.code)
}

/// Gathers the values of one resource type. Slots number resources in order of arrival.
pub struct DirectoryCollector {
    /// One per parameter of the schema. Those of a group gather by line slot, others by resource slot.
    pub(super) collectors: Vec<Collector>,
    grouped: Vec<Option<usize>>,
    pub(super) lines: Vec<LineCollector>,
    parent_groups: Vec<Option<usize>>,
    pub(super) slots: u32,
}

impl DirectoryCollector {
    /// A collector for the parameters that `schema` has for `kind`.
    pub fn new(schema: &Schema, kind: ResourceType) -> DirectoryCollector {
        let parameters = schema.parameters(kind);
        DirectoryCollector {
            collectors: parameters
                .iter()
                .map(|parameter| Collector::new(parameter.kind, located(parameter)))
                .collect(),
            grouped: parameters.iter().map(|parameter| parameter.group).collect(),
            lines: schema
                .groups(kind)
                .iter()
                .map(|_| LineCollector::default())
                .collect(),
            parent_groups: schema
                .groups(kind)
                .iter()
                .map(|group| group.parent)
                .collect(),
            slots: 0,
        }
    }

    /// Notes what was extracted from the next resource and answers its slot.
    pub fn add(&mut self, extraction: &Extraction<'_>) -> u32 {
        let slot = self.slots;
        self.slots += 1;
        // Line numbers of this resource become line slots of the type.
        let starts: Vec<u32> = self.lines.iter().map(|lines| lines.len() as u32).collect();
        for (group, lines) in extraction.lines.iter().enumerate() {
            let parent_start = self.parent_groups[group].map(|parent| starts[parent]);
            for parent in lines {
                let parent = parent_start.zip(*parent).map(|(start, line)| start + line);
                self.lines[group].add(slot, parent);
            }
        }
        for found in &extraction.values {
            let at = match (self.grouped[found.parameter], found.line) {
                (Some(group), Some(line)) => starts[group] + line,
                (None, _) => slot,
                // A grouped parameter's value always has its line; without one it could not be placed.
                (Some(_), None) => continue,
            };
            self.collectors[found.parameter].add(at, &found.value);
        }
        slot
    }

    /// How many resources were noted.
    pub fn len(&self) -> u32 {
        self.slots
    }

    /// Whether no resource was noted.
    pub fn is_empty(&self) -> bool {
        self.slots == 0
    }

    /// What was gathered for a parameter.
    pub fn collector(&self, parameter: usize) -> Option<&Collector> {
        self.collectors.get(parameter)
    }

    /// Bytes of memory that values and lines take.
    pub fn weight(&self) -> usize {
        let values: usize = self.collectors.iter().map(Collector::weight).sum();
        values + self.lines.iter().map(LineCollector::weight).sum::<usize>()
    }
}

impl Gathering for DirectoryCollector {
    fn values(&self, number: usize, _: &Parameter) -> Result<Loaded<'_, Collector>, FormatError> {
        let collector = self.collectors.get(number);
        Ok(collector.map_or(Loaded::Taken(Collector::Nothing), Loaded::Held))
    }

    fn lines(&self, _: &[Group]) -> Result<Loaded<'_, Vec<LineCollector>>, FormatError> {
        Ok(Loaded::Held(&self.lines))
    }
}

/// Writes every parameter and group that was gathered into `pack`, one after the other. `ordinals` gives each slot its
/// ordinal (`u32::MAX`: dropped) among `count`; `edges` are the resolved references of each parameter, `targets` the places
/// of every type.
///
/// # Errors
/// [`FormatError`] when the pack cannot be written, or what was gathered cannot be read back.
#[allow(clippy::too_many_arguments)]
pub fn write(
    gathered: &impl Gathering,
    pack: &mut PackWriter,
    schema: &Schema,
    kind: ResourceType,
    ordinals: &[u32],
    count: usize,
    edges: &[Vec<Edge>],
    targets: &[Places<'_>],
) -> Result<(), FormatError> {
    let groups = schema.groups(kind);
    let places = Places::One { ordinals, count };
    let all_lines = gathered.lines(groups)?;
    let numbers: Vec<(Vec<u32>, usize)> = all_lines
        .iter()
        .map(|lines| lines.numbers(ordinals))
        .collect();
    for (at, group) in groups.iter().enumerate() {
        let parents = group.parent.map(|parent| &numbers[parent].0[..]);
        let (lines, count) = &numbers[at];
        all_lines[at].write(pack, &group_name(group), lines, *count, ordinals, parents)?;
    }
    let owners: Vec<Vec<u32>> = all_lines
        .iter()
        .map(|lines| lines.owner_ordinals(ordinals))
        .collect();
    drop(all_lines);
    for (at, parameter) in schema.parameters(kind).iter().enumerate() {
        let edges = edges.get(at).map_or(&[][..], Vec::as_slice);
        let name = parameter_name(parameter);
        let collector = gathered.values(at, parameter)?;
        match parameter.group {
            None => collector.write(pack, &name, &places, true, edges, targets)?,
            Some(group) => {
                let of_owner = Places::One {
                    ordinals: &owners[group],
                    count,
                };
                collector.write(pack, &name, &of_owner, true, edges, targets)?;
                let of_line = Places::One {
                    ordinals: &numbers[group].0,
                    count: numbers[group].1,
                };
                let name = line_name(&groups[group], parameter);
                // Lines are not sorted, but numbers and quantities of them are asked about one by one.
                let ranked = matches!(
                    parameter.kind,
                    ParameterType::Number | ParameterType::Quantity
                );
                collector.write(pack, &name, &of_line, ranked, &[], targets)?;
            }
        }
    }
    Ok(())
}

/// Writes the parameters of this type at the level of another one, whose reference `from` leads here by `hop`:
/// `leading` gives for each slot of this type the ordinals of the other one that lead to it, among `count`.
///
/// # Errors
/// [`FormatError::Io`].
pub fn write_precomputed(
    gathered: &impl Gathering,
    pack: &mut PackWriter,
    schema: &Schema,
    kind: ResourceType,
    from: &Parameter,
    hop: Hop,
    leading: &Leading,
) -> Result<(), FormatError> {
    let count = leading.count;
    let whole = Places::Many {
        starts: &leading.starts,
        ordinals: &leading.ordinals,
        count,
    };
    // A line leads to whatever leads to its owner.
    let by_line: Vec<Leading> = gathered
        .lines(schema.groups(kind))?
        .iter()
        .map(|lines| Leading::composed(lines.owner_slots(), &whole))
        .collect();
    for (at, parameter) in schema.parameters(kind).iter().enumerate() {
        if !is_precomputed(parameter) {
            continue;
        }
        let places = match parameter.group.and_then(|group| by_line.get(group)) {
            Some(lines) => Places::Many {
                starts: &lines.starts,
                ordinals: &lines.ordinals,
                count,
            },
            None => Places::Many {
                starts: &leading.starts,
                ordinals: &leading.ordinals,
                count,
            },
        };
        gathered.values(at, parameter)?.write(
            pack,
            &precomputed_name(from, hop, parameter),
            &places,
            true,
            &[],
            &[],
        )?;
    }
    Ok(())
}

/// Which ordinals of one type lead to each slot of another: compressed sparse rows.
pub struct Leading {
    starts: Vec<u64>,
    ordinals: Vec<u32>,
    count: usize,
}

impl Leading {
    /// From (slot led to, ordinal that leads there) pairs, in any order, repeats allowed; `count` ordinals there are.
    pub fn new(mut pairs: Vec<(u32, u32)>, slots: usize, count: usize) -> Leading {
        pairs.sort_unstable();
        pairs.dedup();
        let starts = row_starts(slots, pairs.iter().map(|pair| u64::from(pair.0)));
        Leading {
            starts,
            ordinals: pairs.into_iter().map(|pair| pair.1).collect(),
            count,
        }
    }

    fn composed(owners: &[u32], whole: &Places<'_>) -> Leading {
        let mut starts = vec![0];
        let mut ordinals = Vec::new();
        for &owner in owners {
            ordinals.extend_from_slice(whole.of(owner));
            starts.push(ordinals.len() as u64);
        }
        Leading {
            starts,
            ordinals,
            count: whole.count(),
        }
    }
}

/// Whether a parameter is kept at the level of resources that lead to it: those that compare values of their own.
fn is_precomputed(parameter: &Parameter) -> bool {
    !matches!(
        parameter.kind,
        ParameterType::Reference | ParameterType::Special
    )
}

fn precomputed_name(from: &Parameter, hop: Hop, parameter: &Parameter) -> String {
    format!("c.{}.{}.{}", from.code, hop.name(), parameter.code)
}

/// The human text of a resource as the full text takes it: runs joined by [`RUN_SEPARATOR`]. `text` is
/// replaced; it is the caller's so that a build reuses it.
pub fn join_text(schema: &Schema, kind: ResourceType, node: &Node<'_>, text: &mut String) {
    text.clear();
    schema.human_text(kind, node, &mut |run| {
        if !text.is_empty() {
            text.push(RUN_SEPARATOR);
        }
        text.push_str(run);
    });
}

/// An opened resource type.
pub struct Directory {
    kind: ResourceType,
    pack: Pack,
    bodies: Bodies,
    parameters: Vec<ParameterIndex>,
    groups: Vec<GroupIndex>,
    precomputed: Vec<Precomputed>,
    id: Option<usize>,
    text: Text,
}

/// The full text of a directory.
enum Text {
    /// Written with the generation.
    Stored(TextIndex),
    /// Made from the bodies when first asked for: most of what is in memory only is never asked.
    Later {
        schema: Arc<Schema>,
        made: OnceLock<Result<TextIndex, String>>,
    },
}

/// Criteria one reference away, kept at the level of this type.
struct Precomputed {
    reference: usize,
    hop: Hop,
    /// By parameter number of the type referred to.
    parameters: Vec<Option<ParameterIndex>>,
}

fn open_precomputed(
    pack: &Pack,
    schema: &Schema,
    kind: ResourceType,
) -> Result<Vec<Precomputed>, FormatError> {
    let mut opened = Vec::new();
    for (reference, from) in schema.parameters(kind).iter().enumerate() {
        let [target] = from.targets.as_slice() else {
            continue;
        };
        for &hop in &from.precomputed {
            let open = |parameter: &Parameter| {
                is_precomputed(parameter)
                    .then(|| {
                        ParameterIndex::open(
                            pack,
                            &precomputed_name(from, hop, parameter),
                            parameter.kind,
                            false,
                        )
                    })
                    .transpose()
            };
            let parameters = schema
                .parameters(*target)
                .iter()
                .map(open)
                .collect::<Result<_, _>>()?;
            opened.push(Precomputed {
                reference,
                hop,
                parameters,
            });
        }
    }
    Ok(opened)
}

/// An opened group.
pub struct GroupIndex {
    /// Its lines.
    pub lines: LineIndex,
    /// Its parameters at the level of lines, by parameter number.
    pub parameters: Vec<(usize, ParameterIndex)>,
}

impl Directory {
    /// Opens the folder of a type.
    ///
    /// # Errors
    /// [`FormatError`] when a file is missing, damaged or does not fit the schema.
    pub fn open(
        path: &Path,
        schema: &Schema,
        kind: ResourceType,
    ) -> Result<Directory, FormatError> {
        let pack = Pack::open(&path.join(PACK))?;
        let bodies = Bodies::open(path, &pack, kind.name())?;
        let text = TextIndex::open(&path.join(TEXT))?;
        if text.len() != bodies.len() as u64 {
            return Err(FormatError::Damaged {
                path: path.join(TEXT),
                detail: format!("{} documents for {} resources", text.len(), bodies.len()),
            });
        }
        Directory::over(pack, bodies, Text::Stored(text), schema, kind)
    }

    /// Opens a pack and bodies that are in memory only. Their full text is made when it is first asked for.
    ///
    /// # Errors
    /// [`FormatError`] when a section is missing or does not fit the schema.
    pub fn in_memory(
        pack: Pack,
        bodies: Bodies,
        schema: &Arc<Schema>,
        kind: ResourceType,
    ) -> Result<Directory, FormatError> {
        let text = Text::Later {
            schema: schema.clone(),
            made: OnceLock::new(),
        };
        Directory::over(pack, bodies, text, schema, kind)
    }

    fn over(
        pack: Pack,
        bodies: Bodies,
        text: Text,
        schema: &Schema,
        kind: ResourceType,
    ) -> Result<Directory, FormatError> {
        let parameters = schema
            .parameters(kind)
            .iter()
            .map(|parameter| {
                ParameterIndex::open(
                    &pack,
                    &parameter_name(parameter),
                    parameter.kind,
                    located(parameter),
                )
            })
            .collect::<Result<Vec<_>, _>>()?;
        let groups = schema
            .groups(kind)
            .iter()
            .enumerate()
            .map(|(number, group)| {
                let own = schema
                    .parameters(kind)
                    .iter()
                    .enumerate()
                    .filter(|(_, parameter)| parameter.group == Some(number));
                Ok(GroupIndex {
                    lines: LineIndex::open(&pack, &group_name(group))?,
                    parameters: own
                        .map(|(at, parameter)| {
                            ParameterIndex::open(
                                &pack,
                                &line_name(group, parameter),
                                parameter.kind,
                                located(parameter),
                            )
                            .map(|index| (at, index))
                        })
                        .collect::<Result<_, FormatError>>()?,
                })
            })
            .collect::<Result<Vec<_>, FormatError>>()?;
        let precomputed = open_precomputed(&pack, schema, kind)?;
        Ok(Directory {
            kind,
            pack,
            bodies,
            parameters,
            groups,
            precomputed,
            id: schema.find(kind, "_id"),
            text,
        })
    }

    /// The resource type.
    pub fn kind(&self) -> ResourceType {
        self.kind
    }

    /// How many resources there are; ordinals are below.
    pub fn len(&self) -> u32 {
        self.bodies.len() as u32
    }

    /// Whether there is no resource.
    pub fn is_empty(&self) -> bool {
        self.bodies.is_empty()
    }

    /// Stored resources.
    pub fn bodies(&self) -> &Bodies {
        &self.bodies
    }

    /// The resource of an id.
    pub fn ordinal(&self, id: &str) -> Option<u32> {
        self.ids()?.unique(id)
    }

    /// The index of ids.
    pub fn ids(&self) -> Option<&TokenIndex> {
        match &self.parameters.get(self.id?)?.values {
            Values::Token(index) => Some(index),
            _ => None,
        }
    }

    /// A parameter by its number in the schema.
    pub fn parameter(&self, number: usize) -> Option<&ParameterIndex> {
        self.parameters.get(number)
    }

    /// The ordinals with a value for a parameter.
    ///
    /// # Errors
    /// [`FormatError`] when the section is damaged.
    pub fn present(&self, number: usize) -> Result<RoaringBitmap, FormatError> {
        self.parameter(number).map_or_else(
            || Ok(RoaringBitmap::new()),
            |parameter| parameter.present(&self.pack),
        )
    }

    /// The criterion of a parameter of the type that a reference leads to, at the level of this type, when the schema
    /// has it precomputed.
    pub fn precomputed(
        &self,
        reference: usize,
        hop: Hop,
        parameter: usize,
    ) -> Option<&ParameterIndex> {
        let chain = self
            .precomputed
            .iter()
            .find(|chain| chain.reference == reference && chain.hop == hop)?;
        chain.parameters.get(parameter)?.as_ref()
    }

    /// A group by its number in the schema.
    pub fn group(&self, number: usize) -> Option<&GroupIndex> {
        self.groups.get(number)
    }

    /// Full text.
    ///
    /// # Errors
    /// [`FormatError::Text`] when that of a directory in memory cannot be made.
    pub fn text(&self) -> Result<&TextIndex, FormatError> {
        match &self.text {
            Text::Stored(text) => Ok(text),
            Text::Later { schema, made } => made
                .get_or_init(|| self.make_text(schema).map_err(|error| error.to_string()))
                .as_ref()
                .map_err(|detail| FormatError::Text {
                    path: TEXT.into(),
                    detail: detail.clone(),
                }),
        }
    }

    fn make_text(&self, schema: &Schema) -> Result<TextIndex, FormatError> {
        let mut writer = TextWriter::in_memory()?;
        let mut text = String::new();
        for ordinal in 0..self.len() {
            let body = self.bodies.body(ordinal).unwrap_or_default();
            let node = Node::parse(&body).map_err(|error| FormatError::Damaged {
                path: BODIES.into(),
                detail: error.to_string(),
            })?;
            join_text(schema, self.kind, &node, &mut text);
            writer.push(&text)?;
        }
        writer.into_index()
    }

    /// The pack behind the parameters.
    pub fn pack(&self) -> &Pack {
        &self.pack
    }
}
