//! The grammars of dates and times. The calendar counts: there is no 30 February.

pub(super) fn is_date(text: &str) -> bool {
    let mut parts = text.split('-');
    let (Some(year), month, day, None) = (
        parts.next().and_then(|year| digits(year, 4)),
        parts.next(),
        parts.next(),
        parts.next(),
    ) else {
        return false;
    };
    let Some(month) = month else {
        return year >= 1;
    };
    let Some(month) = digits(month, 2).filter(|month| (1..=12).contains(month)) else {
        return false;
    };
    let day = match day {
        None => 1,
        Some(day) => match digits(day, 2) {
            Some(day) => day,
            None => return false,
        },
    };
    year >= 1 && (1..=days(year, month)).contains(&day)
}

pub(super) fn is_date_time(text: &str) -> bool {
    if text.contains('T') {
        is_instant(text)
    } else {
        is_date(text)
    }
}

pub(super) fn is_instant(text: &str) -> bool {
    let Some((date, time)) = text.split_once('T') else {
        return false;
    };
    let time = match time.strip_suffix('Z') {
        Some(time) => Some(time),
        None => time.rsplit_once(['+', '-']).and_then(|(time, offset)| {
            let (hours, minutes) = offset.split_once(':')?;
            let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
            let fits = (hours <= 13 && minutes <= 59) || (hours == 14 && minutes == 0);
            fits.then_some(time)
        }),
    };
    date.len() == 10 && is_date(date) && time.is_some_and(is_time)
}

pub(super) fn is_time(text: &str) -> bool {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let mut parts = clock.split(':').map(|part| digits(part, 2));
    let read = (parts.next(), parts.next(), parts.next(), parts.next());
    // Second 60 is a leap second, which R4 admits at any minute.
    matches!(
        read,
        (
            Some(Some(0..=23)),
            Some(Some(0..=59)),
            Some(Some(0..=60)),
            None
        )
    ) && fraction
        .is_none_or(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A number of exactly that many ASCII digits.
fn digits(text: &str, count: usize) -> Option<u32> {
    (text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

fn days(year: u32, month: u32) -> u32 {
    let leap = (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
