//! What is known of the services that lead to a resource: sensitive, medico-social, city.

use rorqual_schema::{Node, ResourceType, canonical_system};

use crate::extension_names::urls_of;
use crate::references::{Sought, Target};
use crate::values::{coded_values, extensions};

/// What the access rules ask about one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct ServiceKind {
    /// The service is a sensitive unit (extension `ror-healthcareservice-sensitive-unit`).
    pub sensitive: bool,
    /// Its field of activity is medico-social (`HealthcareService.type`, TRE_R227, code 04).
    pub medico_social: bool,
    /// Its field of activity is the city (`HealthcareService.type`, TRE_R227, code 05).
    pub city: bool,
}

impl ServiceKind {
    fn bit(self) -> u8 {
        1 << (u8::from(self.sensitive)
            | u8::from(self.medico_social) << 1
            | u8::from(self.city) << 2)
    }

    fn from_number(number: u8) -> ServiceKind {
        ServiceKind {
            sensitive: number & 1 != 0,
            medico_social: number & 2 != 0,
            city: number & 4 != 0,
        }
    }
}

/// The kinds of service that lead to a resource, as a set.
///
/// A place, a professional or an organization may belong to several services that differ. Joining them into one yes or no would
/// lose what the rules need, so the set is kept, and a rule is asked once for each kind in it:
///
/// - a **document** is visible when at least one of the kinds makes its condition true: who may see a service may see where and by
///   whom it is given;
/// - an **element** is shown only when every kind makes its condition true: the number of a place shared with a sensitive unit may
///   be that unit's, its beds too, and nothing in the data says whose they are.
///
/// A resource to which no service leads (a legal entity, an unused place) is judged like one of a plain service: not sensitive,
/// neither medico-social nor city.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Facts(u8);

impl Facts {
    /// No service leads to the resource.
    pub fn unattached() -> Facts {
        Facts(0)
    }

    /// A service leads to the resource that cannot be read, or is not there: taken for a sensitive unit, which is the most closed.
    pub fn unknown() -> Facts {
        Facts::of(ServiceKind {
            sensitive: true,
            ..ServiceKind::default()
        })
    }

    /// One service of that kind leads to the resource.
    pub fn of(kind: ServiceKind) -> Facts {
        Facts(kind.bit())
    }

    /// The facts of a resource to which the services of both lead: the union of the two sets. In any order and grouping, and any
    /// number of times, the result is the same.
    #[must_use]
    pub fn combine(self, other: Facts) -> Facts {
        Facts(self.0 | other.0)
    }

    /// The set as one byte, to be kept beside an index: bit `n` is set when the kind of service with that number leads there.
    pub fn to_byte(self) -> u8 {
        self.0
    }

    /// The set of such a byte.
    pub fn from_byte(byte: u8) -> Facts {
        Facts(byte)
    }

    /// What a Task is told by: the facts of what its focus names. Those of a literal reference when there is one, else of all
    /// that carry the identifier; [`Facts::unknown`] when there is none, or when the Task is about another.
    pub fn of_focus(
        focus: Option<&[Sought]>,
        facts_of: &dyn Fn(Target<'_>) -> Vec<Facts>,
    ) -> Facts {
        let focus = focus.unwrap_or(&[]);
        let is_literal = |sought: &&Sought| matches!(sought, Sought::Literal(..));
        let literals = focus.iter().any(|sought| is_literal(&sought));
        focus
            .iter()
            .filter(|sought| !literals || is_literal(sought))
            .flat_map(|sought| facts_of(sought.target()))
            // What no service leads to counts as plain, also beside others.
            .map(|facts| match facts.0 {
                0 => Facts::of(ServiceKind::default()),
                _ => facts,
            })
            .reduce(Facts::combine)
            .unwrap_or_else(Facts::unknown)
    }

    /// The kinds a rule is asked for; one at least.
    pub fn kinds(self) -> impl Iterator<Item = ServiceKind> {
        let mask = if self.0 == 0 { 1 } else { self.0 };
        (0..8u8)
            .filter(move |number| mask & (1 << number) != 0)
            .map(ServiceKind::from_number)
    }

    /// The facts as they count for a resource of that type.
    ///
    /// An organization is not closed because one of its many units is sensitive: the switchboard of a hospital stays public. Its
    /// sensitive services count only when it carries no other, that is when the organization is itself the sensitive unit.
    pub(crate) fn for_type(self, kind: ResourceType) -> Facts {
        // Numbers 1, 3, 5 and 7 are the sensitive kinds.
        const OPEN: u8 = 0b0101_0101;
        if kind == ResourceType::Organization && self.0 & OPEN != 0 {
            Facts(self.0 & OPEN)
        } else {
            self
        }
    }
}

/// What a resource says itself of the facts: a HealthcareService says them all, the other types say nothing
/// ([`Facts::unattached`]) and take those of the services that lead to them.
///
/// The sensitive-unit extension is false when absent, as the guide says; a value that is not a plain `false` counts as true. Several
/// fields of activity make several kinds.
pub fn own_facts(kind: ResourceType, resource: &Node<'_>) -> Facts {
    if kind != ResourceType::HealthcareService {
        return Facts::unattached();
    }
    let urls = urls_of("ror-healthcareservice-sensitive-unit");
    let sensitive = extensions(resource, &urls)
        .any(|found| found.get("valueBoolean").and_then(Node::as_bool) != Some(false));
    let mut facts = Facts::unattached();
    for concept in resource.get("type").map_or(&[][..], Node::items) {
        for coding in coded_values(concept) {
            let of_field = coding
                .get("system")
                .and_then(Node::as_str)
                .is_some_and(|system| canonical_system(system) == FIELD_OF_ACTIVITY);
            if let (true, Some(code)) = (of_field, coding.get("code").and_then(Node::as_str)) {
                facts = facts.combine(Facts::of(ServiceKind {
                    sensitive,
                    medico_social: code == "04",
                    city: code == "05",
                }));
            }
        }
    }
    if facts == Facts::unattached() {
        facts = Facts::of(ServiceKind {
            sensitive,
            ..ServiceKind::default()
        });
    }
    facts
}

const FIELD_OF_ACTIVITY: &str =
    "https://mos.esante.gouv.fr/NOS/TRE_R227-ChampActivite/FHIR/TRE-R227-ChampActivite";
