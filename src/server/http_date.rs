//! Dates of HTTP headers (RFC 9110, section 5.6.7), to the second.

use chrono::{DateTime, NaiveDateTime};

/// Writes milliseconds since 1970 as `Sun, 06 Nov 1994 08:49:37 GMT`; `None` outside years 0 to 9999.
pub(super) fn write(unix_ms: i64) -> Option<String> {
    let instant = DateTime::from_timestamp(unix_ms.div_euclid(1000), 0)?;
    let year = instant.format("%Y").to_string();
    (year.len() == 4).then(|| instant.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
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
    }
}
