//! Dates of any precision as half-open ranges of microseconds, and the R4 comparisons between two ranges.

use crate::queries::Prefix;
use chrono::{Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Europe::Paris;

/// `[low, high)` in microseconds since 1970 UTC; the extremes of `i64` are open ends.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Range {
    /// First instant inside.
    pub low: i64,
    /// First instant past the end.
    pub high: i64,
}

/// The range of a FHIR date, dateTime or instant; `None` when it cannot be read.
pub fn parse(text: &str) -> Option<Range> {
    let (day, rest) = match text.split_once('T') {
        Some((day, rest)) => (day, Some(rest)),
        None => (text, None),
    };
    let parts: Vec<&str> = day.split('-').collect();
    let number = |n: usize, width: usize| -> Option<u32> {
        let part = parts.get(n)?;
        (part.len() == width && part.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| part.parse().ok())
            .flatten()
    };
    let year = number(0, 4)? as i32;
    match (parts.len(), rest) {
        (1, None) => midnights(
            NaiveDate::from_ymd_opt(year, 1, 1)?,
            NaiveDate::from_ymd_opt(year + 1, 1, 1)?,
        ),
        (2, None) => {
            let month = number(1, 2)?;
            let next = if month == 12 {
                (year + 1, 1)
            } else {
                (year, month + 1)
            };
            midnights(
                NaiveDate::from_ymd_opt(year, month, 1)?,
                NaiveDate::from_ymd_opt(next.0, next.1, 1)?,
            )
        }
        (3, None) => {
            let date = NaiveDate::from_ymd_opt(year, number(1, 2)?, number(2, 2)?)?;
            midnights(date, date.checked_add_days(Days::new(1))?)
        }
        (3, Some(rest)) => {
            let date = NaiveDate::from_ymd_opt(year, number(1, 2)?, number(2, 2)?)?;
            clock(date, rest)
        }
        _ => None,
    }
}

fn midnights(first: NaiveDate, past: NaiveDate) -> Option<Range> {
    Some(Range {
        low: paris(first.and_time(NaiveTime::MIN))?,
        high: paris(past.and_time(NaiveTime::MIN))?,
    })
}

/// The instant of a wall clock in Paris; the earlier one when the clock shows it twice.
fn paris(wall: NaiveDateTime) -> Option<i64> {
    match Paris.from_local_datetime(&wall) {
        LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => {
            Some(instant.timestamp_micros())
        }
        LocalResult::None => None,
    }
}

fn clock(date: NaiveDate, rest: &str) -> Option<Range> {
    let (time, offset) = if let Some(time) = rest.strip_suffix('Z') {
        (time, Some(0))
    } else if let Some(at) = rest.rfind(['+', '-']) {
        let (hours, minutes) = rest[at + 1..].split_once(':')?;
        let seconds = hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60;
        let sign = if rest[at..].starts_with('-') { -1 } else { 1 };
        (&rest[..at], Some(sign * seconds))
    } else {
        (rest, None)
    };
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let parts: Vec<u32> = time
        .split(':')
        .map(|part| {
            if part.len() == 2 {
                part.parse().ok()
            } else {
                None
            }
        })
        .collect::<Option<_>>()?;
    let (second, mut width) = match parts.len() {
        2 => (0, 60_000_000),
        3 => (parts[2], 1_000_000),
        _ => return None,
    };
    let mut micros = 0;
    if !fraction.is_empty() {
        // Digits past the microsecond are cut off.
        let kept = &fraction[..fraction.len().min(6)];
        width = 10i64.pow(6 - kept.len() as u32);
        micros = kept.parse::<i64>().ok()? * width;
    }
    let wall = date.and_hms_opt(parts[0], parts[1], second)?;
    let whole = match offset {
        Some(seconds) => wall.and_utc().timestamp_micros() - seconds * 1_000_000,
        None => paris(wall)?,
    };
    Some(Range {
        low: whole + micros,
        high: whole + micros + width,
    })
}

/// Whether a stored range satisfies a prefix against the range asked for.
///
/// `gt` and `ge` reach into a stored Period that merely ends later, as the R4 table says; one place
/// to change should the project decide otherwise.
pub fn satisfies(prefix: Prefix, stored: Range, asked: Range) -> bool {
    let inside = asked.low <= stored.low && stored.high <= asked.high;
    match prefix {
        Prefix::Eq => inside,
        Prefix::Ne => !inside,
        Prefix::Gt => stored.high > asked.high,
        Prefix::Lt => stored.low < asked.low,
        Prefix::Ge => stored.high > asked.high || inside,
        Prefix::Le => stored.low < asked.low || inside,
        Prefix::Sa => stored.low >= asked.high,
        Prefix::Eb => stored.high <= asked.low,
        Prefix::Ap => stored.low < asked.high && asked.low < stored.high,
    }
}

/// Whether `ap` has one answer for this stored range whatever the reading of "about": it overlaps
/// the range asked for, or lies more than a hundred years from it.
pub fn about_is_clear(stored: Range, asked: Range) -> bool {
    let century = TimeDelta::days(36_525)
        .num_microseconds()
        .unwrap_or(i64::MAX);
    satisfies(Prefix::Ap, stored, asked)
        || stored.low.saturating_sub(asked.high) > century
        || asked.low.saturating_sub(stored.high) > century
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precision_makes_the_width() {
        let second = parse("2025-06-15T10:30:00").expect("a dateTime");
        assert_eq!(second, parse("2025-06-15T08:30:00Z").expect("an instant"));
        assert_eq!(second.high - second.low, 1_000_000);
        let day = parse("2026-03-29").expect("a date");
        assert_eq!(day.high - day.low, 23 * 3_600_000_000);
        let cut = parse("2026-06-15T08:00:00.1234567Z").expect("an instant");
        assert_eq!(cut.high - cut.low, 1);
        for wrong in [
            "2025-13",
            "2025-02-30",
            "bientôt",
            "2025-1",
            "2025-06-15T25:00",
        ] {
            assert!(parse(wrong).is_none(), "{wrong} was read");
        }
    }

    #[test]
    fn an_open_end_reaches_over_everything() {
        let open = Range {
            low: parse("2025").expect("a year").low,
            high: i64::MAX,
        };
        let asked = parse("2026-05").expect("a month");
        assert!(satisfies(Prefix::Gt, open, asked) && satisfies(Prefix::Ap, open, asked));
        assert!(!satisfies(Prefix::Sa, open, asked) && !satisfies(Prefix::Eq, open, asked));
    }
}
