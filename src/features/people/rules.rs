//! Decisions about people that need no database.

mod audit;

use chrono::{NaiveTime, Timelike as _};
use entity::enums::{Iterable as _, NotificationChannel, NotificationType, Weekday};
use entity::{notification_preference, user_preferences};

use jiff::tz::TimeZone;

use super::model::{Delivery, QuietHours, WorkingHours};
use crate::kernel::text::Checks;
use crate::kernel::time::Instant;
use crate::kernel::{Error, Result, UserErrorCode, zones};

pub(super) use audit::{deliveries_diff, preferences_diff, profile_diff};

/// Longest name of a person, in characters.
pub(super) const MAX_NAME: usize = 100;
/// Most ranges of working hours in a week.
const MAX_HOURS: usize = 50;
const DAY: u32 = 24 * 60;
const WEEK: u32 = 7 * DAY;

/// Working hours of somebody who has not chosen any: Monday to Friday, nine to five.
pub(super) fn usual_hours() -> Vec<WorkingHours> {
    let at = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or(NaiveTime::MIN);
    Weekday::iter()
        .take(5)
        .map(|weekday| WorkingHours {
            weekday,
            start: at(9),
            end: at(17),
        })
        .collect()
}

/// The working hours of a person, Monday first.
pub fn working_hours_of(row: &user_preferences::Model) -> Vec<WorkingHours> {
    serde_json::from_value(row.working_hours.clone()).unwrap_or_default()
}

/// Minutes from the start of the week; the end may lie beyond its end.
fn minutes(hours: &WorkingHours) -> (u32, u32) {
    let minute = |time: NaiveTime| time.hour() * 60 + time.minute();
    let day = Weekday::iter()
        .position(|weekday| weekday == hours.weekday)
        .unwrap_or(0);
    let midnight = u32::try_from(day).unwrap_or(0) * DAY;
    let (start, end) = (minute(hours.start), minute(hours.end));
    let end = if end > start { end } else { end + DAY };
    (midnight + start, midnight + end)
}

/// Checks working hours and puts them in order. Ranges must not overlap, also not over midnight and over the end of the week.
pub fn check_hours(checks: &mut Checks, path: &str, hours: &[WorkingHours]) -> Vec<WorkingHours> {
    if hours.len() > MAX_HOURS {
        let message = format!("Give at most {MAX_HOURS} ranges.");
        checks.fail(UserErrorCode::TooLong, path, message);
        return Vec::new();
    }
    for (index, one) in hours.iter().enumerate() {
        let overlaps = hours[..index]
            .iter()
            .any(|other| overlap(minutes(one), minutes(other)));
        let message = "These hours overlap others of the same days.";
        checks.require(
            !overlaps,
            UserErrorCode::Invalid,
            &format!("{path}.{index}"),
            message,
        );
    }
    let mut sorted = hours.to_vec();
    sorted.sort_by_key(minutes);
    sorted
}

fn overlap(a: (u32, u32), b: (u32, u32)) -> bool {
    let meets = |a: (u32, u32), b: (u32, u32)| a.0 < b.1 && b.0 < a.1;
    let later = |(start, end)| (start + WEEK, end + WEEK);
    meets(a, b) || meets(a, later(b)) || meets(later(a), b)
}

/// Checks personal settings as they would be stored.
pub(super) fn check(checks: &mut Checks, row: &user_preferences::Model) {
    checks.require(
        is_language_tag(&row.locale),
        UserErrorCode::Invalid,
        "input.locale",
        "Use a language tag such as `en-GB`.",
    );
    checks.range(
        "input.defaultTaskDurationMinutes",
        row.default_task_duration_minutes,
        5,
        1_440,
    );
    checks.range("input.defaultFocusMinutes", row.default_focus_minutes, 5, 240);
    checks.range("input.bufferMinutes", row.buffer_minutes, 0, 120);
    checks.range("input.maxDailyTaskMinutes", row.max_daily_task_minutes, 0, 1_440);
}

/// Whether the text looks like a BCP 47 language tag: a language of two or three letters, then subtags.
pub fn is_language_tag(text: &str) -> bool {
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or_default();
    let language_ok = (2..=3).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_alphabetic());
    let subtag_ok =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    text.len() <= 35 && language_ok && parts.all(subtag_ok)
}

/// A wall time as it is stored.
pub(super) fn clock_text(time: NaiveTime) -> String {
    time.format("%H:%M").to_string()
}

/// A stored wall time.
pub fn clock_time_of(text: Option<&str>) -> Option<NaiveTime> {
    NaiveTime::parse_from_str(text?, "%H:%M").ok()
}

/// The hours in which a person wants no e-mail.
pub fn quiet_hours_of(row: &user_preferences::Model) -> Option<QuietHours> {
    Some(QuietHours {
        from: clock_time_of(row.quiet_from.as_deref())?,
        until: clock_time_of(row.quiet_until.as_deref())?,
    })
}

/// When e-mail about something of this moment goes out to a person: what they wait for at once, the rest with the e-mail of the day if
/// they want one, and nothing of that in their quiet hours.
pub fn mail_time(row: &user_preferences::Model, kind: NotificationType, now: Instant) -> Instant {
    use NotificationType::{EventReminder, Security, TaskDue};
    if matches!(kind, Security | EventReminder) {
        return now;
    }
    let zone = zones::stored(&row.time_zone).unwrap_or(TimeZone::UTC);
    let digest = clock_time_of(row.digest_at.as_deref()).filter(|_| kind != TaskDue);
    let at = digest.map_or(now, |time| next(time, &zone, now));
    let Some(quiet) = quiet_hours_of(row) else {
        return at;
    };
    let local = zones::local_to_chrono(zones::local_of(zones::from_chrono(at), &zone)).time();
    let is_quiet = if quiet.from < quiet.until {
        quiet.from <= local && local < quiet.until
    } else {
        quiet.from <= local || local < quiet.until
    };
    if is_quiet {
        next(quiet.until, &zone, at)
    } else {
        at
    }
}

/// The next instant at which clocks in the zone show this time, or would if they did not skip it.
fn next(time: NaiveTime, zone: &TimeZone, after: Instant) -> Instant {
    let today = zones::local_to_chrono(zones::local_of(zones::from_chrono(after), zone)).date();
    // A clock that is turned back shows a time twice, so today's first may be over.
    for day in today.iter_days().take(3) {
        let local = zones::local_from_chrono(day.and_time(time));
        let at = zones::to_chrono(zones::to_utc(local, zone));
        if at > after {
            return at;
        }
    }
    after
}

/// The channels of every kind of notification: the stored ones, else both; a security message always reaches the application.
pub(super) fn deliveries(stored: &[notification_preference::Model]) -> Result<Vec<Delivery>> {
    let channels = |kind: NotificationType| match stored.iter().find(|row| row.r#type == kind) {
        Some(row) => serde_json::from_value(row.channels.clone()).map_err(Error::internal),
        None => Ok(default_channels(kind)),
    };
    NotificationType::iter()
        .map(|kind| {
            Ok(Delivery {
                r#type: kind,
                channels: channels(kind)?,
            })
        })
        .collect()
}

fn default_channels(kind: NotificationType) -> Vec<NotificationChannel> {
    use NotificationChannel::{Email, InApp};
    match kind {
        // Frequent and soon stale: mail would be noise.
        NotificationType::EventReminder | NotificationType::TaskDue | NotificationType::ScheduleReady => {
            vec![InApp]
        }
        _ => vec![InApp, Email],
    }
}

/// Checks new channels of some kinds. The last one wins when a kind is given twice.
pub(super) fn check_deliveries(wanted: &[Delivery]) -> Result<()> {
    let mut checks = Checks::default();
    for (index, one) in wanted.iter().enumerate() {
        let silent =
            one.r#type == NotificationType::Security && !one.channels.contains(&NotificationChannel::InApp);
        let path = format!("input.preferences.{index}.channels");
        checks.require(
            !silent,
            UserErrorCode::Invalid,
            &path,
            "Security messages always appear in the application.",
        );
    }
    checks.finish()
}

#[cfg(test)]
mod tests;
