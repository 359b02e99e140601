//! Data that comes in or goes out in bulk: imports, exports, webhooks.

use crate::m0004_work::JOB_STATES;
use crate::schema::table::Kind::{Bytes, Flag, Int, Json, Text, Time, Uuid};
use crate::schema::table::Table;

/// The tables of this area.
pub(crate) fn tables() -> Vec<Table> {
    vec![data_transfers(), webhook_endpoints()]
}

fn data_transfers() -> Table {
    Table::owned("data_transfers")
        .person("requested_by")
        .link("calendar_id", "calendars")
        .word("direction", &["import", "export"])
        .word("format", &["ics", "json", "csv"])
        .word("status", JOB_STATES)
        // Jobs are pruned earlier than transfers.
        .opts(Uuid, &["job_id"])
        .cols(Json, &["parameters", "problems"])
        .opts(Bytes, &["content"])
        .cols(Int, &["processed_count"])
        .opts(Text, &["error"])
        .opts(Time, &["expires_at", "finished_at"])
        .index(&["workspace_id", "created_at", "id"])
        .index_where(&["expires_at"], "expires_at IS NOT NULL")
}

fn webhook_endpoints() -> Table {
    Table::owned("webhook_endpoints")
        .cols(Text, &["url"])
        .opts(Text, &["description"])
        .cols(Json, &["event_types"])
        .cols(Bytes, &["sealed_secret"])
        .cols(Flag, &["is_active"])
        .cols(Int, &["failure_count", "version"])
        .opts(Time, &["last_delivery_at", "disabled_at"])
        .person("created_by")
        .index(&["workspace_id", "created_at", "id"])
}
