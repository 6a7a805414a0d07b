//! Several requests in one body: Bundles of type `batch` and `transaction` (FHIR R4, http, "batch/transaction").
//!
//! [`parse_requests`] reads what each entry asks for and refuses what no entry may ask; carrying it out, alone or all
//! together, is the caller's. Bodies of entries are kept as their texts, ready for [`crate::task_text::TaskText`] and
//! [`crate::patch`].

mod entry;
mod entry_fault;
mod fault;
mod url;

use std::collections::HashMap;

pub use entry::{Action, EntryRequest, PatchLanguage};
pub use entry_fault::EntryFault;
pub use fault::{BundleFault, RequestFault};

use crate::task_text::ExactJson;

/// What the entries of a Bundle have to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BundleKind {
    /// Each entry stands alone.
    Batch,
    /// All or none.
    Transaction,
}

/// How much one Bundle may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most entries it may have.
    pub entries: usize,
}

/// The requests of a Bundle, in the order of its entries.
#[derive(Clone, Debug)]
pub struct Requests {
    /// Batch or transaction.
    pub kind: BundleKind,
    /// What each entry asks for. In a transaction none is a fault: the Bundle would have been refused.
    pub entries: Vec<Result<EntryRequest, RequestFault>>,
}

/// Reads a Bundle of requests. `base` is the address under which this server is known, without a slash at its end; entries
/// may write their addresses in full under it.
///
/// ```
/// use rorqual_anomaly::requests::{Action, BundleKind, Limits, parse_requests};
///
/// let body = br#"{"resourceType":"Bundle","type":"batch","entry":[
///     {"request":{"method":"GET","url":"Task?business-status=02"}},
///     {"request":{"method":"DELETE","url":"Task/12"}}]}"#;
/// let requests = parse_requests(body, "https://ror.example/fhir", &Limits { entries: 100 });
/// let requests = requests.expect("a batch of two");
/// assert_eq!(requests.kind, BundleKind::Batch);
/// assert!(matches!(&requests.entries[0], Ok(entry) if matches!(entry.action, Action::Read { .. })));
/// assert!(requests.entries[1].is_err());
/// ```
///
/// # Errors
/// What makes the whole Bundle unreadable; in a transaction also every fault of every entry, since one is enough to refuse
/// them all.
pub fn parse_requests(
    body: &[u8],
    base: &str,
    limits: &Limits,
) -> Result<Requests, Vec<RequestFault>> {
    let (kind, entries) =
        bundle(body, limits).map_err(|fault| vec![RequestFault::Bundle(fault)])?;
    let entries: Vec<Result<EntryRequest, RequestFault>> = entries
        .iter()
        .enumerate()
        .map(|(place, json)| {
            entry::read(json, base).map_err(|fault| RequestFault::Entry { place, fault })
        })
        .collect();
    if kind == BundleKind::Transaction {
        let mut faults: Vec<RequestFault> = entries
            .iter()
            .filter_map(|entry| entry.as_ref().err().cloned())
            .collect();
        faults.extend(twice(&entries));
        if !faults.is_empty() {
            return Err(faults);
        }
    }
    Ok(Requests { kind, entries })
}

/// The type of the Bundle and the texts of its entries.
fn bundle(body: &[u8], limits: &Limits) -> Result<(BundleKind, Vec<ExactJson>), BundleFault> {
    let json = ExactJson::parse(body)?;
    let text = |name: &str| json.member(name).and_then(|value| value.text());
    match text("resourceType") {
        Some(kind) if kind == "Bundle" => {}
        found => return Err(BundleFault::NotABundle { found }),
    }
    let kind = match text("type").as_deref() {
        Some("batch") => BundleKind::Batch,
        Some("transaction") => BundleKind::Transaction,
        _ => {
            return Err(BundleFault::OtherType {
                found: text("type"),
            });
        }
    };
    let entries = match json.member("entry") {
        None => Vec::new(),
        Some(entries) => entries.items().ok_or(BundleFault::EntriesNoArray)?,
    };
    if entries.len() > limits.entries {
        return Err(BundleFault::TooManyEntries {
            count: entries.len(),
            limit: limits.entries,
        });
    }
    Ok((kind, entries))
}

/// Entries of a transaction that are about the same Task, or call themselves by the same address: in what order they would
/// come is not said, so they cannot all be done.
fn twice(entries: &[Result<EntryRequest, RequestFault>]) -> Vec<RequestFault> {
    let mut patched: HashMap<&str, usize> = HashMap::new();
    let mut called: HashMap<&str, usize> = HashMap::new();
    let mut faults = Vec::new();
    for (second, entry) in entries.iter().enumerate() {
        let Ok(entry) = entry else { continue };
        if let Action::Patch { id, .. } = &entry.action {
            let first = *patched.entry(id).or_insert(second);
            if first != second {
                faults.push(RequestFault::SameTask {
                    first,
                    second,
                    id: id.clone(),
                });
            }
        }
        // Only creations are named by their fullUrl, for references of other entries.
        if let (Action::Create { .. }, Some(url)) = (&entry.action, &entry.full_url) {
            let first = *called.entry(url).or_insert(second);
            if first != second {
                faults.push(RequestFault::SameFullUrl {
                    first,
                    second,
                    full_url: url.chars().take(120).collect(),
                });
            }
        }
    }
    faults
}
