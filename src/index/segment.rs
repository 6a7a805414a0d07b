//! A segment: resources of one type written since a generation was built, indexed in memory like a directory of it.

use std::sync::Arc;

use roaring::RoaringBitmap;
use rorqual_schema::{Extraction, Node, ResourceType, Schema};

use super::FormatError;
use super::bodies::{Bodies, JoinedBodies};
use super::column::{Collector, Values};
use super::directory::{Directory, DirectoryCollector, write};
use super::generation::Generation;
use super::interner::Places;
use super::pack::PackWriter;
use super::reference::{Edge, Pointer};

/// Builds segments against the directories of one generation.
pub struct SegmentBuilder {
    generation: Arc<Generation>,
    /// The ordinals 0, 1, 2…: references of a segment lead to ordinals, and collectors ask for slots.
    same: Vec<u32>,
}

impl SegmentBuilder {
    /// A builder of segments whose references lead into `generation`.
    pub fn new(generation: Arc<Generation>) -> SegmentBuilder {
        let most = ResourceType::ALL
            .iter()
            .map(|&kind| generation.directory(kind).len())
            .max()
            .unwrap_or(0);
        SegmentBuilder {
            generation,
            same: (0..most).collect(),
        }
    }

    /// The generation that references lead into.
    pub fn generation(&self) -> &Arc<Generation> {
        &self.generation
    }

    /// Indexes (id, body) pairs of one type, in this order.
    ///
    /// # Errors
    /// [`FormatError::Damaged`] when a body is no JSON, [`FormatError::Io`] when there is no memory.
    pub fn build<'b>(
        &self,
        kind: ResourceType,
        resources: impl IntoIterator<Item = (&'b str, &'b [u8])>,
    ) -> Result<Directory, FormatError> {
        let schema = self.generation.schema();
        let mut collector = DirectoryCollector::new(schema, kind);
        let mut bodies = JoinedBodies::new(kind.name());
        for (id, body) in resources {
            let node = Node::parse(body).map_err(|error| FormatError::Damaged {
                path: "memory".into(),
                detail: format!("{kind}/{id}: {error}"),
            })?;
            let mut extraction = Extraction::new();
            schema.extract(kind, &node, &mut extraction);
            collector.add(&extraction);
            bodies.push(id, body);
        }
        let (edges, _) = self.resolve(kind, &collector);
        let mut pack = PackWriter::in_memory()?;
        pack.column("bodies.offsets", bodies.offsets())?;
        self.write(&mut pack, kind, &collector, &edges)?;
        let pack = pack.into_pack()?;
        let bodies = Bodies::in_memory(bodies, &pack, kind.name())?;
        Directory::in_memory(pack, bodies, schema, kind)
    }

    /// Writes what was gathered of a type, slots being ordinals. `edges` are those of [`SegmentBuilder::resolve`].
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn write(
        &self,
        pack: &mut PackWriter,
        kind: ResourceType,
        collector: &DirectoryCollector,
        edges: &[Vec<Edge>],
    ) -> Result<(), FormatError> {
        let count = collector.len() as usize;
        let own: Vec<u32> = (0..collector.len()).collect();
        let targets: Vec<Places<'_>> = ResourceType::ALL
            .iter()
            .map(|&kind| {
                let count = self.generation.directory(kind).len() as usize;
                Places::One {
                    ordinals: self.same.get(..count).unwrap_or(&self.same),
                    count,
                }
            })
            .collect();
        let schema = self.generation.schema();
        write(collector, pack, schema, kind, &own, count, edges, &targets)
    }

    /// The references of what was gathered, by parameter, and how many literal ones lead nowhere.
    pub fn resolve(
        &self,
        kind: ResourceType,
        collector: &DirectoryCollector,
    ) -> (Vec<Vec<Edge>>, u64) {
        let mut all = Vec::new();
        let mut dangling = 0;
        for (number, parameter) in self.generation.schema().parameters(kind).iter().enumerate() {
            let Some(Collector::Reference(references)) = collector.collector(number) else {
                all.push(Vec::new());
                continue;
            };
            let (edges, lost) = references.resolve(
                |_| true,
                |pointer, out| self.targets(&parameter.targets, &pointer, out),
            );
            all.push(edges);
            dangling += lost.len() as u64;
        }
        (all, dangling)
    }

    /// What a reference leads to, among the resources of `targets`.
    fn targets(
        &self,
        targets: &[ResourceType],
        pointer: &Pointer<'_>,
        out: &mut Vec<(ResourceType, u32)>,
    ) {
        let hint = match pointer {
            Pointer::Literal(hint, _) | Pointer::Logical(hint, _, _) => *hint,
        };
        let fitting = targets
            .iter()
            .copied()
            .filter(|&target| hint.is_none_or(|hint| hint == target));
        for target in fitting {
            match pointer {
                Pointer::Literal(_, id) => out.extend(
                    self.generation
                        .directory(target)
                        .ordinal(id)
                        .map(|ordinal| (target, ordinal)),
                ),
                Pointer::Logical(_, system, value) => out.extend(
                    identified(&self.generation, target, system, value)
                        .into_iter()
                        .map(|ordinal| (target, ordinal)),
                ),
            }
        }
    }
}

/// The resources of a type that bear an identifier; any system will do when none is given.
pub fn identified(
    generation: &Generation,
    kind: ResourceType,
    system: &str,
    value: &str,
) -> RoaringBitmap {
    let directory = generation.directory(kind);
    identified_in(generation.schema(), directory, kind, system, value)
}

/// The resources of one directory of a type that bear an identifier; any system will do when none is given.
pub fn identified_in(
    schema: &Schema,
    directory: &Directory,
    kind: ResourceType,
    system: &str,
    value: &str,
) -> RoaringBitmap {
    let number = schema.find(kind, "identifier");
    let index = number.and_then(|number| directory.parameter(number));
    let Some(Values::Token(tokens)) = index.map(|index| &index.values) else {
        return RoaringBitmap::new();
    };
    // Terms are `code NUL system`: those of one value are neighbours.
    let key = [value.as_bytes(), &[0], system.as_bytes()].concat();
    let terms = match (system, tokens.terms().find(&key)) {
        ("", _) => tokens.terms().prefix_range(&key),
        (_, Some(term)) => term..term + 1,
        (_, None) => 0..0,
    };
    tokens.postings().bitmap_of_range(terms)
}
