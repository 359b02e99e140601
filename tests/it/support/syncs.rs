//! Connecting calendar services in tests, and doing the work of a sync worker step by step.

use entity::enums::JobStatus;
use entity::ids::JobId;
use entity::job;
use meridian::features::integrations;
use meridian::kernel::actor::Actor;
use meridian::kernel::jobs::Payload;
use meridian::platform::db::{Scope, Tx};
use meridian::platform::jobs::{JobError, ProgressHandle, RunningJob};
use sea_orm::{ColumnTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _, Set};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{Answer, Client, TestApp};

pub const CONNECT: &str = r"
    mutation ($input: ConnectIntegrationInput!) {
      connectIntegration(input: $input) {
        integration { id provider accountLabel status lastError nextSyncAt lastSyncedAt owner { name }
          calendars { id name color isReadOnly timeZone integration { id } } }
        authorizationUrl
        userErrors { code field message }
      }
    }";

/// Connects a CalDAV account.
pub async fn connect_caldav(client: &Client<'_>, workspace: &str, url: &str, user: (&str, &str)) -> Answer {
    let service = json!({ "caldav": { "serverUrl": url, "username": user.0, "password": user.1 } });
    connect(client, workspace, service).await
}

/// Connects a feed.
pub async fn connect_feed(client: &Client<'_>, workspace: &str, url: &str) -> Answer {
    connect(
        client,
        workspace,
        json!({ "icsFeed": { "url": url, "name": "Holidays" } }),
    )
    .await
}

/// Connects a service.
pub async fn connect(client: &Client<'_>, workspace: &str, service: Value) -> Answer {
    let input = json!({ "workspaceId": workspace, "service": service });
    client.gql(CONNECT, json!({ "input": input })).await
}

/// The integration as its workspace sees it, with its runs.
pub async fn integration(client: &Client<'_>, id: &str) -> Value {
    let document = r"
        query ($id: ID!) {
          integration(id: $id) {
            id status lastError lastSyncedAt nextSyncAt calendars { id name isReadOnly lastSyncedAt }
            recentSyncs { id status createdCount updatedCount deletedCount pushedCount problemCount error finishedAt
              integration { id } problems { object line message calendar { name } } }
          }
        }";
    client.gql(document, json!({ "id": id })).await.at("/integration")
}

/// The newest run of an integration.
pub async fn newest_run(client: &Client<'_>, id: &str) -> Value {
    integration(client, id).await["recentSyncs"][0].clone()
}

/// Titles of all events of the workspace, in order of their start.
pub async fn titles(client: &Client<'_>, workspace: &str) -> Vec<String> {
    let document = r"
        query ($id: ID!, $after: String) {
          workspace(id: $id) {
            calendarEvents(first: 100, after: $after) { nodes { title } pageInfo { hasNextPage endCursor } }
          }
        }";
    let (mut titles, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = client
            .gql(document, json!({ "id": workspace, "after": after }))
            .await;
        let page = page.at("/workspace/calendarEvents");
        for node in page["nodes"].as_array().unwrap() {
            titles.push(node["title"].as_str().unwrap().to_owned());
        }
        if page["pageInfo"]["hasNextPage"] == json!(false) {
            return titles;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

/// Asks for a sync.
pub async fn ask(client: &Client<'_>, id: &str, full: bool) -> Answer {
    let document = "mutation ($id: ID!, $full: Boolean!) { syncIntegration(id: $id, full: $full) { integration { id } userErrors { code field } } }";
    client.gql(document, json!({ "id": id, "full": full })).await
}

/// Asks for a sync and does it.
pub async fn sync(client: &Client<'_>, id: &str) -> Result<(), JobError> {
    ask(client, id, false).await.succeeded("syncIntegration");
    work(client.app).await
}

/// Does the one sync that waits, as a worker would, and records how it ended.
pub async fn work(app: &TestApp) -> Result<(), JobError> {
    let mut waiting = waiting(app).await;
    assert_eq!(waiting.len(), 1, "exactly one sync waits");
    let job = waiting.remove(0);
    let id = job.id;
    let payload: Payload = serde_json::from_value(job.payload.clone()).unwrap();
    let attempt = job.attempts + 1;
    store(app, id, JobStatus::Running, attempt).await;
    let running = RunningJob {
        id,
        attempt,
        payload,
        workspace_id: job.workspace_id,
        created_by: job.created_by,
        cancel: CancellationToken::new(),
        progress: ProgressHandle::channel().0,
    };
    let result = integrations::sync(&app.platform, &running).await;
    let status = match &result {
        Ok(()) => JobStatus::Succeeded,
        Err(JobError::Fatal(_)) => JobStatus::Dead,
        Err(JobError::Cancelled) => JobStatus::Cancelled,
        Err(_) if attempt >= job.max_attempts => JobStatus::Dead,
        Err(_) => JobStatus::Retrying,
    };
    store(app, id, status, attempt).await;
    result
}

/// The syncs that wait.
pub async fn waiting(app: &TestApp) -> Vec<job::Model> {
    let read = app.platform.db.read(Scope::System).await.unwrap();
    read.find::<job::Entity>()
        .filter(job::Column::Kind.eq("sync_integration"))
        .filter(job::Column::Status.is_in([JobStatus::Queued, JobStatus::Retrying]))
        .order_by_asc(job::Column::Id)
        .all(&read)
        .await
        .unwrap()
}

async fn store(app: &TestApp, id: JobId, status: JobStatus, attempts: i32) {
    let body = |tx: Tx| async move {
        let row = tx
            .find::<job::Entity>()
            .filter(job::Column::Id.eq(id))
            .one(tx.conn())
            .await?;
        let mut row = row.unwrap().into_active_model();
        row.status = Set(status);
        row.attempts = Set(attempts);
        tx.update(row).await.map(drop)
    };
    app.platform
        .write(Scope::System, Actor::system(), body)
        .await
        .unwrap();
}
