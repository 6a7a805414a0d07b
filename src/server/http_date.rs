//! Dates of HTTP headers (RFC 9110, section 5.6.7), to the second.

use chrono::{DateTime, Datelike, NaiveDateTime, Timelike};

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Writes milliseconds since 1970 as `Sun, 06 Nov 1994 08:49:37 GMT`; `None` outside years 0 to 9999.
pub(super) fn write(unix_ms: i64) -> Option<String> {
    // By hand: chrono's formatting is read anew each time, and every answer has a date.
    let instant = DateTime::from_timestamp(unix_ms.div_euclid(1000), 0)?;
    let year = u32::try_from(instant.year())
        .ok()
        .filter(|year| *year <= 9999)?;
    let day = DAYS.get(instant.weekday().num_days_from_monday() as usize)?;
    let month = MONTHS.get(instant.month0() as usize)?;
    let digits = |text: &mut String, number: u32, places: u32| {
        for place in (0..places).rev() {
            let digit = number / 10_u32.pow(place) % 10;
            text.extend(char::from_digit(digit, 10));
        }
    };
    let mut text = String::with_capacity(29);
    text.push_str(day);
    text.push_str(", ");
    digits(&mut text, instant.day(), 2);
    text.push(' ');
    text.push_str(month);
    text.push(' ');
    digits(&mut text, year, 4);
    for (before, number) in [
        (' ', instant.hour()),
        (':', instant.minute()),
        (':', instant.second()),
    ] {
        text.push(before);
        digits(&mut text, number, 2);
    }
    text.push_str(" GMT");
    Some(text)
}

/// Reads a date of any of the three forms of the RFC as seconds since 1970.
pub(super) fn read(text: &str) -> Option<i64> {
    let text = text.trim();
    [
        "%a, %d %b %Y %H:%M:%S GMT",
        "%A, %d-%b-%y %H:%M:%S GMT",
        "%a %b %e %H:%M:%S %Y",
    ]
    .iter()
    .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
    .map(|instant| instant.and_utc().timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_of_the_rfc_are_one_instant() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(read(text), Some(784_111_777), "{text}");
        }
        assert_eq!(read("yesterday"), None);
        assert_eq!(
            read("Mon, 06 Nov 1994 08:49:37 GMT"),
            None,
            "it was a Sunday"
        );
    }

    #[test]
    fn writing_cuts_to_the_second_and_reads_back() {
        assert_eq!(
            write(784_111_777_999).as_deref(),
            Some("Sun, 06 Nov 1994 08:49:37 GMT")
        );
        assert_eq!(write(-1).as_deref(), Some("Wed, 31 Dec 1969 23:59:59 GMT"));
        assert_eq!(
            read(&write(1_704_164_645_678).unwrap()),
            Some(1_704_164_645)
        );
        assert_eq!(write(i64::MAX), None);
        assert_eq!(
            write(253_402_300_799_000).as_deref(),
            Some("Fri, 31 Dec 9999 23:59:59 GMT")
        );
        assert_eq!(write(253_402_300_800_000), None);
        for day in 0..800 {
            let seconds = day * 86_400 * 41 + day * 3_607;
            let chrono = DateTime::from_timestamp(seconds, 0).unwrap();
            let expected = chrono.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
            assert_eq!(write(seconds * 1000), Some(expected));
        }
    }
}
