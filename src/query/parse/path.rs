//! Names: from `organization.identifier:above` or `_has:Task:focus:status` to the parameters they stand for.

use rorqual_schema::{Hop, Parameter, ParameterType, ResourceType, Schema};

use super::Reader;
use crate::query::criterion::Criterion;
use crate::query::error::Fault;

/// References in one chain.
const MAXIMUM_DEPTH: usize = 10;
/// Ways to read one untyped chain.
const MAXIMUM_ALTERNATIVES: usize = 100;

/// Modifiers that FHIR knows: after a reference they are never the name of a parameter.
const MODIFIERS: [&str; 13] = [
    "above",
    "below",
    "code-text",
    "contains",
    "exact",
    "identifier",
    "in",
    "iterate",
    "missing",
    "not",
    "not-in",
    "of-type",
    "text",
];

const COLON_FOR_DOT: &str = "a colon stands where a chain has a dot";
const ABOVE_TOO_EARLY: &str = ":above stands before the chained parameter, not after it";
const OLD_NAME: &str = "the name is an old or misspelt one";
const HAS_TWICE: &str = "the inner _has is a plain reference";
const OWN_PARAMETER: &str = "the parameter belongs to the type searched, not to its places";

/// One move along or against a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Forward {
        parameter: usize,
        target: ResourceType,
        hop: Hop,
    },
    Reverse {
        source: ResourceType,
        parameter: usize,
    },
}

impl Step {
    /// Whether what stands above the resource referred to is reached as well.
    pub(super) fn climbs(&self) -> bool {
        matches!(
            self,
            Step::Forward {
                hop: Hop::Above,
                ..
            }
        )
    }
}

/// One parameter that a name can stand for, and the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct End {
    /// The way, from the type at which the name was looked up.
    pub(super) steps: Vec<Step>,
    /// The type that has the parameter.
    pub(super) kind: ResourceType,
    /// The parameter; where [`Wanted::Bracket`] was asked for, it may be a group.
    pub(super) parameter: usize,
    /// Whether `parameter` numbers a group.
    pub(super) is_group: bool,
}

/// What a name stands for.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// The parameters; several where a reference of several types was not given a type. Never empty.
    pub(super) alternatives: Vec<End>,
    /// The modifier left for the parameter itself.
    pub(super) modifier: Option<String>,
    /// The name in its proper spelling, with its modifier.
    pub(super) canonical: String,
    /// What is wrong with the spelling, if anything.
    pub(super) slip: Option<&'static str>,
}

/// What may stand at the end of a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Parameter,
    /// A group or a reference, before the bracket of a filter.
    Bracket,
}

/// The parameter of that number.
pub(super) fn parameter(schema: &Schema, kind: ResourceType, number: usize) -> Option<&Parameter> {
    schema.parameters(kind).get(number)
}

/// The reference along which `:above` and `:below` go, for types that have a hierarchy.
pub(super) fn hierarchy(schema: &Schema, kind: ResourceType) -> Option<usize> {
    let number = schema.find(kind, "partof")?;
    let reference = parameter(schema, kind, number)?;
    reference.targets.contains(&kind).then_some(number)
}

/// The condition at the start of a way that leads to a condition.
pub(super) fn along(steps: &[Step], end: Criterion) -> Criterion {
    steps
        .iter()
        .rev()
        .fold(end, |inner, step| match (*step, Box::new(inner)) {
            (
                Step::Forward {
                    parameter,
                    target,
                    hop,
                },
                inner,
            ) => Criterion::Chain {
                parameter,
                target,
                hop,
                inner,
            },
            (Step::Reverse { source, parameter }, inner) => Criterion::Has {
                source,
                parameter,
                inner,
            },
        })
}

impl Reader<'_> {
    /// Finds what a name stands for on a type.
    pub(super) fn resolve(&self, kind: ResourceType, name: &str) -> Result<Found, Fault> {
        let walk = Walk {
            schema: self.schema,
            name,
            wanted: Wanted::Parameter,
        };
        walk.name(kind, name, 0, None)
    }

    /// Finds what a name before a bracket stands for on a type: groups and references.
    pub(super) fn resolve_bracket(&self, kind: ResourceType, name: &str) -> Result<Found, Fault> {
        let walk = Walk {
            schema: self.schema,
            name,
            wanted: Wanted::Bracket,
        };
        walk.name(kind, name, 0, None)
    }
}

/// One name being looked up.
struct Walk<'a> {
    schema: &'a Schema,
    /// The whole name, for messages.
    name: &'a str,
    wanted: Wanted,
}

/// A code with what follows it, up to the next dot or colon.
struct Head<'t> {
    code: &'t str,
    /// The delimiter and the rest.
    rest: Option<(char, &'t str)>,
}

fn head(text: &str) -> Head<'_> {
    match text.find(['.', ':']) {
        Some(at) => Head {
            code: text.get(..at).unwrap_or_default(),
            rest: text
                .get(at..at + 1)
                .and_then(|delimiter| delimiter.chars().next())
                .zip(text.get(at + 1..)),
        },
        None => Head {
            code: text,
            rest: None,
        },
    }
}

impl Walk<'_> {
    /// Reads `text`, the name from `depth` references on. `before` is the type that the step before went out from by `_has`.
    fn name(
        &self,
        kind: ResourceType,
        text: &str,
        depth: usize,
        before: Option<ResourceType>,
    ) -> Result<Found, Fault> {
        if depth > MAXIMUM_DEPTH {
            return Err(Fault::TooCostly {
                parameter: Some(self.name.to_owned()),
                what: "references in a chain",
                got: depth,
                limit: MAXIMUM_DEPTH,
            });
        }
        if text == "_has" || text.starts_with("_has:") || text.starts_with("_has.") {
            return self.reverse(kind, text, depth, before);
        }
        let Head { code, rest } = head(text);
        if self.wanted == Wanted::Bracket
            && rest.is_none()
            && let Some(group) = self.schema.find_group(kind, code)
        {
            return Ok(self.end(kind, group, true, code.to_owned(), None));
        }
        let (number, proper) = self.find(kind, code, rest.is_some(), depth, rest)?;
        let slip = (proper != code).then_some(OLD_NAME);
        let Some(found) = parameter(self.schema, kind, number) else {
            return Err(self.unknown(kind, code, depth, rest));
        };
        let Some((delimiter, rest)) = rest else {
            if self.wanted == Wanted::Bracket && found.kind != ParameterType::Reference {
                return Err(self.unsuited(format!(
                    "{code} is neither a repeating group of {kind} nor a reference"
                )));
            }
            let mut found = self.end(kind, number, false, proper.to_owned(), None);
            found.slip = slip;
            return Ok(found);
        };
        if found.kind != ParameterType::Reference {
            return if delimiter == ':' && !rest.contains(['.', ':']) {
                let mut end = self.end(kind, number, false, format!("{proper}:{rest}"), Some(rest));
                end.slip = slip;
                Ok(end)
            } else if delimiter == ':' {
                Err(Fault::UnsupportedModifier {
                    parameter: proper.to_owned(),
                    modifier: rest.to_owned(),
                    supported: "one modifier".to_owned(),
                })
            } else {
                Err(self.unsuited(format!(
                    "{code} is a {} of {kind}, not a reference that can be followed",
                    found.kind
                )))
            };
        }
        if delimiter == '.' {
            let targets = &found.targets;
            return self.forward(kind, number, targets, proper, rest, depth, slip);
        }
        self.after_colon(kind, number, proper, rest, depth, slip)
    }

    /// Reads what follows the colon after a reference: a type, a modifier, or a published slip.
    fn after_colon(
        &self,
        kind: ResourceType,
        number: usize,
        proper: &str,
        text: &str,
        depth: usize,
        slip: Option<&'static str>,
    ) -> Result<Found, Fault> {
        let Some(reference) = parameter(self.schema, kind, number) else {
            return Err(self.unknown(kind, proper, depth, None));
        };
        let Head { code: word, rest } = head(text);
        if let Some(target) = ResourceType::from_name(word) {
            if !reference.targets.contains(&target) {
                let known: Vec<&str> = reference.targets.iter().map(|t| t.name()).collect();
                return Err(self.unsuited(format!(
                    "{proper} of {kind} does not refer to {target}, but to {}",
                    known.join(", ")
                )));
            }
            let typed = format!("{proper}:{target}");
            return match rest {
                None => {
                    let mut end = self.end(kind, number, false, typed, Some(word));
                    end.slip = slip;
                    Ok(end)
                }
                Some((delimiter, rest)) => {
                    let slip = slip.or((delimiter == ':').then_some(COLON_FOR_DOT));
                    self.forward(kind, number, &[target], &typed, rest, depth, slip)
                }
            };
        }
        let targets = &reference.targets;
        if word == "above"
            && let Some(('.', rest)) = rest
        {
            let meant = format!("{rest}:above");
            let slip = slip.or(Some(ABOVE_TOO_EARLY));
            return self.forward(kind, number, targets, proper, &meant, depth, slip);
        }
        let read_as_chain = slip.is_some() || !MODIFIERS.contains(&word);
        if read_as_chain && targets.iter().any(|t| self.known(*t, word)) {
            let slip = slip.or(Some(COLON_FOR_DOT));
            return self.forward(kind, number, targets, proper, text, depth, slip);
        }
        if proper == "location"
            && word == "intervention-zone"
            && self.schema.find(kind, word).is_some()
        {
            let mut own = self.name(kind, text, depth, None)?;
            own.slip = Some(OWN_PARAMETER);
            return Ok(own);
        }
        match rest {
            None => {
                let mut end = self.end(kind, number, false, format!("{proper}:{word}"), Some(word));
                end.slip = slip;
                Ok(end)
            }
            Some(_) => Err(Fault::UnsupportedModifier {
                parameter: proper.to_owned(),
                modifier: text.to_owned(),
                supported: super::leaf::supported(reference),
            }),
        }
    }

    /// Follows a reference to each of the types given that has the rest of the name.
    #[allow(clippy::too_many_arguments, reason = "the state of one walk")]
    fn forward(
        &self,
        kind: ResourceType,
        number: usize,
        targets: &[ResourceType],
        proper: &str,
        rest: &str,
        depth: usize,
        slip: Option<&'static str>,
    ) -> Result<Found, Fault> {
        let mut whole: Option<Found> = None;
        let mut first_fault = None;
        for target in targets {
            let (inner, hop) = match self
                .name(*target, rest, depth + 1, None)
                .and_then(|inner| self.hop_to(*target, inner))
            {
                Ok(read) => read,
                Err(fault @ Fault::TooCostly { .. }) => return Err(fault),
                Err(fault) => {
                    first_fault.get_or_insert(fault);
                    continue;
                }
            };
            let step = Step::Forward {
                parameter: number,
                target: *target,
                hop,
            };
            let alternatives = inner.alternatives.into_iter().map(|end| End {
                steps: [&[step], end.steps.as_slice()].concat(),
                ..end
            });
            match &mut whole {
                None => {
                    whole = Some(Found {
                        alternatives: alternatives.collect(),
                        modifier: inner.modifier,
                        canonical: format!("{proper}.{}", inner.canonical),
                        slip: slip.or(inner.slip),
                    });
                }
                // Another type may read the rest otherwise; it then is not what was meant.
                Some(known) if known.canonical == format!("{proper}.{}", inner.canonical) => {
                    known.alternatives.extend(alternatives);
                }
                Some(_) => {}
            }
            let count = whole.as_ref().map_or(0, |found| found.alternatives.len());
            if count > MAXIMUM_ALTERNATIVES {
                return Err(Fault::TooCostly {
                    parameter: Some(self.name.to_owned()),
                    what: "ways to read an untyped chain",
                    got: count,
                    limit: MAXIMUM_ALTERNATIVES,
                });
            }
        }
        whole.ok_or_else(|| match (targets, first_fault) {
            ([_], Some(fault)) => fault,
            _ => self.unsuited(format!(
                "none of the types that {proper} of {kind} refers to has {rest}"
            )),
        })
    }

    /// How a reference that just led to a parameter is followed: takes `:above` off it.
    fn hop_to(&self, target: ResourceType, found: Found) -> Result<(Found, Hop), Fault> {
        let direct = found.alternatives.iter().all(|end| end.steps.is_empty());
        if !direct || found.modifier.as_deref() != Some("above") {
            return Ok((found, Hop::Direct));
        }
        if hierarchy(self.schema, target).is_none() {
            return Err(self.unsuited(format!(
                ":above climbs from one Organization to the next; {target} has no such line"
            )));
        }
        Ok((
            Found {
                modifier: None,
                ..found
            },
            Hop::Above,
        ))
    }

    /// Reads `_has:Type:reference:rest`.
    fn reverse(
        &self,
        kind: ResourceType,
        text: &str,
        depth: usize,
        before: Option<ResourceType>,
    ) -> Result<Found, Fault> {
        let mut parts = text.splitn(4, ':');
        let (_, source_name, code, rest) = (parts.next(), parts.next(), parts.next(), parts.next());
        let (Some(source_name), Some(code), Some(rest)) =
            (source_name, code, rest.filter(|rest| !rest.is_empty()))
        else {
            return Err(self.unsuited(
                "_has is written _has:Type:reference:parameter, as in _has:PractitionerRole:service:identifier"
                    .to_owned(),
            ));
        };
        let Some(source) = ResourceType::from_name(source_name) else {
            let known = ResourceType::ALL.map(ResourceType::name).join(", ");
            return Err(self.unsuited(format!(
                "{source_name} is not a resource type of this directory; known: {known}"
            )));
        };
        let reference = self.schema.find(source, code).and_then(|number| {
            let found = parameter(self.schema, source, number)?;
            (found.kind == ParameterType::Reference).then_some((number, found))
        });
        let Some((number, found)) = reference else {
            return Err(self.not_referring(kind, source, code, rest));
        };
        if !found.targets.contains(&kind) {
            // Published so: roles of an offer, then `_has` for the professional that the role names itself.
            if before == Some(source) && source == kind {
                let mut inner =
                    self.forward(kind, number, &found.targets, code, rest, depth, None)?;
                inner.slip = Some(HAS_TWICE);
                return Ok(inner);
            }
            return Err(self.not_referring(kind, source, code, rest));
        }
        let inner = self.name(source, rest, depth + 1, Some(source))?;
        if inner.modifier.as_deref() == Some("above")
            && inner.alternatives.iter().all(|end| end.steps.is_empty())
        {
            return Err(self.unsuited(
                ":above follows a parameter chained by a dot, as in organization.identifier:above"
                    .to_owned(),
            ));
        }
        let step = Step::Reverse {
            source,
            parameter: number,
        };
        Ok(Found {
            alternatives: inner
                .alternatives
                .into_iter()
                .map(|end| End {
                    steps: [&[step], end.steps.as_slice()].concat(),
                    ..end
                })
                .collect(),
            modifier: inner.modifier,
            canonical: format!("_has:{source}:{code}:{}", inner.canonical),
            slip: inner.slip,
        })
    }

    fn not_referring(
        &self,
        kind: ResourceType,
        source: ResourceType,
        code: &str,
        rest: &str,
    ) -> Fault {
        let mut referring: Vec<String> = Vec::new();
        for t in ResourceType::ALL {
            for reference in self.schema.parameters(t) {
                if reference.kind == ParameterType::Reference && reference.targets.contains(&kind) {
                    referring.push(format!("_has:{t}:{}:{rest}", reference.code));
                }
            }
        }
        // The same reference on another type is the likeliest meaning, then another reference of the same type.
        let nearness = |text: &String| {
            let same_code = text.contains(&format!(":{code}:"));
            let same_type = text.starts_with(&format!("_has:{source}:"));
            (!same_code, !same_type)
        };
        referring.sort_by_key(nearness);
        referring.truncate(3);
        Fault::UnknownName {
            parameter: self.name.to_owned(),
            written: self.name.to_owned(),
            fault: format!("{code} is not a reference from {source} to {kind}"),
            suggestions: referring,
        }
    }

    fn end(
        &self,
        kind: ResourceType,
        parameter: usize,
        is_group: bool,
        canonical: String,
        modifier: Option<&str>,
    ) -> Found {
        Found {
            alternatives: vec![End {
                steps: Vec::new(),
                kind,
                parameter,
                is_group,
            }],
            modifier: modifier.map(str::to_owned),
            canonical,
            slip: None,
        }
    }

    fn known(&self, kind: ResourceType, code: &str) -> bool {
        self.schema.find(kind, code).is_some()
            || alias(code).is_some_and(|proper| self.schema.find(kind, proper).is_some())
    }

    /// The parameter of that code or old code, with the proper code.
    fn find<'c>(
        &self,
        kind: ResourceType,
        code: &'c str,
        continued: bool,
        depth: usize,
        rest: Option<(char, &str)>,
    ) -> Result<(usize, &'c str), Fault> {
        if let Some(number) = self.schema.find(kind, code) {
            return Ok((number, code));
        }
        // The old name of the organization is published as the head of a chain only.
        let proper = alias(code).filter(|proper| *proper != "organization" || continued);
        proper
            .and_then(|proper| Some((self.schema.find(kind, proper)?, proper)))
            .ok_or_else(|| self.unknown(kind, code, depth, rest))
    }

    fn unknown(
        &self,
        kind: ResourceType,
        code: &str,
        depth: usize,
        rest: Option<(char, &str)>,
    ) -> Fault {
        let chained = depth > 0 || matches!(rest, Some(('.', _)));
        if chained || self.wanted == Wanted::Bracket {
            Fault::UnknownName {
                parameter: self.name.to_owned(),
                written: self.name.to_owned(),
                fault: format!("{code} is not a parameter of {kind}"),
                suggestions: self.schema.suggest(kind, code),
            }
        } else {
            Fault::UnknownParameter {
                kind,
                name: code.to_owned(),
                suggestions: self.schema.suggest(kind, code),
            }
        }
    }

    fn unsuited(&self, fault: String) -> Fault {
        Fault::UnknownName {
            parameter: self.name.to_owned(),
            written: self.name.to_owned(),
            fault,
            suggestions: Vec::new(),
        }
    }
}

/// The proper code of an old or misspelt one.
pub(super) fn alias(code: &str) -> Option<&'static str> {
    match code {
        "speciality" => Some("specialty"),
        "providedBy" => Some("organization"),
        _ => None,
    }
}
