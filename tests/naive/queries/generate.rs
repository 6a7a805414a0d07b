//! Random searches, a good part of which find something: all parts are drawn around one resource.

use super::pick::Picker;
use super::{Criterion, Feature, Include, Modifier, Query, SortKey, Step, Test, filters, shown};
use crate::kinds::{Kind, Parameter, Shape, links, parameter, parameters};
use crate::random::Random;
use crate::reference::Reference;

/// A search over the data of a reference that uses no more than the given features.
pub fn generate(r: &mut Random, reference: &Reference, features: &[Feature]) -> Query {
    let picker = Picker {
        reference,
        features,
    };
    let kind = *r.pick(&[
        Kind::HealthcareService,
        Kind::HealthcareService,
        Kind::Location,
        Kind::Location,
        Kind::Organization,
        Kind::Organization,
        Kind::Practitioner,
        Kind::PractitionerRole,
        Kind::Task,
    ]);
    let mut query = Query {
        kind,
        criteria: Vec::new(),
        filters: Vec::new(),
        includes: Vec::new(),
        sort: Vec::new(),
        count: match r.below(20) {
            0 => Some(0),
            1..=4 => None,
            _ => Some(*r.pick(&[1, 2, 3, 5, 7, 10, 20, 50])),
        },
        elements: Vec::new(),
        summary: None,
    };
    let Some(subject) = picker.any(r, kind) else {
        return query;
    };
    for _ in 0..*r.pick(&[0, 1, 1, 1, 1, 2, 2, 2, 3, 4]) {
        if let Some(criterion) = criterion(r, &picker, subject) {
            query.criteria.push(criterion);
        }
    }
    if picker.offers(Feature::Content) && r.chance(15) {
        if r.chance(40) {
            query.criteria.clear();
        }
        query.criteria.extend(content(r, &picker, subject));
    }
    if picker.offers(Feature::SortNear) && r.chance(10) {
        // Beside many other criteria little is left to put in order.
        if r.chance(60) {
            query.criteria.clear();
        }
        query.criteria.extend(proximity(r, &picker, subject));
    }
    if !picker.offers(Feature::Groups) {
        keep_one_of_each_group(&mut query.criteria, kind);
    }
    if picker.offers(Feature::Filter) && r.chance(25) {
        let depth = r.below(6);
        query
            .filters
            .extend(filters::filter(r, &picker, subject, depth));
    }
    if r.chance(35) {
        for _ in 0..1 + r.below(2) {
            query.sort.extend(sort_key(r, &picker, subject));
        }
    }
    if picker.offers(Feature::SortNear) && reference.proximity(&query).is_some() && r.chance(50) {
        let key = SortKey {
            path: Vec::new(),
            code: "near",
            descending: r.chance(40),
        };
        query.sort.insert(r.below(query.sort.len() + 1), key);
    }
    if picker.offers(Feature::Elements) {
        shown::ask(r, &mut query);
    }
    if r.chance(35) {
        for _ in 0..1 + r.below(3) {
            query.includes.extend(include(r, kind));
        }
    }
    query
}

/// A test on a resource or at the end of a chain from it.
fn criterion(r: &mut Random, picker: &Picker, subject: usize) -> Option<Criterion> {
    let (mut path, end) = path(r, picker, subject);
    let kind = picker.reference.resources[end].kind;
    let parameter = searchable(r, picker, kind);
    let mut test = picker.test(r, end, parameter)?;
    if parameter.family.is_some() {
        plain_steps(&mut path);
    }
    let climbs = picker.offers(Feature::Hierarchy)
        && kind == Kind::Organization
        // Through an untyped reference only its organisations can be climbed from; that is asked with the type.
        && matches!(path.last(), Some(Step::To { code, target }) if *code != "focus" || target.is_some())
        && parameter.family.is_none()
        && parameter.shape != Shape::Reference
        && test.modifier == Modifier::None;
    if climbs && r.chance(35) {
        test.modifier = Modifier::Above;
    }
    Some(Criterion { path, test })
}

/// Words to be found in a resource or at the end of a chain from it.
fn content(r: &mut Random, picker: &Picker, subject: usize) -> Option<Criterion> {
    let (path, end) = path(r, picker, subject);
    let term = picker.content(r, end)?;
    Some(Criterion {
        path,
        test: Test {
            code: "_content",
            modifier: Modifier::None,
            terms: vec![term],
        },
    })
}

/// A proximity test on a place, or on a place of an offer.
fn proximity(r: &mut Random, picker: &Picker, subject: usize) -> Option<Criterion> {
    let (mut path, mut place) = (Vec::new(), subject);
    if picker.reference.resources[subject].kind == Kind::HealthcareService {
        let places: Vec<usize> = picker
            .reference
            .edge(subject, "location")
            .into_iter()
            .collect();
        place = *places.get(r.below(places.len()))?;
        path.push(Step::To {
            code: "location",
            target: None,
        });
    }
    let kind = picker.reference.resources[place].kind;
    let code = if r.chance(65) {
        "near"
    } else {
        "near-insee-code"
    };
    let known = parameter(kind, code)?;
    let term = picker.term(r, place, known, Modifier::None)?;
    Some(Criterion {
        path,
        test: Test {
            code: known.code,
            modifier: Modifier::None,
            terms: vec![term],
        },
    })
}

/// A parameter of a type that may be asked.
pub fn searchable(r: &mut Random, picker: &Picker, kind: Kind) -> &'static Parameter {
    loop {
        let parameter = r.pick(parameters(kind));
        let special = matches!(parameter.shape, Shape::Near | Shape::NearInsee);
        if !special || picker.offers(Feature::Near) {
            return parameter;
        }
    }
}

/// Some moves from a resource, and the resource they end at.
pub fn path(r: &mut Random, picker: &Picker, from: usize) -> (Vec<Step>, usize) {
    let mut path = Vec::new();
    let mut at = from;
    let (chains, has) = (picker.offers(Feature::Chains), picker.offers(Feature::Has));
    while path.len() < 3 && (chains || has) && r.chance(40) {
        let forward = chains && (!has || r.chance(65));
        let moved = if forward {
            forward_step(r, picker, at)
        } else {
            backward_step(r, picker, at)
        };
        let Some((step, next)) = moved else {
            break;
        };
        path.push(step);
        at = next;
    }
    (path, at)
}

fn forward_step(r: &mut Random, picker: &Picker, at: usize) -> Option<(Step, usize)> {
    let kind = picker.reference.resources[at].kind;
    let mut known: Vec<&Parameter> = links(kind).collect();
    known.retain(|link| !picker.reference.edge(at, link.code).is_empty());
    if known.is_empty() {
        return None;
    }
    let link = *r.pick(&known);
    let targets: Vec<usize> = picker.reference.edge(at, link.code).into_iter().collect();
    let next = *r.pick(&targets);
    let typed = r.chance(if link.targets.len() > 1 { 70 } else { 10 });
    let target = typed.then_some(picker.reference.resources[next].kind);
    Some((
        Step::To {
            code: link.code,
            target,
        },
        next,
    ))
}

fn backward_step(r: &mut Random, picker: &Picker, at: usize) -> Option<(Step, usize)> {
    let mut holders: Vec<(usize, &'static str)> = picker.reference.holders(at).to_vec();
    // The map behind this list has no order of its own; a seed must always draw the same.
    holders.sort_unstable();
    if holders.is_empty() {
        return None;
    }
    let (holder, code) = *r.pick(&holders);
    let source = picker.reference.resources[holder].kind;
    Some((Step::From { source, code }, holder))
}

/// Takes needless types out of a path, so that criteria of one group are written on one path.
pub fn plain_steps(path: &mut [Step]) {
    for step in path {
        if let Step::To { code, target } = step
            && *code != "focus"
        {
            *target = None;
        }
    }
}

fn keep_one_of_each_group(criteria: &mut Vec<Criterion>, kind: Kind) {
    let mut seen = Vec::new();
    criteria.retain(|criterion| {
        let family = parameter(kind, criterion.test.code).and_then(|known| known.family);
        let Some(family) = family.filter(|_| criterion.path.is_empty()) else {
            return true;
        };
        let first = !seen.contains(&family);
        seen.push(family);
        first
    });
}

fn sort_key(r: &mut Random, picker: &Picker, subject: usize) -> Option<SortKey> {
    let (mut path, mut end) = (Vec::new(), subject);
    if picker.offers(Feature::ChainedSort)
        && r.chance(20)
        && let Some((step, next)) = forward_step(r, picker, subject)
        // Resources of several types have no common order: an untyped reference to them is refused.
        && !matches!(step, Step::To { code: "focus", target: None })
    {
        path.push(step);
        end = next;
    }
    let parameter = r.pick(parameters(picker.reference.resources[end].kind));
    // The order between masses and lengths is the engine's own, so limits are left out.
    let ordered = !matches!(
        parameter.shape,
        Shape::Reference | Shape::Near | Shape::NearInsee
    );
    (ordered && parameter.code != "limit-value").then_some(SortKey {
        path,
        code: parameter.code,
        descending: r.chance(50),
    })
}

fn include(r: &mut Random, searched: Kind) -> Option<Include> {
    let reverse = r.chance(40);
    let iterate = r.chance(35);
    if r.chance(8) {
        return Some(Include {
            reverse,
            iterate,
            source: None,
            code: None,
            target: None,
        });
    }
    let source = if reverse || iterate || r.chance(25) {
        *r.pick(&Kind::ALL)
    } else {
        searched
    };
    let known: Vec<&Parameter> = links(source).collect();
    if known.is_empty() {
        return None;
    }
    let link = *r.pick(&known);
    let star = r.chance(12);
    let target = (!star && r.chance(20)).then(|| *r.pick(link.targets));
    let reaches = |kind: Kind| {
        if star {
            known.iter().any(|link| link.targets.contains(&kind))
        } else {
            target.map_or(link.targets.contains(&kind), |target| target == kind)
        }
    };
    // Left out because their meaning is disputed: a reverse include that no match can carry, a climb
    // of unsaid depth from included Organizations, and a published slip that stands for two includes.
    let idle = reverse && !iterate && !reaches(searched);
    let climb = !iterate && source == Kind::Organization && searched != Kind::Organization;
    let slip =
        iterate && !reverse && source == Kind::HealthcareService && link.code == "organization";
    if idle || climb || slip {
        return None;
    }
    Some(Include {
        reverse,
        iterate,
        source: Some(source),
        code: (!star).then_some(link.code),
        target,
    })
}
