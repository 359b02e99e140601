//! What whoever drags an event has before their eyes: days and floating times are where the viewer is, so the instants that they are dragged
//! to say days and wall times of the viewer's place. Promises: events with a zone are moved to the very instants.

use entity::calendar_event;
use entity::enums::EventKind;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;

use crate::access::Ctx;
use crate::features::events::model::Move;
use crate::features::events::stored::zone_of;
use crate::features::people;
use crate::kernel::time::Instant;
use crate::kernel::{Result, zones};
use crate::platform::db::Tx;

/// Where an event is moved to, in the terms of the event.
pub(super) async fn to_place(tx: &Tx, ctx: &Ctx, row: &calendar_event::Model, to: Move) -> Result<Move> {
    let Some(viewer) = ctx.user_id().filter(|_| row.kind != EventKind::Timed) else {
        return Ok(to);
    };
    let preferences = people::preferences_in(tx, viewer).await?;
    Ok(match zones::zone(&preferences.time_zone) {
        Some(viewer) => seen_from(&viewer, row, to),
        None => to,
    })
}

fn seen_from(viewer: &TimeZone, row: &calendar_event::Model, to: Move) -> Move {
    let home = zone_of(row);
    let is_midnight = |local: DateTime| local.time() == Time::midnight();
    let place = |at: Instant| {
        let utc = zones::from_chrono(at);
        let (there, here) = (zones::local_of(utc, viewer), zones::local_of(utc, &home));
        // The event itself tells its days by the midnights of its own zone.
        let is_of_event = row.kind == EventKind::AllDay && is_midnight(here) && !is_midnight(there);
        match is_of_event {
            true => at,
            false => zones::to_chrono(zones::to_utc(there, &home)),
        }
    };
    Move {
        start: place(to.start),
        end: to.end.map(place),
    }
}

#[cfg(test)]
mod tests {
    use entity::ids::{CalendarEventId, CalendarId};
    use uuid::Uuid;

    use super::*;
    use crate::features::events::model::When;
    use crate::features::events::{stored, times};

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    /// An event of Berlin, on 5 March from nine to ten in the morning or the whole day.
    fn event(kind: EventKind) -> calendar_event::Model {
        let (id, calendar) = (CalendarEventId(Uuid::nil()), CalendarId(Uuid::nil()));
        let mut row = stored::blank(id, calendar, Instant::UNIX_EPOCH);
        row.time_zone = "Europe/Berlin".into();
        row.kind = kind;
        let day = |text: &str| text.parse().unwrap();
        let when = match kind {
            EventKind::AllDay => When::AllDay {
                start: day("2026-03-05"),
                end: day("2026-03-06"),
            },
            _ => When::Timed {
                start: at("2026-03-05T08:00:00Z"),
                end: at("2026-03-05T09:00:00Z"),
            },
        };
        times::store(&mut row, when);
        row
    }

    fn dragged(row: &calendar_event::Model, viewer: &str, start: &str) -> When {
        let to = Move {
            start: at(start),
            end: None,
        };
        times::moved(row, seen_from(&zones::zone(viewer).unwrap(), row, to))
    }

    #[test]
    fn a_day_is_dragged_to_the_day_that_the_viewer_sees() {
        for (viewer, start) in [
            // Midnights of 6 March where the viewer is, and where the event is.
            ("Asia/Tokyo", "2026-03-05T15:00:00Z"),
            ("Europe/Berlin", "2026-03-05T23:00:00Z"),
            ("America/New_York", "2026-03-06T05:00:00Z"),
            ("Asia/Tokyo", "2026-03-05T23:00:00Z"),
            ("America/New_York", "2026-03-05T23:00:00Z"),
            // Any time of that day.
            ("Pacific/Auckland", "2026-03-05T22:30:00Z"),
        ] {
            let When::AllDay { start: day, end } = dragged(&event(EventKind::AllDay), viewer, start) else {
                panic!("{viewer}: no day");
            };
            let days = [day.to_string(), end.to_string()];
            assert_eq!(days, ["2026-03-06", "2026-03-07"], "{viewer} {start}");
        }
    }

    #[test]
    fn a_floating_time_is_dragged_to_the_hour_that_the_viewer_sees() {
        let mut row = event(EventKind::Floating);
        let when = dragged(&row, "America/New_York", "2026-03-05T15:00:00Z");
        times::store(&mut row, when);
        let walls = [row.start_local, row.end_local].map(|wall| wall.unwrap().to_string());
        assert_eq!(walls, ["2026-03-05 10:00:00", "2026-03-05 11:00:00"]);
        assert_eq!(row.kind, EventKind::Floating);
    }
}
