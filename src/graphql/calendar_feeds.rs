//! Publishing calendars under secret addresses.

use async_graphql::{Context, ID, Object, Result};

use super::calendars::{Calendar, enter};
use super::paging::payload;
use crate::features::calendars;

payload!(
    PublishCalendarFeedPayload,
    "publishCalendarFeed",
    /// The calendar after the change. Null when the mutation failed.
    calendar: Calendar
);
payload!(
    UnpublishCalendarFeedPayload,
    "unpublishCalendarFeed",
    /// The calendar after the change. Null when the mutation failed.
    calendar: Calendar
);

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
        let result = async {
            let (entered, id) = enter(ctx, &id).await?;
            calendars::publish_feed(&entered, id).await
        };
        PublishCalendarFeedPayload::new(result.await, Calendar::from)
    }

    /// Withdraws the ICS feed.
    async fn unpublish_calendar_feed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<UnpublishCalendarFeedPayload> {
        let result = async {
            let (entered, id) = enter(ctx, &id).await?;
            calendars::unpublish_feed(&entered, id).await
        };
        UnpublishCalendarFeedPayload::new(result.await, Calendar::from)
    }
}
