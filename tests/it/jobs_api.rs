//! Jobs as members and administrators see them through the API.

use entity::ids::{IntegrationId, JobId, TypedId as _, WorkspaceId};
use futures_util::StreamExt as _;
use meridian::access::Identity;
use meridian::kernel::actor::Actor;
use meridian::kernel::jobs::{NewJob, Payload};
use meridian::platform::db::{Scope, Tx};
use meridian::platform::jobs;
use serde_json::{Value, json};

use crate::support::{Client, TestApp};

async fn enqueue(app: &TestApp, workspace: Option<WorkspaceId>) -> String {
    let payload = Payload::SyncIntegration {
        integration_id: IntegrationId::from_uuid(app.platform.ids.uuid()),
        full: true,
        accept_deletes: false,
    };
    let job = NewJob {
        workspace_id: workspace,
        ..NewJob::for_system(payload)
    };
    let body = |tx: Tx| {
        let job = job.clone();
        async move { tx.enqueue(job).await }
    };
    let id: JobId = app
        .platform
        .write(Scope::System, Actor::system(), body)
        .await
        .unwrap();
    id.to_string()
}

fn admin(app: &TestApp) -> Client<'_> {
    app.client_as(Identity::Session {
        user_id: app.ben.user_id,
        session_id: app.platform.ids.next(),
        is_admin: true,
    })
}

const JOB: &str =
    "query ($id: ID!) { job(id: $id) { id queue status attempts maxAttempts payload workspace { name } } }";

#[tokio::test]
async fn members_see_the_jobs_of_their_workspaces_without_their_arguments() {
    let app = TestApp::start().await;
    let id = enqueue(&app, Some(app.ana.workspace_id)).await;
    let job = app.ana().gql(JOB, json!({ "id": id })).await.at("/job");
    assert_eq!(job["queue"], "CALENDAR_SYNC");
    assert_eq!(job["status"], "QUEUED");
    assert_eq!((&job["attempts"], &job["maxAttempts"]), (&json!(0), &json!(5)));
    assert_eq!(job["payload"], Value::Null);
    assert_eq!(job["workspace"]["name"], "Ana");

    let foreign = app.ben().gql(JOB, json!({ "id": id })).await;
    let unknown = app
        .ben()
        .gql(JOB, json!({ "id": "job_01jdb2k9x4e5vb4pex5vsknk08" }))
        .await;
    assert_eq!(foreign, unknown);
    assert_eq!(foreign.at("/job"), Value::Null);
    let system = enqueue(&app, None).await;
    assert_eq!(
        app.ana().gql(JOB, json!({ "id": system })).await.at("/job"),
        Value::Null
    );
    assert_eq!(
        app.guest().gql(JOB, json!({ "id": id })).await.error_code(),
        "UNAUTHENTICATED"
    );
    let node = "query ($id: ID!) { node(id: $id) { id } }";
    assert_eq!(
        app.ana().gql(node, json!({ "id": id })).await.text("/node/id"),
        id
    );
    assert_eq!(
        app.ben().gql(node, json!({ "id": id })).await.at("/node"),
        Value::Null
    );
}

#[tokio::test]
async fn administrators_page_through_all_jobs() {
    let app = TestApp::start().await;
    let mut ids = vec![];
    for workspace in [Some(app.ana.workspace_id), None, Some(app.ben.workspace_id)] {
        ids.insert(0, enqueue(&app, workspace).await);
    }
    let jobs = "query ($filter: JobFilter, $after: String) { jobs(filter: $filter, first: 2, after: $after) {
        totalCount nodes { id payload } pageInfo { hasNextPage endCursor } } }";
    assert_eq!(app.ana().gql(jobs, json!({})).await.error_code(), "FORBIDDEN");
    assert_eq!(
        app.guest().gql(jobs, json!({})).await.error_code(),
        "UNAUTHENTICATED"
    );

    let admin = admin(&app);
    let first = admin.gql(jobs, json!({})).await.at("/jobs");
    assert_eq!(first["totalCount"], 3);
    assert_eq!(first["nodes"][0]["payload"]["kind"], "sync_integration");
    let second = admin
        .gql(jobs, json!({ "after": first["pageInfo"]["endCursor"] }))
        .await
        .at("/jobs");
    assert_eq!(second["pageInfo"]["hasNextPage"], false);
    let seen: Vec<&Value> = [&first, &second]
        .iter()
        .flat_map(|page| page["nodes"].as_array().unwrap())
        .map(|node| &node["id"])
        .collect();
    assert_eq!(seen, ids.iter().collect::<Vec<_>>());

    let of = async |filter: Value| {
        admin
            .gql(jobs, json!({ "filter": filter }))
            .await
            .at("/jobs/totalCount")
    };
    assert_eq!(of(json!({ "workspaceId": app.ana.workspace() })).await, 1);
    assert_eq!(of(json!({ "workspaceId": "nonsense" })).await, 0);
    assert_eq!(of(json!({ "statuses": ["DEAD"] })).await, 0);
    assert_eq!(
        of(json!({ "queues": ["CALENDAR_SYNC"], "statuses": ["QUEUED"] })).await,
        3
    );
}

#[tokio::test]
async fn a_job_is_watched_until_it_ends() {
    let app = TestApp::start().await;
    let id = enqueue(&app, Some(app.ana.workspace_id)).await;
    let document = "subscription ($id: ID!) { jobProgress(jobId: $id) { status } }";
    let mut progress = app.ana().subscribe(document, json!({ "id": id }));
    assert_eq!(progress.next().await.unwrap().at("/jobProgress/status"), "QUEUED");

    let job: JobId = id.parse().unwrap();
    let cancel = |tx: Tx| async move { jobs::cancel(&tx, job).await.map(drop) };
    app.platform
        .write(Scope::System, Actor::system(), cancel)
        .await
        .unwrap();
    assert_eq!(
        progress.next().await.unwrap().at("/jobProgress/status"),
        "CANCELLED"
    );
    assert!(
        progress.next().await.is_none(),
        "the stream completes with the job"
    );

    let mut foreign = app.ben().subscribe(document, json!({ "id": id }));
    assert_eq!(foreign.next().await.unwrap().error_code(), "NOT_FOUND");
}
