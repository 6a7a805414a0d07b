//! Checking a whole generation: every checksum, and that its structures agree with each other.
//!
//! Opening a generation reads catalogs only; this reads everything, so that a flipped bit anywhere is found. It
//! only reads, and may run while a server answers from the same files.

use std::path::Path;

use rorqual_schema::{ResourceType, is_id};

use crate::index::column::{ParameterIndex, Values};
use crate::index::directory::Directory;
use crate::index::generation::Generation;
use crate::index::manifest::{MANIFEST, MANIFEST_CHECKSUM};
use crate::index::reference::Incoming;
use crate::index::{FormatError, checksum_file};

/// What a check found.
#[derive(Debug, Default, serde::Serialize)]
pub struct Verification {
    /// The generation checked.
    pub generation: String,
    /// Files whose checksums were computed.
    pub files: usize,
    /// Bytes read for checksums.
    pub bytes: u64,
    /// Resources whose cross-references were followed.
    pub resources: u64,
    /// What is wrong, one sentence each; empty when the generation is sound.
    pub faults: Vec<String>,
}

/// Checks the live generation of an index directory.
///
/// # Errors
/// [`FormatError`] when there is no generation, or its manifest cannot be read at all.
pub fn verify(index: &Path) -> Result<Verification, FormatError> {
    verify_generation(index, &Generation::current(index)?)
}

/// Checks any generation of an index directory, by its id.
///
/// # Errors
/// [`FormatError`] when there is none of that id, or its manifest cannot be read at all.
pub fn verify_generation(index: &Path, id: &str) -> Result<Verification, FormatError> {
    let path = Generation::path_of(index, id);
    let manifest = crate::index::manifest::Manifest::read(&path)?;
    let mut found = Verification {
        generation: id.to_owned(),
        ..Verification::default()
    };
    if manifest.generation != id {
        found.faults.push(format!(
            "generation {id}: the manifest there says {}",
            manifest.generation
        ));
    }
    let sealed = path.join(MANIFEST_CHECKSUM);
    let sealed =
        std::fs::read_to_string(&sealed).map_err(|error| FormatError::reading(&sealed, error));
    match (sealed, checksum_file(&path.join(MANIFEST))) {
        (Ok(sealed), Ok(read)) if sealed == read.xxh3 => {}
        (Ok(_), Ok(_)) => found.faults.push(format!(
            "{MANIFEST}: its checksum is not the one in {MANIFEST_CHECKSUM}"
        )),
        (Err(error), _) | (_, Err(error)) => found.faults.push(error.to_string()),
    }
    for (name, record) in &manifest.files {
        match checksum_file(&path.join(name)) {
            Ok(read) => {
                found.files += 1;
                found.bytes += read.length;
                if read != *record {
                    found.faults.push(format!(
                        "{name}: {} bytes with checksum {}, the manifest says {} bytes with {}",
                        read.length, read.xxh3, record.length, record.xxh3
                    ));
                }
            }
            Err(error) => found.faults.push(error.to_string()),
        }
    }
    for unknown in unlisted(
        &path,
        &manifest
            .files
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>(),
    )? {
        found.faults.push(format!("{unknown}: not in the manifest"));
    }
    // Structures are followed only when their bytes are those that were written.
    if found.faults.is_empty() {
        match Generation::open(&path) {
            Ok(generation) => cross_check(&generation, &mut found),
            Err(error) => found.faults.push(error.to_string()),
        }
    }
    Ok(found)
}

/// Files of the generation that the manifest does not list.
fn unlisted(path: &Path, listed: &[&str]) -> Result<Vec<String>, FormatError> {
    let mut folders = vec![path.to_owned()];
    let mut unknown = Vec::new();
    while let Some(folder) = folders.pop() {
        let io = |source| FormatError::io(&folder, source);
        for entry in std::fs::read_dir(&folder).map_err(io)? {
            let entry = entry.map_err(io)?.path();
            if entry.is_dir() {
                folders.push(entry);
            } else if let Ok(name) = entry.strip_prefix(path) {
                let name = name.to_string_lossy();
                // tantivy creates its lock files when a reader opens the folder.
                let lock = name.ends_with(".lock");
                let known = name == MANIFEST || name == MANIFEST_CHECKSUM;
                if !known && !lock && !listed.contains(&&*name) {
                    unknown.push(name.into_owned());
                }
            }
        }
    }
    unknown.sort();
    Ok(unknown)
}

fn cross_check(generation: &Generation, found: &mut Verification) {
    for kind in ResourceType::ALL {
        let directory = generation.directory(kind);
        let recorded = generation.manifest().counts.get(kind.name()).copied();
        if recorded != Some(u64::from(directory.len())) {
            found.faults.push(format!(
                "{kind}: {} resources, the manifest says {recorded:?}",
                directory.len()
            ));
        }
        check_resources(directory, found);
        for (number, parameter) in generation.schema().parameters(kind).iter().enumerate() {
            let name = format!("{kind}.{}", parameter.code);
            match directory.parameter(number) {
                Some(index) => check_parameter(generation, directory, index, &name, found),
                None => found.faults.push(format!("{name}: missing")),
            }
            match directory.present(number) {
                Ok(present) if present.max().is_some_and(|last| last >= directory.len()) => {
                    found
                        .faults
                        .push(format!("{name}: values of resources that do not exist"));
                }
                Ok(_) => {}
                Err(error) => found.faults.push(format!("{name}: {error}")),
            }
        }
    }
}

/// Every resource is found under its own id, and is a JSON object of its type.
fn check_resources(directory: &Directory, found: &mut Verification) {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Head<'a> {
        resource_type: std::borrow::Cow<'a, str>,
        id: std::borrow::Cow<'a, str>,
    }
    let kind = directory.kind();
    for ordinal in 0..directory.len() {
        found.resources += 1;
        let Some(id) = directory.bodies().id(ordinal).filter(|id| is_id(id)) else {
            found
                .faults
                .push(format!("{kind} number {ordinal}: no id before its body"));
            continue;
        };
        if directory.ordinal(&id) != Some(ordinal) {
            found
                .faults
                .push(format!("{kind}/{id}: not found under its id"));
        }
        let body = directory.bodies().body(ordinal).unwrap_or_default();
        let spans = directory.bodies().spans();
        if spans.is_some_and(|spans| !spans.agree(ordinal, &body)) {
            found.faults.push(format!(
                "{kind}/{id}: its members are not where they are recorded to be"
            ));
        }
        match serde_json::from_slice::<Head<'_>>(&body) {
            Ok(head) if head.resource_type == kind.name() && head.id == id => {}
            Ok(head) => found.faults.push(format!(
                "{kind}/{id}: its body says {}/{}",
                head.resource_type, head.id
            )),
            Err(error) => found
                .faults
                .push(format!("{kind}/{id}: its body is not readable: {error}")),
        }
    }
}

const BLOCKS_DIFFER: &str = "the bitmaps of a sorted column differ from its rows";

fn check_parameter(
    generation: &Generation,
    directory: &Directory,
    index: &ParameterIndex,
    name: &str,
    found: &mut Verification,
) {
    let mut fault = |text: String| found.faults.push(format!("{name}: {text}"));
    if let Some(ranks) = &index.ranks
        && ranks.len() != directory.len() as usize
    {
        fault(format!(
            "sort columns for {} resources of {}",
            ranks.len(),
            directory.len()
        ));
    }
    match &index.values {
        Values::Token(tokens) => {
            let (terms, postings) = (tokens.terms(), tokens.postings());
            if terms.len() != postings.terms() {
                fault(format!(
                    "{} terms, postings of {}",
                    terms.len(),
                    postings.terms()
                ));
            }
            for term in 0..terms.len() {
                if term > 0 && terms.key(term - 1) >= terms.key(term) {
                    fault(format!("terms {} and {term} are not ascending", term - 1));
                }
                let ordinals = postings.of(term);
                let sound = ordinals.is_sorted_by(|a, b| a < b)
                    && ordinals.last().is_none_or(|&last| last < directory.len());
                if !sound || ordinals.is_empty() {
                    fault(format!(
                        "the postings of term {term} are not ascending ordinals"
                    ));
                }
                if postings.serialized(term).is_some()
                    && !postings.bitmap(term).iter().eq(ordinals.iter().copied())
                {
                    fault(format!(
                        "the bitmap of term {term} differs from its postings"
                    ));
                }
            }
        }
        Values::Date(dates) if !dates.blocks_agree() => fault(BLOCKS_DIFFER.to_owned()),
        Values::Number(numbers) if !numbers.blocks_agree() => fault(BLOCKS_DIFFER.to_owned()),
        Values::Quantity(quantities) if !quantities.blocks_agree() => {
            fault(BLOCKS_DIFFER.to_owned());
        }
        Values::Reference(references) => {
            let mut outgoing = 0usize;
            for ordinal in 0..directory.len() {
                for (kind, target) in references.targets(ordinal) {
                    outgoing += 1;
                    let back = references
                        .incoming(kind)
                        .map_or(&[][..], |incoming| incoming.of(target));
                    if target >= generation.directory(kind).len()
                        || back.binary_search(&ordinal).is_err()
                    {
                        fault(format!(
                            "the reference of number {ordinal} to {kind} number {target} has no way back"
                        ));
                    }
                }
            }
            let incoming: usize = ResourceType::ALL
                .iter()
                .filter_map(|&kind| references.incoming(kind))
                .map(Incoming::edges)
                .sum();
            if incoming != outgoing {
                fault(format!("{outgoing} references out, {incoming} in"));
            }
        }
        _ => {}
    }
}
