//! Documents that are named instead of sent.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::server::Server;
use crate::websocket::Socket;

const GRAPHQL: &str = "Accept: application/graphql-response+json";
const VERSION: &str = "{ serverInfo { version } }";

fn hash(text: &str) -> String {
    Sha256::digest(text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn named(name: &str) -> Value {
    json!({ "version": 1, "sha256Hash": name })
}

#[tokio::test]
async fn a_document_that_was_sent_with_its_hash_can_be_named() {
    let server = Server::start().await;
    let hash = hash(VERSION);
    let by_hash = json!({ "extensions": { "persistedQuery": named(&hash) } });
    let unknown = server.post(&[GRAPHQL], &by_hash).await;
    assert_eq!(
        (unknown.status, unknown.code().as_str()),
        (400, "PERSISTED_QUERY_NOT_FOUND")
    );

    let wrong =
        json!({ "query": "{ rateLimit { limit } }", "extensions": { "persistedQuery": named(&hash) } });
    let wrong = server.post(&[GRAPHQL], &wrong).await;
    assert_eq!((wrong.status, wrong.code().as_str()), (400, "BAD_USER_INPUT"));
    assert_eq!(
        server.post(&[GRAPHQL], &by_hash).await.code(),
        "PERSISTED_QUERY_NOT_FOUND"
    );

    let both = json!({ "query": VERSION, "extensions": { "persistedQuery": named(&hash) } });
    assert_eq!(server.post(&[GRAPHQL], &both).await.status, 200);
    let found = server.post(&[GRAPHQL], &by_hash).await;
    assert_eq!(
        found.json()["data"]["serverInfo"]["version"],
        env!("CARGO_PKG_VERSION")
    );
    let extensions =
        format!("%7B%22persistedQuery%22:%7B%22version%22:1,%22sha256Hash%22:%22{hash}%22%7D%7D");
    let by_get = server
        .send(
            "GET",
            &format!("/graphql?extensions={extensions}"),
            &[GRAPHQL],
            "",
        )
        .await;
    assert_eq!(by_get.json(), found.json());
    let malformed = json!({ "extensions": { "persistedQuery": { "version": 7 } } });
    assert_eq!(server.post(&[GRAPHQL], &malformed).await.code(), "BAD_USER_INPUT");
}

#[tokio::test]
async fn a_server_may_only_run_what_was_registered() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("persisted-documents.json");
    let other = "query Budget { rateLimit { limit } }";
    // As code generators write them: ids of any kind, or hashes that say what they are.
    let documents = json!({ "3f2a": VERSION, format!("sha256:{}", hash(other)): other });
    std::fs::write(&file, documents.to_string()).unwrap();
    let file = file.to_str().unwrap();
    let server = Server::with_settings(&[
        ("MERIDIAN_PERSISTED_DOCUMENTS", file),
        ("MERIDIAN_PERSISTED_ONLY", "true"),
    ])
    .await;
    let status = async |body: Value| server.post(&[GRAPHQL], &body).await.status;
    assert_eq!(status(json!({ "documentId": "3f2a" })).await, 200);
    assert_eq!(
        status(json!({ "extensions": { "persistedQuery": named("3f2a") } })).await,
        200
    );
    assert_eq!(
        status(json!({ "query": VERSION })).await,
        200,
        "the registered text itself"
    );
    assert_eq!(
        status(json!({ "query": other, "extensions": { "persistedQuery": named(&hash(other)) } })).await,
        200
    );
    assert_eq!(
        status(json!({ "documentId": format!("sha256:{}", hash(other)) })).await,
        200
    );
    assert_eq!(
        status(json!({ "extensions": { "persistedQuery": named(&hash(other)) } })).await,
        200
    );
    for (body, code) in [
        (
            json!({ "query": "{ serverInfo { now } }" }),
            "PERSISTED_QUERY_REQUIRED",
        ),
        (
            json!({ "query": "{ __schema { types { name } } }" }),
            "PERSISTED_QUERY_REQUIRED",
        ),
        (json!({ "documentId": "unknown" }), "PERSISTED_QUERY_NOT_FOUND"),
    ] {
        let reply = server.post(&[GRAPHQL], &body).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, code), "{body}");
    }
    // A socket is no way around.
    let mut socket = Socket::greet(&server, None).await;
    for (payload, kind) in [
        (json!({ "query": "{ serverInfo { now } }" }), "error"),
        (json!({ "query": "subscription { a }" }), "error"),
        (json!({ "documentId": "unknown" }), "error"),
        (json!({ "documentId": "3f2a" }), "next"),
    ] {
        let ask = json!({ "type": "subscribe", "id": "1", "payload": payload });
        socket.say(ask).await;
        assert_eq!(socket.message().await["type"], kind, "{payload}");
    }
}
