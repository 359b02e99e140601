//! Tasks, what they wait for, and the index of their labels.

use crate::schema::table::Kind::{Flag, Int, Json, Small, Text, Time, Uuid};
use crate::schema::table::Table;

/// The tables of this area.
pub(crate) fn tables() -> Vec<Table> {
    vec![tasks(), task_dependencies(), task_labels()]
}

fn tasks() -> Table {
    Table::owned("tasks")
        .cols(
            Int,
            &["version", "duration_minutes", "completed_minutes", "position"],
        )
        .opts(Int, &["min_chunk_minutes", "max_chunk_minutes"])
        .cols(Text, &["title"])
        .opts(Text, &["description", "recurrence_rule"])
        .word("status", &["todo", "in_progress", "done", "cancelled"])
        // The rank of the priority, so that it sorts.
        .cols(Small, &["priority"])
        .check("priority", "priority BETWEEN 0 AND 3")
        .word("energy", &["low", "medium", "high"])
        .opts(Time, &["start_after", "due_at", "completed_at"])
        .cols(Flag, &["is_hard_deadline", "is_auto_scheduled"])
        .cols(Json, &["labels"])
        .person("assignee_id")
        .person("created_by")
        // Deleting a task deletes its sub-tasks.
        .goes_with("parent_id", "tasks")
        // Names the first of a repeated task, which may be gone.
        .opts(Uuid, &["series_id"])
        // One index for each sort order of the contract, ending with the key of its cursor.
        .index(&["workspace_id", "due_at", "id"])
        .index(&["workspace_id", "priority", "id"])
        .index(&["workspace_id", "created_at", "id"])
        .index(&["workspace_id", "updated_at", "id"])
        .index(&["workspace_id", "title", "id"])
        .index(&["workspace_id", "status", "due_at", "id"])
        .index(&["workspace_id", "assignee_id", "due_at", "id"])
        .index_where(
            &["workspace_id", "parent_id", "position", "id"],
            "parent_id IS NOT NULL",
        )
        .index_where(&["workspace_id", "series_id"], "series_id IS NOT NULL")
        .fill_factor(90)
}

fn task_dependencies() -> Table {
    Table::bare("task_dependencies")
        .workspace()
        .belongs("task_id", "tasks")
        .belongs("depends_on_id", "tasks")
        .check("self", "task_id <> depends_on_id")
        .key(&["task_id", "depends_on_id"])
        .index(&["workspace_id", "task_id"])
}

fn task_labels() -> Table {
    Table::bare("task_labels")
        .workspace()
        .cols(Text, &["label"])
        .belongs("task_id", "tasks")
        .key(&["workspace_id", "label", "task_id"])
}
