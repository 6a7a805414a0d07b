//! Why a search is fast: the tree that the planner follows, with what it expected, found, read and took.

use std::time::Instant;

use rorqual_schema::{Hop, ResourceType};
use serde::Serialize;
use serde_json::{Value, json};

use super::criterion::{Criterion, Test};
use super::error::SearchError;
use super::evaluate::{Evaluator, Level};

/// How much is done to explain a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Depth {
    /// Nothing is executed.
    Plan,
    /// Every step is executed, and measured on its own.
    #[default]
    Analyze,
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// What is done: `and`, `or`, `not`, `chain`, `has`, `line`, `test`, `overlay`, `all`, `nothing`.
    pub operator: &'static str,
    /// What it is done on: `HealthcareService.specialty`.
    pub on: String,
    /// The structure that answers.
    pub structure: String,
    /// How many it was expected to select at most.
    pub estimated: u64,
    /// How many it selects; not known without executing it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<u64>,
    /// Bytes of postings or columns read, about; not known without executing it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Time of this step with the steps below it, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub micros: Option<f64>,
    /// The steps below, in the order in which they are taken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
}

impl Evaluator<'_> {
    /// The plan of a criterion over `kind`.
    ///
    /// # Errors
    /// [`SearchError`] as when searching.
    pub fn explain(
        &self,
        kind: ResourceType,
        criterion: &Criterion,
        depth: Depth,
    ) -> Result<Step, SearchError> {
        self.resources(kind, criterion, depth)
    }

    /// The plan over the resources of a type: that of its directory, and what was written since as one step beside it.
    fn resources(
        &self,
        kind: ResourceType,
        criterion: &Criterion,
        depth: Depth,
    ) -> Result<Step, SearchError> {
        let stored = self.step(Level::resources(kind, 0), criterion, depth)?;
        let written = self.snapshot.part_count(kind) - 1;
        if written == 0 {
            return Ok(stored);
        }
        let begun = Instant::now();
        let parts = || self.snapshot.parts(kind).skip(1);
        let estimated = parts()
            .map(|part| self.estimate(Level::resources(kind, part.number), criterion))
            .sum();
        let mut since = Step {
            operator: "overlay",
            on: kind.name().to_owned(),
            structure: format!(
                "{written} segment(s) in memory: what was written since the generation"
            ),
            estimated,
            actual: None,
            bytes: None,
            micros: None,
            steps: Vec::new(),
        };
        let mut all = Step {
            operator: "or",
            on: kind.name().to_owned(),
            structure: "union of parts, without what was replaced".to_owned(),
            estimated: stored.estimated + estimated,
            actual: None,
            bytes: None,
            micros: None,
            steps: Vec::new(),
        };
        if depth == Depth::Analyze {
            let mut found = 0;
            for part in parts() {
                let of_part = self.evaluate(Level::resources(kind, part.number), criterion)?;
                found += self.snapshot.seen(kind, part, of_part).len();
            }
            since.actual = Some(found);
            since.micros = Some(micros(begun));
            let begun = Instant::now();
            all.actual = Some(self.matches(kind, criterion)?.len());
            all.micros = Some(micros(begun));
            all.bytes = stored.bytes;
        }
        all.steps = vec![stored, since];
        Ok(all)
    }

    fn step(&self, level: Level, criterion: &Criterion, depth: Depth) -> Result<Step, SearchError> {
        let place = self.place(level);
        let mut steps = Vec::new();
        let (operator, on, structure) = match criterion {
            Criterion::All => ("all", place, "count of ordinals".to_owned()),
            Criterion::Nothing => ("nothing", place, "none".to_owned()),
            Criterion::And(parts) => {
                let (positive, negated) = self.ordered(level, parts);
                for (_, part) in positive {
                    steps.push(self.step(level, part, depth)?);
                }
                for part in negated {
                    steps.push(self.step(level, &Criterion::Not(Box::new(part.clone())), depth)?);
                }
                ("and", place, "intersection, rarest first; candidates are checked one by one once few are left".to_owned())
            }
            Criterion::Or(parts) => {
                for part in parts {
                    steps.push(self.step(level, part, depth)?);
                }
                ("or", place, "union of bitmaps".to_owned())
            }
            Criterion::Not(part) => {
                steps.push(self.step(level, part, depth)?);
                ("not", place, "difference of bitmaps".to_owned())
            }
            Criterion::Test { parameter, test } => (
                "test",
                format!("{place}.{}", self.code(level.kind, *parameter)),
                structure(test).to_owned(),
            ),
            Criterion::Chain {
                parameter,
                target,
                hop,
                inner,
            } => {
                let name = self.code(level.kind, *parameter);
                let above = match hop {
                    Hop::Direct => "",
                    Hop::Above => " and above",
                };
                let on = format!("{place}.{name} -> {target}{above}");
                if self.is_precomputed(level, *parameter, *hop, inner) {
                    let ends = ends(inner, &|end| self.code(*target, end)).join(", ");
                    (
                        "chain",
                        format!("{on}: {ends}"),
                        "postings kept at the level of the resource that refers".to_owned(),
                    )
                } else {
                    let implied = self.implied(level, criterion);
                    let structure = match implied.is_empty() {
                        true => "incoming references of what is found",
                        false => {
                            "candidates by what the condition implies, asked one by one if few; else incoming references of what is found"
                        }
                    };
                    for implied in implied {
                        steps.push(self.step(level, &implied.criterion(), depth)?);
                    }
                    steps.push(self.resources(*target, inner, depth)?);
                    ("chain", on, structure.to_owned())
                }
            }
            Criterion::Has {
                source,
                parameter,
                inner,
            } => {
                steps.push(self.resources(*source, inner, depth)?);
                let on = format!("{place} <- {source}.{}", self.code(*source, *parameter));
                ("has", on, "outgoing references of what is found".to_owned())
            }
            Criterion::Line { group, inner } => {
                let inside = level.lines(*group);
                steps.push(self.step(inside, inner, depth)?);
                (
                    "line",
                    self.place(inside),
                    "owners of the lines found: one line satisfies all".to_owned(),
                )
            }
        };
        let estimated = self.estimate(level, criterion);
        let (mut actual, mut bytes, mut micros) = (None, None, None);
        if depth == Depth::Analyze {
            let begun = Instant::now();
            let found = self.evaluate(level, criterion)?;
            micros = Some(self::micros(begun));
            actual = Some(found.len());
            bytes = Some(match steps.is_empty() {
                true => found.serialized_size() as u64,
                false => steps.iter().filter_map(|step| step.bytes).sum(),
            });
        }
        Ok(Step {
            operator,
            on,
            structure,
            estimated,
            actual,
            bytes,
            micros,
            steps,
        })
    }
}

/// Microseconds since an instant, to a tenth.
fn micros(begun: Instant) -> f64 {
    (begun.elapsed().as_secs_f64() * 1e7).round() / 10.0
}

/// The structure that answers a test.
fn structure(test: &Test) -> &'static str {
    match test {
        Test::Token(_) | Test::OfType { .. } => "term dictionary and postings",
        Test::StartsWith(_) => "range of folded terms, one slice of postings",
        Test::Equals(_) => "dictionary of stored texts and postings",
        Test::Contains(_) | Test::EndsWith(_) => "substring search over the folded dictionary",
        Test::Date { .. } => "slices of the columns sorted by start and by end",
        Test::Number(_) | Test::Quantity { .. } => "slice of the sorted column",
        Test::Reference(_) => "incoming references",
        Test::Below(_) => "incoming references of the whole family",
        Test::LogicalReference(_) => "dictionary of logical references",
        Test::Present => "bitmap of presence",
        Test::Near { .. } => "R-tree, edge by great-circle distance",
        Test::Content(_) => "full-text segment",
    }
}

/// The parameters at the end of a precomputed chain.
fn ends(inner: &Criterion, code: &dyn Fn(usize) -> String) -> Vec<String> {
    match inner {
        Criterion::Test { parameter, .. } => vec![code(*parameter)],
        Criterion::Or(parts) => {
            let mut all: Vec<String> = parts.iter().flat_map(|part| ends(part, code)).collect();
            all.dedup();
            all
        }
        _ => Vec::new(),
    }
}

/// The whole explanation of a search.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The search as executed.
    pub search: String,
    /// The generation that would answer.
    pub generation: String,
    /// How the parameters of one repeating group are matched: `same-line` or `independent`.
    pub group_matching: &'static str,
    /// How the page is cut from the matches.
    pub order: String,
    /// Whether anything was executed: `plan` or `analyze`.
    pub level: &'static str,
    /// The tree.
    pub plan: Step,
}

impl Explanation {
    /// The explanation for a terminal: one line a step, indented.
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "{}\ngeneration {}, groups {}, order: {}\n\n{:>12} {:>12} {:>12} {:>12}  step\n",
            self.search,
            self.generation,
            self.group_matching,
            self.order,
            "estimated",
            "actual",
            "bytes",
            "micros"
        );
        write_step(&self.plan, 0, &mut text);
        text
    }

    /// The explanation as a FHIR R4 Parameters resource: one parameter a step, its parts in the same names as the JSON.
    pub fn to_parameters(&self) -> Value {
        json!({
            "resourceType": "Parameters",
            "parameter": [
                { "name": "search", "valueString": self.search },
                { "name": "generation", "valueString": self.generation },
                { "name": "groupMatching", "valueCode": self.group_matching },
                { "name": "order", "valueString": self.order },
                { "name": "level", "valueCode": self.level },
                parameter(&self.plan),
            ]
        })
    }
}

fn write_step(step: &Step, depth: usize, out: &mut String) {
    let shown = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    out.push_str(&format!(
        "{:>12} {:>12} {:>12} {:>12}  {:indent$}{} {} ({})\n",
        step.estimated,
        shown(step.actual.map(|actual| actual.to_string())),
        shown(step.bytes.map(|bytes| bytes.to_string())),
        shown(step.micros.map(|micros| format!("{micros:.1}"))),
        "",
        step.operator,
        step.on,
        step.structure,
        indent = 2 * depth
    ));
    for below in &step.steps {
        write_step(below, depth + 1, out);
    }
}

fn parameter(step: &Step) -> Value {
    let mut parts = vec![
        json!({ "name": "operator", "valueCode": step.operator }),
        json!({ "name": "on", "valueString": step.on }),
        json!({ "name": "structure", "valueString": step.structure }),
        // Counts may exceed FHIR's 32-bit integers in principle; decimals hold them all.
        json!({ "name": "estimated", "valueDecimal": step.estimated }),
    ];
    let measured = [
        ("actual", step.actual.map(|actual| json!(actual))),
        ("bytes", step.bytes.map(|bytes| json!(bytes))),
        ("micros", step.micros.map(|micros| json!(micros))),
    ];
    for (name, value) in measured {
        parts.extend(value.map(|value| json!({ "name": name, "valueDecimal": value })));
    }
    parts.extend(step.steps.iter().map(parameter));
    json!({ "name": "step", "part": parts })
}
