//! Starts, ends, durations, and the dates of a series.

use super::*;

#[test]
fn the_end_is_given_by_dtend_or_duration_or_neither() {
    for (lines, time) in [
        ("DTSTART;VALUE=DATE:20250310", "days 2025-03-10 2025-03-11"),
        (
            "DTSTART;VALUE=DATE:20250310\nDTEND;VALUE=DATE:20250310",
            "days 2025-03-10 2025-03-11",
        ),
        ("DTSTART:20250310\nDTEND:20250312", "days 2025-03-10 2025-03-12"),
        (
            "DTSTART;VALUE=DATE:20250310\nDURATION:P1W",
            "days 2025-03-10 2025-03-17",
        ),
        (
            "DTSTART;VALUE=DATE:20250310\nDURATION:PT30H",
            "days 2025-03-10 2025-03-12",
        ),
        (
            "DTSTART;VALUE=DATE:20250310\nDTEND:20250311T120000Z",
            "days 2025-03-10 2025-03-12",
        ),
        (
            "DTSTART:20250310T090000",
            "floating 2025-03-10T09:00:00 2025-03-10T09:00:00",
        ),
        (
            "DTSTART:20250310T090000\nDTEND:20250310T100000",
            "floating 2025-03-10T09:00:00 2025-03-10T10:00:00",
        ),
        (
            "DTSTART:20250310T090000Z\nDURATION:PT90M",
            "2025-03-10T09:00:00 UTC 2025-03-10T10:30:00 UTC = 2025-03-10T09:00:00Z 2025-03-10T10:30:00Z",
        ),
        (
            "DTSTART;TZID=Europe/Berlin:20250310T090000\nDTEND;TZID=America/New_York:20250310T090000",
            "2025-03-10T09:00:00 Europe/Berlin 2025-03-10T09:00:00 America/New_York = 2025-03-10T08:00:00Z 2025-03-10T13:00:00Z",
        ),
        (
            "DTSTART;TZID=Europe/Berlin:20250310T090000\nDTEND:20250310T100000",
            "2025-03-10T09:00:00 Europe/Berlin 2025-03-10T10:00:00 Europe/Berlin = 2025-03-10T08:00:00Z 2025-03-10T09:00:00Z",
        ),
        (
            "DTSTART;TZID=Europe/Berlin:20250310T090000\nDTEND;VALUE=DATE:20250311",
            "2025-03-10T09:00:00 Europe/Berlin 2025-03-11T00:00:00 Europe/Berlin = 2025-03-10T08:00:00Z 2025-03-10T23:00:00Z",
        ),
    ] {
        assert_eq!(show(&event(lines).time), time, "{lines}");
    }
}

#[test]
fn days_of_a_duration_are_calendar_days_and_hours_are_exact() {
    let over_spring_forward = |length: &str| {
        let time = event(&format!(
            "DTSTART;TZID=Europe/Berlin:20250329T120000\nDURATION:{length}"
        ))
        .time;
        show(&time).split(' ').nth(2).map(str::to_owned)
    };
    assert_eq!(over_spring_forward("P1D").as_deref(), Some("2025-03-30T12:00:00"));
    assert_eq!(
        over_spring_forward("PT24H").as_deref(),
        Some("2025-03-30T13:00:00")
    );
}

#[test]
fn ends_before_starts_are_mended_and_noted() {
    for (lines, time) in [
        (
            "DTSTART:20250310T090000\nDTEND:20250310T080000",
            "floating 2025-03-10T09:00:00 2025-03-10T09:00:00",
        ),
        (
            "DTSTART:20250310T090000\nDURATION:-PT1H",
            "floating 2025-03-10T09:00:00 2025-03-10T09:00:00",
        ),
        (
            "DTSTART:20250310T090000\nDURATION:1 hour",
            "floating 2025-03-10T09:00:00 2025-03-10T09:00:00",
        ),
        (
            "DTSTART;VALUE=DATE:20250310\nDTEND;VALUE=DATE:20250301",
            "days 2025-03-10 2025-03-11",
        ),
        (
            "DTSTART:20250310T090000\nDTEND:soon\nDURATION:PT1H",
            "floating 2025-03-10T09:00:00 2025-03-10T10:00:00",
        ),
    ] {
        let (event, notes) = noted(lines);
        assert_eq!(
            (show(&event.time).as_str(), notes.len()),
            (time, 1),
            "{lines}: {notes:?}"
        );
    }
}

#[test]
fn an_event_without_readable_start_is_left_out_and_remembered() {
    for lines in ["SUMMARY:x", "DTSTART:soon", "DTSTART:20250230", "DTSTART"] {
        let feed = feed(&format!(
            "BEGIN:VEVENT\nUID:1\n{lines}\nEND:VEVENT\nBEGIN:VEVENT\nUID:2\nDTSTART:20250310\nEND:VEVENT"
        ));
        assert_eq!(feed.objects.len(), 1, "{lines}");
        assert_eq!(feed.unreadable, ["1"]);
        assert_eq!(
            (feed.problems[0].line, feed.problems[0].uid.as_deref()),
            (Some(4), Some("1"))
        );
        assert!(
            feed.problems[0].message.contains("DTSTART"),
            "{:?}",
            feed.problems
        );
    }
}

#[test]
fn a_gap_shifts_forward_and_an_overlap_means_the_first() {
    let utc = |local: &str| match event(&format!("DTSTART;TZID=America/New_York:{local}")).time {
        EventTime::Timed { start, .. } => (start.local.to_string(), start.utc.to_string()),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        utc("20250309T023000"),
        ("2025-03-09T02:30:00".into(), "2025-03-09T07:30:00Z".into())
    );
    assert_eq!(
        utc("20251102T013000"),
        ("2025-11-02T01:30:00".into(), "2025-11-02T05:30:00Z".into())
    );
}

#[test]
fn instants_stay_instants() {
    let berlin = event("DTSTART;TZID=Europe/Berlin:20250310T090000Z").time;
    assert!(
        show(&berlin).starts_with("2025-03-10T10:00:00 Europe/Berlin"),
        "{}",
        show(&berlin)
    );
    let (offset, notes) = noted("DTSTART:20250310T090000+0200");
    assert!(show(&offset.time).starts_with("2025-03-10T07:00:00 UTC"));
    assert_eq!(notes.len(), 1);
}

#[test]
fn single_dates_take_the_kind_and_zone_of_the_series() {
    let timed = event(
        "DTSTART;TZID=Europe/Berlin:20250310T090000\nRRULE:FREQ=DAILY\n\
         EXDATE:20250311T080000Z,20250312T080000Z\nEXDATE;VALUE=DATE:20250313\nRDATE:20250401T070000Z\nRDATE;VALUE=DATE:20250402",
    );
    let shown: Vec<String> = timed
        .exdates
        .iter()
        .chain(timed.rdates.iter().map(|extra| &extra.start))
        .map(show_moment)
        .collect();
    assert_eq!(
        shown,
        [
            "2025-03-11T09:00:00 Europe/Berlin = 2025-03-11T08:00:00Z",
            "2025-03-12T09:00:00 Europe/Berlin = 2025-03-12T08:00:00Z",
            "2025-03-13",
            "2025-04-01T09:00:00 Europe/Berlin = 2025-04-01T07:00:00Z",
            "2025-04-02T09:00:00 Europe/Berlin = 2025-04-02T07:00:00Z",
        ]
    );
    let days =
        event("DTSTART;VALUE=DATE:20250310\nRRULE:FREQ=DAILY\nEXDATE;TZID=Europe/Berlin:20250311T000000");
    assert_eq!(days.exdates, [Moment::Date(jiff::civil::date(2025, 3, 11))]);
}

#[test]
fn what_a_rule_excludes_becomes_single_dates() {
    let shown = |lines: &str| -> Vec<String> { event(lines).exdates.iter().map(show_moment).collect() };
    // No weekends, whatever the clocks do in between; the rule that excludes them has no end and the series has one.
    assert_eq!(
        shown(
            "DTSTART;TZID=Europe/Berlin:20250328T090000\nRRULE:FREQ=DAILY;COUNT=6\nEXRULE:FREQ=WEEKLY;BYDAY=SA,SU"
        ),
        [
            "2025-03-29T09:00:00 Europe/Berlin = 2025-03-29T08:00:00Z",
            "2025-03-30T09:00:00 Europe/Berlin = 2025-03-30T07:00:00Z",
        ]
    );
    // Here it is the other way about.
    assert_eq!(
        shown("DTSTART;VALUE=DATE:20250310\nRRULE:FREQ=DAILY\nEXRULE:FREQ=DAILY;INTERVAL=2;COUNT=2"),
        ["2025-03-10", "2025-03-12"]
    );
    // Additional starts are excluded as well, and what does not take place anyway needs no date.
    assert_eq!(
        shown(
            "DTSTART:20250310T090000\nRDATE:20250311T090000,20250312T100000\nEXDATE:20250401T090000\nEXRULE:FREQ=DAILY"
        ),
        [
            "2025-04-01T09:00:00",
            "2025-03-10T09:00:00",
            "2025-03-11T09:00:00"
        ]
    );
}

#[test]
fn what_is_excluded_without_end_is_left_out_of_the_rule() {
    let read = |lines: &str| {
        let (event, notes) = noted(lines);
        let dates: Vec<String> = event.exdates.iter().map(show_moment).collect();
        assert_eq!(notes, Vec::<String>::new(), "{lines}");
        (event.rrule.unwrap_or_default(), dates)
    };
    let days = "DTSTART:20250310T090000Z\nRRULE:FREQ=DAILY\nEXRULE:FREQ=WEEKLY;BYDAY=SU";
    assert_eq!(
        read(days),
        ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR,SA".to_owned(), vec![])
    );
    // One rule after the other; an additional start on a Sunday is excluded, and so is the first start, in August.
    let both = "DTSTART;VALUE=DATE:20250801\nRRULE:FREQ=WEEKLY;BYDAY=FR,SU\nRDATE;VALUE=DATE:20251005,20251006\nEXRULE:FREQ=WEEKLY;BYDAY=SU\nEXRULE:FREQ=DAILY;BYMONTH=8";
    let (rule, dates) = read(both);
    assert_eq!(rule, "FREQ=WEEKLY;BYDAY=FR;BYMONTH=1,2,3,4,5,6,7,9,10,11,12");
    assert_eq!(dates, ["2025-10-05", "2025-08-01"]);
    // Nothing would be left, which no rule says.
    let (event, notes) = noted("DTSTART:20250310T090000Z\nRRULE:FREQ=DAILY\nEXRULE:FREQ=DAILY");
    assert_eq!((event.exdates.len(), notes.len()), (500, 1), "{notes:?}");
}

#[test]
fn how_far_a_rule_excludes_is_noted_where_that_is_not_to_the_end() {
    let endless = "DTSTART:20250310T090000Z\nRRULE:FREQ=DAILY\nEXRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=SU";
    let (event, notes) = noted(endless);
    assert_eq!((event.exdates.len(), notes.len()), (500, 1), "{notes:?}");
    assert_eq!(event.rrule.as_deref(), Some("FREQ=DAILY"));
    // The first Sunday is 16 March 2025, and a thousand weeks later is the first that is left out.
    assert!(notes[0].contains("2044-05-15"), "{notes:?}");
    for (rule, dates, about) in [
        ("FREQ=SOMETIMES", 0, "ignored"),
        ("FREQ=DAILY;UNTIL=20250101", 0, ""),
    ] {
        let (event, notes) = noted(&format!(
            "DTSTART:20250310T090000Z\nRRULE:FREQ=DAILY\nEXRULE:{rule}"
        ));
        assert_eq!(event.exdates.len(), dates, "{rule}");
        assert!(notes.iter().all(|note| note.contains(about)), "{notes:?}");
        assert_eq!(notes.is_empty(), about.is_empty(), "{rule}");
    }
    // However many there are, no more than a few are looked at.
    let many = "EXRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30\n".repeat(150);
    let (_, notes) = noted(&format!(
        "DTSTART:20250310T090000Z\nRRULE:FREQ=DAILY;COUNT=3\n{many}X-END:1"
    ));
    assert_eq!(notes.len(), 1, "{notes:?}");
}

#[test]
fn periods_may_end_at_a_time() {
    let event = event(
        "DTSTART:20250310T090000Z\nRDATE;VALUE=PERIOD:20250311T090000Z/20250311T103000Z,20250312T090000Z/P1D",
    );
    let lengths: Vec<Option<i64>> = event
        .rdates
        .iter()
        .map(|extra| extra.duration.map(|length| length.as_mins()))
        .collect();
    assert_eq!(lengths, [Some(90), Some(1_440)]);
}

#[test]
fn what_is_wrong_in_a_series_is_noted_and_the_rest_kept() {
    let (event, notes) =
        noted("DTSTART:20250310T090000Z\nRRULE:FREQ=SOMETIMES\nEXDATE:20250311T090000Z,never");
    assert_eq!((event.rrule, event.exdates.len(), notes.len()), (None, 1, 2));
    let (event, notes) =
        noted("DTSTART:20250310T090000Z\nRRULE:freq=daily\nRRULE:FREQ=YEARLY\nEXRULE:FREQ=DAILY");
    assert_eq!((event.rrule.as_deref(), notes.len()), (Some("FREQ=DAILY"), 2));
}
