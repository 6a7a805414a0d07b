//! The grammar of `_filter`: that of FHIR R4 and the ROR dialect, as a recursive descent.
//!
//! ```text
//! expression = primary *(("and" / "or") (primary / value))    ; a value repeats the path and operator before it
//! primary    = "(" expression ")" / "not" "(" expression ")" / comparison
//! comparison = path operator value / path "=" value           ; "=" after _content only
//! path       = name ["[" expression "]" ["." path]]
//! value      = quoted / word
//! ```

use std::rc::Rc;

use super::Trouble;
use super::lexer::{Lexer, OPERATORS};
use super::syntax::{Connective, Expression, Segment, Written};

/// Parentheses, brackets and `not` inside each other.
pub(super) const MAXIMUM_DEPTH: usize = 64;
/// Comparisons in one filter.
pub(super) const MAXIMUM_NODES: usize = 1_000;

/// A spelling of the dialect that is not of the R4 grammar: what was written, and what it stands for.
pub(super) struct Slip {
    pub(super) written: String,
    pub(super) meant: String,
}

/// A filter once read: its tree and its published slips.
pub(super) struct Parsed {
    pub(super) expression: Expression,
    pub(super) slips: Vec<Slip>,
}

/// Reads the text of a filter.
pub(super) fn parse(text: &str) -> Result<Parsed, Trouble> {
    let mut grammar = Grammar {
        lexer: Lexer::new(text),
        slips: Vec::new(),
        listed: None,
        nodes: 0,
    };
    grammar.lexer.blanks();
    if grammar.lexer.peek().is_none() {
        return Err(Trouble::form(0, "the filter is empty"));
    }
    let expression = grammar.expression(0)?;
    match grammar.lexer.peek() {
        None => Ok(Parsed {
            expression,
            slips: grammar.slips,
        }),
        Some(')') => Err(grammar.here("this parenthesis closes nothing")),
        Some(']') => Err(grammar.here("this bracket closes nothing")),
        Some(_) => Err(grammar
            .here("`and`, `or` or the end is expected; put a value with blanks in double quotes")),
    }
}

struct Grammar<'t> {
    lexer: Lexer<'t>,
    slips: Vec<Slip>,
    /// The operator whose list of values was already noted as a slip.
    listed: Option<usize>,
    nodes: usize,
}

impl<'t> Grammar<'t> {
    fn here(&self, fault: &str) -> Trouble {
        Trouble::form(self.lexer.at, fault)
    }

    fn expression(&mut self, depth: usize) -> Result<Expression, Trouble> {
        if depth > MAXIMUM_DEPTH {
            return Err(Trouble::TooDeep);
        }
        let first = self.primary(depth)?;
        let mut rest: Vec<(Connective, Expression)> = Vec::new();
        loop {
            self.lexer.blanks();
            let before = self.lexer;
            let word = self.lexer.word();
            let connective = match word {
                "" => {
                    self.lexer = before;
                    break;
                }
                "and" => Connective::And,
                "or" => Connective::Or,
                _ if word.eq_ignore_ascii_case("and") => Connective::And,
                _ if word.eq_ignore_ascii_case("or") => Connective::Or,
                _ => {
                    self.lexer = before;
                    return Err(self.here(
                        "`and`, `or` or a closing parenthesis is expected; put a value with blanks in double quotes",
                    ));
                }
            };
            self.lower_case(word, connective.word());
            self.lexer.blanks();
            let last = rest.last().map_or(&first, |(_, last)| last);
            let next = match self.repeated(last, connective)? {
                Some(next) => next,
                None => self.primary(depth)?,
            };
            rest.push((connective, next));
        }
        Ok(if rest.is_empty() {
            first
        } else {
            Expression::Sequence {
                first: Box::new(first),
                rest,
            }
        })
    }

    fn primary(&mut self, depth: usize) -> Result<Expression, Trouble> {
        self.lexer.blanks();
        if self.lexer.take('(') {
            let inner = self.inside(')', depth, "this parenthesis is not closed")?;
            return Ok(Expression::Parentheses(Box::new(inner)));
        }
        let before = self.lexer;
        let word = self.lexer.word();
        if word.eq_ignore_ascii_case("not") {
            self.lexer.blanks();
            if !self.lexer.take('(') {
                return Err(self.here("`not` is followed by an expression in parentheses"));
            }
            self.lower_case(word, "not");
            let inner = self.inside(')', depth, "this parenthesis is not closed")?;
            return Ok(Expression::Not(Box::new(inner)));
        }
        self.lexer = before;
        self.comparison(depth)
    }

    /// An expression up to its closing bracket; the opening one was just taken.
    fn inside(&mut self, close: char, depth: usize, fault: &str) -> Result<Expression, Trouble> {
        let opened = self.lexer.at.saturating_sub(1);
        self.lexer.blanks();
        if self.lexer.peek() == Some(close) {
            return Err(self.here("an expression is expected"));
        }
        let inner = self.expression(depth + 1)?;
        self.lexer.blanks();
        if self.lexer.take(close) {
            return Ok(inner);
        }
        Err(match self.lexer.peek() {
            None => Trouble::form(opened, fault),
            Some(_) => self.here(&format!("`{close}` is expected")),
        })
    }

    fn comparison(&mut self, depth: usize) -> Result<Expression, Trouble> {
        self.nodes += 1;
        if self.nodes > MAXIMUM_NODES {
            return Err(Trouble::TooMany);
        }
        let path = self.path(depth)?;
        if self.lexer.peek() == Some('=') {
            return self.equals(path);
        }
        self.lexer.blanks();
        let operator_at = self.lexer.at;
        let operator = self.lexer.word();
        if !OPERATORS.contains(&operator) {
            let name = path.last().map_or("", |last| last.name.as_str());
            let fault = if operator.is_empty() {
                format!(
                    "an operator is expected after `{name}`, such as eq; a value stands after a parameter and an operator"
                )
            } else {
                format!(
                    "`{operator}` is not an operator; known: {}; a value stands after a parameter and an operator",
                    OPERATORS.join(" ")
                )
            };
            return Err(Trouble::form(operator_at, &fault));
        }
        self.lexer.blanks();
        let value = self.value()?;
        Ok(Expression::Comparison {
            path,
            operator: operator.to_owned(),
            operator_at,
            value,
        })
    }

    /// `_content=value`, which is not of the grammar but published.
    fn equals(&mut self, path: Vec<Segment>) -> Result<Expression, Trouble> {
        let operator_at = self.lexer.at;
        let name = path.last().map_or("", |last| last.name.as_str());
        if name != "_content" && !name.ends_with("._content") {
            return Err(self.here("`=` is not an operator; write eq between blanks"));
        }
        self.lexer.take('=');
        self.lexer.blanks();
        let value = self.value()?;
        self.slips.push(Slip {
            written: format!("{name}={}", value.text),
            meant: format!("{name} co {}", value.text),
        });
        Ok(Expression::Comparison {
            path,
            operator: "co".to_owned(),
            operator_at,
            value,
        })
    }

    fn value(&mut self) -> Result<Written, Trouble> {
        let value = self.lexer.value()?;
        if value.text.trim().is_empty() {
            return Err(Trouble::form(value.at, "a value is expected"));
        }
        if !value.quoted && is_connective(&value.text) {
            let fault = "a value is expected; put it in double quotes if it is this word";
            return Err(Trouble::form(value.at, fault));
        }
        Ok(value)
    }

    fn path(&mut self, depth: usize) -> Result<Vec<Segment>, Trouble> {
        let mut path = Vec::new();
        loop {
            let at = self.lexer.at;
            let name = self.lexer.word();
            if name.is_empty() || is_connective(name) {
                return Err(Trouble::form(
                    at,
                    "a parameter is expected; a value stands after a parameter and an operator",
                ));
            }
            let bracket = if self.lexer.take('[') {
                let inner = self.inside(']', depth, "this bracket is not closed")?;
                Some(Rc::new(inner))
            } else {
                None
            };
            let more = bracket.is_some() && self.lexer.take('.');
            path.push(Segment {
                at,
                name: name.to_owned(),
                bracket,
            });
            if path.len() > MAXIMUM_DEPTH {
                return Err(Trouble::TooDeep);
            }
            if !more {
                return Ok(path);
            }
        }
    }

    /// A value alone after `or`: it repeats the path and the operator before it.
    fn repeated(
        &mut self,
        last: &Expression,
        connective: Connective,
    ) -> Result<Option<Expression>, Trouble> {
        let quoted = self.lexer.peek() == Some('"');
        let mut ahead = self.lexer;
        let value = match ahead.value() {
            Ok(value) => value,
            Err(trouble) if quoted => return Err(trouble),
            Err(_) => return Ok(None),
        };
        if !quoted {
            let starts_otherwise = value.text.is_empty()
                || value.text.starts_with('(')
                || is_connective(&value.text)
                || value.text.contains("_content=");
            let followed = ahead.next_word();
            ahead.blanks();
            let ends = matches!(ahead.peek(), None | Some(')' | ']'));
            if starts_otherwise || !(ends || is_connective(followed)) {
                return Ok(None);
            }
        }
        let Expression::Comparison {
            path,
            operator,
            operator_at,
            value: before,
        } = last
        else {
            return Err(
                self.here("a value stands alone; write a parameter and an operator before it")
            );
        };
        if connective != Connective::Or || operator == "pr" {
            return Err(self.here("a value alone repeats the parameter after `or` only; write a parameter and an operator before it"));
        }
        self.nodes += 1;
        if self.nodes > MAXIMUM_NODES {
            return Err(Trouble::TooMany);
        }
        // Each repetition is read again in full, brackets included: a value costs as much as its path.
        if path.iter().any(|segment| segment.bracket.is_some()) {
            return Err(self
                .here("a value alone does not repeat a path with brackets; write the path again"));
        }
        let value = self.value()?;
        let name = path.last().map_or("", |last| last.name.as_str());
        if self.listed != Some(*operator_at) {
            self.listed = Some(*operator_at);
            self.slips.push(Slip {
                written: format!("{name} {operator} {} or {}", before.text, value.text),
                meant: format!(
                    "{name} {operator} {} or {name} {operator} {}",
                    before.text, value.text
                ),
            });
        }
        Ok(Some(Expression::Comparison {
            path: path.clone(),
            operator: operator.clone(),
            operator_at: *operator_at,
            value,
        }))
    }

    fn lower_case(&mut self, written: &str, meant: &str) {
        if written != meant {
            self.slips.push(Slip {
                written: written.to_owned(),
                meant: meant.to_owned(),
            });
        }
    }
}

fn is_connective(word: &str) -> bool {
    ["and", "or", "not"]
        .iter()
        .any(|known| word.eq_ignore_ascii_case(known))
}
