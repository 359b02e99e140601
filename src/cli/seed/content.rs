//! What the seed holds: two people, a week of events and a list of tasks with everything a front end wants to show.

use chrono::{Datelike as _, Duration, TimeZone as _, Utc};
use entity::enums::{EnergyLevel, TaskPriority};
use entity::ids::{CalendarEventId, CalendarId, TaskId, UserId, WorkspaceId};

use crate::access::{Access, Caller, Ctx, Identity};
use crate::app::StartError;
use crate::features::people::{self, NewPerson};
use crate::features::tasks::{self, NewTask};
use crate::features::workspaces;
use crate::kernel::actor::Origin;
use crate::kernel::time::Instant;
use crate::platform::Platform;

/// A person of the seed.
pub(super) struct Persona {
    pub(super) name: &'static str,
    pub(super) email: &'static str,
    time_zone: &'static str,
    is_admin: bool,
}

/// Both people. The first may also look after the installation's jobs.
pub(super) const PERSONAS: [Persona; 2] = [
    Persona { name: "Ada Marlow", email: "ada@example.com", time_zone: "Europe/Berlin", is_admin: true },
    Persona { name: "Grace Okafor", email: "grace@example.com", time_zone: "America/New_York", is_admin: false },
];

/// What a person has after the seed.
pub(super) struct Planted {
    pub(super) user_id: UserId,
    pub(super) workspace_id: WorkspaceId,
    pub(super) calendar_id: CalendarId,
    pub(super) event_id: CalendarEventId,
    pub(super) task_id: TaskId,
}
