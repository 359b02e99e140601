//! Lists of stored events.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use entity::ids::CalendarId;

use super::object::CalendarEvent;
use crate::access::Ctx;
use crate::features::events;
use crate::graphql::enums::{EventStatus, OrderDirection};
use crate::graphql::ids::parse;
use crate::graphql::paging::{PageParts, page_args, page_request, shaped_connection};
use crate::graphql::ranges::DateTimeRangeInput;
use crate::graphql::scalars::EmailAddress;
use crate::graphql::shape::PagePlan;
use crate::graphql::straight::{Given, Listed};
use crate::kernel;
use crate::kernel::page::PageArgs;

shaped_connection!(
    /// A page of events.
    CalendarEventConnection "CalendarEventConnection", CalendarEventEdge "CalendarEventEdge", CalendarEvent, "events"
);

/// Filter for stored events. All given conditions must hold.
#[derive(InputObject)]
pub struct CalendarEventFilter {
    /// Only events in these calendars.
    calendar_ids: Option<Vec<ID>>,
    /// Only events with an occurrence in this range.
    range: Option<DateTimeRangeInput>,
    /// Only events with these states.
    statuses: Option<Vec<EventStatus>>,
    /// Only recurring (`true`) or single (`false`) events.
    is_recurring: Option<bool>,
    /// Only events with this guest.
    attendee_email: Option<EmailAddress>,
    /// Words that appear in title, description or location.
    search: Option<String>,
}

impl CalendarEventFilter {
    /// Ids that nobody has match nothing.
    fn into_model(self) -> kernel::Result<events::EventFilter> {
        Ok(events::EventFilter {
            calendar_ids: self
                .calendar_ids
                .map(|ids| ids.iter().filter_map(parse::<CalendarId>).collect()),
            range: self.range.map(|range| range.span("filter.range")).transpose()?,
            statuses: self.statuses.map(|any| any.into_iter().map(Into::into).collect()),
            is_recurring: self.is_recurring,
            attendee_email: self.attendee_email.map(|email| email.0),
            search: self.search,
        })
    }
}

/// Sort order of events.
#[derive(InputObject)]
pub struct CalendarEventOrder {
    /// Field to sort by.
    field: CalendarEventOrderField,
    /// Direction.
    #[graphql(default)]
    direction: OrderDirection,
}

impl Default for CalendarEventOrder {
    fn default() -> Self {
        Self {
            field: CalendarEventOrderField::Start,
            direction: OrderDirection::Asc,
        }
    }
}

/// Fields to sort events by.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "events::EventOrderField")]
pub enum CalendarEventOrderField {
    /// First instant.
    Start,
    /// Time of the last change.
    UpdatedAt,
    /// Title.
    Title,
}

/// The fields that events hang on a workspace.
pub struct WorkspaceEvents(pub Arc<Ctx>);

#[Object]
impl WorkspaceEvents {
    /// Stored events (recurring series once), for lists and search.
    #[expect(clippy::too_many_arguments, reason = "arguments of a GraphQL field")]
    async fn calendar_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only events that match.")] filter: Option<CalendarEventFilter>,
        #[graphql(desc = "Sort order.", default_with = "Some(CalendarEventOrder::default())")]
        order_by: Option<CalendarEventOrder>,
        #[graphql(
            desc = "Page size from the start, at most 100. 50 when neither `first` nor `last` is given."
        )]
        first: Option<i32>,
        #[graphql(desc = "Continue after this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Continue before this cursor.")] before: Option<String>,
    ) -> Result<CalendarEventConnection> {
        let page = PageArgs {
            first,
            after,
            last,
            before,
        };
        let asked = AskedEvents {
            filter,
            order_by,
            page,
        };
        CalendarEventConnection::answer(ctx, &self.0, asked).await
    }
}

/// The arguments of `Workspace.calendarEvents`.
struct AskedEvents {
    filter: Option<CalendarEventFilter>,
    order_by: Option<CalendarEventOrder>,
    page: PageArgs,
}

impl Listed for AskedEvents {
    type Node = CalendarEvent;

    fn given(given: &Given<'_>) -> Option<Self> {
        Some(Self {
            filter: given.read("filter")?,
            order_by: given.read("orderBy")?,
            page: page_args(given)?,
        })
    }

    async fn page(
        self,
        ctx: &Ctx,
        plan: Option<&PagePlan<CalendarEvent>>,
        counts: bool,
    ) -> kernel::Result<PageParts<CalendarEvent>> {
        let order = self.order_by.unwrap_or_default();
        let order = events::EventOrder {
            field: order.field.into(),
            descending: order.direction == OrderDirection::Desc,
        };
        let filter = self.filter.map(CalendarEventFilter::into_model).transpose()?;
        let request = page_request(self.page, plan, counts)?;
        let page = events::page(ctx, &filter.unwrap_or_default(), order, &request).await?;
        Ok(PageParts::new(page, CalendarEvent))
    }
}
