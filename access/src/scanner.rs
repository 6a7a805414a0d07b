//! The tokens shared by the little languages of conditions and element paths.

use crate::rule_error::RuleError;

/// Reads a text from left to right.
pub(crate) struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Scanner<'t> {
    pub fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// The next character that is not a blank.
    pub fn peek(&mut self) -> Option<char> {
        self.skip_blanks();
        self.rest().chars().next()
    }

    /// Takes that text, when it comes next.
    pub fn take(&mut self, wanted: &str) -> bool {
        self.skip_blanks();
        let found = self.rest().starts_with(wanted);
        if found {
            self.at += wanted.len();
        }
        found
    }

    pub fn expect(&mut self, wanted: &str) -> Result<(), RuleError> {
        if self.take(wanted) {
            Ok(())
        } else {
            let found = self.found();
            Err(self.fault(format!("`{wanted}` is due, not {found}")))
        }
    }

    /// The next word of letters, digits, `-` and `_`; empty when none comes.
    pub fn word(&mut self) -> &'t str {
        self.skip_blanks();
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
            .unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    /// The next word without moving.
    pub fn peek_word(&mut self) -> &'t str {
        let before = self.at;
        let word = self.word();
        self.at = before;
        word
    }

    /// A text between single quotes; the quote itself cannot be written.
    pub fn quoted(&mut self) -> Result<String, RuleError> {
        self.expect("'")?;
        match self.rest().split_once('\'') {
            Some((text, _)) if !text.is_empty() => {
                self.at += text.len() + 1;
                Ok(text.to_owned())
            }
            Some(_) => Err(self.fault("the text between the quotes is empty".to_owned())),
            None => Err(self.fault("the text has no closing quote".to_owned())),
        }
    }

    /// `= 'x'` or `in ('x', 'y')`.
    pub fn one_or_list(&mut self) -> Result<Vec<String>, RuleError> {
        if self.take("=") {
            return Ok(vec![self.quoted()?]);
        }
        if self.word() != "in" {
            let found = self.found();
            return Err(self.fault(format!("`= '…'` or `in ('…', '…')` is due, not {found}")));
        }
        self.expect("(")?;
        let mut texts = vec![self.quoted()?];
        while self.take(",") {
            texts.push(self.quoted()?);
        }
        self.expect(")")?;
        Ok(texts)
    }

    /// What comes next, for a sentence.
    pub fn found(&mut self) -> String {
        match self.peek() {
            Some(_) => {
                let word = self.peek_word();
                if word.is_empty() {
                    format!("`{}`", self.peek().unwrap_or(' '))
                } else {
                    format!("`{word}`")
                }
            }
            None => "the end".to_owned(),
        }
    }

    pub fn fault(&self, fault: String) -> RuleError {
        RuleError {
            text: self.text.to_owned(),
            position: self.text.get(..self.at).map_or(0, |t| t.chars().count()) + 1,
            fault,
        }
    }
}
