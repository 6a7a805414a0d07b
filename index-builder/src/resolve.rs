//! Which resources stay, and what their references point to.

use std::collections::{HashMap, HashSet};

use ahash::RandomState;
use hashbrown::HashTable;

use rorqual::index::FormatError;
use rorqual::index::column::Collector;
use rorqual::index::reference::{Edge, Pointer};
use rorqual::index::runs::{Gathering as _, Runs};
use rorqual_schema::{ParameterType, ResourceType, Schema};

use crate::delta::Withdrawn;
use crate::gather::{Provenance, Resource};
use crate::resources::Resources;

/// The resources that stay: of several with one id the later `lastUpdated`, then by [`Provenance`], then the later in
/// the input.
pub struct Kept {
    kept: Vec<Vec<bool>>,
    /// How many were replaced, by type.
    pub replaced: Vec<u64>,
}

/// The slots of those that stay, by type and id.
pub struct Slots<'r>(Vec<SlotsById<'r>>);

/// Slots by the ids of their resources, which are not held a second time.
struct SlotsById<'r> {
    resources: &'r Resources,
    slots: HashTable<u32>,
    state: RandomState,
}

impl<'r> SlotsById<'r> {
    fn new(resources: &'r Resources) -> SlotsById<'r> {
        SlotsById {
            resources,
            slots: HashTable::with_capacity(resources.len()),
            state: RandomState::new(),
        }
    }

    fn get(&self, id: &str) -> Option<u32> {
        let same = |slot: &u32| self.resources.id(*slot) == id;
        self.slots.find(self.state.hash_one(id), same).copied()
    }

    /// The slot known for the id of a slot, which is this one when none was.
    fn known(&mut self, slot: u32) -> &mut u32 {
        let (resources, state) = (self.resources, &self.state);
        let id = resources.id(slot);
        let same = |other: &u32| resources.id(*other) == id;
        let hash = |other: &u32| state.hash_one(resources.id(*other));
        let entry = self.slots.entry(state.hash_one(id), same, hash);
        entry.or_insert(slot).into_mut()
    }
}

impl Slots<'_> {
    fn of(&self, kind: ResourceType, id: &str) -> Option<u32> {
        self.0[kind.index()].get(id)
    }
}

impl Kept {
    /// Decides among `resources`, by type and slot. What is withdrawn goes, whatever its versions.
    ///
    /// # Errors
    /// [`FormatError`] when what is known of them cannot be read.
    pub fn decide<'r>(
        resources: &'r [Resources],
        withdrawn: &Withdrawn,
    ) -> Result<(Kept, Slots<'r>), FormatError> {
        let of_type =
            |kind: ResourceType| decide_type(&resources[kind.index()], &withdrawn[kind.index()]);
        let mut decided = Kept {
            kept: Vec::new(),
            replaced: Vec::new(),
        };
        let mut by_id = Slots(Vec::new());
        for of_type in each_type(of_type) {
            let (slots, kept, replaced) = of_type?;
            by_id.0.push(slots);
            decided.kept.push(kept);
            decided.replaced.push(replaced);
        }
        Ok((decided, by_id))
    }

    /// Whether the resource of a slot stays.
    pub fn is_kept(&self, kind: ResourceType, slot: u32) -> bool {
        self.kept[kind.index()][slot as usize]
    }
}

/// What is done for each type at once, by type.
fn each_type<T: Send>(of_type: impl Fn(ResourceType) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let of_type = &of_type;
        let running = ResourceType::ALL.map(|kind| scope.spawn(move || of_type(kind)));
        let joined = running.into_iter().map(|thread| thread.join());
        // What panicked in there panics on here, as it would without threads.
        joined
            .map(|one| one.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

/// Which resources of one type stay: their slots by id, whether each slot stays, and how many were replaced.
fn decide_type<'r>(
    resources: &'r Resources,
    withdrawn: &HashSet<Box<str>>,
) -> Result<(SlotsById<'r>, Vec<bool>, u64), FormatError> {
    let mut slots = SlotsById::new(resources);
    let mut kept = vec![true; resources.len()];
    let mut replaced = 0;
    for (slot, id, _) in resources.each() {
        if !withdrawn.is_empty() && withdrawn.contains(id) {
            kept[slot as usize] = false;
            continue;
        }
        let known = slots.known(slot);
        if *known == slot {
            continue;
        }
        let (resource, rival) = (resources.get(slot)?, resources.get(*known)?);
        let age = |of: &Resource<'_>| (of.updated, of.provenance, of.sequence);
        let later = age(&resource) > age(&rival);
        let loser = if later {
            std::mem::replace(known, slot)
        } else {
            slot
        };
        kept[loser as usize] = false;
        // What is carried over from before meets its own copy in most extracts; only two records of one
        // extract are worth a count.
        replaced += u64::from([resource.provenance, rival.provenance] == [Provenance::Extract; 2]);
    }
    Ok((slots, kept, replaced))
}

/// The references of every type: for each parameter its edges, and how many literal references dangle.
pub struct Resolved {
    /// By type, by parameter number.
    pub edges: Vec<Vec<Vec<Edge>>>,
    /// By type.
    pub dangling: Vec<u64>,
    /// The slots of anomalies whose literal focus leads nowhere.
    pub without_focus: Vec<u32>,
}

/// (type, system, slot) of each identifier value that a logical reference names.
type Identifiers = HashMap<Vec<u8>, Vec<(ResourceType, Vec<u8>, u32)>>;

/// Resolves every reference of the extract.
///
/// # Errors
/// [`FormatError`] when what was gathered cannot be read.
pub fn resolve(
    schema: &Schema,
    directories: &[Runs],
    kept: &Kept,
    slots: &Slots<'_>,
) -> Result<Resolved, FormatError> {
    let identifiers = identifiers(schema, directories, kept)?;
    let of_type = |kind: ResourceType| -> Result<_, FormatError> {
        let (mut all, mut count, mut without_focus) = (Vec::new(), 0, Vec::new());
        for (number, parameter) in schema.parameters(kind).iter().enumerate() {
            let mut edges = Vec::new();
            if parameter.kind == ParameterType::Reference
                && let Collector::Reference(references) =
                    &*directories[kind.index()].values(number, parameter)?
            {
                let targets = &parameter.targets;
                let (found, dangling) = references.resolve(
                    |slot| kept.is_kept(kind, slot),
                    |pointer, out| match pointer {
                        Pointer::Literal(hint, id) => out.extend(
                            targets
                                .iter()
                                .filter(|&&target| hint.is_none_or(|hint| hint == target))
                                .filter_map(|&target| {
                                    slots.of(target, id).map(|slot| (target, slot))
                                }),
                        ),
                        Pointer::Logical(hint, system, value) => {
                            for (target, its_system, slot) in
                                identifiers.get(value.as_bytes()).into_iter().flatten()
                            {
                                let fits = targets.contains(target)
                                    && hint.is_none_or(|hint| hint == *target)
                                    && (system.is_empty() || system.as_bytes() == its_system);
                                if fits {
                                    out.push((*target, *slot));
                                }
                            }
                        }
                    },
                );
                count += dangling.len() as u64;
                if kind == ResourceType::Task && parameter.code == "focus" {
                    without_focus = dangling;
                }
                edges = found;
            }
            all.push(edges);
        }
        Ok((all, count, without_focus))
    };
    let mut resolved = Resolved {
        edges: Vec::new(),
        dangling: Vec::new(),
        without_focus: Vec::new(),
    };
    for of_type in each_type(of_type) {
        let (edges, dangling, without_focus) = of_type?;
        resolved.edges.push(edges);
        resolved.dangling.push(dangling);
        resolved.without_focus.extend(without_focus);
    }
    Ok(resolved)
}

/// The identifiers that logical references name: only those, since most references are literal.
fn identifiers(
    schema: &Schema,
    directories: &[Runs],
    kept: &Kept,
) -> Result<Identifiers, FormatError> {
    let mut wanted: Identifiers = HashMap::new();
    for kind in ResourceType::ALL {
        for (number, parameter) in schema.parameters(kind).iter().enumerate() {
            if parameter.kind == ParameterType::Reference
                && let Collector::Reference(references) =
                    &*directories[kind.index()].values(number, parameter)?
            {
                references.logical_values(|value| {
                    wanted.entry(value.to_vec()).or_default();
                });
            }
        }
    }
    if wanted.is_empty() {
        return Ok(wanted);
    }
    for kind in ResourceType::ALL {
        let Some(number) = schema.find(kind, "identifier") else {
            continue;
        };
        let parameter = &schema.parameters(kind)[number];
        if let Collector::Token(tokens) = &*directories[kind.index()].values(number, parameter)? {
            tokens.each(|value, system, slot| {
                if kept.is_kept(kind, slot)
                    && let Some(holders) = wanted.get_mut(value)
                {
                    holders.push((kind, system.to_vec(), slot));
                }
            });
        }
    }
    Ok(wanted)
}
