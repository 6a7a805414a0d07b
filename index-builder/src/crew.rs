//! Who works at a build: how many threads, and how much memory each has for what it gathers.

/// The threads of a build and the memory that they share.
#[derive(Clone, Copy, Debug)]
pub struct Crew {
    /// How many threads work, from 1 to 64.
    pub threads: usize,
    /// As many bytes may one of them gather before it seals a run in a file. Small things that are gathered besides are not
    /// counted.
    pub room: usize,
}

impl Crew {
    /// `threads` threads, at least one and at most 64, that share `memory` bytes.
    pub fn new(threads: usize, memory: u64) -> Crew {
        let threads = threads.clamp(1, 64);
        let memory = usize::try_from(memory).unwrap_or(usize::MAX);
        Crew {
            threads,
            room: memory / threads,
        }
    }
}

/// The least memory that a build is given: 16 MiB.
const LEAST: u64 = 16 << 20;

/// Reads an amount of memory: a whole number and its unit, KiB, MiB or GiB, with or without a blank between them; at least
/// 16 MiB.
///
/// # Errors
/// What is expected instead.
pub fn parse_memory(text: &str) -> Result<u64, String> {
    let expected = || {
        format!(
            "{text:?} is no amount of memory: write a number with KiB, MiB or GiB, such as \"512 MiB\""
        )
    };
    let (number, unit) = text.split_at(
        text.find(|character: char| !character.is_ascii_digit())
            .unwrap_or(text.len()),
    );
    let unit = match unit.trim() {
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(expected()),
    };
    let number: u64 = number.parse().map_err(|_| expected())?;
    let memory = number.checked_mul(unit).ok_or_else(expected)?;
    match memory < LEAST {
        true => Err(format!(
            "{text:?} is too little: files would be too many to be read at once; give at least 16 MiB"
        )),
        false => Ok(memory),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_with_their_unit() {
        for (text, bytes) in [
            ("512 MiB", 512 << 20),
            ("512MiB", 512 << 20),
            ("1 GiB", 1 << 30),
            ("16 MiB", 16 << 20),
            ("65536 KiB", 64 << 20),
        ] {
            assert_eq!(parse_memory(text).unwrap(), bytes, "{text}");
        }
        for text in [
            "",
            "512",
            "MiB",
            "512 MB",
            "-1 MiB",
            "1.5 GiB",
            "99999999999 GiB",
            "99999999999999999999 KiB",
        ] {
            assert!(
                parse_memory(text).unwrap_err().contains("512 MiB"),
                "{text}"
            );
        }
    }

    #[test]
    fn memory_is_shared() {
        assert_eq!(Crew::new(4, 1000).room, 250);
        assert_eq!(Crew::new(0, 1000).threads, 1);
        assert_eq!(Crew::new(1000, 6400).room, 100);
    }
}
