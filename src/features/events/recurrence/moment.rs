//! A point in time as iCalendar and stored series say it: a day, a wall time, or an instant.
//!
//! Promises: reads and writes `20260302`, `20260302T090000` and `20260302T080000Z`, and reads the forms with dashes and colons as well.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// A day, a wall time, or an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Moment {
    /// A whole day. For UNTIL and EXDATE of a series with times: all that starts on it.
    Day(Date),
    /// A wall time in the zone of the series.
    Local(DateTime),
    /// An instant.
    Instant(Timestamp),
}

impl Moment {
    /// The day as it is written; of an instant the one in UTC.
    pub(super) fn written_day(self) -> Date {
        match self {
            Self::Day(date) => date,
            Self::Local(local) => local.date(),
            Self::Instant(_) => self.written().date(),
        }
    }

    /// The wall time as it is written: midnight of a day, and of an instant what its text says.
    pub(super) fn written(self) -> DateTime {
        match self {
            Self::Day(date) => date.to_datetime(jiff::civil::Time::midnight()),
            Self::Local(local) => local,
            Self::Instant(at) => TimeZone::UTC.to_datetime(at),
        }
    }
}

/// A text that is not a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAMoment;

impl FromStr for Moment {
    type Err = NotAMoment;

    fn from_str(text: &str) -> Result<Self, NotAMoment> {
        // jiff reads more than iCalendar writes; only these letters are meant.
        let is_plain = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'T' | b'Z' | b'-' | b':' | b'.');
        if text.len() < 8 || !text.as_bytes().iter().all(is_plain) || text.starts_with('-') {
            return Err(NotAMoment);
        }
        let moment = if text.ends_with('Z') {
            text.parse().map(Self::Instant)
        } else if text.contains('T') {
            text.parse().map(Self::Local)
        } else {
            text.parse().map(Self::Day)
        };
        moment.map_err(|_| NotAMoment)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = self.written_day();
        write!(f, "{:04}{:02}{:02}", day.year(), day.month(), day.day())?;
        if let Self::Day(_) = self {
            return Ok(());
        }
        let time = self.written().time();
        write!(f, "T{:02}{:02}{:02}", time.hour(), time.minute(), time.second())?;
        if let Self::Instant(_) = self {
            f.write_str("Z")?;
        }
        Ok(())
    }
}

/// A start beside the rule (RDATE).
#[derive(Clone, Debug)]
pub struct Addition {
    /// When it starts. A day in a series with times means the time of the first start on that day.
    pub start: Moment,
    /// When it ends, if it has a length of its own (VALUE=PERIOD).
    pub end: Option<PeriodEnd>,
}

/// How a period says its end.
#[derive(Clone, Debug)]
pub enum PeriodEnd {
    /// With this moment.
    At(Moment),
    /// So much later.
    After(Span),
}

impl From<Moment> for Addition {
    fn from(start: Moment) -> Self {
        Self { start, end: None }
    }
}

impl FromStr for Addition {
    type Err = NotAMoment;

    /// Reads `20260302T090000`, `20260302T090000/PT90M` and `20260302T090000/20260302T103000`.
    fn from_str(text: &str) -> Result<Self, NotAMoment> {
        let Some((start, end)) = text.split_once('/') else {
            return Ok(text.parse::<Moment>()?.into());
        };
        let start = start.parse()?;
        let end = if end.starts_with(['P', '+']) {
            PeriodEnd::After(end.parse().map_err(|_| NotAMoment)?)
        } else {
            PeriodEnd::At(end.parse()?)
        };
        Ok(Self {
            start,
            end: Some(end),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_and_written() {
        for (text, written) in [
            ("20260302", "20260302"),
            ("2026-03-02", "20260302"),
            ("20260302T090000", "20260302T090000"),
            ("2026-03-02T09:00:00", "20260302T090000"),
            ("20260302T080000Z", "20260302T080000Z"),
            ("2026-03-02T08:00:00Z", "20260302T080000Z"),
            ("20161231T235960Z", "20161231T235959Z"),
        ] {
            let moment: Moment = text.parse().unwrap_or_else(|_| panic!("{text}"));
            assert_eq!(moment.to_string(), written);
        }
        for text in [
            "",
            "soon",
            "20261301",
            "20260302T250000",
            "2026",
            "20260302T0900+01",
            "é",
            "20260302T090000[UTC]",
        ] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }

    #[test]
    fn periods_have_an_end_of_their_own() {
        assert!("20260302T090000".parse::<Addition>().unwrap().end.is_none());
        assert!(matches!(
            "20260302T090000/PT90M".parse::<Addition>().unwrap().end,
            Some(PeriodEnd::After(_))
        ));
        assert!(matches!(
            "20260302T090000Z/20260302T100000Z"
                .parse::<Addition>()
                .unwrap()
                .end,
            Some(PeriodEnd::At(Moment::Instant(_)))
        ));
        assert!("20260302T090000/never".parse::<Addition>().is_err());
    }
}
