//! Publishing calendars under secret addresses.

use async_graphql::{Context, ID, Object, Result};

use super::calendars::{Calendar, enter};
use super::straight::{command, commands, shaped_payload};
use crate::features::calendars;

shaped_payload!(
    PublishCalendarFeedPayload,
    "publishCalendarFeed",
    /// The calendar after the change. Null when the mutation failed.
    one calendar: Option<Calendar>
);
shaped_payload!(
    UnpublishCalendarFeedPayload,
    "unpublishCalendarFeed",
    /// The calendar after the change. Null when the mutation failed.
    one calendar: Option<Calendar>
);

commands! {
    PublishCalendarFeed(id "id": ID) -> PublishCalendarFeedPayload, |access| {
        let (entered, id) = enter(access, &id).await?;
        let published = calendars::publish_feed(&entered, id).await;
        published.map(Calendar::from).map(PublishCalendarFeedPayload::of)
    };
    UnpublishCalendarFeed(id "id": ID) -> UnpublishCalendarFeedPayload, |access| {
        let (entered, id) = enter(access, &id).await?;
        let withdrawn = calendars::unpublish_feed(&entered, id).await;
        withdrawn.map(Calendar::from).map(UnpublishCalendarFeedPayload::of)
    };
}

#[derive(Default)]
pub struct CalendarFeedMutation;

#[Object]
impl CalendarFeedMutation {
    /// Publishes a secret ICS feed, or replaces its address so that the old one stops working.
    async fn publish_calendar_feed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<PublishCalendarFeedPayload> {
        command::<PublishCalendarFeed>(ctx, (id,)).await
    }

    /// Withdraws the ICS feed.
    async fn unpublish_calendar_feed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<UnpublishCalendarFeedPayload> {
        command::<UnpublishCalendarFeed>(ctx, (id,)).await
    }
}
