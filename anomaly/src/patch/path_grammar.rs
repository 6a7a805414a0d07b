//! Whether a text is FHIRPath: the tokens and the grammar of an expression, without evaluating anything.
//!
//! A path that is FHIRPath but goes deeper than the first level is refused otherwise than one that is no FHIRPath, so
//! the grammar is recognised in full (FHIRPath normative release, appendix "formal specifications"); precedence plays no
//! part in that and is left out.

/// How deep parentheses, indexes and arguments may nest.
const MAX_NESTING: usize = 50;

/// A token of FHIRPath.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// An identifier or a word of the language; the flag says that it stood in backquotes.
    Word(String, bool),
    /// An integer or decimal, as written.
    Number(String),
    /// `'text'`, `@2024-01-01`, `%resource`: what stands for itself.
    Literal,
    /// `$this`, `$index`, `$total`.
    Special,
    /// Punctuation and operators.
    Symbol(&'static str),
}

/// The symbols, longer ones first where one begins another.
const SYMBOLS: [&str; 25] = [
    "<=", ">=", "!=", "!~", "<", ">", "=", "~", ".", ",", "(", ")", "[", "]", "{", "}", "+", "-",
    "*", "/", "&", "|", "$", "@", "%",
];

const SYMBOL_OPERATORS: [&str; 14] = [
    "<=", ">=", "!=", "!~", "<", ">", "=", "~", "+", "-", "*", "/", "&", "|",
];

const WORD_OPERATORS: [&str; 10] = [
    "and", "or", "xor", "implies", "div", "mod", "is", "as", "in", "contains",
];

const DURATIONS: [&str; 16] = [
    "year",
    "years",
    "month",
    "months",
    "week",
    "weeks",
    "day",
    "days",
    "hour",
    "hours",
    "minute",
    "minutes",
    "second",
    "seconds",
    "millisecond",
    "milliseconds",
];

/// The tokens of a text that is one FHIRPath expression, or why it is none.
pub(super) fn recognise(text: &str) -> Result<Vec<Token>, String> {
    let tokens = tokens(text)?;
    let mut parser = Parser {
        tokens: &tokens,
        at: 0,
    };
    parser.expression(0)?;
    match parser.peek() {
        None => Ok(tokens),
        Some(token) => Err(format!("{} is not expected", shown(token))),
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            ' ' | '\t' | '\r' | '\n' => (None, 1),
            '\'' | '`' => {
                let length = quoted_length(rest, first)
                    .ok_or_else(|| format!("the quote {first} is not closed"))?;
                let inner = rest.get(1..length - 1).unwrap_or_default();
                let token = match first {
                    '`' => Token::Word(inner.to_owned(), true),
                    _ => Token::Literal,
                };
                (Some(token), length)
            }
            'a'..='z' | 'A'..='Z' | '_' => {
                let length = run(rest, |c| c.is_ascii_alphanumeric() || c == '_');
                let word = rest.get(..length).unwrap_or_default();
                (Some(Token::Word(word.to_owned(), false)), length)
            }
            '0'..='9' => {
                let whole = run(rest, |c| c.is_ascii_digit());
                let after = rest.get(whole..).unwrap_or_default();
                let fraction = after
                    .strip_prefix('.')
                    .map_or(0, |digits| run(digits, |c| c.is_ascii_digit()));
                let length = if fraction > 0 {
                    whole + 1 + fraction
                } else {
                    whole
                };
                let digits = rest.get(..length).unwrap_or_default();
                (Some(Token::Number(digits.to_owned())), length)
            }
            '@' => {
                let length = 1 + run(rest.get(1..).unwrap_or_default(), |c| {
                    c.is_ascii_digit() || matches!(c, '-' | ':' | '.' | 'T' | 'Z' | '+')
                });
                if length < 2 {
                    return Err("@ begins a date and none follows".to_owned());
                }
                (Some(Token::Literal), length)
            }
            '%' => {
                let after = rest.get(1..).unwrap_or_default();
                let length = match after.chars().next() {
                    Some(quote @ ('\'' | '`')) => quoted_length(after, quote).unwrap_or(0),
                    _ => run(after, |c| c.is_ascii_alphanumeric() || c == '_'),
                };
                if length == 0 {
                    return Err("% begins a name and none follows".to_owned());
                }
                (Some(Token::Literal), 1 + length)
            }
            '$' => {
                let known = ["$this", "$index", "$total"]
                    .into_iter()
                    .find(|special| rest.starts_with(special))
                    .ok_or("$ begins $this, $index or $total")?;
                (Some(Token::Special), known.len())
            }
            _ => {
                let symbol = SYMBOLS
                    .into_iter()
                    .find(|symbol| rest.starts_with(symbol))
                    .ok_or_else(|| format!("'{first}' has no meaning there"))?;
                (Some(Token::Symbol(symbol)), symbol.len())
            }
        };
        tokens.extend(token);
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(tokens)
}

/// The bytes at the head of the text whose characters fit; ASCII only.
fn run(text: &str, fits: impl Fn(char) -> bool) -> usize {
    text.chars().take_while(|c| fits(*c)).count()
}

/// The bytes of a quoted text, quotes included; `None` when it is not closed.
fn quoted_length(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn shown(token: &Token) -> String {
    match token {
        Token::Word(word, _) => format!("\"{word}\""),
        Token::Number(digits) => digits.clone(),
        Token::Literal => "a literal".to_owned(),
        Token::Special => "a $ variable".to_owned(),
        Token::Symbol(symbol) => format!("\"{symbol}\""),
    }
}

struct Parser<'t> {
    tokens: &'t [Token],
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn take(&mut self, symbol: &'static str) -> bool {
        let found = self.peek() == Some(&Token::Symbol(symbol));
        self.at += usize::from(found);
        found
    }

    fn must(&mut self, symbol: &'static str) -> Result<(), String> {
        if self.take(symbol) {
            return Ok(());
        }
        Err(match self.peek() {
            Some(token) => format!("\"{symbol}\" is expected, not {}", shown(token)),
            None => format!("\"{symbol}\" is missing at the end"),
        })
    }

    /// Operands joined by operators.
    fn expression(&mut self, depth: usize) -> Result<(), String> {
        if depth > MAX_NESTING {
            return Err(format!("it nests deeper than {MAX_NESTING} levels"));
        }
        self.operand(depth)?;
        while self.operator() {
            self.operand(depth)?;
        }
        Ok(())
    }

    fn operator(&mut self) -> bool {
        let found = match self.peek() {
            Some(Token::Symbol(symbol)) => SYMBOL_OPERATORS.contains(symbol),
            Some(Token::Word(word, false)) => WORD_OPERATORS.contains(&word.as_str()),
            _ => false,
        };
        self.at += usize::from(found);
        found
    }

    /// A term with its signs, its invocations and its indexes.
    fn operand(&mut self, depth: usize) -> Result<(), String> {
        while self.take("+") || self.take("-") {}
        self.term(depth)?;
        loop {
            if self.take(".") {
                self.invocation(depth)?;
            } else if self.take("[") {
                self.expression(depth + 1)?;
                self.must("]")?;
            } else {
                return Ok(());
            }
        }
    }

    fn term(&mut self, depth: usize) -> Result<(), String> {
        if self.take("(") {
            self.expression(depth + 1)?;
            return self.must(")");
        }
        if self.take("{") {
            return self.must("}");
        }
        match self.peek() {
            Some(Token::Literal) => self.at += 1,
            Some(Token::Number(_)) => {
                self.at += 1;
                // A quantity: the unit as a word or in quotes.
                let unit = match self.peek() {
                    Some(Token::Word(word, false)) => DURATIONS.contains(&word.as_str()),
                    Some(Token::Literal) => true,
                    _ => false,
                };
                self.at += usize::from(unit);
            }
            _ => return self.invocation(depth),
        }
        Ok(())
    }

    /// A name, a function with its arguments, or a `$` variable.
    fn invocation(&mut self, depth: usize) -> Result<(), String> {
        const RESERVED: [&str; 6] = ["and", "or", "xor", "implies", "div", "mod"];
        match self.peek() {
            Some(Token::Special) => self.at += 1,
            Some(Token::Word(word, quoted)) if *quoted || !RESERVED.contains(&word.as_str()) => {
                self.at += 1;
                if self.take("(") && !self.take(")") {
                    self.expression(depth + 1)?;
                    while self.take(",") {
                        self.expression(depth + 1)?;
                    }
                    self.must(")")?;
                }
            }
            Some(token) => return Err(format!("a name is expected, not {}", shown(token))),
            None => return Err("a name is missing at the end".to_owned()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::recognise;

    #[test]
    fn expressions_are_recognised() {
        for text in [
            "Task.status",
            "status",
            "Task.input[2]",
            "`Task`.`status`",
            "Task.businessStatus.coding[0].code",
            "Task.input.where(type.coding.code = 'errorValue' and value is string).first()",
            "(Task.note | Task.output)[0].exists() or {}.empty()",
            "-1 + 2.5 * 3 'kg' - 2 days",
            "@2024-01-01T10:00:00+02:00 < today()",
            "%resource.id & %`vs-x`",
            "iif($this > 1, 'a\\'b', $index)",
            "Task.contains.as(is)",
        ] {
            assert!(recognise(text).is_ok(), "{text}: {:?}", recognise(text));
        }
    }

    #[test]
    fn other_texts_are_refused_with_a_reason() {
        for text in [
            "",
            " ",
            ".",
            "Task.",
            "Task..status",
            ".status",
            "Task.status)",
            "Task.input[",
            "Task.input[]",
            "Task.input[0",
            "Task status",
            "Task.where(,)",
            "'open",
            "Task.é",
            "Task/status",
            "$that",
            "@",
            "%",
            "a and",
            "{a}",
        ] {
            match recognise(text) {
                // "Task/status" is a division.
                Ok(_) => assert_eq!(text, "Task/status"),
                Err(reason) => assert!(!reason.is_empty()),
            }
        }
        assert!(recognise(&"(".repeat(100_000)).is_err());
        assert!(recognise(&"-".repeat(100_000)).is_err());
    }
}
