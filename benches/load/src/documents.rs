//! The questions in the words of each server. Fields have the same names in all answers, by aliases where they must.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::Result;
use crate::http::NEW_ID;
use crate::sample::Sample;

/// How a server wants to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// The server's own schema, which the floor knows too.
    Meridian,
    Mercurius,
    PostGraphile,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Question {
    /// One task by its id.
    Task,
    /// Fifty planned events with their calendar, task, labels and assignee.
    Plan,
    /// Fifty tasks with labels, assignee and creator.
    Tasks,
    /// A week of events.
    Week,
    /// A new task.
    Create,
}

impl Question {
    /// All of them.
    pub(crate) const ALL: [Self; 5] = [Self::Task, Self::Plan, Self::Tasks, Self::Week, Self::Create];

    /// Name in tables, and name of the operation.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Task => "q1",
            Self::Plan => "q2",
            Self::Tasks => "q2t",
            Self::Week => "q3",
            Self::Create => "q4",
        }
    }

    pub(crate) fn named(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|question| question.name() == name);
        found.ok_or_else(|| format!("no question has the name {name}").into())
    }

    /// The document.
    pub(crate) fn document(self, dialect: Dialect) -> &'static str {
        match (dialect, self) {
            (Dialect::PostGraphile, Self::Task) => {
                "query q1($id: UUID!) { task: taskByRowId(rowId: $id) { id: rowId version title status priority energy \
                 durationMinutes dueAt isAutoScheduled labels createdAt updatedAt } }"
            }
            (Dialect::PostGraphile, Self::Plan) => {
                "query q2($id: UUID!) { calendarEvents: allCalendarEvents(first: 50, condition: {workspaceId: $id}, \
                 orderBy: [START_UTC_ASC, ROW_ID_ASC]) { nodes { id: rowId title start: startUtc end: endUtc \
                 calendar: calendarByWorkspaceIdAndCalendarId { id: rowId name color } \
                 task: taskByWorkspaceIdAndTaskId { id: rowId title status priority dueAt durationMinutes labels \
                 assignee: userByAssigneeId { id: rowId name } } } pageInfo { hasNextPage } } }"
            }
            (Dialect::PostGraphile, Self::Tasks) => {
                "query q2t($id: UUID!) { tasks: allTasks(first: 50, condition: {workspaceId: $id}, \
                 orderBy: [DUE_AT_ASC, ROW_ID_ASC]) { nodes { id: rowId title status priority energy durationMinutes dueAt \
                 isAutoScheduled labels assignee: userByAssigneeId { id: rowId name } \
                 createdBy: userByCreatedBy { id: rowId name } } pageInfo { hasNextPage } } }"
            }
            (Dialect::PostGraphile, Self::Week) => {
                "query q3($id: UUID!, $start: Datetime!, $end: Datetime!) { \
                 calendarEvents: postgraphileWeekEvents(workspace: $id, startAt: $start, endAt: $end, first: 100) { nodes { \
                 id: rowId title start: startUtc end: endUtc kind status location \
                 calendar: calendarByWorkspaceIdAndCalendarId { id: rowId name color } } pageInfo { hasNextPage } } }"
            }
            (Dialect::PostGraphile, Self::Create) => {
                "mutation q4($task: TaskInput!) { createTask(input: {task: $task}) { task { id: rowId title status priority \
                 dueAt labels assignee: userByAssigneeId { id: rowId name } } } }"
            }
            (_, Self::Task) => {
                "query q1($id: ID!) { task(id: $id) { id version title status priority energy durationMinutes dueAt \
                 isAutoScheduled labels createdAt updatedAt } }"
            }
            (_, Self::Plan) => {
                "query q2($id: ID!) { workspace(id: $id) { calendarEvents(first: 50) { nodes { id title start end \
                 calendar { id name color } task { id title status priority dueAt durationMinutes labels \
                 assignee { id name } } } pageInfo { hasNextPage } } } }"
            }
            (_, Self::Tasks) => {
                "query q2t($id: ID!) { workspace(id: $id) { tasks(first: 50) { nodes { id title status priority energy \
                 durationMinutes dueAt isAutoScheduled labels assignee { id name } createdBy { id name } } \
                 pageInfo { hasNextPage } } } }"
            }
            (_, Self::Week) => {
                "query q3($id: ID!, $range: DateTimeRangeInput!) { workspace(id: $id) { \
                 calendarEvents(first: 100, filter: {range: $range}) { nodes { id title start end isAllDay status location \
                 calendar { id name color } } pageInfo { hasNextPage } } } }"
            }
            (_, Self::Create) => {
                "mutation q4($input: CreateTaskInput!) { createTask(input: $input) { task { id title status priority dueAt \
                 labels assignee { id name } } userErrors { code message } } }"
            }
        }
    }

    /// The variables; `number` makes new things differ.
    pub(crate) fn variables(self, dialect: Dialect, sample: &Sample, number: usize) -> Value {
        match self {
            Self::Task => json!({ "id": id(dialect, "task", sample.task) }),
            Self::Plan | Self::Tasks => json!({ "id": id(dialect, "ws", sample.workspace) }),
            Self::Week => {
                let (start, end) = week(number);
                match dialect {
                    Dialect::PostGraphile => {
                        json!({ "id": sample.workspace.to_string(), "start": start, "end": end })
                    }
                    _ => {
                        json!({ "id": id(dialect, "ws", sample.workspace), "range": { "start": start, "end": end } })
                    }
                }
            }
            Self::Create => create(dialect, sample, number),
        }
    }
}

/// The Monday that a number picks, and the next one. Events lie in the six months from June.
fn week(number: usize) -> (String, String) {
    const MONDAYS: [&str; 11] = [
        "2026-06-08",
        "2026-06-15",
        "2026-06-22",
        "2026-06-29",
        "2026-07-06",
        "2026-07-13",
        "2026-07-20",
        "2026-07-27",
        "2026-08-03",
        "2026-08-10",
        "2026-08-17",
    ];
    let first = number % (MONDAYS.len() - 1);
    (
        format!("{}T00:00:00Z", MONDAYS[first]),
        format!("{}T00:00:00Z", MONDAYS[first + 1]),
    )
}

fn create(dialect: Dialect, sample: &Sample, number: usize) -> Value {
    // Far behind every other deadline, so that the first pages stay what they were.
    let due = format!("2037-01-01T00:{:02}:{:02}Z", number / 60 % 60, number % 60);
    let title = format!("Try \"Meridian\" {number}");
    let labels = ["home", "office"];
    match dialect {
        Dialect::Meridian => json!({ "input": {
            "workspaceId": id(dialect, "ws", sample.workspace), "title": title, "priority": "HIGH", "dueAt": due,
            "labels": labels } }),
        Dialect::Mercurius => json!({ "input": {
            "workspaceId": sample.workspace.to_string(), "title": title, "priority": 2, "dueAt": due, "labels": labels } }),
        Dialect::PostGraphile => json!({ "task": {
            "rowId": NEW_ID, "workspaceId": sample.workspace.to_string(), "version": 1, "title": title, "status": "todo",
            "priority": 2, "energy": "medium", "durationMinutes": 30, "completedMinutes": 0, "position": 0, "dueAt": due,
            "isHardDeadline": false, "isAutoScheduled": true, "labels": labels, "assigneeId": sample.person.to_string(),
            "createdBy": sample.person.to_string(), "createdAt": due, "updatedAt": due } }),
    }
}

/// The subscription to the changed tasks of a workspace, and its variables.
pub(crate) fn subscription(dialect: Dialect, workspace: Uuid) -> (&'static str, Value) {
    let document = match dialect {
        Dialect::PostGraphile => {
            "subscription s($id: UUID!) { taskChanged(workspaceId: $id) { action task { id: rowId title status priority dueAt \
             labels } } }"
        }
        _ => {
            "subscription s($id: ID!) { taskChanged(workspaceId: $id) { action taskId task { id title status priority dueAt \
             labels } } }"
        }
    };
    (document, json!({ "id": id(dialect, "ws", workspace) }))
}

/// A change that subscribers hear of: for PostGraphile an insert that tells them, for all others the creation itself.
pub(crate) fn change(
    dialect: Dialect,
    sample: &Sample,
    number: usize,
) -> (&'static str, &'static str, Value) {
    if dialect != Dialect::PostGraphile {
        let variables = Question::Create.variables(dialect, sample, number);
        return ("q4", Question::Create.document(dialect), variables);
    }
    let document = "mutation change($input: PostgraphileAnnounceTaskInput!) { postgraphileAnnounceTask(input: $input) { \
                    result { id: rowId title status priority dueAt labels assignee: userByAssigneeId { id: rowId name } } } }";
    let variables = json!({ "input": {
        "id": NEW_ID, "workspace": sample.workspace.to_string(), "title": format!("Try \"Meridian\" {number}"), "priority": 2,
        "dueAt": "2037-01-01T00:00:00Z", "labels": ["home", "office"], "person": sample.person.to_string() } });
    ("change", document, variables)
}

/// An id as the server writes it: with a prefix, or plain.
fn id(dialect: Dialect, prefix: &str, id: Uuid) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    if dialect != Dialect::Meridian {
        return id.to_string();
    }
    let digit = |place: u32| char::from(ALPHABET[(id.as_u128() >> (place * 5) & 31) as usize]);
    let digits: String = (0..26).rev().map(digit).collect();
    format!("{prefix}_{digits}")
}
