//! PostgreSQL that crashes and comes back under a server that stays: requests are told to come again, streams go on, nothing that was
//! acknowledged is lost. There is nothing to test on SQLite.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use entity::enums::JobStatus;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::kill::{create, titles};
use super::process::{Install, User, request};
use super::shop::{Line, cursor_now};
use crate::jobs::bench::{Bench, number, production, script};
use crate::support::Database;
use crate::support::machines::{OwnPostgres, OwnRedis};

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
        // Longer than a request waits for a connection, or it may get one from the database that is back, and nobody is refused.
        sleep(Duration::from_secs(7)).await;
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

/// Longest time from the start of one of the jobs below to its record.
const ONE_JOB: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_go_on_when_their_database_is_back() {
    if !production() {
        return;
    }
    let mut postgres = OwnPostgres::start().await;
    let redis = OwnRedis::start().await;
    let bench = Bench::on(Database::at(postgres.url()).await, Some(redis.url())).await;
    let starts: Arc<Mutex<BTreeMap<u128, Vec<Instant>>>> = Arc::default();
    let log = starts.clone();
    let started = |since: Instant| {
        let all = starts.lock().unwrap();
        all.values().flatten().filter(|at| **at > since).count()
    };
    bench.enqueue_all((1..=50).map(Bench::job).collect()).await;
    let began = Instant::now();
    let workers = bench.work(script(move |job| {
        log.lock()
            .unwrap()
            .entry(number(&job))
            .or_default()
            .push(Instant::now());
        async {
            sleep(Duration::from_millis(300)).await;
            Ok(())
        }
    }));
    while started(began) < 12 {
        assert!(began.elapsed() < Duration::from_secs(20), "they do not start");
        sleep(Duration::from_millis(20)).await;
    }

    let crash = Instant::now();
    postgres.crash().await;
    sleep(Duration::from_secs(3)).await;
    postgres.again().await;
    let back = Instant::now();
    while started(back) == 0 {
        assert!(back.elapsed() < Duration::from_secs(10), "no job starts");
        sleep(Duration::from_millis(20)).await;
    }
    println!("a job starts {:?} after the database is back", back.elapsed());

    // With connections of its own, none of which is of before the crash.
    let look = bench.replica().await;
    let rows = loop {
        let rows = look.rows().await;
        if rows.iter().all(|row| row.status == JobStatus::Succeeded) {
            break rows;
        }
        // What was claimed at that very moment, by a worker that never heard of it, waits for its lease to end.
        assert!(back.elapsed() < Duration::from_secs(75), "{rows:?}");
        sleep(Duration::from_millis(200)).await;
    };
    let again = rows.iter().filter(|row| row.attempts > 1).count();
    println!(
        "all done {:?} after it was back; {again} on the second attempt",
        back.elapsed()
    );
    assert!(rows.len() == 50 && again <= 10, "{again}");
    for (number, starts) in starts.lock().unwrap().iter() {
        assert!(
            starts.len() == 1 || starts[0] + ONE_JOB > crash,
            "{number} had ended before the crash: {starts:?}"
        );
    }
    assert_eq!(starts.lock().unwrap().len(), 50);
    workers.stop().await;
    look.close().await;
    bench.close().await;
}
