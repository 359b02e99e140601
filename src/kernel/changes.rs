//! The realtime catalogue: what can change, and the topics on which changes and progress travel. Data only.

use std::fmt;

use chrono::{DateTime, Utc};
use entity::enums::ChangeAction;
use entity::ids::{CalendarId, IntegrationId, JobId, UserId, WorkspaceId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Kinds of objects in the change log, named like their GraphQL types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ObjectType {
    /// A workspace.
    Workspace,
    /// A membership.
    WorkspaceMember,
    /// A calendar.
    Calendar,
    /// An event or series.
    CalendarEvent,
    /// A task.
    Task,
    /// A connected service.
    Integration,
    /// An invitation to a workspace: notifications are about one, the change log never is.
    WorkspaceInvitation,
    /// A focus session; others than its person only learn that there is one.
    FocusSession,
}

impl ObjectType {
    /// The stored and public name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Workspace => "Workspace",
            Self::WorkspaceMember => "WorkspaceMember",
            Self::Calendar => "Calendar",
            Self::CalendarEvent => "CalendarEvent",
            Self::Task => "Task",
            Self::Integration => "Integration",
            Self::WorkspaceInvitation => "WorkspaceInvitation",
            Self::FocusSession => "FocusSession",
        }
    }

    /// The reverse of [`Self::as_str`].
    pub fn parse(name: &str) -> Option<Self> {
        let all = [
            Self::Workspace,
            Self::WorkspaceMember,
            Self::Calendar,
            Self::CalendarEvent,
            Self::Task,
            Self::Integration,
            Self::WorkspaceInvitation,
            Self::FocusSession,
        ];
        all.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// One committed change, as the change log keeps it and as it travels between replicas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Position in the workspace's log; grows in commit order without gaps.
    pub seq: i64,
    /// What happened.
    pub action: ChangeAction,
    /// Kind of object.
    pub object_type: ObjectType,
    /// The object, also after it is gone.
    pub object_id: Uuid,
    /// Calendar of an event, so that streams can filter deleted ones too.
    pub calendar_id: Option<CalendarId>,
    /// When it was committed.
    pub at: DateTime<Utc>,
}

/// The newest changes of a workspace. When there were many, `changes` is empty and readers catch up from the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Committed {
    /// Position of the last change.
    pub last_seq: i64,
    /// The changes themselves, in order, ending at `last_seq`.
    pub changes: Vec<Change>,
}

/// Where messages travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// [`Committed`] changes of a workspace.
    Changes(WorkspaceId),
    /// Ids of new notifications of a person.
    Notifications(UserId),
    /// Ids of sync runs of an integration that made progress.
    Sync(IntegrationId),
    /// State changes of one job.
    Job(JobId),
    /// Who came, went or moved on in a workspace.
    Presence(WorkspaceId),
    /// A job became due: idle workers look.
    JobsDue,
    /// A session, token or membership of a person was taken away, or the person changed: open sockets check themselves, and what is
    /// known of the person is read again.
    Revoked(UserId),
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changes(id) => write!(f, "changes:{}", id.0.simple()),
            Self::Notifications(id) => write!(f, "notifications:{}", id.0.simple()),
            Self::Sync(id) => write!(f, "sync:{}", id.0.simple()),
            Self::Job(id) => write!(f, "job:{}", id.0.simple()),
            Self::Presence(id) => write!(f, "presence:{}", id.0.simple()),
            Self::JobsDue => f.write_str("jobs-due"),
            Self::Revoked(id) => write!(f, "revoked:{}", id.0.simple()),
        }
    }
}
