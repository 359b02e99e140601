//! Connected calendar services.

use std::sync::Arc;

use async_graphql::{
    Context, Description, ID, InputObject, MaybeUndefined, Object, OneofObject, Result, SimpleObject,
};
use entity::ids::{CalendarId, IntegrationId};
use entity::integration;

use super::calendars::Calendar;
use super::enums::{IntegrationProvider, IntegrationStatus};
use super::errors::{UserError, expose, lookup, outcome};
use super::ids::{global, reference, references, target, workspace_reference};
use super::jobs::{Job, job_of};
use super::loaders::{MirrorsKey, RecentRunsKey, UserKey};
use super::paging::payload;
use super::people::User;
use super::scalars::{DateTime, Url};
use super::straight::{command, commands, shaped_payload};
use super::syncs::SyncRun;
use super::workspaces::Workspace;
use super::{access, loader, set};
use crate::access::{Access, Ctx};
use crate::features::integrations::{self, IntegrationPatch, Queued, Service};
use crate::kernel;

/// A connected external calendar service.
#[derive(Description, Clone)]
pub struct Integration(pub Arc<integration::Model>);

impl Integration {
    /// Finds an integration in whichever workspace of the caller it is.
    pub async fn load(access: &Access, id: IntegrationId) -> kernel::Result<Self> {
        let ctx = access.ctx_of::<integration::Entity>(id).await?;
        integrations::get(&ctx, id).await.map(Self::from)
    }
}

impl From<integration::Model> for Integration {
    fn from(row: integration::Model) -> Self {
        Self(Arc::new(row))
    }
}

#[Object(use_type_description)]
impl Integration {
    /// Globally unique ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// Workspace of the integration.
    async fn workspace(&self, ctx: &Context<'_>) -> Result<Workspace> {
        let entered = async { Workspace::load(access(ctx).ctx(self.0.workspace_id).await?).await };
        entered.await.map_err(expose)
    }

    /// User whose credentials are used.
    async fn owner(&self, ctx: &Context<'_>) -> Result<User> {
        let row = loader(ctx).load_one(UserKey(self.0.owner_id)).await?;
        row.map(User).ok_or_else(|| expose(kernel::Error::not_found()))
    }

    /// Service.
    async fn provider(&self) -> IntegrationProvider {
        self.0.provider.into()
    }

    /// Account name at the provider, for example an e-mail address.
    async fn account_label(&self) -> &str {
        &self.0.account_label
    }

    /// Connection state.
    async fn status(&self) -> IntegrationStatus {
        self.0.status.into()
    }

    /// Mirrored calendars.
    async fn calendars(&self, ctx: &Context<'_>) -> Result<Vec<Calendar>> {
        let key = MirrorsKey(self.0.workspace_id, self.0.id);
        let rows = loader(ctx).load_one(key).await?;
        Ok(rows.unwrap_or_default().into_iter().map(Calendar).collect())
    }

    /// When the last sync ended. Null before the first.
    async fn last_synced_at(&self) -> Option<DateTime> {
        self.0.last_synced_at.map(DateTime)
    }

    /// When the next automatic sync starts. Null when paused.
    async fn next_sync_at(&self) -> Option<DateTime> {
        self.0.next_sync_at.map(DateTime)
    }

    /// Explanation of the current problem. Null when healthy.
    async fn last_error(&self) -> Option<&str> {
        self.0.last_error.as_deref()
    }

    /// Latest runs, newest first, at most 20.
    async fn recent_syncs(&self, ctx: &Context<'_>) -> Result<Vec<SyncRun>> {
        let key = RecentRunsKey(self.0.workspace_id, self.0.id);
        let rows = loader(ctx).load_one(key).await?;
        Ok(rows.unwrap_or_default().into_iter().map(SyncRun).collect())
    }

    /// When the integration was connected.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
}

/// The fields that integrations hang on a workspace.
pub struct WorkspaceIntegrations(pub Arc<Ctx>);

#[Object]
impl WorkspaceIntegrations {
    /// Connected calendar services.
    async fn integrations(&self) -> Result<Vec<Integration>> {
        let rows = integrations::list(&self.0).await.map_err(expose)?;
        Ok(rows.into_iter().map(Integration::from).collect())
    }
}

#[derive(Default)]
pub struct IntegrationQuery;

#[Object]
impl IntegrationQuery {
    /// An integration by ID.
    async fn integration(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the integration.")] id: ID,
    ) -> Option<Result<Integration>> {
        lookup(async { Integration::load(access(ctx), target(&id)?).await }.await)
    }
}

/// A service to connect.
#[derive(InputObject)]
pub struct ConnectIntegrationInput {
    /// Workspace of the integration.
    workspace_id: ID,
    /// The service with its settings.
    service: IntegrationServiceInput,
}

/// Exactly one external service.
#[derive(OneofObject)]
pub enum IntegrationServiceInput {
    /// A CalDAV server.
    Caldav(CaldavIntegrationInput),
    /// An ICS feed.
    IcsFeed(IcsFeedIntegrationInput),
}

impl IntegrationServiceInput {
    fn into_model(self) -> Service {
        match self {
            Self::Caldav(input) => Service::Caldav {
                server_url: input.server_url.0,
                username: input.username,
                password: input.password,
            },
            Self::IcsFeed(input) => Service::IcsFeed {
                url: input.url.0,
                name: input.name,
                refresh_minutes: input.refresh_minutes,
            },
        }
    }
}

/// Settings for a CalDAV server.
#[derive(InputObject)]
pub struct CaldavIntegrationInput {
    /// Address of the server or principal.
    server_url: Url,
    /// User name.
    username: String,
    /// Password or app password. Stored encrypted, never returned.
    #[graphql(secret)]
    password: String,
}

/// Settings for an ICS feed.
#[derive(InputObject)]
pub struct IcsFeedIntegrationInput {
    /// Address of the feed.
    url: Url,
    /// Name of the calendar.
    name: String,
    /// How often to fetch, at least 5.
    #[graphql(default = 60)]
    refresh_minutes: i32,
}

/// Changes to an integration. Omitted fields stay as they are.
#[derive(InputObject)]
pub struct UpdateIntegrationInput {
    /// Pauses or resumes automatic sync.
    is_paused: MaybeUndefined<bool>,
    /// Calendars to mirror; others are no longer mirrored.
    calendar_ids: MaybeUndefined<Vec<ID>>,
}

/// Result of `connectIntegration`.
#[derive(SimpleObject)]
pub struct ConnectIntegrationPayload {
    /// The integration after the change. Null when the mutation failed.
    integration: Option<Integration>,
    /// Page where the user grants access. Null when none is needed.
    authorization_url: Option<Url>,
    /// Expected failures. Empty on success.
    user_errors: Vec<UserError>,
}

payload!(
    UpdateIntegrationPayload,
    "updateIntegration",
    /// The integration after the change. Null when the mutation failed.
    integration: Integration
);
shaped_payload!(
    DisconnectIntegrationPayload,
    "disconnectIntegration",
    /// ID of the disconnected integration. Null when the mutation failed.
    value disconnected_integration_id: Option<ID>
);
/// Result of `syncIntegration`.
#[derive(SimpleObject)]
pub struct SyncIntegrationPayload {
    /// The integration after the change. Null when the mutation failed.
    integration: Option<Integration>,
    /// Background job that does the work. Null when the mutation failed.
    job: Option<Job>,
    /// Expected failures. Empty on success.
    user_errors: Vec<UserError>,
}

/// Result of `confirmSync`.
#[derive(SimpleObject)]
pub struct ConfirmSyncPayload {
    /// The integration.
    integration: Option<Integration>,
    /// Job that applies or repeats the sync.
    job: Option<Job>,
    /// Expected failures. Empty on success.
    user_errors: Vec<UserError>,
}

/// What a command that queues a sync answers: the integration, its job and the expected failures.
async fn queued(
    ctx: &Context<'_>,
    result: kernel::Result<Queued>,
) -> Result<(Option<Integration>, Option<Job>, Vec<UserError>)> {
    let (queued, user_errors) = outcome(result)?;
    let Some(queued) = queued else {
        return Ok((None, None, user_errors));
    };
    let job = job_of(ctx, Some(queued.job_id)).await.transpose()?;
    Ok((Some(queued.integration.into()), job, user_errors))
}

/// Enters the workspace of the integration that a mutation acts on.
async fn enter(access: &Access, id: &ID) -> kernel::Result<(Ctx, IntegrationId)> {
    access.caller().require_user()?;
    let id = target(id)?;
    Ok((access.ctx_of::<integration::Entity>(id).await?, id))
}

commands! {
    DisconnectIntegration(id "id": ID, keep_events "keepEvents": bool = false) -> DisconnectIntegrationPayload, |access| {
        let (entered, id) = enter(access, &id).await?;
        integrations::disconnect(&entered, id, keep_events).await?;
        Ok(DisconnectIntegrationPayload::of(global(id)))
    };
}

#[derive(Default)]
pub struct IntegrationMutation;

#[Object]
impl IntegrationMutation {
    /// Connects an external calendar service and starts its first sync. The service is asked for its calendars first: a wrong address or
    /// password is refused. Connecting the same account again renews its password.
    /// Requires `ADMIN` in team workspaces.
    async fn connect_integration(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Values to use.")] input: ConnectIntegrationInput,
    ) -> Result<ConnectIntegrationPayload> {
        let result = async {
            access(ctx).caller().require_user()?;
            let path = "input.workspaceId";
            let entered = access(ctx).ctx(reference(&input.workspace_id, path)?).await;
            let entered = workspace_reference(entered, path)?;
            integrations::connect(&entered, input.service.into_model()).await
        };
        let (row, user_errors) = outcome(result.await)?;
        Ok(ConnectIntegrationPayload {
            integration: row.map(Integration::from),
            // The services that are built need a password or nothing.
            authorization_url: None,
            user_errors,
        })
    }

    /// Pauses, resumes or changes the mirrored calendars of an integration.
    async fn update_integration(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
        #[graphql(desc = "Values to use.")] input: UpdateIntegrationInput,
    ) -> Result<UpdateIntegrationPayload> {
        let result = async {
            let (entered, id) = enter(access(ctx), &id).await?;
            let chosen = set(input.calendar_ids, "input.calendarIds")?;
            let chosen = chosen.map(|ids| references::<CalendarId>(&ids, "input.calendarIds"));
            let patch = IntegrationPatch {
                is_paused: set(input.is_paused, "input.isPaused")?,
                calendar_ids: chosen.transpose()?,
            };
            integrations::update(&entered, id, patch).await
        };
        UpdateIntegrationPayload::new(result.await, Integration::from)
    }

    /// Starts a sync now. Watch it with `syncProgress`.
    async fn sync_integration(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
        #[graphql(desc = "Fetch everything again instead of only changes.", default = false)] full: bool,
    ) -> Result<SyncIntegrationPayload> {
        let result = async {
            let (entered, id) = enter(access(ctx), &id).await?;
            integrations::sync_now(&entered, id, full).await
        };
        let (integration, job, user_errors) = queued(ctx, result.await).await?;
        Ok(SyncIntegrationPayload {
            integration,
            job,
            user_errors,
        })
    }

    /// Disconnects an integration and removes its credentials. Keeps mirrored events as local ones when asked.
    async fn disconnect_integration(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
        #[graphql(desc = "Keep mirrored events as local ones.", default = false)] keep_events: bool,
    ) -> Result<DisconnectIntegrationPayload> {
        command::<DisconnectIntegration>(ctx, (id, keep_events)).await
    }

    /// Decide about a sync that is held because it would delete most events of a calendar.
    async fn confirm_sync(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Integration that is held.")] integration_id: ID,
        #[graphql(
            desc = "Apply the deletions (`true`), or keep the events and fetch everything again (`false`)."
        )]
        accept: bool,
    ) -> Result<ConfirmSyncPayload> {
        let result = async {
            let (entered, id) = enter(access(ctx), &integration_id).await?;
            integrations::confirm(&entered, id, accept).await
        };
        let (integration, job, user_errors) = queued(ctx, result.await).await?;
        Ok(ConfirmSyncPayload {
            integration,
            job,
            user_errors,
        })
    }
}
