//! The `rorqual` command.

mod command;

use std::process::ExitCode;

/// Many threads take memory and others give it back: one that returns it to the system keeps a server's memory flat.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    command::run()
}
