//! A search as a tree: what the reference evaluates and what is written as a URL for the engine.

mod filters;
mod generate;
mod pick;
mod refused;
mod shown;
mod url;
mod words;

pub use generate::generate;
pub use refused::refused;
pub use url::url;

use crate::kinds::Kind;

/// Parts of the language beyond a type's own parameters, tested once the engine offers them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Feature {
    /// Several parameters of one repeating group must meet in one line.
    Groups,
    /// `organization.type=…`, to any depth.
    Chains,
    /// `_has:Type:reference:parameter=…`.
    Has,
    /// `:above` after a chain, `:below` on a reference.
    Hierarchy,
    /// `near` and `near-insee-code`.
    Near,
    /// `_filter`.
    Filter,
    /// `_sort` on a parameter of a referenced resource.
    ChainedSort,
    /// `_content`.
    Content,
    /// `_elements` and `_summary`.
    Elements,
    /// `_sort=near`.
    SortNear,
}

/// Prefix of an ordered value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Prefix {
    /// Equal; also meant when no prefix is written.
    Eq,
    /// Different.
    Ne,
    /// Greater.
    Gt,
    /// Less.
    Lt,
    /// Greater or equal.
    Ge,
    /// Less or equal.
    Le,
    /// Starts after.
    Sa,
    /// Ends before.
    Eb,
    /// About.
    Ap,
}

impl Prefix {
    /// All nine.
    pub const ALL: [Prefix; 9] = [
        Prefix::Eq,
        Prefix::Ne,
        Prefix::Gt,
        Prefix::Lt,
        Prefix::Ge,
        Prefix::Le,
        Prefix::Sa,
        Prefix::Eb,
        Prefix::Ap,
    ];

    /// Its two letters.
    pub fn letters(self) -> &'static str {
        match self {
            Prefix::Eq => "eq",
            Prefix::Ne => "ne",
            Prefix::Gt => "gt",
            Prefix::Lt => "lt",
            Prefix::Ge => "ge",
            Prefix::Le => "le",
            Prefix::Sa => "sa",
            Prefix::Eb => "eb",
            Prefix::Ap => "ap",
        }
    }
}

/// One move of a chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Along a reference, to any of its types or to one.
    To {
        /// The reference parameter.
        code: &'static str,
        /// `:Type`, when written.
        target: Option<Kind>,
    },
    /// Against a reference: `_has`.
    From {
        /// The type that holds the reference.
        source: Kind,
        /// Its reference parameter.
        code: &'static str,
    },
}

/// What follows the name of a parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Modifier {
    /// Nothing.
    None,
    /// `:not`.
    Not,
    /// `:exact`.
    Exact,
    /// `:contains`.
    Contains,
    /// `:missing=true|false`.
    Missing(bool),
    /// `:of-type`.
    OfType,
    /// `:identifier`.
    Identifier,
    /// `:Type` on a reference.
    Type(Kind),
    /// `:above` after a chain to an Organization.
    Above,
    /// `:below` on a reference to an Organization.
    Below,
}

/// One value asked for.
#[derive(Clone, PartialEq, Debug)]
pub enum Term {
    /// `code`, `system|code`, `system|`, `|code`.
    Token {
        /// `None`: any; empty: none.
        system: Option<String>,
        /// `None`: any code of the system.
        code: Option<String>,
    },
    /// `system|code|value`.
    OfType {
        /// System of the identifier's type.
        system: String,
        /// Code of the identifier's type.
        code: String,
        /// The identifier.
        value: String,
    },
    /// Text.
    Text(String),
    /// A date as written.
    Date(Prefix, String),
    /// A number as written.
    Number(Prefix, String),
    /// A number as written, with system and code of its unit if any.
    Quantity(Prefix, String, Option<(String, String)>),
    /// A reference: `id`, `Type/id`, or an absolute URL.
    Reference {
        /// The type, when written.
        kind: Option<Kind>,
        /// The id.
        id: String,
        /// Whether the base is written before.
        absolute: bool,
    },
    /// Latitude, longitude, distance as written.
    Near(f64, f64, Distance),
    /// INSEE code of a commune, distance as written.
    NearInsee(String, Distance),
    /// Words and quoted phrases.
    Content(String),
}

/// Radius of a proximity search as written: nothing, a number, or a number and a unit.
pub type Distance = Option<(String, Option<&'static str>)>;

/// A parameter with its modifier and its OR list.
#[derive(Clone, PartialEq, Debug)]
pub struct Test {
    /// The parameter.
    pub code: &'static str,
    /// What follows it.
    pub modifier: Modifier,
    /// The values, any of which will do.
    pub terms: Vec<Term>,
}

/// A test on the resource itself or at the end of a chain.
#[derive(Clone, PartialEq, Debug)]
pub struct Criterion {
    /// The moves from the searched resource; empty for the resource itself.
    pub path: Vec<Step>,
    /// What must hold there.
    pub test: Test,
}

/// A `_filter` expression.
#[derive(Clone, PartialEq, Debug)]
pub enum Filter {
    /// Both.
    And(Box<Filter>, Box<Filter>),
    /// Either.
    Or(Box<Filter>, Box<Filter>),
    /// The contrary.
    Not(Box<Filter>),
    /// `path op value`.
    Compare(Vec<Step>, &'static str, Operator, Term),
    /// `path pr true|false`.
    Present(Vec<Step>, &'static str, bool),
    /// `group[…] pr true`: one line on which all hold.
    Line(Vec<Step>, &'static str, Vec<(&'static str, Operator, Term)>),
}

impl Filter {
    /// Whether `_content` stands somewhere in it.
    fn speaks_of_words(&self) -> bool {
        match self {
            Filter::And(left, right) | Filter::Or(left, right) => {
                left.speaks_of_words() || right.speaks_of_words()
            }
            Filter::Not(inner) => inner.speaks_of_words(),
            Filter::Compare(_, code, ..) => *code == "_content",
            Filter::Present(..) | Filter::Line(..) => false,
        }
    }
}

/// Operator of a filter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operator {
    /// An ordered comparison; `eq` also does for the unordered types. `ne` is never held here.
    Prefix(Prefix),
    /// The complement of `eq`.
    Differs,
    /// Contains.
    Contains,
    /// Starts with.
    Starts,
    /// Ends with.
    Ends,
}

/// An `_include` or `_revinclude`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Include {
    /// Whether it is a `_revinclude`.
    pub reverse: bool,
    /// Whether `:iterate` is written.
    pub iterate: bool,
    /// The type that holds the reference; `None` for a lone `*`.
    pub source: Option<Kind>,
    /// The reference parameter; `None` for `*`.
    pub code: Option<&'static str>,
    /// The third part.
    pub target: Option<Kind>,
}

/// One key of `_sort`.
#[derive(Clone, PartialEq, Debug)]
pub struct SortKey {
    /// The moves from the searched resource.
    pub path: Vec<Step>,
    /// The parameter.
    pub code: &'static str,
    /// Whether a `-` stands before it.
    pub descending: bool,
}

/// A value of `_summary`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Summary {
    /// `true`.
    True,
    /// `text`.
    Text,
    /// `data`.
    Data,
    /// `count`.
    Count,
}

/// A search on one type.
#[derive(Clone, PartialEq, Debug)]
pub struct Query {
    /// The type searched.
    pub kind: Kind,
    /// All must hold.
    pub criteria: Vec<Criterion>,
    /// All must hold.
    pub filters: Vec<Filter>,
    /// What comes along.
    pub includes: Vec<Include>,
    /// The order.
    pub sort: Vec<SortKey>,
    /// `_count`.
    pub count: Option<usize>,
    /// `_elements`: names, each of one type or of the matches.
    pub elements: Vec<(Option<Kind>, &'static str)>,
    /// `_summary`.
    pub summary: Option<Summary>,
}

impl Query {
    /// Whether no entry is to be shown.
    pub fn only_counts(&self) -> bool {
        self.count == Some(0) || self.summary == Some(Summary::Count)
    }

    /// Names of the parts whose searches are counted apart.
    pub fn special_parts(&self) -> Vec<&'static str> {
        let words = self
            .criteria
            .iter()
            .find(|criterion| criterion.test.code == "_content");
        let words = words.map(|criterion| match criterion.path.as_slice() {
            [] => "_content",
            _ => "chained _content",
        });
        let parts = [
            words,
            self.filters
                .iter()
                .any(Filter::speaks_of_words)
                .then_some("_content in _filter"),
            (!self.elements.is_empty()).then_some("_elements"),
            self.summary.map(|_| "_summary"),
            self.sort
                .iter()
                .any(|key| key.code == "near")
                .then_some("_sort=near"),
        ];
        parts.into_iter().flatten().collect()
    }
}
