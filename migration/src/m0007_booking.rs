//! Availability, booking pages and bookings.

use crate::schema::table::Kind::{Bytes, Day, Flag, Int, Text, Time};
use crate::schema::table::Table;

/// The tables of this area.
pub(crate) fn tables() -> Vec<Table> {
    vec![
        availability_schedules(),
        availability_rules(),
        booking_pages(),
        booking_page_hosts(),
        bookings(),
        booking_slots(),
    ]
}

fn availability_schedules() -> Table {
    Table::owned("availability_schedules")
        .person("user_id")
        .cols(Text, &["name", "time_zone"])
        .cols(Flag, &["is_default"])
        .cols(Int, &["version"])
        .index(&["workspace_id", "user_id"])
}

fn availability_rules() -> Table {
    Table::owned("availability_rules")
        .belongs("schedule_id", "availability_schedules")
        .opt_word(
            "weekday",
            &[
                "monday",
                "tuesday",
                "wednesday",
                "thursday",
                "friday",
                "saturday",
                "sunday",
            ],
        )
        .opts(Day, &["date", "effective_from", "effective_until"])
        .cols(Int, &["start_minute", "end_minute"])
        .cols(Flag, &["is_available"])
        .check("day", "(weekday IS NULL) <> (date IS NULL)")
        // The end may lie on the next day: 2880 is its midnight.
        .check(
            "minutes",
            "start_minute >= 0 AND start_minute < 1440 AND end_minute > start_minute AND end_minute <= 2880",
        )
        .index(&["workspace_id", "schedule_id", "date"])
}

fn booking_pages() -> Table {
    Table::owned("booking_pages")
        .cols(Text, &["title", "slug"])
        .opts(Text, &["description"])
        .cols(Flag, &["is_active", "requires_confirmation"])
        .cols(
            Int,
            &[
                "duration_minutes",
                "slot_interval_minutes",
                "buffer_before_minutes",
                "buffer_after_minutes",
                "min_notice_minutes",
                "max_days_ahead",
                "version",
            ],
        )
        .opts(Int, &["max_per_day", "max_per_week"])
        // A page that guests use does not lose its hours or its calendar by accident: point it elsewhere first.
        .needs("availability_schedule_id", "availability_schedules")
        .needs("calendar_id", "calendars")
        .word("host_mode", &["collective", "round_robin"])
        .person("created_by")
        .unique(&["workspace_id", "slug"])
}

fn booking_page_hosts() -> Table {
    Table::bare("booking_page_hosts")
        .workspace()
        .belongs("page_id", "booking_pages")
        .owner("user_id")
        .cols(Int, &["position"])
        .opts(Time, &["last_booked_at"])
        .key(&["page_id", "user_id"])
}

fn bookings() -> Table {
    Table::owned("bookings")
        // Bookings outlive their page.
        .link("page_id", "booking_pages")
        .word(
            "status",
            &[
                "pending",
                "confirmed",
                "cancelled",
                "declined",
                "completed",
                "no_show",
            ],
        )
        .cols(Time, &["start_utc", "end_utc"])
        .cols(Text, &["guest_name", "guest_email", "guest_time_zone"])
        .opts(
            Text,
            &[
                "notes",
                "idempotency_key",
                "cancellation_reason",
                "conference_url",
            ],
        )
        .cols(Bytes, &["guest_token_hash"])
        .cols(Int, &["sequence", "version"])
        .check("range", "end_utc > start_utc")
        .unique(&["guest_token_hash"])
        .unique_where(
            &["workspace_id", "page_id", "idempotency_key"],
            "idempotency_key IS NOT NULL",
        )
        .index(&["workspace_id", "start_utc", "id"])
        .index(&["workspace_id", "page_id", "start_utc", "id"])
        .index(&["workspace_id", "status", "start_utc", "id"])
        .index(&["workspace_id", "guest_email", "start_utc"])
}

/// The wall against double booking. A person is one person in all workspaces, so it does not ask for the workspace; on
/// SQLite the single writer checks again inside the booking transaction.
fn booking_slots() -> Table {
    Table::owned("booking_slots")
        .link("page_id", "booking_pages")
        .goes_with("booking_id", "bookings")
        .owner("host_id")
        .word("status", &["held", "pending", "confirmed", "released"])
        .cols(Time, &["start_utc", "end_utc"])
        .opts(Time, &["expires_at"])
        .check("range", "end_utc > start_utc")
        .check("hold", "status <> 'held' OR expires_at IS NOT NULL")
        .index(&["host_id", "start_utc", "end_utc"])
        .index_where(&["expires_at"], "expires_at IS NOT NULL")
        .on_postgres(
            "ALTER TABLE booking_slots ADD CONSTRAINT booking_slots_overlap \
             EXCLUDE USING gist (host_id WITH =, tstzrange(start_utc, end_utc) WITH &&) \
             WHERE (status IN ('held', 'pending', 'confirmed'))",
        )
}
