//! A workspace with one of everything, and ids that nobody has.

use std::collections::BTreeMap;

use axum::response::IntoResponse as _;
use entity::enums::{AuthProvider, IntegrationStatus, JobStatus, VerificationPurpose, WorkspaceRole};
use entity::ids::{AccountId, IntegrationId};
use entity::{account, integration, invitation, job, user};
use meridian::access::one_use::{self, NewOneUse};
use meridian::access::{create_session, token_hash};
use meridian::kernel::Result;
use meridian::kernel::actor::{Actor, Origin};
use meridian::kernel::jobs::{NewJob, Payload};
use meridian::platform::db::{Scope, Tx};
use sea_orm::{ColumnTrait as _, QueryFilter as _, Set};
use serde_json::{Value, json};

use crate::support::fake_http::FakeHttp;
use crate::support::plans::{plan, prefer};
use crate::support::radicale::event;
use crate::support::syncs::{connect_feed, newest_run, waiting, work};
use crate::support::{Person, TestApp, create_person, join};

/// A server that may reach a feed, and the feed.
pub async fn start() -> (TestApp, FakeHttp) {
    let feed = FakeHttp::start(|_, _| event("feed", "In the feed", 1).into_response()).await;
    let app = TestApp::reaching(&[&feed.address.to_string()]).await;
    (app, feed)
}

/// The ids of somebody's things, by the names that the cases use.
pub struct World(BTreeMap<&'static str, String>);

impl World {
    /// Makes one of everything for this person; all texts tell whose they are.
    pub async fn of(app: &TestApp, person: &Person, feed: &FakeHttp) -> Self {
        let client = app.client(person);
        let workspace = person.workspace();
        let name = if person.user_id == app.ana.user_id {
            "of Ana"
        } else {
            "of Ben"
        };
        let mut ids = BTreeMap::from([
            ("user", person.user_id.to_string()),
            ("slug", if name == "of Ana" { "ana" } else { "ben" }.to_owned()),
        ]);
        let create = async |document: &str, input: Value, pointer: &str| {
            client
                .gql(document, json!({ "input": input }))
                .await
                .text(pointer)
        };
        let task = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } userErrors { code } } }";
        for key in ["task", "task2"] {
            let input = json!({ "workspaceId": workspace, "title": format!("{key} {name}") });
            ids.insert(key, create(task, input, "/createTask/task/id").await);
        }
        let calendar =
            "mutation ($input: CreateCalendarInput!) { createCalendar(input: $input) { calendar { id } } }";
        for key in ["calendar", "calendar2"] {
            let input = json!({ "workspaceId": workspace, "name": format!("{key} {name}") });
            ids.insert(key, create(calendar, input, "/createCalendar/calendar/id").await);
        }
        let event = "mutation ($input: CreateCalendarEventInput!) { createCalendarEvent(input: $input) { calendarEvent { id } } }";
        let time = json!({ "timed": { "start": "2026-03-03T09:00:00Z", "end": "2026-03-03T10:00:00Z" } });
        let input = json!({ "calendarId": ids["calendar"], "title": format!("Event {name}"), "time": time });
        ids.insert(
            "event",
            create(event, input, "/createCalendarEvent/calendarEvent/id").await,
        );
        prefer(
            &client,
            &[("TUESDAY", "09:00", "17:00"), ("WEDNESDAY", "09:00", "17:00")],
            json!({}),
        )
        .await;
        let proposal = plan(&client, &workspace, "2026-03-03", "2026-03-04").await;
        ids.insert("schedule", proposal["id"].as_str().unwrap().to_owned());
        ids.insert("slot", proposal["slots"][0]["id"].as_str().unwrap().to_owned());
        let token =
            "mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { apiToken { id } } }";
        let input = json!({ "name": format!("Token {name}"), "scopes": ["READ"] });
        ids.insert("token", create(token, input, "/createApiToken/apiToken/id").await);

        let focus = "mutation ($input: StartFocusSessionInput!) { startFocusSession(input: $input) { focusSession { id } } }";
        let input = json!({ "workspaceId": workspace });
        ids.insert(
            "focus",
            create(focus, input, "/startFocusSession/focusSession/id").await,
        );

        let export =
            "mutation ($input: StartExportInput!) { startExport(input: $input) { dataTransfer { id } } }";
        let input = json!({ "workspaceId": workspace, "format": "CSV" });
        ids.insert(
            "transfer",
            create(export, input, "/startExport/dataTransfer/id").await,
        );

        let invite =
            "mutation ($input: InviteMembersInput!) { inviteMembers(input: $input) { invitations { id } } }";
        let emails = [format!("invited@{}.example", ids["slug"])];
        let input = json!({ "workspaceId": workspace, "emails": emails });
        ids.insert(
            "invitation",
            create(invite, input, "/inviteMembers/invitations/0/id").await,
        );
        ids.insert("account", account(app, person, "first").await);
        account(app, person, "second").await;

        let url = feed.url(&format!("/{}.ics", ids["slug"]));
        let connected = connect_feed(&client, &workspace, &url)
            .await
            .succeeded("connectIntegration");
        ids.insert(
            "integration",
            connected.text("/connectIntegration/integration/id"),
        );
        ids.insert(
            "mirror",
            connected.text("/connectIntegration/integration/calendars/0/id"),
        );
        ids.insert("job", waiting(app).await[0].id.to_string());
        work(app).await.unwrap();
        let run = newest_run(&client, &ids["integration"]).await;
        ids.insert("run", run["id"].as_str().unwrap().to_owned());
        let log = "query ($id: ID!) { workspace(id: $id) { auditLogs(first: 1) { nodes { id } } } }";
        let log = client.gql(log, json!({ "id": workspace })).await;
        ids.insert("entry", log.text("/workspace/auditLogs/nodes/0/id"));
        hold(app, &ids["integration"]).await;
        ids.insert("feed", feed.url(&format!("/{}2.ics", ids["slug"])));
        let inbox = "{ viewer { notifications(first: 1) { nodes { id } } } }";
        let inbox = client.gql(inbox, json!({})).await;
        ids.insert("notification", inbox.text("/viewer/notifications/nodes/0/id"));

        let slug = ids["slug"].clone();
        let guest = create_person(
            &app.platform,
            &format!("Friend{slug}"),
            &format!("friend@{slug}.example"),
        )
        .await;
        join(&app.platform, &guest, person.workspace_id, WorkspaceRole::Viewer).await;
        let members = "query ($id: ID!) { workspace(id: $id) { members(last: 1) { nodes { id } } } }";
        let members = client.gql(members, json!({ "id": workspace })).await;
        ids.insert("member", members.text("/workspace/members/nodes/0/id"));
        for (key, is_dead) in [("later", false), ("dead", true), ("dead2", true), ("dead3", true)] {
            ids.insert(key, job(app, person, is_dead).await);
        }
        for key in ["accept", "decline"] {
            ids.insert(key, invited(app, &guest, key, &slug).await);
        }
        ids.insert("verify", unproven(app, person, &slug).await);
        let elsewhere = async || {
            let origin = Origin::default();
            create_session(&app.platform, person.user_id, origin)
                .await
                .unwrap()
        };
        ids.insert("session", elsewhere().await.id.to_string());
        elsewhere().await;
        ids.insert("workspace", workspace);
        Self(ids)
    }

    /// Every id by its name.
    pub fn ids(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = self.0.iter().map(|(name, id)| (*name, id.as_str()));
        // The others are a name, an address and the secrets of letters.
        all.filter(|(name, _)| !["slug", "feed", "accept", "decline", "verify"].contains(name))
    }

    /// The variables of a case with this world's ids: `$task` becomes the id of its task.
    pub fn fill(&self, variables: &Value) -> Value {
        match variables {
            Value::String(text) => match text.strip_prefix('$') {
                Some(name) => self
                    .0
                    .get(name)
                    .unwrap_or_else(|| panic!("no {name}"))
                    .clone()
                    .into(),
                None => text.clone().into(),
            },
            Value::Array(items) => items.iter().map(|item| self.fill(item)).collect(),
            Value::Object(fields) => {
                let fields = fields
                    .iter()
                    .map(|(name, value)| (name.clone(), self.fill(value)));
                Value::Object(fields.collect())
            }
            plain => plain.clone(),
        }
    }
}

/// Links a sign-in account to a person.
async fn account(app: &TestApp, person: &Person, name: &str) -> String {
    let id: AccountId = app.platform.ids.next();
    let user_id = person.user_id;
    let body = |tx: Tx| async move {
        let row = account::ActiveModel {
            id: Set(id),
            user_id: Set(user_id),
            provider: Set(AuthProvider::Oidc),
            provider_name: Set("acme".into()),
            issuer: Set(Some("https://acme.example".into())),
            subject: Set(format!("{user_id} {name}")),
            email: Set(None),
            scopes: Set(json!([])),
            created_at: Set(tx.now()),
            updated_at: Set(tx.now()),
        };
        tx.insert_global(row).await.map(drop)
    };
    write(app, body).await;
    id.to_string()
}

/// Lets the sync of an integration wait for a decision, as one does that would delete too much.
async fn hold(app: &TestApp, integration: &str) {
    let id: IntegrationId = integration.parse().unwrap();
    let body = |tx: Tx| async move {
        let held = integration::ActiveModel {
            status: Set(IntegrationStatus::Held),
            ..Default::default()
        };
        let update = tx.update_many::<integration::Entity>().set(held);
        update
            .filter(integration::Column::Id.eq(id))
            .exec(tx.conn())
            .await?;
        Ok(())
    };
    write(app, body).await;
}

/// A job that a person started and that is still to come, or one that has died.
async fn job(app: &TestApp, person: &Person, is_dead: bool) -> String {
    let sync = Payload::SyncIntegration {
        integration_id: app.platform.ids.next(),
        full: false,
        accept_deletes: false,
    };
    // A sync that waits would be taken for one of the integration.
    let payload = if is_dead { sync } else { Payload::StartDueSyncs };
    let job = NewJob::for_workspace(person.workspace_id, payload)
        .by(Some(person.user_id))
        .at(app.platform.clock.now() + chrono::Duration::days(300));
    let body = |tx: Tx| {
        let job = job.clone();
        async move {
            let id = tx.enqueue(job).await?;
            let dead = job::ActiveModel {
                status: Set(JobStatus::Dead),
                attempts: Set(5),
                finished_at: Set(Some(tx.now())),
                ..Default::default()
            };
            if is_dead {
                let update = tx.update_many::<job::Entity>().set(dead);
                update.filter(job::Column::Id.eq(id)).exec(tx.conn()).await?;
            }
            Ok(id)
        }
    };
    write(app, body).await.to_string()
}

/// The token of an invitation into somebody's workspace.
async fn invited(app: &TestApp, host: &Person, key: &str, slug: &str) -> String {
    let token = format!("{key} {slug}");
    let inviter = host.user_id;
    let body = |tx: Tx| {
        let row = invitation::ActiveModel {
            id: Set(tx.ids().next()),
            workspace_id: Set(host.workspace_id),
            email: Set(format!("{key}@{slug}.example")),
            role: Set(WorkspaceRole::Viewer),
            invited_by: Set(Some(inviter)),
            token_hash: Set(token_hash(&token)),
            expires_at: Set(tx.now() + chrono::Duration::days(7)),
            accepted_at: Set(None),
            declined_at: Set(None),
            revoked_at: Set(None),
            created_at: Set(tx.now()),
            updated_at: Set(tx.now()),
        };
        async move { tx.insert(row).await.map(drop) }
    };
    write(app, body).await;
    token
}

/// The token that proves the address of a person who has not done so yet.
async fn unproven(app: &TestApp, person: &Person, slug: &str) -> String {
    let user_id = person.user_id;
    let body = |tx: Tx| async move {
        let unproven = user::ActiveModel {
            email_verified_at: Set(None),
            ..Default::default()
        };
        let update = tx.update_global::<user::Entity>().set(unproven);
        update
            .filter(user::Column::Id.eq(user_id))
            .exec(tx.conn())
            .await?;
        Ok(())
    };
    write(app, body).await;
    let secret = format!("verify {slug}");
    let new = NewOneUse {
        purpose: VerificationPurpose::VerifyEmail,
        user_id: Some(user_id),
        email: Some(format!("{slug}@example.org")),
        secret: secret.clone(),
        payload: None,
        life: chrono::Duration::hours(1),
    };
    one_use::store(&app.platform, new).await.unwrap();
    secret
}

/// What the server itself does beside all workspaces.
async fn write<T, F, Fut>(app: &TestApp, body: F) -> T
where
    F: Fn(Tx) -> Fut + Send + Sync,
    Fut: Future<Output = Result<T>> + Send,
    T: Send,
{
    app.platform
        .write(Scope::System, Actor::system(), body)
        .await
        .unwrap()
}

/// Ids of the same kind that nobody has. URL names may be shorter than what is changed of an id.
pub fn unknown(ids: &Value) -> Value {
    match ids {
        Value::String(id) => {
            let kept = id.len().saturating_sub(6);
            let tail: String = id[kept..]
                .chars()
                .rev()
                .map(|c| if c == '7' { '8' } else { '7' })
                .collect();
            format!("{}{tail}", &id[..kept]).into()
        }
        Value::Array(items) => items.iter().map(unknown).collect(),
        other => panic!("no id: {other}"),
    }
}

/// All ids replaced by unknown ones.
pub fn all_unknown(variables: &Value, paths: &[String]) -> Value {
    let mut variables = variables.clone();
    for path in paths {
        let id = variables.pointer_mut(path).unwrap();
        *id = unknown(id);
    }
    variables
}
