//! Connecting a service. The service is asked for its calendars first, outside any transaction; only what answered is stored.

use std::time::Duration;

use entity::enums::{ChangeAction, IntegrationProvider, IntegrationStatus};
use entity::ids::{TypedId as _, UserId, WorkspaceId};
use entity::integration;
use sea_orm::{ActiveModelTrait as _, IntoActiveModel as _};

use super::{Wish, add_calendars, queue_in, record, rename, save};
use crate::access::Ctx;
use crate::features::integrations::credentials::Account;
use crate::features::integrations::model::Service;
use crate::features::integrations::providers::{ProviderError, RemoteCalendar};
use crate::features::integrations::rules;
use crate::kernel::actions::{Action, Resource};
use crate::kernel::{Error, Result, UserErrorCode};
use crate::platform::db::Tx;

/// Time for the service to answer. Each call has its own, shorter limit; together they must end before the operation's.
const PROBE_LIMIT: Duration = Duration::from_secs(20);

/// All that a connection stores.
#[derive(Clone)]
struct Plan {
    owner_id: UserId,
    provider: IntegrationProvider,
    label: String,
    server_url: Option<String>,
    username: Option<String>,
    sealed: Vec<u8>,
    fingerprint: String,
    refresh_minutes: i32,
    calendars: Vec<RemoteCalendar>,
}

/// Connects a service and starts its first sync. Connecting the same account or feed again renews its password and settings instead of
/// mirroring everything twice; that is also how access that was lost comes back.
pub async fn connect(ctx: &Ctx, service: Service) -> Result<integration::Model> {
    ctx.require(Action::Manage, Resource::Integration)?;
    let owner_id = ctx.require_person()?;
    let service = rules::check(&service)?;
    let account = Account::of(&service);
    let mut calendars = ask(ctx, &account).await?;
    let secrets = &ctx.platform().secrets;
    let (label, server_url, username) = match &service {
        Service::Caldav {
            server_url, username, ..
        } => (
            username.clone(),
            Some(without_secrets(server_url)),
            Some(username.clone()),
        ),
        Service::IcsFeed { url, name, .. } => {
            for calendar in &mut calendars {
                calendar.name.clone_from(name);
            }
            // The rest of a feed's address may be a secret.
            (host(url), None, None)
        }
    };
    let plan = Plan {
        owner_id,
        provider: account.provider(),
        label,
        server_url,
        username,
        sealed: account.seal(secrets, ctx.workspace_id())?,
        fingerprint: account.fingerprint(secrets)?,
        refresh_minutes: rules::refresh_minutes(&service),
        calendars,
    };
    ctx.write(|tx| {
        let plan = plan.clone();
        async move { store(&tx, plan).await }
    })
    .await
}

async fn ask(ctx: &Ctx, account: &Account) -> Result<Vec<RemoteCalendar>> {
    let asking = async { account.open(ctx.platform())?.list_calendars().await };
    let late = || ProviderError::Unavailable {
        message: "The server took too long to answer.".into(),
        retry_after: None,
    };
    let answer = tokio::time::timeout(PROBE_LIMIT, asking).await;
    let refused = |error| rules::refused(account.provider(), error);
    let mut calendars = answer.unwrap_or_else(|_| Err(late())).map_err(refused)?;
    if calendars.is_empty() {
        return Err(refused(ProviderError::NotACalendar(
            "This account has no calendars with events.",
        )));
    }
    calendars.truncate(rules::MAX_CALENDARS);
    Ok(calendars)
}

async fn store(tx: &Tx, plan: Plan) -> Result<integration::Model> {
    // One at a time: two requests must not connect the same account twice.
    tx.lock_workspace().await?;
    let existing =
        sea_orm::QueryOrder::order_by_asc(tx.find::<integration::Entity>(), integration::Column::Id)
            .all(tx.conn())
            .await?;
    let count = existing.len();
    let same = existing
        .into_iter()
        .find(|row| row.settings["account"] == plan.fingerprint.as_str());
    let settings = serde_json::json!({ "account": plan.fingerprint });
    let (row, action) = match same {
        Some(mut row) => {
            row.owner_id = plan.owner_id;
            row.sealed_credentials = Some(plan.sealed);
            row.refresh_minutes = plan.refresh_minutes;
            row.last_error = None;
            row.settings = settings;
            // What a person decided or has to decide stays.
            if !matches!(row.status, IntegrationStatus::Held | IntegrationStatus::Paused) {
                row.status = IntegrationStatus::Active;
                row.next_sync_at = Some(rules::next_sync(&row, tx.now()));
            }
            (save(tx, row).await?, ChangeAction::Updated)
        }
        None => {
            if count >= rules::MAX_INTEGRATIONS {
                let message = format!(
                    "A workspace has at most {} integrations. Disconnect one that is no longer needed.",
                    rules::MAX_INTEGRATIONS
                );
                return Err(Error::user(UserErrorCode::LimitReached, "input.service", message));
            }
            let mut row = integration::Model {
                id: tx.ids().next(),
                // The scope of the transaction decides; `insert` stores its workspace.
                workspace_id: WorkspaceId::from_uuid(uuid::Uuid::nil()),
                owner_id: plan.owner_id,
                provider: plan.provider,
                account_label: plan.label,
                status: IntegrationStatus::Active,
                server_url: plan.server_url,
                username: plan.username,
                sealed_credentials: Some(plan.sealed),
                settings,
                refresh_minutes: plan.refresh_minutes,
                last_synced_at: None,
                next_sync_at: None,
                last_error: None,
                version: 1,
                created_at: tx.now(),
                updated_at: tx.now(),
            };
            row.next_sync_at = Some(rules::next_sync(&row, tx.now()));
            (
                tx.insert(row.into_active_model().reset_all()).await?,
                ChangeAction::Created,
            )
        }
    };
    if action == ChangeAction::Updated && row.provider == IntegrationProvider::IcsFeed {
        rename(tx, &row, &plan.calendars).await?;
    }
    let added = add_calendars(tx, &row, &plan.calendars).await?;
    if row.status == IntegrationStatus::Active {
        queue_in(tx, &row, Wish::Changes).await?;
    }
    let changes = serde_json::json!({ "provider": row.provider, "calendarsAdded": added });
    record(tx, "integration.connected", action, row.id, Some(changes));
    Ok(row)
}

/// An address without the user name and password that some people write into it.
fn without_secrets(address: &str) -> String {
    let Ok(mut url) = url::Url::parse(address) else {
        return String::new();
    };
    // Both only fail on URLs without a host, which have neither.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.to_string()
}

fn host(address: &str) -> String {
    let url = url::Url::parse(address).ok();
    url.as_ref()
        .and_then(url::Url::host_str)
        .unwrap_or("ICS feed")
        .to_owned()
}
