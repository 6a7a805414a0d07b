//! An independent reading of policy files, for the independent redaction.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use crate::naive::{Rule, Step, When};

const GUIDE: &str = "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/";

/// What a profile sees.
pub struct Profile {
    /// When a document of each type is visible; never when absent.
    pub documents: BTreeMap<String, When>,
    /// The types whose elements are shown when no rule names them.
    pub rest: BTreeSet<String>,
    /// The rules on elements, by type.
    pub rules: BTreeMap<String, Vec<Rule>>,
}

impl Profile {
    /// Whether resources of that type always show all their identifiers.
    pub fn shows_identifiers(&self, kind: &str) -> bool {
        let none = Vec::new();
        let is = |step: &Step| matches!(step, Step::Name(name) | Step::Coded(name, _) if name == "identifier");
        let about = self.rules.get(kind).unwrap_or(&none).iter();
        let about: Vec<&Rule> = about
            .filter(|rule| rule.steps.first().is_some_and(is))
            .collect();
        let whole = |rule: &&Rule| matches!(rule.steps[..], [Step::Name(_)]);
        about.iter().all(|rule| rule.when.constant() == Some(true))
            && (self.rest.contains(kind) || about.iter().any(whole))
    }
}

/// The profiles of a policy file by name, those of its base among them.
pub fn read(text: &str) -> BTreeMap<String, Profile> {
    let mut file: Table = toml::from_str(text).expect("TOML");
    if file.get("base").is_some() {
        let base: Table =
            toml::from_str(include_str!("../../access/policies/national.toml")).expect("TOML");
        for key in ["lines", "profiles"] {
            let own = file
                .entry(key)
                .or_insert_with(|| Value::Table(Table::new()));
            let own = own.as_table_mut().expect("a table");
            own.extend(base[key].as_table().expect("a table").clone());
        }
    }
    let lines = file["lines"].as_table().expect("a table");
    let profiles = file["profiles"].as_table().expect("a table");
    let read = |(name, entry): (&String, &Value)| (name.clone(), profile(entry, lines));
    profiles.iter().map(read).collect()
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    list.map(|text| text.as_str().expect("a text").to_owned())
        .collect()
}

fn profile(entry: &Value, lines: &Table) -> Profile {
    let table = |key: &str| {
        entry
            .get(key)
            .and_then(Value::as_table)
            .into_iter()
            .flatten()
    };
    let mut documents: BTreeMap<String, When> = table("documents")
        .map(|(kind, text)| (kind.clone(), condition(text.as_str().expect("a text"))))
        .collect();
    if !texts(entry.get("tasks")).contains(&"read".to_owned()) {
        documents.remove("Task");
    }
    let mut rest: BTreeSet<String> = texts(entry.get("rest")).into_iter().collect();
    if rest.contains("*") {
        rest = crate::kinds::Kind::ALL
            .map(|kind| kind.name().to_owned())
            .into();
    }
    let mut rules: BTreeMap<String, Vec<Rule>> = BTreeMap::new();
    for (key, text) in table("see") {
        let when = condition(text.as_str().expect("a text"));
        let elements = match lines.get(key) {
            Some(line) => texts(line.get("elements")),
            None => vec![key.clone()],
        };
        for element in elements {
            let (kind, steps) = path(&element);
            // Where the rest is shown, a rule that always shows says nothing.
            if rest.contains(&kind) && when.constant() == Some(true) {
                continue;
            }
            let when = when.clone();
            rules.entry(kind).or_default().push(Rule { steps, when });
        }
    }
    Profile {
        documents,
        rest,
        rules,
    }
}

/// The URLs of an extension by its name: short names of the guide stand for their whole URL too.
fn urls(name: &str) -> Vec<String> {
    let other = match name {
        "ror-organization-level-recours-orsan" => "ror-organization-level-recourse-orsan",
        "ror-organization-level-recourse-orsan" => "ror-organization-level-recours-orsan",
        "ror-practitionerrole-name" => "RORPractitionerRoleName",
        _ => name,
    };
    if !name.starts_with("ror-") {
        return vec![name.to_owned()];
    }
    let both = [name, other].into_iter();
    both.flat_map(|name| [name.to_owned(), format!("{GUIDE}{name}")])
        .collect()
}

/// The URL of a code system by its short name.
fn system(name: &str) -> String {
    if name.contains(':') {
        return name.to_owned();
    }
    let last = name.replacen('_', "-", 1);
    format!("https://mos.esante.gouv.fr/NOS/{name}/FHIR/{last}")
}

/// The type and the steps of a path.
fn path(text: &str) -> (String, Vec<Step>) {
    let mut words = Words::of(text);
    let kind = words.name();
    let mut steps = Vec::new();
    while words.takes(".") {
        let name = words.name();
        if name == "extension" && words.takes("(") {
            steps.push(Step::Extension(urls(&words.quoted())));
            words.due(")");
        } else if words.takes(".where(coding.system") {
            let systems = words.listed();
            words.due(")");
            steps.push(Step::Coded(
                name,
                systems.iter().map(|s| system(s)).collect(),
            ));
        } else {
            steps.push(Step::Name(name));
        }
    }
    words.end();
    (kind, steps)
}

fn condition(text: &str) -> When {
    let mut words = Words::of(text);
    let when = either(&mut words);
    words.end();
    when
}

fn either(words: &mut Words<'_>) -> When {
    let mut when = both(words);
    while words.takes("or ") {
        when = When::Or(Box::new(when), Box::new(both(words)));
    }
    when
}

fn both(words: &mut Words<'_>) -> When {
    let mut when = single(words);
    while words.takes("and ") {
        when = When::And(Box::new(when), Box::new(single(words)));
    }
    when
}

fn single(words: &mut Words<'_>) -> When {
    if words.takes("not ") || words.takes("not(") && words.back() {
        return When::Not(Box::new(single(words)));
    }
    if words.takes("(") {
        let when = either(words);
        words.due(")");
        return when;
    }
    match words.name().as_str() {
        "always" => When::Always,
        "never" => When::Never,
        "sensitive" => When::Sensitive,
        "medico-social" => When::MedicoSocial,
        "city" => When::City,
        "region" => When::Region(words.listed()),
        "level" => {
            let signs = ["<=", ">=", "!=", "<", ">", "="];
            let sign = signs.into_iter().find(|sign| words.takes(sign));
            let number = words.name().parse().expect("a level");
            When::Level(sign.expect("a comparison").to_owned(), number)
        }
        "has" => {
            words.due("(");
            let urls = urls(&words.quoted());
            words.due(")");
            When::Has(urls)
        }
        "code" => {
            words.due("(");
            let urls = urls(&words.quoted());
            words.due(")");
            When::Code(urls, words.listed())
        }
        other => panic!("no condition: {other}"),
    }
}

/// What is left of a text, blanks apart.
struct Words<'t> {
    text: &'t str,
    left: &'t str,
}

impl<'t> Words<'t> {
    fn of(text: &'t str) -> Self {
        Words { text, left: text }
    }

    fn takes(&mut self, word: &str) -> bool {
        let rest = self.left.trim_start().strip_prefix(word);
        rest.inspect(|rest| self.left = rest).is_some()
    }

    /// Gives the last sign back.
    fn back(&mut self) -> bool {
        self.left = &self.text[self.text.len() - self.left.len() - 1..];
        true
    }

    fn due(&mut self, word: &str) {
        assert!(
            self.takes(word),
            "{word} is due at {} of {}",
            self.left,
            self.text
        );
    }

    fn name(&mut self) -> String {
        self.left = self.left.trim_start();
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let end = self.left.find(|c| !is_part(c)).unwrap_or(self.left.len());
        let (name, rest) = self.left.split_at(end);
        self.left = rest;
        name.to_owned()
    }

    fn quoted(&mut self) -> String {
        self.due("'");
        let (inside, rest) = self.left.split_once('\'').expect("a closing quote");
        self.left = rest;
        inside.to_owned()
    }

    /// `= 'a'` or `in ('a', 'b')`.
    fn listed(&mut self) -> Vec<String> {
        if self.takes("=") {
            return vec![self.quoted()];
        }
        self.due("in");
        self.due("(");
        let mut all = vec![self.quoted()];
        while self.takes(",") {
            all.push(self.quoted());
        }
        self.due(")");
        all
    }

    fn end(&self) {
        assert!(
            self.left.trim().is_empty(),
            "{} of {}",
            self.left,
            self.text
        );
    }
}
