//! Daylight saving: every zone, every change of clocks of 2020 to 2035, as a table: what is created, moved across the change, repeated,
//! and how long the day is. What is expected is computed from offsets alone, not with what is tested.

use std::sync::Arc;

use chrono::TimeDelta;
use entity::calendar_event::Model;
use entity::ids::{CalendarEventId, CalendarId, WorkspaceId};
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::*;
use crate::features::events::model::{Move, NewRecurrence, When};
use crate::features::events::{remake, times};
use crate::kernel::patch::Patch;
use crate::kernel::text::Checks;

/// When clocks of a zone change, and their offsets before and after.
type Clocks = Arc<[(Timestamp, Offset, Offset)]>;

/// A change of clocks.
struct Change {
    zone: TimeZone,
    name: String,
    at: Timestamp,
    before: Offset,
    after: Offset,
    /// All changes of the zone: some have others near them.
    clocks: Clocks,
}

impl Change {
    /// Seconds that clocks go forward.
    fn forward(&self) -> i64 {
        i64::from(self.after.seconds() - self.before.seconds())
    }

    /// The instant of a wall time: as clocks showed before a change up to then and, when it was skipped, beyond it; else as they show after it.
    fn instant(&self, local: DateTime) -> Timestamp {
        for (at, before, after) in self.clocks.iter() {
            let by_before = before.to_timestamp(local).unwrap();
            let gap = i64::from((after.seconds() - before.seconds()).max(0));
            if by_before < *at + SignedDuration::from_secs(gap) {
                return by_before;
            }
        }
        let (_, _, last) = self.clocks.last().unwrap();
        last.to_timestamp(local).unwrap()
    }

    /// The first instant of a day.
    fn midnight(&self, day: Date) -> Timestamp {
        self.instant(day.to_datetime(Time::midnight()))
    }

    /// The changes of the zone between two instants: seconds forward.
    fn between(&self, from: Instant, to: Instant) -> impl Iterator<Item = i64> {
        let inside = self
            .clocks
            .iter()
            .filter(move |(change, ..)| at(*change) > from && at(*change) < to);
        inside.map(|(_, before, after)| i64::from(after.seconds() - before.seconds()))
    }
}

/// Every change of every zone. Zones whose clocks do the same in all these years, such as those of Central Europe, are one row of the table.
fn changes() -> Vec<Change> {
    let from: Timestamp = "2020-01-01T00:00:00Z".parse().unwrap();
    let until: Timestamp = "2036-01-01T00:00:00Z".parse().unwrap();
    let mut all = Vec::new();
    let mut known = std::collections::HashSet::new();
    for name in zones::names() {
        let zone = zones::zone(&name).unwrap();
        let following = zone.following(from).take_while(|next| next.timestamp() < until);
        let clocks: Vec<(Timestamp, Offset, Offset)> = following
            .map(|next| {
                let at = next.timestamp();
                (at, zone.to_offset(at - 1.second()), next.offset())
            })
            .filter(|(_, before, after)| before != after)
            .collect();
        if !known.insert(clocks.clone()) {
            continue;
        }
        let clocks = Clocks::from(clocks);
        all.extend(clocks.iter().map(|&(at, before, after)| Change {
            zone: zone.clone(),
            name: name.clone(),
            at,
            before,
            after,
            clocks: clocks.clone(),
        }));
    }
    all
}

fn at(instant: Timestamp) -> Instant {
    zones::to_chrono(instant)
}

fn event(zone: &str, when: When) -> Model {
    let id = |number| uuid::Uuid::from_u128(number);
    let mut row = Model {
        id: CalendarEventId(id(1)),
        workspace_id: WorkspaceId(id(2)),
        calendar_id: CalendarId(id(3)),
        time_zone: zone.to_owned(),
        ..blank()
    };
    times::store(&mut row, when);
    row
}

fn blank() -> Model {
    let nil = uuid::Uuid::nil();
    Model {
        id: CalendarEventId(nil),
        workspace_id: WorkspaceId(nil),
        calendar_id: CalendarId(nil),
        version: 1,
        uid: String::new(),
        title: "Event".into(),
        description: None,
        location: None,
        conference_url: None,
        kind: EventKind::Timed,
        start_local: None,
        end_local: None,
        start_zone: None,
        end_zone: None,
        start_date: None,
        end_date: None,
        start_utc: Instant::UNIX_EPOCH,
        end_utc: Instant::UNIX_EPOCH,
        tzdata_version: None,
        time_zone: String::new(),
        status: EventStatus::Confirmed,
        transparency: EventTransparency::Busy,
        visibility: EventVisibility::Default,
        rrule: None,
        rdates: serde_json::json!([]),
        exdates: serde_json::json!([]),
        series_end_utc: None,
        is_recurring: false,
        split_from: None,
        sequence: 0,
        recurrence_id: None,
        organizer_email: None,
        organizer_name: None,
        color: None,
        external_url: None,
        source_ics: None,
        task_id: None,
        booking_id: None,
        created_by: None,
        created_at: Instant::UNIX_EPOCH,
        updated_at: Instant::UNIX_EPOCH,
    }
}

fn series(row: Model, rule: &str) -> Model {
    let mut row = row;
    let mut checks = Checks::default();
    let recurrence = NewRecurrence {
        rule: rule.to_owned(),
        additional: None,
        excluded: None,
    };
    remake::make_series(&mut row, &recurrence, &mut checks);
    checks.finish().unwrap();
    row
}

fn seen(row: &Model, zone: &TimeZone, from: Timestamp, to: Timestamp) -> Vec<(Instant, Instant)> {
    let event = Arc::new(Event {
        row: row.clone(),
        is_masked: false,
    });
    let view = View {
        window: Span::new(at(from), at(to)).unwrap(),
        zone,
        budget: Budget::default(),
    };
    let (mut found, truncated) = occurrences(&event, Vec::new(), view);
    assert!(!truncated);
    found.sort_by_key(|one| one.start);
    found.iter().map(|one| (one.start, one.end)).collect()
}

#[test]
fn every_change_of_clocks_is_survived() {
    let all = changes();
    assert!(all.len() > 1_000, "{} changes", all.len());
    // Those whose clocks change for a month of fasting, and those that left changing and came back to it.
    for name in ["Africa/Casablanca", "Africa/Cairo"] {
        let own = all.iter().filter(|change| change.name == name).count();
        assert!(own >= 10, "{own} changes of {name}");
    }
    for change in &all {
        let wall = change.before.to_datetime(change.at);
        // In the gap or in the hour that comes twice; well before; well after.
        let inside = wall + SignedDuration::from_secs(change.forward() / 2);
        for local in [inside, wall - 5.hours(), wall + 7.hours()] {
            repeats(change, local);
            moves(change, local);
        }
        created(change);
        days(change);
        day_of_change(change);
    }
}

/// A daily event is at its wall time each day; a skipped one comes later by the gap, one that comes twice is the first.
fn repeats(change: &Change, local: DateTime) {
    let first = local - 2.days();
    let (start, length) = (change.instant(first), TimeDelta::minutes(15));
    let when = When::Timed {
        start: at(start),
        end: at(start) + length,
    };
    let row = series(event(&change.name, when), "FREQ=DAILY;COUNT=5");
    let told = seen(&row, &change.zone, start - 48.hours(), start + 240.hours());
    let expected: Vec<Instant> = (0..5).map(|day| at(change.instant(first + day.days()))).collect();
    let starts: Vec<Instant> = told.iter().map(|(start, _)| *start).collect();
    assert_eq!(starts, expected, "{} {} {local}", change.name, change.at);
    for (start, end) in &told {
        // Wall times are kept, so that over a change of clocks an event may last longer or shorter, but never backwards.
        let spans = change.between(*start, *start + length).next().is_some() || change.forward() < 0;
        assert!(
            end > start && (spans || *end - *start == length),
            "{} {} {local}",
            change.name,
            change.at
        );
    }
    // A window tells what the whole tells.
    let middle = seen(
        &row,
        &change.zone,
        zones::from_chrono(told[2].0),
        zones::from_chrono(told[3].0),
    );
    assert_eq!(middle, told[2..3], "{} {}", change.name, change.at);
}

/// A single event keeps its length when it is dragged across, a series its wall time.
fn moves(change: &Change, local: DateTime) {
    let (from, to) = (change.instant(local - 2.days()), change.instant(local + 2.days()));
    let when = When::Timed {
        start: at(from),
        end: at(from) + TimeDelta::minutes(90),
    };
    let row = event(&change.name, when);
    let moved = times::moved(
        &row,
        Move {
            start: at(to),
            end: None,
        },
    );
    let mut single = row.clone();
    times::store(&mut single, moved);
    assert_eq!(
        (single.start_utc, single.end_utc - single.start_utc),
        (at(to), TimeDelta::minutes(90))
    );

    let row = series(row, "FREQ=DAILY;COUNT=3");
    let mut checks = Checks::default();
    let remade = remake::remake(
        &row,
        row.clone(),
        Some(moved),
        None,
        &Patch::Keep,
        Vec::new(),
        &mut checks,
    );
    checks.finish().unwrap();
    let told = seen(&remade.row, &change.zone, to - 24.hours(), to + 144.hours());
    let expected: Vec<Instant> = (2..5).map(|day| at(change.instant(local + day.days()))).collect();
    let starts: Vec<Instant> = told.iter().map(|(start, _)| *start).collect();
    assert_eq!(starts, expected, "{} {}", change.name, change.at);
}

/// The instants that somebody asks for are those that are stored, around the change too.
fn created(change: &Change) {
    for minutes in [-90, -30, 0, 30, 90] {
        let start = change.at + SignedDuration::from_mins(minutes);
        let when = When::Timed {
            start: at(start),
            end: at(start + SignedDuration::from_mins(20)),
        };
        let row = event(&change.name, when);
        let told = seen(&row, &change.zone, start, start + 1.hour());
        assert_eq!(
            told,
            [(at(start), at(start + SignedDuration::from_mins(20)))],
            "{}",
            change.name
        );
    }
}

/// Whole days of a viewer follow each other without gap, and the day of the change is as much longer or shorter as clocks went.
fn days(change: &Change) {
    let day = change.before.to_datetime(change.at).date();
    let dates = |day| zones::date_to_chrono(day);
    let when = When::AllDay {
        start: dates(day - 2.days()),
        end: dates(day - 1.day()),
    };
    // The event is from elsewhere; the days are the viewer's.
    let row = series(event("Pacific/Kiritimati", when), "FREQ=DAILY;COUNT=6");
    let told = seen(
        &row,
        &change.zone,
        change.at - 144.hours(),
        change.at + 192.hours(),
    );
    assert_eq!(told.len(), 6, "{} {}", change.name, change.at);
    for (later, bounds) in (0..6_i64).zip(&told) {
        let own = day - 2.days() + later.days();
        let midnights = (at(change.midnight(own)), at(change.midnight(own + 1.day())));
        assert_eq!(*bounds, midnights, "{} {}", change.name, change.at);
    }
    let whole = told[5].1 - told[0].0;
    let forward: i64 = change.between(told[0].0, told[5].1).sum();
    let expected = TimeDelta::hours(6 * 24) - TimeDelta::seconds(forward);
    assert_eq!(whole, expected, "{} {}", change.name, change.at);
}

/// The day of the change alone, from here and from elsewhere: it lies between its midnights where the viewer is, is in the window of that day
/// and in none beside it, and is there as well when it was dragged there across the change.
fn day_of_change(change: &Change) {
    let day = change.before.to_datetime(change.at).date();
    let when = |first: Date| When::AllDay {
        start: zones::date_to_chrono(first),
        end: zones::date_to_chrono(first + 1.day()),
    };
    let bounds = |first: Date| (change.midnight(first), change.midnight(first + 1.day()));
    let told = |row: &Model, first: Date| {
        let (from, to) = bounds(first);
        seen(row, &change.zone, from, to)
    };
    let (start, end) = bounds(day);
    let expected = [(at(start), at(end))];
    for home in ["Pacific/Kiritimati", change.name.as_str()] {
        let row = event(home, when(day));
        assert_eq!(told(&row, day), expected, "{} {} {home}", change.name, change.at);
        for beside in [day - 1.day(), day + 1.day()] {
            let others = told(&row, beside);
            assert!(others.is_empty(), "{} {} {home}", change.name, change.at);
        }
    }
    for away in [-3_i64, 3] {
        let mut row = event(&change.name, when(day + away.days()));
        let to = Move {
            start: at(start),
            end: None,
        };
        let moved = times::moved(&row, to);
        times::store(&mut row, moved);
        let stored = (row.start_utc, row.end_utc);
        assert_eq!(stored, expected[0], "{} {}", change.name, change.at);
        assert_eq!(told(&row, day), expected, "{} {}", change.name, change.at);
    }
}
