//! From a resource to the values of its parameters.

use crate::json::Node;
use crate::parameter::{Parameter, ParameterType};
use crate::plan::{Plan, PlanNode, Selector};
use crate::value::Value;
use crate::value::date::{TimeZoneRule, read_date};
use crate::value::position::Position;
use crate::value::quantity::{read_number, read_quantity};
use crate::value::reference::read_reference;
use crate::value::text::read_strings;
use crate::value::token::read_tokens;

/// What [`crate::Schema::extract`] found in one resource. Reuse one through [`Extraction::recycle`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extraction<'a> {
    /// The values: for each parameter in document order.
    pub values: Vec<Extracted<'a>>,
    /// For each group of the type, in the order of [`crate::Schema::groups`]: for each line, in document order, the number of
    /// the line of the parent group that holds it.
    pub lines: Vec<Vec<Option<u32>>>,
}

/// One value of one parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Extracted<'a> {
    /// The parameter's number in [`crate::Schema::parameters`].
    pub parameter: usize,
    /// For a parameter of a group, the number of the line that holds the value.
    pub line: Option<u32>,
    /// The value.
    pub value: Value<'a>,
}

impl<'a> Extraction<'a> {
    /// An empty extraction.
    pub fn new() -> Extraction<'a> {
        Extraction::default()
    }

    /// Empties the extraction and frees it from the resource it was filled from, keeping its memory for the next.
    pub fn recycle<'b>(mut self) -> Extraction<'b> {
        self.clear();
        // Collecting an emptied vector into one whose items have the same layout keeps its allocation.
        Extraction {
            values: self.values.into_iter().map_while(|_| None).collect(),
            lines: self.lines,
        }
    }

    fn clear(&mut self) {
        self.values.clear();
        self.lines.iter_mut().for_each(Vec::clear);
    }
}

/// One walk through a resource.
pub(crate) struct Walk<'a, 'x> {
    pub plan: &'a Plan,
    pub parameters: &'a [Parameter],
    pub zone: &'a TimeZoneRule,
    pub sink: &'x mut Extraction<'a>,
}

/// The line of each group that holds the element visited; groups nest two deep at most in practice, so a small chain does.
#[derive(Clone, Copy)]
struct Lines<'l> {
    group: usize,
    line: u32,
    outer: Option<&'l Lines<'l>>,
}

impl Lines<'_> {
    fn of(lines: Option<&Lines<'_>>, group: usize) -> Option<u32> {
        let mut next = lines;
        while let Some(here) = next {
            if here.group == group {
                return Some(here.line);
            }
            next = here.outer;
        }
        None
    }
}

impl<'a> Walk<'a, '_> {
    /// Empties the sink and fills it from the resource.
    pub(crate) fn run(mut self, resource: &'a Node<'a>) {
        self.sink.clear();
        self.sink.lines.resize_with(self.plan.groups, Vec::new);
        if let Some(root) = self.plan.nodes.first() {
            self.visit(root, resource, None);
        }
    }

    fn visit(&mut self, node: &'a PlanNode, element: &'a Node<'a>, lines: Option<&Lines<'_>>) {
        let here;
        let mut lines = lines;
        if let Some(start) = node.group {
            let parent = start.parent.and_then(|parent| Lines::of(lines, parent));
            if let Some(known) = self.sink.lines.get_mut(start.group) {
                let line = u32::try_from(known.len()).unwrap_or(u32::MAX);
                known.push(parent);
                here = Lines {
                    group: start.group,
                    line,
                    outer: lines,
                };
                lines = Some(&here);
            }
        }
        for &(parameter, group) in &node.outputs {
            self.read(
                parameter,
                group.and_then(|group| Lines::of(lines, group)),
                element,
            );
        }
        let mut field: Option<(&str, Option<&str>)> = None;
        for (name, accepted, to) in &node.conditions {
            let text = match field {
                Some((known, text)) if known == name => text,
                _ => element.get(name).and_then(Node::as_str),
            };
            field = Some((name, text));
            if text.is_some_and(|text| accepted.iter().any(|one| one == text)) {
                self.follow(*to, element, lines);
            }
        }
        if node.children.is_empty() {
            return;
        }
        for (selector, to) in &node.children {
            match selector {
                Selector::Name(name) => {
                    if let Some(member) = element.get(name) {
                        self.visit_items(*to, member, lines);
                    }
                }
                Selector::AnyValue => {
                    if let Some(member) = any_value(element) {
                        self.visit_items(*to, member, lines);
                    }
                }
            }
        }
    }

    fn follow(&mut self, to: usize, element: &'a Node<'a>, lines: Option<&Lines<'_>>) {
        if let Some(node) = self.plan.nodes.get(to) {
            self.visit(node, element, lines);
        }
    }

    fn visit_items(&mut self, to: usize, member: &'a Node<'a>, lines: Option<&Lines<'_>>) {
        for item in member.items() {
            self.follow(to, item, lines);
        }
    }

    fn read(&mut self, parameter: usize, line: Option<u32>, element: &'a Node<'a>) {
        let Some(definition) = self.parameters.get(parameter) else {
            return;
        };
        let values = &mut self.sink.values;
        let mut emit = |value| {
            values.push(Extracted {
                parameter,
                line,
                value,
            })
        };
        match definition.kind {
            ParameterType::Token => read_tokens(element, &mut |token| emit(Value::Token(token))),
            ParameterType::String => read_strings(element, &mut |text| emit(Value::String(text))),
            ParameterType::Date => read_date(element, self.zone)
                .map(Value::Date)
                .into_iter()
                .for_each(emit),
            ParameterType::Number => read_number(element)
                .map(Value::Number)
                .into_iter()
                .for_each(emit),
            ParameterType::Quantity => {
                let quantity = read_quantity(element, definition.default_unit.as_deref());
                quantity.map(Value::Quantity).into_iter().for_each(emit);
            }
            ParameterType::Reference => read_reference(element)
                .map(Value::Reference)
                .into_iter()
                .for_each(emit),
            ParameterType::Special => Position::read(element)
                .map(Value::Position)
                .into_iter()
                .for_each(emit),
        }
    }
}

/// The member `value`, or the one whose name is `value` and a type.
fn any_value<'a>(element: &'a Node<'a>) -> Option<&'a Node<'a>> {
    let named = |(name, value): &'a (_, Node<'a>)| {
        let name: &std::borrow::Cow<'a, str> = name;
        let kind = name.strip_prefix("value")?;
        (kind.is_empty() || kind.starts_with(|c: char| c.is_ascii_uppercase())).then_some(value)
    };
    element.as_object()?.iter().find_map(named)
}
