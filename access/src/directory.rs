//! What leads where in an extract: one pass gives the facts of every resource, and what each view holds.

use std::collections::{HashMap, HashSet};

use rorqual_schema::{Node, ReferenceTarget, ResourceType, canonical_system, parse_reference};
use xxhash_rust::xxh3::xxh3_64;

use crate::facts::{Facts, own_facts};
use crate::references::{Sought, Target, focus_of};
use crate::rules::DataRules;
use crate::values::regions;

/// Gathers an extract, one resource at a time and in any order.
///
/// Of each resource it keeps the id, the identifiers as 64-bit digests, the regions, and the links that carry facts: about 150 bytes.
#[derive(Debug, Default)]
pub struct Survey {
    tables: [Table; ResourceType::COUNT],
    regions: Vec<String>,
}

/// The extract seen as a whole: the facts of each of its resources.
#[derive(Debug)]
pub struct Directory {
    tables: [Table; ResourceType::COUNT],
    regions: Vec<String>,
}

/// What one view holds of a [`Directory`]; answers the question that [`DataRules::redact`] asks about references.
#[derive(Debug)]
pub struct Visibility<'d> {
    directory: &'d Directory,
    seen: [Vec<bool>; ResourceType::COUNT],
}

#[derive(Debug, Default)]
struct Table {
    by_id: HashMap<String, usize>,
    by_value: HashMap<u64, Vec<(u64, usize)>>,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    facts: Facts,
    regions: Vec<u16>,
    links: Vec<(Role, Link)>,
    /// Of a Task: what it is about, where that can be told.
    focus: Option<Vec<Sought>>,
}

/// What a link means for facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// From a HealthcareService or a PractitionerRole: the other end takes the facts of this one.
    Gives,
    /// From a PractitionerRole to its service: this one takes the facts of the other end.
    Takes,
    /// From a Location to the place it is part of: this one takes them when no service leads to it.
    Within,
}

#[derive(Debug)]
enum Link {
    Literal(ResourceType, String),
    Logical(ResourceType, u64, u64),
    Untold,
}

impl Survey {
    /// An empty survey.
    pub fn new() -> Survey {
        Survey::default()
    }

    /// Takes note of a resource. Of two with one type and id the later replaces the facts of the earlier; a resource without an id is
    /// passed over, since nothing can lead to it.
    pub fn note(&mut self, kind: ResourceType, resource: &Node<'_>) {
        let Some(id) = resource.get("id").and_then(Node::as_str) else {
            return;
        };
        let tags = regions(resource)
            .into_iter()
            .filter_map(|code| self.region(code))
            .collect();
        let row = Row {
            facts: own_facts(kind, resource),
            regions: tags,
            links: links(kind, resource),
            focus: match kind {
                ResourceType::Task => focus_of(resource),
                _ => None,
            },
        };
        let table = &mut self.tables[kind.index()];
        let place = match table.by_id.get(id) {
            Some(place) => {
                table.rows[*place] = row;
                *place
            }
            None => {
                table.by_id.insert(id.to_owned(), table.rows.len());
                table.rows.push(row);
                table.rows.len() - 1
            }
        };
        for identifier in resource.get("identifier").map_or(&[][..], Node::items) {
            if let Some((system, value)) = identifier_digests(identifier) {
                table
                    .by_value
                    .entry(value)
                    .or_default()
                    .push((system, place));
            }
        }
    }

    fn region(&mut self, code: &str) -> Option<u16> {
        let known = self.regions.iter().position(|known| known == code);
        let place = known.unwrap_or_else(|| {
            self.regions.push(code.to_owned());
            self.regions.len() - 1
        });
        u16::try_from(place).ok()
    }

    /// Draws the facts along the links.
    ///
    /// A service has its own; a role those of its service ([`Facts::unknown`] when it names one that is not there); a professional
    /// those of all their roles; an organization those of the services it carries itself; a place those of the services given there
    /// and of the roles held there, and without any those of the place it is part of. Several are [combined](Facts::combine).
    pub fn finish(mut self) -> Directory {
        use ResourceType::{HealthcareService, Location, PractitionerRole};
        self.give(HealthcareService);
        self.take_from_services();
        self.give(PractitionerRole);
        let mut within: Vec<(usize, Facts)> = Vec::new();
        let places = &self.tables[Location.index()];
        for (place, row) in places.rows.iter().enumerate() {
            if row.facts == Facts::unattached() {
                within.push((place, self.around(place)));
            }
        }
        for (place, facts) in within {
            self.tables[Location.index()].rows[place].facts = facts;
        }
        let of_focus = |row: &Row| facts_of_focus(&self.tables, row.focus.as_deref());
        let tasks = self.tables[ResourceType::Task.index()].rows.iter();
        let facts: Vec<Facts> = tasks.map(of_focus).collect();
        let tasks = self.tables[ResourceType::Task.index()].rows.iter_mut();
        for (row, facts) in tasks.zip(facts) {
            row.facts = facts;
        }
        Directory {
            tables: self.tables,
            regions: self.regions,
        }
    }

    /// The facts of the nearest places around one that have any; of several as near, all of them. None when there is no such,
    /// or when the way up turns round.
    fn around(&self, place: usize) -> Facts {
        let table = &self.tables[ResourceType::Location.index()];
        let mut ring = vec![place];
        let mut met = HashSet::from([place]);
        while !ring.is_empty() {
            let links = ring.iter().flat_map(|at| &table.rows[*at].links);
            let ends: Vec<usize> = links
                .filter(|(role, _)| *role == Role::Within)
                .flat_map(|(_, link)| ends(&self.tables, link))
                .map(|(_, place)| place)
                .collect();
            let facts = ends.iter().map(|end| table.rows[*end].facts);
            let facts = facts.fold(Facts::unattached(), Facts::combine);
            if facts != Facts::unattached() {
                return facts;
            }
            ring = ends.into_iter().filter(|end| met.insert(*end)).collect();
        }
        Facts::unattached()
    }

    fn give(&mut self, kind: ResourceType) {
        let mut given = Vec::new();
        for row in &self.tables[kind.index()].rows {
            for (role, link) in &row.links {
                if *role == Role::Gives {
                    given.extend(
                        ends(&self.tables, link)
                            .into_iter()
                            .map(|end| (end, row.facts)),
                    );
                }
            }
        }
        for ((kind, place), facts) in given {
            let row = &mut self.tables[kind.index()].rows[place];
            row.facts = row.facts.combine(facts);
        }
    }

    fn take_from_services(&mut self) {
        let role_table = ResourceType::PractitionerRole.index();
        let mut taken = Vec::new();
        for row in &self.tables[role_table].rows {
            let mut facts = Facts::unattached();
            for (_, link) in row.links.iter().filter(|(role, _)| *role == Role::Takes) {
                let ends = ends(&self.tables, link);
                if ends.is_empty() {
                    facts = facts.combine(Facts::unknown());
                }
                for (kind, place) in ends {
                    facts = facts.combine(self.tables[kind.index()].rows[place].facts);
                }
            }
            taken.push(facts);
        }
        for (row, facts) in self.tables[role_table].rows.iter_mut().zip(taken) {
            row.facts = facts;
        }
    }
}

impl Directory {
    /// The facts of a resource, those of its focus for a Task; [`Facts::unattached`] for a resource that is not there.
    pub fn facts(&self, kind: ResourceType, id: &str) -> Facts {
        let table = &self.tables[kind.index()];
        table
            .by_id
            .get(id)
            .and_then(|place| table.rows.get(*place))
            .map_or(Facts::unattached(), |row| row.facts)
    }

    /// The facts of a Task that is not among those noted, which are those of its focus: [`Facts::unknown`] when that is not
    /// there or cannot be told.
    pub fn task_facts(&self, task: &Node<'_>) -> Facts {
        facts_of_focus(&self.tables, focus_of(task).as_deref())
    }

    /// What a view made by those rules holds. A Task is there when its focus is; Tasks that are about each other are not.
    pub fn visibility(&self, rules: &DataRules) -> Visibility<'_> {
        let seen = ResourceType::ALL.map(|kind| {
            let rows = self.tables[kind.index()].rows.iter();
            rows.map(|row| kind != ResourceType::Task && self.sees(rules, kind, row))
                .collect()
        });
        let mut visibility = Visibility {
            directory: self,
            seen,
        };
        let tasks = &self.tables[ResourceType::Task.index()].rows;
        let mut hidden: Vec<usize> = (0..tasks.len())
            .filter(|place| self.sees(rules, ResourceType::Task, &tasks[*place]))
            .collect();
        loop {
            let (leading, others): (Vec<usize>, Vec<usize>) =
                hidden.into_iter().partition(|place| {
                    let focus = tasks[*place].focus.as_ref();
                    focus.is_some_and(|focus| {
                        focus
                            .iter()
                            .all(|sought| visibility.holds(&sought.target()))
                    })
                });
            if leading.is_empty() {
                return visibility;
            }
            for place in leading {
                visibility.seen[ResourceType::Task.index()][place] = true;
            }
            hidden = others;
        }
    }

    /// Whether the documents of a type are shown under the facts of this one.
    fn sees(&self, rules: &DataRules, kind: ResourceType, row: &Row) -> bool {
        let regions: Vec<&str> = row
            .regions
            .iter()
            .filter_map(|place| self.regions.get(usize::from(*place)))
            .map(String::as_str)
            .collect();
        rules.sees(kind, &regions, row.facts)
    }
}

impl Visibility<'_> {
    /// Whether the view holds what a reference names: the resource of a literal, and of an identifier everybody who carries it. What
    /// nobody has is not held: whoever wrote a reference could otherwise learn from what becomes of it whether somebody hidden has it.
    pub fn holds(&self, target: &Target<'_>) -> bool {
        let seen = |kind: ResourceType, place: usize| {
            self.seen[kind.index()].get(place).copied().unwrap_or(false)
        };
        match target {
            Target::Literal { kind, id } => {
                let place = self.directory.tables[kind.index()].by_id.get(*id);
                place.is_some_and(|place| seen(*kind, *place))
            }
            Target::Logical {
                kind,
                system,
                value,
            } => {
                let mut carriers =
                    carriers(&self.directory.tables, *kind, system, value).peekable();
                carriers.peek().is_some() && carriers.all(|(kind, place)| seen(kind, place))
            }
        }
    }
}

/// Everybody who carries an identifier: of that type, if one is told; of any system, if none is.
fn carriers<'t>(
    tables: &'t [Table; ResourceType::COUNT],
    kind: Option<ResourceType>,
    system: &str,
    value: &str,
) -> impl Iterator<Item = (ResourceType, usize)> + 't {
    let (system, value) = (system_digest(system), xxh3_64(value.as_bytes()));
    ResourceType::ALL
        .into_iter()
        .filter(move |each| kind.is_none_or(|kind| kind == *each))
        .flat_map(move |each| {
            let found = tables[each.index()].carriers(system, value);
            found.map(move |place| (each, place))
        })
}

fn facts_of_focus(tables: &[Table; ResourceType::COUNT], focus: Option<&[Sought]>) -> Facts {
    Facts::of_focus(focus, &|target| {
        let found: Vec<(ResourceType, usize)> = match target {
            Target::Literal { kind, id } => {
                let place = tables[kind.index()].by_id.get(id);
                place.map(|place| (kind, *place)).into_iter().collect()
            }
            Target::Logical {
                kind,
                system,
                value,
            } => carriers(tables, kind, &system, value).collect(),
        };
        let facts = |(kind, place): (ResourceType, usize)| match kind {
            ResourceType::Task => Facts::unknown(),
            kind => tables[kind.index()].rows[place].facts,
        };
        found.into_iter().map(facts).collect()
    })
}

/// Digest of "no system", which matches any.
const ANY_SYSTEM: u64 = 0;

impl Table {
    fn carriers(&self, system: u64, value: u64) -> impl Iterator<Item = usize> + '_ {
        self.by_value
            .get(&value)
            .into_iter()
            .flatten()
            .filter(move |(known, _)| system == ANY_SYSTEM || *known == system)
            .map(|(_, place)| *place)
    }
}

fn system_digest(system: &str) -> u64 {
    if system.is_empty() {
        ANY_SYSTEM
    } else {
        xxh3_64(system.as_bytes())
    }
}

fn identifier_digests(identifier: &Node<'_>) -> Option<(u64, u64)> {
    let value = identifier.get("value").and_then(Node::as_str)?;
    let system = identifier.get("system").and_then(Node::as_str);
    let system = system.map_or(ANY_SYSTEM, |system| {
        system_digest(&canonical_system(system))
    });
    Some((system, xxh3_64(value.as_bytes())))
}

fn links(kind: ResourceType, resource: &Node<'_>) -> Vec<(Role, Link)> {
    use ResourceType::{HealthcareService, Location, Organization, Practitioner, PractitionerRole};
    let followed: &[(&str, ResourceType, Role)] = match kind {
        HealthcareService => &[
            ("location", Location, Role::Gives),
            ("providedBy", Organization, Role::Gives),
        ],
        PractitionerRole => &[
            ("healthcareService", HealthcareService, Role::Takes),
            ("practitioner", Practitioner, Role::Gives),
            ("location", Location, Role::Gives),
        ],
        Location => &[("partOf", Location, Role::Within)],
        _ => &[],
    };
    let mut links = Vec::new();
    for (member, target, role) in followed {
        for reference in resource.get(member).map_or(&[][..], Node::items) {
            links.push((*role, link(reference, *target)));
        }
    }
    links
}

fn link(reference: &Node<'_>, target: ResourceType) -> Link {
    if let Some(text) = reference.get("reference").and_then(Node::as_str) {
        return match parse_reference(text) {
            Ok(query) if matches!(query.target, ReferenceTarget::Any) => {
                Link::Literal(target, query.id)
            }
            Ok(query) => match query.resource_type() {
                Some(kind) if kind == target => Link::Literal(kind, query.id),
                _ => Link::Untold,
            },
            Err(_) => Link::Untold,
        };
    }
    match reference.get("identifier").and_then(identifier_digests) {
        Some((system, value)) => Link::Logical(target, system, value),
        None => Link::Untold,
    }
}

/// The resources a link leads to.
fn ends(tables: &[Table; ResourceType::COUNT], link: &Link) -> Vec<(ResourceType, usize)> {
    match link {
        Link::Literal(kind, id) => {
            let found = tables[kind.index()].by_id.get(id);
            found.map(|place| (*kind, *place)).into_iter().collect()
        }
        Link::Logical(kind, system, value) => tables[kind.index()]
            .carriers(*system, *value)
            .map(|place| (*kind, place))
            .collect(),
        Link::Untold => Vec::new(),
    }
}
