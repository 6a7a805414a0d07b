//! Expressions compiled together: one tree per resource type, so that a shared path is walked once.

use crate::fhirpath::{Branch, ExpressionError, Step, parse};
use crate::group::Group;
use crate::parameter::Parameter;
use crate::resource_type::ResourceType;

/// The tree of every path of one resource type. Node 0 is the resource.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub nodes: Vec<PlanNode>,
    pub groups: usize,
}

/// What to do with an element reached by one path.
#[derive(Debug, Default)]
pub(crate) struct PlanNode {
    /// The group of which the element is one line.
    pub group: Option<GroupLine>,
    /// The parameters whose values are here, with the group their lines are counted in.
    pub outputs: Vec<(usize, Option<usize>)>,
    /// Conditions on the element itself, those on one field side by side.
    pub conditions: Vec<(String, Vec<String>, usize)>,
    /// Where to go on from here.
    pub children: Vec<(Selector, usize)>,
}

/// The group that starts at a node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GroupLine {
    pub group: usize,
    pub parent: Option<usize>,
}

/// Which members of an element to visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Selector {
    /// The member of that name.
    Name(String),
    /// `value`, or the one member named `valueX`.
    AnyValue,
}

/// Why a plan cannot be made.
#[derive(Debug)]
pub(crate) enum PlanError {
    Parameter {
        parameter: usize,
        source: ExpressionError,
    },
    NoBranch {
        parameter: usize,
    },
    Group {
        group: usize,
        fault: String,
    },
}

impl Plan {
    /// Compiles the parameters and groups of one type, and tells each parameter its group.
    pub(crate) fn compile(
        base: ResourceType,
        parameters: &mut [Parameter],
        groups: &[Group],
    ) -> Result<Plan, PlanError> {
        let mut plan = Plan {
            nodes: vec![PlanNode::default()],
            groups: groups.len(),
        };
        let paths = group_paths(base, groups)?;
        for (number, (group, path)) in groups.iter().zip(&paths).enumerate() {
            let at = plan.node_for(path);
            if let Some(node) = plan.nodes.get_mut(at) {
                node.group = Some(GroupLine {
                    group: number,
                    parent: group.parent,
                });
            }
        }
        for (number, parameter) in parameters.iter_mut().enumerate() {
            let Some(expression) = &parameter.expression else {
                continue;
            };
            let branches = parse(expression).map_err(|source| PlanError::Parameter {
                parameter: number,
                source,
            })?;
            let branches: Vec<Branch> = branches
                .into_iter()
                .filter(|branch| applies(branch, base))
                .collect();
            if branches.is_empty() {
                return Err(PlanError::NoBranch { parameter: number });
            }
            parameter.group = common_group(&branches, &paths);
            for branch in &branches {
                let at = plan.node_for(&branch.steps);
                let output = (number, parameter.group);
                if let Some(node) = plan
                    .nodes
                    .get_mut(at)
                    .filter(|node| !node.outputs.contains(&output))
                {
                    node.outputs.push(output);
                }
            }
        }
        for node in &mut plan.nodes {
            // Conditions on one field stand together: the walk then reads the field once.
            node.conditions.sort_by(|(a, ..), (b, ..)| a.cmp(b));
        }
        Ok(plan)
    }

    /// The node at the end of a path, made on the way where it is missing.
    fn node_for(&mut self, steps: &[Step]) -> usize {
        let mut at = 0;
        for step in steps {
            let next = self.nodes.len();
            let Some(node) = self.nodes.get_mut(at) else {
                return at;
            };
            let known = match step {
                Step::Where { field, accepted } => {
                    let known = node
                        .conditions
                        .iter()
                        .find(|(f, a, _)| f == field && a == accepted)
                        .map(|(.., to)| *to);
                    if known.is_none() {
                        node.conditions
                            .push((field.clone(), accepted.clone(), next));
                    }
                    known
                }
                Step::Child(name) => child(node, Selector::Name(name.clone()), next),
                Step::Value(Some(kind)) => child(node, Selector::Name(typed_value(kind)), next),
                Step::Value(None) => child(node, Selector::AnyValue, next),
            };
            at = known.unwrap_or_else(|| {
                self.nodes.push(PlanNode::default());
                next
            });
        }
        at
    }
}

fn child(node: &mut PlanNode, selector: Selector, next: usize) -> Option<usize> {
    let known = node
        .children
        .iter()
        .find(|(known, _)| *known == selector)
        .map(|(_, to)| *to);
    if known.is_none() {
        node.children.push((selector, next));
    }
    known
}

/// `value` with its type, as FHIR JSON names it: `valueDateTime` for dateTime.
fn typed_value(kind: &str) -> String {
    let mut letters = kind.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase()).into_iter();
    "value".chars().chain(first).chain(letters).collect()
}

/// Branches for other types are left out, as in the SearchParameters that FHIR shares between types.
fn applies(branch: &Branch, base: ResourceType) -> bool {
    match branch.root.as_deref() {
        None | Some("Resource" | "DomainResource") => true,
        Some(root) => root == base.name(),
    }
}

fn group_paths(base: ResourceType, groups: &[Group]) -> Result<Vec<Vec<Step>>, PlanError> {
    let mut paths: Vec<Vec<Step>> = Vec::new();
    for (number, group) in groups.iter().enumerate() {
        let fault = |fault: String| PlanError::Group {
            group: number,
            fault,
        };
        let mut branches = parse(&group.path).map_err(|error| fault(error.to_string()))?;
        branches.retain(|branch| applies(branch, base));
        let path = match (branches.pop(), branches.is_empty()) {
            (Some(branch), true) if !branch.steps.is_empty() => branch.steps,
            _ => {
                return Err(fault(
                    "the path is not one path from the base to an element".to_owned(),
                ));
            }
        };
        if let Some(parent) = group.parent {
            let inside = paths
                .get(parent)
                .is_some_and(|outer| path.len() > outer.len() && path.starts_with(outer));
            if !inside {
                return Err(fault(
                    "the path does not lie inside that of an earlier group, its parent".to_owned(),
                ));
            }
        }
        paths.push(path);
    }
    Ok(paths)
}

/// The deepest group that every branch lies in.
fn common_group(branches: &[Branch], paths: &[Vec<Step>]) -> Option<usize> {
    let candidates = paths
        .iter()
        .enumerate()
        .filter(|(_, path)| branches.iter().all(|branch| branch.steps.starts_with(path)));
    candidates
        .max_by_key(|(_, path)| path.len())
        .map(|(number, _)| number)
}
