//! Batching of reads inside one operation: everything that one level of an answer needs is one statement for each kind of object. Nothing
//! is cached beyond the batch, so a subscription never sees old rows. Keys begin with the workspace.

mod own;
mod places;

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use async_graphql::Error;
use async_graphql::dataloader::Loader;
use entity::ids::{
    AuditLogId, CalendarEventId, CalendarId, DataTransferId, FocusSessionId, IntegrationId, MembershipId,
    ScheduleId, ScheduleSlotId, SyncRunId, TaskId, UserId, WorkspaceId,
};
use entity::{
    attendee, audit_log, calendar, data_transfer, focus_session, integration, membership, reminder, schedule,
    schedule_slot, sync_run, task, unscheduled_task, user, workspace,
};

use super::errors::expose;
use crate::access::{Access, Ctx};
use crate::features::{
    audit, calendars, events, focus, integrations, people, scheduling, tasks, transfers, workspaces,
};
use crate::kernel;
use crate::kernel::actions::{Action, Resource};
use crate::kernel::time::{Instant, Span};

pub use own::{
    AccountKey, InvitationKey, InvitingKey, JobKey, NotificationKey, OwnTokenKey, SessionKey, TokenKey,
};
pub use places::PlaceKey;

/// Loads on behalf of the caller of one operation.
pub struct Loaders {
    access: Arc<Access>,
    /// Bits of the columns that are needed of each row; `None` for all. For those who ask by themselves: a batch has keys of several.
    columns: Option<u64>,
}

impl Loaders {
    pub(super) fn new(access: Arc<Access>) -> Self {
        Self {
            access,
            columns: None,
        }
    }

    /// The same, for whoever looks at no more than these columns of the rows. Only tasks are large enough for that to matter.
    pub(super) fn in_part(&self, columns: u64) -> Self {
        Self {
            access: self.access.clone(),
            columns: Some(columns),
        }
    }

    /// Runs `load` once for each workspace among the keys. Keys of workspaces the caller cannot enter load nothing.
    async fn by_workspace<K, I, V, Fut>(
        &self,
        keys: &[K],
        split: impl Fn(&K) -> (WorkspaceId, I),
        join: impl Fn(WorkspaceId, I) -> K,
        load: impl Fn(Ctx, Vec<I>) -> Fut,
    ) -> Result<HashMap<K, V>, Error>
    where
        K: Hash + Eq,
        Fut: Future<Output = kernel::Result<Vec<(I, V)>>>,
    {
        let mut groups: HashMap<WorkspaceId, Vec<I>> = HashMap::new();
        for key in keys {
            let (workspace, id) = split(key);
            groups.entry(workspace).or_default().push(id);
        }
        let mut found = HashMap::with_capacity(keys.len());
        for (workspace, ids) in groups {
            let ctx = match self.access.ctx(workspace).await {
                Ok(ctx) => ctx,
                Err(error) if error.is_not_found() => continue,
                Err(error) => return Err(expose(error)),
            };
            let rows = load(ctx, ids).await.map_err(expose)?;
            found.extend(rows.into_iter().map(|(id, value)| (join(workspace, id), value)));
        }
        Ok(found)
    }
}

/// Writes a key type and its loader: `$load` answers pairs of id and value for the ids of one workspace.
macro_rules! workspace_loader {
    ($(#[$doc:meta])* $key:ident($id:ty) => $value:ty, $load:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $key(pub WorkspaceId, pub $id);

        impl Loader<$key> for Loaders {
            type Value = $value;
            type Error = Error;

            async fn load(&self, keys: &[$key]) -> Result<HashMap<$key, Self::Value>, Error> {
                self.by_workspace(keys, |key| (key.0, key.1), $key, $load).await
            }
        }
    };
}

/// A task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TaskKey(pub WorkspaceId, pub TaskId);

impl Loader<TaskKey> for Loaders {
    type Value = Arc<task::Model>;
    type Error = Error;

    async fn load(&self, keys: &[TaskKey]) -> Result<HashMap<TaskKey, Self::Value>, Error> {
        let columns = self.columns;
        self.by_workspace(
            keys,
            |key| (key.0, key.1),
            TaskKey,
            move |ctx, ids| async move {
                let rows = tasks::get_many_in_part(&ctx, &ids, columns).await?;
                Ok(rows.into_iter().map(|row| (row.id, Arc::new(row))).collect())
            },
        )
        .await
    }
}

workspace_loader!(
    /// The sub-tasks of a task, in order.
    SubtasksKey(TaskId) => Vec<Arc<task::Model>>,
    |ctx, ids| async move { Ok(shared(tasks::subtasks_of(&ctx, &ids).await?)) }
);

workspace_loader!(
    /// What a task waits for.
    DependenciesKey(TaskId) => Vec<Arc<task::Model>>,
    |ctx, ids| async move { Ok(shared(tasks::dependencies_of(&ctx, &ids).await?)) }
);

workspace_loader!(
    /// What waits for a task.
    DependentsKey(TaskId) => Vec<Arc<task::Model>>,
    |ctx, ids| async move { Ok(shared(tasks::dependents_of(&ctx, &ids).await?)) }
);

workspace_loader!(
    /// The occurrences of an event in a window.
    OccurrencesKey((CalendarEventId, Span)) => Vec<Arc<events::Occurrence>>,
    |ctx, asked| async move {
        let mut windows: HashMap<Span, Vec<CalendarEventId>> = HashMap::new();
        for (id, window) in asked {
            windows.entry(window).or_default().push(id);
        }
        let mut found: HashMap<(CalendarEventId, Span), Vec<Arc<events::Occurrence>>> = HashMap::new();
        for (window, ids) in windows {
            let among = events::Among::Events(&ids);
            for one in events::in_window(&ctx, among, window, None).await?.occurrences {
                found.entry((one.event.row.id, window)).or_default().push(Arc::new(one));
            }
        }
        Ok(found.into_iter().collect())
    }
);

workspace_loader!(
    /// Present when an unfinished dependency blocks the task.
    BlockedKey(TaskId) => (),
    |ctx, ids| async move { Ok(tasks::blocked(&ctx, &ids).await?.into_iter().map(|id| (id, ())).collect()) }
);

workspace_loader!(
    /// A plan.
    ScheduleKey(ScheduleId) => Arc<schedule::Model>,
    |ctx, ids| async move { Ok(scheduling::get_many(&ctx, &ids).await?.into_iter().map(|row| (row.id, Arc::new(row))).collect()) }
);

workspace_loader!(
    /// A slot of a plan.
    SlotKey(ScheduleSlotId) => Arc<schedule_slot::Model>,
    |ctx, ids| async move { Ok(scheduling::get_slots(&ctx, &ids).await?.into_iter().map(|row| (row.id, Arc::new(row))).collect()) }
);

workspace_loader!(
    /// The slots of a plan, by start.
    SlotsKey(ScheduleId) => Vec<Arc<schedule_slot::Model>>,
    |ctx, ids| async move { Ok(shared(scheduling::slots_of(&ctx, &ids).await?)) }
);

workspace_loader!(
    /// The slots of a task that are on a calendar.
    TaskSlotsKey(TaskId) => Vec<Arc<schedule_slot::Model>>,
    |ctx, ids| async move { Ok(shared(scheduling::slots_of_tasks(&ctx, &ids).await?)) }
);

workspace_loader!(
    /// What found no place in a plan.
    UnscheduledKey(ScheduleId) => Vec<Arc<unscheduled_task::Model>>,
    |ctx, ids| async move { Ok(shared(scheduling::unscheduled_of(&ctx, &ids).await?)) }
);

workspace_loader!(
    /// An import or export of the caller.
    TransferKey(DataTransferId) => Arc<data_transfer::Model>,
    |ctx, ids| async move { Ok(transfers::get_many(&ctx, &ids).await?.into_iter().map(|row| (row.id, Arc::new(row))).collect()) }
);

workspace_loader!(
    /// A focus session of the caller.
    FocusKey(FocusSessionId) => Arc<focus_session::Model>,
    |ctx, ids| async move { Ok(focus::get_many(&ctx, &ids).await?.into_iter().map(|row| (row.id, Arc::new(row))).collect()) }
);

workspace_loader!(
    /// A calendar.
    CalendarKey(CalendarId) => Arc<calendar::Model>,
    |ctx, ids| async move { Ok(calendars::look_at(&ctx, &ids).await?.into_iter().map(|row| (row.id, row)).collect()) }
);

workspace_loader!(
    /// Present when the viewer has hidden the calendar.
    CalendarHiddenKey(CalendarId) => (),
    |ctx, ids| async move { Ok(calendars::hidden(&ctx, &ids).await?.into_iter().map(|id| (id, ())).collect()) }
);

workspace_loader!(
    /// Present for the calendar that gets the viewer's new events.
    CalendarIsDefaultKey(CalendarId) => (),
    |ctx, _ids| async move { Ok(calendars::default_of_viewer(&ctx).await?.into_iter().map(|row| (row.id, ())).collect()) }
);

workspace_loader!(
    /// When the last successful sync of a calendar ended.
    LastSyncKey(CalendarId) => Instant,
    |ctx, ids| async move { Ok(calendars::last_syncs(&ctx, &ids).await?.into_iter().collect()) }
);

workspace_loader!(
    /// An event.
    EventKey(CalendarEventId) => Arc<events::Event>,
    |ctx, ids| async move { Ok(events::get_many(&ctx, &ids).await?.into_iter().map(|event| (event.row.id, Arc::new(event))).collect()) }
);

workspace_loader!(
    /// Organizer and guests of an event.
    EventPeopleKey(CalendarEventId) => Arc<Vec<attendee::Model>>,
    |ctx, ids| async move { Ok(events::people_of(&ctx, &ids).await?.into_iter().map(|(id, rows)| (id, Arc::new(rows))).collect()) }
);

workspace_loader!(
    /// The members among the guests of single occurrences of an event, by address.
    EventOwnMembersKey(CalendarEventId) => Arc<HashMap<String, UserId>>,
    |ctx, ids| async move { Ok(events::own_members_of(&ctx, &ids).await?.into_iter().map(|(id, members)| (id, Arc::new(members))).collect()) }
);

workspace_loader!(
    /// The viewer's reminders for an event.
    EventRemindersKey(CalendarEventId) => Arc<Vec<reminder::Model>>,
    |ctx, ids| async move { Ok(events::reminders_of(&ctx, &ids).await?.into_iter().map(|(id, rows)| (id, Arc::new(rows))).collect()) }
);

workspace_loader!(
    /// An integration.
    IntegrationKey(IntegrationId) => Arc<integration::Model>,
    |ctx, ids| async move { Ok(integrations::get_many(&ctx, &ids).await?.into_iter().map(|row| (row.id, Arc::new(row))).collect()) }
);

workspace_loader!(
    /// The mirrored calendars of an integration.
    MirrorsKey(IntegrationId) => Vec<Arc<calendar::Model>>,
    |ctx, ids| async move { Ok(shared(integrations::calendars_of(&ctx, &ids).await?)) }
);

workspace_loader!(
    /// The latest runs of an integration.
    RecentRunsKey(IntegrationId) => Vec<Arc<sync_run::Model>>,
    |ctx, ids| async move { Ok(shared(integrations::recent_runs(&ctx, &ids).await?)) }
);

fn shared<I, T>(rows: HashMap<I, Vec<T>>) -> Vec<(I, Vec<Arc<T>>)> {
    rows.into_iter()
        .map(|(id, rows)| (id, rows.into_iter().map(Arc::new).collect()))
        .collect()
}

workspace_loader!(
    /// One run of a sync.
    SyncRunKey(SyncRunId) => Arc<sync_run::Model>,
    |ctx, ids| async move {
        let rows = integrations::get_runs(&ctx, &ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, Arc::new(row))).collect())
    }
);

workspace_loader!(
    /// A membership.
    MemberKey(MembershipId) => Arc<membership::Model>,
    |ctx, ids| async move {
        Ok(workspaces::members_by_id(&ctx, &ids).await?.into_iter().map(|row| (row.id, Arc::new(row))).collect())
    }
);

workspace_loader!(
    /// An entry of the audit log. For those who may not read it there is none.
    AuditKey(AuditLogId) => Arc<audit_log::Model>,
    |ctx, ids| async move {
        if !ctx.may(Action::View, Resource::AuditLog) {
            return Ok(Vec::new());
        }
        Ok(audit::get_many(&ctx, &ids).await?.into_iter().map(|row| (row.id, Arc::new(row))).collect())
    }
);

/// A workspace that the caller is a member of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WorkspaceKey(pub WorkspaceId);

impl Loader<WorkspaceKey> for Loaders {
    type Value = Arc<workspace::Model>;
    type Error = Error;

    async fn load(&self, keys: &[WorkspaceKey]) -> Result<HashMap<WorkspaceKey, Self::Value>, Error> {
        let ids: Vec<WorkspaceId> = keys.iter().map(|key| key.0).collect();
        let rows = workspaces::get_many(&self.access, &ids).await.map_err(expose)?;
        Ok(rows
            .into_iter()
            .map(|row| (WorkspaceKey(row.id), Arc::new(row)))
            .collect())
    }
}

/// A person. People belong to no workspace; what is private about them is decided where it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UserKey(pub UserId);

impl Loader<UserKey> for Loaders {
    type Value = Arc<user::Model>;
    type Error = Error;

    async fn load(&self, keys: &[UserKey]) -> Result<HashMap<UserKey, Self::Value>, Error> {
        let ids: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let rows = people::get_many(self.access.platform(), &ids)
            .await
            .map_err(expose)?;
        Ok(rows.into_iter().map(|row| (UserKey(row.id), row)).collect())
    }
}

/// Present when the viewer shares a workspace with the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AcquaintedKey(pub UserId);

impl Loader<AcquaintedKey> for Loaders {
    type Value = ();
    type Error = Error;

    async fn load(&self, keys: &[AcquaintedKey]) -> Result<HashMap<AcquaintedKey, ()>, Error> {
        let memberships = self.access.memberships().await.map_err(expose)?;
        let workspaces: Vec<WorkspaceId> = memberships
            .iter()
            .map(|membership| membership.workspace_id)
            .collect();
        let ids: Vec<UserId> = keys.iter().map(|key| key.0).collect();
        let known: HashSet<UserId> = people::sharing_workspace(self.access.platform(), &workspaces, &ids)
            .await
            .map_err(expose)?;
        Ok(known.into_iter().map(|id| (AcquaintedKey(id), ())).collect())
    }
}
