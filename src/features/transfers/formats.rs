//! How objects look in files, and what they become. Pure.

use chrono::{DateTime, Utc};
use entity::enums::{EnergyLevel, TaskPriority, TaskStatus};
use entity::ids::{TaskId, TypedId as _, WorkspaceId};
use entity::{calendar, task};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::features::events::ical::{Todo, TodoStatus};
use crate::features::tasks::{self, ImportedTask};
use crate::kernel::zones;

/// What a file of a whole workspace calls itself.
pub(super) const FORMAT: &str = "meridian-workspace-1";

/// A calendar in a JSON file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CalendarRecord {
    pub(super) id: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) color: Option<String>,
    #[serde(default)]
    pub(super) time_zone: Option<String>,
}

impl From<&calendar::Model> for CalendarRecord {
    fn from(row: &calendar::Model) -> Self {
        Self {
            id: row.id.to_string(),
            name: row.name.clone(),
            description: row.description.clone(),
            color: Some(row.color.clone()),
            time_zone: Some(row.time_zone.clone()),
        }
    }
}

/// An event or series in a JSON file: the calendar it is in, and all of it as iCalendar has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventRecord {
    #[serde(default)]
    pub(super) calendar_id: Option<String>,
    pub(super) ics: String,
}

/// A task in a JSON file, or in a table with fewer of these.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct TaskRecord {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) status: TaskStatus,
    pub(super) priority: Option<TaskPriority>,
    pub(super) energy: Option<EnergyLevel>,
    pub(super) duration_minutes: Option<i32>,
    pub(super) start_after: Option<DateTime<Utc>>,
    pub(super) due_at: Option<DateTime<Utc>>,
    pub(super) is_hard_deadline: Option<bool>,
    pub(super) is_auto_scheduled: Option<bool>,
    pub(super) labels: Vec<String>,
    pub(super) recurrence_rule: Option<String>,
    pub(super) completed_at: Option<DateTime<Utc>>,
    pub(super) parent_id: Option<String>,
    pub(super) depends_on_ids: Vec<String>,
}

impl TaskRecord {
    /// A task as it is written.
    pub(super) fn of(row: &task::Model, depends_on: &[TaskId]) -> Self {
        Self {
            id: row.id.to_string(),
            title: row.title.clone(),
            description: row.description.clone(),
            status: row.status,
            priority: Some(row.priority),
            energy: Some(row.energy),
            duration_minutes: Some(row.duration_minutes),
            start_after: row.start_after,
            due_at: row.due_at,
            is_hard_deadline: Some(row.is_hard_deadline),
            is_auto_scheduled: Some(row.is_auto_scheduled),
            labels: tasks::labels_of(row),
            recurrence_rule: row.recurrence_rule.clone(),
            completed_at: row.completed_at,
            parent_id: row.parent_id.map(|id| id.to_string()),
            depends_on_ids: depends_on.iter().map(TaskId::to_string).collect(),
        }
    }

    /// The task as it is imported under an id.
    pub(super) fn imported(self, id: TaskId) -> ImportedTask {
        ImportedTask {
            id,
            title: self.title,
            description: self.description,
            status: self.status,
            priority: self.priority.unwrap_or(TaskPriority::Medium),
            energy: self.energy,
            minutes: self.duration_minutes,
            start_after: self.start_after,
            due_at: self.due_at,
            is_hard_deadline: self.is_hard_deadline,
            is_auto_scheduled: self.is_auto_scheduled,
            labels: self.labels,
            recurrence_rule: self.recurrence_rule,
            completed_at: self.completed_at,
        }
    }
}

/// A task as iCalendar has it.
pub(super) fn todo(row: &task::Model) -> Todo {
    Todo {
        uid: row.id.uuid().hyphenated().to_string(),
        summary: Some(row.title.clone()),
        description: row.description.clone(),
        status: match row.status {
            TaskStatus::Todo => TodoStatus::NeedsAction,
            TaskStatus::InProgress => TodoStatus::InProcess,
            TaskStatus::Done => TodoStatus::Completed,
            TaskStatus::Cancelled => TodoStatus::Cancelled,
        },
        priority: match row.priority {
            TaskPriority::Urgent => 1,
            TaskPriority::High => 3,
            TaskPriority::Medium => 5,
            TaskPriority::Low => 9,
        },
        start: row.start_after.map(zones::from_chrono),
        due: row.due_at.map(zones::from_chrono),
        completed: row.completed_at.map(zones::from_chrono),
        minutes: Some(row.duration_minutes),
        categories: tasks::labels_of(row),
        rrule: row.recurrence_rule.clone(),
        sequence: row.version,
        created: Some(zones::from_chrono(row.created_at)),
        changed: Some(zones::from_chrono(row.updated_at)),
    }
}

/// A task of an iCalendar file as it is imported under an id.
pub(super) fn task_of(todo: Todo, id: TaskId) -> ImportedTask {
    ImportedTask {
        id,
        title: todo.summary.unwrap_or_else(|| "(No title)".to_owned()),
        description: todo.description,
        status: match todo.status {
            TodoStatus::NeedsAction => TaskStatus::Todo,
            TodoStatus::InProcess => TaskStatus::InProgress,
            TodoStatus::Completed => TaskStatus::Done,
            TodoStatus::Cancelled => TaskStatus::Cancelled,
        },
        priority: match todo.priority {
            1 | 2 => TaskPriority::Urgent,
            3 | 4 => TaskPriority::High,
            6..=9 => TaskPriority::Low,
            _ => TaskPriority::Medium,
        },
        energy: None,
        minutes: todo.minutes,
        start_after: todo.start.map(zones::to_chrono),
        due_at: todo.due.map(zones::to_chrono),
        is_hard_deadline: None,
        is_auto_scheduled: None,
        labels: todo.categories,
        recurrence_rule: todo.rrule,
        completed_at: todo.completed.map(zones::to_chrono),
    }
}

/// The id that a task of a file would have if it were from here.
pub(super) fn native_id(key: &str) -> Option<TaskId> {
    let by_uuid = || key.parse::<Uuid>().ok().map(TaskId::from_uuid);
    key.parse::<TaskId>().ok().or_else(by_uuid)
}

/// The id of a task from elsewhere: the same each time it is imported into a workspace, and another one in every other.
pub(super) fn foreign_id(workspace: WorkspaceId, key: &str) -> TaskId {
    let hash = Sha256::new()
        .chain_update(b"imported task")
        .chain_update(workspace.0.as_bytes())
        .chain_update(key.as_bytes())
        .finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    TaskId::from_uuid(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_ids_are_stable_and_belong_to_a_workspace() {
        let (one, other) = (WorkspaceId(Uuid::from_u128(1)), WorkspaceId(Uuid::from_u128(2)));
        assert_eq!(foreign_id(one, "a"), foreign_id(one, "a"));
        assert_ne!(foreign_id(one, "a"), foreign_id(other, "a"));
        assert_ne!(foreign_id(one, "a"), foreign_id(one, "b"));
        let id = foreign_id(one, "a");
        assert_eq!(native_id(&id.to_string()), Some(id));
        assert_eq!(native_id(&id.uuid().to_string()), Some(id));
        assert_eq!(native_id("a"), None);
    }

    #[test]
    fn a_record_may_leave_out_all_but_its_title() {
        let record: TaskRecord = serde_json::from_str("{\"title\":\"A\"}").unwrap();
        assert_eq!(record.title, "A");
        assert!(serde_json::from_str::<TaskRecord>("{\"status\":\"later\"}").is_err());
    }
}
