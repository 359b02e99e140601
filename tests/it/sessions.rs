//! How long a session lasts: a week without use, a month at most, and what it says about where it was used.

use std::time::Duration;

use chrono::TimeDelta;
use meridian::access::create_session;
use meridian::kernel::actor::Origin;
use serde_json::{Value, json};

use crate::support::browser::Browser;
use crate::support::server::Server;

const SESSIONS: &str = "{ viewer { sessions { isCurrent ipAddress lastUsedAt expiresAt } } }";

async fn signed_in(server: &Server) -> Browser<'_> {
    let platform = &server.app.platform;
    let session = create_session(platform, server.app.ben.user_id, Origin::default())
        .await
        .unwrap();
    let browser = Browser::new(server);
    browser.set_cookie("meridian", &session.secret);
    browser
}

fn code(answer: &Value) -> &Value {
    &answer["errors"][0]["extensions"]["code"]
}

/// The session in use, once its use was noted: that happens beside the request.
async fn noted(browser: &Browser<'_>, at: &str) -> Value {
    for _ in 0..50 {
        let answer = browser.gql(SESSIONS, json!({})).await;
        let sessions = answer["data"]["viewer"]["sessions"].as_array().unwrap();
        let current = sessions.iter().find(|one| one["isCurrent"] == true).unwrap();
        if current["lastUsedAt"] == at {
            return current.clone();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the use was not noted");
}

#[tokio::test]
async fn a_session_that_is_not_used_for_a_week_is_over() {
    let server = Server::start().await;
    let browser = signed_in(&server).await;
    server.app.advance(TimeDelta::days(7));
    let current = noted(&browser, "2026-03-09T09:00:00Z").await;
    assert_eq!(current["ipAddress"], "127.0.0.1");
    server.app.advance(TimeDelta::days(7) + TimeDelta::seconds(1));
    assert_eq!(*code(&browser.gql(SESSIONS, json!({})).await), "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_session_ends_after_a_month_however_often_it_is_used() {
    let server = Server::start().await;
    let browser = signed_in(&server).await;
    for at in [
        "2026-03-08T09:00:00Z",
        "2026-03-14T09:00:00Z",
        "2026-03-20T09:00:00Z",
        "2026-03-26T09:00:00Z",
    ] {
        server.app.advance(TimeDelta::days(6));
        let current = noted(&browser, at).await;
        assert_eq!(current["expiresAt"], "2026-04-01T09:00:00Z");
    }
    server.app.advance(TimeDelta::days(6) - TimeDelta::seconds(1));
    assert!(code(&browser.gql(SESSIONS, json!({})).await).is_null());
    server.app.advance(TimeDelta::seconds(1));
    assert_eq!(*code(&browser.gql(SESSIONS, json!({})).await), "UNAUTHENTICATED");
}
