//! Events with their exceptions, guests and reminders, and what links them to objects at a provider.

use crate::schema::table::Kind::{Bytes, Day, Flag, Int, Json, Text, Time, Uuid, Wall};
use crate::schema::table::Table;

/// The tables of this area.
pub(crate) fn tables() -> Vec<Table> {
    vec![
        calendar_events(),
        event_overrides(),
        attendees(),
        reminders(),
        external_event_links(),
    ]
}

fn calendar_events() -> Table {
    Table::owned("calendar_events")
        .belongs("calendar_id", "calendars")
        .cols(Int, &["version", "sequence"])
        .cols(Text, &["uid", "title", "time_zone"])
        .opts(
            Text,
            &[
                "description",
                "location",
                "conference_url",
                "rrule",
                "recurrence_id",
            ],
        )
        .opts(
            Text,
            &[
                "organizer_email",
                "organizer_name",
                "color",
                "external_url",
                "source_ics",
            ],
        )
        .word("kind", &["timed", "all_day", "floating"])
        .opts(Wall, &["start_local", "end_local"])
        .opts(Text, &["start_zone", "end_zone", "tzdata_version"])
        .opts(Day, &["start_date", "end_date"])
        .cols(Time, &["start_utc", "end_utc"])
        .opts(Time, &["series_end_utc"])
        .word("status", &["confirmed", "tentative", "cancelled"])
        .word("transparency", &["busy", "free"])
        .word("visibility", &["default", "public", "private"])
        .cols(Json, &["rdates", "exdates"])
        .cols(Flag, &["is_recurring"])
        .link("split_from", "calendar_events")
        .link("task_id", "tasks")
        .link("booking_id", "bookings")
        .person("created_by")
        // Zero length is legal in iCalendar.
        .check("range", "end_utc >= start_utc")
        .check(
            "days",
            "kind <> 'all_day' OR start_date < end_date AND start_date IS NOT NULL AND end_date IS NOT NULL",
        )
        .check(
            "wall",
            "kind = 'all_day' OR start_local IS NOT NULL AND end_local IS NOT NULL",
        )
        .check(
            "zones",
            "kind <> 'timed' OR start_zone IS NOT NULL AND end_zone IS NOT NULL",
        )
        // An import finds its event again by UID; overrides without a master stand beside it.
        .unique_where(&["calendar_id", "uid"], "recurrence_id IS NULL")
        .unique_where(
            &["calendar_id", "uid", "recurrence_id"],
            "recurrence_id IS NOT NULL",
        )
        .index(&["workspace_id", "start_utc", "id"])
        .index(&["workspace_id", "updated_at", "id"])
        .index(&["workspace_id", "title", "id"])
        .index(&["workspace_id", "calendar_id", "start_utc", "id"])
        // A window: single events by both ends, series by their last end (null never ends).
        .index(&["workspace_id", "is_recurring", "end_utc", "start_utc"])
        .index(&["workspace_id", "is_recurring", "series_end_utc", "start_utc"])
        .fill_factor(90)
}

fn event_overrides() -> Table {
    Table::owned("event_overrides")
        .belongs("event_id", "calendar_events")
        .cols(Time, &["original_start_utc"])
        .cols(Text, &["original_start"])
        .cols(Flag, &["cancelled"])
        .cols(Json, &["patch"])
        .opts(Time, &["start_utc", "end_utc"])
        .cols(Int, &["version"])
        .unique(&["event_id", "original_start_utc"])
        // An occurrence may be moved into a window that its series does not touch.
        .index_where(&["workspace_id", "end_utc", "start_utc"], "end_utc IS NOT NULL")
}

fn attendees() -> Table {
    Table::owned("attendees")
        .belongs("event_id", "calendar_events")
        .cols(Text, &["email"])
        .opts(Text, &["name", "comment"])
        .person("user_id")
        .word("response", &["needs_action", "accepted", "declined", "tentative"])
        .cols(Flag, &["is_optional", "is_organizer"])
        .unique(&["event_id", "email"])
        .index(&["workspace_id", "email", "event_id"])
        .index_where(&["user_id", "event_id"], "user_id IS NOT NULL")
}

fn reminders() -> Table {
    Table::owned("reminders")
        .belongs("event_id", "calendar_events")
        .owner("user_id")
        .cols(Int, &["minutes_before", "event_version"])
        .word("channel", &["in_app", "email"])
        .check("minutes_before", "minutes_before >= 0")
        .unique(&["event_id", "user_id", "minutes_before", "channel"])
}

fn external_event_links() -> Table {
    Table::owned("external_event_links")
        .belongs("calendar_id", "calendars")
        // Stays as a tombstone when the event is deleted here, until the provider confirmed.
        .link("event_id", "calendar_events")
        .cols(Text, &["href", "uid"])
        .opts(Text, &["etag"])
        .opts(Bytes, &["content_hash"])
        .opts(Json, &["base"])
        .opts(Int, &["pushed_version"])
        // Mark of mark-and-sweep; runs are pruned.
        .opts(Uuid, &["last_seen_run"])
        .opts(Time, &["tombstoned_at"])
        .unique(&["calendar_id", "href"])
        .index(&["calendar_id", "uid"])
        .index(&["calendar_id", "last_seen_run"])
}
