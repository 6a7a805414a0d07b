//! What a profile may do: interactions, operations, resource types, search parameters.

use std::collections::BTreeSet;

use rorqual_schema::ResourceType;
use thiserror::Error;

/// Something a client asks to do. One request may be several: a search asks for the search, for each of its parameters, and for a
/// search of each type that an include or a chain leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask<'a> {
    /// `GET [base]/Type/id`
    Read(ResourceType),
    /// `GET [base]/Type?…`
    Search(ResourceType),
    /// `POST [base]/Type`; only Task can be created.
    Create(ResourceType),
    /// `PATCH [base]/Type/id`; only Task can be patched.
    Patch(ResourceType),
    /// `POST [base]` with a batch; each entry is asked for on its own besides.
    Batch,
    /// `POST [base]` with a transaction; each entry is asked for on its own besides.
    Transaction,
    /// An operation by its name, `$` included.
    Operation(&'a str),
    /// A search parameter of a type, wherever it stands: plain, in a chain, in `_has`, in `_filter`, as a sort key, in an include.
    Parameter(ResourceType, &'a str),
}

/// Why a profile may not do something; made to be shown to the client: it names nothing the client did not write.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The interaction is not granted.
    #[error(
        "your access profile does not allow {interaction}; ask the operator for a profile that does"
    )]
    Interaction {
        /// The interaction, as written in a profile.
        interaction: &'static str,
    },
    /// The type may not be asked about.
    #[error(
        "your access profile does not allow requests on {kind}; ask the operator for a profile that does"
    )]
    Type {
        /// The type.
        kind: ResourceType,
    },
    /// The right on anomalies is missing.
    #[error(
        "your access profile has no right to {right} anomalies (Task); ask the operator for it"
    )]
    Tasks {
        /// `read` or `write`.
        right: &'static str,
    },
    /// The operation is not granted.
    #[error(
        "your access profile does not allow {operation}; ask the operator for a profile that does"
    )]
    Operation {
        /// The operation, as asked.
        operation: String,
    },
    /// The search parameter is not granted.
    #[error(
        "your access profile does not allow the search parameter {code} of {kind}; leave it out, or ask the operator for it"
    )]
    Parameter {
        /// The type.
        kind: ResourceType,
        /// The parameter, as asked.
        code: String,
    },
}

/// What a profile may do; nothing unless granted.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Rights {
    pub(crate) types: BTreeSet<ResourceType>,
    pub(crate) interactions: BTreeSet<&'static str>,
    pub(crate) operations: BTreeSet<&'static str>,
    pub(crate) allow: Vec<ParameterPattern>,
    pub(crate) deny: Vec<ParameterPattern>,
    pub(crate) read_tasks: bool,
    pub(crate) write_tasks: bool,
}

/// The interactions a profile can be granted.
pub(crate) const INTERACTIONS: [&str; 6] =
    ["read", "search", "create", "patch", "batch", "transaction"];
/// The operations a profile can be granted.
pub(crate) const OPERATIONS: [&str; 2] = ["$explain", "$export"];

/// `Type.code`, either of them `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ParameterPattern {
    pub kind: Option<ResourceType>,
    pub code: Option<String>,
}

impl ParameterPattern {
    fn matches(&self, kind: ResourceType, code: &str) -> bool {
        self.kind.is_none_or(|own| own == kind) && self.code.as_ref().is_none_or(|own| own == code)
    }
}

impl Rights {
    /// Whether all this is granted.
    ///
    /// # Errors
    /// The first thing that is not.
    pub fn may(&self, ask: Ask<'_>) -> Result<(), Refusal> {
        match ask {
            Ask::Read(kind) => self.interaction("read").and_then(|()| self.on(kind)),
            Ask::Search(kind) => self.interaction("search").and_then(|()| self.on(kind)),
            Ask::Create(kind) => self.interaction("create").and_then(|()| self.write(kind)),
            Ask::Patch(kind) => self.interaction("patch").and_then(|()| self.write(kind)),
            Ask::Batch => self.interaction("batch"),
            Ask::Transaction => self.interaction("transaction"),
            Ask::Operation(name) => {
                if self.operations.contains(name) {
                    Ok(())
                } else {
                    Err(Refusal::Operation {
                        operation: name.chars().take(64).collect(),
                    })
                }
            }
            Ask::Parameter(kind, code) => {
                let matched =
                    |list: &[ParameterPattern]| list.iter().any(|p| p.matches(kind, code));
                if matched(&self.allow) && !matched(&self.deny) {
                    Ok(())
                } else {
                    Err(Refusal::Parameter {
                        kind,
                        code: code.chars().take(64).collect(),
                    })
                }
            }
        }
    }

    fn interaction(&self, interaction: &'static str) -> Result<(), Refusal> {
        if self.interactions.contains(interaction) {
            Ok(())
        } else {
            Err(Refusal::Interaction { interaction })
        }
    }

    fn on(&self, kind: ResourceType) -> Result<(), Refusal> {
        match kind {
            ResourceType::Task if self.read_tasks => Ok(()),
            ResourceType::Task => Err(Refusal::Tasks { right: "read" }),
            _ if self.types.contains(&kind) => Ok(()),
            _ => Err(Refusal::Type { kind }),
        }
    }

    /// Directory records are never changed, whatever a profile says: only anomalies can be written.
    fn write(&self, kind: ResourceType) -> Result<(), Refusal> {
        match kind {
            ResourceType::Task if self.write_tasks => Ok(()),
            ResourceType::Task => Err(Refusal::Tasks { right: "write" }),
            _ => Err(Refusal::Type { kind }),
        }
    }
}
