//! The `index-builder` command as an unattended job meets it: real processes, exit codes, messages, kills and full disks.

mod delta;
mod delta_history;
mod delta_shared;
mod extract;
mod failures;
mod forms;
mod full_disk;
mod index;
mod interrupted;
mod long_lines;
mod memory;
mod process;
mod rejects;
mod usage;
