//! Dates: every date is the span of time its precision covers.

use std::str::FromStr;

use chrono::{LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone};
use chrono_tz::Tz;

use super::error::ValueError;
use crate::json::Node;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;

/// A span of time, half-open: `low` belongs to it, `high` does not. Microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct DateRange {
    /// The first microsecond; `i64::MIN` when the start is open.
    pub low: i64,
    /// The microsecond after the last; `i64::MAX` when the end is open.
    pub high: i64,
}

/// The time zone of dates that name none.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TimeZoneRule(Tz);

impl Default for TimeZoneRule {
    fn default() -> Self {
        TimeZoneRule(Tz::Europe__Paris)
    }
}

impl TimeZoneRule {
    /// The zone of that IANA name, such as `Europe/Paris`.
    pub fn from_name(name: &str) -> Result<TimeZoneRule, ValueError> {
        Tz::from_str(name)
            .map(TimeZoneRule)
            .map_err(|_| ValueError::TimeZone {
                name: name.to_owned(),
            })
    }

    /// The IANA name.
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// The instant at which clocks of the zone show that time, the earlier one when they show it twice.
    /// A time they skip is counted with the offset in force before the skip.
    fn instant(&self, local: NaiveDateTime) -> i64 {
        let naive = local.and_utc().timestamp_micros();
        let offset = match self.0.offset_from_local_datetime(&local) {
            LocalResult::Single(offset) | LocalResult::Ambiguous(offset, _) => offset,
            LocalResult::None => self
                .0
                .offset_from_utc_datetime(&(local - chrono::Duration::hours(24))),
        };
        naive - i64::from(offset.fix().local_minus_utc()) * SECOND
    }
}

/// Reads a FHIR date, dateTime or instant as the span its precision covers: a year, a month, a day, a minute,
/// a second or a fraction of a second (to the microsecond; finer digits are cut).
///
/// Seconds are optional. A blank before the offset counts as `+`, which it was before URL decoding. Without an
/// offset the date is in `zone`. Second 60, which leap seconds have, is read as the last second of its minute.
pub fn parse_date(raw: &str, zone: &TimeZoneRule) -> Result<DateRange, ValueError> {
    let text = raw.trim();
    if text.is_empty() {
        return Err(ValueError::Empty {
            expected: "a date such as 2026, 2026-07, 2026-07-15 or 2026-07-15T09:30:00+02:00",
        });
    }
    read(text, zone).map_err(|fault| ValueError::Date {
        value: raw.to_owned(),
        fault,
    })
}

/// Reads a date, dateTime or instant, or a Period whose missing ends are open. What cannot be read is no date.
pub(crate) fn read_date(node: &Node<'_>, zone: &TimeZoneRule) -> Option<DateRange> {
    match node {
        Node::String(text) => parse_date(text, zone).ok(),
        Node::Object(_) => {
            let end = |name: &str| {
                node.get(name)
                    .map(|value| parse_date(value.as_str()?, zone).ok())
            };
            let (start, stop) = (end("start"), end("end"));
            if start.is_none() && stop.is_none() {
                return None;
            }
            // An end that is there but unreadable makes the whole period unreadable: it is not open.
            let low = start.map_or(Some(i64::MIN), |range| range.map(|r| r.low))?;
            let high = stop.map_or(Some(i64::MAX), |range| range.map(|r| r.high))?;
            (low < high).then_some(DateRange { low, high })
        }
        _ => None,
    }
}

fn read(text: &str, zone: &TimeZoneRule) -> Result<DateRange, String> {
    let mut rest = Cursor(text);
    let year = rest.number(4, "year")?;
    if year == 0 {
        return Err("year 0000".to_owned());
    }
    let year = i32::from(year);
    if rest.is_empty() {
        return span(zone, day(year, 1, 1), day(year + 1, 1, 1));
    }
    rest.expect('-', "after the year")?;
    let month = u32::from(rest.number(2, "month")?);
    if !(1..=12).contains(&month) {
        return Err(format!("month {month:02}"));
    }
    let (next_year, next_month) = if month == 12 {
        (year + 1, 1)
    } else {
        (year, month + 1)
    };
    if rest.is_empty() {
        return span(zone, day(year, month, 1), day(next_year, next_month, 1));
    }
    rest.expect('-', "after the month")?;
    let number = u32::from(rest.number(2, "day")?);
    let date =
        day(year, month, number).ok_or_else(|| format!("day {number:02} of month {month:02}"))?;
    if rest.is_empty() {
        return span(zone, Some(date), date.succ_opt());
    }
    if !rest.take('T') && !rest.take('t') {
        return Err("`T` is missing between the day and the time".to_owned());
    }
    read_time(rest, date, zone)
}

fn read_time(
    mut rest: Cursor<'_>,
    date: NaiveDate,
    zone: &TimeZoneRule,
) -> Result<DateRange, String> {
    let hour = u32::from(rest.number(2, "hour")?);
    if hour > 23 {
        return Err(format!("hour {hour:02}"));
    }
    rest.expect(':', "after the hour")?;
    let minute = u32::from(rest.number(2, "minute")?);
    if minute > 59 {
        return Err(format!("minute {minute:02}"));
    }
    let (mut second, mut micros, mut length) = (0, 0, MINUTE);
    if rest.take(':') {
        second = u32::from(rest.number(2, "second")?);
        if second > 60 {
            return Err(format!("second {second:02}"));
        }
        second = second.min(59);
        length = SECOND;
        if rest.take('.') {
            (micros, length) = rest.fraction()?;
        }
    }
    let local = date.and_time(NaiveTime::from_hms_opt(hour, minute, second).ok_or("time of day")?);
    let start = match rest.offset()? {
        Some(minutes) => local.and_utc().timestamp_micros() - i64::from(minutes) * MINUTE,
        None => zone.instant(local),
    };
    let low = start + micros;
    Ok(DateRange {
        low,
        high: low + length,
    })
}

fn day(year: i32, month: u32, day: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month, day)
}

fn span(
    zone: &TimeZoneRule,
    first: Option<NaiveDate>,
    next: Option<NaiveDate>,
) -> Result<DateRange, String> {
    match (first, next) {
        (Some(first), Some(next)) => Ok(DateRange {
            low: zone.instant(first.and_time(NaiveTime::MIN)),
            high: zone.instant(next.and_time(NaiveTime::MIN)),
        }),
        _ => Err("out of the calendar".to_owned()),
    }
}

struct Cursor<'a>(&'a str);

impl Cursor<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, c: char) -> bool {
        match self.0.strip_prefix(c) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, c: char, place: &str) -> Result<(), String> {
        if self.take(c) {
            Ok(())
        } else {
            Err(format!("`{c}` is missing {place}"))
        }
    }

    fn number(&mut self, digits: usize, what: &str) -> Result<u16, String> {
        let fault = || format!("{what} is not {digits} digits");
        let (head, tail) = self.0.split_at_checked(digits).ok_or_else(fault)?;
        if !head.bytes().all(|b| b.is_ascii_digit())
            || tail.starts_with(|c: char| c.is_ascii_digit())
        {
            return Err(fault());
        }
        self.0 = tail;
        head.parse().map_err(|_| fault())
    }

    /// The digits after the point, as microseconds and the length of the span they name.
    fn fraction(&mut self) -> Result<(i64, i64), String> {
        let count = self.0.bytes().take_while(u8::is_ascii_digit).count();
        if count == 0 {
            return Err("no digit follows the point".to_owned());
        }
        let (digits, rest) = self.0.split_at_checked(count).unwrap_or((self.0, ""));
        let (mut micros, mut length) = (0, SECOND);
        for digit in digits.bytes().take(6) {
            length /= 10;
            micros += i64::from(digit - b'0') * length;
        }
        self.0 = rest;
        Ok((micros, length))
    }

    /// The offset from UTC in minutes, nothing when none is written.
    fn offset(&mut self) -> Result<Option<i32>, String> {
        if self.is_empty() {
            return Ok(None);
        }
        if self.take('Z') || self.take('z') {
            return if self.is_empty() {
                Ok(Some(0))
            } else {
                Err("text after `Z`".to_owned())
            };
        }
        let sign = if self.take('-') {
            -1
        } else if self.take('+') || self.take(' ') {
            1
        } else {
            return Err(format!("`{}` is not an offset", self.0));
        };
        let hours = i32::from(self.number(2, "hour of the offset")?);
        self.expect(':', "in the offset")?;
        let minutes = i32::from(self.number(2, "minute of the offset")?);
        if hours > 14 || minutes > 59 || (hours == 14 && minutes > 0) {
            return Err(format!("offset {hours:02}:{minutes:02}"));
        }
        if !self.is_empty() {
            return Err(format!("`{}` after the offset", self.0));
        }
        Ok(Some(sign * (hours * 60 + minutes)))
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::{DateRange, TimeZoneRule, parse_date, read_date};
    use crate::json::Node;

    fn range(raw: &str) -> DateRange {
        parse_date(raw, &TimeZoneRule::default()).expect("readable")
    }

    fn at(instant: &str) -> i64 {
        DateTime::parse_from_rfc3339(instant)
            .expect("instant")
            .timestamp_micros()
    }

    #[test]
    fn the_precision_makes_the_span() {
        for (raw, low, high) in [
            (
                "2026",
                "2026-01-01T00:00:00+01:00",
                "2027-01-01T00:00:00+01:00",
            ),
            (
                "2026-12",
                "2026-12-01T00:00:00+01:00",
                "2027-01-01T00:00:00+01:00",
            ),
            (
                "2026-07",
                "2026-07-01T00:00:00+02:00",
                "2026-08-01T00:00:00+02:00",
            ),
            (
                "2026-03-29",
                "2026-03-29T00:00:00+01:00",
                "2026-03-30T00:00:00+02:00",
            ),
            (
                "2022-11-06T15:00",
                "2022-11-06T15:00:00+01:00",
                "2022-11-06T15:01:00+01:00",
            ),
            (
                "2026-07-15T09:41:07",
                "2026-07-15T09:41:07+02:00",
                "2026-07-15T09:41:08+02:00",
            ),
            (
                "2026-07-15T09:41:07.5Z",
                "2026-07-15T09:41:07.5Z",
                "2026-07-15T09:41:07.6Z",
            ),
            (
                "2026-07-15T09:41:07.1234567-05:30",
                "2026-07-15T15:11:07.123456Z",
                "2026-07-15T15:11:07.123457Z",
            ),
            (
                "2026-07-15T09:41 02:00",
                "2026-07-15T07:41:00Z",
                "2026-07-15T07:42:00Z",
            ),
            (
                "2016-12-31T23:59:60Z",
                "2016-12-31T23:59:59Z",
                "2017-01-01T00:00:00Z",
            ),
        ] {
            assert_eq!(
                range(raw),
                DateRange {
                    low: at(low),
                    high: at(high)
                },
                "{raw}"
            );
        }
    }

    #[test]
    fn the_zone_of_a_date_without_offset_can_be_chosen() {
        let reunion = TimeZoneRule::from_name("Indian/Reunion").expect("zone");
        assert_eq!(
            parse_date("2026-07-15T09:00", &reunion).map(|r| r.low),
            Ok(at("2026-07-15T09:00:00+04:00"))
        );
        assert!(TimeZoneRule::from_name("Paris").is_err());
    }

    #[test]
    fn clocks_that_change_read_as_the_earlier_instant() {
        // 02:30 occurs twice that night.
        assert_eq!(
            range("2026-10-25T02:30").low,
            at("2026-10-25T02:30:00+02:00")
        );
        // 02:30 does not occur that night.
        assert_eq!(
            range("2026-03-29T02:30").low,
            at("2026-03-29T02:30:00+01:00")
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (raw, fault) in [
            ("2022-13-01", "month 13"),
            ("2022-02-30", "day 30 of month 02"),
            ("2022-11-06T25:00", "hour 25"),
            ("2022-11-06T24:00", "hour 24"),
            ("2022-11-06T10:61", "minute 61"),
            ("yesterday", "year is not 4 digits"),
            ("20221106", "year is not 4 digits"),
            ("2022-11-06T10", "`:` is missing after the hour"),
            ("2022-11-06 10:00", "`T` is missing"),
            ("2022-11-06T10:00+01", "`:` is missing in the offset"),
            ("2022-11-06T10:00+15:00", "offset 15:00"),
            ("03/01/2024", "year is not 4 digits"),
            ("2022-11-06T10:00:00.Z", "no digit follows the point"),
        ] {
            let error = parse_date(raw, &TimeZoneRule::default()).expect_err(raw);
            assert!(error.to_string().contains(fault), "{raw}: {error}");
            assert_eq!(error.issue_code(), "invalid");
        }
    }

    #[test]
    fn a_period_is_open_where_it_has_no_end() {
        let read = |text: &str| {
            read_date(
                &Node::parse(text.as_bytes()).expect("valid"),
                &TimeZoneRule::default(),
            )
        };
        assert_eq!(
            read(r#"{"start":"2026"}"#),
            Some(DateRange {
                low: range("2026").low,
                high: i64::MAX
            })
        );
        assert_eq!(
            read(r#"{"end":"2026"}"#),
            Some(DateRange {
                low: i64::MIN,
                high: range("2026").high
            })
        );
        assert_eq!(
            read(r#"{"start":"2025","end":"2026-03"}"#).map(|r| r.high),
            Some(range("2026-03").high)
        );
        for nothing in [
            "{}",
            r#"{"start":"soon"}"#,
            r#"{"start":"2026","end":"2025"}"#,
            r#""soon""#,
            "12",
        ] {
            assert_eq!(read(nothing), None, "{nothing}");
        }
    }

    proptest! {
        #[test]
        fn a_longer_date_lies_within_each_shorter_one(
            year in 1950u32..2090, month in 1u32..13, day in 1u32..29, hour in 0u32..24, minute in 0u32..60,
            second in 0u32..61, micros in 0u32..1_000_000,
        ) {
            let full = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}");
            let mut inner = range(&full);
            prop_assert_eq!(inner.high - inner.low, 1);
            for length in [25, 24, 23, 22, 21, 19, 16, 10, 7, 4] {
                let outer = range(&full[..length]);
                prop_assert!(outer.low <= inner.low && inner.high <= outer.high, "{} in {}", full, &full[..length]);
                inner = outer;
            }
        }

        #[test]
        fn any_text_is_read_or_refused(raw in "[0-9TZ:+\\-. é]{0,30}") {
            if let Ok(range) = parse_date(&raw, &TimeZoneRule::default()) {
                prop_assert!(range.low < range.high);
            }
        }
    }
}
