//! When ticks are due.

use super::*;
use crate::kernel::jobs::Payload;

const HOUR: Duration = Duration::from_secs(3_600);

fn at(seconds: i64) -> Instant {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn entry(catch_up: CatchUp) -> CronEntry {
    CronEntry {
        name: "test",
        every: HOUR,
        catch_up,
        payload: |_| Payload::PruneExpired,
    }
}

#[test]
fn ticks_are_multiples_of_the_period() {
    assert_eq!(latest_tick(HOUR, at(7_199)), at(3_600));
    assert_eq!(latest_tick(HOUR, at(7_200)), at(7_200));
    assert_eq!(until(at(3_600), HOUR, at(7_190)), Duration::from_secs(10));
    assert_eq!(until(at(3_600), HOUR, at(9_999)), Duration::ZERO);
}

#[test]
fn missed_ticks_are_made_up_for_as_the_schedule_wants_it() {
    let (last, newest) = (at(0), at(5 * 3_600));
    let due = |catch_up, last| due_ticks(&entry(catch_up), last, newest, newest);
    assert_eq!(due(CatchUp::Newest, Some(last)), [newest]);
    assert!(due(CatchUp::Newest, Some(newest)).is_empty());
    let each = CatchUp::Each { at_most: 3 };
    assert_eq!(due(each, Some(last)), [at(3 * 3_600), at(4 * 3_600), newest]);
    assert_eq!(due(each, Some(at(4 * 3_600))), [newest]);
    // Nobody took any yet.
    assert_eq!(due(each, None), [newest]);
}

#[test]
fn a_clock_that_was_ahead_does_not_stop_a_schedule() {
    let now = at(7_200);
    let due = |last| due_ticks(&entry(CatchUp::Newest), Some(last), now, now);
    assert!(due(at(7_500)).is_empty(), "another replica is a little ahead");
    assert_eq!(due(at(7_200 + 365 * 86_400)), [now]);
}
