//! What a redacted view shows of the anomalies written since it was built: the same that a build would, as far as what they
//! refer to is there when they are written.

use std::collections::HashMap;

use rorqual_access::{DataRules, Facts, RedactError, Redacted, Sought, Target, focus_of};
use rorqual_schema::{Node, ResourceType, canonical_system};

use crate::index::overlay::{Version, WRITTEN};
use crate::index::segment::identified;
use crate::index::snapshot::Snapshot;

/// Name of the access policy in a generation's folder: the text it was built with.
pub const POLICY: &str = "access.toml";

/// Name of the file of facts in a generation's folder: one byte for each resource of the directory, by type and ordinal,
/// anomalies left out.
pub const FACTS: &str = "access.facts";

/// What is written next is judged against: everything, and what of it a view shows.
pub struct Redaction {
    full: Snapshot,
    view: Snapshot,
    /// Anomalies judged since, by id.
    judged: HashMap<String, Judged>,
}

struct Judged {
    shown: bool,
    /// System, empty for none, and value.
    identifiers: Vec<(String, String)>,
}

impl Redaction {
    /// A view beside everything that there is, at the same point of the log.
    pub fn new(full: Snapshot, view: Snapshot) -> Redaction {
        Redaction {
            full,
            view,
            judged: HashMap::new(),
        }
    }

    /// The versions as `rules` show them in the view: without those about what it hides, and without the elements it hides.
    /// They must follow each other in the order of the log: what one refers to counts as it was then, however many are
    /// written at once.
    ///
    /// # Errors
    /// [`RedactError`] when a body is no Task, which the store never writes.
    pub fn shown(
        &mut self,
        rules: &DataRules,
        versions: &[Version],
    ) -> Result<Vec<Version>, RedactError> {
        let mut shown = Vec::new();
        for version in versions {
            let Ok(task) = Node::parse(&version.body) else {
                continue;
            };
            let focus = focus_of(&task);
            let facts = Facts::of_focus(focus.as_deref(), &|target| self.facts(&target));
            self.judged.insert(
                version.id.clone(),
                Judged {
                    // An anomaly may refer to itself, once it is known that it is shown at all.
                    shown: self.leads(focus.as_deref())
                        && rules.sees(WRITTEN, &rorqual_access::regions(&task), facts),
                    identifiers: identifiers(&task),
                },
            );
            let visible = |target: Target<'_>| self.holds(&target);
            match rules.redact(WRITTEN, &version.body, &task, facts, &visible)? {
                Redacted::Hidden => {}
                Redacted::Whole => shown.push(version.clone()),
                Redacted::Partial(body) => shown.push(Version {
                    body,
                    ..version.clone()
                }),
            }
        }
        Ok(shown)
    }

    fn leads(&self, focus: Option<&[Sought]>) -> bool {
        focus.is_some_and(|focus| focus.iter().all(|sought| self.holds(&sought.target())))
    }

    /// Whether the view holds what a reference names.
    fn holds(&self, target: &Target<'_>) -> bool {
        match target {
            Target::Literal { kind: WRITTEN, id } => self.shows(id),
            Target::Literal { kind, id } => self.view.ordinal(*kind, id).is_some(),
            Target::Logical {
                kind,
                system,
                value,
            } => {
                // An identifier is shown when somebody has it, and nobody who has it is hidden.
                let (mut there, mut hidden) = (0, 0);
                for each in ResourceType::ALL {
                    if kind.is_some_and(|kind| kind != each) {
                        continue;
                    }
                    if each == WRITTEN {
                        for id in self.carriers(system, value) {
                            there += 1;
                            hidden += u64::from(!self.shows(&id));
                        }
                        continue;
                    }
                    let count =
                        |of: &Snapshot| identified(of.generation(), each, system, value).len();
                    let all = count(&self.full);
                    there += all;
                    hidden += all.saturating_sub(count(&self.view));
                }
                there > 0 && hidden == 0
            }
        }
    }

    /// Whether the view shows an anomaly.
    fn shows(&self, id: &str) -> bool {
        match self.judged.get(id) {
            Some(judged) => judged.shown,
            None => self.view.ordinal(WRITTEN, id).is_some(),
        }
    }

    /// The anomalies that bear an identifier now, shown or not.
    fn carriers(&self, system: &str, value: &str) -> Vec<String> {
        let before = self.full.identified(WRITTEN, system, value);
        let id = |ordinal| {
            let (part, own) = self.full.locate(WRITTEN, ordinal);
            part.directory.bodies().id(own)
        };
        let before = before.into_iter().filter_map(id);
        let bears = |judged: &Judged| {
            let mut own = judged.identifiers.iter();
            own.any(|(of, own)| own == value && (system.is_empty() || of == system))
        };
        let now = self.judged.iter().filter(|(_, judged)| bears(judged));
        before
            .filter(|id| !self.judged.contains_key(id))
            .chain(now.map(|(id, _)| id.clone()))
            .collect()
    }

    /// The facts of what a focus names; unknown those of an anomaly.
    fn facts(&self, target: &Target<'_>) -> Vec<Facts> {
        let generation = self.full.generation();
        match target {
            Target::Literal { kind: WRITTEN, id } => {
                let there =
                    self.judged.contains_key(*id) || self.full.ordinal(WRITTEN, id).is_some();
                there.then(Facts::unknown).into_iter().collect()
            }
            Target::Literal { kind, id } => {
                let ordinal = generation.directory(*kind).ordinal(id);
                let facts = ordinal.map(|ordinal| generation.facts(*kind, ordinal));
                facts.into_iter().collect()
            }
            Target::Logical {
                kind,
                system,
                value,
            } => {
                let mut found = Vec::new();
                for each in ResourceType::ALL {
                    if kind.is_some_and(|kind| kind != each) {
                        continue;
                    }
                    if each == WRITTEN {
                        let tasks = self.carriers(system, value);
                        found.extend(tasks.iter().map(|_| Facts::unknown()));
                        continue;
                    }
                    let carriers = identified(generation, each, system, value);
                    found.extend(
                        carriers
                            .into_iter()
                            .map(|ordinal| generation.facts(each, ordinal)),
                    );
                }
                found
            }
        }
    }
}

fn identifiers(task: &Node<'_>) -> Vec<(String, String)> {
    let own = task.get("identifier").map_or(&[][..], Node::items);
    let text =
        |node: &Node<'_>, name: &str| node.get(name).and_then(Node::as_str).map(str::to_owned);
    let pair = |identifier: &Node<'_>| {
        let system = text(identifier, "system").unwrap_or_default();
        Some((
            canonical_system(&system).into_owned(),
            text(identifier, "value")?,
        ))
    };
    own.iter().filter_map(pair).collect()
}
