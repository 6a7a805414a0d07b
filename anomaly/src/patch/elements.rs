//! The elements of a Task that a patch may change, and why the others are not among them.

use rorqual_schema::{ResourceType, top_level_elements};

use super::fault::{NotOpen, OperationPlace, PatchFault};

/// A first-level element that is open to change.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Element {
    /// Its name.
    pub(super) name: &'static str,
    /// Its datatype in R4, as the suffix of `value[x]`; `None` for a backbone element, which has none.
    pub(super) datatype: Option<&'static str>,
    /// Whether it repeats in R4.
    pub(super) is_list: bool,
}

const fn one(name: &'static str, datatype: &'static str) -> Element {
    Element {
        name,
        datatype: Some(datatype),
        is_list: false,
    }
}

/// What follows the life of an anomaly. The rest says what the anomaly is, and a different anomaly is a new Task.
static OPEN: [Element; 14] = [
    one("businessStatus", "CodeableConcept"),
    one("status", "Code"),
    one("code", "CodeableConcept"),
    one("reasonCode", "CodeableConcept"),
    one("description", "String"),
    one("requester", "Reference"),
    one("owner", "Reference"),
    one("location", "Reference"),
    one("executionPeriod", "Period"),
    Element {
        name: "restriction",
        datatype: None,
        is_list: false,
    },
    Element {
        name: "input",
        datatype: None,
        is_list: true,
    },
    Element {
        name: "output",
        datatype: None,
        is_list: true,
    },
    one("lastModified", "DateTime"),
    Element {
        name: "note",
        datatype: Some("Annotation"),
        is_list: true,
    },
];

/// What the server assigns.
const ASSIGNED: [&str; 4] = ["resourceType", "id", "meta", "identifier"];

/// What makes an anomaly the one it is.
const FIXED: [&str; 3] = ["intent", "focus", "authoredOn"];

impl Element {
    /// The element of that name, or why it cannot be patched.
    pub(super) fn find(operation: OperationPlace, name: &str) -> Result<&'static Self, PatchFault> {
        if let Some(element) = OPEN.iter().find(|element| element.name == name) {
            return Ok(element);
        }
        let task = top_level_elements(ResourceType::Task);
        let why = if ASSIGNED.contains(&name) {
            NotOpen::Assigned
        } else if FIXED.contains(&name) {
            NotOpen::Fixed
        } else if task.has(name) {
            NotOpen::Other
        } else {
            return Err(PatchFault::UnknownElement {
                operation,
                name: shortened(name),
                nearest: task.nearest(name),
            });
        };
        Err(PatchFault::NotOpen {
            operation,
            element: name.to_owned(),
            why,
        })
    }
}

/// The names of the elements open to change, for messages.
pub(super) fn open_names() -> String {
    let names: Vec<&str> = OPEN.iter().map(|element| element.name).collect();
    names.join(", ")
}

/// What a client wrote, short enough to be quoted in a message.
pub(super) fn shortened(written: &str) -> String {
    const AT_MOST: usize = 120;
    let mut text: String = written.chars().take(AT_MOST).collect();
    if text.len() < written.len() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use rorqual_schema::{ResourceType, top_level_elements};

    use super::{ASSIGNED, FIXED, OPEN};

    #[test]
    fn every_listed_element_is_one_of_r4() {
        let task = top_level_elements(ResourceType::Task);
        let open = OPEN.iter().map(|element| element.name);
        for name in open.chain(ASSIGNED).chain(FIXED) {
            assert!(task.has(name) || name == "resourceType", "{name}");
        }
    }
}
