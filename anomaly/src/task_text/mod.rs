//! The text of a Task, member by member: what no one touches stays byte for byte.
//!
//! A client's decimals, escapes and order of members are part of what it said, so a Task is never turned into numbers and
//! maps and printed again. [`TaskText`] keeps the top-level members as the texts that were received, only without the blanks
//! between tokens, since the store writes one line per Task.

mod assigned;
mod compact;
mod exact_json;
mod members;
mod references;
mod same_value;

use rorqual_schema::{ResourceType, top_level_elements};

pub use assigned::Assigned;
pub use compact::{JsonTextFault, MAX_DEPTH};
pub use exact_json::{ExactJson, JsonKind, Member};

/// A Task as an ordered list of top-level members, each the exact JSON text that was received.
///
/// ```
/// use rorqual_anomaly::task_text::{ExactJson, TaskText};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut task = TaskText::parse(br#"{ "resourceType": "Task", "status": "draft", "x": 1.50 }"#)?;
/// task.set("status", ExactJson::string("in-progress"));
/// assert_eq!(task.to_json(), br#"{"resourceType":"Task","status":"in-progress","x":1.50}"#);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskText {
    members: Vec<Member>,
}

impl TaskText {
    /// Reads the text of a JSON object. Whether it is a sound Task is for [`crate::structure`] to say.
    ///
    /// # Errors
    /// [`JsonTextFault`] when the text is not JSON, not an object, repeats a key or nests deeper than [`MAX_DEPTH`].
    pub fn parse(body: &[u8]) -> Result<Self, JsonTextFault> {
        let members = ExactJson::parse(body)?.members();
        members
            .map(|members| Self { members })
            .ok_or(JsonTextFault::NotAnObject)
    }

    /// The value of a top-level member.
    pub fn get(&self, name: &str) -> Option<&ExactJson> {
        self.members()
            .find(|(own, _)| *own == name)
            .map(|(_, value)| value)
    }

    /// The items of a top-level member: those of an array, or the one value that is no array. Empty when it is absent.
    pub fn items(&self, name: &str) -> Vec<ExactJson> {
        match self.get(name) {
            Some(value) => value.items().unwrap_or_else(|| vec![value.clone()]),
            None => Vec::new(),
        }
    }

    /// The top-level members in their order, `resourceType` and the `_name` siblings of primitives included.
    pub fn members(&self) -> impl Iterator<Item = (&str, &ExactJson)> {
        self.members
            .iter()
            .map(|member| (member.name(), member.value()))
    }

    /// Sets a member: in place when it exists, otherwise where R4's definition of Task has it. The `_name` sibling, which
    /// told about the former value, goes.
    pub fn set(&mut self, name: &str, value: ExactJson) {
        members::set(&mut self.members, rank, name, value);
    }

    /// Sets a primitive and the `_name` sibling that holds its id and extensions (FHIR R4, JSON representation of
    /// primitives). Absent parts are removed.
    pub fn set_primitive(
        &mut self,
        name: &str,
        value: Option<ExactJson>,
        sibling: Option<ExactJson>,
    ) {
        members::set_primitive(&mut self.members, rank, name, value, sibling);
    }

    /// Removes a member and its `_name` sibling; gives the value it had.
    pub fn remove(&mut self, name: &str) -> Option<ExactJson> {
        members::remove(&mut self.members, name)
    }

    /// Removes the narrative, which may tell what the data no longer say.
    pub fn drop_text(&mut self) {
        self.remove("text");
    }

    /// The Task as one line of compact JSON.
    pub fn to_json(&self) -> Vec<u8> {
        ExactJson::object(&self.members).as_str().into()
    }

    /// The length of [`to_json`](Self::to_json), in bytes.
    pub fn byte_len(&self) -> usize {
        let members: usize = self.members.iter().map(|member| member.byte_len()).sum();
        // The braces, and a comma between every two members.
        2 + members + self.members.len().saturating_sub(1)
    }
}

/// The place of an element among the top-level elements of Task, in the order of its R4 definition.
fn rank(name: &str) -> usize {
    if name == "resourceType" {
        return 0;
    }
    let element = name.strip_prefix('_').unwrap_or(name);
    top_level_elements(ResourceType::Task)
        .elements
        .iter()
        .position(|known| *known == element)
        .map_or(usize::MAX, |place| place + 1)
}

#[cfg(test)]
mod tests;
