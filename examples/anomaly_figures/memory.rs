//! The memory of this process, as Linux counts it.

use std::error::Error;

/// Anonymous memory that this process holds, in bytes: what is mapped from files is not counted, since it goes when
/// memory is wanted elsewhere.
pub fn held() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let kilobytes = line
        .and_then(|rest| rest.trim().strip_suffix(" kB"))
        .ok_or("no RssAnon in /proc/self/status: this figure needs Linux")?;
    Ok(kilobytes.trim().parse::<u64>()? * 1024)
}
