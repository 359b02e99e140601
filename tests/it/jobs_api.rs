//! Jobs as members and administrators see them through the API.

use entity::enums::JobStatus;
use entity::ids::{IntegrationId, JobId, TypedId as _, WorkspaceId};
use entity::job;
use futures_util::StreamExt as _;
use meridian::access::Identity;
use meridian::kernel::actor::Actor;
use meridian::kernel::jobs::{NewJob, Payload};
use meridian::platform::db::{Scope, Tx};
use meridian::platform::jobs;
use sea_orm::{ColumnTrait as _, QueryFilter as _, Set};
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
        session_id: app.ben.session_id,
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

/// Lets a job die as the last attempt would.
async fn die(app: &TestApp, id: &str, unique_key: Option<&str>) {
    let id: JobId = id.parse().unwrap();
    let body = |tx: Tx| async move {
        let dead = job::ActiveModel {
            status: Set(JobStatus::Dead),
            attempts: Set(5),
            last_error: Set(Some("no".into())),
            unique_key: Set(unique_key.map(str::to_owned)),
            finished_at: Set(Some(tx.now())),
            ..Default::default()
        };
        let update = tx.update_many::<job::Entity>().set(dead);
        update.filter(job::Column::Id.eq(id)).exec(tx.conn()).await?;
        Ok(())
    };
    app.platform
        .write(Scope::System, Actor::system(), body)
        .await
        .unwrap();
}

async fn audited(app: &TestApp) -> Vec<String> {
    let log =
        "query ($id: ID!) { workspace(id: $id) { auditLogs(first: 20) { nodes { action entityType } } } }";
    let log = app.ana().gql(log, json!({ "id": app.ana.workspace() })).await;
    let nodes = log.at("/workspace/auditLogs/nodes");
    let jobs = nodes.as_array().unwrap().iter();
    jobs.filter(|node| node["entityType"] == "Job")
        .map(|node| node["action"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn administrators_requeue_and_discard_dead_jobs() {
    let app = TestApp::start().await;
    let (theirs, system) = (
        enqueue(&app, Some(app.ana.workspace_id)).await,
        enqueue(&app, None).await,
    );
    let admin = admin(&app);
    let requeue =
        "mutation ($id: ID!) { requeueJob(id: $id) { job { status attempts } userErrors { code field } } }";
    let refused = admin.gql(requeue, json!({ "id": theirs })).await;
    assert_eq!(refused.at("/requeueJob/job"), Value::Null);
    assert_eq!(
        refused.at("/requeueJob/userErrors/0"),
        json!({ "code": "INVALID_STATE", "field": ["id"] })
    );
    for id in [&theirs, &system] {
        die(&app, id, None).await;
        let forbidden = app.ana().gql(requeue, json!({ "id": id })).await;
        assert_eq!(forbidden.error_code(), "FORBIDDEN");
        let back = admin.gql(requeue, json!({ "id": id })).await;
        assert_eq!(
            back.at("/requeueJob/job"),
            json!({ "status": "QUEUED", "attempts": 0 })
        );
    }
    assert_eq!(audited(&app).await, ["job.requeued"]);

    // Of several that did the same only the newest comes back.
    let same = enqueue(&app, Some(app.ana.workspace_id)).await;
    die(&app, &theirs, Some("same")).await;
    die(&app, &same, Some("same")).await;
    die(&app, &system, None).await;
    let all = "mutation { requeueDeadJobs(queue: CALENDAR_SYNC) { requeuedCount userErrors { code } } }";
    assert_eq!(
        admin
            .gql(all, json!({}))
            .await
            .at("/requeueDeadJobs/requeuedCount"),
        2
    );
    assert_eq!(
        admin
            .gql(all, json!({}))
            .await
            .at("/requeueDeadJobs/requeuedCount"),
        0
    );
    assert_eq!(audited(&app).await, ["job.requeued", "job.requeued"]);
    let state = async |id: &str| admin.gql(JOB, json!({ "id": id })).await.at("/job");
    assert_eq!(state(&same).await["status"], "QUEUED");
    assert_eq!(state(&theirs).await["status"], "DEAD");

    let discard = "mutation ($id: ID!) { discardJob(id: $id) { discardedJobId userErrors { code } } }";
    let kept = admin.gql(discard, json!({ "id": same })).await;
    assert_eq!(kept.text("/discardJob/userErrors/0/code"), "INVALID_STATE");
    let gone = admin.gql(discard, json!({ "id": theirs })).await;
    assert_eq!(gone.text("/discardJob/discardedJobId"), theirs);
    assert_eq!(state(&theirs).await, Value::Null);
    assert_eq!(audited(&app).await[0], "job.discarded");
}

#[tokio::test]
async fn a_member_cancels_what_they_started() {
    let app = TestApp::start().await;
    let started = |by| {
        let payload = Payload::StartDueSyncs;
        let job = NewJob::for_workspace(app.ana.workspace_id, payload).by(by);
        let body = move |tx: Tx| {
            let job = job.clone();
            async move { tx.enqueue(job).await }
        };
        app.platform.write(Scope::System, Actor::system(), body)
    };
    let own = started(Some(app.ana.user_id)).await.unwrap().to_string();
    let other = started(Some(app.ben.user_id)).await.unwrap().to_string();
    let cancel = "mutation ($id: ID!) { cancelJob(id: $id) { job { status } userErrors { code } } }";
    let done = app.ana().gql(cancel, json!({ "id": own })).await;
    assert_eq!(done.text("/cancelJob/job/status"), "CANCELLED");
    let again = app.ana().gql(cancel, json!({ "id": own })).await;
    assert_eq!(again.text("/cancelJob/userErrors/0/code"), "INVALID_STATE");
    let forbidden = app.ana().gql(cancel, json!({ "id": other })).await;
    assert_eq!(forbidden.error_code(), "FORBIDDEN");
    // Having started it does not open a workspace that one does not belong to.
    let foreign = app.ben().gql(cancel, json!({ "id": other })).await;
    assert_eq!(foreign.error_code(), "NOT_FOUND");
    let by_admin = admin(&app).gql(cancel, json!({ "id": other })).await;
    assert_eq!(by_admin.text("/cancelJob/job/status"), "CANCELLED");
    assert_eq!(audited(&app).await, ["job.cancelled", "job.cancelled"]);
}

#[tokio::test]
async fn administrators_see_the_queues_and_pause_them() {
    let app = TestApp::start().await;
    enqueue(&app, None).await;
    let queues = "{ jobQueues { name queuedCount deadCount oldestQueuedSeconds workerCount isPaused } }";
    assert_eq!(app.ana().gql(queues, json!({})).await.error_code(), "FORBIDDEN");
    let admin = admin(&app);
    let seen = admin.gql(queues, json!({})).await.at("/jobQueues");
    assert_eq!(seen.as_array().unwrap().len(), 6);
    assert_eq!(
        (&seen[0]["name"], &seen[0]["queuedCount"], &seen[0]["workerCount"]),
        (&json!("CALENDAR_SYNC"), &json!(1), &json!(0))
    );
    assert!(seen[0]["oldestQueuedSeconds"].is_number());
    assert_eq!(seen[1]["oldestQueuedSeconds"], Value::Null);
    let pause = "mutation ($on: Boolean!) { setJobQueuePaused(queue: EMAIL, isPaused: $on) { jobQueue { name isPaused } } }";
    for on in [true, false] {
        let paused = admin.gql(pause, json!({ "on": on })).await;
        assert_eq!(
            paused.at("/setJobQueuePaused/jobQueue"),
            json!({ "name": "EMAIL", "isPaused": on })
        );
    }
}

#[tokio::test]
async fn administrators_watch_all_jobs_of_some_queues() {
    let app = TestApp::start().await;
    let document = "subscription ($queues: [JobQueueName!]) { jobChanged(queues: $queues) { id status } }";
    let mut refused = app.ana().subscribe(document, json!({}));
    assert_eq!(refused.next().await.unwrap().error_code(), "FORBIDDEN");

    let admin = admin(&app);
    let id = enqueue(&app, Some(app.ana.workspace_id)).await;
    let mut all = admin.subscribe(document, json!({}));
    let mut mail = admin.subscribe(document, json!({ "queues": ["EMAIL"] }));
    let soon = std::time::Duration::from_millis(300);
    for stream in [&mut all, &mut mail] {
        let nothing = tokio::time::timeout(soon, stream.next()).await;
        assert!(nothing.is_err(), "nothing has changed yet");
    }
    let cancel = "mutation ($id: ID!) { cancelJob(id: $id) { userErrors { code } } }";
    admin.gql(cancel, json!({ "id": id })).await;
    assert_eq!(
        all.next().await.unwrap().at("/jobChanged"),
        json!({ "id": id, "status": "CANCELLED" })
    );
    let nothing = tokio::time::timeout(soon, mail.next()).await;
    assert!(nothing.is_err(), "it was no letter");
}
