//! What files are called: the segments, the tails kept aside, and files not yet whole.

/// A file in the making ends so; it gets its real name once all of it is on disk.
const UNFINISHED: &str = ".new";
const SEGMENT: &str = ".log";
/// Enough for every u64, so that names sort as numbers do.
const DIGITS: usize = 20;

/// The segment that begins with record `first`.
pub(super) fn segment(first: u64) -> String {
    format!("{first:0DIGITS$}{SEGMENT}")
}

/// The first record of the segment called `name`; `None` when that is no segment. No record has the number 0.
pub(super) fn first_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SEGMENT)?;
    if digits.len() != DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|first| *first > 0)
}

/// What keeps the bytes that were cut from `segment` at `offset`; a number above 0 keeps apart those of several crashes.
pub(super) fn tail(segment: &str, offset: u64, number: u32) -> String {
    match number {
        0 => format!("{segment}.tail-{offset}"),
        _ => format!("{segment}.tail-{offset}.{number}"),
    }
}

/// What `name` is called until it is whole.
pub(super) fn unfinished(name: &str) -> String {
    format!("{name}{UNFINISHED}")
}

/// Whether `name` was left behind by a writer that ended before the file was whole.
pub(super) fn is_unfinished(name: &str) -> bool {
    name.strip_suffix(UNFINISHED).is_some_and(|whole| {
        first_of(whole).is_some()
            || whole
                .split_once(".tail-")
                .is_some_and(|(segment, _)| first_of(segment).is_some())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_found_again_by_its_name() {
        for first in [1, 42, u64::MAX] {
            assert_eq!(first_of(&segment(first)), Some(first));
        }
        assert!(segment(9) < segment(10));
    }

    #[test]
    fn other_files_are_left_alone() {
        for name in [
            "00000000000000000000.log",
            "1.log",
            "99999999999999999999.log",
            "+0000000000000000001.log",
            "00000000000000000001.log.tail-40",
            "00000000000000000001.log.new",
            "writer.lock",
        ] {
            assert_eq!(first_of(name), None, "{name}");
        }
        assert!(!is_unfinished("notes.new"));
        assert!(!is_unfinished("notes.tail-40.new"));
        assert!(is_unfinished(&unfinished(&segment(7))));
        assert!(is_unfinished(&unfinished(&tail(&segment(7), 40, 2))));
    }
}
