//! `kill -9` and SIGTERM while many clients write.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::process::{Answer, Install, User};

const WRITERS: usize = 8;
const CREATE: &str =
    "mutation ($input: CreateTaskInput!) { createTask(input: $input) { task { id } userErrors { code } } }";

pub async fn create(user: &User, port: u16, title: &str, key: &str) -> Option<Answer> {
    let input = json!({ "workspaceId": user.person.workspace(), "title": title });
    user.ask(port, CREATE, json!({ "input": input }), Some(key)).await
}

/// Whether the first request with the key may still run.
fn is_running(answer: &Value) -> bool {
    !answer["errors"][0]["extensions"]["retryAfterSeconds"].is_null()
}

/// How often each title is there.
pub async fn titles(user: &User, port: u16) -> BTreeMap<String, usize> {
    let query = "query ($id: ID!, $after: String) { workspace(id: $id) { tasks(first: 100, after: $after) {
        nodes { title } pageInfo { hasNextPage endCursor } } } }";
    let (mut found, mut after) = (BTreeMap::new(), None::<Value>);
    loop {
        let mut variables = json!({ "id": user.person.workspace() });
        if let Some(after) = after {
            variables["after"] = after;
        }
        let data = User::data(user.ask(port, query, variables, None).await);
        let page = &data["workspace"]["tasks"];
        for node in page["nodes"].as_array().unwrap() {
            *found
                .entry(node["title"].as_str().unwrap().to_owned())
                .or_default() += 1;
        }
        if page["pageInfo"]["hasNextPage"] == false {
            return found;
        }
        after = Some(page["pageInfo"]["endCursor"].clone());
    }
}

/// The change log has no gap, and the audit log is whole.
async fn check_logs(install: &Install, user: &User, port: u16) {
    let query =
        "query ($id: ID!, $after: String!) { workspace(id: $id) { changes(after: $after, first: 500) {
        nodes { cursor } endCursor hasMore } } }";
    let id = user.person.workspace();
    let now = super::shop::cursor_now(user, port).await;
    let mut after = format!("{}.0", now.split_once('.').unwrap().0);
    let mut expected = 0;
    loop {
        let data = User::data(
            user.ask(port, query, json!({ "id": id, "after": after }), None)
                .await,
        );
        let page = &data["workspace"]["changes"];
        for node in page["nodes"].as_array().unwrap() {
            expected += 1;
            assert_eq!(super::shop::position(node["cursor"].as_str().unwrap()), expected);
        }
        if page["hasMore"] == false {
            break;
        }
        after = page["endCursor"].as_str().unwrap().to_owned();
    }
    assert_eq!(super::shop::position(&now), expected);
    let verified = install.run("audit verify").await;
    assert!(
        verified.status.success(),
        "{}",
        String::from_utf8_lossy(&verified.stderr)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_while_it_writes_loses_and_doubles_nothing() {
    let install = Install::new().await;
    let platform = install.platform().await;
    let user = User::create(&platform, "Ana").await;
    // A request whose server died may be tried again after two times this long.
    let settings = [("MERIDIAN_LIMIT_OPERATION_SECONDS", "2")];
    let mut process = install.start_with("serve", &settings).await;
    let (port, done) = (process.port, AtomicBool::new(false));
    // Carried out, but the server died before it could say so: whoever asks again learns that.
    let lost = AtomicUsize::new(0);
    let write = async |number: usize| {
        let mut acknowledged = Vec::new();
        for turn in 0.. {
            if done.load(Ordering::SeqCst) {
                break;
            }
            let title = format!("{number}-{turn}");
            // Whoever got no answer asks again, with the same key.
            let answer = loop {
                match create(&user, port, &title, &title)
                    .await
                    .map(|answer| answer.json())
                {
                    Some(answer) if is_running(&answer) => sleep(Duration::from_millis(200)).await,
                    Some(answer) => break answer,
                    None => sleep(Duration::from_millis(30)).await,
                }
            };
            let is_lost = answer["errors"][0]["extensions"]["code"] == "IDEMPOTENCY_CONFLICT";
            lost.fetch_add(usize::from(is_lost), Ordering::SeqCst);
            if !is_lost {
                assert_eq!(answer["data"]["createTask"]["userErrors"], json!([]), "{answer}");
            }
            acknowledged.push(title);
        }
        acknowledged
    };
    let mut slowest = Duration::ZERO;
    let chaos = async {
        for _ in 0..3 {
            sleep(Duration::from_millis(900)).await;
            process.kill().await;
            process.again().await;
            slowest = slowest.max(process.ready_after);
        }
        sleep(Duration::from_millis(500)).await;
        done.store(true, Ordering::SeqCst);
    };
    let (acknowledged, ()) = tokio::join!(join_all((0..WRITERS).map(write)), chaos);
    let acknowledged: Vec<String> = acknowledged.into_iter().flatten().collect();
    let found = titles(&user, port).await;
    println!(
        "{} acknowledged writes over three kills, {lost:?} of them on the second try; ready again after {slowest:?} at most",
        acknowledged.len()
    );
    assert!(acknowledged.len() > 20, "there was some load");
    for title in &acknowledged {
        assert_eq!(found.get(title), Some(&1), "{title}");
    }
    assert_eq!(found.len(), acknowledged.len(), "nothing else is there");
    assert!(slowest < Duration::from_secs(3), "{slowest:?}");
    check_logs(&install, &user, port).await;
    platform.db.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_asked_to_end_answers_what_it_was_asked() {
    let install = Install::new().await;
    let platform = install.platform().await;
    let user = User::create(&platform, "Ana").await;
    let mut process = install.start("serve").await;
    let port = process.port;
    let asked = async |number: usize| {
        let mut answered = 0_usize;
        for turn in 0..200 {
            let began = Instant::now();
            let title = format!("{number}-{turn}");
            match create(&user, port, &title, &title).await {
                Some(answer) => {
                    assert_eq!(answer.status, 200, "{answer:?}");
                    answered += 1;
                }
                // Nobody listens any more: no request broke that had begun.
                None => {
                    sleep(Duration::from_millis(50)).await;
                    assert!(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err());
                    return (answered, Some(began.elapsed()));
                }
            }
        }
        (answered, None)
    };
    let end = async {
        sleep(Duration::from_millis(800)).await;
        process.stop().await
    };
    let (asked, (took, ended_well)) = tokio::join!(join_all((0..WRITERS).map(asked)), end);
    let answered: usize = asked.iter().map(|(answered, _)| answered).sum();
    println!("{answered} requests answered; it ended after {took:?}");
    assert!(ended_well && took <= Duration::from_secs(10), "{took:?}");
    process.again().await;
    let found = titles(&user, port).await;
    // A client whose connection was never taken may not know; it is not counted, and at most one each.
    assert!(
        (answered..=answered + WRITERS).contains(&found.len()),
        "{answered} answered, {} there",
        found.len()
    );
    assert!(found.values().all(|times| *times == 1));
    check_logs(&install, &user, port).await;
    platform.db.close().await;
}
