//! The dashboard of the jobs on the listener for operators: what it shows, what it does, and whom it lets do it.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use entity::enums::{ApiTokenScope, JobStatus};
use entity::ids::{IntegrationId, JobId, TypedId as _};
use entity::{audit_log, job};
use meridian::access::{NewToken, create_token};
use meridian::features::people;
use meridian::kernel::actor::Actor;
use meridian::kernel::jobs::{NewJob, Payload};
use meridian::platform::db::{Scope, Tx};
use meridian::web::admin::{Admin, serve};
use meridian::web::health::Health;
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _, Set};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::TestApp;

struct Desk {
    app: TestApp,
    address: SocketAddr,
}

impl Desk {
    async fn open() -> Self {
        let app = TestApp::start().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let admin = Admin::new(app.platform.clone(), Health::new(Vec::new()));
        tokio::spawn(serve(listener, admin));
        Self { app, address }
    }

    /// A token of Ana, who looks after the installation, or of Ben, who does not.
    async fn token(&self, is_ana: bool, scope: ApiTokenScope, is_limited: bool) -> String {
        let platform = &self.app.platform;
        people::set_admin(platform, self.app.ana.user_id, true)
            .await
            .unwrap();
        let person = if is_ana { &self.app.ana } else { &self.app.ben };
        let new = NewToken {
            name: "operator".into(),
            scopes: vec![scope],
            workspace_id: is_limited.then_some(person.workspace_id),
            expires_at: None,
        };
        let made = create_token(platform, Actor::system(), person.user_id, new).await;
        made.unwrap().secret
    }

    /// The status, the head and the body of an answer.
    async fn send(&self, method: &str, path: &str, headers: &[&str]) -> (u16, String, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: operators\r\nConnection: close\r\n");
        for header in headers {
            request += &format!("{header}\r\n");
        }
        request += "Content-Length: 0\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_lowercase(), body.to_owned())
    }

    async fn ask(&self, token: &str, method: &str, path: &str) -> (u16, Value) {
        let bearer = format!("Authorization: Bearer {token}");
        let (status, head, body) = self.send(method, path, &[&bearer]).await;
        assert!(head.contains("cache-control: private, no-store"), "{head}");
        (status, serde_json::from_str(&body).unwrap())
    }

    async fn enqueue(&self, number: u128) -> JobId {
        let payload = Payload::SyncIntegration {
            integration_id: IntegrationId::from_uuid(uuid::Uuid::from_u128(number)),
            full: true,
            accept_deletes: false,
        };
        let job = NewJob::for_workspace(self.app.ana.workspace_id, payload);
        let body = |tx: Tx| {
            let job = job.clone();
            async move { tx.enqueue(job).await }
        };
        let platform = &self.app.platform;
        platform
            .write(Scope::System, Actor::system(), body)
            .await
            .unwrap()
    }

    async fn die(&self, id: JobId) {
        let body = |tx: Tx| async move {
            let dead = job::ActiveModel {
                status: Set(JobStatus::Dead),
                attempts: Set(5),
                last_error: Set(Some("<b>no</b>".into())),
                finished_at: Set(Some(tx.now())),
                ..Default::default()
            };
            let update = tx.update_many::<job::Entity>().set(dead);
            update.filter(job::Column::Id.eq(id)).exec(tx.conn()).await?;
            Ok(())
        };
        let platform = &self.app.platform;
        platform
            .write(Scope::System, Actor::system(), body)
            .await
            .unwrap();
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.app.platform.shutdown.cancel();
    }
}

#[tokio::test]
async fn the_page_is_whole_and_allows_nothing_from_elsewhere() {
    let desk = Desk::open().await;
    let (status, head, page) = desk.send("GET", "/admin/jobs", &[]).await;
    assert_eq!(status, 200);
    for header in [
        "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';",
        "frame-ancestors 'none'",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
    ] {
        assert!(head.contains(header), "{header}\n{head}");
    }
    assert!(
        !page.contains("<script>") && !page.contains("style="),
        "nothing is inline"
    );
    for (path, kind) in [
        ("/admin/jobs.js", "text/javascript"),
        ("/admin/jobs.css", "text/css"),
    ] {
        assert!(page.contains(path), "{path}");
        let (status, head, text) = desk.send("GET", path, &[]).await;
        assert_eq!((status, head.contains(kind)), (200, true), "{head}");
        assert!(
            !text.contains("innerHTML") && !text.contains("https://"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn only_tokens_of_administrators_open_it() {
    let desk = Desk::open().await;
    let id = desk.enqueue(1).await;
    desk.die(id).await;
    let doors = [
        ("GET", "/admin/api/queues".to_owned()),
        ("GET", "/admin/api/jobs".to_owned()),
        ("POST", format!("/admin/api/jobs/{id}/requeue")),
        ("POST", format!("/admin/api/jobs/{id}/discard")),
        ("POST", "/admin/api/queues/email/pause".to_owned()),
        ("POST", "/admin/api/queues/calendar_sync/requeue-dead".to_owned()),
    ];
    let bens = desk.token(false, ApiTokenScope::Admin, false).await;
    let weak = desk.token(true, ApiTokenScope::Write, false).await;
    let limited = desk.token(true, ApiTokenScope::Admin, true).await;
    let anas = desk.token(true, ApiTokenScope::Admin, false).await;
    for (method, path) in &doors {
        let (status, head, body) = desk.send(method, path, &[]).await;
        assert_eq!(status, 401, "{path}: {body}");
        assert!(head.contains("www-authenticate: bearer"), "{head}");
        assert_eq!(desk.ask("nonsense", method, path).await.0, 401);
        for token in [&bens, &weak, &limited] {
            let (status, body) = desk.ask(token, method, path).await;
            assert_eq!(
                (status, &body["error"]["code"]),
                (403, &json!("FORBIDDEN")),
                "{path}"
            );
        }
        // The session of a browser is nothing here, and a token that a page elsewhere got hold of neither.
        let cookie = format!("Cookie: meridian={anas}");
        assert_eq!(desk.send(method, path, &[&cookie]).await.0, 401);
        let bearer = format!("Authorization: Bearer {anas}");
        let (status, _, body) = desk
            .send(method, path, &[&bearer, "Sec-Fetch-Site: cross-site"])
            .await;
        assert_eq!(status, 403, "{body}");
        assert_eq!(desk.send(method, path, &[&bearer, &bearer]).await.0, 401);
        // Browsers ask first before they send such a header elsewhere, and get no leave.
        let (_, head, _) = desk
            .send("OPTIONS", path, &["Origin: https://evil.example"])
            .await;
        assert!(!head.contains("access-control-allow"), "{head}");
    }
    let (_, list) = desk.ask(&anas, "GET", "/admin/api/jobs").await;
    assert_eq!(list["jobs"][0]["status"], "dead", "nobody did anything");
}

#[tokio::test]
async fn guessing_ends_soon_but_keeps_nobody_out() {
    let desk = Desk::open().await;
    let anas = desk.token(true, ApiTokenScope::Admin, false).await;
    let mut answers = Vec::new();
    for _ in 0..130 {
        let (status, _) = desk.ask("nonsense", "GET", "/admin/api/queues").await;
        answers.push(status);
    }
    assert_eq!((answers[0], answers[129]), (401, 429));
    assert_eq!(desk.ask(&anas, "GET", "/admin/api/queues").await.0, 200);
}

#[tokio::test]
async fn an_administrator_looks_and_acts() {
    let desk = Desk::open().await;
    let anas = desk.token(true, ApiTokenScope::Admin, false).await;
    let (first, second) = (desk.enqueue(1).await, desk.enqueue(2).await);
    desk.die(first).await;
    let (status, queues) = desk.ask(&anas, "GET", "/admin/api/queues").await;
    assert_eq!(status, 200);
    let sync = &queues["queues"][0];
    assert_eq!(
        (&sync["name"], &sync["queued"], &sync["dead"]),
        (&json!("calendar_sync"), &json!(1), &json!(1))
    );
    assert_eq!(
        (&sync["diedPerMinute"], &sync["isPaused"]),
        (&json!(0.2), &json!(false))
    );

    let (_, dead) = desk
        .ask(&anas, "GET", "/admin/api/jobs?status=dead&queue=calendar_sync")
        .await;
    assert_eq!(dead["jobs"].as_array().unwrap().len(), 1);
    let shown = &dead["jobs"][0];
    assert_eq!(
        (&shown["id"], &shown["lastError"]),
        (&json!(first.to_string()), &json!("<b>no</b>"))
    );
    assert_eq!((&dead["next"], shown.get("payload")), (&Value::Null, None));
    assert_eq!(
        desk.ask(&anas, "GET", "/admin/api/jobs?status=someday").await.0,
        400
    );

    let act = async |path: String| desk.ask(&anas, "POST", &format!("/admin/api/{path}")).await;
    let (status, back) = act(format!("jobs/{first}/requeue")).await;
    assert_eq!(
        (status, &back["job"]["status"], &back["job"]["attempts"]),
        (200, &json!("queued"), &json!(0))
    );
    let (status, refused) = act(format!("jobs/{first}/requeue")).await;
    assert_eq!(status, 409);
    assert_eq!(
        refused["error"]["message"],
        "Only a dead or cancelled job can be put back."
    );
    assert_eq!(act(format!("jobs/{second}/cancel")).await.0, 200);
    desk.die(first).await;
    assert_eq!(
        act("queues/calendar_sync/requeue-dead".into()).await.1,
        json!({ "requeued": 1 })
    );
    desk.die(first).await;
    assert_eq!(act(format!("jobs/{first}/discard")).await.0, 200);
    assert_eq!(act(format!("jobs/{first}/discard")).await.0, 404);
    assert_eq!(
        act("queues/email/pause".into()).await.1,
        json!({ "isPaused": true })
    );
    assert_eq!(
        act("queues/email/resume".into()).await.1,
        json!({ "isPaused": false })
    );
    assert_eq!(act("queues/parcels/pause".into()).await.0, 404);
    assert_eq!(act(format!("jobs/{second}/explode")).await.0, 404);

    // Each entry says who asked, and from where.
    let (_, head, _) = desk
        .send(
            "GET",
            "/admin/api/queues",
            &[&format!("Authorization: Bearer {anas}")],
        )
        .await;
    assert!(head.contains("x-request-id: "), "{head}");
    let read = desk.app.platform.db.read(Scope::System).await.unwrap();
    let entries = read
        .find::<audit_log::Entity>()
        .filter(audit_log::Column::ActorId.eq(desk.app.ana.user_id))
        .order_by_asc(audit_log::Column::Seq)
        .all(&read)
        .await
        .unwrap();
    drop(read);
    let actions: Vec<&str> = entries.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(
        actions,
        [
            "job.requeued",
            "job.cancelled",
            "job.requeued",
            "job.discarded",
            "job_queue.paused",
            "job_queue.resumed",
        ]
    );
    let requests: BTreeSet<&str> = entries
        .iter()
        .filter_map(|entry| entry.request_id.as_deref())
        .collect();
    assert_eq!(requests.len(), entries.len(), "each request has an id of its own");
    for entry in &entries {
        assert_eq!(entry.ip_address.as_deref(), Some("127.0.0.1"), "{entry:?}");
    }

    // It is in the audit log of the workspace whose jobs they were.
    let log =
        "query ($id: ID!) { workspace(id: $id) { auditLogs(first: 20) { nodes { action entityType } } } }";
    let log = desk
        .app
        .ana()
        .gql(log, json!({ "id": desk.app.ana.workspace() }))
        .await;
    let nodes = log.at("/workspace/auditLogs/nodes");
    let mut done: Vec<&str> = nodes
        .as_array()
        .unwrap()
        .iter()
        .filter(|node| node["entityType"] == "Job")
        .map(|node| node["action"].as_str().unwrap())
        .collect();
    done.sort_unstable();
    assert_eq!(
        done,
        ["job.cancelled", "job.discarded", "job.requeued", "job.requeued"]
    );
}
