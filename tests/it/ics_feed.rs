//! The feed provider against a small server.

use std::collections::HashMap;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use meridian::features::integrations::providers::{FEED, IcsFeed, Provider, ProviderError, SyncCursor};

use crate::support::fake_http::FakeHttp;
use crate::support::pull::{client, pull};
use crate::support::radicale::event;

fn feed(server: &FakeHttp) -> IcsFeed {
    IcsFeed::new(
        client(&[&server.address.to_string()]),
        &server.url("/secret/feed.ics?key=1"),
        None,
    )
    .unwrap()
}

#[tokio::test]
async fn a_feed_is_fetched_once_and_then_only_asked_about() {
    let server = FakeHttp::start(|_, asked| {
        if asked
            .headers
            .get("if-none-match")
            .is_some_and(|tag| tag == "\"v1\"")
        {
            assert_eq!(
                asked.headers["if-modified-since"],
                "Tue, 01 Dec 2026 10:00:00 GMT"
            );
            return StatusCode::NOT_MODIFIED.into_response();
        }
        let headers = [
            ("etag", "\"v1\""),
            ("last-modified", "Tue, 01 Dec 2026 10:00:00 GMT"),
        ];
        (headers, event("a", "From a feed", 1)).into_response()
    })
    .await;
    let feed = feed(&server);
    let first = pull(&feed, FEED, &SyncCursor::default(), &HashMap::new())
        .await
        .unwrap();
    assert_eq!(first.texts[FEED], event("a", "From a feed", 1));
    let second = pull(&feed, FEED, &first.cursor, &first.etags).await.unwrap();
    assert_eq!((second.texts.len(), second.pages), (0, 1));
    assert_eq!(second.cursor, first.cursor);
    let listed = feed.list_calendars().await.unwrap();
    assert_eq!(
        (listed[0].id.as_str(), listed[0].name.as_str()),
        (FEED, "127.0.0.1")
    );
}

#[tokio::test]
async fn a_feed_without_validators_is_compared_by_content() {
    let server =
        FakeHttp::start(|number, _| event("a", if number < 2 { "Old" } else { "New" }, 1).into_response())
            .await;
    let feed = feed(&server);
    let first = pull(&feed, FEED, &SyncCursor::default(), &HashMap::new())
        .await
        .unwrap();
    let same = pull(&feed, FEED, &first.cursor, &first.etags).await.unwrap();
    assert_eq!((first.texts.len(), same.texts.len()), (1, 0));
    let changed = pull(&feed, FEED, &same.cursor, &first.etags).await.unwrap();
    assert!(changed.texts[FEED].contains("New"));
}

#[tokio::test]
async fn what_is_no_feed_is_an_error_that_names_no_address() {
    for (code, body, expected) in [
        (200, "", "The feed is empty."),
        (
            200,
            "<!DOCTYPE html><title>Sign in</title>",
            "At this address is a web page, not a calendar feed.",
        ),
        (
            200,
            "BEGIN:VCALENDAR\nBEGIN:VEVENT",
            "The feed breaks off in the middle.",
        ),
        (403, "", "The server does not accept this user name and password."),
        (
            404,
            "",
            "There is no calendar at this address, or it is not shared with this account.",
        ),
        (500, "", "The server reports an error (500)."),
    ] {
        let server =
            FakeHttp::start(move |_, _| (StatusCode::from_u16(code).unwrap(), body).into_response()).await;
        let error = pull(&feed(&server), FEED, &SyncCursor::default(), &HashMap::new())
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert!(!format!("{error:?}").contains("secret"));
    }
    let blocked = IcsFeed::new(client(&[]), "webcal://127.0.0.1/feed.ics", None).unwrap();
    assert!(matches!(
        blocked.list_calendars().await,
        Err(ProviderError::Blocked(_))
    ));
}
