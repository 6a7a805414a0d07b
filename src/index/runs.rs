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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use rorqual_schema::{Extraction, Node};

    use super::*;
    use crate::index::directory::write;
    use crate::index::interner::Places;

    /// A resource that holds values of every kind, lines and lines inside lines among them, few enough distinct ones that runs
    /// share them.
    fn resource(kind: ResourceType, seed: u32) -> String {
        let some = |of: u32| (seed >> of) % 4;
        let (a, b, c, d) = (some(0), some(3), some(6), some(9));
        match kind {
            ResourceType::Location => format!(
                r#"{{"resourceType":"Location","id":"l{seed}","meta":{{"lastUpdated":"202{a}-0{}-01T00:00:00Z"}},
                "identifier":[{{"system":"urn:s{b}","value":"v{c}","type":{{"coding":[{{"system":"urn:t","code":"c{d}"}}]}}}}],
                "name":"Été {c}","status":"active","position":{{"latitude":4{a}.5,"longitude":{b}.25}},
                "managingOrganization":{{"reference":"Organization/o{d}"}},"partOf":{{"identifier":{{"system":"urn:s","value":"x{a}"}}}},
                "extension":[{{"url":"https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-location-supported-capacity","extension":[
                  {{"url":"nbCapacity","valueInteger":{c}}}]}},
                  {{"url":"https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-location-supported-capacity","extension":[
                  {{"url":"nbCapacity","valueInteger":{d}}}]}}]}}"#,
                b + 1
            ),
            _ => format!(
                r#"{{"resourceType":"HealthcareService","id":"h{seed}","meta":{{"lastUpdated":"202{b}-01-0{}T00:00:00Z"}},
                "identifier":[{{"system":"urn:s{a}","value":"v{b}"}},{{"value":"v{c}"}}],"name":"Écoute {d}",
                "providedBy":{{"reference":"Organization/o{c}"}},"location":[{{"reference":"Location/l{a}"}},{{"reference":"Location/l{d}"}}],
                "characteristic":[{{"coding":[{{"system":"urn:k","code":"k{a}"}},{{"system":"urn:k","code":"k{c}"}}]}}],
                "specialty":[{{"coding":[{{"system":"urn:k","code":"s{b}"}}]}}],
                "extension":[{{"url":"https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-healthcareservice-patient-type","extension":[
                  {{"url":"ageRange","valueRange":{{"high":{{"value":{d},"unit":"an","system":"http://unitsofmeasure.org","code":"a"}}}}}}]}}]}}"#,
                a + 1
            ),
        }
    }

    fn gather<'r>(
        schema: &Schema,
        kind: ResourceType,
        resources: impl Iterator<Item = &'r String>,
    ) -> DirectoryCollector {
        let mut collector = DirectoryCollector::new(schema, kind);
        for text in resources {
            let node = Node::parse(text.as_bytes()).unwrap();
            let mut extraction = Extraction::new();
            schema.extract(kind, &node, &mut extraction);
            collector.add(&extraction);
        }
        collector
    }

    /// Everything that is written of a type: what is searched, and what deltas start from.
    fn written(
        schema: &Schema,
        kind: ResourceType,
        gathered: &impl Gathering,
        ordinals: &[u32],
    ) -> Vec<(String, Vec<u8>)> {
        let count = ordinals.iter().filter(|&&at| at != u32::MAX).count();
        let mut index = PackWriter::in_memory().unwrap();
        let targets: Vec<Places<'_>> = ResourceType::ALL
            .iter()
            .map(|_| Places::One { ordinals, count })
            .collect();
        write(
            gathered,
            &mut index,
            schema,
            kind,
            ordinals,
            count,
            &[],
            &targets,
        )
        .unwrap();
        let mut kept = PackWriter::in_memory().unwrap();
        write_values(&mut kept, schema, kind, gathered, ordinals).unwrap();
        let mut sections = Vec::new();
        for pack in [index.into_pack().unwrap(), kept.into_pack().unwrap()] {
            for (name, _) in pack.sections() {
                let bytes = pack.region(name).unwrap().as_slice().to_vec();
                sections.push((name.to_owned(), bytes));
            }
        }
        sections
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// However a type is cut into runs, in memory or in files: what is written of it is what is written of one that was
        /// never cut, whichever resources are dropped and in whatever order the others are.
        #[test]
        fn any_cut_into_runs_is_the_whole(
            seeds in prop::collection::vec(0u32..4096, 1..40),
            cuts in prop::collection::vec(0u8..12, 40),
            order in prop::collection::vec(any::<u32>(), 40),
        ) {
            let schema = Schema::embedded().unwrap();
            let dir = tempfile::tempdir().unwrap();
            for kind in [ResourceType::Location, ResourceType::HealthcareService] {
                let resources: Vec<String> = seeds.iter().map(|&seed| resource(kind, seed)).collect();
                let whole = gather(&schema, kind, resources.iter());
                prop_assert!(whole.weight() > 0);
                let mut runs = Runs::default();
                let mut start = 0;
                for (at, cut) in cuts.iter().take(resources.len()).enumerate() {
                    if *cut < 3 || at + 1 == resources.len() {
                        let own = gather(&schema, kind, resources[start..=at].iter());
                        let path = dir.path().join(format!("{kind}-{at}"));
                        let path = (*cut != 0).then_some(path.as_path());
                        runs.push(Run::seal(&schema, kind, &own, path).unwrap());
                        start = at + 1;
                    }
                }
                prop_assert_eq!(runs.len(), whole.len());
                // One in four is dropped; the others stand in the order of random numbers.
                let mut slots: Vec<u32> = (0..whole.len()).filter(|&slot| !order[slot as usize].is_multiple_of(4)).collect();
                slots.sort_by_key(|&slot| order[slot as usize]);
                let mut ordinals = vec![u32::MAX; resources.len()];
                for (&slot, ordinal) in slots.iter().zip(0..) {
                    ordinals[slot as usize] = ordinal;
                }
                let (one, cut) = (written(&schema, kind, &whole, &ordinals), written(&schema, kind, &runs, &ordinals));
                prop_assert!(one.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() > 0);
                for (one, cut) in one.iter().zip(&cut) {
                    prop_assert!(one == cut, "{kind}: {} or {}", one.0, cut.0);
                }
                prop_assert_eq!(one.len(), cut.len());
                runs.remove().unwrap();
            }
            prop_assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        }
    }
}
