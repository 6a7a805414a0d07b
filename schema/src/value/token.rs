//! Tokens: codes with their code system, identifiers, flags.

use std::borrow::Cow;

use super::error::ValueError;
use super::escape::{split_unescaped, unescape};
use crate::code_systems::{canonical_system, case_insensitive_systems, is_case_insensitive};
use crate::json::{JsonNumber, Node};

/// A token read from a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// The code system, canonical (see [`canonical_system`]); empty when the data name none.
    pub system: Cow<'a, str>,
    /// The code as compared: as stored, in lower case under a case-insensitive system.
    pub code: Cow<'a, str>,
    /// Code system and code of `Identifier.type`; an identifier with several type codings gives one token per coding.
    pub identifier_type: Option<(Cow<'a, str>, Cow<'a, str>)>,
}

/// The system part of a token in a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SystemMatch {
    /// `code`: whatever the system.
    Any,
    /// `|code`: only where no system is stored.
    None,
    /// `system|…`: that system, canonical.
    Is(String),
}

/// A token in a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TokenQuery {
    /// What the system must be.
    pub system: SystemMatch,
    /// What the code must be, already in the form of [`Token::code`] when the system is named; nothing for `system|`.
    /// With [`SystemMatch::Any`] use [`token_code_variants`].
    pub code: Option<String>,
}

/// Reads `code`, `system|code`, `system|` or `|code`. The escapes of FHIR search are removed and blanks around
/// both parts dropped.
pub fn parse_token(raw: &str) -> Result<TokenQuery, ValueError> {
    let fault = |fault| ValueError::Token {
        value: raw.to_owned(),
        fault,
    };
    let parts = split_unescaped(raw.trim(), '|');
    let text = |part: &str| unescape(part.trim()).into_owned();
    match parts.as_slice() {
        [code] if code.trim().is_empty() => Err(ValueError::Empty {
            expected: "code, system|code, system| or |code",
        }),
        [code] => Ok(TokenQuery {
            system: SystemMatch::Any,
            code: Some(text(code)),
        }),
        [system, code] => match (text(system), text(code)) {
            (system, code) if system.is_empty() && code.is_empty() => {
                Err(fault("both sides of the bar are empty"))
            }
            (system, code) if system.is_empty() => Ok(TokenQuery {
                system: SystemMatch::None,
                code: Some(code),
            }),
            (system, code) => {
                let system = canonical_system(&system).into_owned();
                let code = (!code.is_empty())
                    .then(|| compared_code(&system, Cow::Owned(code)).into_owned());
                Ok(TokenQuery {
                    system: SystemMatch::Is(system),
                    code,
                })
            }
        },
        _ => Err(fault("more than one bar")),
    }
}

/// The stored forms that a code written without a system can have: the code itself under any system
/// (`None`), and its lower-case form under each case-insensitive system, when that differs.
///
/// A code matches when any of the pairs does.
pub fn token_code_variants(code: &str) -> Vec<(Option<&'static str>, String)> {
    let mut variants = vec![(None, code.to_owned())];
    let lower = code.to_lowercase();
    if lower != code {
        variants.extend(
            case_insensitive_systems()
                .iter()
                .map(|system| (Some(*system), lower.clone())),
        );
    }
    variants
}

/// A code in the form in which it is compared under that (canonical) system.
pub fn compared_code<'a>(system: &str, code: Cow<'a, str>) -> Cow<'a, str> {
    if is_case_insensitive(system) && code.chars().any(char::is_uppercase) {
        Cow::Owned(code.to_lowercase())
    } else {
        code
    }
}

/// Reads every token of one element: CodeableConcept, Coding, Identifier, ContactPoint or a primitive.
pub(crate) fn read_tokens<'a>(node: &'a Node<'a>, emit: &mut dyn FnMut(Token<'a>)) {
    match node {
        Node::String(text) if !text.is_empty() => emit(plain("", text)),
        Node::Bool(value) => emit(plain("", if *value { "true" } else { "false" })),
        Node::Number(number) => emit(Token {
            system: Cow::Borrowed(""),
            code: Cow::Owned(match number {
                JsonNumber::Negative(value) => value.to_string(),
                JsonNumber::Positive(value) => value.to_string(),
                JsonNumber::Float(value) => value.to_string(),
            }),
            identifier_type: None,
        }),
        Node::Array(items) => items.iter().for_each(|item| read_tokens(item, emit)),
        Node::Object(_) => read_object(node, emit),
        Node::String(_) | Node::Null => {}
    }
}

fn read_object<'a>(node: &'a Node<'a>, emit: &mut dyn FnMut(Token<'a>)) {
    if let Some(codings) = node.get("coding") {
        codings.items().iter().filter_map(coding).for_each(emit);
    } else if let Some(value) = node
        .get("value")
        .and_then(Node::as_str)
        .filter(|value| !value.is_empty())
    {
        let system = node
            .get("system")
            .and_then(Node::as_str)
            .unwrap_or_default();
        if is_contact_system(system) {
            // R4: the token of a ContactPoint is its use and its value.
            emit(plain(
                node.get("use").and_then(Node::as_str).unwrap_or_default(),
                value,
            ));
        } else {
            identifier(node, system, value, emit);
        }
    } else if let Some(token) = coding(node) {
        emit(token);
    }
}

fn identifier<'a>(
    node: &'a Node<'a>,
    system: &'a str,
    value: &'a str,
    emit: &mut dyn FnMut(Token<'a>),
) {
    let token = plain(system, value);
    let types = node
        .get("type")
        .and_then(|kind| kind.get("coding"))
        .map(Node::items)
        .unwrap_or_default();
    let mut typed = false;
    for kind in types.iter().filter_map(coding) {
        typed = true;
        emit(Token {
            identifier_type: Some((kind.system, kind.code)),
            ..token.clone()
        });
    }
    if !typed {
        emit(token);
    }
}

fn coding<'a>(node: &'a Node<'a>) -> Option<Token<'a>> {
    let code = node
        .get("code")
        .and_then(Node::as_str)
        .filter(|code| !code.is_empty())?;
    Some(plain(
        node.get("system")
            .and_then(Node::as_str)
            .unwrap_or_default(),
        code,
    ))
}

fn plain<'a>(system: &'a str, code: &'a str) -> Token<'a> {
    let system = canonical_system(system);
    let code = compared_code(&system, Cow::Borrowed(code));
    Token {
        system,
        code,
        identifier_type: None,
    }
}

/// `ContactPoint.system` is one of these words; `Identifier.system` is a URI.
fn is_contact_system(system: &str) -> bool {
    matches!(
        system,
        "phone" | "fax" | "email" | "pager" | "url" | "sms" | "other"
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{SystemMatch, Token, TokenQuery, parse_token, read_tokens, token_code_variants};
    use crate::json::Node;
    use crate::value::escape::escape;

    /// System, code and type of an identifier.
    type Read = (String, String, Option<(String, String)>);

    fn read(text: &str) -> Vec<Read> {
        let node = Node::parse(text.as_bytes()).expect("valid");
        let mut tokens = Vec::new();
        read_tokens(&node, &mut |token: Token<'_>| {
            tokens.push((
                token.system.into_owned(),
                token.code.into_owned(),
                token
                    .identifier_type
                    .map(|(s, c)| (s.into_owned(), c.into_owned())),
            ));
        });
        tokens
    }

    fn pair(system: &str, code: &str) -> Read {
        (system.to_owned(), code.to_owned(), None)
    }

    #[test]
    fn every_coded_type_is_read() {
        assert_eq!(
            read(r#"{"coding":[{"system":"s","code":"1"},{"code":"2"},{"display":"x"}]}"#),
            [pair("s", "1"), pair("", "2")]
        );
        assert_eq!(
            read(r#"{"coding":{"system":"s","code":"1"}}"#),
            [pair("s", "1")]
        );
        assert_eq!(read(r#"{"system":"s","code":"1"}"#), [pair("s", "1")]);
        assert_eq!(read(r#""active""#), [pair("", "active")]);
        assert_eq!(read("true"), [pair("", "true")]);
        assert_eq!(
            read(r#"{"system":"phone","value":"+33","use":"work"}"#),
            [pair("work", "+33")]
        );
        assert_eq!(read(r#"{"text":"only words"}"#), []);
        assert_eq!(
            read(r#"[{"code":"1"},"2"]"#),
            [pair("", "1"), pair("", "2")]
        );
    }

    #[test]
    fn an_identifier_gives_one_token_per_type() {
        assert_eq!(
            read(r#"{"system":"http://sirene.fr","value":"9"}"#),
            [pair("https://sirene.fr", "9")]
        );
        let typed =
            read(r#"{"type":{"coding":[{"system":"t","code":"1"},{"code":"2"}]},"value":"9"}"#);
        assert_eq!(
            typed,
            [
                (
                    String::new(),
                    "9".to_owned(),
                    Some(("t".to_owned(), "1".to_owned()))
                ),
                (
                    String::new(),
                    "9".to_owned(),
                    Some((String::new(), "2".to_owned()))
                ),
            ]
        );
    }

    #[test]
    fn the_four_forms_of_a_request() {
        let query = |raw: &str| parse_token(raw).expect("readable");
        let code = |code: &str| Some(code.to_owned());
        assert_eq!(
            query(" 01 "),
            TokenQuery {
                system: SystemMatch::Any,
                code: code("01")
            }
        );
        assert_eq!(
            query("|01"),
            TokenQuery {
                system: SystemMatch::None,
                code: code("01")
            }
        );
        assert_eq!(
            query("s | 01"),
            TokenQuery {
                system: SystemMatch::Is("s".into()),
                code: code("01")
            }
        );
        assert_eq!(
            query("s|"),
            TokenQuery {
                system: SystemMatch::Is("s".into()),
                code: None
            }
        );
        assert_eq!(
            query(r"a\|b"),
            TokenQuery {
                system: SystemMatch::Any,
                code: code("a|b")
            }
        );
        assert_eq!(
            query("https://mos.esante.gouv.fr/NOS/TRE_R13-Commune/FHIR/TRE_R13-Commune|44109")
                .system,
            SystemMatch::Is(
                "https://mos.esante.gouv.fr/NOS/TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM".into()
            )
        );
        for bad in ["", "  ", "|", "a|b|c"] {
            assert!(parse_token(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn case_counts_except_where_the_system_says_not() {
        assert_eq!(
            read(r#"{"system":"urn:ietf:bcp:47","code":"fr-FR"}"#),
            [pair("urn:ietf:bcp:47", "fr-fr")]
        );
        assert_eq!(read(r#"{"system":"s","code":"SM81"}"#), [pair("s", "SM81")]);
        assert_eq!(
            parse_token("urn:ietf:bcp:47|FR")
                .expect("readable")
                .code
                .as_deref(),
            Some("fr")
        );
        assert_eq!(token_code_variants("01"), [(None, "01".to_owned())]);
        assert!(token_code_variants("FR").contains(&(Some("urn:ietf:bcp:47"), "fr".to_owned())));
    }

    proptest! {
        #[test]
        fn an_escaped_token_reads_back(system in "[a-z:|,$\\\\]{1,8}", code in "[a-zA-Z0-9|,$\\\\]{1,8}") {
            let raw = format!("{}|{}", escape(&system), escape(&code));
            let query = parse_token(&raw).expect("readable");
            prop_assert_eq!(query.system, SystemMatch::Is(system));
            prop_assert_eq!(query.code, Some(code));
        }
    }
}
