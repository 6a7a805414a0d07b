//! The language of conditions: `level < 3 and not sensitive`.
//!
//! ```text
//! condition := and ('or' and)*        and := unary ('and' unary)*        unary := 'not' unary | '(' condition ')' | fact
//! fact := always | never | sensitive | medico-social | city
//!       | level (< | <= | = | != | >= | >) (1 | 2 | 3)
//!       | region (= '52' | in ('52', '53'))
//!       | has('extension') | code('extension') (= '01' | in ('01', '02'))
//! ```

use crate::condition::{Comparison, Condition};
use crate::extension_names::{KNOWN, is_short, urls_of};
use crate::names::did_you_mean;
use crate::rule_error::RuleError;
use crate::scanner::Scanner;

/// Deeper than any condition that a person writes.
const DEEPEST: usize = 32;

const WORDS: [&str; 10] = [
    "always",
    "never",
    "sensitive",
    "medico-social",
    "city",
    "level",
    "region",
    "has",
    "code",
    "not",
];

/// Reads a condition, and puts it in its normal form.
pub(crate) fn parse(text: &str) -> Result<Condition, RuleError> {
    let mut scanner = Scanner::new(text);
    let condition = either(&mut scanner, 0)?;
    if scanner.peek().is_some() {
        let found = scanner.found();
        return Err(scanner.fault(format!(
            "{found} is not expected; join conditions with `and` or `or`"
        )));
    }
    Ok(condition.normal())
}

fn either(scanner: &mut Scanner<'_>, depth: usize) -> Result<Condition, RuleError> {
    let mut parts = vec![both(scanner, depth)?];
    while scanner.peek_word() == "or" {
        scanner.word();
        parts.push(both(scanner, depth)?);
    }
    Ok(Condition::Any(parts))
}

fn both(scanner: &mut Scanner<'_>, depth: usize) -> Result<Condition, RuleError> {
    let mut parts = vec![unary(scanner, depth)?];
    while scanner.peek_word() == "and" {
        scanner.word();
        parts.push(unary(scanner, depth)?);
    }
    Ok(Condition::All(parts))
}

fn unary(scanner: &mut Scanner<'_>, depth: usize) -> Result<Condition, RuleError> {
    if depth > DEEPEST {
        return Err(scanner.fault("the condition is nested too deep; simplify it".to_owned()));
    }
    if scanner.take("(") {
        let inner = either(scanner, depth + 1)?;
        scanner.expect(")")?;
        return Ok(inner);
    }
    let before = scanner.found();
    let word = scanner.peek_word();
    if !WORDS.contains(&word) {
        return Err(scanner.fault(format!(
            "a condition is due, not {before}{}; there are {}",
            did_you_mean(word, WORDS.into_iter()),
            WORDS.join(", ")
        )));
    }
    scanner.word();
    Ok(match word {
        "always" => Condition::Always,
        "never" => Condition::Never,
        "sensitive" => Condition::Sensitive,
        "medico-social" => Condition::MedicoSocial,
        "city" => Condition::City,
        "level" => level(scanner)?,
        "region" => Condition::Region(scanner.one_or_list()?),
        "has" => Condition::Has(extension_name(scanner)?),
        "code" => {
            let urls = extension_name(scanner)?;
            Condition::Code(urls, scanner.one_or_list()?)
        }
        _ => Condition::Not(Box::new(unary(scanner, depth + 1)?)),
    })
}

fn level(scanner: &mut Scanner<'_>) -> Result<Condition, RuleError> {
    // Longer signs first.
    let signs = [
        ("<=", Comparison::AtMost),
        (">=", Comparison::AtLeast),
        ("!=", Comparison::Different),
        ("<", Comparison::Less),
        (">", Comparison::More),
        ("=", Comparison::Equal),
    ];
    let Some((_, comparison)) = signs.into_iter().find(|(sign, _)| scanner.take(sign)) else {
        let found = scanner.found();
        return Err(scanner.fault(format!(
            "`<`, `<=`, `=`, `!=`, `>=` or `>` is due, not {found}"
        )));
    };
    let found = scanner.found();
    match scanner.peek_word() {
        number @ ("1" | "2" | "3") => {
            scanner.word();
            let number = number.bytes().next().map_or(3, |digit| digit - b'0');
            Ok(Condition::Level(comparison, number))
        }
        _ => Err(scanner.fault(format!("a level is 1, 2 or 3, not {found}"))),
    }
}

/// `('name')`, as the URLs it stands for.
pub(crate) fn extension_name(scanner: &mut Scanner<'_>) -> Result<Vec<String>, RuleError> {
    scanner.expect("(")?;
    let name = scanner.quoted()?;
    if is_short(&name) && !KNOWN.contains(&name.as_str()) {
        return Err(scanner.fault(format!(
            "the guide has no extension `{name}`{}; one from elsewhere is written as its whole URL",
            did_you_mean(&name, KNOWN.into_iter())
        )));
    }
    scanner.expect(")")?;
    Ok(urls_of(&name))
}
