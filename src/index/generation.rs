//! A generation: an immutable directory of packs, and the live one's name.
//!
//! ```text
//! DIR/CURRENT                    the id of the live generation, replaced by rename
//! DIR/generations/<id>/          manifest.json, schema.json, one folder per resource type
//! DIR/generations/<id>/views/    a folder like it for each redacted view
//! ```

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rorqual_access::{DataRules, Facts, Policy};
use rorqual_schema::{ResourceType, Schema};

use super::FormatError;
use super::directory::Directory;
use super::manifest::Manifest;
use super::overlay::WRITTEN;
use crate::access::{FACTS, POLICY};

/// Name of the file that names the live generation.
pub const CURRENT: &str = "CURRENT";
/// Name of the folder of generations.
pub const GENERATIONS: &str = "generations";
/// Name of the schema in a generation's folder.
pub const SCHEMA: &str = "schema.json";

/// Name of the folder of redacted views in a generation's folder, one folder each.
pub const VIEWS: &str = "views";

/// An opened generation.
pub struct Generation {
    path: PathBuf,
    manifest: Manifest,
    schema: Arc<Schema>,
    directories: Vec<Directory>,
    views: BTreeMap<String, (Arc<Generation>, DataRules)>,
    /// By type: the facts of each ordinal, as bytes; empty where no profile needs them.
    facts: Vec<Vec<u8>>,
}

impl Generation {
    /// Opens a generation's folder without reading its bulk.
    ///
    /// # Errors
    /// [`FormatError`] when a file is missing, of another version or damaged.
    pub fn open(path: &Path) -> Result<Generation, FormatError> {
        let manifest = Manifest::read(path)?;
        let schema_path = path.join(SCHEMA);
        let text =
            fs::read(&schema_path).map_err(|source| FormatError::reading(&schema_path, source))?;
        let unusable = |detail: String| FormatError::Schema {
            path: schema_path.clone(),
            detail,
        };
        let schema = Schema::from_json(&text).map_err(|error| unusable(error.to_string()))?;
        if schema.digest() != manifest.schema_digest {
            return Err(unusable(format!(
                "the schema's digest is {}, the manifest says {}",
                schema.digest(),
                manifest.schema_digest
            )));
        }
        let directories = ResourceType::ALL
            .iter()
            .map(|&kind| Directory::open(&path.join(kind.name()), &schema, kind))
            .collect::<Result<Vec<_>, _>>()?;
        let views = open_views(path, &manifest)?;
        let facts = open_facts(path, &manifest, &directories)?;
        Ok(Generation {
            facts,
            path: path.to_owned(),
            manifest,
            schema: Arc::new(schema),
            directories,
            views,
        })
    }

    /// The live generation's id.
    ///
    /// # Errors
    /// [`FormatError::NoGeneration`] when none is live, [`FormatError::Io`].
    pub fn current(index: &Path) -> Result<String, FormatError> {
        let path = index.join(CURRENT);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(text.trim().to_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(FormatError::NoGeneration {
                    path: index.to_owned(),
                })
            }
            Err(source) => Err(FormatError::io(&path, source)),
        }
    }

    /// Where a generation lives.
    pub fn path_of(index: &Path, id: &str) -> PathBuf {
        index.join(GENERATIONS).join(id)
    }

    /// Makes a generation that is whole and synced the live one: `CURRENT` is replaced by a rename, and the
    /// directory synced, so that after a crash either the old or the new one is live.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn publish(index: &Path, id: &str) -> Result<(), FormatError> {
        let next = index.join("CURRENT.next");
        let io = |source| FormatError::io(&next, source);
        let mut file = File::create(&next).map_err(io)?;
        file.write_all(format!("{id}\n").as_bytes()).map_err(io)?;
        file.sync_all().map_err(io)?;
        drop(file);
        fs::rename(&next, index.join(CURRENT)).map_err(io)?;
        sync_directory(index)
    }

    /// The generation's folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the generation says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.manifest.generation
    }

    /// The schema it was built with.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Its redacted views, by name: generations of their own, in which what an access profile may not see is not there,
    /// and the rules that made them.
    pub fn views(&self) -> &BTreeMap<String, (Arc<Generation>, DataRules)> {
        &self.views
    }

    /// What is known of the services that lead to a resource: what the rules of views ask about. Unknown, the most closed, where
    /// the generation was built without views.
    pub fn facts(&self, kind: ResourceType, ordinal: u32) -> Facts {
        let of_kind = self.facts.get(kind.index());
        of_kind
            .and_then(|facts| facts.get(ordinal as usize))
            .map_or_else(Facts::unknown, |byte| Facts::from_byte(*byte))
    }

    /// The directory of a resource type.
    pub fn directory(&self, kind: ResourceType) -> &Directory {
        &self.directories[kind.index()]
    }
}

/// Reads the facts of a generation with views.
fn open_facts(
    path: &Path,
    manifest: &Manifest,
    directories: &[Directory],
) -> Result<Vec<Vec<u8>>, FormatError> {
    if manifest.views.is_empty() {
        return Ok(Vec::new());
    }
    let path = path.join(FACTS);
    let bytes = fs::read(&path).map_err(|source| FormatError::reading(&path, source))?;
    let mut rest = bytes.as_slice();
    let mut facts = Vec::new();
    for (kind, directory) in ResourceType::ALL.into_iter().zip(directories) {
        let count = match kind {
            WRITTEN => 0,
            _ => directory.len() as usize,
        };
        let (own, others) = rest.split_at_checked(count).ok_or(FormatError::Damaged {
            path: path.clone(),
            detail: format!("it ends before the facts of {kind}"),
        })?;
        facts.push(own.to_vec());
        rest = others;
    }
    Ok(facts)
}

/// Opens the views that a manifest names, with their rules from the policy beside it.
fn open_views(
    path: &Path,
    manifest: &Manifest,
) -> Result<BTreeMap<String, (Arc<Generation>, DataRules)>, FormatError> {
    let mut views = BTreeMap::new();
    if manifest.views.is_empty() {
        return Ok(views);
    }
    let policy_path = path.join(POLICY);
    let damaged = |detail: String| FormatError::Damaged {
        path: policy_path.clone(),
        detail,
    };
    let text = fs::read_to_string(&policy_path)
        .map_err(|source| FormatError::reading(&policy_path, source))?;
    let policy = Policy::from_toml(&text).map_err(|error| damaged(error.to_string()))?;
    for name in &manifest.views {
        let found = policy
            .views()
            .into_iter()
            .find(|view| view.id.as_str() == name);
        let rules = found
            .map(|view| view.rules.clone())
            .ok_or_else(|| damaged(format!("no profile of it makes the view {name}")))?;
        let redacted = Generation::open(&path.join(VIEWS).join(name))?;
        views.insert(name.clone(), (Arc::new(redacted), rules));
    }
    Ok(views)
}

/// Syncs a directory, so that names created, renamed or removed in it survive a power cut.
///
/// # Errors
/// [`FormatError::Io`].
pub fn sync_directory(path: &Path) -> Result<(), FormatError> {
    File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(|source| FormatError::io(path, source))
}
