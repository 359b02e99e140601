//! The CalDAV provider against a server that misbehaves.

use std::collections::HashMap;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use meridian::features::integrations::providers::{CalDav, Credentials, Provider, ProviderError, SyncCursor};
use meridian::platform::http::HttpError;

use crate::support::fake_http::{Asked, FakeHttp, found, multistatus, status};
use crate::support::pull::{client, pull};
use crate::support::radicale::event;

const CALENDAR: &str = "/cal/";
const IS_CALENDAR: &str = "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>";
const SYNC: &str = "<d:supported-report-set><d:supported-report><d:report><d:sync-collection/></d:report>\
                    </d:supported-report></d:supported-report-set>";

fn account(server: &FakeHttp) -> CalDav {
    let credentials = Credentials {
        username: "me".into(),
        password: "pw".into(),
    };
    CalDav::new(
        client(&[&server.address.to_string()]),
        &server.url("/"),
        Some(&credentials),
    )
    .unwrap()
}

fn held(items: &[(&str, &str)]) -> HashMap<String, String> {
    items
        .iter()
        .map(|(href, etag)| ((*href).to_owned(), (*etag).to_owned()))
        .collect()
}

fn by_token(token: &str) -> SyncCursor {
    SyncCursor {
        token: Some(token.into()),
        ..SyncCursor::default()
    }
}

/// What a request is about.
#[derive(Debug, PartialEq)]
enum Question {
    Describe,
    List,
    Since,
    Objects,
}

fn question(asked: &Asked) -> Question {
    match (
        asked.method.as_str(),
        asked.headers.get("depth").and_then(|depth| depth.to_str().ok()),
    ) {
        ("PROPFIND", Some("0")) => Question::Describe,
        ("PROPFIND", _) => Question::List,
        _ if asked.body.contains("sync-collection") => Question::Since,
        _ => Question::Objects,
    }
}

/// The addresses that a multiget asks for.
fn hrefs(asked: &Asked) -> Vec<String> {
    let parts = asked.body.split("<D:href>").skip(1);
    parts
        .map(|part| part.split("</D:href>").next().unwrap_or_default().to_owned())
        .collect()
}

fn object(href: &str, etag: &str) -> String {
    let text = event(href, "Fake", 1);
    found(
        href,
        &format!("<d:getetag>{etag}</d:getetag><c:calendar-data>{text}</c:calendar-data>"),
    )
}

fn objects(asked: &Asked) -> Response {
    multistatus(
        &hrefs(asked)
            .iter()
            .map(|href| object(href, "\"1\""))
            .collect::<String>(),
    )
}

fn listed(count: usize) -> String {
    (0..count)
        .map(|n| found(&format!("/cal/{n:03}.ics"), "<d:getetag>\"1\"</d:getetag>"))
        .collect()
}

fn token(name: &str) -> String {
    format!("<d:sync-token>{name}</d:sync-token>")
}

#[tokio::test]
async fn without_sync_collection_ctag_and_etags_are_compared() {
    let server = FakeHttp::start(|_, asked| match question(asked) {
        Question::Describe => multistatus(&found(
            "/cal/",
            &format!("{IS_CALENDAR}<cs:getctag>c2</cs:getctag>"),
        )),
        Question::List => multistatus(&format!(
            "{}{}{}{}",
            found("/cal/", IS_CALENDAR),
            found(
                "http://internal:81/cal/same.ics",
                "<d:getetag>\"1\"</d:getetag><d:resourcetype/>"
            ),
            found("/cal/changed.ics", "<d:getetag>\"2\"</d:getetag>"),
            found("new.ics", "<d:getetag>\"1\"</d:getetag>"),
        )),
        _ => objects(asked),
    })
    .await;
    let held = held(&[
        ("/cal/same.ics", "\"1\""),
        ("/cal/changed.ics", "\"1\""),
        ("/cal/gone.ics", "\"1\""),
    ]);
    let old = SyncCursor {
        ctag: Some("c1".into()),
        ..SyncCursor::default()
    };
    let pulled = pull(&account(&server), CALENDAR, &old, &held).await.unwrap();
    assert_eq!(pulled.names(), ["changed.ics", "new.ics"]);
    assert_eq!(pulled.removed, ["/cal/gone.ics"]);
    assert!(pulled.is_full);
    assert_eq!(
        pulled.cursor,
        SyncCursor {
            ctag: Some("c2".into()),
            ..SyncCursor::default()
        }
    );

    let before = server.asked().len();
    let nothing = pull(&account(&server), CALENDAR, &pulled.cursor, &held)
        .await
        .unwrap();
    assert_eq!(
        (nothing.texts.len(), nothing.removed.len(), nothing.cursor),
        (0, 0, pulled.cursor)
    );
    assert_eq!(
        server.asked().len(),
        before + 1,
        "an unchanged ctag costs one request"
    );
    let types: Vec<_> = server
        .asked()
        .iter()
        .map(|asked| asked.headers["content-type"].clone())
        .collect();
    assert!(
        types.iter().all(|kind| kind == "application/xml; charset=utf-8"),
        "{types:?}"
    );
}

#[tokio::test]
async fn a_truncated_list_goes_on_with_the_token_it_gave() {
    let server = FakeHttp::start(|_, asked| match question(asked) {
        Question::Describe => multistatus(&found("/cal/", &format!("{IS_CALENDAR}{SYNC}"))),
        Question::Since if asked.body.contains("<D:sync-token/>") => {
            multistatus(&format!("{}{}{}", listed(3), status("/cal/", 507), token("t1")))
        }
        Question::Since if asked.body.contains(">t1<") => multistatus(&format!(
            "{}{}{}{}",
            status("/cal/000.ics", 404),
            found("/cal/later.ics", "<d:getetag>\"1\"</d:getetag>"),
            status("http://elsewhere/cal/", 507),
            token("t2")
        )),
        Question::Since => multistatus(&token("t3")),
        _ => objects(asked),
    })
    .await;
    let held = held(&[("/cal/001.ics", "\"1\""), ("/cal/old.ics", "\"1\"")]);
    let pulled = pull(&account(&server), CALENDAR, &SyncCursor::default(), &held)
        .await
        .unwrap();
    assert_eq!(pulled.names(), ["000.ics", "002.ics", "later.ics"]);
    assert_eq!(pulled.removed_names(), ["000.ics", "old.ics"]);
    assert_eq!(pulled.cursor.token.as_deref(), Some("t3"));
}

#[tokio::test]
async fn a_list_that_never_ends_is_an_error() {
    let server =
        FakeHttp::start(|_, _| multistatus(&format!("{}{}", status("/cal/", 507), token("same")))).await;
    let error = pull(&account(&server), CALENDAR, &by_token("same"), &HashMap::new())
        .await
        .unwrap_err();
    assert!(matches!(error, ProviderError::Protocol(_)), "{error:?}");
}

#[tokio::test]
async fn a_token_is_lost_whatever_status_says_so() {
    for code in [400, 403, 409, 410, 412, 507] {
        let server = FakeHttp::start(move |_, asked| match question(asked) {
            Question::Since if asked.body.contains(">old<") => {
                let body = "<?xml version='1.0'?><error xmlns='DAV:'><valid-sync-token/></error>";
                (StatusCode::from_u16(code).unwrap(), body).into_response()
            }
            Question::Since => multistatus(&format!("{}{}", listed(2), token("new"))),
            _ => objects(asked),
        })
        .await;
        let held = held(&[("/cal/000.ics", "\"1\""), ("/cal/gone.ics", "\"1\"")]);
        let pulled = pull(&account(&server), CALENDAR, &by_token("old"), &held)
            .await
            .unwrap();
        assert_eq!(pulled.names(), ["001.ics"], "{code}");
        assert_eq!(pulled.removed_names(), ["gone.ics"], "{code}");
        assert_eq!(pulled.cursor.token.as_deref(), Some("new"));
    }
}

#[tokio::test]
async fn a_bad_object_is_a_problem_and_never_stops_the_others() {
    let server = FakeHttp::start(|_, asked| match question(asked) {
        Question::Since => multistatus(&format!("{}{}", listed(150), token("t"))),
        Question::Objects => {
            let wanted = hrefs(asked);
            let has = |name: &str| wanted.iter().any(|href| href.ends_with(name));
            if has("/042.ics") {
                return multistatus("<d:response>").into_response();
            }
            if has("/077.ics") {
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
            let answer = |href: &String| match href.as_str() {
                "/cal/001.ics" => status(href, 404),
                "/cal/002.ics" => status(href, 500),
                "/cal/003.ics" => status(href, 403),
                "/cal/004.ics" => String::new(),
                "/cal/005.ics" => found(href, "<d:getetag>\"1\"</d:getetag>"),
                "/cal/006.ics" => found(
                    href,
                    &format!("<c:calendar-data>{}</c:calendar-data>", "x".repeat(1_100_000)),
                ),
                "/cal/007.ics" => object(href, "\"1\"").replace("Fake", "Bell \u{7}\u{0}"),
                _ => object(href, "\"1\""),
            };
            multistatus(&wanted.iter().map(answer).collect::<String>())
        }
        _ => multistatus(""),
    })
    .await;
    let pulled = pull(&account(&server), CALENDAR, &by_token("before"), &HashMap::new())
        .await
        .unwrap();
    assert_eq!(pulled.texts.len(), 150 - 8);
    assert!(pulled.texts["/cal/007.ics"].contains("SUMMARY:Bell \r\n"));
    assert_eq!(pulled.removed, ["/cal/001.ics"]);
    let mut problems: Vec<_> = pulled
        .problems
        .iter()
        .map(|p| (p.href.as_str(), p.message.as_str()))
        .collect();
    problems.sort_unstable();
    assert_eq!(
        problems,
        [
            (
                "/cal/002.ics",
                "The server reports an error for this object (500)."
            ),
            ("/cal/003.ics", "The server refuses this object (403)."),
            (
                "/cal/004.ics",
                "The server lists this object but does not hand it out."
            ),
            ("/cal/005.ics", "The server answers without the object's content."),
            ("/cal/006.ics", "The object is larger than 1 MiB."),
            ("/cal/042.ics", "The server's answer cannot be read."),
            ("/cal/077.ics", "The server reports an error (500)."),
        ]
    );
    let mut retry = pulled.cursor.retry.clone();
    retry.sort_unstable();
    assert_eq!(retry, ["/cal/002.ics", "/cal/004.ics", "/cal/077.ics"]);
}

#[tokio::test]
async fn what_failed_for_the_moment_is_asked_for_again() {
    let server = FakeHttp::start(|_, asked| match question(asked) {
        Question::Since => multistatus(&token("t2")),
        _ => objects(asked),
    })
    .await;
    let cursor = SyncCursor {
        retry: vec!["/cal/late.ics".into()],
        ..by_token("t1")
    };
    let pulled = pull(&account(&server), CALENDAR, &cursor, &HashMap::new())
        .await
        .unwrap();
    assert_eq!(pulled.names(), ["late.ics"]);
    assert_eq!(pulled.cursor, by_token("t2"));
}

#[tokio::test]
async fn a_broken_server_is_given_up_on_soon() {
    let server = FakeHttp::start(|_, asked| match question(asked) {
        Question::Since => multistatus(&format!("{}{}", listed(1000), token("t"))),
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    })
    .await;
    let error = pull(&account(&server), CALENDAR, &by_token("t0"), &HashMap::new())
        .await
        .unwrap_err();
    assert!(matches!(error, ProviderError::Unavailable { .. }), "{error:?}");
    assert!(server.asked().len() < 30, "{}", server.asked().len());
}

#[tokio::test]
async fn a_run_that_breaks_off_says_why() {
    let with = |code: u16, header: Option<(&'static str, &'static str)>| async move {
        let server = FakeHttp::start(move |_, asked| match question(asked) {
            Question::Since => multistatus(&format!("{}{}", listed(150), token("t"))),
            Question::Objects if hrefs(asked).len() < 100 => {
                let mut answer = StatusCode::from_u16(code).unwrap().into_response();
                if let Some((name, value)) = header {
                    answer.headers_mut().insert(name, value.parse().unwrap());
                }
                answer
            }
            _ => objects(asked),
        })
        .await;
        pull(&account(&server), CALENDAR, &by_token("t0"), &HashMap::new())
            .await
            .unwrap_err()
    };
    assert!(matches!(with(401, None).await, ProviderError::Unauthorized));
    let slow_down = with(429, Some(("retry-after", "30"))).await;
    assert!(
        matches!(slow_down, ProviderError::RateLimited { retry_after: Some(wait) } if wait == Duration::from_secs(30))
    );
    let away = with(503, Some(("retry-after", "60"))).await;
    assert!(
        matches!(away, ProviderError::Unavailable { retry_after: Some(wait), .. } if wait == Duration::from_secs(60))
    );
}

#[tokio::test]
async fn answers_that_are_no_lists_delete_nothing() {
    for body in [
        "",
        "<html>Sign in</html>",
        "<multistatus xmlns='DAV:'>",
        "\u{0}\u{1}",
        "<!DOCTYPE x []><multistatus xmlns='DAV:'/>",
    ] {
        for code in [200, 207] {
            let server =
                FakeHttp::start(move |_, _| (StatusCode::from_u16(code).unwrap(), body).into_response())
                    .await;
            for cursor in [SyncCursor::default(), by_token("t")] {
                let error = pull(
                    &account(&server),
                    CALENDAR,
                    &cursor,
                    &held(&[("/cal/a.ics", "1")]),
                )
                .await
                .unwrap_err();
                assert!(
                    matches!(error, ProviderError::Protocol(_)),
                    "{code} {body}: {error:?}"
                );
            }
        }
    }
    // A list without the collection itself is not a list of it.
    let server = FakeHttp::start(|_, asked| match question(asked) {
        Question::Describe => multistatus(&found("/cal/", IS_CALENDAR)),
        _ => multistatus(""),
    })
    .await;
    let error = pull(
        &account(&server),
        CALENDAR,
        &SyncCursor::default(),
        &held(&[("/cal/a.ics", "1")]),
    )
    .await;
    assert!(matches!(error, Err(ProviderError::Protocol(_))), "{error:?}");
}

#[tokio::test]
async fn addresses_without_calendars_say_what_they_are() {
    let page = FakeHttp::start(|_, _| "<html>hello</html>".into_response()).await;
    let error = account(&page).list_calendars().await.unwrap_err();
    assert!(matches!(error, ProviderError::NotACalendar(_)), "{error:?}");

    let nothing = FakeHttp::start(|_, _| StatusCode::NOT_FOUND.into_response()).await;
    let error = account(&nothing).list_calendars().await.unwrap_err();
    assert!(matches!(error, ProviderError::NotFound), "{error:?}");

    let folder = FakeHttp::start(|_, asked| {
        multistatus(&found(
            &asked.path,
            "<d:resourcetype><d:collection/></d:resourcetype>",
        ))
    })
    .await;
    let error = account(&folder).list_calendars().await.unwrap_err();
    assert!(matches!(error, ProviderError::NotACalendar(_)), "{error:?}");

    let moved =
        FakeHttp::start(|_, _| (StatusCode::FOUND, [("location", "http://127.0.0.1:1/")]).into_response())
            .await;
    let error = account(&moved).list_calendars().await.unwrap_err();
    assert!(
        matches!(error, ProviderError::Blocked(HttpError::InsecureScheme)),
        "{error:?}"
    );
    let moved =
        FakeHttp::start(|_, _| (StatusCode::FOUND, [("location", "https://10.0.0.1/")]).into_response())
            .await;
    let error = account(&moved).list_calendars().await.unwrap_err();
    assert!(
        matches!(error, ProviderError::Blocked(HttpError::BlockedAddress)),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_home_set_on_a_stranger_never_sees_the_password() {
    let stranger = FakeHttp::start(|_, _| multistatus("")).await;
    let target = stranger.url("/home/");
    let server = FakeHttp::start(move |_, asked| {
        let home = format!("<c:calendar-home-set><d:href>{target}</d:href></c:calendar-home-set>");
        multistatus(&found(&asked.path, &home))
    })
    .await;
    let both = [server.address.to_string(), stranger.address.to_string()];
    let credentials = Credentials {
        username: "me".into(),
        password: "pw".into(),
    };
    let account = CalDav::new(
        client(&[&both[0], &both[1]]),
        &server.url("/"),
        Some(&credentials),
    )
    .unwrap();
    assert_eq!(account.list_calendars().await.unwrap(), []);
    assert!(
        server
            .asked()
            .iter()
            .all(|asked| asked.headers.contains_key("authorization"))
    );
    assert_eq!(stranger.asked().len(), 1);
    assert!(!stranger.asked()[0].headers.contains_key("authorization"));
}
