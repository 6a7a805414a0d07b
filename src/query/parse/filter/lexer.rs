//! Words, values and quotes of a `_filter`.

use super::Trouble;
use super::syntax::Written;

/// The comparison operators of the R4 grammar, and `ni` of the ROR.
pub(super) const OPERATORS: [&str; 19] = [
    "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap", "co", "sw", "ew", "pr", "po", "ss", "sb",
    "in", "ni", "re",
];

/// A place in the text of a filter.
#[derive(Clone, Copy)]
pub(super) struct Lexer<'t> {
    text: &'t str,
    /// Bytes read.
    pub(super) at: usize,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Lexer<'t> {
        Lexer { text, at: 0 }
    }

    /// What is still to be read.
    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next character.
    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Skips blanks.
    pub(super) fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Takes a character, if it is the next one.
    pub(super) fn take(&mut self, wanted: char) -> bool {
        let next = self.peek() == Some(wanted);
        if next {
            self.at += wanted.len_utf8();
        }
        next
    }

    /// Takes a name, an operator or a connective: all up to a blank, a bracket, a quote or an equals sign.
    pub(super) fn word(&mut self) -> &'t str {
        let rest = self.rest();
        let ends = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']' | '"' | '=');
        let word = rest
            .get(..rest.find(ends).unwrap_or(rest.len()))
            .unwrap_or_default();
        self.at += word.len();
        word
    }

    /// The word after blanks, not taken.
    pub(super) fn next_word(&self) -> &'t str {
        let mut ahead = *self;
        ahead.blanks();
        ahead.word()
    }

    /// Takes a value, quoted or not. An unquoted one may be empty.
    pub(super) fn value(&mut self) -> Result<Written, Trouble> {
        let at = self.at;
        if self.take('"') {
            return self.quoted(at);
        }
        let text = self.bare();
        if text.contains('"') {
            return Err(Trouble::form(
                at,
                "a quotation mark stands inside the value; put the whole value in quotation marks",
            ));
        }
        let text = match self.offset_after(text) {
            Some(offset) => {
                self.at += 1 + offset.len();
                format!("{text}+{offset}")
            }
            None => text.to_owned(),
        };
        Ok(Written {
            at,
            text,
            quoted: false,
        })
    }

    fn quoted(&mut self, at: usize) -> Result<Written, Trouble> {
        let mut text = String::new();
        let mut rest = self.rest().char_indices();
        while let Some((offset, c)) = rest.next() {
            match c {
                '"' => {
                    self.at += offset + 1;
                    return Ok(Written {
                        at,
                        text,
                        quoted: true,
                    });
                }
                '\\' => match rest.next() {
                    Some((_, escaped @ ('"' | '\\'))) => text.push(escaped),
                    // Escapes of search values are for those who read the value.
                    Some((_, other)) => text.extend(['\\', other]),
                    None => break,
                },
                c => text.push(c),
            }
        }
        Err(Trouble::form(at, "the quotation mark is not closed"))
    }

    /// An unquoted value: up to a blank or a closing bracket that it did not open, as in `47.2|-1.6|15|[mi_us]`.
    fn bare(&mut self) -> &'t str {
        let rest = self.rest();
        let (mut round, mut square) = (0_usize, 0_usize);
        let mut end = rest.len();
        for (offset, c) in rest.char_indices() {
            match c {
                '(' => round += 1,
                '[' => square += 1,
                ')' if round > 0 => round -= 1,
                ']' if square > 0 => square -= 1,
                ')' | ']' => {
                    end = offset;
                    break;
                }
                c if c.is_whitespace() => {
                    end = offset;
                    break;
                }
                _ => {}
            }
        }
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    /// The offset of a date whose plus became a blank: `hh:mm` alone after one blank and a time.
    fn offset_after(&self, text: &str) -> Option<&'t str> {
        let (_, time) = text.split_once(['T', 't'])?;
        let clock = |b: u8| b.is_ascii_digit() || b == b':' || b == b'.';
        if time.len() < 5 || !time.bytes().all(clock) {
            return None;
        }
        let rest = self.rest().strip_prefix(' ')?;
        let offset = rest.get(..5)?;
        let [a, b, b':', c, d] = offset.as_bytes() else {
            return None;
        };
        let digits = [a, b, c, d].iter().all(|digit| digit.is_ascii_digit());
        let ends = rest
            .get(5..)?
            .chars()
            .next()
            .is_none_or(|c| c.is_whitespace() || matches!(c, ')' | ']' | ','));
        (digits && ends).then_some(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::Lexer;

    fn value(text: &str) -> (String, usize) {
        let mut lexer = Lexer::new(text);
        let value = lexer.value().expect("a value");
        (value.text, lexer.at)
    }

    #[test]
    fn values_end_where_they_should() {
        assert_eq!(value("a|b) x"), ("a|b".into(), 3));
        assert_eq!(value("1|2|3|[mi_us]] pr"), ("1|2|3|[mi_us]".into(), 13));
        assert_eq!(
            value(r#""a \"b\" \\ \, )" x"#),
            (r#"a "b" \ \, )"#.into(), 17)
        );
        assert!(Lexer::new(r#""open"#).value().is_err());
        assert!(Lexer::new("\"open\\").value().is_err());
    }

    #[test]
    fn an_offset_keeps_its_plus() {
        let (text, at) = value("2022-11-06T15:00:00 01:00) and");
        assert_eq!((text.as_str(), at), ("2022-11-06T15:00:00+01:00", 25));
        assert_eq!(value("2022-11-06T15:00 01:00x").0, "2022-11-06T15:00");
        assert_eq!(value("2022-11-06 01:00").0, "2022-11-06");
    }
}
