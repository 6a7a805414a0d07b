//! Ordinals: neighbours on the map and in the organisation tree become neighbours in number.
//!
//! Organizations follow their tree, roots and siblings in the order of a Hilbert curve over France and the seas;
//! offers follow their organisation, places and roles their offer, practitioners their role.

use rorqual::index::FormatError;
use rorqual::index::column::Collector;
use rorqual::index::reference::Edge;
use rorqual::index::runs::{Gathering as _, Runs};
use rorqual_schema::{Parameter, ParameterType, Position, ResourceType, Schema};

use crate::resolve::{Kept, Resolved};
use crate::resources::Resources;

/// The ordinal of each slot, by type (`u32::MAX`: replaced), and how many ordinals there are.
pub struct Order {
    /// By type, by slot.
    pub ordinals: Vec<Vec<u32>>,
    /// By type, by ordinal.
    pub slots: Vec<Vec<u32>>,
}

/// A place on the curve for what has none: after every other.
const NOWHERE: u64 = u64::MAX;

/// Orders everything that is kept. The answer depends on the extract only, not on the order of its lines.
///
/// # Errors
/// [`FormatError`] when what was gathered cannot be read.
pub fn order(
    schema: &Schema,
    directories: &[Runs],
    resources: &[Resources],
    kept: &Kept,
    resolved: &Resolved,
) -> Result<Order, FormatError> {
    use ResourceType::{
        HealthcareService, Location, Organization, Practitioner, PractitionerRole, Task,
    };
    let view = View {
        schema,
        directories,
        resources,
        kept,
        resolved,
    };
    let mut order = Order {
        ordinals: resources
            .iter()
            .map(|resources| vec![u32::MAX; resources.len()])
            .collect(),
        slots: vec![Vec::new(); ResourceType::COUNT],
    };
    let location_place = view.location_places()?;
    let offer_place = least_through(
        view.edges(HealthcareService, "location"),
        resources[HealthcareService.index()].len(),
        &location_place,
    );
    let organizations = view.organization_order(&offer_place);
    order.assign(Organization, organizations);
    let by = |edges: &[Edge], count: usize, of: &[u32]| {
        least_through(
            edges,
            count,
            &of.iter()
                .map(|&ordinal| u64::from(ordinal))
                .collect::<Vec<_>>(),
        )
    };
    let count = |kind: ResourceType| resources[kind.index()].len();
    let provider = by(
        view.edges(HealthcareService, "organization"),
        count(HealthcareService),
        &order.ordinals[Organization.index()],
    );
    order.assign(
        HealthcareService,
        view.sorted(HealthcareService, |slot| {
            (provider[slot], offer_place[slot])
        }),
    );
    let offers = &order.ordinals[HealthcareService.index()];
    let first_offer = least_into(
        view.edges(HealthcareService, "location"),
        Location,
        count(Location),
        offers,
    );
    let role_offer = by(
        view.edges(PractitionerRole, "service"),
        count(PractitionerRole),
        offers,
    );
    order.assign(
        Location,
        view.sorted(Location, |slot| (first_offer[slot], location_place[slot])),
    );
    order.assign(
        PractitionerRole,
        view.sorted(PractitionerRole, |slot| (role_offer[slot], 0)),
    );
    let roles = &order.ordinals[PractitionerRole.index()];
    let first_role = least_into(
        view.edges(PractitionerRole, "practitioner"),
        Practitioner,
        count(Practitioner),
        roles,
    );
    order.assign(
        Practitioner,
        view.sorted(Practitioner, |slot| (first_role[slot], 0)),
    );
    let tasks = &resources[Task.index()];
    let updated = |slot: u32| tasks.get(slot).map(|task| task.updated);
    let updated: Vec<i64> = (0..tasks.len() as u32)
        .map(updated)
        .collect::<Result<_, _>>()?;
    // Shifting the sign bit keeps the order of instants in an unsigned key.
    order.assign(
        Task,
        view.sorted(Task, |slot| ((updated[slot] as u64) ^ (1 << 63), 0)),
    );
    Ok(order)
}

impl Order {
    fn assign(&mut self, kind: ResourceType, slots: Vec<u32>) {
        for (ordinal, &slot) in slots.iter().enumerate() {
            self.ordinals[kind.index()][slot as usize] = ordinal as u32;
        }
        self.slots[kind.index()] = slots;
    }
}

struct View<'a> {
    schema: &'a Schema,
    directories: &'a [Runs],
    resources: &'a [Resources],
    kept: &'a Kept,
    resolved: &'a Resolved,
}

impl<'a> View<'a> {
    fn edges(&self, kind: ResourceType, code: &str) -> &'a [Edge] {
        self.schema
            .find(kind, code)
            .map_or(&[], |number| &self.resolved.edges[kind.index()][number])
    }

    fn kept_slots(&self, kind: ResourceType) -> Vec<u32> {
        let slots = 0..self.resources[kind.index()].len() as u32;
        slots
            .filter(|&slot| self.kept.is_kept(kind, slot))
            .collect()
    }

    /// The kept slots of a type by key, then by id.
    fn sorted<K: Ord>(&self, kind: ResourceType, key: impl Fn(usize) -> K) -> Vec<u32> {
        let resources = &self.resources[kind.index()];
        let mut slots = self.kept_slots(kind);
        slots.sort_by(|&a, &b| {
            key(a as usize)
                .cmp(&key(b as usize))
                .then_with(|| resources.id(a).cmp(resources.id(b)))
        });
        slots
    }

    /// Where each Location slot lies on the curve.
    fn location_places(&self) -> Result<Vec<u64>, FormatError> {
        let kind = ResourceType::Location;
        let mut places = vec![NOWHERE; self.resources[kind.index()].len()];
        let parameters = self.schema.parameters(kind).iter().enumerate();
        let special = |parameter: &Parameter| parameter.kind == ParameterType::Special;
        for (number, parameter) in parameters.filter(|(_, parameter)| special(parameter)) {
            if let Collector::Position(positions) =
                &*self.directories[kind.index()].values(number, parameter)?
            {
                for &(slot, position) in positions.values() {
                    places[slot as usize] = hilbert(position);
                }
                break;
            }
        }
        Ok(places)
    }

    /// Organization slots, parents before children, depth first.
    fn organization_order(&self, offer_place: &[u64]) -> Vec<u32> {
        let kind = ResourceType::Organization;
        let count = self.resources[kind.index()].len();
        let mut parent = vec![u32::MAX; count];
        // Of several parents the first by id: slots follow the order in which lines were read, which must not show.
        let id = |slot: u32| self.resources[kind.index()].id(slot);
        for edge in self.edges(kind, "partof") {
            let known = &mut parent[edge.from as usize];
            if *known == u32::MAX || id(edge.to) < id(*known) {
                *known = edge.to;
            }
        }
        let mut place = vec![NOWHERE; count];
        for edge in self.edges(ResourceType::HealthcareService, "organization") {
            let mut at = edge.to as usize;
            let here = offer_place[edge.from as usize];
            // An organisation lies where its first offer lies; so does everything above it. A cycle ends the
            // climb, since nothing improves the second time round.
            while place[at] > here {
                place[at] = here;
                match parent[at] {
                    u32::MAX => break,
                    up => at = up as usize,
                }
            }
        }
        let sorted = self.sorted(kind, |slot| place[slot]);
        let mut children: Vec<Vec<u32>> = vec![Vec::new(); count];
        for &slot in sorted.iter().rev() {
            if parent[slot as usize] != u32::MAX {
                children[parent[slot as usize] as usize].push(slot);
            }
        }
        let mut seen = vec![false; count];
        let mut out = Vec::with_capacity(sorted.len());
        let roots = sorted
            .iter()
            .filter(|&&slot| parent[slot as usize] == u32::MAX);
        // What hangs in a cycle is reached from none of the roots: it comes last.
        for &root in roots.chain(&sorted) {
            let mut stack = vec![root];
            while let Some(slot) = stack.pop() {
                if !std::mem::replace(&mut seen[slot as usize], true) {
                    out.push(slot);
                    stack.extend(&children[slot as usize]);
                }
            }
        }
        out
    }
}

/// For each referring slot the least key of what it refers to.
fn least_through(edges: &[Edge], count: usize, keys: &[u64]) -> Vec<u64> {
    let mut least = vec![NOWHERE; count];
    for edge in edges {
        let at = &mut least[edge.from as usize];
        *at = (*at).min(keys[edge.to as usize]);
    }
    least
}

/// For each slot referred to, the least ordinal of who refers to it.
fn least_into(edges: &[Edge], kind: ResourceType, count: usize, ordinals: &[u32]) -> Vec<u64> {
    let mut least = vec![NOWHERE; count];
    for edge in edges.iter().filter(|edge| edge.to_type == kind) {
        let at = &mut least[edge.to as usize];
        *at = (*at).min(u64::from(ordinals[edge.from as usize]));
    }
    least
}

/// The place of a point on a Hilbert curve of order 24 over the globe (Hilbert 1891): about two metres a step.
fn hilbert(position: Position) -> u64 {
    const ORDER: u32 = 24;
    const CELLS: f64 = (1u32 << ORDER) as f64;
    let cell = |share: f64| ((share * CELLS) as i64).clamp(0, (1 << ORDER) - 1);
    let (mut x, mut y) = (
        cell((position.longitude + 180.0) / 360.0),
        cell((position.latitude + 90.0) / 180.0),
    );
    let mut place = 0u64;
    for bit in (0..ORDER).rev() {
        let side = 1i64 << bit;
        let (right, upper) = (i64::from(x & side != 0), i64::from(y & side != 0));
        place = place << 2 | ((3 * right) ^ upper) as u64;
        if upper == 0 {
            if right == 1 {
                x = (1 << ORDER) - 1 - x;
                y = (1 << ORDER) - 1 - y;
            }
            std::mem::swap(&mut x, &mut y);
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_points_are_close_on_the_curve() {
        let at = |latitude, longitude| {
            hilbert(Position {
                latitude,
                longitude,
            })
        };
        let nantes = at(47.2184, -1.5536);
        assert!(nantes.abs_diff(at(47.2185, -1.5537)) < nantes.abs_diff(at(43.3, 5.4)));
        assert_ne!(at(90.0, 180.0), at(-90.0, -180.0));
    }
}
