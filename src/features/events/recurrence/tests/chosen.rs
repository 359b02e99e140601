//! Rules at the corners of the RFCs, with the starts that their text asks for.

use super::super::Gap;
use super::{firsts, firsts_with};

/// Begin, zone, rule, and the first starts as wall times of the zone.
fn all(cases: &[(&str, &str, &str, &str)]) {
    for (begin, zone, rule, starts) in cases {
        let most = starts.split_whitespace().count() + 1;
        let found = firsts(begin, zone, rule, most);
        let is_whole = rule.contains("COUNT") || rule.contains("UNTIL");
        let found = if is_whole {
            found
        } else {
            found.rsplit_once(' ').map_or("", |(most, _)| most).to_owned()
        };
        assert_eq!(found, *starts, "{rule}");
    }
}

#[test]
fn days_of_the_start_stand_in_for_what_a_rule_leaves_open() {
    all(&[
        (
            "20240513",
            "UTC",
            "FREQ=YEARLY;BYWEEKNO=20",
            "20240513 20250512 20260511",
        ),
        (
            "20240131",
            "UTC",
            "FREQ=YEARLY;BYMONTH=1,2,3",
            "20240131 20240331 20250131",
        ),
        ("20240229", "UTC", "FREQ=YEARLY", "20240229 20280229 20320229"),
        ("20960229", "UTC", "FREQ=YEARLY", "20960229 21040229"),
        (
            "20240115",
            "UTC",
            "FREQ=YEARLY;BYDAY=WE,3MO;COUNT=4",
            "20240115 20240117 20240124 20240131",
        ),
        (
            "20240101",
            "UTC",
            "FREQ=YEARLY;BYMONTH=1;BYDAY=WE,3MO;COUNT=4",
            "20240103 20240110 20240115 20240117",
        ),
    ]);
}

#[test]
fn a_start_that_the_rule_does_not_give_is_not_an_occurrence_of_it() {
    all(&[
        (
            "20240101",
            "UTC",
            "FREQ=WEEKLY;BYDAY=WE;COUNT=2",
            "20240103 20240110",
        ),
        (
            "20240103",
            "UTC",
            "FREQ=MONTHLY;BYDAY=MO,TU,WE;BYSETPOS=1",
            "20240205 20240304",
        ),
        ("20250601", "UTC", "FREQ=DAILY;UNTIL=20250531", ""),
    ]);
}

#[test]
fn weeks_begin_where_the_rule_says_and_positions_count_the_whole_week() {
    all(&[
        (
            "20240103",
            "UTC",
            "FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=1",
            "20240108 20240115",
        ),
        (
            "20240105",
            "UTC",
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU;COUNT=3",
            "20240114 20240115 20240128",
        ),
        (
            "20240105",
            "UTC",
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=MO;COUNT=3",
            "20240107 20240115 20240121",
        ),
        (
            "19970805",
            "UTC",
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
            "19970805 19970817 19970819 19970831",
        ),
    ]);
}

#[test]
fn weeks_at_the_turn_of_the_year_belong_to_the_year_of_their_days() {
    all(&[
        (
            "20201228",
            "UTC",
            "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO",
            "20201228 20261228 20321227",
        ),
        (
            "20211227",
            "UTC",
            "FREQ=YEARLY;BYWEEKNO=52;BYDAY=SA",
            "20220101 20221231 20231230",
        ),
        (
            "20250101",
            "UTC",
            "FREQ=YEARLY;BYWEEKNO=-52;BYDAY=MO",
            "20260105 20270104 20280103",
        ),
        (
            "20240101",
            "UTC",
            "FREQ=YEARLY;BYWEEKNO=1;BYDAY=TU",
            "20240102 20241231 20251230 20270105",
        ),
    ]);
}

#[test]
fn days_that_a_month_does_not_have_move_only_when_asked() {
    all(&[
        (
            "20240131",
            "UTC",
            "FREQ=MONTHLY;COUNT=4",
            "20240131 20240331 20240531 20240731",
        ),
        (
            "20240131",
            "UTC",
            "FREQ=MONTHLY;RSCALE=GREGORIAN;SKIP=BACKWARD;COUNT=4",
            "20240131 20240229 20240331 20240430",
        ),
        (
            "20240131",
            "UTC",
            "FREQ=MONTHLY;RSCALE=GREGORIAN;SKIP=FORWARD;COUNT=4",
            "20240131 20240301 20240331 20240501",
        ),
        (
            "20240229",
            "UTC",
            "FREQ=YEARLY;RSCALE=GREGORIAN;SKIP=FORWARD;COUNT=3",
            "20240229 20250301 20260301",
        ),
        (
            "20240229",
            "UTC",
            "FREQ=YEARLY;RSCALE=GREGORIAN;SKIP=BACKWARD;COUNT=3",
            "20240229 20250228 20260228",
        ),
        (
            "20240101",
            "UTC",
            "FREQ=MONTHLY;BYMONTHDAY=1,31;RSCALE=GREGORIAN;SKIP=FORWARD;COUNT=6",
            "20240101 20240131 20240201 20240301 20240331 20240401",
        ),
        (
            "20240101",
            "UTC",
            "FREQ=MONTHLY;BYMONTHDAY=28,29,30;RSCALE=GREGORIAN;SKIP=BACKWARD;BYMONTH=2;COUNT=4",
            "20240228 20240229 20250228 20260228",
        ),
        (
            "20240101",
            "UTC",
            "FREQ=YEARLY;BYMONTHDAY=-31;COUNT=4",
            "20240101 20240301 20240501 20240701",
        ),
    ]);
}

#[test]
fn units_keep_their_step_across_what_limits_leave_out() {
    all(&[
        (
            "20240101T090000",
            "UTC",
            "FREQ=MINUTELY;INTERVAL=1441;COUNT=3",
            "20240101T090000 20240102T090100 20240103T090200",
        ),
        (
            "20240101T090000",
            "UTC",
            "FREQ=HOURLY;INTERVAL=25;BYHOUR=9,10",
            "20240101T090000 20240102T100000 20240126T090000",
        ),
        (
            "20240101T000000",
            "UTC",
            "FREQ=SECONDLY;INTERVAL=86401;COUNT=3",
            "20240101T000000 20240102T000001 20240103T000002",
        ),
        (
            "20240228T235959",
            "UTC",
            "FREQ=SECONDLY;COUNT=3",
            "20240228T235959 20240229T000000 20240229T000001",
        ),
        (
            "20161231T235958",
            "UTC",
            "FREQ=MINUTELY;BYSECOND=58,60;COUNT=3",
            "20161231T235958 20161231T235959 20170101T000058",
        ),
        (
            "20240101T090000",
            "UTC",
            "FREQ=DAILY;INTERVAL=18446744073709551615;COUNT=3",
            "20240101T090000",
        ),
        (
            "20240101T090000",
            "UTC",
            "FREQ=YEARLY;INTERVAL=18446744073709551616;COUNT=3",
            "20240101T090000",
        ),
    ]);
}

#[test]
fn gaps_shift_or_skip_and_overlaps_take_the_first() {
    let cases = [
        (
            "20250308T023000",
            "FREQ=DAILY;COUNT=3",
            "20250308T023000 20250309T033000 20250310T023000",
            "20250308T023000 20250310T023000 20250311T023000",
        ),
        // Two wall times become one instant, which is told once and counted twice.
        (
            "20250309T013000",
            "FREQ=HOURLY;COUNT=4",
            "20250309T013000 20250309T033000 20250309T043000",
            "20250309T013000 20250309T033000 20250309T043000 20250309T053000",
        ),
        (
            "20250309T010000",
            "FREQ=DAILY;BYHOUR=2,3;BYMINUTE=15,45;COUNT=4",
            "20250309T031500 20250309T034500",
            "20250309T031500 20250309T034500 20250310T021500 20250310T024500",
        ),
        // What moved comes in the order of its instant.
        (
            "20250309T010000",
            "FREQ=DAILY;BYHOUR=2,3;BYMINUTE=10,50;BYSETPOS=2,3;COUNT=2",
            "20250309T031000 20250309T035000",
            "20250309T031000 20250310T025000",
        ),
        (
            "20251101T013000",
            "FREQ=DAILY;COUNT=3",
            "20251101T013000 20251102T013000 20251103T013000",
            "20251101T013000 20251102T013000 20251103T013000",
        ),
    ];
    for (begin, rule, shifted, skipped) in cases {
        assert_eq!(
            firsts_with(begin, "America/New_York", rule, 9, Gap::Shift),
            shifted,
            "{rule}"
        );
        assert_eq!(
            firsts_with(begin, "America/New_York", rule, 9, Gap::Skip),
            skipped,
            "{rule}"
        );
    }
    // A whole day that never was, and a midnight that came twice.
    assert_eq!(
        firsts("20111229T120000", "Pacific/Apia", "FREQ=DAILY;COUNT=4", 9),
        "20111229T120000 20111231T120000 20120101T120000"
    );
    assert_eq!(
        firsts("20251101T000000", "America/Havana", "FREQ=DAILY;COUNT=3", 9),
        "20251101T000000 20251102T000000 20251103T000000"
    );
}

#[test]
fn until_is_an_instant_a_wall_time_or_a_whole_day() {
    all(&[
        (
            "20250101T230000",
            "America/New_York",
            "FREQ=DAILY;UNTIL=20250104T040000Z",
            "20250101T230000 20250102T230000 20250103T230000",
        ),
        (
            "20250101T090000",
            "Europe/Berlin",
            "FREQ=DAILY;UNTIL=20250102T090000",
            "20250101T090000 20250102T090000",
        ),
        (
            "20250101T090000",
            "Europe/Berlin",
            "FREQ=DAILY;UNTIL=20250102T085959",
            "20250101T090000",
        ),
        (
            "20250101T090000",
            "Europe/Berlin",
            "FREQ=DAILY;UNTIL=20250102",
            "20250101T090000 20250102T090000",
        ),
        (
            "20250101",
            "America/New_York",
            "FREQ=DAILY;UNTIL=20250102T000000Z",
            "20250101 20250102",
        ),
    ]);
}

#[test]
fn rules_reach_the_last_year_and_no_further() {
    assert_eq!(firsts("99970101", "UTC", "FREQ=YEARLY", 9), "99970101 99980101");
    assert_eq!(
        firsts("99981230T090000", "Asia/Tokyo", "FREQ=DAILY", 9),
        "99981230T090000 99981231T090000"
    );
    assert_eq!(
        firsts("00010101", "UTC", "FREQ=MONTHLY;COUNT=2", 9),
        "00010101 00010201"
    );
}
