//! Background work and what reaches a person from it: jobs, queues, answers to repeat, notifications.

use crate::m0002_people::NOTIFICATION_TYPES;
use crate::schema::table::Kind::{Bytes, Flag, Int, Json, Small, Text, Time, Uuid};
use crate::schema::table::Table;

/// The tables of this area.
pub(crate) fn tables() -> Vec<Table> {
    vec![jobs(), job_queues(), idempotency_records(), notifications()]
}

/// Queues of jobs.
pub(crate) const QUEUES: &[&str] = &[
    "calendar_sync",
    "email",
    "schedule_generation",
    "notification",
    "data_transfer",
    "maintenance",
];

/// States of a job and of what a job does.
pub(crate) const JOB_STATES: &[&str] = &["queued", "running", "succeeded", "retrying", "dead", "cancelled"];

fn jobs() -> Table {
    Table::new("jobs")
        .word("queue", QUEUES)
        .cols(Text, &["kind"])
        .opt_workspace()
        .person("created_by")
        .cols(Json, &["payload"])
        .word("status", JOB_STATES)
        .cols(Int, &["attempts", "max_attempts", "timeout_seconds"])
        .opts(Int, &["progress_percent"])
        .cols(Small, &["priority"])
        .cols(Time, &["run_at"])
        .opts(Time, &["lease_until", "started_at", "finished_at"])
        .opts(Text, &["lease_owner", "unique_key", "last_error"])
        .cols(Flag, &["cancel_requested"])
        .check("progress_percent", "progress_percent BETWEEN 0 AND 100")
        .unique_where(&["unique_key"], "status IN ('queued', 'running', 'retrying')")
        // Due jobs, by queue or over all of them.
        .index(&["status", "queue", "run_at", "id"])
        .index(&["status", "run_at", "id"])
        // Expired leases.
        .index_where(&["lease_until"], "lease_until IS NOT NULL")
        .index(&["workspace_id", "created_at", "id"])
        .index(&["created_at", "id"])
        .index_where(&["finished_at"], "finished_at IS NOT NULL")
        // A job is updated several times in its short life.
        .fill_factor(70)
}

fn job_queues() -> Table {
    Table::bare("job_queues")
        .word("name", QUEUES)
        .cols(Flag, &["is_paused"])
        .key(&["name"])
}

fn idempotency_records() -> Table {
    Table::bare("idempotency_records")
        .cols(Text, &["caller", "key"])
        .opt_workspace()
        .cols(Bytes, &["body_hash"])
        .opts(Text, &["answer"])
        .cols(Time, &["expires_at"])
        .key(&["caller", "key"])
        .index(&["expires_at"])
}

fn notifications() -> Table {
    Table::new("notifications")
        .owner("user_id")
        .opt_workspace()
        .word("type", NOTIFICATION_TYPES)
        .cols(Text, &["title"])
        .opts(Text, &["body", "subject_type", "dedup_key"])
        // May name an object of any kind, also one that is gone.
        .opts(Uuid, &["subject_id"])
        .opts(Time, &["read_at"])
        .unique(&["dedup_key"])
        .index(&["user_id", "created_at", "id"])
        .index_where(&["user_id", "created_at"], "read_at IS NULL")
}
