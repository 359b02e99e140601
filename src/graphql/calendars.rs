//! Calendars of a workspace.

use std::sync::Arc;

use async_graphql::{Context, Description, ID, InputObject, MaybeUndefined, Object, Result};
use entity::calendar;
use entity::ids::CalendarId;

use super::errors::{expose, lookup};
use super::ids::{global, reference, target, workspace_reference};
use super::integrations::Integration;
use super::loaders::{CalendarHiddenKey, CalendarIsDefaultKey, IntegrationKey, LastSyncKey, UserKey};
use super::people::User;
use super::scalars::{DateTime, HexColor, TimeZone, Url};
use super::shape::{Many, object};
use super::straight::{command, commands, shaped_payload};
use super::workspaces::{Workspace, workspace_field};
use super::{access, loader, patch, set};
use crate::access::{Access, Ctx};
use crate::features::calendars::{self, CalendarPatch, NewCalendar};
use crate::kernel;

/// A calendar, local or mirrored from an integration.
#[derive(Description, Clone)]
pub struct Calendar(pub Arc<calendar::Model>);

impl Calendar {
    /// Finds a calendar in whichever workspace of the caller it is.
    pub async fn load(access: &Access, id: CalendarId) -> kernel::Result<Self> {
        let ctx = access.ctx_of::<calendar::Entity>(id).await?;
        calendars::get(&ctx, id).await.map(Self::from)
    }
}

impl From<calendar::Model> for Calendar {
    fn from(row: calendar::Model) -> Self {
        Self(Arc::new(row))
    }
}

impl Calendar {
    /// For the `Node` interface.
    pub async fn id(&self, _: &Context<'_>) -> Result<ID> {
        Ok(global(self.0.id))
    }
}

object! {
    Calendar "Calendar", calendar::Column;

    /// Globally unique ID.
    value id [Id] -> ID { |calendar| global(calendar.0.id) }
    /// Workspace of the calendar.
    plain workspace [] -> Result<Workspace> { |calendar, ctx| workspace_field(ctx, calendar.0.workspace_id).await }
    /// User whose calendar it is. Null for workspace calendars.
    one owner [OwnerId] -> Option<Result<User>> { |calendar| UserKey(calendar.0.owner_id?) => User }
    /// Integration it is mirrored from. Null for local calendars.
    plain integration [] -> Option<Result<Integration>> {
        |calendar, ctx| {
            let key = IntegrationKey(calendar.0.workspace_id, calendar.0.integration_id?);
            let row = loader(ctx).load_one(key).await;
            row.map(|row| row.map(Integration)).transpose()
        }
    }
    /// Display name.
    value name [Name] -> &str { |calendar| &calendar.0.name }
    /// Description.
    value description [Description] -> Option<&str> { |calendar| calendar.0.description.as_deref() }
    /// Display colour.
    value color [Color] -> HexColor { |calendar| HexColor(calendar.0.color.clone()) }
    /// Time zone for new events.
    value time_zone [TimeZone] -> TimeZone { |calendar| TimeZone(calendar.0.time_zone.clone()) }
    /// Whether the viewer's new events go here when no calendar is chosen: their own default calendar, or that of the workspace when they
    /// have none.
    found is_default [WorkspaceId Id] -> Result<bool> {
        |calendar| CalendarIsDefaultKey(calendar.0.workspace_id, calendar.0.id) => |chosen| chosen.is_some()
    }
    /// Whether events cannot be changed here, because the provider forbids it or because the calendar only follows its provider.
    value is_read_only [IsReadOnly IntegrationId] -> bool { |calendar| !calendars::accepts_events(&calendar.0) }
    /// Whether the calendar is shown in the viewer's calendar view.
    found is_visible [WorkspaceId Id] -> Result<bool> {
        |calendar| CalendarHiddenKey(calendar.0.workspace_id, calendar.0.id) => |hidden| hidden.is_none()
    }
    /// Whether events of this calendar make their owner busy.
    value counts_as_busy [CountsAsBusy] -> bool { |calendar| calendar.0.counts_as_busy }
    /// Secret read-only ICS feed of this calendar. Null when not published, or when the viewer may not manage the calendar.
    plain feed_url [] -> Option<Result<Url>> {
        |calendar, ctx| {
            calendar.0.sealed_feed_secret.as_ref()?;
            let url = async {
                let entered = access(ctx).ctx(calendar.0.workspace_id).await?;
                calendars::feed_url(&entered, &calendar.0)
            };
            url.await.map(|url| url.map(Url)).map_err(expose).transpose()
        }
    }
    /// When the last successful sync ended. Null for local calendars and before the first sync.
    maybe last_synced_at [WorkspaceId Id] -> Option<Result<DateTime>> {
        |calendar, scene| LastSyncKey(calendar.0.workspace_id, calendar.0.id) => |at| at.copied().map(DateTime)
    }
}

/// The fields that calendars hang on a workspace.
pub struct WorkspaceCalendars(pub Arc<Ctx>);

#[Object]
impl WorkspaceCalendars {
    /// Calendars the viewer can see.
    async fn calendars(&self) -> Result<Many<Calendar>> {
        let rows = calendars::list(&self.0).await.map_err(expose)?;
        Ok(Many(rows.into_iter().map(Calendar::from).collect()))
    }
}

#[derive(Default)]
pub struct CalendarQuery;

#[Object]
impl CalendarQuery {
    /// A calendar by ID.
    async fn calendar(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the calendar.")] id: ID,
    ) -> Option<Result<Calendar>> {
        lookup(async { Calendar::load(access(ctx), target(&id)?).await }.await)
    }
}

/// A new local calendar.
#[derive(InputObject)]
pub struct CreateCalendarInput {
    /// Workspace of the calendar.
    workspace_id: ID,
    /// Display name.
    name: String,
    /// Description.
    description: Option<String>,
    /// Display colour. Chosen when omitted.
    color: Option<HexColor>,
    /// Time zone for new events. The viewer's when omitted.
    time_zone: Option<TimeZone>,
}

/// Changes to a calendar. Omitted fields stay as they are.
#[derive(InputObject)]
pub struct UpdateCalendarInput {
    /// Display name.
    name: MaybeUndefined<String>,
    /// Description. Null removes it.
    description: MaybeUndefined<String>,
    /// Display colour.
    color: MaybeUndefined<HexColor>,
    /// Time zone for new events.
    time_zone: MaybeUndefined<TimeZone>,
    /// Make this the default calendar.
    is_default: MaybeUndefined<bool>,
    /// Show in the calendar view.
    is_visible: MaybeUndefined<bool>,
    /// Whether its events make the owner busy.
    counts_as_busy: MaybeUndefined<bool>,
}

shaped_payload!(
    CreateCalendarPayload,
    "createCalendar",
    /// The calendar after the change. Null when the mutation failed.
    one calendar: Option<Calendar>
);
shaped_payload!(
    UpdateCalendarPayload,
    "updateCalendar",
    /// The calendar after the change. Null when the mutation failed.
    one calendar: Option<Calendar>
);
shaped_payload!(
    DeleteCalendarPayload,
    "deleteCalendar",
    /// ID of the deleted object, to evict caches. Null when the mutation failed.
    value deleted_calendar_id: Option<ID>
);

/// Enters the workspace of a calendar that a mutation acts on.
pub(super) async fn enter(access: &Access, id: &ID) -> kernel::Result<(Ctx, CalendarId)> {
    access.caller().require_user()?;
    let id = target(id)?;
    Ok((access.ctx_of::<calendar::Entity>(id).await?, id))
}

commands! {
    CreateCalendar(input "input": CreateCalendarInput) -> CreateCalendarPayload, |access| {
        access.caller().require_user()?;
        let path = "input.workspaceId";
        let workspace = reference(&input.workspace_id, path)?;
        let entered = workspace_reference(access.ctx(workspace).await, path)?;
        let new = NewCalendar {
            name: input.name,
            description: input.description,
            color: input.color.map(|color| color.0),
            time_zone: input.time_zone.map(|zone| zone.0),
        };
        let created = calendars::create(&entered, new).await;
        created.map(Calendar::from).map(CreateCalendarPayload::of)
    };
    UpdateCalendar(id "id": ID, input "input": UpdateCalendarInput) -> UpdateCalendarPayload, |access| {
        let (entered, id) = enter(access, &id).await?;
        let patch = CalendarPatch {
            name: set(input.name, "input.name")?,
            description: patch(input.description),
            color: set(input.color, "input.color")?.map(|color| color.0),
            time_zone: set(input.time_zone, "input.timeZone")?.map(|zone| zone.0),
            is_default: set(input.is_default, "input.isDefault")?,
            is_visible: set(input.is_visible, "input.isVisible")?,
            counts_as_busy: set(input.counts_as_busy, "input.countsAsBusy")?,
        };
        let updated = calendars::update(&entered, id, patch).await;
        updated.map(Calendar::from).map(UpdateCalendarPayload::of)
    };
    DeleteCalendar(id "id": ID) -> DeleteCalendarPayload, |access| {
        let (entered, id) = enter(access, &id).await?;
        calendars::delete(&entered, id).await.map(|()| DeleteCalendarPayload::of(global(id)))
    };
}

#[derive(Default)]
pub struct CalendarMutation;

#[Object]
impl CalendarMutation {
    /// Creates a local calendar.
    async fn create_calendar(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Values to use.")] input: CreateCalendarInput,
    ) -> Result<CreateCalendarPayload> {
        command::<CreateCalendar>(ctx, (input,)).await
    }

    /// Changes a calendar. Omitted fields stay as they are.
    async fn update_calendar(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
        #[graphql(desc = "Values to use.")] input: UpdateCalendarInput,
    ) -> Result<UpdateCalendarPayload> {
        command::<UpdateCalendar>(ctx, (id, input)).await
    }

    /// Deletes a local calendar with its events, or stops mirroring an external one.
    async fn delete_calendar(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<DeleteCalendarPayload> {
        command::<DeleteCalendar>(ctx, (id,)).await
    }
}
