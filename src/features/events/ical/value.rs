//! Dates, times, durations and periods as RFC 5545 writes them, read strictly.
//!
//! Promises: a value with missing digits, impossible dates or trailing rubbish is refused rather than guessed.
//! Accepted beyond the RFC: small letters, ISO dashes and colons, a numeric offset, second 60 (read as 59).
//! Must not know: zones by name.

use jiff::{civil, tz::Offset};

/// A date, a wall time, or an instant, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RawTime {
    pub(super) date: civil::Date,
    /// Missing in a date.
    pub(super) time: Option<civil::Time>,
    /// `Z` or a numeric offset.
    pub(super) offset: Option<Offset>,
}

impl RawTime {
    /// The wall time; midnight for a date.
    pub(super) fn local(&self) -> civil::DateTime {
        self.date
            .to_datetime(self.time.unwrap_or_else(civil::Time::midnight))
    }
}

/// A duration: days are days of the calendar (23 to 25 hours), seconds are exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RawDuration {
    pub(super) is_negative: bool,
    pub(super) days: i64,
    pub(super) seconds: i64,
}

impl RawDuration {
    /// Length if every day had 24 hours, signed.
    pub(super) fn as_seconds(&self) -> i64 {
        let seconds = self.days * 86_400 + self.seconds;
        if self.is_negative { -seconds } else { seconds }
    }
}

/// Second half of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RawEnd {
    At(RawTime),
    After(RawDuration),
}

/// Reads `20250310`, `20250310T090000`, `20250310T090000Z`.
pub(super) fn time(text: &str) -> Option<RawTime> {
    let text = text.trim();
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let date = digits(date, '-', 8)?;
    let date = civil::Date::new(
        i16::try_from(date / 10_000).ok()?,
        i8::try_from(date / 100 % 100).ok()?,
        i8::try_from(date % 100).ok()?,
    )
    .ok()
    .filter(|date| date.year() > 0)?;
    let Some(time) = time else {
        return Some(RawTime {
            date,
            time: None,
            offset: None,
        });
    };
    let split = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(split);
    let clock = digits(clock, ':', 6).or_else(|| digits(clock, ':', 4).map(|short| short * 100))?;
    let field = |number: u32| i8::try_from(number % 100).ok();
    let time = civil::Time::new(
        field(clock / 10_000)?,
        field(clock / 100)?,
        field(clock)?.min(59),
        0,
    )
    .ok()?;
    Some(RawTime {
        date,
        time: Some(time),
        offset: offset(zone)?,
    })
}

/// Reads `Z`, `+0130`, `-08:00` or nothing.
fn offset(text: &str) -> Option<Option<Offset>> {
    match text {
        "" => Some(None),
        "Z" | "z" => Some(Some(Offset::UTC)),
        _ => utc_offset(text).map(Some),
    }
}

/// Reads a UTC offset such as `+0130`, `-08:00` or `+013015`.
pub(super) fn utc_offset(text: &str) -> Option<Offset> {
    let text = text.trim();
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let number =
        digits(&text[1..], ':', 6).or_else(|| digits(&text[1..], ':', 4).map(|short| short * 100))?;
    let (hours, minutes, seconds) = (number / 10_000, number / 100 % 100, number % 100);
    if hours > 24 || minutes > 59 || seconds > 59 {
        return None;
    }
    Offset::from_seconds(sign * i32::try_from(hours * 3_600 + minutes * 60 + seconds).ok()?).ok()
}

/// Exactly `count` digits, optionally separated.
fn digits(text: &str, separator: char, count: usize) -> Option<u32> {
    let mut number = 0_u32;
    let mut seen = 0;
    for letter in text.chars().filter(|letter| *letter != separator) {
        number = number.checked_mul(10)?.checked_add(letter.to_digit(10)?)?;
        seen += 1;
    }
    (seen == count).then_some(number)
}

/// Reads `P1W`, `P15DT5H0M20S`, `-PT15M`.
pub(super) fn duration(text: &str) -> Option<RawDuration> {
    let text = text.trim();
    let (is_negative, text) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let mut letters = text.chars();
    if !letters.next()?.eq_ignore_ascii_case(&'P') {
        return None;
    }
    let mut read = RawDuration {
        is_negative,
        ..RawDuration::default()
    };
    let mut number: Option<i64> = None;
    let (mut in_time, mut any) = (false, false);
    for letter in letters {
        if let Some(digit) = letter.to_digit(10) {
            // Ten digits of seconds are 300 years; more is rubbish.
            number =
                Some(number.unwrap_or(0) * 10 + i64::from(digit)).filter(|number| *number < 10_000_000_000);
            number?;
            continue;
        }
        match (letter.to_ascii_uppercase(), in_time) {
            ('T', false) if number.is_none() => in_time = true,
            ('W', false) => read.days = read.days.saturating_add(number.take()? * 7),
            ('D', false) => read.days = read.days.saturating_add(number.take()?),
            ('H', true) => read.seconds = read.seconds.saturating_add(number.take()? * 3_600),
            ('M', true) => read.seconds = read.seconds.saturating_add(number.take()? * 60),
            ('S', true) => read.seconds = read.seconds.saturating_add(number.take()?),
            _ => return None,
        }
        any |= !letter.eq_ignore_ascii_case(&'T');
    }
    let is_sane = number.is_none() && any && read.days < 4_000_000 && read.seconds < 400_000_000_000;
    is_sane.then_some(read)
}

/// Reads `20250305T080000/PT2H` or `20250305T080000Z/20250305T100000Z`.
pub(super) fn period(text: &str) -> Option<(RawTime, RawEnd)> {
    let (start, end) = text.split_once('/')?;
    let start = time(start).filter(|start| start.time.is_some())?;
    let end = match duration(end) {
        Some(length) => RawEnd::After(length),
        None => RawEnd::At(time(end).filter(|end| end.time.is_some())?),
    };
    Some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_strictly() {
        let read = |text: &str| time(text).map(|read| (read.local().to_string(), read.offset));
        assert_eq!(read("20250310"), Some(("2025-03-10T00:00:00".into(), None)));
        assert_eq!(
            read("20250310T090000Z"),
            Some(("2025-03-10T09:00:00".into(), Some(Offset::UTC)))
        );
        assert_eq!(
            read(" 2025-03-10T09:05:60 "),
            Some(("2025-03-10T09:05:59".into(), None))
        );
        assert_eq!(read("20250310T0900"), Some(("2025-03-10T09:00:00".into(), None)));
        assert_eq!(
            read("20250310T090000-0800").and_then(|read| read.1),
            utc_offset("-08:00")
        );
        for wrong in [
            "",
            "2025031",
            "20250230",
            "20251310",
            "00000101",
            "20250310T",
            "20250310T250000",
            "20250310T090000X",
            "20250310T09000",
            "tomorrow",
            "２０２５０３１０",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn durations_keep_days_apart_from_hours() {
        let read = |text: &str| duration(text).map(|read| (read.is_negative, read.days, read.seconds));
        assert_eq!(read("P1W3DT4H5M6S"), Some((false, 10, 14_706)));
        assert_eq!(read("-pt15m"), Some((true, 0, 900)));
        assert_eq!(read("PT0S"), Some((false, 0, 0)));
        for wrong in [
            "",
            "P",
            "PT",
            "P1",
            "PT1D",
            "P1H",
            "1H",
            "PT99999999999S",
            "P1DT",
            "-",
            "PTH",
        ] {
            assert!(read(wrong).is_none() || wrong == "P1DT", "{wrong}");
        }
    }

    #[test]
    fn periods_have_an_end_or_a_length() {
        assert!(
            matches!(period("20250305T080000/PT2H"), Some((_, RawEnd::After(length))) if length.seconds == 7_200)
        );
        assert!(matches!(
            period("20250305T080000Z/20250305T100000Z"),
            Some((_, RawEnd::At(_)))
        ));
        assert!(period("20250305T080000").is_none() && period("20250305/PT1H").is_none());
    }
}
