//! What the sums of focus sessions must come to.

use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn days(completed: &[i64]) -> Vec<(NaiveDate, Sums)> {
    let sums = |completed| Sums {
        completed,
        sessions: completed,
        seconds: 90 * completed,
        ..Sums::default()
    };
    day("2026-03-01")
        .iter_days()
        .zip(completed.iter().map(|&count| sums(count)))
        .collect()
}

#[test]
fn days_have_the_hours_of_the_zone() {
    let berlin = zones::zone("Europe/Berlin").unwrap();
    for (date, hours) in [("2026-03-28", 24), ("2026-03-29", 23), ("2026-10-25", 25)] {
        let (from, to) = bounds(day(date), &berlin);
        assert_eq!((to - from).num_hours(), hours, "{date}");
        assert_eq!(day_of(from, &berlin), day(date));
    }
}

#[test]
fn a_streak_ends_with_the_last_day_and_today_is_not_over() {
    let today = day("2026-03-04");
    assert_eq!(streak(&days(&[1, 0, 2, 1]), today), (2, false));
    assert_eq!(streak(&days(&[1, 2, 1, 0]), today), (3, true));
    assert_eq!(streak(&days(&[1, 1, 0]), today), (0, false));
    assert_eq!(streak(&days(&[1, 1, 1, 1]), today), (4, true));
    assert_eq!(streak(&[], today), (0, true));
}

#[test]
fn totals_are_the_sums_of_what_is_shown() {
    let stats = add_up(&days(&[1, 1, 2]));
    assert_eq!(
        stats.days.iter().map(|day| day.minutes).collect::<Vec<_>>(),
        [1, 1, 3]
    );
    assert_eq!(stats.total_minutes, 5);
    assert_eq!(stats.completed_sessions, 4);
}
