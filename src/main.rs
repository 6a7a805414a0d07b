//! The `rorqual` command.
fn main() {}
