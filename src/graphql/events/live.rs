//! The live stream of events.

use async_graphql::{Context, ID, Result, SimpleObject, Subscription};
use entity::ids::{CalendarEventId, CalendarId};
use futures_util::Stream;

use super::object::CalendarEvent;
use crate::features::events;
use crate::graphql::enums::ChangeAction;
use crate::graphql::ids::{global, parse};
use crate::graphql::live::follow;
use crate::kernel::changes::{Change, ObjectType};

/// A change of an event.
#[derive(SimpleObject)]
pub struct CalendarEventChange {
    /// Position of this change in the workspace's change log. Pass it as `after` to resume without a gap.
    cursor: String,
    /// What happened.
    action: ChangeAction,
    /// ID of the event, also after it was deleted.
    calendar_event_id: ID,
    /// The event. Null after it was deleted.
    calendar_event: Option<CalendarEvent>,
}

#[derive(Default)]
pub struct EventSubscription;

#[Subscription]
impl EventSubscription {
    /// Events of a workspace that are created, changed or deleted.
    async fn calendar_event_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Workspace to watch.")] workspace_id: ID,
        #[graphql(desc = "Only these calendars.")] calendar_ids: Option<Vec<ID>>,
        #[graphql(
            desc = "Resume after this cursor: changes missed since are sent first, in order. Live only when omitted."
        )]
        after: Option<String>,
    ) -> Result<impl Stream<Item = Result<CalendarEventChange>> + use<>> {
        // Ids that nobody has match nothing.
        let calendars: Option<Vec<CalendarId>> =
            calendar_ids.map(|ids| ids.iter().filter_map(parse).collect());
        let wanted = move |change: &Change| {
            change.object_type == ObjectType::CalendarEvent
                && calendars
                    .as_ref()
                    .is_none_or(|some| change.calendar_id.is_some_and(|id| some.contains(&id)))
        };
        follow(
            ctx,
            &workspace_id,
            after,
            wanted,
            |entered, cursor, change| async move {
                let id = CalendarEventId(change.object_id);
                let event = events::get_many(&entered, &[id])
                    .await?
                    .pop()
                    .map(CalendarEvent::from);
                Ok(CalendarEventChange {
                    cursor,
                    action: change.action.into(),
                    calendar_event_id: global(id),
                    calendar_event: event,
                })
            },
        )
        .await
    }
}
