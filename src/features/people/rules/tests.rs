//! What the rules about people promise.

use super::*;

fn hours(weekday: Weekday, start: &str, end: &str) -> WorkingHours {
    WorkingHours {
        weekday,
        start: start.parse().unwrap(),
        end: end.parse().unwrap(),
    }
}

fn refused(all: &[WorkingHours]) -> bool {
    let mut checks = Checks::default();
    check_hours(&mut checks, "input.workingHours", all);
    checks.finish().is_err()
}

#[test]
fn hours_that_touch_are_fine_and_hours_that_overlap_are_not() {
    use Weekday::{Monday, Sunday, Tuesday};
    assert!(!refused(&[
        hours(Monday, "09:00:00", "12:00:00"),
        hours(Monday, "12:00:00", "17:00:00")
    ]));
    assert!(refused(&[
        hours(Monday, "09:00:00", "12:01:00"),
        hours(Monday, "12:00:00", "17:00:00")
    ]));
    assert!(
        refused(&[
            hours(Monday, "22:00:00", "06:00:00"),
            hours(Tuesday, "05:00:00", "09:00:00")
        ]),
        "over midnight"
    );
    assert!(
        refused(&[
            hours(Monday, "05:00:00", "09:00:00"),
            hours(Sunday, "22:00:00", "06:00:00")
        ]),
        "over the week's end"
    );
    assert!(!refused(&[
        hours(Monday, "22:00:00", "06:00:00"),
        hours(Tuesday, "06:00:00", "09:00:00")
    ]));
}

#[test]
fn hours_are_stored_as_people_write_them() {
    let json = serde_json::to_value(hours(Weekday::Monday, "09:30:00", "17:00:00")).unwrap();
    assert_eq!(
        json,
        serde_json::json!({ "weekday": "monday", "start": "09:30", "end": "17:00" })
    );
    assert_eq!(
        serde_json::from_value::<WorkingHours>(json)
            .unwrap()
            .start
            .minute(),
        30
    );
}

#[test]
fn language_tags_are_told_from_rubbish() {
    for tag in ["en", "en-GB", "de-CH-1996", "zh-Hant-TW", "es-419"] {
        assert!(is_language_tag(tag), "{tag}");
    }
    for text in ["", "e", "english", "en_GB", "en-", "-en", "en-GB\n", "12"] {
        assert!(!is_language_tag(text), "{text:?}");
    }
}

#[test]
fn everything_reaches_the_application_until_somebody_says_otherwise() {
    let all = deliveries(&[]).unwrap();
    assert_eq!(all.len(), NotificationType::iter().count());
    assert!(
        all.iter()
            .all(|one| one.channels.contains(&NotificationChannel::InApp))
    );
}

fn wishes(quiet: Option<(&str, &str)>, digest: Option<&str>) -> user_preferences::Model {
    user_preferences::Model {
        user_id: entity::ids::UserId(uuid::Uuid::nil()),
        time_zone: "Europe/Berlin".into(),
        locale: "en".into(),
        week_starts_on: Weekday::Monday,
        working_hours: serde_json::json!([]),
        default_task_duration_minutes: 30,
        default_focus_minutes: 50,
        buffer_minutes: 0,
        max_daily_task_minutes: 360,
        peak_energy: entity::enums::EnergyPeriod::Morning,
        default_workspace_id: None,
        replan_policy: entity::enums::ReplanPolicy::Off,
        quiet_from: quiet.map(|(from, _)| from.into()),
        quiet_until: quiet.map(|(_, until)| until.into()),
        digest_at: digest.map(str::to_owned),
        version: 1,
        created_at: at("2026-01-01T00:00:00Z"),
        updated_at: at("2026-01-01T00:00:00Z"),
    }
}

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

#[test]
fn mail_waits_for_the_end_of_quiet_hours_and_for_the_mail_of_the_day() {
    use NotificationType::{EventReminder, Security, TaskAssigned, TaskDue};
    let night = Some(("22:00", "07:00"));
    for (quiet, digest, kind, now, expected) in [
        (
            None,
            None,
            TaskAssigned,
            "2026-03-02T03:00:00Z",
            "2026-03-02T03:00:00Z",
        ),
        (
            night,
            None,
            TaskAssigned,
            "2026-03-02T03:00:00Z",
            "2026-03-02T06:00:00Z",
        ),
        (
            night,
            None,
            TaskAssigned,
            "2026-03-02T22:30:00Z",
            "2026-03-03T06:00:00Z",
        ),
        (
            night,
            None,
            TaskAssigned,
            "2026-03-02T06:00:00Z",
            "2026-03-02T06:00:00Z",
        ),
        (
            night,
            None,
            TaskAssigned,
            "2026-03-02T21:00:00Z",
            "2026-03-03T06:00:00Z",
        ),
        (
            night,
            None,
            Security,
            "2026-03-02T03:00:00Z",
            "2026-03-02T03:00:00Z",
        ),
        (
            night,
            None,
            EventReminder,
            "2026-03-02T03:00:00Z",
            "2026-03-02T03:00:00Z",
        ),
        (
            Some(("12:00", "13:00")),
            None,
            TaskDue,
            "2026-03-02T11:30:00Z",
            "2026-03-02T12:00:00Z",
        ),
        (
            None,
            Some("18:00"),
            TaskAssigned,
            "2026-03-02T03:00:00Z",
            "2026-03-02T17:00:00Z",
        ),
        (
            None,
            Some("18:00"),
            TaskAssigned,
            "2026-03-02T17:00:00Z",
            "2026-03-03T17:00:00Z",
        ),
        (
            None,
            Some("18:00"),
            TaskDue,
            "2026-03-02T03:00:00Z",
            "2026-03-02T03:00:00Z",
        ),
        (
            night,
            Some("23:00"),
            TaskAssigned,
            "2026-03-02T03:00:00Z",
            "2026-03-03T06:00:00Z",
        ),
        // Clocks go forward in this night: 02:30 is shown as 03:30.
        (
            None,
            Some("02:30"),
            TaskAssigned,
            "2026-03-28T23:30:00Z",
            "2026-03-29T01:30:00Z",
        ),
        // And back in this one: the first 02:30 counts.
        (
            None,
            Some("02:30"),
            TaskAssigned,
            "2026-10-25T00:30:00Z",
            "2026-10-26T01:30:00Z",
        ),
    ] {
        let found = mail_time(&wishes(quiet, digest), kind, at(now));
        assert_eq!(found, at(expected), "{quiet:?} {digest:?} {kind:?} {now}");
    }
}
