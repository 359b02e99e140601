//! PostgreSQL that crashes and comes back under a server that stays: requests are told to come again, streams go on, nothing that was
//! acknowledged is lost. There is nothing to test on SQLite.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};

use super::kill::{create, titles};
use super::process::{Install, User, request};
use super::shop::{Line, cursor_now};
use crate::jobs::bench::production;
use crate::support::machines::OwnPostgres;

const WATCH: &str =
    "subscription ($id: ID!) { taskChanged(workspaceId: $id) { cursor task { title createdBy { name } } } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_outlives_the_crash_of_its_database() {
    if !production() {
        return;
    }
    let mut postgres = OwnPostgres::start().await;
    let install = Install::at(postgres.url());
    let process = install.start("serve").await;
    let platform = install.platform().await;
    let user = User::create(&platform, "Ana").await;
    platform.db.close().await;
    let (port, id) = (process.port, process.id());
    let before = cursor_now(&user, port).await;
    let mut line = Line::open(port, &user.token).await.unwrap();
    let variables = json!({ "id": user.person.workspace() });
    line.subscribe("1", WATCH, variables).await.unwrap();
    sleep(Duration::from_millis(300)).await;

    let done = AtomicBool::new(false);
    let write = async {
        let (mut acknowledged, mut refused, mut told) = (Vec::new(), 0, 0);
        for turn in 0.. {
            if done.load(Ordering::SeqCst) {
                break;
            }
            let title = format!("{turn}");
            let answer = create(&user, port, &title, &title).await;
            let answer = answer.expect("the server answers");
            let code = answer.json()["errors"][0]["extensions"]["code"].clone();
            match code.as_str() {
                None => acknowledged.push(title),
                Some("SERVICE_UNAVAILABLE") => {
                    // What fails in the middle of an operation is part of its answer.
                    let is_told = answer.status == 503 && answer.head.contains("\r\nretry-after: ");
                    assert!(is_told || answer.status == 200, "{answer:?}");
                    told += usize::from(is_told);
                    refused += 1;
                }
                _ => panic!("{answer:?}"),
            }
            sleep(Duration::from_millis(10)).await;
        }
        (acknowledged, refused, told)
    };
    let chaos = async {
        sleep(Duration::from_millis(700)).await;
        postgres.crash().await;
        sleep(Duration::from_secs(4)).await;
        let ready = request(port, "GET", "/readyz", &[], "").await.expect("an answer");
        assert_eq!(ready.status, 503);
        postgres.again().await;
        let back = Instant::now();
        loop {
            let health = request(port, "GET", "/api/health", &[], "").await;
            if health.is_some_and(|health| health.status == 200) {
                break;
            }
            assert!(back.elapsed() < Duration::from_secs(5), "{}", process.log());
            sleep(Duration::from_millis(100)).await;
        }
        let healthy = back.elapsed();
        // Every connection of the pools is of before the crash until somebody tries it.
        sleep(Duration::from_secs(2)).await;
        done.store(true, Ordering::SeqCst);
        healthy
    };
    let ((acknowledged, refused, told), healthy) = tokio::join!(write, chaos);
    println!(
        "{} acknowledged, {refused} refused, {told} of them with 503; healthy {healthy:?} after it was back",
        acknowledged.len()
    );
    assert!(told > 0 && acknowledged.len() > 20);
    assert_eq!(process.id(), id, "it was not restarted");

    let found = titles(&user, port).await;
    for title in &acknowledged {
        assert_eq!(found.get(title), Some(&1), "{title}");
    }
    // The stream from before the crash is still there and misses nothing.
    let [log, _] = super::shop::log_after(&user, port, &before).await;
    let mut heard = Vec::new();
    while heard.len() < log.len() {
        let message = line.hear(Duration::from_secs(5)).await;
        let message = message.unwrap_or_else(|| panic!("{} of {}", heard.len(), log.len()));
        let change = &message["payload"]["data"]["taskChanged"];
        assert_eq!(change["task"]["createdBy"]["name"], "Ana", "{message}");
        heard.push(super::shop::position(change["cursor"].as_str().unwrap()));
    }
    assert_eq!(heard, log);
}
