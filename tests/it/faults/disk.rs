//! A disk that is full under SQLite: what does not fit is refused with a code, what is there can be read, and writing goes on as soon as
//! there is room. The limit on pages that SQLite has stands for the disk; to its transactions the two are the same.

use meridian::kernel::actor::Actor;
use meridian::platform::Platform;
use meridian::platform::db::{Scope, Tx};
use sea_orm::ConnectionTrait as _;
use serde_json::json;

use super::kill::titles;
use super::process::User;
use crate::jobs::bench::production;
use crate::support::server::Server;

const CREATE: &str =
    "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } userErrors { code } } }";

/// How large the database may become, as far as its writer is concerned. What it has already stays.
async fn limit(platform: &Platform, pages: u64) {
    let pragma = format!("PRAGMA max_page_count = {pages}");
    let set = |tx: Tx| {
        let pragma = pragma.clone();
        async move {
            tx.conn().execute_unprepared(&pragma).await?;
            Ok(())
        }
    };
    platform.write(Scope::System, Actor::system(), set).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_what_does_not_fit_and_nothing_else() {
    if production() {
        return;
    }
    let server = Server::start().await;
    let platform = &server.app.platform;
    let user = User::create(platform, "Dora").await;
    let port = server.address.port();
    let create = async |title: &str| {
        let input = json!({ "workspaceId": user.person.workspace(), "title": title });
        let answer = user.ask(port, CREATE, json!({ "input": input }), None).await;
        answer.expect("the server answers")
    };
    let (mut stored, mut number) = (0, 0);
    for _ in 0..3 {
        limit(platform, 1).await;
        let refused = loop {
            number += 1;
            assert!(number < 600, "there is no end of room");
            let answer = create(&format!("{number} {}", "x".repeat(180))).await;
            if !answer.json()["errors"].is_null() {
                break answer;
            }
            stored += 1;
        };
        let code = refused.json()["errors"][0]["extensions"]["code"].clone();
        assert_eq!(code, "SERVICE_UNAVAILABLE", "{refused:?}");
        // What fails in the middle of an operation is part of its answer.
        assert!([200, 503].contains(&refused.status), "{refused:?}");
        assert_eq!(titles(&user, port).await.len(), stored, "reading goes on");
    }
    limit(platform, 1_000_000).await;
    for title in ["there", "is", "room"] {
        let answer = create(title).await;
        assert!(answer.json()["errors"].is_null(), "{answer:?}");
    }
    let found = titles(&user, port).await;
    assert_eq!(found.len(), stored + 3);
    assert!(found.contains_key("room"));
}
