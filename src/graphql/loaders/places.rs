//! Which workspace an object is in, when only its id is known. Says nothing about whether the caller may enter it: the loaders of the
//! objects themselves do.

use std::collections::HashMap;

use async_graphql::Error;
use async_graphql::dataloader::Loader;
use entity::ids::{
    AuditLogId, CalendarEventId, CalendarId, DataTransferId, FocusSessionId, IntegrationId, MembershipId,
    ScheduleId, ScheduleSlotId, SyncRunId, TaskId, TypedId, WorkspaceId,
};
use entity::{
    audit_log, calendar, calendar_event, data_transfer, focus_session, integration, membership, schedule,
    schedule_slot, sync_run, task,
};
use uuid::Uuid;

use super::Loaders;
use crate::graphql::errors::expose;
use crate::kernel;

/// An object of a workspace: the name of its GraphQL type and its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PlaceKey(pub &'static str, pub Uuid);

impl Loader<PlaceKey> for Loaders {
    type Value = WorkspaceId;
    type Error = Error;

    async fn load(&self, keys: &[PlaceKey]) -> Result<HashMap<PlaceKey, WorkspaceId>, Error> {
        let mut groups: HashMap<&'static str, Vec<Uuid>> = HashMap::new();
        for PlaceKey(kind, id) in keys {
            groups.entry(kind).or_default().push(*id);
        }
        let mut found = HashMap::with_capacity(keys.len());
        for (kind, ids) in groups {
            let places = self.places(kind, &ids).await.map_err(expose)?;
            found.extend(
                places
                    .into_iter()
                    .map(|(id, workspace)| (PlaceKey(kind, id), workspace)),
            );
        }
        Ok(found)
    }
}

impl Loaders {
    async fn places(&self, kind: &str, ids: &[Uuid]) -> kernel::Result<Vec<(Uuid, WorkspaceId)>> {
        macro_rules! places_of {
            ($table:ident, $id:ty) => {{
                let ids: Vec<$id> = ids.iter().copied().map(<$id>::from_uuid).collect();
                let found = self.access.places::<$table::Entity>(&ids).await?;
                found
                    .into_iter()
                    .map(|(id, workspace)| (id.uuid(), workspace))
                    .collect()
            }};
        }
        Ok(match kind {
            AuditLogId::TYPE => places_of!(audit_log, AuditLogId),
            CalendarId::TYPE => places_of!(calendar, CalendarId),
            CalendarEventId::TYPE => places_of!(calendar_event, CalendarEventId),
            DataTransferId::TYPE => places_of!(data_transfer, DataTransferId),
            FocusSessionId::TYPE => places_of!(focus_session, FocusSessionId),
            IntegrationId::TYPE => places_of!(integration, IntegrationId),
            MembershipId::TYPE => places_of!(membership, MembershipId),
            ScheduleId::TYPE => places_of!(schedule, ScheduleId),
            ScheduleSlotId::TYPE => places_of!(schedule_slot, ScheduleSlotId),
            SyncRunId::TYPE => places_of!(sync_run, SyncRunId),
            TaskId::TYPE => places_of!(task, TaskId),
            WorkspaceId::TYPE => ids.iter().map(|id| (*id, WorkspaceId(*id))).collect(),
            _ => Vec::new(),
        })
    }
}
