//! The requests that the ROR documents, sent over HTTP to an index of the small extract.

mod connection;
mod directory;
mod documents;
mod found;
mod includes;
mod page;
mod paging;
mod refused;
mod served;
mod slips;
mod spellings;
mod transport;

/// Fails with every complaint at once, so that one run tells all.
fn report(what: &str, checked: usize, complaints: &[String]) {
    println!("{what}: {checked} checked");
    assert!(checked > 0, "{what}: nothing was checked");
    assert!(
        complaints.is_empty(),
        "{what}: {} complaints on {checked} requests\n{}",
        complaints.len(),
        complaints.join("\n")
    );
}
