//! Criteria one reference away, kept at the level of the resource that refers: a chain then costs what a plain
//! parameter does. Which references take part is declared in their SearchParameter (`urn:rorqual:precompute`).

use std::collections::HashMap;

use rorqual::index::FormatError;
use rorqual::index::directory::{self, Leading};
use rorqual::index::pack::PackWriter;
use rorqual_schema::{Hop, ResourceType};

use crate::write::Material;

/// Writes what the schema declares for references of `kind`.
///
/// # Errors
/// [`FormatError::Io`].
pub fn write_precomputed(
    material: &Material<'_>,
    pack: &mut PackWriter,
    kind: ResourceType,
) -> Result<(), FormatError> {
    for (number, from) in material.schema.parameters(kind).iter().enumerate() {
        let [target] = from.targets.as_slice() else {
            continue;
        };
        for &hop in &from.precomputed {
            let leading = leading(material, kind, number, *target, hop);
            directory::write_precomputed(
                &material.directories[target.index()],
                pack,
                material.schema,
                *target,
                from,
                hop,
                &leading,
            )?;
        }
    }
    Ok(())
}

/// Which ordinals of `kind` lead to each slot of `target`.
fn leading(
    material: &Material<'_>,
    kind: ResourceType,
    number: usize,
    target: ResourceType,
    hop: Hop,
) -> Leading {
    let ordinals = &material.order.ordinals[kind.index()];
    let mut above = Above::new(material, target);
    let mut pairs = Vec::new();
    for edge in &material.resolved.edges[kind.index()][number] {
        let from = ordinals[edge.from as usize];
        if edge.to_type != target || from == u32::MAX {
            continue;
        }
        match hop {
            Hop::Direct => pairs.push((edge.to, from)),
            Hop::Above => pairs.extend(above.of(edge.to).iter().map(|&slot| (slot, from))),
        }
    }
    let slots = material.resources[target.index()].len();
    Leading::new(pairs, slots, material.order.slots[kind.index()].len())
}

/// Each slot with everything above it by `partof`, found once per slot.
struct Above {
    parents: HashMap<u32, Vec<u32>>,
    known: HashMap<u32, Vec<u32>>,
}

impl Above {
    fn new(material: &Material<'_>, kind: ResourceType) -> Above {
        let mut parents: HashMap<u32, Vec<u32>> = HashMap::new();
        if let Some(number) = material.schema.find(kind, "partof") {
            for edge in &material.resolved.edges[kind.index()][number] {
                parents.entry(edge.from).or_default().push(edge.to);
            }
        }
        Above {
            parents,
            known: HashMap::new(),
        }
    }

    fn of(&mut self, slot: u32) -> &[u32] {
        let parents = &self.parents;
        self.known.entry(slot).or_insert_with(|| {
            let mut line = vec![slot];
            let mut next = 0;
            // A cycle ends the climb: what is on the line already is not taken again.
            while let Some(&at) = line.get(next) {
                next += 1;
                for &parent in parents.get(&at).into_iter().flatten() {
                    if !line.contains(&parent) {
                        line.push(parent);
                    }
                }
            }
            line
        })
    }
}
