//! The tree of a `_filter` as written, before any name is looked up. Places are bytes of the decoded text.

/// A filter expression.
#[derive(Debug, PartialEq)]
pub(super) enum Expression {
    /// Expressions joined by `and` and `or`, from left to right without precedence.
    Sequence {
        first: Box<Expression>,
        rest: Vec<(Connective, Expression)>,
    },
    /// `not (…)`.
    Not(Box<Expression>),
    /// `(…)`.
    Parentheses(Box<Expression>),
    /// `path operator value`.
    Comparison {
        path: Vec<Segment>,
        operator: String,
        operator_at: usize,
        value: Written,
    },
}

impl Expression {
    /// Whether this is a comparison of a parameter's own value: without brackets, and no complement.
    pub(super) fn is_plain(&self) -> bool {
        match self {
            Expression::Comparison { path, operator, .. } => {
                operator != "ne" && path.iter().all(|segment| segment.bracket.is_none())
            }
            _ => false,
        }
    }
}

/// What joins two expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connective {
    And,
    Or,
}

impl Connective {
    pub(super) fn word(self) -> &'static str {
        match self {
            Connective::And => "and",
            Connective::Or => "or",
        }
    }
}

/// A part of a path: a name, and the filter in brackets after it. All but the last have brackets.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Segment {
    pub(super) at: usize,
    pub(super) name: String,
    pub(super) bracket: Option<std::rc::Rc<Expression>>,
}

/// A value as written, its quotes taken off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) at: usize,
    pub(super) text: String,
    pub(super) quoted: bool,
}
