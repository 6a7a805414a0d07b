//! The structure that FHIR R4 gives a Task: elements, JSON types, cardinalities, grammars and R4's own lists of codes.
//!
//! Everything is read from one table, `reference/r4-structures.json`, which a script makes from HL7's definitions. What the
//! profile asks beyond R4 is the business of [`crate::profile`], which comes after.
//!
//! - `table` reads the definitions, `primitive` and `moment` hold the grammars;
//! - `walk` goes through a body along the table, `contained` and `extensions` through those;
//! - `fault` is what it can find, `fhir_path` where, `nearest` what was probably meant.
//!
//! ```
//! use rorqual_anomaly::{Finding, structure};
//! use rorqual_schema::Node;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let body = Node::parse(br#"{"resourceType":"Task","businessStatus":[{"text":"sent"}]}"#)?;
//! let faults = structure::check(&body);
//! assert_eq!(faults.len(), 1);
//! assert_eq!((faults[0].status(), faults[0].path().as_str()), (400, "Task.businessStatus"));
//! # Ok(())
//! # }
//! ```

mod contained;
mod extensions;
mod fault;
mod fhir_path;
mod moment;
mod nearest;
mod primitive;
mod table;
mod walk;

use rorqual_schema::Node;

pub use fault::StructureFault;
pub(crate) use fault::{described, quoted};
pub(crate) use nearest::nearest;
use table::Table;
use walk::Walk;

/// An element of the first level of a Task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element {
    /// Its name, which is also the name of its JSON member: no element of this level has a choice of datatypes.
    pub name: &'static str,
    /// Whether it repeats, which in JSON makes an array of it.
    pub array: bool,
    /// The names of the datatypes it may have: one, such as `CodeableConcept`, or a part named by its path, such as `Task.input`.
    pub types: &'static [&'static str],
}

/// Every breach of FHIR R4 in a Task, in the order of the text, a hundred at most; none when the body is an R4 Task.
///
/// That `status` and `intent` are there is left to [`crate::profile::check`], so that one answer names all that is missing.
/// Of contained resources other than Tasks only type, id and the rules common to all JSON of R4 are checked. Invariants other
/// than those of extensions and of references to contained resources are not, nor what a reference points to.
pub fn check(task: &Node<'_>) -> Vec<StructureFault> {
    let mut walk = Walk::new(Table::embedded());
    walk.task(task);
    walk.into_faults()
}

/// Every breach of FHIR R4 in one value that should be of that datatype: a primitive (`code`), a complex datatype
/// (`CodeableConcept`) or a part of Task (`Task.input`). `path` is where the value stands or is to stand, as FHIRPath.
///
/// A type that a Task cannot hold is [`StructureFault::UnknownDatatype`]. Codes that R4 binds to an element (`Task.status`)
/// rather than to a datatype are not checked here: the result of a change is checked whole.
pub fn check_datatype(type_name: &str, value: &Node<'_>, path: &str) -> Vec<StructureFault> {
    let mut walk = Walk::new(Table::embedded());
    walk.datatype(type_name, value, path);
    walk.into_faults()
}

/// The element of that name at the first level of a Task; names are case-sensitive.
pub fn element_type(name: &str) -> Option<Element> {
    let (element, _) = Table::embedded().structure("Task")?.member(name)?;
    Some(Element {
        name: element.name,
        array: element.many,
        types: &element.types,
    })
}

/// The element of the first level of a Task whose name is nearest to one that is not known.
pub fn nearest_element(written: &str) -> Option<&'static str> {
    let task = Table::embedded().structure("Task")?;
    nearest(written, task.elements.iter().map(|element| element.name))
}

/// The datatype that a member of an open choice is named after: `valueCodeableConcept` holds a `CodeableConcept`.
/// Nothing when R4 does not admit such a member in `Parameters`, extensions and the inputs of a Task.
pub fn value_type(member: &str) -> Option<&'static str> {
    let table = Table::embedded();
    let (element, _) = table.structure("Extension")?.member(member)?;
    let at = element.members.iter().position(|known| known == member)?;
    element
        .choice
        .then(|| element.types.get(at).copied())
        .flatten()
}
