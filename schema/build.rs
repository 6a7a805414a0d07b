//! Has the crate compiled again when a search parameter file is added or removed: the embedding macro alone sees changes only.

fn main() {
    println!("cargo::rerun-if-changed=search-parameters");
}
