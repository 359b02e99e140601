//! The small files of the awkward kinds in `tests/data/ics`.

use super::*;

macro_rules! vector {
    ($name:literal) => {
        object(include_str!(concat!(
            "../../../../../tests/data/ics/",
            $name,
            ".ics"
        )))
    };
}

#[test]
fn an_all_day_series_keeps_its_dates() {
    let object = vector!("allday");
    let master = object.master.expect("a master");
    assert_eq!(show(&master.time), "days 2025-01-31 2025-02-01");
    assert_eq!(
        master.rrule.as_deref(),
        Some("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3")
    );
    assert_eq!(object.warnings, []);
}

#[test]
fn a_zone_that_equals_no_known_one_keeps_its_rules() {
    let text = include_str!("../../../../../tests/data/ics/custom_vtz.ics");
    let feed = read(text, "Europe/Berlin").expect("a calendar");
    let master = feed.objects[0].master.as_ref().expect("a master");
    assert_eq!(
        show(&master.time),
        "2025-03-29T09:00:00 <+0230>-2:30<+0330>-3:30,M3.5.0/2:00:00,M11.1.0/2:00:00 \
         2025-03-29T10:00:00 <+0230>-2:30<+0330>-3:30,M3.5.0/2:00:00,M11.1.0/2:00:00 \
         = 2025-03-29T06:30:00Z 2025-03-29T07:30:00Z"
    );
    assert_eq!(feed.problems.len(), 1);
    assert!(
        feed.problems[0].message.contains("Custom/Mars"),
        "{:?}",
        feed.problems
    );
}

#[test]
fn a_time_without_zone_floats() {
    assert_eq!(
        show(&vector!("floating").master.expect("a master").time),
        "floating 2025-03-10T09:00:00 2025-03-10T09:30:00"
    );
}

#[test]
fn an_override_moves_one_occurrence() {
    let object = vector!("override");
    let changed = &object.overrides[0];
    assert_eq!(
        show_moment(&changed.recurrence_id),
        "2025-03-10T09:00:00 America/New_York = 2025-03-10T13:00:00Z"
    );
    assert!(show(&changed.event.time).starts_with("2025-03-11T14:00:00 America/New_York"));
    assert_eq!((changed.cancelled, changed.this_and_future), (false, false));
    assert_eq!(changed.event.summary.as_deref(), Some("moved"));
}

#[test]
fn an_occurrence_is_cancelled_by_override_or_exdate() {
    let object = vector!("override_cancel");
    assert!(object.overrides[0].cancelled);
    let master = object.master.expect("a master");
    assert_eq!(
        show_moment(&master.exdates[0]),
        "2025-03-17T09:00:00 America/New_York = 2025-03-17T13:00:00Z"
    );
}

#[test]
fn an_extra_period_has_its_own_length() {
    let master = vector!("rdate_period").master.expect("a master");
    assert_eq!(
        show_moment(&master.rdates[0].start),
        "2025-03-05T08:00:00 America/New_York = 2025-03-05T13:00:00Z"
    );
    assert_eq!(master.rdates[0].duration.map(|length| length.as_hours()), Some(2));
}

#[test]
fn the_rest_of_a_series_changes() {
    let object = vector!("thisandfuture");
    assert!(object.overrides[0].this_and_future && !object.overrides[0].cancelled);
}

#[test]
fn a_windows_zone_is_known_by_name() {
    let time = vector!("win_tz_vtz").master.expect("a master").time;
    assert_eq!(
        show(&time),
        "2025-03-08T09:00:00 America/New_York 2025-03-08T10:00:00 America/New_York = 2025-03-08T14:00:00Z 2025-03-08T15:00:00Z"
    );
}

#[test]
fn unknown_properties_survive_in_the_text() {
    let text = include_str!("../../../../../tests/data/ics/xprops.ics");
    let object = object(text);
    assert_eq!(object.text, text);
    assert_eq!(
        object.master.and_then(|master| master.summary).as_deref(),
        Some("x, y; z line")
    );
}
