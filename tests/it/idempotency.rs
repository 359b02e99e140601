//! Requests that are sent again with the same `Idempotency-Key`.

use chrono::TimeDelta;
use entity::enums::ApiTokenScope;
use entity::idempotency_record;
use meridian::access::{Claim, NewToken, claim, create_session, create_token, give_back};
use meridian::kernel::ErrorCode;
use meridian::kernel::actor::{Actor, Origin, ReplyKey};
use meridian::platform::db::{Scope, Tx};
use sea_orm::sea_query::Expr;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::server::Server;

const KEY: &str = "Idempotency-Key: 5f1c";

async fn token(server: &Server) -> String {
    format!("Authorization: Bearer {}", server.token(&server.app.ana).await)
}

fn create(server: &Server, title: &str) -> Value {
    let query = "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id title } userErrors { code } } }";
    json!({ "query": query, "variables": { "input": { "workspaceId": server.app.ana.workspace(), "title": title } } })
}

async fn tasks(app: &TestApp) -> i64 {
    let query = "query ($id: ID!) { workspace(id: $id) { tasks { totalCount } } }";
    let answer = app.ana().gql(query, json!({ "id": app.ana.workspace() })).await;
    answer.at("/workspace/tasks/totalCount").as_i64().unwrap()
}

/// Puts the record into another state, as a crash would leave it.
async fn set_answer(app: &TestApp, answer: Option<&str>) {
    let answer = answer.map(str::to_owned);
    let body = |tx: Tx| {
        let answer = answer.clone();
        async move {
            tx.update_global::<idempotency_record::Entity>()
                .col_expr(idempotency_record::Column::Answer, Expr::value(answer))
                .exec(tx.conn())
                .await
                .map(drop)
                .map_err(Into::into)
        }
    };
    app.platform
        .write(Scope::System, Actor::system(), body)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_repeated_mutation_is_answered_and_not_repeated() {
    let server = Server::start().await;
    let token = token(&server).await;
    let body = create(&server, "Once");
    let first = server.post(&[&token, KEY], &body).await;
    assert_eq!(
        (first.status, first.header("idempotency-replayed")),
        (200, ""),
        "{first:?}"
    );
    let second = server.post(&[&token, KEY], &body).await;
    assert_eq!(
        (second.status, second.header("idempotency-replayed")),
        (200, "true")
    );
    assert_eq!(second.body, first.body);
    assert_eq!(tasks(&server.app).await, 1);

    let other = server.post(&[&token, KEY], &create(&server, "Another")).await;
    assert_eq!(
        (other.status, other.code().as_str()),
        (409, "IDEMPOTENCY_CONFLICT")
    );
    assert_eq!(tasks(&server.app).await, 1);
    // Keys belong to their callers.
    let ben = format!("Authorization: Bearer {}", server.token(&server.app.ben).await);
    let theirs = server.post(&[&ben, KEY], &body).await;
    assert_eq!(theirs.header("idempotency-replayed"), "");
    // And last a day.
    server.app.advance(TimeDelta::hours(25));
    assert_eq!(
        server
            .post(&[&token, KEY], &body)
            .await
            .header("idempotency-replayed"),
        ""
    );
    assert_eq!(tasks(&server.app).await, 2);
}

#[tokio::test]
async fn what_broke_off_after_it_was_carried_out_is_lost_and_did_not_fail() {
    let app = TestApp::start().await;
    let key = ReplyKey {
        caller: "somebody".into(),
        key: "5f1c".into(),
    };
    let send = || claim(&app.platform, &key, vec![1]);
    assert!(matches!(send().await, Ok(Claim::First)));
    // Its transaction was committed; then its deadline came.
    set_answer(&app, Some("")).await;
    give_back(&app.platform, &key).await.unwrap();
    let lost = send().await;
    assert!(lost.is_err_and(|error| {
        error.code() == ErrorCode::IdempotencyConflict && error.to_string().contains("was carried out")
    }));
    // Nothing was committed.
    set_answer(&app, None).await;
    give_back(&app.platform, &key).await.unwrap();
    assert!(matches!(send().await, Ok(Claim::First)));
}

#[tokio::test]
async fn what_did_not_happen_may_be_tried_again_with_the_same_key() {
    let server = Server::start().await;
    let token = token(&server).await;
    let wrong = json!({ "query": "mutation { createTask(input: { nothing: 1 }) { task { id } } }" });
    assert_eq!(server.post(&[&token, KEY], &wrong).await.code(), "BAD_USER_INPUT");
    let foreign = json!({ "query": "mutation { deleteTask(id: \"task_00000000000000000000000000\") { userErrors { code } } }" });
    assert_eq!(server.post(&[&token, KEY], &foreign).await.code(), "NOT_FOUND");
    let refused = json!({ "query": format!(
        "mutation {{ createTask(input: {{ workspaceId: \"{}\", title: \"\" }}) {{ userErrors {{ code }} }} }}",
        server.app.ana.workspace()
    ) });
    let first = server.post(&[&token, KEY], &refused).await;
    assert_eq!(
        first.json()["data"]["createTask"]["userErrors"][0]["code"],
        "REQUIRED",
        "{first:?}"
    );
    assert_eq!(
        server
            .post(&[&token, KEY], &refused)
            .await
            .header("idempotency-replayed"),
        "true"
    );
}

#[tokio::test]
async fn a_crash_in_between_never_does_it_twice() {
    let server = Server::start().await;
    let token = token(&server).await;
    let body = create(&server, "Once");
    server.post(&[&token, KEY], &body).await;
    // It was committed, but the answer was never stored.
    set_answer(&server.app, Some("")).await;
    let lost = server.post(&[&token, KEY], &body).await;
    assert_eq!((lost.status, lost.code().as_str()), (409, "IDEMPOTENCY_CONFLICT"));
    // It is sealed with a key that is gone.
    set_answer(&server.app, Some("{}")).await;
    let unreadable = server.post(&[&token, KEY], &body).await;
    assert_eq!(
        (unreadable.status, unreadable.header("retry-after")),
        (409, ""),
        "{unreadable:?}"
    );
    // It is still running, as far as anybody knows.
    set_answer(&server.app, None).await;
    let running = server.post(&[&token, KEY], &body).await;
    assert_eq!((running.status, running.header("retry-after")), (409, "1"));
    assert_eq!(tasks(&server.app).await, 1);
    // Nothing was committed, and whoever ran it is gone.
    server.app.advance(TimeDelta::minutes(5));
    assert_eq!(server.post(&[&token, KEY], &body).await.status, 200);
    assert_eq!(tasks(&server.app).await, 2);
}

#[tokio::test]
async fn a_secret_in_an_answer_is_told_again_and_never_readable_where_it_is_kept() {
    let server = Server::start().await;
    let token = token(&server).await;
    let query = "mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { secret userErrors { code } } }";
    let body = json!({ "query": query, "variables": { "input": { "name": "ci", "scopes": ["READ"] } } });
    let first = server.post(&[&token, KEY], &body).await;
    let secret = first.json()["data"]["createApiToken"]["secret"].clone();
    assert!(secret.as_str().unwrap().starts_with("mrd_"), "{first:?}");

    let read = server.app.platform.db.read(Scope::System).await.unwrap();
    let kept = read
        .find_global::<idempotency_record::Entity>()
        .one(&read)
        .await
        .unwrap()
        .unwrap();
    drop(read);
    let answer = kept.answer.unwrap();
    assert!(
        !answer.is_empty() && !answer.contains("mrd_") && !answer.contains("createApiToken"),
        "{answer}"
    );

    let second = server.post(&[&token, KEY], &body).await;
    assert_eq!(second.header("idempotency-replayed"), "true");
    assert_eq!(second.json()["data"]["createApiToken"]["secret"], secret);
}

#[tokio::test]
async fn an_answer_is_for_the_credential_that_asked() {
    let server = Server::start().await;
    let admin = token(&server).await;
    let body = create(&server, "Once");
    assert_eq!(server.post(&[&admin, KEY], &body).await.status, 200);

    let new = NewToken {
        name: "reader".into(),
        scopes: vec![ApiTokenScope::Read],
        workspace_id: None,
        expires_at: None,
    };
    let platform = &server.app.platform;
    let ana = server.app.ana.user_id;
    let reader = create_token(platform, Actor::system(), ana, new).await.unwrap();
    let reader = format!("Authorization: Bearer {}", reader.secret);
    let refused = server.post(&[&reader, KEY], &body).await;
    assert_eq!(refused.header("idempotency-replayed"), "", "{refused:?}");
    assert_eq!(refused.code(), "FORBIDDEN");

    // Whoever signs in again is still who they were.
    let mut answers = Vec::new();
    for _ in 0..2 {
        let session = create_session(platform, ana, Origin::default()).await.unwrap();
        let cookie = format!("Cookie: meridian={}", session.secret);
        answers.push(server.post(&[&cookie, "X-Meridian-Csrf: 1", KEY], &body).await);
    }
    assert_eq!(answers[0].header("idempotency-replayed"), "");
    assert_eq!(answers[1].header("idempotency-replayed"), "true");
    assert_eq!(tasks(&server.app).await, 2);
}

#[tokio::test]
async fn two_at_once_are_carried_out_once() {
    let server = Server::start().await;
    let token = token(&server).await;
    let body = create(&server, "Once");
    let headers = [token.as_str(), KEY];
    let (a, b, c) = tokio::join!(
        server.post(&headers, &body),
        server.post(&headers, &body),
        server.post(&headers, &body)
    );
    assert_eq!(tasks(&server.app).await, 1);
    for reply in [a, b, c] {
        let is_conflict = reply.status == 409 && reply.code() == "IDEMPOTENCY_CONFLICT";
        assert!(reply.status == 200 || is_conflict, "{reply:?}");
    }
}

#[tokio::test]
async fn keys_are_read_strictly() {
    let server = Server::start().await;
    let token = token(&server).await;
    let long = format!("Idempotency-Key: {}", "x".repeat(256));
    for headers in [
        vec![token.as_str(), "Idempotency-Key:"],
        vec![token.as_str(), long.as_str()],
        vec![token.as_str(), KEY, KEY],
    ] {
        let reply = server.post(&headers, &create(&server, "x")).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (400, "BAD_USER_INPUT"),
            "{headers:?}"
        );
    }
    assert_eq!(tasks(&server.app).await, 0);
}
