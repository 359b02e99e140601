//! Calendar arithmetic on whole numbers: days and seconds of wall time counted from 1970, as fast as expansion needs it.
//!
//! Promises: exact for the years 1 to 9998, the ones in which both a wall time and its instant can be said. Knows no zones and no rules.

use jiff::civil::{Date, DateTime, Time};

/// Seconds of a day of wall time.
pub(super) const DAY: i64 = 86_400;
/// The first year that is expanded.
pub(super) const FIRST_YEAR: i64 = 1;
/// The last year that is expanded.
pub(super) const LAST_YEAR: i64 = 9_998;
/// The last second of wall time that is expanded: rules without end stop here.
pub(super) const HORIZON: i64 = day_of(LAST_YEAR + 1, 1, 1) * DAY - 1;

/// Days of a year before each month, for years without and with a leap day.
const BEFORE_MONTH: [[i64; 12]; 2] = [
    [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334],
    [0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335],
];
/// Days from 1 January of the year 1 to 1 January 1970.
const TO_EPOCH: i64 = 719_162;

/// Whether a year has a leap day.
pub(super) const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days in a year.
pub(super) const fn year_length(year: i64) -> i64 {
    365 + is_leap(year) as i64
}

/// Days in a month, which counts from 1.
pub(super) const fn month_length(year: i64, month: u32) -> u32 {
    match month {
        2 => 28 + is_leap(year) as u32,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The number of a day; 0 is 1 January 1970.
pub(super) const fn day_of(year: i64, month: u32, day: u32) -> i64 {
    before_year(year) + BEFORE_MONTH[is_leap(year) as usize][month as usize - 1] + day as i64 - 1 - TO_EPOCH
}

/// Days from the year 1 to the beginning of a year.
const fn before_year(year: i64) -> i64 {
    let past = year - 1;
    past * 365 + past.div_euclid(4) - past.div_euclid(100) + past.div_euclid(400)
}

/// Year and month of a day, and the number of the month's first day.
pub(super) fn month_of(day: i64) -> (i64, u32, i64) {
    let days = day + TO_EPOCH;
    // Four hundred years are always 146,097 days, so the guess is wrong by a year at most.
    let mut year = (days * 400).div_euclid(146_097) + 1;
    if before_year(year) > days {
        year -= 1;
    } else if before_year(year + 1) <= days {
        year += 1;
    }
    let in_year = days - before_year(year);
    let before = &BEFORE_MONTH[usize::from(is_leap(year))];
    // No month is longer than 31 days, so this guess is at most one too small.
    let mut month = usize::try_from(in_year / 31).unwrap_or_default().min(11);
    if month < 11 && before[month + 1] <= in_year {
        month += 1;
    }
    let number = u32::try_from(month).unwrap_or_default() + 1;
    (year, number, day - (in_year - before[month]))
}

/// The weekday of a day, Monday 0 to Sunday 6.
pub(super) const fn weekday(day: i64) -> u32 {
    // 1 January 1970 was a Thursday.
    (day + 3).rem_euclid(7) as u32
}

/// Wall time as seconds, without the fraction.
pub(super) fn seconds(local: DateTime) -> i64 {
    let time = local.time();
    day_number(local.date()) * DAY
        + i64::from(time.hour()) * 3_600
        + i64::from(time.minute()) * 60
        + i64::from(time.second())
}

/// The number of a date.
pub(super) fn day_number(date: Date) -> i64 {
    day_of(
        i64::from(date.year()),
        date.month().unsigned_abs().into(),
        date.day().unsigned_abs().into(),
    )
}

/// Seconds and the fraction of one as wall time. Years beyond those of [`Date`] saturate.
pub(super) fn datetime(seconds: i64, nanoseconds: i32) -> DateTime {
    let (day, rest) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let (year, month, first) = month_of(day);
    let field = |value: i64| i8::try_from(value).unwrap_or_default();
    let outside = if seconds < 0 { Date::MIN } else { Date::MAX };
    let date = i16::try_from(year)
        .ok()
        .and_then(|year| Date::new(year, field(month.into()), field(day - first + 1)).ok())
        .unwrap_or(outside);
    let time = Time::new(
        field(rest / 3_600),
        field(rest / 60 % 60),
        field(rest % 60),
        nanoseconds,
    );
    date.to_datetime(time.unwrap_or_else(|_| Time::midnight()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan as _;

    #[test]
    fn every_day_is_where_the_calendar_says() {
        let mut date = Date::new(1, 1, 1).unwrap();
        let mut day = day_of(1, 1, 1);
        assert_eq!(day_of(1970, 1, 1), 0);
        while i64::from(date.year()) <= LAST_YEAR {
            let (year, month, first) = month_of(day);
            assert_eq!(
                (year, i64::from(month), day - first + 1),
                (date.year().into(), date.month().into(), date.day().into()),
            );
            assert_eq!(day_number(date), day);
            assert_eq!(
                weekday(day),
                u32::from(date.weekday().to_monday_zero_offset().unsigned_abs())
            );
            assert_eq!(
                i64::from(month_length(year, month)),
                i64::from(date.days_in_month())
            );
            (date, day) = (date + 1.day(), day + 1);
        }
    }

    #[test]
    fn wall_times_go_there_and_back() {
        for text in [
            "0001-01-01T00:00:00",
            "1969-12-31T23:59:59",
            "2024-02-29T12:34:56",
            "9998-12-31T23:59:59",
        ] {
            let local: DateTime = text.parse().unwrap();
            assert_eq!(datetime(seconds(local), 0), local);
        }
        assert_eq!(datetime(HORIZON, 5).to_string(), "9998-12-31T23:59:59.000000005");
        assert_eq!(datetime(i64::MAX / 1_000, 0).date(), Date::MAX);
    }
}
