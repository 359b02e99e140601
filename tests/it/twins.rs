//! Objects with one UID in a calendar elsewhere: the first is shown and the others are told, and a new name is no new event.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::support::fake_http::{Asked, FakeHttp, found, multistatus, status};
use crate::support::radicale::{Radicale, event};
use crate::support::syncs::{connect_caldav, newest_run, sync, titles, work};
use crate::support::{Client, TestApp};

const ALICE: (&str, &str) = ("alice", "wonder land");
const CALENDAR: &str = "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>\
    <d:supported-report-set><d:supported-report><d:report><d:sync-collection/></d:report>\
    </d:supported-report></d:supported-report-set>";

/// What a fake calendar says: the texts of its objects, and what changed since a token. The empty token asks for everything.
#[derive(Default)]
struct Script {
    texts: HashMap<String, String>,
    since: HashMap<&'static str, String>,
}

async fn fake(script: &Arc<Mutex<Script>>) -> FakeHttp {
    let script = script.clone();
    FakeHttp::start(move |_, asked: &Asked| -> Response {
        let script = script.lock().unwrap();
        if asked.method.as_str() == "PROPFIND" {
            return multistatus(&found("/cal/", CALENDAR));
        }
        if asked.body.contains("sync-collection") {
            let token = asked.body.split("<D:sync-token>").nth(1);
            let token = token.and_then(|rest| rest.split('<').next()).unwrap_or_default();
            return multistatus(&script.since[token]).into_response();
        }
        let wanted = asked
            .body
            .split("<D:href>")
            .skip(1)
            .filter_map(|part| part.split('<').next());
        let object = |href: &str| {
            let text = &script.texts[href];
            found(
                href,
                &format!(
                    "<d:getetag>\"{}\"</d:getetag><c:calendar-data>{text}</c:calendar-data>",
                    text.len()
                ),
            )
        };
        multistatus(&wanted.map(object).collect::<String>())
    })
    .await
}

fn new(href: &str, text: &str) -> String {
    found(href, &format!("<d:getetag>\"{}\"</d:getetag>", text.len()))
}

fn token(name: &str) -> String {
    format!("<d:sync-token>{name}</d:sync-token>")
}

fn more() -> String {
    status("/cal/", 507)
}

fn gone(href: &str) -> String {
    status(href, 404)
}

async fn events(client: &Client<'_>) -> Vec<(String, String)> {
    let document =
        "query ($id: ID!) { workspace(id: $id) { calendarEvents(first: 100) { nodes { id title } } } }";
    let answer = client
        .gql(document, json!({ "id": client.app.ana.workspace() }))
        .await;
    let nodes = answer.at("/workspace/calendarEvents/nodes");
    let text = |node: &Value, name: &str| node[name].as_str().unwrap().to_owned();
    let nodes = nodes.as_array().unwrap().iter();
    nodes
        .map(|node| (text(node, "id"), text(node, "title")))
        .collect()
}

fn counts(run: &Value) -> [i64; 4] {
    ["createdCount", "updatedCount", "deletedCount", "problemCount"].map(|name| run[name].as_i64().unwrap())
}

async fn connected(client: &Client<'_>, url: &str) -> String {
    let answer = connect_caldav(client, &client.app.ana.workspace(), url, ALICE).await;
    let id = answer
        .succeeded("connectIntegration")
        .text("/connectIntegration/integration/id");
    work(client.app).await.unwrap();
    id
}

#[tokio::test]
async fn a_renamed_object_is_the_same_event_in_either_order_and_over_pages() {
    let (text, other) = (event("x", "One", 1), event("x", "The other", 2));
    let script = Arc::new(Mutex::new(Script::default()));
    {
        let mut script = script.lock().unwrap();
        for name in ["a", "b", "c", "d"] {
            script.texts.insert(format!("/cal/{name}.ics"), text.clone());
        }
        script.texts.insert("/cal/e.ics".into(), other.clone());
        script.since = HashMap::from([
            ("", new("/cal/a.ics", &text) + &token("t0")),
            // The new name first, the old one in another page.
            ("t0", new("/cal/b.ics", &text) + &more() + &token("t1")),
            ("t1", gone("/cal/a.ics") + &token("t2")),
            // The old name first.
            ("t2", gone("/cal/b.ics") + &more() + &token("t3")),
            ("t3", new("/cal/c.ics", &text) + &token("t4")),
            // Both in one page.
            (
                "t4",
                new("/cal/d.ics", &text) + &gone("/cal/c.ics") + &token("t5"),
            ),
            // Renamed and changed at once.
            (
                "t5",
                gone("/cal/d.ics") + &new("/cal/e.ics", &other) + &token("t6"),
            ),
            ("t6", token("t7")),
        ]);
    }
    let server = fake(&script).await;
    let app = TestApp::reaching(&[&server.address.to_string()]).await;
    let ana = app.ana();
    let id = connected(&ana, &server.url("/cal/")).await;
    let first = events(&ana).await;
    assert_eq!(first.len(), 1);
    for name in ["b", "c", "d"] {
        sync(&ana, &id).await.unwrap();
        assert_eq!(
            counts(&newest_run(&ana, &id).await),
            [0, 1, 0, 0],
            "renamed to {name}"
        );
        assert_eq!(events(&ana).await, first, "renamed to {name}");
    }
    sync(&ana, &id).await.unwrap();
    assert_eq!(events(&ana).await, [(first[0].0.clone(), "The other".to_owned())]);
    sync(&ana, &id).await.unwrap();
    assert_eq!(counts(&newest_run(&ana, &id).await), [0, 0, 0, 0]);
}

#[tokio::test]
async fn a_second_object_with_a_uid_is_told_and_waits_for_the_first_to_go() {
    let (text, other) = (event("x", "First", 1), event("x", "Second", 2));
    let script = Arc::new(Mutex::new(Script::default()));
    {
        let mut script = script.lock().unwrap();
        script.texts.insert("/cal/a.ics".into(), text.clone());
        script.texts.insert("/cal/b.ics".into(), other.clone());
        script.since = HashMap::from([
            ("", new("/cal/a.ics", &text) + &token("t0")),
            ("t0", new("/cal/b.ics", &other) + &token("t1")),
            ("t1", gone("/cal/a.ics") + &token("t2")),
            ("t3", token("t4")),
        ]);
    }
    let server = fake(&script).await;
    let app = TestApp::reaching(&[&server.address.to_string()]).await;
    let ana = app.ana();
    let id = connected(&ana, &server.url("/cal/")).await;
    sync(&ana, &id).await.unwrap();
    let run = newest_run(&ana, &id).await;
    assert_eq!(counts(&run), [0, 0, 0, 1], "{run:#}");
    assert_eq!(run["problems"][0]["object"], "x");
    assert!(
        run["problems"][0]["message"]
            .as_str()
            .unwrap()
            .contains("same UID"),
        "{run:#}"
    );
    assert_eq!(titles(&ana, &app.ana.workspace()).await, ["First"]);

    sync(&ana, &id).await.unwrap();
    assert_eq!(titles(&ana, &app.ana.workspace()).await, Vec::<String>::new());
    // The server does not list again what did not change, so everything is compared.
    script
        .lock()
        .unwrap()
        .since
        .insert("", new("/cal/b.ics", &other) + &token("t3"));
    sync(&ana, &id).await.unwrap();
    assert_eq!(titles(&ana, &app.ana.workspace()).await, ["Second"]);
    sync(&ana, &id).await.unwrap();
    assert_eq!(
        counts(&newest_run(&ana, &id).await),
        [0, 0, 0, 0],
        "and then again only what changes"
    );
}

#[tokio::test]
async fn a_real_server_with_twins_and_new_names() {
    let server = Radicale::start(&[ALICE]).await;
    server.add_calendar("alice", "work");
    for index in 0..3 {
        server.put(
            "alice",
            "work",
            &format!("{index}.ics"),
            &event(&format!("uid-{index}"), &format!("Event {index}"), index),
        );
    }
    let app = TestApp::reaching(&[&server.address]).await;
    let ana = app.ana();
    let id = connected(&ana, &format!("http://{}/", server.address)).await;
    let before = events(&ana).await;

    server.delete("alice", "work", "2.ics");
    server.put("alice", "work", "new name.ics", &event("uid-2", "Event 2", 2));
    server.put("alice", "work", "twin.ics", &event("uid-1", "Twin", 5));
    sync(&ana, &id).await.unwrap();
    assert_eq!(counts(&newest_run(&ana, &id).await), [0, 1, 0, 1]);
    assert_eq!(events(&ana).await, before);

    server.delete("alice", "work", "1.ics");
    sync(&ana, &id).await.unwrap();
    sync(&ana, &id).await.unwrap();
    assert_eq!(
        titles(&ana, &app.ana.workspace()).await,
        ["Event 0", "Event 2", "Twin"]
    );
}
