//! Who may share one answer. An answer depends on the role and on what the credentials allow; on the person only where the document asks
//! for something personal. A field is personal unless the table below says that it is not.

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use entity::enums::{ApiTokenScope, WorkspaceRole};
use entity::ids::{ApiTokenId, SessionId, UserId};

use crate::access::{Caller, Identity};

/// Fields that look the same to everybody with the same role and the same powers: type, field, and the type of objects behind it, or
/// nothing for plain values.
const IMPERSONAL: &[(&str, &[(&str, &str)])] = &[
    (
        "Subscription",
        &[
            ("taskChanged", "TaskChange"),
            ("calendarEventChanged", "CalendarEventChange"),
            ("presenceChanged", "Presence"),
            ("jobProgress", "Job"),
            ("syncProgress", "SyncProgress"),
            ("scheduleProgress", "ScheduleProgress"),
        ],
    ),
    (
        "Presence",
        &[
            ("user", "User"),
            ("status", ""),
            ("location", ""),
            ("lastSeenAt", ""),
        ],
    ),
    // Not the payload, which only administrators see.
    (
        "Job",
        &[
            ("id", ""),
            ("queue", ""),
            ("status", ""),
            ("progressPercent", ""),
            ("attempts", ""),
            ("maxAttempts", ""),
            ("lastError", ""),
            ("createdAt", ""),
            ("runAt", ""),
            ("startedAt", ""),
            ("finishedAt", ""),
        ],
    ),
    (
        "SyncProgress",
        &[("percent", ""), ("processedCount", ""), ("run", "SyncRun")],
    ),
    (
        "SyncRun",
        &[
            ("id", ""),
            ("status", ""),
            ("startedAt", ""),
            ("finishedAt", ""),
            ("error", ""),
            ("createdCount", ""),
            ("updatedCount", ""),
            ("deletedCount", ""),
            ("problemCount", ""),
        ],
    ),
    // The plan itself is personal.
    (
        "ScheduleProgress",
        &[
            ("phase", ""),
            ("percent", ""),
            ("message", ""),
            ("placedTaskCount", ""),
            ("totalTaskCount", ""),
        ],
    ),
    (
        "TaskChange",
        &[("cursor", ""), ("action", ""), ("taskId", ""), ("task", "Task")],
    ),
    // The event itself is personal: a private one shows only its time to others.
    (
        "CalendarEventChange",
        &[("cursor", ""), ("action", ""), ("calendarEventId", "")],
    ),
    (
        "Task",
        &[
            ("id", ""),
            ("version", ""),
            ("workspace", "Workspace"),
            ("title", ""),
            ("description", ""),
            ("status", ""),
            ("priority", ""),
            ("energy", ""),
            ("durationMinutes", ""),
            ("completedMinutes", ""),
            ("minChunkMinutes", ""),
            ("maxChunkMinutes", ""),
            ("startAfter", ""),
            ("dueAt", ""),
            ("isHardDeadline", ""),
            ("isAutoScheduled", ""),
            ("isOverdue", ""),
            ("labels", ""),
            ("assignee", "User"),
            ("createdBy", "User"),
            ("parent", "Task"),
            ("subtasks", "Task"),
            ("dependencies", "Task"),
            ("dependents", "Task"),
            ("isBlocked", ""),
            ("completedAt", ""),
            ("createdAt", ""),
            ("updatedAt", ""),
        ],
    ),
    (
        "Workspace",
        &[
            ("id", ""),
            ("name", ""),
            ("slug", ""),
            ("type", ""),
            ("timeZone", ""),
            ("createdAt", ""),
        ],
    ),
    // Not the address: it is shown to those who share a workspace with the person.
    (
        "User",
        &[
            ("id", ""),
            ("name", ""),
            ("avatarUrl", ""),
            ("emailVerifiedAt", ""),
            ("createdAt", ""),
        ],
    ),
];
/// Deeper documents than any that passes the guard.
const DEEPEST: usize = 64;

/// Those who get the same answers to the same document.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Audience {
    /// Nothing where it is not a matter of membership.
    role: Option<WorkspaceRole>,
    scope: Option<ApiTokenScope>,
    is_limited: bool,
    is_admin: bool,
    /// Set when the document is personal.
    person: Option<(UserId, Option<SessionId>, Option<ApiTokenId>)>,
}

impl Audience {
    /// The audience that somebody belongs to. Without a role everybody is one of their own.
    pub fn of(caller: &Caller, role: Option<WorkspaceRole>, is_personal: bool) -> Option<Self> {
        let (user_id, session_id, token_id, scope) = match caller.identity {
            Identity::Guest => return None,
            Identity::Session {
                user_id, session_id, ..
            } => (user_id, Some(session_id), None, None),
            Identity::Token {
                user_id,
                token_id,
                scope,
                ..
            } => (user_id, None, Some(token_id), Some(scope)),
        };
        Some(Self {
            role,
            scope,
            is_limited: caller.workspace_limit().is_some(),
            is_admin: caller.is_admin(),
            person: (is_personal || role.is_none()).then_some((user_id, session_id, token_id)),
        })
    }

    /// The role that they have in common.
    pub fn role(&self) -> Option<WorkspaceRole> {
        self.role
    }
}

/// The type behind an impersonal field; empty for plain values.
pub(super) fn impersonal(parent: &str, field: &str) -> Option<&'static str> {
    let (_, fields) = IMPERSONAL.iter().find(|(name, _)| *name == parent)?;
    let (_, behind) = fields.iter().find(|(name, _)| *name == field)?;
    Some(behind)
}

/// Whether anything in a selection of a type depends on who asks.
pub(super) fn is_personal(document: &ExecutableDocument, parent: &str, selection: &SelectionSet) -> bool {
    depends(document, parent, selection, 0)
}

fn depends(document: &ExecutableDocument, parent: &str, selection: &SelectionSet, depth: usize) -> bool {
    depth > DEEPEST
        || selection.items.iter().any(|item| match &item.node {
            Selection::Field(field) if field.node.name.node == "__typename" => false,
            Selection::Field(field) => match impersonal(parent, &field.node.name.node) {
                Some(behind) => depends(document, behind, &field.node.selection_set.node, depth + 1),
                None => true,
            },
            Selection::InlineFragment(fragment) => {
                let condition = fragment.node.type_condition.as_ref();
                condition.is_some_and(|condition| condition.node.on.node != parent)
                    || depends(document, parent, &fragment.node.selection_set.node, depth + 1)
            }
            Selection::FragmentSpread(spread) => {
                match document.fragments.get(&spread.node.fragment_name.node) {
                    Some(fragment) if fragment.node.type_condition.node.on.node == parent => {
                        depends(document, parent, &fragment.node.selection_set.node, depth + 1)
                    }
                    _ => true,
                }
            }
        })
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;
    use crate::graphql::{builder, sdl};

    fn personal(selection: &str) -> bool {
        let document = parse_query(format!(
            "subscription {{ taskChanged(workspaceId: \"x\") {selection} }} fragment T on Task {{ title }} fragment N on Node {{ id }}"
        ))
        .unwrap();
        let operation = document.operations.iter().next().unwrap().1;
        is_personal(&document, "Subscription", &operation.node.selection_set.node)
    }

    #[test]
    fn what_the_table_does_not_know_is_personal() {
        for shared in [
            "{ cursor task { title assignee { name } parent { subtasks { id } } workspace { name } } }",
            "{ __typename task { ...T ... on Task { id } ... { version } } }",
        ] {
            assert!(!personal(shared), "{shared}");
        }
        for own in [
            "{ task { assignee { email } } }",
            "{ task { workspace { viewerRole } } }",
            "{ task { nothing } }",
            "{ task { ...N } }",
            "{ task { ... on Node { id } } }",
            "{ task { ...Unknown } }",
        ] {
            assert!(personal(own), "{own}");
        }
    }

    /// Renaming a field must not leave its row behind, and a row must lead to the type that the schema has there.
    #[test]
    fn the_table_agrees_with_the_schema() {
        let text = sdl(&builder().finish());
        for (parent, fields) in IMPERSONAL {
            let start = text.find(&format!("\ntype {parent} ")).expect(parent);
            let body = &text[start..start + text[start..].find("\n}").expect("the end of the type")];
            for (field, behind) in *fields {
                let start = [":", "("]
                    .iter()
                    .find_map(|after| body.find(&format!("\n\t{field}{after}")))
                    .unwrap_or_else(|| panic!("{parent}.{field}"));
                // Arguments stand on lines of their own, so the type is behind the first bracket that closes.
                let rest = &body[start + 2 + field.len()..];
                let rest = rest.strip_prefix('(').map_or(rest, |rest| {
                    let end = rest.find("\n\t): ").expect("the end of the arguments");
                    &rest[end + 3..]
                });
                let of_type = rest
                    .lines()
                    .next()
                    .unwrap()
                    .trim_matches([':', ' ', '[', ']', '!']);
                let is_object = text.contains(&format!("\ntype {of_type} "));
                assert_eq!(*behind, if is_object { of_type } else { "" }, "{parent}.{field}");
            }
        }
    }
}
