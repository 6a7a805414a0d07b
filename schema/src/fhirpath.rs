//! The part of FHIRPath that search parameters use, as steps to walk.

use thiserror::Error;

use crate::extension_urls::spellings;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The elements of that name.
    Child(String),
    /// The polymorphic `value`: `value` itself or `valueX`; with a type, `valueX` of that type only.
    Value(Option<String>),
    /// Keeps the elements whose field has one of these texts.
    Where {
        /// The field compared.
        field: String,
        /// The texts accepted: the one written, and for a URL its other spellings.
        accepted: Vec<String>,
    },
}

/// One branch of an expression: a union is a list of branches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Branch {
    /// The leading type name, when one is written.
    pub root: Option<String>,
    /// The steps from the resource on.
    pub steps: Vec<Step>,
}

/// An expression that is not within the supported part of FHIRPath.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "character {position} of the expression: {fault}; supported are paths, extension('url'), where(field='text'), \
     as(Type), ofType(Type), `as Type`, `|` and parentheses"
)]
#[non_exhaustive]
pub struct ExpressionError {
    /// The character at which reading stopped, counted from 1.
    pub position: usize,
    /// What is wrong there.
    pub fault: String,
}

/// Expressions are a few hundred characters; these bounds keep a wrong file from costing more than an error.
const DEEPEST: usize = 16;
const MOST_BRANCHES: usize = 64;

/// Reads an expression.
pub(crate) fn parse(expression: &str) -> Result<Vec<Branch>, ExpressionError> {
    let mut reader = Reader {
        text: expression,
        at: 0,
        depth: 0,
    };
    let branches = reader.union()?;
    reader.skip_blanks();
    if let Some(next) = reader.peek() {
        return Err(reader.fault(format!("`{next}` is not expected here")));
    }
    Ok(branches)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn fault(&self, fault: impl Into<String>) -> ExpressionError {
        self.fault_at(self.at, fault)
    }

    fn fault_at(&self, at: usize, fault: impl Into<String>) -> ExpressionError {
        let position = self
            .text
            .get(..at)
            .map_or(0, |before| before.chars().count())
            + 1;
        ExpressionError {
            position,
            fault: fault.into(),
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn take(&mut self, c: char) -> bool {
        self.skip_blanks();
        let found = self.peek() == Some(c);
        if found {
            self.at += c.len_utf8();
        }
        found
    }

    fn expect(&mut self, c: char) -> Result<(), ExpressionError> {
        if self.take(c) {
            return Ok(());
        }
        Err(match self.peek() {
            Some(found) => self.fault(format!("`{c}` is due, not `{found}`")),
            None => self.fault(format!("`{c}` is due, not the end")),
        })
    }

    fn word(&mut self) -> Result<&'a str, ExpressionError> {
        self.skip_blanks();
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        match rest.get(..end) {
            Some(word) if word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') => {
                self.at += end;
                Ok(word)
            }
            _ => Err(match self.peek() {
                Some(found) => self.fault(format!("a name is due, not `{found}`")),
                None => self.fault("a name is due, not the end"),
            }),
        }
    }

    fn literal(&mut self) -> Result<String, ExpressionError> {
        self.expect('\'')?;
        let start = self.at;
        let mut text = String::new();
        let mut escaped = false;
        for c in self.rest().chars() {
            self.at += c.len_utf8();
            match c {
                _ if escaped => {
                    text.push(c);
                    escaped = false;
                }
                '\\' => escaped = true,
                '\'' => return Ok(text),
                _ => text.push(c),
            }
        }
        Err(self.fault_at(start, "the text has no closing quote"))
    }

    /// union := term ('|' term)*
    fn union(&mut self) -> Result<Vec<Branch>, ExpressionError> {
        let mut branches = self.term()?;
        while self.take('|') {
            branches.extend(self.term()?);
            if branches.len() > MOST_BRANCHES {
                return Err(self.fault("more branches than any parameter has"));
            }
        }
        Ok(branches)
    }

    /// term := path ('as' type)?
    fn term(&mut self) -> Result<Vec<Branch>, ExpressionError> {
        let mut branches = self.path()?;
        self.skip_blanks();
        if self
            .rest()
            .strip_prefix("as")
            .is_some_and(|rest| rest.starts_with(char::is_whitespace))
        {
            self.at += 2;
            let name = self.type_name()?;
            cast(&mut branches, &name);
        }
        Ok(branches)
    }

    /// path := ('(' union ')' | name) ('.' segment)*
    fn path(&mut self) -> Result<Vec<Branch>, ExpressionError> {
        let mut branches = if self.take('(') {
            self.depth += 1;
            if self.depth > DEEPEST {
                return Err(self.fault("parentheses too deep"));
            }
            let inner = self.union()?;
            self.expect(')')?;
            self.depth -= 1;
            inner
        } else {
            let mut start = vec![Branch {
                root: None,
                steps: Vec::new(),
            }];
            self.skip_blanks();
            let before = self.at;
            let name = self.word()?;
            if name.starts_with(|c: char| c.is_ascii_uppercase()) {
                start = vec![Branch {
                    root: Some(name.to_owned()),
                    steps: Vec::new(),
                }];
            } else {
                self.at = before;
                self.segment(&mut start)?;
            }
            start
        };
        while self.take('.') {
            self.segment(&mut branches)?;
        }
        Ok(branches)
    }

    /// segment := name | extension('…') | where(name='…') | as(type) | ofType(type)
    fn segment(&mut self, branches: &mut [Branch]) -> Result<(), ExpressionError> {
        self.skip_blanks();
        let start = self.at;
        let name = self.word()?;
        if !self.take('(') {
            let step = if name == "value" {
                Step::Value(None)
            } else {
                Step::Child(name.to_owned())
            };
            push(branches, &[step]);
            return Ok(());
        }
        match name {
            "extension" => {
                let url = self.literal()?;
                push(
                    branches,
                    &[Step::Child("extension".to_owned()), condition("url", &url)],
                );
            }
            "where" => {
                let field = self.word()?.to_owned();
                self.expect('=')?;
                let text = self.literal()?;
                push(branches, &[condition(&field, &text)]);
            }
            "as" | "ofType" => {
                let name = self.type_name()?;
                cast(branches, &name);
            }
            other => {
                return Err(
                    self.fault_at(start, format!("the function `{other}` is not supported"))
                );
            }
        }
        self.expect(')')
    }

    fn type_name(&mut self) -> Result<String, ExpressionError> {
        let name = self.word()?;
        if (name == "FHIR" || name == "System") && self.take('.') {
            return Ok(self.word()?.to_owned());
        }
        Ok(name.to_owned())
    }
}

fn condition(field: &str, text: &str) -> Step {
    let accepted = if field == "url" {
        spellings(text)
    } else {
        vec![text.to_owned()]
    };
    Step::Where {
        field: field.to_owned(),
        accepted,
    }
}

fn push(branches: &mut [Branch], steps: &[Step]) {
    for branch in branches {
        branch.steps.extend_from_slice(steps);
    }
}

/// A type narrows the polymorphic `value`; elements of one type need no cast.
fn cast(branches: &mut [Branch], name: &str) {
    for branch in branches {
        if let Some(Step::Value(kind)) = branch.steps.last_mut() {
            *kind = Some(name.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Branch, Step, parse};

    fn child(name: &str) -> Step {
        Step::Child(name.to_owned())
    }

    fn with_url(url: &str) -> Step {
        Step::Where {
            field: "url".to_owned(),
            accepted: vec![url.to_owned()],
        }
    }

    fn branch(root: &str, steps: Vec<Step>) -> Branch {
        Branch {
            root: Some(root.to_owned()),
            steps,
        }
    }

    #[test]
    fn the_forms_in_use_are_read() {
        assert_eq!(
            parse("Resource.meta.tag"),
            Ok(vec![branch("Resource", vec![child("meta"), child("tag")])])
        );
        assert_eq!(
            parse("Organization.name | Organization.alias"),
            Ok(vec![
                branch("Organization", vec![child("name")]),
                branch("Organization", vec![child("alias")])
            ])
        );
        let range = vec![
            child("extension"),
            with_url("ageRange"),
            Step::Value(Some("Range".into())),
            child("low"),
        ];
        for spelling in [
            "Location.extension.where(url = 'ageRange').value.as(Range).low",
            "Location.extension('ageRange').value.ofType(FHIR.Range).low",
            "(Location.extension.where(url='ageRange').value as Range).low",
        ] {
            assert_eq!(
                parse(spelling),
                Ok(vec![branch("Location", range.clone())]),
                "{spelling}"
            );
        }
        assert_eq!(
            parse("(Location.a | Location.b).c as string"),
            Ok(vec![
                branch("Location", vec![child("a"), child("c")]),
                branch("Location", vec![child("b"), child("c")])
            ])
        );
        assert_eq!(
            parse("name"),
            Ok(vec![Branch {
                root: None,
                steps: vec![child("name")]
            }])
        );
        assert_eq!(
            parse("X.notAvailable.where(id='it\\'s').during"),
            Ok(vec![branch(
                "X",
                vec![
                    child("notAvailable"),
                    Step::Where {
                        field: "id".into(),
                        accepted: vec!["it's".into()]
                    },
                    child("during")
                ]
            )])
        );
    }

    #[test]
    fn everything_else_is_refused_with_its_place() {
        for (expression, position, fault) in [
            ("Location.name.first()", 15, "`first`"),
            ("Location.where(a > 'b')", 18, "`=` is due"),
            ("Location.extension.where(url='x", 31, "no closing quote"),
            ("Location.name and true", 15, "`a` is not expected"),
            ("Location..name", 10, "a name is due"),
            ("Location.é", 10, "a name is due"),
            ("(Location.name", 15, "`)` is due"),
            ("", 1, "a name is due, not the end"),
            ("Location.name[0]", 14, "`[` is not expected"),
            ("Location.name |", 16, "not the end"),
            ("Location.where(a='b' or c='d')", 22, "`)` is due"),
        ] {
            let error = parse(expression).expect_err(expression);
            assert_eq!(error.position, position, "{expression}: {error}");
            assert!(error.fault.contains(fault), "{expression}: {error}");
        }
        assert!(parse(&"(".repeat(100_000)).is_err());
    }
}
