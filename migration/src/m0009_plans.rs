//! Plans, their slots, what did not fit, and focus sessions.

use crate::schema::table::Kind::{Day, Flag, Int, Json, Text, Time, Uuid};
use crate::schema::table::Table;

/// The tables of this area.
pub(crate) fn tables() -> Vec<Table> {
    vec![
        schedules(),
        schedule_slots(),
        unscheduled_tasks(),
        focus_sessions(),
    ]
}

fn schedules() -> Table {
    Table::owned("schedules")
        .owner("user_id")
        .word(
            "status",
            &[
                "generating",
                "proposed",
                "applied",
                "discarded",
                "superseded",
                "failed",
            ],
        )
        .cols(Day, &["start_date", "end_date"])
        .word("engine", &["solver", "ai"])
        .opts(
            Text,
            &[
                "instructions",
                "feedback",
                "explanation",
                "error",
                "progress_message",
            ],
        )
        .cols(Flag, &["auto_apply"])
        .opts(Json, &["task_ids", "stats", "diff"])
        .link("base_schedule_id", "schedules")
        .link("calendar_id", "calendars")
        // Jobs are pruned earlier than plans.
        .opts(Uuid, &["job_id"])
        .opts(Int, &["score"])
        .word(
            "phase",
            &[
                "queued",
                "collecting",
                "reasoning",
                "solving",
                "saving",
                "done",
                "failed",
            ],
        )
        .cols(
            Int,
            &["percent", "placed_task_count", "total_task_count", "version"],
        )
        .opts(Time, &["generated_at", "applied_at"])
        .check("days", "end_date >= start_date")
        .check("percent", "percent BETWEEN 0 AND 100")
        .index(&["workspace_id", "created_at", "id"])
        .index(&["workspace_id", "user_id", "status", "start_date"])
}

fn schedule_slots() -> Table {
    Table::owned("schedule_slots")
        .belongs("schedule_id", "schedules")
        .cols(Time, &["start_utc", "end_utc"])
        .opts(Time, &["previous_start_utc"])
        .word("kind", &["task", "focus", "break", "buffer"])
        // Work on a deleted task is no longer planned.
        .goes_with("task_id", "tasks")
        .link("calendar_event_id", "calendar_events")
        .cols(Flag, &["is_locked"])
        .cols(Json, &["reasons"])
        .check("range", "end_utc > start_utc")
        .index(&["workspace_id", "schedule_id", "start_utc"])
        .index(&["workspace_id", "task_id", "start_utc"])
}

fn unscheduled_tasks() -> Table {
    Table::owned("unscheduled_tasks")
        .belongs("schedule_id", "schedules")
        .belongs("task_id", "tasks")
        .word(
            "reason",
            &["no_capacity", "blocked", "fragmented", "deadline_passed"],
        )
        .cols(Int, &["missing_minutes"])
        .cols(Text, &["message"])
        .cols(Json, &["relaxations"])
        .unique(&["schedule_id", "task_id"])
}

fn focus_sessions() -> Table {
    Table::owned("focus_sessions")
        .owner("user_id")
        // Time that was spent stays on record when the task is gone.
        .link("task_id", "tasks")
        .word("status", &["active", "paused", "completed", "abandoned"])
        .cols(
            Int,
            &[
                "planned_minutes",
                "focused_seconds",
                "interruption_count",
                "version",
            ],
        )
        .cols(Time, &["started_at"])
        .opts(Time, &["running_since", "ended_at"])
        .opts(Text, &["notes"])
        .unique_where(&["user_id"], "status IN ('active', 'paused')")
        .index(&["workspace_id", "user_id", "started_at", "id"])
}
