//! Calendars, the services they are mirrored from, and where each sync stands.

use crate::m0004_work::JOB_STATES;
use crate::schema::table::Kind::{Big, Bytes, Flag, Int, Json, Text, Time, Uuid};
use crate::schema::table::Table;

/// The tables of this area.
pub(crate) fn tables() -> Vec<Table> {
    vec![
        integrations(),
        calendars(),
        calendar_settings(),
        calendar_syncs(),
        sync_runs(),
    ]
}

fn integrations() -> Table {
    Table::owned("integrations")
        // Credentials are personal: they go with the person.
        .owner("owner_id")
        .word("provider", &["google", "caldav", "ics_feed"])
        .cols(Text, &["account_label"])
        .word(
            "status",
            &[
                "pending",
                "active",
                "syncing",
                "needs_reauth",
                "error",
                "held",
                "paused",
            ],
        )
        .opts(Text, &["server_url", "username", "last_error"])
        .opts(Bytes, &["sealed_credentials"])
        .cols(Json, &["settings"])
        .cols(Int, &["refresh_minutes", "version"])
        .opts(Time, &["last_synced_at", "next_sync_at"])
        .index(&["workspace_id", "created_at", "id"])
        .index_where(&["next_sync_at"], "next_sync_at IS NOT NULL")
}

fn calendars() -> Table {
    Table::owned("calendars")
        .person("owner_id")
        // A mirror goes with its integration; keeping its events means making it local first.
        .goes_with("integration_id", "integrations")
        .opts(Text, &["external_id", "description"])
        .cols(Text, &["name", "color", "time_zone"])
        .cols(
            Flag,
            &["is_default", "is_read_only", "counts_as_busy", "is_mirrored"],
        )
        .opts(Bytes, &["feed_secret_hash", "sealed_feed_secret"])
        .cols(Int, &["version"])
        .unique(&["integration_id", "external_id"])
        .unique(&["feed_secret_hash"])
        .index(&["workspace_id", "name", "id"])
        .index(&["workspace_id", "owner_id"])
}

fn calendar_settings() -> Table {
    Table::bare("calendar_settings")
        .owner("user_id")
        .workspace()
        .belongs("calendar_id", "calendars")
        .cols(Flag, &["is_visible"])
        .key(&["user_id", "calendar_id"])
}

fn calendar_syncs() -> Table {
    Table::bare("calendar_syncs")
        .workspace()
        .belongs("calendar_id", "calendars")
        .belongs("integration_id", "integrations")
        .word("state", &["idle", "full", "delta", "backfill"])
        .opts(
            Text,
            &[
                "sync_token",
                "ctag",
                "page_cursor",
                "etag",
                "last_modified",
                "lease_owner",
                "last_error",
            ],
        )
        .opts(Time, &["lease_until", "last_success_at"])
        .cols(Big, &["lease_fence"])
        .opts(Json, &["held_deletes"])
        .key(&["calendar_id"])
}

fn sync_runs() -> Table {
    Table::owned("sync_runs")
        .belongs("integration_id", "integrations")
        // Jobs are pruned earlier than runs.
        .opts(Uuid, &["job_id"])
        .word("status", JOB_STATES)
        .cols(
            Int,
            &[
                "created_count",
                "updated_count",
                "deleted_count",
                "pushed_count",
                "problem_count",
                "processed_count",
            ],
        )
        .opts(Int, &["percent"])
        .cols(Json, &["problems"])
        .opts(Text, &["error"])
        .link("calendar_id", "calendars")
        .cols(Time, &["started_at"])
        .opts(Time, &["finished_at"])
        .check("percent", "percent BETWEEN 0 AND 100")
        .index(&["workspace_id", "integration_id", "started_at", "id"])
        .index(&["started_at"])
}
