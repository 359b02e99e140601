//! The table: one valid use of every root field, and of every other field that takes an id. `$name` is an id of the caller's world.
//! Commands that end something stand at the end.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use entity::enums::WorkspaceRole;
use entity::enums::WorkspaceRole::{Admin, Member, Owner, Viewer};
use serde_json::{Value, json};

use crate::contract::model::{Member as Argument, Model};

/// Who may do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Least {
    /// Also guests.
    Anybody,
    /// Whoever is signed in, with what is theirs.
    Oneself,
    /// A member with this role.
    Role(WorkspaceRole),
    /// An administrator of the installation.
    Installation,
}

/// One use of a field.
pub struct Case {
    pub on: &'static str,
    pub field: &'static str,
    pub least: Least,
    pub variables: Value,
    select: &'static str,
}

impl Case {
    /// The operation.
    pub fn document(&self) -> String {
        let schema = schema();
        let known = self.arguments(schema);
        let given: Vec<&String> = self
            .variables
            .as_object()
            .unwrap()
            .keys()
            .filter(|name| known.contains_key(*name))
            .collect();
        let list = |text: &dyn Fn(&String) -> String| {
            given.iter().map(|name| text(name)).collect::<Vec<_>>().join(", ")
        };
        let mut variables = list(&|name| format!("${name}: {}", known[name].ty));
        let arguments = list(&|name| format!("{name}: ${name}"));
        let arguments = if given.is_empty() {
            String::new()
        } else {
            format!("({arguments})")
        };
        let field = format!("{}{arguments} {}", self.field, self.select);
        let (kind, field) = match self.on {
            "Mutation" => ("mutation", field),
            "Subscription" => ("subscription", field),
            "Workspace" => {
                variables = format!("$workspace: ID!, {variables}");
                ("query", format!("workspace(id: $workspace) {{ {field} }}"))
            }
            "Viewer" => ("query", format!("viewer {{ {field} }}")),
            _ => ("query", field),
        };
        let variables = if variables.is_empty() {
            variables
        } else {
            format!("({variables})")
        };
        format!("{kind} {variables} {{ {field} }}")
    }

    /// The field on the first level of the answer.
    pub fn root(&self) -> &'static str {
        match self.on {
            "Workspace" => "workspace",
            "Viewer" => "viewer",
            _ => self.field,
        }
    }

    /// The arguments that the schema has.
    pub fn arguments<'a>(&self, schema: &'a Model) -> &'a BTreeMap<String, Argument> {
        let field = schema
            .types
            .get(self.on)
            .and_then(|ty| ty.members.get(self.field));
        &field
            .unwrap_or_else(|| panic!("there is no {}.{} any more", self.on, self.field))
            .arguments
    }
}

/// The schema as it is exported, parsed once: there are thousands of documents to be made from it.
pub fn schema() -> &'static Model {
    static SCHEMA: LazyLock<Model> = LazyLock::new(|| Model::parse(include_str!("../../../schema.graphql")));
    &SCHEMA
}

/// Where the arguments hold ids, or the URL name that a workspace is looked up by, as JSON pointers into the variables. A name inside an
/// input is one that somebody wants to give.
pub fn paths(schema: &Model, arguments: &BTreeMap<String, Argument>) -> Vec<String> {
    let mut found = ids_in(schema, arguments);
    if arguments.contains_key("slug") {
        found.push("/slug".to_owned());
    }
    found
}

fn ids_in(schema: &Model, arguments: &BTreeMap<String, Argument>) -> Vec<String> {
    let mut found = Vec::new();
    for (name, argument) in arguments {
        let ty = argument.ty.trim_matches(['[', ']', '!']);
        if ty == "ID" {
            found.push(format!("/{name}"));
        } else if let Some(input) = schema.types.get(ty).filter(|ty| ty.kind == "an input") {
            let index = if argument.ty.starts_with('[') { "/0" } else { "" };
            let inner = ids_in(schema, &input.members);
            found.extend(inner.into_iter().map(|path| format!("/{name}{index}{path}")));
        }
    }
    found
}

fn case(on: &'static str, field: &'static str, least: Least, variables: Value, select: &'static str) -> Case {
    Case {
        on,
        field,
        least,
        variables,
        select,
    }
}

fn query(field: &'static str, least: Least, variables: Value, select: &'static str) -> Case {
    case("Query", field, least, variables, select)
}

fn mutation(field: &'static str, least: Least, variables: Value) -> Case {
    case(
        "Mutation",
        field,
        least,
        variables,
        "{ userErrors { code field message } }",
    )
}

fn live(field: &'static str, least: Least, variables: Value, select: &'static str) -> Case {
    case("Subscription", field, least, variables, select)
}

/// Every case.
pub fn cases() -> Vec<Case> {
    let mut cases = reads();
    cases.extend(commands());
    cases.extend(endings());
    cases
}

fn reads() -> Vec<Case> {
    use Least::{Anybody, Installation, Oneself, Role};
    let id = |name: &str| json!({ "id": name });
    vec![
        query(
            "serverInfo",
            Anybody,
            json!({}),
            "{ version signInProviders { name } }",
        ),
        query("rateLimit", Anybody, json!({}), "{ limit }"),
        query("viewer", Oneself, json!({}), "{ user { id name } }"),
        query("node", Role(Viewer), id("$task"), "{ id ... on Task { title } }"),
        query(
            "nodes",
            Role(Viewer),
            json!({ "ids": ["$task", "$event"] }),
            "{ id }",
        ),
        query("workspace", Role(Viewer), id("$workspace"), "{ id name slug }"),
        query(
            "workspaceBySlug",
            Role(Viewer),
            json!({ "slug": "$slug" }),
            "{ id name }",
        ),
        query("calendar", Role(Viewer), id("$calendar"), "{ id name }"),
        query("calendarEvent", Role(Viewer), id("$event"), "{ id title }"),
        query(
            "integration",
            Role(Viewer),
            id("$integration"),
            "{ id accountLabel }",
        ),
        query("job", Role(Viewer), id("$job"), "{ id status }"),
        query(
            "jobs",
            Installation,
            json!({ "filter": { "workspaceId": "$workspace" } }),
            "{ totalCount }",
        ),
        query("jobQueues", Installation, json!({}), "{ name workerCount }"),
        query("task", Role(Viewer), id("$task"), "{ id title }"),
        case(
            "Workspace",
            "tasks",
            Role(Viewer),
            json!({ "workspace": "$workspace", "filter": { "assigneeIds": ["$user"], "parentId": "$task" } }),
            "{ totalCount nodes { title } }",
        ),
        case(
            "Workspace",
            "calendarEvents",
            Role(Viewer),
            json!({ "workspace": "$workspace", "filter": { "calendarIds": ["$calendar"] } }),
            "{ totalCount nodes { title } }",
        ),
        case(
            "Workspace",
            "eventOccurrences",
            Role(Viewer),
            json!({ "workspace": "$workspace", "calendarIds": ["$calendar"],
                "range": { "start": "2026-01-01T00:00:00Z", "end": "2026-12-31T00:00:00Z" } }),
            "{ title }",
        ),
        query(
            "search",
            Role(Viewer),
            json!({ "workspaceId": "$workspace", "query": "e" }),
            "{ __typename }",
        ),
        query(
            "previewRecurrence",
            Oneself,
            json!({ "rule": "FREQ=DAILY", "start": "2026-03-02T08:00:00Z", "timeZone": "UTC" }),
            "{ summary }",
        ),
        case(
            "Workspace",
            "auditLogs",
            Role(Admin),
            json!({ "workspace": "$workspace", "filter": { "actorIds": ["$user"], "entityId": "$task" } }),
            "{ totalCount nodes { action } }",
        ),
        case(
            "Viewer",
            "notifications",
            Oneself,
            json!({ "filter": { "workspaceId": "$workspace" } }),
            "{ totalCount nodes { title } }",
        ),
        case(
            "Workspace",
            "focusSessions",
            Role(Viewer),
            json!({ "workspace": "$workspace" }),
            "{ totalCount nodes { status } }",
        ),
        live(
            "taskChanged",
            Role(Viewer),
            json!({ "workspaceId": "$workspace" }),
            "{ cursor }",
        ),
        live(
            "calendarEventChanged",
            Role(Viewer),
            json!({ "workspaceId": "$workspace", "calendarIds": ["$calendar"] }),
            "{ cursor }",
        ),
        query("dataTransfer", Oneself, id("$transfer"), "{ id format }"),
        query("schedule", Role(Viewer), id("$schedule"), "{ id status }"),
        case(
            "Workspace",
            "schedules",
            Role(Viewer),
            json!({ "workspace": "$workspace", "filter": { "userId": "$user" } }),
            "{ totalCount nodes { status } }",
        ),
        live(
            "scheduleProgress",
            Role(Viewer),
            json!({ "scheduleId": "$schedule" }),
            "{ percent }",
        ),
        live(
            "syncProgress",
            Role(Viewer),
            json!({ "integrationId": "$integration" }),
            "{ processedCount }",
        ),
        live("jobProgress", Role(Viewer), json!({ "jobId": "$job" }), "{ id }"),
        live(
            "jobChanged",
            Installation,
            json!({ "queues": ["EMAIL"] }),
            "{ id }",
        ),
        live("notificationReceived", Oneself, json!({}), "{ id }"),
        live(
            "presenceChanged",
            Role(Viewer),
            json!({ "workspaceId": "$workspace" }),
            "{ status }",
        ),
    ]
}

fn commands() -> Vec<Case> {
    use Least::{Oneself, Role};
    let id = |name: &str| json!({ "id": name });
    let input = |value: Value| json!({ "input": value });
    let day = json!({ "timed": { "start": "2026-03-05T09:00:00Z", "end": "2026-03-05T10:00:00Z" } });
    vec![
        mutation(
            "createTask",
            Role(Member),
            input(json!({
                "workspaceId": "$workspace", "title": "New", "assigneeId": "$user", "parentId": "$task",
                "dependencyIds": ["$task2"],
            })),
        ),
        mutation(
            "updateTask",
            Role(Member),
            json!({ "id": "$task2", "input": { "title": "Other", "assigneeId": "$user", "parentId": "$task" } }),
        ),
        mutation(
            "bulkUpdateTasks",
            Role(Member),
            json!({ "ids": ["$task"], "input": { "assigneeId": "$user", "priority": "HIGH" } }),
        ),
        mutation("completeTask", Role(Member), id("$task2")),
        mutation("reopenTask", Role(Member), id("$task2")),
        mutation(
            "addTaskDependency",
            Role(Member),
            json!({ "taskId": "$task2", "dependsOnId": "$task" }),
        ),
        mutation(
            "removeTaskDependency",
            Role(Member),
            json!({ "taskId": "$task2", "dependsOnId": "$task" }),
        ),
        mutation(
            "generateSchedule",
            Role(Member),
            input(json!({
                "workspaceId": "$workspace", "startDate": "2026-03-03", "endDate": "2026-03-04", "taskIds": ["$task"],
            })),
        ),
        mutation(
            "moveScheduleSlot",
            Role(Member),
            json!({ "id": "$slot", "start": "2026-03-04T12:00:00Z" }),
        ),
        mutation(
            "setScheduleSlotLock",
            Role(Member),
            json!({ "id": "$slot", "isLocked": false }),
        ),
        mutation(
            "applySchedule",
            Role(Member),
            json!({ "id": "$schedule", "slotIds": ["$slot"], "calendarId": "$calendar" }),
        ),
        mutation("revertSchedule", Role(Member), id("$schedule")),
        // Between two states in which nothing else may be done with it.
        mutation("discardSchedule", Role(Member), id("$schedule")),
        mutation("regenerateSchedule", Role(Member), id("$schedule")),
        mutation("cancelScheduleGeneration", Role(Member), id("$schedule")),
        mutation(
            "quickAdd",
            Role(Member),
            input(json!({ "workspaceId": "$workspace", "text": "Lunch with Ana tomorrow at 1pm" })),
        ),
        mutation("pauseFocusSession", Oneself, id("$focus")),
        mutation("resumeFocusSession", Oneself, id("$focus")),
        mutation("recordInterruption", Oneself, id("$focus")),
        mutation("endFocusSession", Oneself, id("$focus")),
        mutation(
            "startFocusSession",
            Role(Member),
            input(json!({ "workspaceId": "$workspace", "taskId": "$task", "plannedMinutes": 25 })),
        ),
        mutation(
            "startImport",
            Role(Member),
            input(json!({
                "workspaceId": "$workspace", "calendarId": "$calendar", "format": "ICS",
                "content": "BEGIN:VCALENDAR\nEND:VCALENDAR\n",
            })),
        ),
        mutation(
            "startExport",
            Role(Viewer),
            input(json!({ "workspaceId": "$workspace", "format": "ICS", "calendarIds": ["$calendar"] })),
        ),
        mutation(
            "createCalendar",
            Role(Member),
            input(json!({ "workspaceId": "$workspace", "name": "New" })),
        ),
        mutation(
            "updateCalendar",
            Role(Member),
            json!({ "id": "$calendar", "input": { "name": "Other" } }),
        ),
        mutation(
            "createCalendarEvent",
            Role(Member),
            input(json!({ "calendarId": "$calendar", "title": "New", "time": day })),
        ),
        mutation(
            "updateCalendarEvent",
            Role(Member),
            json!({ "id": "$event", "input": { "title": "Other", "calendarId": "$calendar2" } }),
        ),
        mutation(
            "moveCalendarEvent",
            Role(Member),
            json!({ "id": "$event", "start": "2026-03-06T09:00:00Z" }),
        ),
        mutation(
            "respondToCalendarEvent",
            Role(Viewer),
            json!({ "id": "$event", "response": "ACCEPTED" }),
        ),
        mutation(
            "connectIntegration",
            Role(Admin),
            input(json!({
                "workspaceId": "$workspace",
                "service": { "icsFeed": { "url": "$feed", "name": "x" } },
            })),
        ),
        // Its sync waits for this decision.
        mutation(
            "confirmSync",
            Role(Admin),
            json!({ "integrationId": "$integration", "accept": true }),
        ),
        mutation("syncIntegration", Role(Admin), id("$integration")),
        mutation(
            "updateIntegration",
            Role(Admin),
            json!({ "id": "$integration", "input": { "calendarIds": ["$mirror"], "isPaused": true } }),
        ),
        mutation(
            "updateWorkspace",
            Role(Admin),
            json!({ "id": "$workspace", "input": { "name": "Other" } }),
        ),
        mutation(
            "inviteMembers",
            Role(Admin),
            input(json!({ "workspaceId": "$workspace", "emails": ["new@guest.example"] })),
        ),
        mutation("acceptInvitation", Oneself, json!({ "token": "$accept" })),
        mutation("declineInvitation", Oneself, json!({ "token": "$decline" })),
        mutation("requestEmailVerification", Oneself, json!({})),
        mutation("verifyEmail", Least::Anybody, json!({ "token": "$verify" })),
        mutation(
            "updateMemberRole",
            Role(Admin),
            json!({ "memberId": "$member", "role": "MEMBER" }),
        ),
        mutation("createWorkspace", Oneself, input(json!({ "name": "Another" }))),
        mutation(
            "createApiToken",
            Oneself,
            input(json!({ "name": "x", "scopes": ["READ"], "workspaceId": "$workspace" })),
        ),
        mutation("updateProfile", Oneself, input(json!({ "name": "Somebody" }))),
        mutation(
            "updatePreferences",
            Oneself,
            input(json!({ "defaultWorkspaceId": "$workspace", "bufferMinutes": 10 })),
        ),
        mutation(
            "updateNotificationPreferences",
            Oneself,
            input(json!({ "preferences": [{ "type": "TASK_DUE", "channels": ["IN_APP", "EMAIL"] }] })),
        ),
        mutation(
            "markNotificationsRead",
            Oneself,
            json!({ "ids": ["$notification"] }),
        ),
        mutation("markNotificationUnread", Oneself, id("$notification")),
        mutation(
            "updatePresence",
            Role(Viewer),
            json!({ "workspaceId": "$workspace", "status": "ONLINE" }),
        ),
    ]
}

fn endings() -> Vec<Case> {
    use Least::{Installation, Oneself, Role};
    let id = |name: &str| json!({ "id": name });
    vec![
        mutation("requeueJob", Installation, id("$dead")),
        // Whoever started it, here the owner; nobody else by their role alone.
        mutation("cancelJob", Role(Owner), id("$later")),
        mutation("discardJob", Installation, id("$dead2")),
        mutation(
            "requeueDeadJobs",
            Installation,
            json!({ "queue": "CALENDAR_SYNC" }),
        ),
        mutation(
            "setJobQueuePaused",
            Installation,
            json!({ "queue": "EMAIL", "isPaused": true }),
        ),
        mutation("revokeInvitation", Role(Admin), id("$invitation")),
        mutation("unlinkAccount", Oneself, id("$account")),
        mutation(
            "deleteViewer",
            Oneself,
            json!({ "confirmEmail": "somebody@else.example" }),
        ),
        mutation("deleteNotification", Oneself, id("$notification")),
        mutation("revokeApiToken", Oneself, id("$token")),
        mutation("revokeSession", Oneself, id("$session")),
        mutation("revokeOtherSessions", Oneself, json!({})),
        mutation("deleteTask", Role(Member), id("$task2")),
        mutation("deleteCalendarEvent", Role(Member), id("$event")),
        mutation("publishCalendarFeed", Role(Member), id("$calendar2")),
        mutation("unpublishCalendarFeed", Role(Member), id("$calendar2")),
        mutation("deleteCalendar", Role(Member), id("$calendar2")),
        mutation("disconnectIntegration", Role(Admin), id("$integration")),
        mutation("removeMember", Role(Admin), json!({ "memberId": "$member" })),
        mutation(
            "deleteWorkspace",
            Role(Owner),
            json!({ "id": "$workspace", "confirmSlug": "$slug" }),
        ),
    ]
}
